"""Skills that several classrooms need next: for co-teaching and shared lessons."""

from __future__ import annotations

import pandas as pd

MANY = 0.4
"""Share of a classroom's students for whom a skill is the next step, from which the
classroom shares it: enough for a lesson worth planning together."""

FEWEST_STUDENTS = 4
"""Students for whom it is the next step, expected, without whom a classroom does not count:
a few students need a group, not a shared lesson."""

FEWEST_CLASSROOMS = 2
"""A skill is common from so many classrooms on."""


def list_common_focus(
    mastery: pd.DataFrame,
    roster: pd.DataFrame,
    *,
    many: float = MANY,
    fewest: int = FEWEST_CLASSROOMS,
    fewest_students: float = FEWEST_STUDENTS,
) -> pd.DataFrame:
    """Return the skills that are the next step for many students of several classrooms.

    Parameters
    ----------
    mastery
        Table of :data:`analysis.tables.MASTERY` of one window.
    roster
        Table of :data:`analysis.tables.ROSTER`.
    many
        Expected share of a classroom's asked students who need the skill and are ready for
        it (0 to 1), from which the classroom counts.
    fewest
        Classrooms that make a skill common.
    fewest_students
        Expected students of a classroom for whom it is the next step.

    Returns
    -------
    pandas.DataFrame
        One row a skill, those of most students first: ``skill_id``, ``n_classrooms``,
        ``n_students`` (expected, in these classrooms), ``classroom_ids`` (tuple, the
        largest share first).

    Examples
    --------
    >>> mastery = pd.DataFrame({"student_id": ["s1", "s2", "s3"], "skill_id": "k",
    ...     "mastery": [0.1, 0.2, 0.9], "ready": 1.0, "n_items": 2})
    >>> roster = pd.DataFrame({"student_id": ["s1", "s2", "s3"],
    ...     "classroom_id": ["4a", "4b", "4c"]})
    >>> list_common_focus(mastery, roster, fewest_students=0)["classroom_ids"].tolist()
    [('4a', '4b')]
    """
    placed = roster[["student_id", "classroom_id"]].merge(mastery, on="student_id")
    asked = placed[placed["mastery"].notna() & placed["n_items"].gt(0)]
    next_step = (1 - asked["mastery"]) * asked["ready"].fillna(1.0)
    rooms = (
        asked.assign(next_step=next_step)
        .groupby(["skill_id", "classroom_id"])["next_step"]
        .agg(["mean", "sum"])
        .reset_index()
    )
    rooms = rooms[rooms["mean"].ge(many) & rooms["sum"].ge(fewest_students)].sort_values(
        ["mean", "classroom_id"], ascending=[False, True]
    )
    common = rooms.groupby("skill_id", sort=True).agg(
        n_classrooms=("classroom_id", "size"),
        n_students=("sum", "sum"),
        classroom_ids=("classroom_id", tuple),
    )
    common = common[common["n_classrooms"] >= fewest].reset_index()
    return common.sort_values(
        ["n_students", "skill_id"], ascending=[False, True], ignore_index=True
    )
