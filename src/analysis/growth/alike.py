"""Growth beside students who started alike, within the same data: no norms from elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.growth.amounts import mean_growth

ALIKE = 30
"""Students to compare with: enough for a steady mean, few enough to be alike."""

LEAST_ROOM = 1.0
"""Skills that all the alike together could gain, at least: no share of nothing."""

FEWEST_ALIKE = 10
"""Below this many no comparison is made; it is also the smallest cell that is ever shown."""


def compare_with_alike(
    growth: pd.DataFrame, roster: pd.DataFrame, *, n_alike: int = ALIKE
) -> pd.DataFrame:
    """Return what students who started alike gained, beside each student's own growth.

    Alike: the same grade, another classroom, the nearest number of skills at the start.
    With another classroom's students only, a whole classroom that stands still shows. What
    they gained counts as a share of what they could gain, so a short test does not look
    like little growth.

    Parameters
    ----------
    growth
        As from :func:`analysis.growth.growth_by_student`, of everybody.
    roster
        A table of :data:`analysis.tables.ROSTER`; a student counts with the first classroom
        by id.
    n_alike
        Most students to compare with.

    Returns
    -------
    pandas.DataFrame
        ``growth``, with ``classroom_id``, ``alike`` (what the alike would have gained with
        the student's room, skills) and ``beyond`` (own growth less that). Both are missing
        where fewer than ten other students of the grade are known.

    Examples
    --------
    >>> growth = pd.DataFrame({"student_id": [f"s{i:02}" for i in range(24)], "start": 5.0,
    ...     "room": 4.0, "growth": [0.0] * 12 + [2.0] * 12})
    >>> roster = pd.DataFrame({"student_id": growth["student_id"], "grade": "4",
    ...     "classroom_id": ["4a"] * 12 + ["4b"] * 12})
    >>> compare_with_alike(growth, roster).groupby("classroom_id")["beyond"].mean().to_dict()
    {'4a': -2.0, '4b': 2.0}
    """
    homes = roster.sort_values("classroom_id").drop_duplicates("student_id")
    grown = growth.merge(homes[["student_id", "classroom_id", "grade"]], on="student_id")
    grown = grown.sort_values("student_id", ignore_index=True)
    start, gained, room = (grown[name].to_numpy() for name in ("start", "growth", "room"))
    home = grown["classroom_id"].to_numpy(object)
    grade = grown["grade"].fillna("").to_numpy(object)
    alike = np.full(len(grown), np.nan)
    for place in range(len(grown)):
        others = np.flatnonzero((grade == grade[place]) & (home != home[place]))
        if len(others) < FEWEST_ALIKE:
            continue
        apart = np.abs(start[others] - start[place])
        near = others[np.argsort(apart, kind="stable")[:n_alike]]
        share = gained[near].sum() / max(room[near].sum(), LEAST_ROOM)
        alike[place] = room[place] * share
    return grown.drop(columns="grade").assign(alike=alike, beyond=gained - alike)


def summarise_classrooms(compared: pd.DataFrame) -> pd.DataFrame:
    """Return each classroom's growth, and how far it is from what the alike gained.

    Parameters
    ----------
    compared
        As from :func:`compare_with_alike`.

    Returns
    -------
    pandas.DataFrame
        One row a classroom: ``classroom_id``, ``n_students`` (in both windows), ``start``
        (mean skills held at first), ``growth`` (mean skills), ``beyond`` with ``low`` and
        ``high`` (skills beyond the alike, 90 % interval), ``verdict``: ``"less"`` or ``"more"``
        where the interval leaves out zero, ``"alike"`` where it does not, ``""`` where
        nothing can be compared.

    Examples
    --------
    >>> compared = pd.DataFrame({"classroom_id": "4a", "start": 5.0,
    ...     "growth": 0.0, "beyond": [-2.0, -1.5, -1.0, -2.5]})
    >>> summarise_classrooms(compared)[["classroom_id", "beyond", "verdict"]]
      classroom_id  beyond verdict
    0           4a   -1.75    less
    """
    rows = []
    for classroom_id, part in compared.groupby("classroom_id", sort=True):
        beyond = mean_growth(part["beyond"])
        means = part[["start", "growth"]].mean().tolist()
        verdict = _verdict(beyond.low, beyond.high)
        rows.append((classroom_id, len(part), *means, *beyond[:3], verdict))
    columns = ["classroom_id", "n_students", "start", "growth"]
    return pd.DataFrame(rows, columns=[*columns, "beyond", "low", "high", "verdict"])


def _verdict(low: float, high: float) -> str:
    if np.isnan(low):
        return ""
    return "less" if high < 0 else "more" if low > 0 else "alike"
