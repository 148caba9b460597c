"""When to form the groups anew: on the cadence the coach sets, earlier where most are done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from analysis.growth.movement import Course

MOST_DONE = 0.5
"""Share of the students in groups who have shown their skill, from which waiting for the
end of the cycle wastes lessons."""


@dataclass(frozen=True)
class RegroupAdvice:
    """Whether and when to form the groups anew.

    Parameters
    ----------
    n_students
        Students who were in groups and were seen since.
    n_learned
        Of these, how many have shown their group's skill.
    n_still
        Of these, how many are still on the same skill.
    regroup_on
        Last day of the running cycle; ``None`` where the answers carry no date.
    now
        Whether to form the groups anew before that day.
    """

    n_students: int
    n_learned: int
    n_still: int
    regroup_on: date | None
    now: bool


def advise_regrouping(
    traced: pd.DataFrame, last_day: date | None, *, cycle_weeks: int
) -> RegroupAdvice:
    """Return when to form the groups anew, and why.

    Parameters
    ----------
    traced
        As from :func:`analysis.growth.trace_groups`.
    last_day
        Day of the last answers.
    cycle_weeks
        The coach's cadence, in weeks.

    Examples
    --------
    >>> traced = pd.DataFrame({"course": ["learned", "learned", "still", "not seen"]})
    >>> advise_regrouping(traced, date(2026, 1, 12), cycle_weeks=4)
    RegroupAdvice(n_students=3, n_learned=2, n_still=1, \
regroup_on=datetime.date(2026, 2, 9), now=True)
    """
    counts = traced["course"].value_counts()
    n_seen = len(traced) - int(counts.get(Course.NOT_SEEN, 0))
    n_learned = int(counts.get(Course.LEARNED, 0))
    return RegroupAdvice(
        n_students=n_seen,
        n_learned=n_learned,
        n_still=int(counts.get(Course.STILL, 0)),
        regroup_on=None if last_day is None else last_day + timedelta(weeks=cycle_weeks),
        now=n_seen > 0 and n_learned >= MOST_DONE * n_seen,
    )
