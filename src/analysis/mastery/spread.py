"""Responses that lie in several places: what EM needs of them is added up, they stay there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from analysis.crew import Crew
from analysis.mastery.arrays import Floats
from analysis.mastery.responses import FINAL_STEPS, SAMPLE, Count, Model, Responses, join_blocks


@dataclass(frozen=True)
class Spread:
    """Distinct rows in shards, whole classrooms in each, the classrooms in order over all.

    A sum over all rows is the sum over each shard, added in the shards' order: it is the
    same, bit for bit, whoever works on which shard and however many do.

    Attributes
    ----------
    crew
        Who works on the shards.
    shards
        What ``crew`` keeps: :class:`Responses`, their classrooms numbered from 0.
    rows
        Distinct rows of each shard.
    sizes
        Students a classroom, for each shard.
    item_weight
        Weight of each item's evidence.
    """

    crew: Crew
    shards: list[Any]
    rows: list[int]
    sizes: list[Floats]
    item_weight: Floats

    @property
    def n_rows(self) -> int:
        """Distinct rows of all shards."""
        return sum(self.rows)

    @property
    def n_items(self) -> int:
        """Items, answered or not."""
        return len(self.item_weight)

    @property
    def n_classrooms(self) -> int:
        """Classrooms of all shards."""
        return len(self.classroom_sizes)

    @cached_property
    def classroom_sizes(self) -> Floats:
        """Students a classroom."""
        return np.concatenate(self.sizes)

    def add_up(self, count: Count[Model], model: Model, means: Floats) -> tuple[Floats, ...]:
        """Return ``count(model, rows, means)`` over all rows.

        Parameters
        ----------
        count
            Returns arrays that can be added, of which the last is by classroom.
        model
            What it counts with.
        means
            Each classroom's mean ability.
        """
        own = [(model, part) for part in self._by_shard(means)]
        counted = self.crew.ask(_count_here, self.shards, own, count)
        *sums, _ = counted[0]
        for more in counted[1:]:
            sums = [total + part for total, part in zip(sums, more[:-1], strict=True)]
        return *sums, np.concatenate([one[-1] for one in counted])

    def schedule(self, max_iter: int) -> Iterator[tuple[Responses | Spread, int]]:
        """Yield the rows for EM, and the most steps on them: a fair sample first if many."""
        yield self.sample(SAMPLE), max_iter
        if self.n_rows > SAMPLE:
            yield self, FINAL_STEPS

    def sample(self, most: int) -> Responses:
        """Return at most so many rows, those that one list of all would give."""
        step = max(1, -(-self.n_rows // most))
        before = np.cumsum([0, *self.rows[:-1]])
        own = [(step, int(-first % step)) for first in before]
        taken = self.crew.ask(Responses.every, self.shards, own)
        numbers = np.cumsum([0, *(len(sizes) for sizes in self.sizes[:-1])])
        blocks = (
            replace(block, classroom=block.classroom + number, n_classrooms=self.n_classrooms)
            for part, number in zip(taken, numbers, strict=True)
            for block in part.blocks
        )
        return Responses(join_blocks(blocks), self.n_classrooms, self.item_weight)

    def _by_shard(self, means: Floats) -> list[Floats]:
        return np.split(means, np.cumsum([len(sizes) for sizes in self.sizes])[:-1])


def _count_here(
    rows: Responses,
    model: Model,
    means: Floats,
    count: Count[Model],
) -> tuple[Floats, ...]:
    return count(model, rows, means)
