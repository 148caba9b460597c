"""The best focus for every student as a mixed-integer program, solved to proof by HiGHS.

Students who share a focus are seated by :mod:`analysis.grouping.seating`; this program
decides how many groups each focus has and who is taught what. Variables:

- ``x[b, k]``: block b (students who must sit together, mostly one) is taught skill k;
- ``g[k]``: how many groups have focus k, a whole number.

Once the ``g`` are whole, what is left for free students is a transportation problem, whose
corners are whole by themselves; so only ``g`` and the blocks under a pair rule are declared
whole, and the search branches on a few dozen variables instead of thousands.

Maximise the summed value of ``x`` less a price for each group, with
``min_size * g[k] <= students taught k <= max_size * g[k]``. Students who must be apart need
two groups to share a focus: ``x[a, k] + x[b, k] <= g[k]``. That is necessary, and nearly
always enough; where seating then fails, the focus is *unfolded*: its groups get variables
of their own for the blocks that cannot sit just anywhere, which makes it exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import coo_array

from analysis.grouping.rules import Layout, eligible

PLACED = 1e-4
"""Reward for placing a student at all, in students on target: it only decides ties."""

RELATIVE_GAP = 1e-6
"""Difference from the proven bound at which a solution counts as the optimum."""

LARGE, LARGE_GAP = 100, 1e-4
"""Above so many students the solver's own tolerance counts as the optimum: a few hundredths
of a student in 400, for a quarter of the time. The gap is said as it is."""

WHOLE = 1e-6
"""Distance from a whole number that still counts as whole."""

STOPPED = {1, 4}
"""The solver's status when a limit ended the search: of time, of steps."""

MOST_NODES = 10_000
"""Steps of the search where no time is given. A classroom's program takes one to a hundred."""

QUICK_GAP = 0.05
"""Gap at which to stop, however long it takes, where a limit left a larger one."""


@dataclass(frozen=True)
class Solution:
    """Who is taught what: the answer of the program.

    ``focus_of``: skill of each student, -1 for none; ``n_groups_of``: groups of each skill;
    ``objective`` and ``bound`` in expected students on target.
    """

    focus_of: np.ndarray
    n_groups_of: np.ndarray
    objective: float
    bound: float
    optimal: bool

    @property
    def gap(self) -> float:
        """Proven distance from the optimum, as a share of it."""
        gap = (self.bound - self.objective) / max(abs(self.bound), 1e-9)
        return 0.0 if gap <= RELATIVE_GAP else gap


class _Rows:
    """Variables and linear constraints, collected one by one."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.whole: list[int] = []
        self.entries: list[tuple[int, int, float]] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def variable(self, *, cost: float = 0.0, upper: float = 1.0, whole: bool = True) -> int:
        self.cost.append(cost)
        self.upper.append(upper)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def constrain(
        self, terms: Iterable[tuple[int, float]], *, low: float = -np.inf, high: float = np.inf
    ) -> None:
        row = len(self.low)
        self.entries.extend((row, variable, weight) for variable, weight in terms)
        self.low.append(low)
        self.high.append(high)

    def solve(self, gap: float, **limits: float) -> OptimizeResult:
        rows, columns, weights = zip(*self.entries, strict=True)
        matrix = coo_array((weights, (rows, columns)), shape=(len(self.low), len(self.cost)))
        options = {"mip_rel_gap": gap, **limits}
        constraints = LinearConstraint(matrix.tocsr(), self.low, self.high)
        whole, bounds = np.array(self.whole), Bounds(0, self.upper)
        how: dict[str, Any] = {"constraints": constraints, "options": options}
        answer = milp(self.cost, integrality=whole, bounds=bounds, **how)
        if answer.x is None or np.abs(answer.x - answer.x.round()).max() < WHOLE:
            return answer
        # Not at a corner: the whole variables keep their values, all others become whole.
        near = np.where(whole == 1, answer.x.round(), 0), np.where(whole == 1, answer.x.round(), 1)
        again = milp(self.cost, integrality=np.ones_like(whole), bounds=Bounds(*near), **how)
        again.status, again.mip_dual_bound = answer.status, answer.mip_dual_bound
        return again


class Program:
    """The program of one class under one layout of rules.

    Parameters
    ----------
    value
        Value of teaching, shape (n_students, n_skills), missing where not known.
    layout
        The teacher's rules.
    most_groups
        Most groups allowed where the rules do not fix their number.
    group_gain
        Expected students on target that a further group must add to be worth opening.
    former
        Former group of each student, -1 for none; students of one are kept together.
    loyalty
        Value, in students on target, of one student staying with most of the former group.
    """

    def __init__(
        self,
        value: np.ndarray,
        layout: Layout,
        *,
        most_groups: int,
        group_gain: float = 0.0,
        former: np.ndarray | None = None,
        loyalty: float = 0.0,
    ):
        self.layout = layout
        self.most_groups = layout.n_groups or most_groups
        self.group_gain = group_gain
        self.worth = np.nan_to_num(value)
        self.may = eligible(value, layout)
        self.former = former
        self.loyalty = loyalty

    def solve(
        self,
        *,
        unfolded: frozenset[int] = frozenset(),
        watched: frozenset[int] = frozenset(),
        time_limit: float | None = None,
        gap: float | None = None,
    ) -> Solution | None:
        """Return the best solution, or None where the rules cannot all be followed.

        Parameters
        ----------
        unfolded
            Skills whose groups get variables of their own.
        watched
            Skills whose students must be on target in the least share, on average. Asked of
            those that fall short only: the rule breaks the transportation problem.
        time_limit
            Seconds after which the best found is returned, with the proven bound; ``None``:
            after ``MOST_NODES`` steps, however long they take.
        gap
            Proven distance from the optimum, as a share of it, at which to stop; ``None``:
            where it counts as the optimum.
        """
        if self.layout.contradicts_itself:
            return None
        rows = self._build(unfolded, watched)
        if not rows.cost:
            return self._nobody_placed()
        limit = (
            {"node_limit": MOST_NODES}
            if time_limit is None
            else {"time_limit": max(time_limit, 0.01)}
        )
        answer = rows.solve(self._tolerance if gap is None else gap, **limit)
        found = None if answer.x is None else self._read(answer)
        if answer.status in STOPPED and (found is None or found.gap > QUICK_GAP):
            answer = rows.solve(QUICK_GAP)
            found = None if answer.x is None else self._read(answer)
        return found

    def short_of_target(self, found: Solution) -> frozenset[int]:
        """Return focus skills whose students are on target in less than the least share."""
        taught = np.flatnonzero(found.n_groups_of)
        means = {int(k): self.worth[found.focus_of == k, k].mean() for k in taught}
        least = self.layout.least_share - WHOLE
        return frozenset(k for k, mean in means.items() if mean < least) - self.layout.chosen

    def _build(self, unfolded: frozenset[int], watched: frozenset[int]) -> _Rows:
        rows = _Rows()
        self._x = self._taught_variables(rows, watched)
        self._g = self._group_variables(rows)
        self._one_focus_each(rows)
        self._keep_sizes(rows)
        self._count_groups(rows)
        self._keep_apart(rows)
        for skill in sorted(unfolded & self._g.keys()):
            self._unfold(rows, skill)
        for skill in sorted(watched):
            self._keep_on_target(rows, skill)
        if self.former is not None and self.loyalty > 0:
            self._stay_with_former_group(rows)
        self._welcome_wishes(rows)
        return rows

    def _taught_variables(self, rows: _Rows, watched: frozenset[int]) -> dict[tuple[int, int], int]:
        blocks, tied = self.layout.blocks, self.layout.entangled
        worth = np.array([(self.worth[block] + PLACED).sum(axis=0) for block in blocks])
        # Between two who wish for each other a half of each would count as both.
        tied = tied | np.isin(np.arange(len(blocks)), [*chain(*self.layout.wishes)])
        return {
            (int(block), int(skill)): rows.variable(
                cost=-worth[block, skill], whole=bool(tied[block]) or skill in watched
            )
            for block, skill in np.argwhere(self.may)
        }

    def _group_variables(self, rows: _Rows) -> dict[int, int]:
        offered = {skill for _, skill in self._x} | self.layout.wanted
        return {
            skill: rows.variable(cost=self.group_gain, upper=self.most_groups)
            for skill in sorted(offered)
        }

    def _one_focus_each(self, rows: _Rows) -> None:
        for block, terms in self._terms(by=0).items():
            ones = [(variable, 1) for _, variable in terms]
            rows.constrain(ones, low=int(block in self.layout.fixed), high=1)

    def _keep_sizes(self, rows: _Rows) -> None:
        sizes, taught = self.layout.sizes, self._terms(by=1)
        for skill, groups in self._g.items():
            filled = [(variable, sizes[block]) for block, variable in taught.get(skill, ())]
            rows.constrain([*filled, (groups, -self.layout.min_size)], low=0)
            rows.constrain([*filled, (groups, -self.layout.max_size)], high=0)

    def _count_groups(self, rows: _Rows) -> None:
        every = [(groups, 1) for groups in self._g.values()]
        if every or self.layout.n_groups:
            rows.constrain(every, low=self.layout.n_groups or 0, high=self.most_groups)
        for skill in sorted(self.layout.wanted):
            rows.constrain([(self._g[skill], 1)], low=1)

    def _keep_apart(self, rows: _Rows) -> None:
        for one, other in self.layout.apart:
            for skill, groups in self._g.items():
                pair = [self._x.get((block, skill)) for block in (one, other)]
                if None not in pair:
                    rows.constrain([*((x, 1) for x in pair if x is not None), (groups, -1)], high=0)

    def _keep_on_target(self, rows: _Rows, skill: int) -> None:
        least, blocks = self.layout.least_share, self.layout.blocks
        taught = self._terms(by=1).get(skill, [])
        above = [(x, float((self.worth[blocks[b], skill] - least).sum())) for b, x in taught]
        if above:
            rows.constrain(above, low=0)

    def _unfold(self, rows: _Rows, skill: int) -> None:
        """Give each group of one focus its own variables for the entangled blocks."""
        layout, taught = self.layout, self._terms(by=1).get(skill, [])
        tied = [(b, x) for b, x in taught if layout.entangled[b]]
        free = [(x, -1) for b, x in taught if not layout.entangled[b]]
        room = sum(int(layout.sizes[b]) for b, _ in taught) // max(layout.min_size, 1)
        slots = range(min(self.most_groups, room))
        opened = [rows.variable() for _ in slots]
        sits = {(b, s): rows.variable() for b, _ in tied for s in slots}
        short = [rows.variable(upper=layout.min_size, whole=False) for _ in slots]
        rows.constrain([*((o, 1) for o in opened), (self._g[skill], -1)], low=0, high=0)
        for earlier, later in pairwise(opened):
            rows.constrain([(earlier, 1), (later, -1)], low=0)
        for block, x in tied:
            rows.constrain([*((sits[block, s], 1) for s in slots), (x, -1)], low=0, high=0)
        for s in slots:
            seated = [(sits[b, s], int(layout.sizes[b])) for b, _ in tied]
            rows.constrain([*seated, (opened[s], -layout.max_size)], high=0)
            rows.constrain([*seated, (short[s], 1), (opened[s], -layout.min_size)], low=0)
            for one, other in layout.apart:
                if (one, s) in sits and (other, s) in sits:
                    rows.constrain([(sits[one, s], 1), (sits[other, s], 1)], high=1)
        rows.constrain([*((s, 1) for s in short), *free], high=0)

    def _stay_with_former_group(self, rows: _Rows) -> None:
        """Reward each student who goes where most of the former group goes."""
        former = np.zeros(0) if self.former is None else self.former
        for group in np.unique(former[former >= 0]):
            members = set(np.flatnonzero(former == group).tolist())
            leads: dict[int, int] = {}
            for (block, skill), x in self._x.items():
                stay = len(members.intersection(self.layout.blocks[block].tolist()))
                if not stay:
                    continue
                lead = leads.setdefault(skill, -1)
                if lead < 0:
                    lead = leads[skill] = rows.variable()
                follows = rows.variable(cost=-self.loyalty * stay, whole=False)
                rows.constrain([(follows, 1), (x, -1)], high=0)
                rows.constrain([(follows, 1), (lead, -1)], high=0)
            if leads:
                rows.constrain([(lead, 1) for lead in leads.values()], high=1)

    def _welcome_wishes(self, rows: _Rows) -> None:
        """Reward students who wish for each other for sharing a focus."""
        skills = sorted({skill for _, skill in self._x})
        for (one, other), worth in self.layout.wishes.items():
            for skill in skills:
                pair = [self._x.get((block, skill)) for block in (one, other)]
                if one != other and None not in pair:
                    both = rows.variable(cost=-worth, whole=False)
                    for taught in (x for x in pair if x is not None):
                        rows.constrain([(both, 1), (taught, -1)], high=0)

    def _terms(self, by: int) -> dict[int, list[tuple[int, int]]]:
        found: dict[int, list[tuple[int, int]]] = {}
        for pair, variable in self._x.items():
            found.setdefault(pair[by], []).append((pair[1 - by], variable))
        return found

    def _read(self, answer: OptimizeResult) -> Solution:
        n_students, n_skills = self.worth.shape
        focus_of = np.full(n_students, -1)
        for (block, skill), variable in self._x.items():
            if answer.x[variable] > 0.5:
                focus_of[self.layout.blocks[block]] = skill
        n_groups_of = np.zeros(n_skills, dtype=int)
        for skill, variable in self._g.items():
            n_groups_of[skill] = round(answer.x[variable])
        bound = max(self._bound(answer.mip_dual_bound), -answer.fun)
        proven = bound + answer.fun <= self._tolerance * max(abs(bound), 1)
        return Solution(focus_of, n_groups_of, -answer.fun, bound, proven)

    @property
    def _tolerance(self) -> float:
        return RELATIVE_GAP if len(self.worth) <= LARGE else LARGE_GAP

    def _bound(self, dual_bound: float | None) -> float:
        """Return the proven upper bound, or, before there is one, everyone's best skill."""
        if dual_bound is not None and np.isfinite(dual_bound):
            return -dual_bound
        extra = sum(self.layout.wishes.values())
        return float((self.worth.max(axis=1) + PLACED + self.loyalty).sum()) + extra

    def _nobody_placed(self) -> Solution | None:
        if self.layout.n_groups or self.layout.wanted:
            return None
        n_students, n_skills = self.worth.shape
        return Solution(np.full(n_students, -1), np.zeros(n_skills, dtype=int), 0.0, 0.0, True)
