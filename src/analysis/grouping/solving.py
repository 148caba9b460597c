"""Solve a class's program and seat its students, until every seat and every share holds."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from analysis.grouping.program import Program, Solution
from analysis.grouping.rules import Layout
from analysis.grouping.seating import seat_in_groups


def solve_and_seat(
    program: Program, needs: np.ndarray, *, time_limit: float | None = None, **how: Any
) -> tuple[Solution | None, np.ndarray | None]:
    """Solve, seat, and solve again with what the seats or the shares still ask for.

    Parameters
    ----------
    program
        Who may be taught what, under the rules.
    needs
        P(lacks the skill), shape (n_students, n_skills): students alike in it sit together.
    time_limit
        Seconds for all of it; ``None``: no limit.
    **how
        For :meth:`Program.solve`.

    Returns
    -------
    found : Solution or None
        Who is taught what; ``None`` where the rules cannot all be followed.
    seated : numpy.ndarray of int, shape (n_students,), or None
        Group of each student, -1 for none.
    """
    started = time.monotonic()
    unfolded: frozenset[int] = frozenset()
    watched: frozenset[int] = frozenset()
    while True:
        left = time_limit and time_limit - (time.monotonic() - started)
        found = program.solve(unfolded=unfolded, watched=watched, time_limit=left, **how)
        if found is None:
            return None, None
        seated, failed = _seat_all(found, needs, program.layout)
        short = program.short_of_target(found) - watched
        if not failed and not short:
            return found, seated
        unfolded, watched = unfolded | failed, watched | short


def _seat_all(
    found: Solution, needs: np.ndarray, layout: Layout
) -> tuple[np.ndarray, frozenset[int]]:
    """Return the group of each student, and the focus skills whose groups cannot be seated."""
    seated, failed, opened = np.full(len(needs), -1), set(), 0
    for skill in np.flatnonzero(found.n_groups_of):
        students = np.flatnonzero(found.focus_of == skill)
        n_groups = int(found.n_groups_of[skill])
        group_of = seat_in_groups(students, n_groups, needs, layout)
        if group_of is None:
            failed.add(int(skill))
            continue
        seated[students] = group_of + opened
        opened += n_groups
    return seated, frozenset(failed)
