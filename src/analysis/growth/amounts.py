"""How much grew: by skill, by student, on average, each with its interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

INTERVAL = 0.9
"""Share of belief inside ``low`` to ``high``."""

NORMAL = 1.645
"""Half of that interval in standard errors of a normal."""


class Amount(NamedTuple):
    """A mean with its interval; all missing where nothing is known."""

    mean: float
    low: float
    high: float
    n: int


def growth_by_skill(changes: pd.DataFrame) -> pd.DataFrame:
    """Return for each skill how many students hold it more than before.

    Parameters
    ----------
    changes
        As from :func:`analysis.growth.measure_changes`, of one classroom or any students.

    Returns
    -------
    pandas.DataFrame
        One row a skill that was asked for in both windows, in the order of the skills' ids:
        ``skill_id``, ``n_students`` (count asked in both), ``before`` and ``now`` (expected
        students who hold it), ``change`` (students, negative where fewer hold it), ``low``
        and ``high`` (its 90 % interval, whole students). The interval is exact for students
        who are judged apart: gains and losses of all are added up, course by course.

    Examples
    --------
    >>> changes = pd.DataFrame({"student_id": ["s1", "s2", "s3"], "skill_id": "k",
    ...     "before": [0.1, 0.1, 0.9], "now": [0.9, 0.9, 0.9], "gained": [0.95, 0.95, 0.0],
    ...     "lost": 0.0, "asked": True})
    >>> growth_by_skill(changes)[["skill_id", "n_students", "change", "low", "high"]].round(1)
      skill_id  n_students  change  low  high
    0        k           3     1.6  1.0   2.0
    """
    rows = []
    for skill_id, part in changes[changes["asked"]].groupby("skill_id", sort=True):
        low, high = _interval_of_sum(part["gained"].to_numpy(), part["lost"].to_numpy())
        before, now = part["before"].sum(), part["now"].sum()
        rows.append((skill_id, len(part), before, now, now - before, low, high))
    columns = ["skill_id", "n_students", "before", "now", "change", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def growth_by_student(changes: pd.DataFrame) -> pd.DataFrame:
    """Return how much each student grew, on the skills that were asked for in both windows.

    Parameters
    ----------
    changes
        As from :func:`analysis.growth.measure_changes`.

    Returns
    -------
    pandas.DataFrame
        One row a student: ``student_id``, ``start`` (expected skills held at first, of all:
        where the student stands), ``n_skills`` (count asked in both), ``growth`` (expected
        skills held now less those held before, of these), ``gained`` (expected skills
        gained), ``room`` (expected skills not held before). Skills that were not asked for
        in both windows do not count: what is only inferred from other skills drifts with
        them (measured: it would overstate growth by a sixth).

    Examples
    --------
    >>> changes = pd.DataFrame({"student_id": "s1", "skill_id": ["a", "b"], "asked": True,
    ...     "before": [0.1, 0.9], "now": [0.9, 0.9], "gained": [0.95, 0.0]})
    >>> growth_by_student(changes).round(2)
      student_id  start  n_skills  growth  gained  room
    0         s1    1.0         2     0.8    0.95   1.0
    """
    start = changes.groupby("student_id", sort=True)["before"].sum()
    asked = changes[changes["asked"]]
    parts = asked.assign(growth=asked["now"] - asked["before"], room=1 - asked["before"])
    sums = parts.groupby("student_id")[["growth", "gained", "room"]].sum()
    n_skills = asked.groupby("student_id").size()
    table = pd.DataFrame({"start": start, "n_skills": n_skills}).join(sums).dropna()
    table = table.astype({"n_skills": "int64"}).rename_axis("student_id").reset_index()
    return table[["student_id", "start", "n_skills", "growth", "gained", "room"]]


def mean_growth(amounts: pd.Series) -> Amount:
    """Return the mean of students' growth with its 90 % interval.

    Parameters
    ----------
    amounts
        One number a student, for instance ``growth`` of :func:`growth_by_student`.

    Returns
    -------
    Amount
        The interval takes the students for a sample of those who might be taught so: it
        holds what differs between students and what the answers leave open. Missing with
        fewer than two students.

    Examples
    --------
    >>> [round(float(part), 2) for part in mean_growth(pd.Series([1.0, 2.0, 3.0, 2.0]))]
    [2.0, 1.33, 2.67, 4.0]
    """
    known = amounts.dropna()
    if len(known) < 2:
        return Amount(np.nan, np.nan, np.nan, len(known))
    half = NORMAL * float(known.std()) / np.sqrt(len(known))
    mean = float(known.mean())
    return Amount(mean, mean - half, mean + half, len(known))


def _interval_of_sum(gained: np.ndarray, lost: np.ndarray) -> tuple[float, float]:
    """Return the central interval of the sum of independent -1, 0, +1."""
    total = np.ones(1)
    for up, down in zip(gained, lost, strict=True):
        total = np.convolve(total, [down, 1 - up - down, up])
    reached = total.cumsum()
    tail = (1 - INTERVAL) / 2
    n = len(gained)
    # Rounding may leave the last sum a hair under one.
    low = int(np.searchsorted(reached, tail, side="right"))
    high = int(np.searchsorted(reached, 1 - tail))
    return float(low - n), float(min(high, 2 * n) - n)
