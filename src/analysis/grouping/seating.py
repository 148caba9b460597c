"""Seat the students of one focus in its groups, so that those with like needs sit together."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array
from scipy.spatial.distance import cdist

from analysis.grouping.rules import Layout

WISH = 1.0
"""What it is worth that two who wish for each other sit in one group of their focus: as much
as if they did not differ on a skill that one has and the other lacks."""

ROUNDS = 5
"""Rounds of seating and re-centring. Seatings stop changing after two or three."""


def seat_in_groups(
    students: np.ndarray, n_groups: int, needs: np.ndarray, layout: Layout
) -> np.ndarray | None:
    """Return the group of each student of one focus, or None where the rules forbid it.

    k-means with sizes and pairs: groups' centres and an exact seating in turn. The start
    follows the direction in which the students' needs differ most, so that no random
    number is needed.

    Parameters
    ----------
    students
        Positions of the students who share the focus.
    n_groups
        Groups of this focus.
    needs
        Probability of lacking each skill, shape (n_students_of_the_class, n_skills).
    layout
        The teacher's rules.

    Returns
    -------
    numpy.ndarray of int or None
        Shape (len(students),), 0 to n_groups - 1.
    """
    if n_groups == 1:
        return np.zeros(len(students), dtype=int)
    mine = needs[students]
    seats = _Seats(students, n_groups, layout)
    order = np.argsort(np.argsort(_main_direction(mine), kind="stable"), kind="stable")
    centres = _centres(mine, order * n_groups // len(students), n_groups)
    group_of = None
    for _ in range(ROUNDS):
        seated = seats.nearest(cdist(mine, centres, "sqeuclidean"))
        if seated is None or (group_of is not None and (seated == group_of).all()):
            break
        group_of = seated
        centres = _centres(mine, group_of, n_groups)
    return group_of


class _Seats:
    """Exact seating of blocks in a given number of groups at least distance."""

    def __init__(self, students: np.ndarray, n_groups: int, layout: Layout):
        here = {int(student): place for place, student in enumerate(students)}
        kept = [
            (block, [here[s] for s in members if s in here])
            for block, members in enumerate(m.tolist() for m in layout.blocks)
        ]
        self.blocks = [(block, places) for block, places in kept if places]
        self.n_students, self.n_groups, self.layout = len(students), n_groups, layout
        place_of = {block: place for place, (block, _) in enumerate(self.blocks)}
        self.wishes = [
            (place_of[one], place_of[other])
            for one, other in layout.wishes
            if one != other and one in place_of and other in place_of
        ]
        self.constraints = self._constraints()

    def nearest(self, distance: np.ndarray) -> np.ndarray | None:
        cost = np.array([distance[places].sum(axis=0) for _, places in self.blocks])
        met = np.full(len(self.wishes) * self.n_groups, -WISH)
        answer = milp(
            np.r_[cost.ravel(), met],
            integrality=np.ones(cost.size + met.size, dtype=int),
            bounds=Bounds(0, 1),
            constraints=self.constraints,
        )
        if answer.x is None:
            return None
        chosen = answer.x[: cost.size].reshape(cost.shape).argmax(axis=1)
        group_of = np.empty(self.n_students, dtype=int)
        for (_, places), group in zip(self.blocks, chosen, strict=True):
            group_of[places] = group
        return group_of

    def _constraints(self) -> LinearConstraint:
        """Rows: one group a block; sizes; one of an apart pair; a wish is met where both sit."""
        n, place_of = self.n_groups, {b: p for p, (b, _) in enumerate(self.blocks)}
        every = range(n)
        rows = [([(p * n + g, 1) for g in every], 1, 1) for p in range(len(self.blocks))]
        for g in every:
            filled = [(p * n + g, len(places)) for p, (_, places) in enumerate(self.blocks)]
            rows.append((filled, self.layout.min_size, self.layout.max_size))
        for one, other in self.layout.apart:
            if one in place_of and other in place_of:
                pair = place_of[one] * n, place_of[other] * n
                rows += [([(pair[0] + g, 1), (pair[1] + g, 1)], 0, 1) for g in every]
        for wish, pair in enumerate(self.wishes, start=len(self.blocks)):
            rows += [
                ([(wish * n + g, 1), (place * n + g, -1)], -1, 0) for place in pair for g in every
            ]
        entries = [(r, v, w) for r, (terms, _, _) in enumerate(rows) for v, w in terms]
        r, v, w = zip(*entries, strict=True)
        matrix = coo_array(
            (w, (r, v)), shape=(len(rows), (len(self.blocks) + len(self.wishes)) * n)
        )
        return LinearConstraint(
            matrix.tocsr(), [low for _, low, _ in rows], [high for _, _, high in rows]
        )


def _main_direction(needs: np.ndarray) -> np.ndarray:
    """Return each student's place along the direction of greatest difference."""
    centred = needs - needs.mean(axis=0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    # A direction and its opposite are the same; the largest weight is made positive.
    direction = direction * np.sign(direction[np.abs(direction).argmax()] or 1)
    return np.asarray(np.round(centred @ direction, 9))


def _centres(needs: np.ndarray, group_of: np.ndarray, n_groups: int) -> np.ndarray:
    return np.array([needs[group_of == group].mean(axis=0) for group in range(n_groups)])
