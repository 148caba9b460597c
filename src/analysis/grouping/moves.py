"""Who is no longer with most of the former group, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis.grouping import sentences
from analysis.grouping.estimator import SkillNeedGroups
from analysis.grouping.evidence import Classroom
from analysis.grouping.result import GroupRules

HELD = 0.5
"""Mastery from which a former focus counts as learned."""


def former_groups_of(previous: Any, students: list[str]) -> np.ndarray | None:
    """Return each student's former group, -1 for none; ``None`` without a former grouping."""
    if previous is None:
        return None
    table = getattr(previous, "groups", previous)
    seated = table.dropna(subset=["group"])
    group_of = dict(zip(seated["student_id"], seated["group"].astype(int), strict=True))
    return np.array([group_of.get(student, -1) for student in students])


def who_moved(
    classroom: Classroom,
    model: SkillNeedGroups | None,
    former: np.ndarray | None,
    previous: Any,
    rules: GroupRules,
    say: Callable[..., str],
) -> pd.DataFrame:
    """Return the students who are not where most of their former group is now.

    Parameters
    ----------
    classroom, model
        The classroom's arrays and its fitted groups (``None``: no groups).
    former
        Former group of each student, -1 for none, or ``None``.
    previous
        The former grouping, for its focus skills.
    rules
        The teacher's rules.
    say
        Says a sentence in the reader's language (:meth:`analysis.language.Language.say`).

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``from_group``, ``to_group``, ``from_skill_id``, ``to_skill_id``,
        ``reason``.
    """
    rows = []
    if former is not None and model is not None:
        focus_before = _former_focus(previous)
        for group in np.unique(former[former >= 0]):
            members = np.flatnonzero(former == group)
            stayed_in = _where_most_are(model.labels_[members])
            for student in members[model.labels_[members] != stayed_in]:
                before = focus_before.get(int(group))
                now = _focus_now(classroom, model, student)
                reason, named = _reason(classroom, student, before, now, rules)
                rows.append(
                    {
                        "student_id": classroom.students[student],
                        "from_group": int(group),
                        "to_group": int(model.labels_[student]) + 1 if now is not None else None,
                        "from_skill_id": before,
                        "to_skill_id": now,
                        "reason": say(reason, **named),
                    }
                )
    return _table(rows)


def _focus_now(classroom: Classroom, model: SkillNeedGroups, student: int) -> str | None:
    label = model.labels_[student]
    return classroom.skills[model.focus_[label]] if label >= 0 else None


def _reason(
    classroom: Classroom, student: int, before: str | None, now: str | None, rules: GroupRules
) -> tuple[str, dict[str, Any]]:
    """Return the sentence and the skills it names."""
    named = {"former": before, "present": now}
    if not classroom.assessed[student] or classroom.students[student] in rules.absent:
        return sentences.NOT_SEEN, named
    if classroom.students[student] in rules.chosen_students:
        return sentences.BY_TEACHER, named
    place = {skill: k for k, skill in enumerate(classroom.skills)}
    old = None if before is None else place.get(before)
    if old is not None and classroom.mastery[student, old] >= HELD:
        return sentences.LEARNED, named
    if now is None:
        return sentences.NO_GROUP, named
    value = np.nan_to_num(classroom.value[student])
    if old is not None and value[place[now]] > value[old]:
        return sentences.NEEDS_MORE, named
    return (sentences.FOR_SIZE if before == now else sentences.ALONE), named


def _where_most_are(labels: np.ndarray) -> int:
    groups, counts = np.unique(labels[labels >= 0], return_counts=True)
    return int(groups[counts.argmax()]) if len(groups) else -1


def _former_focus(previous: Any) -> dict[int, str]:
    table = getattr(previous, "groups", previous).dropna(subset=["group", "focus_skill_id"])
    return dict(zip(table["group"].astype(int), table["focus_skill_id"], strict=True))


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {
        "student_id": "str",
        "from_group": "Int64",
        "to_group": "Int64",
        "from_skill_id": "str",
        "to_skill_id": "str",
        "reason": "str",
    }
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
