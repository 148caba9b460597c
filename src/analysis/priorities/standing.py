"""How far students stand from their grade, and who may be lost: far below and not growing."""

from __future__ import annotations

import pandas as pd

HOLDS_A_GRADE = 0.75
"""Share of a grade's skills held from which the student stands above that grade."""

SEVERAL = 2
"""Grades below one's own from which a student may be lost."""


def grades_below(mastery: pd.DataFrame, skills: pd.DataFrame, roster: pd.DataFrame) -> pd.DataFrame:
    """Return how many grades below the own grade's start each student stands.

    Parameters
    ----------
    mastery
        Table of :data:`analysis.tables.MASTERY` of one window.
    skills
        Table of :data:`analysis.tables.SKILLS` with grades.
    roster
        Table of :data:`analysis.tables.ROSTER` with grades.

    Returns
    -------
    pandas.DataFrame
        One row a student and classroom: ``student_id``, ``classroom_id``, ``n_below``
        (grades; 0: at the start of the own grade or above). Students without evidence, and
        skills or students whose grade is no number, are left out: nobody knows.

    Examples
    --------
    >>> skills = pd.DataFrame({"skill_id": ["a", "b", "c"], "grade": ["1", "2", "3"]})
    >>> mastery = pd.DataFrame({"student_id": "s1", "skill_id": ["a", "b", "c"],
    ...     "mastery": [0.9, 0.3, 0.1]})
    >>> roster = pd.DataFrame({"student_id": ["s1"], "classroom_id": "4a", "grade": "4"})
    >>> grades_below(mastery, skills, roster)["n_below"].tolist()
    [2]
    """
    grade_of = pd.to_numeric(skills.set_index("skill_id")["grade"], errors="coerce")
    known = mastery.dropna(subset=["mastery"])
    known = known.assign(taught=known["skill_id"].map(grade_of)).dropna(subset=["taught"])
    held = known.groupby(["student_id", "taught"])["mastery"].mean().unstack()
    through = (held.ge(HOLDS_A_GRADE) | held.isna()).cumprod(axis=1)
    # The last grade held without a gap before it; none: before the first.
    first = float(held.columns.min()) if held.shape[1] else 1.0
    reached = through.mul(held.columns, axis=1).max(axis=1).where(through.any(axis=1), first - 1)
    homes = roster[["student_id", "classroom_id", "grade"]].copy()
    homes["own"] = pd.to_numeric(homes["grade"], errors="coerce")
    table = homes.merge(reached.rename("reached"), left_on="student_id", right_index=True)
    table = table.dropna(subset=["own", "reached"])
    below = (table["own"] - 1 - table["reached"]).clip(lower=0).astype("int64")
    table = table.assign(n_below=below)[["student_id", "classroom_id", "n_below"]]
    return table.sort_values(["student_id", "classroom_id"], ignore_index=True)


def find_at_risk(
    below: pd.DataFrame, not_growing: pd.DataFrame, *, several: int = SEVERAL
) -> pd.DataFrame:
    """Return the students who stand several grades below and are not growing.

    Parameters
    ----------
    below
        As from :func:`grades_below`.
    not_growing
        With ``student_id`` and ``gained``, as from
        :func:`analysis.growth.find_not_growing`.
    several
        Grades.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``classroom_id``, ``n_below``, ``gained`` (expected skills), the
        farthest below first.

    Examples
    --------
    >>> below = pd.DataFrame({"student_id": ["s1", "s2"], "classroom_id": "4a",
    ...     "n_below": [3, 0]})
    >>> still = pd.DataFrame({"student_id": ["s1", "s2"], "gained": [0.2, 0.1]})
    >>> find_at_risk(below, still)["student_id"].tolist()
    ['s1']
    """
    lost = below[below["n_below"] >= several].merge(
        not_growing[["student_id", "gained"]], on="student_id"
    )
    return lost.sort_values(
        ["n_below", "gained", "student_id"], ascending=[False, True, True], ignore_index=True
    )
