"""What teaching a skill is worth, against the same said with loops and by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError, UnknownError
from analysis.grouping.value import (
    PRIOR_DRAWS,
    bridge_prerequisites,
    fill_unknown,
    on_target,
    read_prerequisites,
    readiness,
    value_of_teaching,
)

SKILLS = list("abcdef")
SEEDS = pytest.mark.parametrize("seed", range(5))


def random_class(seed: int):
    """Return mastery with unknown cells, and prerequisites that only go on in the alphabet."""
    rng = np.random.default_rng(seed)
    mastery = np.where(rng.random((7, 6)) < 0.2, np.nan, rng.random((7, 6)))
    return mastery, np.triu(rng.random((6, 6)) < 0.4, 1), rng


def mean_of_known(column: np.ndarray) -> float:
    known = [one for one in column if one == one]
    return sum(known) / len(known) if known else 0.5


@SEEDS
def test_an_unknown_cell_is_the_mean_of_the_others_or_one_half(seed):
    mastery, _, _ = random_class(seed)
    mastery[:, 2] = np.nan
    filled = fill_unknown(mastery)
    for student, skill in product(range(7), range(6)):
        given = mastery[student, skill]
        expected = given if given == given else mean_of_known(mastery[:, skill])
        assert filled[student, skill] == pytest.approx(expected)


@SEEDS
def test_readiness_is_the_product_over_the_prerequisites(seed):
    mastery, before, _ = random_class(seed)
    ready = readiness(mastery, before)
    for student, skill in product(range(7), range(6)):
        expected = 1.0
        for earlier in range(6):
            if before[earlier, skill]:
                given = mastery[student, earlier]
                expected *= given if given == given else mean_of_known(mastery[:, earlier])
        assert ready[student, skill] == pytest.approx(expected)


@SEEDS
def test_on_target_is_who_lacks_a_skill_and_holds_all_before_it(seed):
    _, before, rng = random_class(seed)
    held = rng.random((3, 5, 6)) < 0.6
    target = on_target(held, before)
    for draw, student, skill in product(range(3), range(5), range(6)):
        ready = all(held[draw, student, one] for one in range(6) if before[one, skill])
        assert target[draw, student, skill] == (ready and not held[draw, student, skill])


@SEEDS
def test_the_value_is_that_of_counting_draws_with_a_few_added_by_guess(seed):
    mastery, before, rng = random_class(seed)
    draws = rng.random((20, 7, 6)) < 0.5
    ready = np.where(rng.random((7, 6)) < 0.3, np.nan, rng.random((7, 6)))
    guess = readiness(mastery, before)
    value = value_of_teaching(mastery, before, ready=ready, draws=draws)
    alone = value_of_teaching(mastery, before, ready=ready)
    for student, skill in product(range(7), range(6)):
        own = ready[student, skill]
        own = own if own == own else guess[student, skill]
        n_lacks, n_both = 0, 0
        for draw in draws[:, student]:
            if not draw[skill]:
                n_lacks += 1
                n_both += all(draw[one] for one in range(6) if before[one, skill])
        share = (n_both + PRIOR_DRAWS * own) / (n_lacks + PRIOR_DRAWS)
        lacks = 1 - mastery[student, skill]
        assert value[student, skill] == pytest.approx(lacks * share, nan_ok=True)
        assert alone[student, skill] == pytest.approx(lacks * own, nan_ok=True)


def test_without_anything_known_of_readiness_it_is_guessed_from_mastery():
    value = value_of_teaching(np.array([[0.5, 0.25]]), read_prerequisites([(0, 1)], "ab"))
    assert value.tolist() == [[0.5, 0.375]]


@SEEDS
def test_what_is_given_stays_as_it_is(seed):
    mastery, before, rng = random_class(seed)
    draws = rng.random((4, 7, 6)) < 0.5
    given = [mastery.copy(), before.copy(), draws.copy()]
    value_of_teaching(mastery, before, ready=mastery, draws=draws)
    read_prerequisites(before, SKILLS)[:] = True
    for one, was in zip([mastery, before, draws], given, strict=True):
        np.testing.assert_array_equal(one, was)


# -- prerequisites, said in many ways -----------------------------------------------------

ONE_LINK = np.zeros((2, 2), dtype=bool)
ONE_LINK[0, 1] = True


@pytest.mark.parametrize(
    "said",
    [[("a", "b")], [(0, 1)], [(np.int64(0), "b")], np.array([[0, 1]]), {"b": ["a"]}, {1: [0]},
     ONE_LINK, pd.DataFrame(ONE_LINK), pd.DataFrame(ONE_LINK.astype(int))],
    ids=str,
)  # fmt: skip
def test_one_link_is_read_from_every_way_to_say_it(said):
    assert read_prerequisites(said, ["a", "b"]).tolist() == [[False, True], [False, False]]


def test_numbers_in_two_columns_are_pairs_and_in_three_a_matrix():
    pairs = np.array([[0, 1], [1, 2]])
    matrix = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    assert read_prerequisites(pairs, "abc").tolist() == matrix.astype(bool).tolist()
    assert read_prerequisites(matrix, "abc").tolist() == matrix.astype(bool).tolist()


def test_no_prerequisites_are_a_matrix_without_any():
    none = read_prerequisites(None, "abc")
    assert (none.shape, none.dtype, none.any()) == ((3, 3), np.dtype(bool), False)
    assert not read_prerequisites([], "abc").any()
    assert not bridge_prerequisites(None, "abc").before.any()


@pytest.mark.parametrize("name", ["z", 2, -1])
def test_a_skill_that_is_none_is_refused_whether_named_or_numbered(name):
    with pytest.raises(UnknownError, match=str(name)):
        read_prerequisites([("a", name)], ["a", "b"])


def test_a_number_that_is_a_skills_name_is_its_name():
    assert read_prerequisites([(1, 0)], [1, 0]).tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (4, 3)])
def test_a_matrix_of_another_shape_is_refused_with_its_shape(shape):
    with pytest.raises(DataError, match=rf"shape \({shape[0]}, {shape[1]}\).* 3 skills"):
        read_prerequisites(np.zeros(shape, dtype=bool), "abc")


def test_a_circle_is_told_skill_by_skill_back_to_where_it_began():
    with pytest.raises(DataError, match=r"circle: (b -> c -> b|c -> b -> c)\n"):
        read_prerequisites([("a", "b"), ("b", "c"), ("c", "b")], "abc")
    with pytest.raises(DataError, match="in a circle"):
        bridge_prerequisites({"a": ["x"], "x": ["a"]}, ["a"])


@SEEDS
def test_bridging_keeps_what_comes_before_what_and_the_nearest_only(seed):
    _, direct, rng = random_class(seed)
    pairs = [(SKILLS[j], SKILLS[k]) for j, k in zip(*np.nonzero(direct), strict=True)]
    kept = [SKILLS[i] for i in sorted(rng.choice(6, 4, replace=False))][::-1]
    reaches = dict.fromkeys(pairs, True)
    for middle, first, last in product(SKILLS, SKILLS, SKILLS):
        if (first, middle) in reaches and (middle, last) in reaches:
            reaches[first, last] = True
    links = bridge_prerequisites(pairs, kept)
    for j, k in product(range(4), range(4)):
        between = any((kept[j], one) in reaches and (one, kept[k]) in reaches for one in kept)
        assert links.before[j, k] == ((kept[j], kept[k]) in reaches and not between)
    assert links.listed == {
        later: [one for one, other in pairs if other == later] for _, later in pairs
    }
