"""Who moved on and why, who is stuck, and who always sits at the earliest skills.

Groups are for the next lessons. These tables keep watch that nobody's place becomes a
label: a student on one skill for cycles, or at the class's earliest skills all year, is
listed together with the evidence that would move the student on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import pandas as pd

SHOWN = 0.5
"""Mastery from which a former focus counts as shown: more likely than not."""

SURE = 0.8
"""Mastery from which we say that a student has the skill."""

RIGHT_ANSWER = 5.0
"""How many times likelier one right answer makes it that the skill is held: about 0.85 of
those who hold a skill and 0.17 of those who do not answer an item of it right."""

MOST_ANSWERS = 4
"""Answers in a short check; who needs more needs lessons first, not a check."""

LITTLE = 0.5
"""Expected skills gained from one window to the next below which nothing was gained."""

ROOM = 2.0
"""Expected skills not yet held below which there was hardly anything to gain."""


class Course(StrEnum):
    """What became of a student's place in a group."""

    LEARNED = "learned"
    STILL = "still"
    OTHER = "other"
    NO_GROUP = "no group"
    NOT_SEEN = "not seen"


def trace_groups(before: pd.DataFrame, now: pd.DataFrame, mastery: pd.DataFrame) -> pd.DataFrame:
    """Return where the students of earlier groups are now, and why.

    Parameters
    ----------
    before, now
        Tables of :data:`analysis.tables.GROUPS` of the earlier and the later window.
    mastery
        Table of :data:`analysis.tables.MASTERY` of the later window.

    Returns
    -------
    pandas.DataFrame
        One row a student who was in a group: ``student_id``, ``from_skill_id``,
        ``to_skill_id`` (missing: in no group now), ``mastery`` (of the former skill, now)
        and ``course``: the former skill is ``learned``; the student is ``still`` on it; has
        not shown it and works on an ``other`` one first; is in ``no group``; or was ``not
        seen`` since.

    Examples
    --------
    >>> before = pd.DataFrame({"student_id": ["s1", "s2"], "group": 1, "focus_skill_id": "a"})
    >>> now = before.assign(focus_skill_id=["b", "a"])
    >>> mastery = pd.DataFrame({"student_id": ["s1", "s2"], "skill_id": "a",
    ...     "mastery": [0.9, 0.2]})
    >>> trace_groups(before, now, mastery)["course"].tolist()
    ['learned', 'still']
    """
    seated = before.dropna(subset=["group"])[["student_id", "focus_skill_id"]]
    seated = seated.rename(columns={"focus_skill_id": "from_skill_id"})
    later = now[["student_id", "focus_skill_id"]].rename(columns={"focus_skill_id": "to_skill_id"})
    known = mastery[["student_id", "skill_id", "mastery"]]
    known = known.rename(columns={"skill_id": "from_skill_id"})
    traced = seated.merge(later, on="student_id", how="left").merge(
        known, on=["student_id", "from_skill_id"], how="left"
    )
    course = np.select(
        [
            traced["mastery"].isna(),
            traced["to_skill_id"].eq(traced["from_skill_id"]).fillna(False),
            traced["mastery"].ge(SHOWN),
            traced["to_skill_id"].isna(),
        ],
        [Course.NOT_SEEN, Course.STILL, Course.LEARNED, Course.NO_GROUP],
        Course.OTHER,
    )
    traced["course"] = pd.Series(course.astype(str), index=traced.index, dtype="str")
    return traced.sort_values("student_id", ignore_index=True)


def place_groups(groups: pd.DataFrame, mastery: pd.DataFrame) -> pd.DataFrame:
    """Return which group of each classroom and window works on the earliest skills.

    Parameters
    ----------
    groups
        Table of :data:`analysis.tables.GROUPS`, of one or several classrooms and windows.
    mastery
        Table of :data:`analysis.tables.MASTERY` of the same windows.

    Returns
    -------
    pandas.DataFrame
        One row a student in a group: ``classroom_id``, ``window``, ``student_id``,
        ``group``, ``focus_skill_id``, and ``earliest``: whether the group's students hold
        the fewest skills of all groups, by their expected number. Never true where a
        classroom has one group only: then nobody is apart.

    Examples
    --------
    >>> groups = pd.DataFrame({"classroom_id": "4a", "window": "w", "group": [1, 2],
    ...     "student_id": ["s1", "s2"], "focus_skill_id": ["a", "b"]})
    >>> mastery = pd.DataFrame({"student_id": ["s1", "s2"], "window": "w", "mastery": [.2, .9]})
    >>> place_groups(groups, mastery)["earliest"].tolist()
    [True, False]
    """
    seated = groups.dropna(subset=["group"])
    held = mastery.groupby(["student_id", "window"], as_index=False)["mastery"].sum()
    seated = seated.merge(held, on=["student_id", "window"], how="left")
    room = ["classroom_id", "window"]
    mean = seated.groupby([*room, "group"])["mastery"].transform("mean")
    least = mean.groupby([seated[name] for name in room]).transform("min")
    n_groups = seated.groupby(room)["group"].transform("nunique")
    kept = ["classroom_id", "window", "student_id", "group", "focus_skill_id"]
    return seated[kept].assign(earliest=mean.eq(least) & n_groups.gt(1))


def find_stuck(
    placed: pd.DataFrame, mastery: pd.DataFrame, windows: Sequence[str], *, cycles: int = 2
) -> pd.DataFrame:
    """Return students whose group has the same skill for some windows, without showing it.

    Parameters
    ----------
    placed
        As from :func:`place_groups`.
    mastery
        Table of :data:`analysis.tables.MASTERY` of the last window.
    windows
        In order of time; the last one is now.
    cycles
        Fewest windows in a row, now among them.

    Returns
    -------
    pandas.DataFrame
        ``classroom_id``, ``student_id``, ``skill_id``, ``n_windows`` (in a row), ``mastery``
        and ``answers``: right answers in a row that would show the skill (missing: more
        than a short check can hold).
    """
    focus = placed.pivot_table(
        index=["classroom_id", "student_id"], columns="window", values="focus_skill_id",
        aggfunc="first",
    ).reindex(columns=list(windows))  # fmt: skip
    now = focus[windows[-1]] if len(windows) else pd.Series(dtype="str")
    same = focus.eq(now, axis=0)[list(windows)[::-1]].astype(int)
    run = same.cumprod(axis=1).sum(axis=1)
    stuck = pd.DataFrame({"skill_id": now, "n_windows": run})[run.ge(cycles)].reset_index()
    return _with_answers(stuck, mastery)


def find_entrenched(
    placed: pd.DataFrame, mastery: pd.DataFrame, windows: Sequence[str], *, fewest: int = 2
) -> pd.DataFrame:
    """Return students who sat with the earliest skills in every window there is.

    Parameters
    ----------
    placed, mastery, windows
        As for :func:`find_stuck`.
    fewest
        Fewest windows for which it is said.

    Returns
    -------
    pandas.DataFrame
        As from :func:`find_stuck`; ``skill_id`` is the present focus. Only students who
        were in a group in all the windows: an absence breaks the row.
    """
    if len(windows) < fewest:
        return _with_answers(pd.DataFrame(columns=_COLUMNS[:4]), mastery)
    here = placed[placed["window"].isin(windows)]
    always = here.groupby(["classroom_id", "student_id"])["earliest"].agg(["sum", "size"])
    always = always[always["sum"].eq(len(windows)) & always["size"].eq(len(windows))]
    now = here[here["window"].eq(windows[-1])].set_index(["classroom_id", "student_id"])
    found = now.loc[now.index.isin(always.index), ["focus_skill_id"]].reset_index()
    found = found.rename(columns={"focus_skill_id": "skill_id"}).assign(n_windows=len(windows))
    return _with_answers(found, mastery)


def find_not_growing(steps: Sequence[pd.DataFrame], *, fewest: int = 2) -> pd.DataFrame:
    """Return students who gained nothing in each of the last steps, though there was room.

    Parameters
    ----------
    steps
        Tables of :func:`analysis.growth.growth_by_student`, from window to window.
    fewest
        Steps in a row, the last one among them.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``gained`` (expected skills gained over these steps), ``room`` (at
        the start of the first of them). Only students measured in all of them.

    Examples
    --------
    >>> step = pd.DataFrame({"student_id": ["s1", "s2"], "gained": [0.1, 1.9], "room": 6.0})
    >>> find_not_growing([step, step])["student_id"].tolist()
    ['s1']
    """
    last = list(steps)[-fewest:]
    if len(last) < fewest:
        return pd.DataFrame({"student_id": pd.Series(dtype="str"), "gained": [], "room": []})
    still = [step[step["gained"].lt(LITTLE) & step["room"].ge(ROOM)] for step in last]
    table = still[0][["student_id", "gained", "room"]]
    for step in still[1:]:
        table = table.merge(step[["student_id", "gained"]], on="student_id", suffixes=("", "_next"))
        table = table.assign(gained=table["gained"] + table["gained_next"])
        table = table.drop(columns="gained_next")
    return table.sort_values("student_id", ignore_index=True)


def answers_to_show(mastery: float) -> int | None:
    """Return how many right answers in a row would show a skill; ``None``: more than four.

    Examples
    --------
    >>> [answers_to_show(mastery) for mastery in (0.9, 0.5, 0.1, 0.0001)]
    [1, 1, 3, None]
    """
    if not 0 < mastery < 1:
        return None if mastery <= 0 or math.isnan(mastery) else 1
    wanted = math.log(SURE / (1 - SURE)) - math.log(mastery / (1 - mastery))
    answers = max(1, math.ceil(wanted / math.log(RIGHT_ANSWER)))
    return answers if answers <= MOST_ANSWERS else None


_COLUMNS = ["classroom_id", "student_id", "skill_id", "n_windows", "mastery", "answers"]


def _with_answers(found: pd.DataFrame, mastery: pd.DataFrame) -> pd.DataFrame:
    """Add what is known of the skill, and the answers that would show it; drop the shown."""
    known = mastery[["student_id", "skill_id", "mastery"]]
    text = {"classroom_id": "str", "student_id": "str", "skill_id": "str", "n_windows": "int64"}
    table = found.astype(text).merge(known, on=["student_id", "skill_id"], how="left")
    table = table[~table["mastery"].ge(SHOWN)]
    answers = [answers_to_show(value) for value in table["mastery"]]
    table = table.assign(answers=pd.array(answers, dtype="Int64"))
    return table[_COLUMNS].sort_values(_COLUMNS[:3], ignore_index=True)
