"""The program against trying every assignment of a small class, rule by rule."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest

from analysis.grouping.program import PLACED, Program, Solution
from analysis.grouping.rules import Kind, Layout, Rule, eligible, read_layout
from analysis.grouping.seating import seat_in_groups

N_STUDENTS, N_SKILLS = 5, 3


def values(seed: int, n_students: int = N_STUDENTS) -> np.ndarray:
    value = np.random.default_rng(seed).random((n_students, N_SKILLS))
    value[0, 1] = np.nan
    return value


def layout_of(*rules: Rule, low: int = 1, high: int = 3, n_students: int = N_STUDENTS) -> Layout:
    sizes = [Rule(Kind.MIN_SIZE, number=low), Rule(Kind.MAX_SIZE, number=high)]
    return read_layout([*sizes, *rules], n_students)


def best_of_all(
    value: np.ndarray, layout: Layout, *, most_groups: int, group_gain: float = 0.0,
    former: np.ndarray | None = None, loyalty: float = 0.0, seats: bool = False,
    watched: frozenset[int] = frozenset(),
) -> float:  # fmt: skip
    """Return the most there is to reach, by trying all; minus infinity where nothing is allowed."""
    may, worth = eligible(value, layout), np.nan_to_num(value) + PLACED
    options = [[-1] * (b not in layout.fixed) + np.flatnonzero(row).tolist()
               for b, row in enumerate(may)]  # fmt: skip
    best = -np.inf

    @cache
    def can_sit(here: tuple[int, ...], n_groups: int) -> bool:
        nobody = np.zeros((N_STUDENTS, 1))
        return not seats or seat_in_groups(np.array(here), n_groups, nobody, layout) is not None

    for focus in product(*options):
        taught = [[b for b, k in enumerate(focus) if k == skill] for skill in range(N_SKILLS)]
        students = [[int(s) for b in blocks for s in layout.blocks[b]] for blocks in taught]
        if any(np.nan_to_num(value)[students[k], k].sum() < layout.least_share * len(students[k])
               for k in watched):  # fmt: skip
            continue
        reached = sum(worth[students[k], k].sum() for k in range(N_SKILLS))
        reached += sum(
            w for (a, b), w in layout.wishes.items() if a != b and focus[a] == focus[b] >= 0
        )
        for group in set() if former is None else set(former[former >= 0].tolist()):
            members = set(np.flatnonzero(former == group).tolist())
            reached += loyalty * max(len(members.intersection(here)) for here in students)
        for counts in product(*(range(N_STUDENTS + 1) for _ in students)):
            total = reached - group_gain * sum(counts)
            if total > best and allowed(counts, taught, students, layout, most_groups, can_sit):
                best = total
    return best


def allowed(counts, taught, students, layout: Layout, most_groups: int, can_sit) -> bool:
    if sum(counts) > most_groups or layout.n_groups not in (None, sum(counts)):
        return False
    for k, (n, here) in enumerate(zip(counts, students, strict=True)):
        if not layout.min_size * n <= len(here) <= layout.max_size * n:
            return False
        if n < (k in layout.wanted):
            return False
        if any(a in taught[k] and b in taught[k] and n < 2 for a, b in layout.apart):
            return False
        if n and not can_sit(tuple(sorted(here)), n):
            return False
    return True


TOGETHER, APART = Rule(Kind.TOGETHER, (0, 1)), Rule(Kind.APART, (1, 2))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("layout", "more"),
    [
        (layout_of(), {}),
        (layout_of(low=2), {"group_gain": 0.4}),
        (layout_of(low=2, high=2), {"most_groups": 1}),
        (layout_of(Rule(Kind.N_GROUPS, number=3)), {}),
        (layout_of(Rule(Kind.N_GROUPS, number=1), low=2), {"most_groups": 4}),
        (layout_of(TOGETHER, low=2), {"group_gain": 0.2}),
        (layout_of(APART, low=2), {"group_gain": 0.2}),
        (layout_of(Rule(Kind.FIXED, (3,), 2), Rule(Kind.WANTED, skill=0)), {"group_gain": 1.5}),
        (layout_of(Rule(Kind.EXCLUDED, skill=0), Rule(Kind.MIN_FIT, number=0.5)), {}),
        (layout_of(Rule(Kind.WISH, (0, 4), number=0.7), low=2), {"group_gain": 0.2}),
        (layout_of(Rule(Kind.WISH, (0, 1), number=0.7), TOGETHER), {}),
        (layout_of(), {"former": np.array([0, 0, 0, 1, -1]), "loyalty": 0.3}),
        (layout_of(TOGETHER), {"former": np.array([1, 1, 0, 0, 1]), "loyalty": 0.6}),
    ],
)
def test_no_assignment_reaches_more_than_the_program(layout, more, seed):
    value, more = values(seed), {"most_groups": 3} | more
    found = Program(value, layout, **more).solve()
    assert found.objective == pytest.approx(best_of_all(value, layout, **more), abs=1e-5)
    assert found.optimal
    assert found.gap == 0
    assert found.bound >= found.objective


@pytest.mark.parametrize(
    "rules",
    [
        [Rule(Kind.APART, (0, 1, 2))],
        [Rule(Kind.TOGETHER, (0, 1)), Rule(Kind.TOGETHER, (2, 3)), Rule(Kind.APART, (3, 4))],
        [Rule(Kind.TOGETHER, (0, 1)), Rule(Kind.APART, (1, 2, 3))],
        [Rule(Kind.APART, (0, 4)), Rule(Kind.MIN_FIT, number=0.3)],
    ],
)
@pytest.mark.parametrize(("low", "high"), [(1, 2), (2, 3), (1, 4)])
def test_an_unfolded_program_reaches_the_most_that_can_be_seated(rules, low, high):
    value = values(3) * [0.2, 0.2, 1.0]
    layout = layout_of(*rules, low=low, high=high)
    program = Program(value, layout, most_groups=4, group_gain=0.1)
    best = best_of_all(value, layout, most_groups=4, group_gain=0.1, seats=True)
    found = program.solve(unfolded=frozenset(range(N_SKILLS)))
    assert found.objective == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_a_watched_focus_is_right_for_its_students_on_average(seed):
    value, watched = values(seed), frozenset({0, 2})
    layout = layout_of(Rule(Kind.LEAST_SHARE, number=0.7), TOGETHER, low=2)
    found = Program(value, layout, most_groups=3).solve(watched=watched)
    best = best_of_all(value, layout, most_groups=3, watched=watched)
    assert found.objective == pytest.approx(best, abs=1e-5)


# -- what is found ------------------------------------------------------------------------


def test_the_answer_says_who_is_taught_what_and_in_how_many_groups():
    value = np.array([[0.9, 0.1], [0.8, 0.1], [0.9, 0.2], [0.1, 0.7], [0.0, 0.6], [np.nan] * 2])
    layout = layout_of(low=2, high=2, n_students=6)
    found = Program(value, layout, most_groups=4).solve()
    assert found.focus_of.tolist() == [0, 0, 1, 1, -1, -1] or found.n_groups_of.sum() == 2
    assert found.n_groups_of.tolist() == [1, 1]
    assert (np.bincount(found.focus_of + 1, minlength=3)).tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    "rules",
    [
        [Rule(Kind.WANTED, skill=1), Rule(Kind.EXCLUDED, skill=1)],
        [Rule(Kind.N_GROUPS, number=6)],
        [Rule(Kind.FIXED, (0,), 0), Rule(Kind.FIXED, (1,), 1), Rule(Kind.N_GROUPS, number=1)],
    ],
)
def test_rules_that_cannot_be_followed_have_no_solution(rules):
    assert Program(values(0), layout_of(*rules), most_groups=6).solve() is None


@pytest.mark.parametrize(
    ("rules", "solved"),
    [([], True), ([Rule(Kind.N_GROUPS, number=1)], False), ([Rule(Kind.WANTED, skill=0)], False)],
)
def test_where_nobody_may_be_taught_anything_there_are_no_groups(rules, solved):
    layout = layout_of(Rule(Kind.MIN_FIT, number=2.0), *rules)
    found = Program(values(0), layout, most_groups=3).solve()
    assert (found is not None) == solved
    if found:
        assert found.focus_of.tolist() == [-1] * N_STUDENTS
        assert found.n_groups_of.tolist() == [0] * N_SKILLS
        assert (found.objective, found.bound, found.optimal) == (0, 0, True)


@pytest.mark.parametrize(
    ("objective", "bound", "gap"),
    [(9.0, 10.0, 0.1), (10.0, 10.0, 0.0), (10.0 - 1e-6, 10.0, 0.0), (-11.0, -10.0, 0.1)],
)
def test_a_gap_is_a_share_of_the_bound(objective, bound, gap):
    one = Solution(np.zeros(0), np.zeros(0), objective, bound, optimal=False)
    assert one.gap == pytest.approx(gap)


@pytest.mark.parametrize(
    ("least", "rules", "short"),
    [
        (0.5, [], {1}),
        (0.4, [], set()),
        (0.9, [], {0, 1}),
        (0.9, [Rule(Kind.WANTED, skill=0)], {1}),
        (0.9, [Rule(Kind.WANTED, skill=0), Rule(Kind.FIXED, (3,), 1)], set()),
    ],
)
def test_a_focus_falls_short_by_the_mean_of_its_students_unless_the_teacher_named_it(
    least, rules, short
):
    value = np.array([[0.9, 0, 0], [0.7, 0, 0], [0, 0.3, 0], [0, 0.5, 0], [0.1, 0.1, 0.1]])
    program = Program(value, layout_of(Rule(Kind.LEAST_SHARE, number=least), *rules), most_groups=3)
    found = Solution(np.array([0, 0, 1, 1, -1]), np.array([1, 1, 0]), 0.0, 0.0, optimal=True)
    assert program.short_of_target(found) == short


@pytest.mark.parametrize("proven", [None, np.inf, -np.inf])
def test_before_anything_is_proven_nobody_can_do_better_than_everyones_best(proven):
    layout = layout_of(Rule(Kind.WISH, (0, 4), number=0.7))
    program = Program(values(0), layout, most_groups=3, former=np.zeros(5), loyalty=0.3)
    everyones_best = np.nanmax(values(0), axis=1).sum()
    assert program._bound(proven) == pytest.approx(everyones_best + 5 * (PLACED + 0.3) + 0.7)
    assert program._bound(-3.5) == 3.5


@pytest.mark.parametrize(("n_students", "as_proven"), [(100, 1e-6), (101, 1e-4)])
def test_up_to_a_hundred_students_the_optimum_is_proven_and_above_nearly(n_students, as_proven):
    layout = layout_of(n_students=n_students)
    assert Program(values(0, n_students), layout, most_groups=3)._tolerance == as_proven
