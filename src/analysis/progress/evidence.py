"""What a student earned on a skill, in numbers that can be said: points, or a level."""

from __future__ import annotations

import pandas as pd

from analysis.scales import SCALES
from analysis.tables import Kind

KEY = ["student_id", "skill_id", "window"]


def summarise_evidence(evidence: pd.DataFrame) -> pd.DataFrame:
    """Return what each student earned on each skill in each window.

    Parameters
    ----------
    evidence
        Table of :data:`analysis.tables.EVIDENCE`; of several windows, in the order of time.

    Returns
    -------
    pandas.DataFrame
        One row a student, skill and window: ``points`` and ``points_possible`` (sums, in
        points; missing without points), ``level`` and ``scale`` (the last rating; missing
        without one), ``n_observations`` (count) and ``observed_on`` (the last day; may be
        missing). The windows of a student and skill keep their order.

    Examples
    --------
    >>> evidence = pd.DataFrame({"student_id": "s1", "skill_id": "a", "window": "fall",
    ...     "kind": "points", "points": [1., 0.], "points_possible": [1., 2.],
    ...     "level": None, "scale": None, "observed_on": pd.NaT, "observation_id": ["i1", "i2"]})
    >>> summarise_evidence(evidence)[["points", "points_possible", "n_observations"]]
       points  points_possible  n_observations
    0     1.0              3.0               2
    """
    is_points = (evidence["kind"] == Kind.POINTS) & evidence["points"].notna()
    is_level = (evidence["kind"] == Kind.LEVEL) & evidence["level"].notna()
    every = evidence.groupby(KEY, sort=False).agg(
        n_observations=("observation_id", "size"), observed_on=("observed_on", "max")
    )
    points = evidence[is_points].groupby(KEY)[["points", "points_possible"]].sum()
    order = ["observed_on", "observation_id"]
    in_order = evidence[is_level].sort_values(order, na_position="first")
    levels = in_order.drop_duplicates(KEY, keep="last").set_index(KEY)[["level", "scale"]]
    return every.join(points).join(levels).reset_index()


def rung_of(level: str, scale: str) -> tuple[int, int] | None:
    """Return a level's place on its scale and the number of levels, both counted from 1.

    ``None`` where the scale is not one of :data:`analysis.scales.SCALES`, or has only two
    levels: then there is nothing between *not yet* and *shown*.

    Examples
    --------
    >>> rung_of("3", "sc-graduate"), rung_of("Yes", "yes-no")
    ((3, 6), None)
    """
    known = SCALES.get(scale)
    if known is None or len(known.levels) < 3 or known.read(level) is None:
        return None
    return known.position(level) + 1, len(known.levels)
