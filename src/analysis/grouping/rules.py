"""A teacher's rules as small named things that a program can be built from, or without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


class Kind(StrEnum):
    """What a rule says."""

    MIN_SIZE = "min_size"
    MAX_SIZE = "max_size"
    N_GROUPS = "n_groups"
    MIN_FIT = "min_fit"
    LEAST_SHARE = "least_share"
    TOGETHER = "together"
    APART = "apart"
    FIXED = "fixed"
    WANTED = "focus_wanted"
    EXCLUDED = "focus_excluded"
    WISH = "wish"


@dataclass(frozen=True)
class Rule:
    """One rule, by positions: it can be left out to see whether the others agree."""

    kind: Kind
    students: tuple[int, ...] = ()
    skill: int | None = None
    number: float | None = None


@dataclass(frozen=True)
class Layout:
    """What a list of rules amounts to.

    Students who must sit together make one block; every student is in exactly one. ``wishes``
    binds nobody: blocks that would like to share a focus, and what that is worth.
    """

    min_size: int
    max_size: int
    n_groups: int | None
    min_fit: float
    least_share: float
    blocks: list[np.ndarray]
    apart: list[tuple[int, int]]
    fixed: dict[int, set[int]]
    wanted: frozenset[int]
    excluded: frozenset[int]
    wishes: dict[tuple[int, int], float]
    sizes: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", np.array([len(block) for block in self.blocks], int))

    @property
    def contradicts_itself(self) -> bool:
        """Whether no seating at all can follow these rules, whatever the students need."""
        return (
            any(one == other for one, other in self.apart)
            or any(len(skills) > 1 for skills in self.fixed.values())
            or bool(self.wanted & self.excluded)
            or any(skills & self.excluded for skills in self.fixed.values())
            or bool(len(self.sizes) and self.sizes.max() > self.max_size)
        )

    @property
    def chosen(self) -> frozenset[int]:
        """Skills the teacher has named as a focus: they need no reason of ours."""
        return self.wanted.union(*self.fixed.values())

    @property
    def entangled(self) -> np.ndarray:
        """Blocks that cannot sit just anywhere: of several students, or apart from someone."""
        tied = self.sizes > 1
        tied[[block for pair in self.apart for block in pair]] = True
        return tied


def read_layout(rules: Iterable[Rule], n_students: int) -> Layout:
    """Return what the rules amount to for a class of ``n_students``."""
    rules = list(rules)
    block_of = _block_of_each([r.students for r in rules if r.kind == Kind.TOGETHER], n_students)
    blocks = [np.flatnonzero(block_of == block) for block in range(block_of.max(initial=-1) + 1)]
    fixed: dict[int, set[int]] = {}
    for rule in _of(rules, Kind.FIXED):
        fixed.setdefault(int(block_of[rule.students[0]]), set()).update(_skills_of([rule]))
    return Layout(
        min_size=_number(rules, Kind.MIN_SIZE, 1),
        max_size=_number(rules, Kind.MAX_SIZE, max(n_students, 1)),
        n_groups=_number(rules, Kind.N_GROUPS, None),
        min_fit=_number(rules, Kind.MIN_FIT, 0),
        least_share=_number(rules, Kind.LEAST_SHARE, 0),
        blocks=blocks,
        apart=[_ordered_pair(block_of, pair) for pair in _pairs_apart(rules)],
        fixed=fixed,
        wanted=_skills_of(_of(rules, Kind.WANTED)),
        excluded=_skills_of(_of(rules, Kind.EXCLUDED)),
        wishes={
            _ordered_pair(block_of, rule.students): rule.number or 0.0
            for rule in _of(rules, Kind.WISH)
        },
    )


def eligible(value: np.ndarray, layout: Layout) -> np.ndarray:
    """Return which block may be taught which skill: bool, shape (n_blocks, n_skills).

    A block may where one of its students fits well enough; a student the teacher has fixed
    may where the teacher says, whatever the value.
    """
    fits = np.nan_to_num(value, nan=-1.0) >= layout.min_fit
    may = np.array([fits[block].any(axis=0) for block in layout.blocks], dtype=bool)
    may = may.reshape(len(layout.blocks), value.shape[1])
    may[:, sorted(layout.excluded)] = False
    for block, skills in layout.fixed.items():
        may[block] = False
        may[block, sorted(skills)] = True
    return may


def _of(rules: Sequence[Rule], kind: Kind) -> list[Rule]:
    return [rule for rule in rules if rule.kind == kind]


def _number(rules: Sequence[Rule], kind: Kind, otherwise: Any) -> Any:
    return next((rule.number for rule in _of(rules, kind)), otherwise)


def _pairs_apart(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    return [
        (one, other)
        for rule in _of(rules, Kind.APART)
        for place, one in enumerate(rule.students)
        for other in rule.students[place + 1 :]
    ]


def _skills_of(rules: Iterable[Rule]) -> frozenset[int]:
    return frozenset(rule.skill for rule in rules if rule.skill is not None)


def _ordered_pair(block_of: np.ndarray, pair: tuple[int, ...]) -> tuple[int, int]:
    one, other = sorted(int(block_of[student]) for student in pair)
    return one, other


def _block_of_each(together: Iterable[tuple[int, ...]], n_students: int) -> np.ndarray:
    edges = [(group[0], student) for group in together for student in group[1:]]
    rows, columns = np.array(edges, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n_students, n_students))
    if n_students == 0:
        return np.zeros(0, dtype=int)
    return connected_components(graph, directed=False)[1]
