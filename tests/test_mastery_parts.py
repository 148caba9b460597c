"""The mastery model's parts, each against its formula in loops, by hand or by trying all."""

from __future__ import annotations

from itertools import product
from math import exp, log

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, xlogy
from scipy.stats import multivariate_normal

from analysis.errors import DataError, UnknownError
from analysis.mastery import factor, items
from analysis.mastery.blend import PRIOR_ANSWERS, best_share
from analysis.mastery.items import CurvePrior, Success, add_own, believe_curves, weigh_curves
from analysis.mastery.structure import list_profiles, read_prerequisites, topological_order
from analysis.mastery.verdict import SMALLEST_GAIN, _compare, log_loss

SEEDS = pytest.mark.parametrize("seed", range(4))

# -- items: curves of guess, slip and shape -----------------------------------------------


def share_held(held: int, required: int, shape: int) -> float:
    return held / required if shape else float(held == required)


@pytest.mark.parametrize("required", [1, 2, 4])
def test_every_curve_runs_from_guessing_to_not_slipping(required):
    table = items.curve_table(required)
    assert len(table) == len(items.GUESS)
    for row, (guess, slip, shape) in enumerate(
        zip(items.GUESS, items.SLIP, items.SHAPE, strict=True)
    ):
        for held in range(required + 1):
            expected = guess + (1 - slip - guess) * share_held(held, required, shape)
            assert table[row, held] == pytest.approx(expected)


@pytest.mark.parametrize(("values", "last"), [(items.GUESSES, 0.82), (items.SLIPS, 0.66)])
def test_guesses_and_slips_are_tried_from_a_hundredth_up_in_steps_that_never_shrink(values, last):
    steps = np.diff(values)
    assert (values[0], values[-1]) == (0.01, last)
    assert (steps > 0).all()
    assert (np.diff(steps) > -1e-9).all()


def test_all_pairs_of_guess_and_slip_are_tried_that_rise_by_a_tenth():
    tried = set(zip(items.GUESS, items.SLIP, items.SHAPE, strict=True))
    everything = product(items.GUESSES, items.SLIPS, (0, 1))
    assert tried == {one for one in everything if 1 - one[0] - one[1] >= 0.1 - 1e-12}


@pytest.mark.parametrize(("guess", "slip"), [(0.2, 0.2), (0.1, 0.3)])
def test_the_prior_is_a_beta_over_the_grid_whatever_its_spacing(guess, slip):
    from scipy.stats import beta

    weights = np.exp(CurvePrior(guess, slip, (0.25, 0.75)).log_weights())
    assert weights[items.SHAPE == 1].sum() == pytest.approx(3 * weights[items.SHAPE == 0].sum())
    few = (items.GUESS < 0.4) & (items.SLIP < 0.4) & (items.SHAPE == 0)
    density = beta.pdf(items.GUESS[few], 16 * guess, 16 * (1 - guess)) * beta.pdf(
        items.SLIP[few], 16 * slip, 16 * (1 - slip)
    )
    width = dict(zip(items.GUESSES, np.gradient(items.GUESSES), strict=True))
    high = dict(zip(items.SLIPS, np.gradient(items.SLIPS), strict=True))
    cells = [width[g] * high[s] for g, s in zip(items.GUESS[few], items.SLIP[few], strict=True)]
    ratio = weights[few] / (density * cells)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)


def random_answers(seed: int):
    rng = np.random.default_rng(seed)
    required = np.array([1, 2, 1, 3])
    right, wrong = rng.random((2, 4, 4)) * 9
    outside = np.arange(4) > required[:, None]
    right[outside] = wrong[outside] = 0
    return required, right, wrong


@SEEDS
def test_a_curve_weighs_its_likelihood_times_its_prior(seed):
    required, right, wrong = random_answers(seed)
    prior = CurvePrior(0.15, 0.1, (0.7, 0.3))
    weights = weigh_curves(right, wrong, required, prior)
    logs = prior.log_weights()
    for item in range(4):
        expected = []
        for one in range(0, len(logs), 37):
            total = logs[one]
            for held in range(required[item] + 1):
                share = share_held(held, required[item], items.SHAPE[one])
                p = items.GUESS[one] + (1 - items.SLIP[one] - items.GUESS[one]) * share
                total += right[item, held] * log(p) + wrong[item, held] * log(1 - p)
            expected.append(exp(total))
        found = weights[item, ::37]
        np.testing.assert_allclose(found / found.sum(), np.array(expected) / sum(expected))
    assert weights.sum(axis=1) == pytest.approx(1)


@SEEDS
def test_what_is_believed_is_the_weighed_mean_of_curves_and_of_their_logs(seed):
    required, right, wrong = random_answers(seed)
    weights = weigh_curves(right, wrong, required, CurvePrior())
    believed = believe_curves(weights, required)
    for item, held in product(range(4), range(4)):
        if held > required[item]:
            assert np.isnan(believed.mean[item, held])
            continue
        p = items.curve_table(required[item])[:, held]
        for found, values in zip(
            (believed.mean, believed.right, believed.wrong),
            (p, np.log(p), np.log(1 - p)),
            strict=True,
        ):
            assert found[item, held] == pytest.approx((weights[item] * values).sum())


@SEEDS
def test_a_group_moves_the_curve_as_thirty_students_hold_it(seed):
    rng = np.random.default_rng(seed)
    curve = Success(np.full(5, 0.6), np.full(5, -0.6), np.full(5, -1.0))
    right, wrong = rng.random((2, 5)) * 40
    moved = add_own(curve, right, wrong)
    for one in range(5):
        n = right[one] + wrong[one]
        mean = (30 * 0.6 + right[one]) / (n + 30)
        assert moved.mean[one] == pytest.approx(mean)
        assert moved.right[one] == pytest.approx((30 * -0.6 + n * log(mean)) / (n + 30))
        assert moved.wrong[one] == pytest.approx((30 * -1.0 + n * log(1 - mean)) / (n + 30))


def test_a_group_all_right_or_all_wrong_is_never_certain():
    curve = Success(np.array([1.0, 0.0]), np.zeros(2), np.zeros(2))
    moved = add_own(curve, np.array([1e9, 0.0]), np.array([0.0, 1e9]))
    assert moved.mean.tolist() == pytest.approx([1 - 1e-4, 1e-4])
    assert np.isfinite(moved.right).all()
    assert np.isfinite(moved.wrong).all()


@SEEDS
def test_what_items_share_is_their_mean_with_four_more_items_at_a_fifth(seed):
    required, right, wrong = random_answers(seed)
    weights = weigh_curves(right, wrong, required, CurvePrior())
    pooled = CurvePrior().refit(weights, required)
    guesses = [(w * items.GUESS).sum() for w in weights]
    slips = [(w * items.SLIP).sum() for w in weights]
    assert pooled.guess == pytest.approx((sum(guesses) + 4 * 0.2) / 8)
    assert pooled.slip == pytest.approx((sum(slips) + 4 * 0.2) / 8)
    # An item of one skill has one shape only and says nothing of shapes.
    several = [w for w, m in zip(weights, required, strict=True) if m > 1]
    counts = [sum(w[shape == items.SHAPE].sum() for w in several) for shape in (0, 1)]
    drawn = np.random.default_rng(seed).dirichlet(np.array(counts) + 0.5, size=200_000)
    assert np.log(pooled.shapes) == pytest.approx(np.log(drawn).mean(axis=0), rel=0.02)


# -- factor: the skills' prior -------------------------------------------------------------


@SEEDS
def test_skills_settle_where_counts_and_priors_together_are_most_probable(seed):
    rng = np.random.default_rng(seed)
    able = rng.uniform(0, 6, (3, factor.N_NODES))
    held = able * expit(rng.uniform(0.5, 4, (3, 1)) * factor.GRID + rng.uniform(-2, 2, (3, 1)))
    spread = factor.SLOPE_SD**2 * np.eye(3) + factor.LEVEL_SD**2
    level = multivariate_normal(np.full(3, factor.SLOPE), spread)

    def surprise(both):
        slope, easiness = both[:3], both[3:]
        p = expit(slope[:, None] * factor.GRID + easiness[:, None])
        seen = (xlogy(held, p) + xlogy(able - held, 1 - p)).sum()
        return -seen - level.logpdf(slope) + (easiness**2).sum() / 2 / factor.EASINESS_SD**2

    found = factor.SkillPrior.start(3)
    for _ in range(30):
        found = found.refit(held, able)
    best = minimize(surprise, np.r_[np.ones(3), np.zeros(3)], tol=1e-10).x
    assert np.r_[found.slope, found.easiness] == pytest.approx(best, abs=1e-3)


# -- verdict ------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "loss"), [(1, -log(0.8)), (0, -log(0.2)),
                                              (0.5, -(log(0.8) + log(0.2)) / 2)])  # fmt: skip
def test_the_loss_of_an_answer_is_minus_the_log_of_its_probability(answer, loss):
    assert log_loss(np.array([answer]), np.array([0.8])) == pytest.approx(loss)


def test_a_prediction_that_was_certain_and_wrong_costs_much_but_not_everything():
    assert log_loss(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(-log(1e-6))


@SEEDS
def test_the_gain_and_its_error_are_those_of_sums_by_student(seed):
    rng = np.random.default_rng(seed)
    hidden = rng.random((30, 6)) < 0.7
    hidden[3] = False
    skills, ability = (np.where(hidden, rng.random((30, 6)), np.nan) for _ in range(2))
    ability += seed / 10
    found = _compare(skills, ability)
    sums = [np.nansum(ability[s] - skills[s]) for s in range(30) if hidden[s].any()]
    n = hidden.sum()
    mean = sum(sums) / len(sums)
    spread = (sum((one - mean) ** 2 for one in sums) / (len(sums) - 1)) ** 0.5
    assert found.n_hidden == n
    assert found.gain == pytest.approx(sum(sums) / n)
    assert found.standard_error == pytest.approx(spread * len(sums) ** 0.5 / n)
    assert found.skills_log_loss == pytest.approx(np.nanmean(skills))
    assert found.ability_log_loss == pytest.approx(np.nanmean(ability))
    assert bool(found) == (found.gain > max(2 * found.standard_error, 0.002))


@pytest.mark.parametrize(("gain", "supports"), [(0.0019, False), (0.0021, True), (-0.1, False)])
def test_a_gain_too_small_to_group_by_supports_nothing_however_sure(gain, supports):
    assert SMALLEST_GAIN == 0.002
    skills = np.full((50, 4), 0.5)
    assert _compare(skills, skills + gain).supports is supports


@pytest.mark.parametrize(
    ("hidden", "said"), [([], False), ([(0, 0)], False), ([(0, 0), (0, 1)], False),
                         ([(0, 0), (1, 0)], True)],
)  # fmt: skip
def test_nothing_is_said_of_fewer_than_two_students(hidden, said):
    losses = np.full((3, 3), np.nan)
    for cell in hidden:
        losses[cell] = 0.5
    found = _compare(losses, losses)
    assert (found.gain is not None) is said
    assert found.n_hidden == len(hidden)
    assert found.to_dict()["supports"] is False


# -- blend --------------------------------------------------------------------------------


@SEEDS
def test_the_best_share_is_the_best_of_a_thousand(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.uniform(0.05, 0.95, (2, 80))
    count = rng.integers(1, 30, 80).astype(float)

    def likelihood(share: float) -> float:
        pooled = [share * a + (1 - share) * b for a, b in zip(first, second, strict=True)]
        seen = sum(n * log(p) for n, p in zip(count, pooled, strict=True))
        return seen + PRIOR_ANSWERS / 2 * (log(share) + log(1 - share))

    best = max((k / 1000 for k in range(1, 1000)), key=likelihood)
    assert best_share(first, second, count) == pytest.approx(best, abs=2e-3)


def test_without_any_answer_both_count_alike():
    assert best_share(np.array([]), np.array([]), np.array([])) == pytest.approx(0.5, abs=1e-4)


# -- structure ----------------------------------------------------------------------------


@SEEDS
def test_the_profiles_are_those_of_all_that_respect_the_prerequisites(seed):
    before = np.triu(np.random.default_rng(seed).random((5, 5)) < 0.4, 1)
    order = np.random.default_rng(seed + 9).permutation(5)
    before = before[np.ix_(order, order)]
    possible = [
        held for held in product([False, True], repeat=5)
        if all(held[j] for j, k in zip(*np.nonzero(before), strict=True) if held[k])
    ]  # fmt: skip
    listed = list_profiles(before)
    assert {tuple(one) for one in listed.tolist()} == set(possible)
    assert len(listed) == len(possible)
    sizes = listed.sum(axis=1).tolist()
    assert sizes == sorted(sizes)
    place = {skill: n for n, skill in enumerate(topological_order(before))}
    assert all(place[j] < place[k] for j, k in zip(*np.nonzero(before), strict=True))


@pytest.mark.parametrize(("most", "n"), [(8, 8), (7, None), (256, 8)])
def test_profiles_are_listed_up_to_the_most_and_not_beyond(most, n):
    listed = list_profiles(np.zeros((3, 3), dtype=bool), most=most)
    assert (None if listed is None else len(listed)) == n


def test_eight_free_skills_are_listed_and_nine_are_not():
    assert len(list_profiles(np.zeros((8, 8), dtype=bool))) == 256
    assert list_profiles(np.zeros((9, 9), dtype=bool)) is None


LINKS = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])


@pytest.mark.parametrize(
    "said",
    [[("a", "b"), ("b", "c")], [(0, 1), (1, 2)], np.array([[0, 1], [1, 2]]), LINKS,
     LINKS.astype(bool), LINKS.astype(float), pd.DataFrame(LINKS.astype(bool)),
     {"b": ["a"], "c": ["b"]}, {1: [0], 2: [1]}, pd.DataFrame([("a", "b"), ("b", "c")])],
    ids=lambda said: f"{type(said).__name__} {getattr(said, 'dtype', '')}",
)  # fmt: skip
def test_two_links_are_read_from_every_way_to_say_them(said):
    assert read_prerequisites(said, list("abc")).astype(int).tolist() == LINKS.tolist()


def test_a_square_of_two_numbers_is_two_pairs_and_of_two_truths_a_matrix():
    assert read_prerequisites(np.array([[0, 1], [0, 1]]), "ab").tolist() == [
        [False, True],
        [False, False],
    ]
    truth = np.array([[False, True], [False, False]])
    assert read_prerequisites(truth, "ab").tolist() == truth.tolist()


def test_a_matrix_given_stays_as_it_is():
    given = LINKS.astype(bool)
    read_prerequisites(given, "abc")[:] = True
    assert given.astype(int).tolist() == LINKS.tolist()


@pytest.mark.parametrize("name", ["z", 3, -1])
def test_a_skill_that_is_none_is_named(name):
    with pytest.raises(
        UnknownError, match=f"Q-matrix named in prerequisites has no skill '{name}'"
    ):
        read_prerequisites([("a", name)], list("abc"))


def test_a_circle_is_told_back_to_where_it_began():
    with pytest.raises(DataError, match=r"circle: (a -> b -> a|b -> a -> b)\nRemove"):
        read_prerequisites([("a", "b"), ("b", "a")], list("ab"))
