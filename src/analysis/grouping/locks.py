"""Groups that a teacher has locked: they stand as they are, and the others form around them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.errors import UsageError
from analysis.grouping.program import Solution


@dataclass(frozen=True)
class Locks:
    """Locked groups by position: of each its focus skill and its students."""

    groups: Sequence[tuple[int, tuple[int, ...]]] = ()

    @property
    def students(self) -> list[int]:
        """Positions of the students in locked groups."""
        return [student for _, students in self.groups for student in students]

    @property
    def skills(self) -> list[int]:
        """Positions of the skills of locked groups."""
        return [skill for skill, _ in self.groups]

    def moved(self, to_row: np.ndarray, to_column: np.ndarray) -> Locks:
        """Return the same groups where rows and columns stand in another order."""
        return Locks(
            [
                (int(to_column[skill]), tuple(int(to_row[one]) for one in students))
                for skill, students in self.groups
            ]
        )

    def add_to(self, found: Solution, seated: np.ndarray) -> tuple[Solution, np.ndarray]:
        """Return a solution and its seats with the locked groups beside those found."""
        focus_of, seated = found.focus_of.copy(), seated.copy()
        for skill, students in self.groups:
            seated[list(students)] = seated.max(initial=-1) + 1
            focus_of[list(students)] = skill
        return replace(found, focus_of=focus_of), seated


def read_locks(
    named: Iterable[tuple[int, Sequence[int]]],
    *,
    present: Collection[int],
    together: Iterable[Collection[int]],
    apart: Iterable[Collection[int]],
    n_groups: int | None,
    students: Sequence[Any],
) -> Locks:
    """Return the locked groups of those who are here; stop where other rules disagree.

    Parameters
    ----------
    named
        Skill and students of each locked group, by position.
    present
        Students who are not absent. A locked group is without those who are, and gone when
        nobody is left.
    together, apart
        The rules for pairs, by position.
    n_groups
        How many groups are asked for, with the locked ones; ``None``: open.
    students
        Ids by position, for messages.

    Raises
    ------
    UsageError
        A student is in two locked groups, two students who are to be apart are in one, two
        who are to be together are divided, or more groups are locked than asked for.

    Examples
    --------
    >>> read_locks([(0, [1, 2])], present=[0, 2], together=[], apart=[], n_groups=None,
    ...            students="abc").groups
    [(0, (2,))]
    """
    here = {int(one) for one in present}
    groups = [(skill, tuple(one for one in ids if one in here)) for skill, ids in named]
    locks = Locks([(skill, ids) for skill, ids in groups if ids])
    if n_groups is not None and len(locks.groups) > n_groups:
        raise UsageError(
            f"{len(locks.groups)} groups are locked, but n_groups = {n_groups}.\n"
            "Unlock a group, or ask for more groups."
        )
    _refuse_divided(locks, together, apart, here, students)
    return locks


def _refuse_divided(
    locks: Locks,
    together: Iterable[Collection[int]],
    apart: Iterable[Collection[int]],
    here: set[int],
    students: Sequence[Any],
) -> None:
    lock_of: dict[int, int] = {}
    for place, (_, ids) in enumerate(locks.groups):
        for one in ids:
            if lock_of.setdefault(one, place) != place or ids.count(one) > 1:
                raise UsageError(
                    f"Student {students[one]} is locked in two places.\nUnlock one of the groups."
                )
    for named in together:
        if len({lock_of.get(one) for one in named if one in here}) > 1:
            raise _pair_error(named, "are to sit together, but a locked group parts them", students)
    for named in apart:
        shared = [lock_of[one] for one in named if one in lock_of]
        if len(set(shared)) < len(shared):
            raise _pair_error(named, "are to sit apart, but are locked in one group", students)


def _pair_error(named: Iterable[int], what: str, students: Sequence[Any]) -> UsageError:
    ids = ", ".join(str(students[one]) for one in named)
    return UsageError(f"Students {ids} {what}.\nUnlock the group, or lift the rule for the pair.")
