"""Where a visit helps most: one number a classroom, and the four it is made of.

The number orders a list and nothing else. Every part is shown beside it, so that a coach can
see why a classroom is where it is, and disagree.
"""

from __future__ import annotations

import pandas as pd

from analysis.words import HAS_FROM, NEEDS_TO

AS_THE_ALIKE = 0.5
"""``change`` of a classroom that grew as students who started alike did, and of one whose
growth is not known: neither moves it up nor down."""

LEAST_ALIKE = 0.25
"""Mean skills the alike gained, at least, when growth is divided by it."""


def score_classrooms(
    mastery: pd.DataFrame, roster: pd.DataFrame, growth: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return for each classroom how much a visit may help, most first.

    Parameters
    ----------
    mastery
        Table of :data:`analysis.tables.MASTERY` of one window.
    roster
        Table of :data:`analysis.tables.ROSTER`; a student in two classrooms counts in both.
    growth
        One row a student with ``student_id``, ``beyond`` and ``alike`` (skills), as from
        :func:`analysis.growth.compare_with_alike`; ``None``: no earlier window.

    Returns
    -------
    pandas.DataFrame
        One row a classroom: ``classroom_id``; ``need`` (share of the skills asked about that
        students do not hold), ``ready`` (share of these needs whose prerequisites are held:
        what can be taught now), ``evidence`` (share of students with answers, times the
        share of their skills that are settled either way), ``change`` (0: twice the growth
        of the alike, one half: the same, 1: none); ``score`` (their product, 0 to 100);
        ``n_students``, ``n_assessed``. Missing parts: nobody has answers yet.

    Examples
    --------
    >>> mastery = pd.DataFrame({"student_id": ["s1", "s2"], "skill_id": "k", "n_items": 3,
    ...     "mastery": [0.1, 0.9], "ready": 1.0})
    >>> roster = pd.DataFrame({"student_id": ["s1", "s2"], "classroom_id": ["4a", "4b"]})
    >>> score_classrooms(mastery, roster)[["classroom_id", "need", "score"]]
      classroom_id  need  score
    0           4a   0.9   45.0
    1           4b   0.1    5.0
    """
    placed = roster[["student_id", "classroom_id"]].merge(mastery, on="student_id")
    asked = placed[placed["mastery"].notna() & placed["n_items"].gt(0)]
    settled = asked["mastery"].ge(HAS_FROM) | asked["mastery"].le(NEEDS_TO)
    cells = asked.assign(
        lacks=1 - asked["mastery"],
        lacks_ready=(1 - asked["mastery"]) * asked["ready"].fillna(1.0),
        settled=settled,
    ).groupby("classroom_id")
    n_students = roster.groupby("classroom_id")["student_id"].nunique()
    n_assessed = cells["student_id"].nunique().reindex(n_students.index, fill_value=0)
    parts = pd.DataFrame({"n_students": n_students, "n_assessed": n_assessed})
    parts["need"] = cells["lacks"].mean()
    parts["ready"] = cells["lacks_ready"].sum() / cells["lacks"].sum()
    parts["evidence"] = n_assessed / n_students * cells["settled"].mean()
    parts["change"] = _change(growth, roster).reindex(parts.index).fillna(AS_THE_ALIKE)
    parts["score"] = 100 * parts[["need", "ready", "evidence", "change"]].prod(axis=1, skipna=False)
    parts = parts.rename_axis("classroom_id").reset_index()
    order = ["classroom_id", "need", "ready", "evidence", "change", "score"]
    parts = parts[[*order, "n_students", "n_assessed"]]
    return parts.sort_values(
        ["score", "classroom_id"], ascending=[False, True], ignore_index=True, na_position="last"
    )


def _change(growth: pd.DataFrame | None, roster: pd.DataFrame) -> pd.Series:
    if growth is None or growth.empty:
        return pd.Series(dtype="float64")
    known = roster[["student_id", "classroom_id"]].merge(
        growth[["student_id", "beyond", "alike"]], on="student_id"
    )
    means = known.dropna().groupby("classroom_id")[["beyond", "alike"]].mean()
    usual = means["alike"].clip(lower=LEAST_ALIKE)
    return (AS_THE_ALIKE * (1 - means["beyond"] / usual)).clip(0, 1)
