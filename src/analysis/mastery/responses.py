"""Responses made ready: distinct rows, counted, in an order of their own, in chunks.

Questions of one classroom's test are often no other's. A row of all items would then be
mostly empty, so rows lie in blocks that hold the items their students were asked and no
others: memory and work grow with the answers, not with students times items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

import numpy as np

from analysis.mastery.arrays import Floats, Integers, Truths

Model = TypeVar("Model")
Count = Callable[[Model, "Responses", Floats], tuple[Floats, ...]]
"""What is counted with a model, rows and classrooms' means; the last array is by classroom."""

CHUNK = 500
"""Rows worked on at once: 20 skills then need 1 MB, which a processor keeps at hand; with
larger chunks most time goes into fetching memory."""
SAMPLE = 20_000
"""Rows on which EM converges before it sees all: their sampling error is already small."""
SHARED = 0.5
"""Share of the items, of the block's or of the classroom's, that both must have been asked for
a classroom to join a block: other forms of one test do, another test does not."""
FINAL_STEPS = 10
"""EM steps on all rows after the sample: enough to take in what the sample left out."""


@dataclass(frozen=True)
class Block:
    """Rows of students who were asked much the same items.

    Attributes
    ----------
    items
        Which of all items the columns are, ascending.
    answers
        In 0..1, NaN: not answered; shape (n_rows, n_items of these).
    count
        How often each row occurs.
    classroom
        Each row's classroom, as a number.
    n_classrooms
        Classrooms of all blocks.
    item_weight
        Weight of each column's evidence.
    """

    items: Integers
    answers: Floats
    count: Floats
    classroom: Integers
    n_classrooms: int
    item_weight: Floats

    def rows(self, chosen: slice) -> Block:
        """Return some of the rows."""
        return replace(
            self,
            answers=self.answers[chosen],
            count=self.count[chosen],
            classroom=self.classroom[chosen],
        )

    def chunks(self) -> Iterator[Block]:
        """Yield the same rows, at most ``CHUNK`` at a time."""
        for start in range(0, len(self.answers), CHUNK):
            yield self.rows(slice(start, start + CHUNK))

    def right_and_wrong(self) -> tuple[Floats, Floats]:
        """Return the weighted right and wrong shares, 0 where not answered.

        Partial credit y counts as y right and 1 - y wrong (a weighted log-likelihood).
        """
        seen = ~np.isnan(self.answers)
        right = np.where(seen, self.answers, 0.0)
        wrong = np.where(seen, 1.0 - right, 0.0)
        return right * self.item_weight, wrong * self.item_weight

    def add_by_classroom(self, total: Floats, values: Floats) -> None:
        """Add ``values`` (n_rows, ...) times counts to ``total`` (n_classrooms, ...)."""
        weighted = values * self.count.reshape(-1, *[1] * (values.ndim - 1))
        if self.n_classrooms == 1:
            total += weighted.sum(axis=0)
        else:
            np.add.at(total, self.classroom, weighted)

    def own_classrooms(self) -> tuple[Integers, Integers]:
        """Return the classrooms that occur, and each row's place among them."""
        if self.n_classrooms == 1:
            return np.zeros(1, dtype=int), self.classroom
        return np.unique(self.classroom, return_inverse=True)

    @property
    def n_rows(self) -> int:
        """Distinct rows."""
        return len(self.answers)

    @property
    def classroom_sizes(self) -> Floats:
        """Students a classroom."""
        sizes = np.bincount(self.classroom, weights=self.count, minlength=self.n_classrooms)
        return sizes.astype(float, copy=False)


@dataclass(frozen=True)
class Responses:
    """Distinct rows in blocks, whole classrooms in each; the weight of all items' evidence."""

    blocks: list[Block]
    n_classrooms: int
    item_weight: Floats

    def chunks(self) -> Iterator[Block]:
        """Yield the rows, at most ``CHUNK`` at a time."""
        for block in self.blocks:
            yield from block.chunks()

    def add_up(self, count: Count[Model], model: Model, means: Floats) -> tuple[Floats, ...]:
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
        before = np.cumsum([0, *(block.n_rows for block in self.blocks)])
        chosen = [
            block.rows(slice(int(start - first) % step, None, step))
            for block, first in zip(self.blocks, before, strict=False)
        ]
        return replace(self, blocks=chosen)

    @property
    def n_rows(self) -> int:
        """Distinct rows."""
        return sum(block.n_rows for block in self.blocks)

    @property
    def n_items(self) -> int:
        """Items, answered or not."""
        return len(self.item_weight)

    @property
    def classroom_sizes(self) -> Floats:
        """Students a classroom."""
        sizes = np.zeros(self.n_classrooms)
        for block in self.blocks:
            np.add.at(sizes, block.classroom, block.count)
        return sizes


def join_blocks(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks, neighbours of the same items as one."""
    joined = []
    for _, same in groupby(blocks, key=lambda block: block.items.tobytes()):
        first, *more = same
        every = [first, *more]
        joined.append(
            replace(
                first,
                answers=np.concatenate([one.answers for one in every]),
                count=np.concatenate([one.count for one in every]),
                classroom=np.concatenate([one.classroom for one in every]),
            )
        )
    return joined


def distinct_rows(
    answers: Floats,
    classroom: Integers,
    n_classrooms: int,
    item_weight: Floats,
    columns: Integers | None = None,
) -> Responses:
    """Return the distinct rows, sorted: what is learnt cannot depend on the rows' order.

    Parameters
    ----------
    answers
        In 0..1, NaN: not answered; shape (n_rows, n_columns).
    classroom
        Each row's, 0 to ``n_classrooms`` - 1.
    n_classrooms
        How many there are.
    item_weight
        Of all items.
    columns
        Which of all items the columns of ``answers`` are, ascending; ``None``: all.

    Examples
    --------
    >>> rows = distinct_rows(np.array([[1.0], [0], [1]]), np.zeros(3, int), 1, np.ones(1))
    >>> rows.blocks[0].answers.ravel(), rows.blocks[0].count
    (array([0., 1.]), array([1., 2.]))
    """
    columns = np.arange(len(item_weight)) if columns is None else columns
    order = np.argsort(classroom, kind="stable")
    starts = np.unique(classroom[order], return_index=True)[1]
    seen = ~np.isnan(answers)[order]
    asked: Truths = np.logical_or.reduceat(seen, starts) if len(order) else seen
    ends = np.append(starts, len(order))
    blocks = []
    for first, last in _runs(asked):
        own = np.flatnonzero(asked[first:last].any(axis=0))
        rows = order[ends[first] : ends[last]]
        items = columns[own]
        chosen, count = _distinct(answers, classroom, rows, own)
        blocks.append(
            Block(
                items,
                answers[np.ix_(chosen, own)],
                count,
                classroom[chosen],
                n_classrooms,
                item_weight[items],
            )
        )
    return Responses(blocks, n_classrooms, item_weight)


def _runs(asked: Truths) -> Iterator[tuple[int, int]]:
    """Yield which neighbouring classrooms make a block: the first, and the one after the last."""
    first, known = 0, None
    for n, own in enumerate(asked):
        if known is None:
            known = own.copy()
        elif (known & own).sum() < SHARED * min(known.sum(), own.sum()):
            yield first, n
            first, known = n, own.copy()
        else:
            known |= own
    if known is not None:
        yield first, len(asked)


def _distinct(
    answers: Floats, classroom: Integers, rows: Integers, own: Integers
) -> tuple[Integers, Floats]:
    """Return a place in ``answers`` of each distinct row, in order, and how often it occurs."""
    keyed = np.column_stack([classroom[rows].astype(float), answers[np.ix_(rows, own)]])
    keyed[np.isnan(keyed)] = -1.0  # NaN sorts but never equals itself
    keyed += 0.0  # -0.0 and 0.0 are one answer
    order = np.lexsort(keyed.T[::-1])
    keyed = keyed[order]
    new = np.ones(len(keyed), dtype=bool)
    new[1:] = (keyed[1:] != keyed[:-1]).any(axis=1)
    count = np.diff(np.append(np.flatnonzero(new), len(keyed))).astype(float)
    return rows[order[new]], count


def count_answers(model: None, rows: Responses, means: Floats) -> tuple[Floats, Floats, Floats]:
    """Return weighted right answers and all answers an item, and students a classroom."""
    right, asked = np.zeros((2, rows.n_items))
    for part in rows.chunks():
        part_right, part_wrong = part.right_and_wrong()
        right[part.items] += part.count @ part_right
        asked[part.items] += part.count @ (part_right + part_wrong)
    return right, asked, rows.classroom_sizes


def as_rows(answers: Floats, classroom: Integers, n_classrooms: int, item_weight: Floats) -> Block:
    """Return the rows as they come, each counted once, with all items."""
    items = np.arange(len(item_weight))
    return Block(items, answers, np.ones(len(answers)), classroom, n_classrooms, item_weight)
