"""Do groups or growth sort by a subgroup? For the coach alone, and never of a few students.

Students are compared within their classrooms: that one classroom has more English learners
and grew less says nothing about how it treats them. The effect is the difference of means in
standard deviations (for a share, in shares), and the p-value counts how often labels dealt out
anew within each classroom differ as much (Fisher's permutation test).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.privacy import SMALLEST_CELL

N_PERMUTATIONS = 4000
"""Deals of the labels: a p-value of 0.01 is then known to within 0.0016."""

STANDS_OUT = 0.05
"""p-value, after Holm's correction for the comparisons made together, up to which a
difference is called one."""


@dataclass(frozen=True)
class Sorting:
    """How one measure differs between a subgroup and the others of the same classrooms.

    Parameters
    ----------
    subgroup, value
        A column kept for the coach, and which of its values the subgroup has.
    measure
        What was compared.
    n, n_others
        Students; missing (``None``) with everything else where either is too small to show.
    mean, mean_others
        Of the measure.
    effect
        Difference of means within classrooms, in standard deviations of the measure.
    p
        Share of deals that differ as much (0 to 1).
    adjusted
        The same after Holm's correction.
    """

    subgroup: str
    value: str
    measure: str
    n: int | None = None
    n_others: int | None = None
    mean: float | None = None
    mean_others: float | None = None
    effect: float | None = None
    p: float | None = None
    adjusted: float | None = None

    @property
    def stands_out(self) -> bool:
        """Whether the difference is more than the deals of chance give."""
        return self.adjusted is not None and self.adjusted <= STANDS_OUT


def check_sorting(
    students: pd.DataFrame,
    subgroups: pd.DataFrame,
    measures: dict[str, str],
    *,
    smallest: int = SMALLEST_CELL,
    random_state: int = 0,
) -> list[Sorting]:
    """Compare every subgroup with the others of its classrooms, on every measure.

    Parameters
    ----------
    students
        One row a student: ``student_id``, ``classroom_id`` and a column (number, may be
        missing) for each measure.
    subgroups
        ``student_id`` and a column of text for each subgroup; of two values the second in
        order is compared with the rest (``yes`` with ``no``), of more each with the rest.
    measures
        Column of ``students`` -> what to call it.
    smallest
        Fewest students on either side; below it nothing of the comparison is returned.
    random_state
        Seed of the deals.

    Returns
    -------
    list of Sorting
        In the order of the columns and values.

    Examples
    --------
    >>> students = pd.DataFrame({"student_id": [f"s{i:02}" for i in range(40)],
    ...     "classroom_id": "4a", "growth": [0.0, 2.0] * 20})
    >>> subgroups = students[["student_id"]].assign(learner=["yes", "no"] * 20)
    >>> found, = check_sorting(students, subgroups, {"growth": "growth"})
    >>> found.n, round(found.effect, 1), found.stands_out
    (20, -2.0, True)
    """
    joined = students.merge(subgroups.drop_duplicates("student_id"), on="student_id", how="left")
    joined = joined.sort_values(["classroom_id", "student_id"], ignore_index=True)
    rng = np.random.default_rng(random_state)
    names = [name for name in subgroups.columns if name != "student_id"]
    found = [
        _compare(joined, name, value, measure, smallest, rng)
        for name in names
        for value in _values_of(joined[name])
        for measure in measures
    ]
    return _adjust(found)


def _values_of(column: pd.Series) -> list[str]:
    values = sorted(column.dropna().unique())
    return values[1:] if len(values) == 2 else values


def _compare(
    students: pd.DataFrame,
    name: str,
    value: str,
    measure: str,
    smallest: int,
    rng: np.random.Generator,
) -> Sorting:
    known = students.dropna(subset=[name, measure])
    member = known[name].eq(value).to_numpy()
    n, n_others = int(member.sum()), int((~member).sum())
    if min(n, n_others) < smallest:
        return Sorting(name, value, measure)
    amount = known[measure].to_numpy(dtype=float)
    room = pd.factorize(known["classroom_id"])[0]
    within = amount - _means(amount, room)[room]
    observed = _difference(within, member, room)
    deals = np.array([_difference(within, deal, room) for deal in _deals(member, room, rng)])
    spread = within.std()
    return Sorting(
        name,
        value,
        measure,
        n=n,
        n_others=n_others,
        mean=float(amount[member].mean()),
        mean_others=float(amount[~member].mean()),
        effect=float(observed / spread) if spread > 0 else 0.0,
        # The observed deal is one of the possible ones, so p is never zero.
        p=float((1 + (np.abs(deals) >= abs(observed) - 1e-12).sum()) / (1 + len(deals))),
    )


def _difference(within: np.ndarray, member: np.ndarray, room: np.ndarray) -> float:
    """Return the mean difference within classrooms, weighed by what each can tell."""
    n_rooms = int(room.max()) + 1
    n = np.bincount(room, minlength=n_rooms)
    n_in = np.bincount(room, weights=member, minlength=n_rooms)
    total = np.bincount(room, weights=within, minlength=n_rooms)
    total_in = np.bincount(room, weights=within * member, minlength=n_rooms)
    both = (n_in > 0) & (n_in < n)
    if not both.any():
        return 0.0
    apart = total_in[both] / n_in[both] - (total - total_in)[both] / (n - n_in)[both]
    weight = n_in[both] * (n - n_in)[both] / n[both]
    return float((weight * apart).sum() / weight.sum())


def _deals(member: np.ndarray, room: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Deal the labels anew within each classroom; rows are in the order of classrooms."""
    for _ in range(N_PERMUTATIONS):
        yield member[np.lexsort([rng.random(len(room)), room])]


def _means(amount: np.ndarray, room: np.ndarray) -> np.ndarray:
    return np.bincount(room, weights=amount) / np.bincount(room)


def _adjust(found: list[Sorting]) -> list[Sorting]:
    """Return the comparisons with p-values corrected for being made together (Holm 1979)."""
    tested = sorted(((one.p, one) for one in found if one.p is not None), key=lambda pair: pair[0])
    adjusted, largest = {}, 0.0
    for place, (p, one) in enumerate(tested):
        largest = max(largest, min(1.0, p * (len(tested) - place)))
        adjusted[id(one)] = largest
    return [
        replace(one, adjusted=adjusted[id(one)]) if id(one) in adjusted else one for one in found
    ]
