"""Put every student of the roster somewhere, exactly once, and say how sure each place is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from analysis.grouping.certainty import (
    MOST_DRAWS,
    draw_from,
    gain_of_checking,
    share_of_draws,
    shortest_check,
)
from analysis.grouping.estimator import SkillNeedGroups
from analysis.grouping.evidence import Classroom
from analysis.grouping.result import GroupRules
from analysis.grouping.value import fill_unknown, on_target
from analysis.tables import GROUPS, check_table

HELD = 0.5
"""Mastery from which a skill counts as held: more likely than not."""

MOST_NEXT_SKILLS = 2
"""Next skills proposed to a student who needs nothing listed: a choice, not a list."""


def account_for_everyone(
    classroom: Classroom, model: SkillNeedGroups | None, rules: GroupRules, random_state: int
) -> dict[str, Any]:
    """Return the parts of a grouping that say where each student is.

    Parameters
    ----------
    classroom
        The classroom's arrays.
    model
        The fitted groups, or ``None`` where nobody has evidence.
    rules
        The teacher's rules.
    random_state
        Seed of the draws where the classroom has none.

    Returns
    -------
    dict
        ``groups``, ``focus``, ``extension``, ``conference``, ``not_assessed``,
        ``check_with_teacher`` and ``next_check``.
    """
    n_students = len(classroom.students)
    labels = np.full(n_students, -1) if model is None else model.labels_
    focus = np.zeros(0, dtype=int) if model is None else model.focus_
    fit = _fit(classroom, labels, focus, rules, random_state)
    other, behind = _alternatives(classroom, labels, focus, rules)
    groups = _groups_table(classroom, labels, focus, fit, other)
    left = (labels < 0) & classroom.assessed
    absent = np.isin(classroom.students, list(rules.absent))
    needs_nothing = _needs_nothing(classroom) & ~absent
    return {
        "groups": groups,
        "focus": _focus_table(classroom, labels, focus),
        "extension": _extension_table(classroom, np.flatnonzero(left & needs_nothing)),
        "conference": _conference_table(classroom, np.flatnonzero(left & ~needs_nothing), absent),
        "not_assessed": _ids(classroom, (labels < 0) & ~classroom.assessed),
        "check_with_teacher": _doubts(classroom, labels, fit, other, behind, rules),
        "next_check": _next_check(classroom, focus, absent, random_state),
    }


def _fit(
    classroom: Classroom,
    labels: np.ndarray,
    focus: np.ndarray,
    rules: GroupRules,
    random_state: int,
) -> np.ndarray:
    """Return the share of draws in which each student sits with the present focus."""
    skills, groups_of = np.unique(focus, return_counts=True)
    seat = np.full(len(labels), -1)
    seat[labels >= 0] = np.searchsorted(skills, focus[labels[labels >= 0]])
    value = np.nan_to_num(classroom.value[:, skills])
    if classroom.held is None:
        target = draw_from(value, random_state)
    else:
        target = on_target(classroom.held[:MOST_DRAWS], classroom.before)[:, :, skills]
        target = target & classroom.assessed[:, None]
    return share_of_draws(target, value, seat, groups_of * rules.max_size)


def _alternatives(
    classroom: Classroom, labels: np.ndarray, focus: np.ndarray, rules: GroupRules
) -> tuple[np.ndarray, np.ndarray]:
    """Return the next best group of another focus (-1: none fits), and how far it is behind."""
    other, behind = np.full(len(labels), -1), np.full(len(labels), np.nan)
    value = np.nan_to_num(classroom.value[:, focus])
    for student in np.flatnonzero(labels >= 0):
        mine = labels[student]
        options = np.where(focus == focus[mine], -1.0, value[student])
        if len(options) and options.max() >= max(rules.min_fit, 1e-9):
            other[student] = options.argmax()
            behind[student] = max(value[student, mine] - options.max(), 0)
    return other, behind


def _groups_table(
    classroom: Classroom, labels: np.ndarray, focus: np.ndarray, fit: np.ndarray, other: np.ndarray
) -> pd.DataFrame:
    seated = labels >= 0
    skill = np.where(seated, focus[labels] if len(focus) else 0, -1)
    rows = np.flatnonzero(seated)
    need, ready = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    need[rows] = 1 - classroom.mastery[rows, skill[rows]]
    ready[rows] = _ready_given_need(classroom, rows, skill[rows])
    table = pd.DataFrame(
        {
            "student_id": classroom.students,
            "group": _numbers(labels),
            "focus_skill_id": pd.array(
                [classroom.skills[k] if k >= 0 else None for k in skill], dtype="str"
            ),
            "need": need,
            "ready": ready,
            "fit": np.where(classroom.assessed, fit, np.nan),
            "alternative_group": pd.array(
                [g + 1 if g >= 0 else None for g in other], dtype="Int64"
            ),
        }
    )
    checked = check_table(table.assign(classroom_id="-", window="-"), GROUPS, "the groups table")
    return checked.drop(columns=["classroom_id", "window"])


def _ready_given_need(classroom: Classroom, rows: np.ndarray, skills: np.ndarray) -> np.ndarray:
    """Return P(ready), given need: what the value of teaching was computed with."""
    need = 1 - classroom.mastery[rows, skills]
    value = classroom.value[rows, skills]
    ready = np.divide(value, need, out=np.full(len(rows), np.nan), where=need > 0)
    return np.asarray(np.clip(ready, 0, 1))


def _focus_table(classroom: Classroom, labels: np.ndarray, focus: np.ndarray) -> pd.DataFrame:
    sizes = np.bincount(labels[labels >= 0], minlength=len(focus))
    value = np.array(
        [np.nansum(classroom.value[labels == group, skill]) for group, skill in enumerate(focus)]
    )
    return pd.DataFrame(
        {
            "group": np.arange(1, len(focus) + 1),
            "focus_skill_id": pd.Series([classroom.skills[k] for k in focus], dtype="str"),
            "size": sizes,
            "value": value.astype(float),
            "share_on_target": value.astype(float) / np.maximum(sizes, 1),
        }
    )


def _needs_nothing(classroom: Classroom) -> np.ndarray:
    """Return who more likely than not holds every skill asked of them."""
    held = np.nan_to_num(classroom.mastery, nan=1.0) >= HELD
    return np.asarray((held | ~classroom.asked).all(axis=1))


def _extension_table(classroom: Classroom, rows: np.ndarray) -> pd.DataFrame:
    next_skills = [_next_skills(classroom, row) for row in rows]
    return _ids(classroom, rows).assign(next_skill_ids=pd.Series(next_skills, dtype=object))


def _next_skills(classroom: Classroom, row: int) -> tuple[str, ...]:
    """Return skills not asked yet whose prerequisites are held, or the least sure."""
    known = dict(zip(classroom.skills, classroom.mastery[row], strict=True))
    done = _shown_or_built_upon(classroom, row)
    beyond = [
        skill
        for skill, listed in classroom.prerequisites.items()
        if skill not in done and all(known.get(before, 0) >= HELD for before in listed)
    ]
    if beyond:
        return tuple(beyond[:MOST_NEXT_SKILLS])
    least = np.argsort(np.nan_to_num(classroom.mastery[row], nan=1.0), kind="stable")
    return tuple(classroom.skills[k] for k in least[:MOST_NEXT_SKILLS])


def _shown_or_built_upon(classroom: Classroom, row: int) -> set[str]:
    """Return skills that were asked, and those that a skill the student has builds on."""
    asked = {classroom.skills[k] for k in np.flatnonzero(classroom.asked[row])}
    held = classroom.mastery[row] >= HELD
    below = [classroom.skills[k] for k in np.flatnonzero(classroom.asked[row] & held)]
    done = set(asked)
    while below:
        listed = classroom.prerequisites.get(below.pop(), ())
        below += [skill for skill in listed if skill not in done]
        done.update(listed)
    return done


def _conference_table(classroom: Classroom, rows: np.ndarray, absent: np.ndarray) -> pd.DataFrame:
    value = np.nan_to_num(classroom.value[rows])
    lacks = 1 - np.nan_to_num(classroom.mastery[rows], nan=1.0)
    # Where nothing is a next step for sure, the likeliest need comes first.
    skill = (value + 1e-6 * lacks).argmax(axis=1) if value.size else np.zeros(0, dtype=int)
    return _ids(classroom, rows).assign(
        skill_id=pd.Series([classroom.skills[k] for k in skill], dtype="str"),
        need=1 - classroom.mastery[rows, skill],
        ready=_ready_given_need(classroom, rows, skill),
        reason=pd.Series(["absent" if absent[r] else "single need" for r in rows], dtype="str"),
    )


def _doubts(
    classroom: Classroom,
    labels: np.ndarray,
    fit: np.ndarray,
    other: np.ndarray,
    behind: np.ndarray,
    rules: GroupRules,
) -> pd.DataFrame:
    unsure = (labels >= 0) & ~(np.nan_to_num(fit) >= rules.certainty)
    rows = np.flatnonzero(unsure)
    rows = rows[np.argsort(np.nan_to_num(fit[rows]), kind="stable")]
    return _ids(classroom, rows).assign(
        group=pd.array(labels[rows] + 1, dtype="Int64"),
        certainty=fit[rows],
        alternative_group=_numbers(other[rows]),
        behind=behind[rows],
    )


def _next_check(
    classroom: Classroom, focus: np.ndarray, absent: np.ndarray, random_state: int
) -> pd.DataFrame:
    rows = np.flatnonzero(classroom.assessed & ~absent)
    open_skills = np.unique(focus)
    if not len(open_skills) or not len(rows):
        return _check_table(classroom, [], np.zeros((0, 0)), rows)
    held = classroom.held
    if held is None:
        held = draw_from(fill_unknown(classroom.mastery), random_state)
    held = held[:MOST_DRAWS, rows]
    gain = gain_of_checking(held, on_target(held, classroom.before)[:, :, open_skills])
    return _check_table(classroom, shortest_check(gain), gain, rows)


def _check_table(
    classroom: Classroom, chosen: Sequence[tuple[int, int]], gain: np.ndarray, rows: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "skill_id": pd.Series([classroom.skills[k] for k, _ in chosen], dtype="str"),
            "student_id": pd.Series([classroom.students[rows[i]] for _, i in chosen], dtype="str"),
            "gain": np.array([gain[i, k] for k, i in chosen], dtype=float),
        }
    )


def _numbers(labels: np.ndarray) -> ExtensionArray:
    """Return groups as teachers count them: 1, 2, …, missing for none."""
    return pd.array([label + 1 if label >= 0 else None for label in labels], dtype="Int64")


def _ids(classroom: Classroom, rows: np.ndarray) -> pd.DataFrame:
    ids = np.array(classroom.students, dtype=object)[rows]
    return pd.DataFrame({"student_id": pd.Series(list(ids), dtype="str")})
