"""How sure a seat is, and what a short check would tell: by hand, and against trying all."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from analysis.grouping.certainty import (
    MOST_DRAWS,
    _seat_anew,
    draw_from,
    gain_of_checking,
    share_of_draws,
    shortest_check,
)

YES, NO = True, False


# -- draws --------------------------------------------------------------------------------


def test_draws_come_as_often_as_said_and_certainties_always():
    drawn = draw_from(np.array([[0.0, 0.25, 1.0]] * 100), random_state=0)
    assert drawn.shape == (MOST_DRAWS, 100, 3)
    np.testing.assert_allclose(drawn.mean(axis=(0, 1)), [0, 0.25, 1], atol=0.01)


def test_the_seed_decides_the_draws():
    half = np.full((5, 2), 0.5)
    assert (draw_from(half, 1) == draw_from(half, 1)).all()
    assert (draw_from(half, 1) != draw_from(half, 2)).any()


# -- seats in every draw --------------------------------------------------------------------


def shares(target, seat, capacity, value=0.5) -> list[float]:
    """Return the share of draws; ``target`` a list of draws, each a list of students."""
    target = np.array(target)
    value = np.broadcast_to(value, target.shape[1:])
    return share_of_draws(target, value, np.array(seat), np.array(capacity)).tolist()


def test_a_seat_is_as_sure_as_the_share_of_draws_in_which_it_is_right():
    target = [[[YES], [YES]], [[YES], [NO]], [[YES], [NO]], [[YES], [YES]]]
    assert shares(target, seat=[0, 0], capacity=[2]) == [1.0, 0.5]


def test_who_has_no_seat_has_no_share():
    target = [[[YES], [YES]]]
    np.testing.assert_array_equal(shares(target, seat=[0, -1], capacity=[2]), [1.0, np.nan])
    assert np.isnan(shares(np.zeros((1, 2, 0), bool), seat=[-1, -1], capacity=[])).all()


def test_of_two_that_are_both_right_a_student_keeps_the_seat_though_the_other_is_worth_more():
    target = [[[YES, YES]]]
    assert shares(target, seat=[0], capacity=[1, 1], value=[[0.3, 0.9]]) == [1.0]


def test_where_only_the_other_focus_is_right_the_student_would_sit_there():
    target = [[[NO, YES]], [[YES, NO]], [[NO, YES]], [[NO, YES]]]
    assert shares(target, seat=[0], capacity=[1, 1]) == [0.25]


def test_a_full_focus_is_kept_by_those_who_have_the_seats():
    target = [[[YES], [YES], [YES]]]
    np.testing.assert_array_equal(shares(target, [0, -1, 0], [2]), [1.0, np.nan, 1.0])


def test_who_waits_gets_the_seat_of_whom_the_draw_says_it_is_wrong_for():
    # The second is right for the seat as soon as the first is not; then neither is moved back.
    target = [[[NO], [YES]], [[YES], [YES]]]
    np.testing.assert_array_equal(shares(target, [0, -1], [1]), [0.5, np.nan])


def test_a_student_gives_way_where_more_are_on_target_so():
    # The first may sit on either focus, the second only where the first sits now.
    target = [[[YES, YES], [YES, NO]]]
    assert shares(target, seat=[0, 1], capacity=[1, 1]) == [0.0, 0.0]


def test_what_is_likely_on_average_never_weighs_against_what_is_so_in_the_draw():
    # As above; that the first seat is worth most by far does not count.
    target, worth_most = [[[YES, YES], [YES, NO]]], [[1.0, 0.0], [0.0, 0.0]]
    assert shares(target, seat=[0, 1], capacity=[1, 1], value=worth_most) == [0.0, 0.0]


def test_draws_beyond_the_most_are_not_looked_at():
    target = np.zeros((2 * MOST_DRAWS, 1, 1), dtype=bool)
    target[:MOST_DRAWS] = True
    assert shares(target, seat=[0], capacity=[1]) == [1.0]


@pytest.mark.parametrize("seed", range(8))
def test_seats_in_one_draw_are_worth_as_much_as_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    worth = rng.random((5, 3)) * (rng.random((5, 3)) < 0.6)
    capacity = rng.integers(1, 3, 3)
    found = _seat_anew(worth, capacity)

    def total(seats) -> float:
        return sum(worth[s, f] for s, f in enumerate(seats) if f >= 0)

    def fits(seats) -> bool:
        return all(list(seats).count(focus) <= capacity[focus] for focus in range(3))

    assert fits(found)
    assert total(found) == pytest.approx(max(filter_totals(fits, total)))
    assert all(focus < 0 or worth[student, focus] > 0 for student, focus in enumerate(found))


def filter_totals(fits, total) -> list[float]:
    return [total(seats) for seats in product(range(-1, 3), repeat=5) if fits(seats)]


# -- what to check ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_the_gain_is_the_chance_with_the_check_less_that_without(seed):
    rng = np.random.default_rng(seed)
    held, target = rng.random((20, 3, 4)) < 0.5, rng.random((20, 3, 2)) < 0.5
    gain = gain_of_checking(held, target)
    for student, skill in product(range(3), range(4)):
        with_check = 0.0
        for shown in (True, False):
            draws = held[:, student, skill] == shown
            if draws.any():
                with_check += draws.mean() * target[draws, student].mean(axis=0).max()
        without = target[:, student].mean(axis=0).max()
        assert gain[student, skill] == pytest.approx(with_check - without)


def test_without_an_open_focus_nothing_is_gained():
    gain = gain_of_checking(np.ones((3, 2, 4), bool), np.ones((3, 2, 0), bool))
    assert gain.tolist() == [[0.0] * 4] * 2


def test_the_skill_that_tells_most_of_all_students_is_asked_first():
    gain = np.array([[0.1, 0.2, 0.0], [0.3, 0.0, 0.0], [0.0, 0.1, 0.0]])
    assert shortest_check(gain) == [(0, 0), (0, 1), (1, 0), (1, 2)]


def test_a_second_skill_is_asked_only_of_whom_it_tells_more():
    # The second adds 0.02 for the first student, too little, and 0.05 for the other.
    gain = np.array([[0.2, 0.22], [0.2, 0.25]])
    assert shortest_check(gain) == [(1, 0), (1, 1)]
    gain = np.array([[0.3, 0.32], [0.2, 0.25], [0.4, 0.0]])
    assert shortest_check(gain) == [(0, 0), (0, 1), (0, 2), (1, 1)]


@pytest.mark.parametrize(("gain", "asked"), [(0.03, True), (0.0299, False)])
def test_the_least_gain_is_enough(gain, asked):
    assert bool(shortest_check(np.array([[gain]]))) is asked


def test_a_check_asks_four_skills_at_most():
    gain = np.diag([0.9, 0.8, 0.7, 0.6, 0.5])
    assert shortest_check(gain) == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_where_nothing_would_tell_anything_nothing_is_asked():
    assert shortest_check(np.zeros((3, 2))) == []
