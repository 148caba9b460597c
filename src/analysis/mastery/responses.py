"""Responses made ready: distinct rows, counted, in an order of their own, in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CHUNK = 500
"""Rows worked on at once: 20 skills then need 1 MB, which a processor keeps at hand; with
larger chunks most time goes into fetching memory."""
SAMPLE = 20_000
"""Rows on which EM converges before it sees all: their sampling error is already small."""
FINAL_STEPS = 10
"""EM steps on all rows after the sample: enough to take in what the sample left out."""


@dataclass(frozen=True)
class Responses:
    """Answers in 0..1 (NaN = not answered), how often each row occurs, and its classroom."""

    answers: np.ndarray
    count: np.ndarray
    classroom: np.ndarray
    n_classrooms: int
    item_weight: np.ndarray

    def chunks(self) -> Iterator[Responses]:
        """Yield the same responses, at most ``CHUNK`` rows at a time."""
        for start in range(0, len(self.answers), CHUNK):
            rows = slice(start, start + CHUNK)
            yield Responses(
                self.answers[rows],
                self.count[rows],
                self.classroom[rows],
                self.n_classrooms,
                self.item_weight,
            )

    def add_up(self, count, model, means) -> tuple[np.ndarray, ...]:
        """Return ``count(model, rows, means)``; see :class:`analysis.mastery.spread.Spread`."""
        return count(model, self, means)

    def schedule(self, max_iter: int) -> Iterator[tuple[Responses, int]]:
        """Yield the rows for EM, and the most steps on them: a fair sample first if many."""
        yield self.sample(SAMPLE), max_iter
        if self.n_rows > SAMPLE:
            yield self, FINAL_STEPS

    def sample(self, most: int) -> Responses:
        """Return at most so many rows, each with the same chance: all where there are few."""
        return self.every(max(1, -(-self.n_rows // most)))

    def every(self, step: int, start: int = 0) -> Responses:
        """Return every ``step``-th row: of sorted rows, a fair sample."""
        return Responses(
            self.answers[start::step],
            self.count[start::step],
            self.classroom[start::step],
            self.n_classrooms,
            self.item_weight,
        )

    def right_and_wrong(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the weighted right and wrong shares, 0 where not answered.

        Partial credit y counts as y right and 1 - y wrong (a weighted log-likelihood).
        """
        seen = ~np.isnan(self.answers)
        right = np.where(seen, self.answers, 0.0)
        wrong = np.where(seen, 1.0 - right, 0.0)
        return right * self.item_weight, wrong * self.item_weight

    def add_by_classroom(self, total: np.ndarray, values: np.ndarray) -> None:
        """Add ``values`` (n_rows, ...) times counts to ``total`` (n_classrooms, ...)."""
        weighted = values * self.count.reshape(-1, *[1] * (values.ndim - 1))
        if self.n_classrooms == 1:
            total += weighted.sum(axis=0)
        else:
            np.add.at(total, self.classroom, weighted)

    def own_classrooms(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the classrooms that occur, and each row's place among them."""
        if self.n_classrooms == 1:
            return np.zeros(1, dtype=int), self.classroom
        return np.unique(self.classroom, return_inverse=True)

    @property
    def n_rows(self) -> int:
        """Distinct rows."""
        return len(self.answers)

    @property
    def n_items(self) -> int:
        """Items, answered or not."""
        return self.answers.shape[1]

    @property
    def classroom_sizes(self) -> np.ndarray:
        """Students a classroom."""
        return np.bincount(self.classroom, weights=self.count, minlength=self.n_classrooms)


def distinct_rows(answers, classroom, n_classrooms, item_weight) -> Responses:
    """Return the distinct rows, sorted: what is learnt cannot depend on the rows' order.

    Examples
    --------
    >>> rows = distinct_rows(np.array([[1.0], [0], [1]]), np.zeros(3, int), 1, np.ones(1))
    >>> rows.answers.ravel(), rows.count
    (array([0., 1.]), array([1., 2.]))
    """
    keyed = np.column_stack([classroom.astype(float), answers])
    keyed[np.isnan(keyed)] = -1.0  # NaN sorts but never equals itself
    keyed += 0.0  # -0.0 and 0.0 are one answer
    order = np.lexsort(keyed.T[::-1])
    keyed = keyed[order]
    new = np.ones(len(keyed), dtype=bool)
    new[1:] = (keyed[1:] != keyed[:-1]).any(axis=1)
    count = np.diff(np.append(np.flatnonzero(new), len(keyed))).astype(float)
    first = order[new]
    return Responses(answers[first], count, classroom[first], n_classrooms, item_weight)


def count_answers(model, rows: Responses, means) -> tuple[np.ndarray, ...]:
    """Return weighted right answers and all answers an item, and students a classroom."""
    right, asked = np.zeros((2, rows.n_items))
    for part in rows.chunks():
        part_right, part_wrong = part.right_and_wrong()
        right += part.count @ part_right
        asked += part.count @ (part_right + part_wrong)
    return right, asked, rows.classroom_sizes


def as_rows(answers, classroom, n_classrooms, item_weight) -> Responses:
    """Return the rows as they come, each counted once."""
    return Responses(answers, np.ones(len(answers)), classroom, n_classrooms, item_weight)
