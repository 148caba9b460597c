"""The second reading: levels, their cut, and what they are like among everybody."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from analysis.mastery.level_fitting import _between, _noise, _towards_alike, _usual, fit_levels
from analysis.mastery.levels import CUT, LEAST_SPREAD, LevelModel, shares_apart, weight_of_levels

Q = np.repeat(np.eye(2, dtype=int), 3, axis=0)


def expect(model: LevelModel, answers: np.ndarray, classrooms=None) -> np.ndarray:
    """Return the expected levels alone."""
    return model.read(answers, classrooms, n_draws=0, random_state=0)[2]


def make_levels(n_students: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return graded answers to three items of each of two skills, and the levels behind."""
    rng = np.random.default_rng(seed)
    common = rng.normal(scale=0.15, size=(n_students, 1))
    level = 0.5 + common + rng.normal(scale=0.15, size=(n_students, 2))
    answers = np.clip(level @ Q.T + rng.normal(scale=0.1, size=(n_students, 6)), 0, 1)
    return answers, level


def test_the_reading_is_calibrated():
    """Of those said to hold a skill with 70 to 90 percent, about 80 percent do."""
    answers, level = make_levels(2000)
    held, *_ = fit_levels(answers, Q).read(answers, n_draws=1, random_state=0)
    said = (held > 0.7) & (held < 0.9)
    assert (level > CUT)[said].mean() == pytest.approx(held[said].mean(), abs=0.05)


def test_draws_agree_with_the_probabilities_and_hang_together():
    answers, _ = make_levels(60)
    answers[:, 3:] = np.nan
    answers[30:, :] = np.nan
    answers[0, 3:] = 0.5
    held, draws, _ = fit_levels(answers, Q).read(answers, n_draws=4000, random_state=0)
    np.testing.assert_allclose(draws[:, :30].mean(axis=0), held[:30], atol=0.03)
    assert np.isnan(held[30:]).all()


def test_an_unanswered_skill_is_read_from_the_others():
    answers, _ = make_levels(300)
    first = answers.copy()
    first[0, 3:], first[1, 3:] = np.nan, np.nan
    first[0, :3], first[1, :3] = 0.2, 1.0
    held, *_ = fit_levels(first, Q).read(first[:2], n_draws=1, random_state=0)
    assert held[0, 1] < 0.35 < 0.65 < held[1, 1]


# -- what levels are like among everybody --------------------------------------------------

MISSING = np.nan


def test_moments_are_those_the_answers_were_made_with():
    rng = np.random.default_rng(0)
    made_with = np.array([[0.03, 0.015], [0.015, 0.05]])
    level = rng.multivariate_normal([0.4, 0.6], made_with, size=20_000)
    answers = level @ Q.T + rng.normal(scale=[0.1, 0.1, 0.1, 0.3, 0.3, 0.3], size=(20_000, 6))
    answers[:10_000, 2] = MISSING
    model = fit_levels(answers, Q)
    np.testing.assert_allclose(model.usual, [0.4, 0.4, 0.4, 0.6, 0.6, 0.6], atol=0.01)
    np.testing.assert_allclose(model.mean, [0.4, 0.6], atol=0.01)
    np.testing.assert_allclose(model.noise, [0.01, 0.09], rtol=0.03)
    np.testing.assert_allclose(model.covariance, made_with, atol=0.002)


def test_a_skill_without_items_has_no_mean_and_an_item_without_answers_does_not_count():
    q = np.array([[1, 0], [1, 0], [1, 0]])
    model = fit_levels(np.array([[1.0, 0.5, MISSING], [0.0, MISSING, MISSING]]), q)
    np.testing.assert_array_equal(model.mean, [0.5, MISSING])
    # One answer, on an item that came out as its skill did: as hard as usual.
    np.testing.assert_allclose(model.usual, [0.5, 0.5, 0.5])


def test_a_student_is_read_apart_from_what_is_usual_on_the_items_answered():
    answers = np.array([[0.9, MISSING, 0.2], [MISSING, MISSING, 0.1], [0.5, 0.1, MISSING]])
    usual, q = np.array([0.7, 0.5, 0.3]), np.array([[1, 0], [1, 0], [1, 1]])
    n, apart = shares_apart(answers, usual, q)
    assert n.tolist() == [[2, 1], [1, 1], [2, 0]]
    np.testing.assert_allclose(apart, [[0.05, -0.1], [-0.2, -0.2], [-0.3, 0.0]])


def test_noise_is_how_a_students_answers_differ_and_a_skill_without_doubles_borrows_it():
    # Skill a: differences of 0.2 and 0.4 within two students, 0.02 + 0.08 on 2 degrees of
    # freedom. Skill b: one answer each, so that all it has is the twenty degrees borrowed.
    rest = np.array([[0.3, 0.1, 0.5], [-0.3, 0.1, -0.5]])
    q, n = np.array([[1, 0], [1, 0], [0, 1]]), np.array([[2, 1], [2, 1]])
    np.testing.assert_allclose(_noise(rest, q, n), [0.05, 0.05])
    rest[:, 2] = 0.5, 0.0
    q, n = np.array([[1, 0], [1, 0], [0, 1]]), np.array([[2, 3], [2, 1]])
    # Now b counts three answers of one student: 0.25 - 0.25 / 3 on 2 degrees; pooled 4.
    pooled = (0.1 + 0.25 - 0.25 / 3) / 4
    expected = [(0.1 + 20 * pooled) / 22, (0.25 - 0.25 / 3 + 20 * pooled) / 22]
    np.testing.assert_allclose(_noise(rest, q, n), expected)


def test_without_a_second_answer_anywhere_the_noise_is_that_of_a_coin():
    assert _noise(np.array([[0.3]]), np.array([[1]]), np.array([[1]])).tolist() == [0.25]


def test_two_hundred_students_draw_skills_half_way_towards_being_alike():
    own = np.array([[0.5, 0.1, 0.0], [0.1, 0.3, 0.2], [0.0, 0.2, 0.1]])
    alike = np.where(np.eye(3) == 1, 0.3, 0.1)
    np.testing.assert_allclose(_towards_alike(own, np.full((3, 3), 200), 200), (own + alike) / 2)
    np.testing.assert_allclose(_towards_alike(np.array([[0.4]]), np.array([[50]]), 200), [[0.4]])


def test_skills_that_nobody_answered_together_are_as_alike_as_others():
    own = np.array([[0.5, 0.1, 9.0], [0.1, 0.3, 0.2], [9.0, 0.2, 0.1]])
    both = np.array([[600, 200, 0], [200, 200, 200], [0, 200, 200]])
    drawn = _towards_alike(own, both, 200)
    variance, others = (3 * 0.5 + 0.3 + 0.1) / 5, (0.1 + 0.2) / 2
    assert drawn[0, 2] == pytest.approx(others)
    assert drawn[0, 0] == pytest.approx((600 * 0.5 + 200 * variance) / 800)
    assert drawn[0, 1] == pytest.approx((0.1 + others) / 2)
    np.testing.assert_array_equal(_towards_alike(own, np.zeros((3, 3)), 200), np.zeros((3, 3)))


def test_how_hard_an_item_is_is_seen_in_each_classroom_and_drawn_towards_its_skill():
    # Class x was asked items 0 and 1 of a skill, class y items 1 and 2, each of ten students.
    answers = np.full((20, 3), MISSING)
    answers[:10, :2], answers[10:, 1:] = [1.0, 0.8], [0.6, 0.2]
    rooms, q = np.repeat(["x", "y"], 10), np.ones((3, 1), dtype=int)
    # In x: .1 over and under .9; in y: .2 over and under .4. Ten answers stand for half.
    expected = 0.65 + np.array([10 * 0.1 / 20, 10 * (0.2 - 0.1) / 30, -10 * 0.2 / 20])
    np.testing.assert_allclose(_usual(answers, q, rooms), expected)


def test_an_item_nobody_answered_is_as_hard_as_its_skills_and_unknown_skills_say_nothing():
    answers = np.array([[0.2, 0.6, MISSING, MISSING]] * 3)
    q = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 1]])
    np.testing.assert_allclose(_usual(answers, q, np.zeros(3)), [0.2, 0.6, 0.4, MISSING])


def test_strong_classes_with_tests_of_their_own_are_not_taken_for_easy_tests():
    rng = np.random.default_rng(0)
    rooms, of_skill = np.repeat(np.arange(12), 25), np.repeat(np.eye(4, dtype=int), 4, axis=0)
    ability = rng.normal(size=12)[rooms] + rng.normal(size=300)
    level = 0.6 * ability[:, None] + 0.8 * rng.normal(size=(300, 4))
    chance = 1 / (1 + np.exp(-2 * level @ of_skill.T))
    answers = np.full((300, 12 * 16), MISSING)
    for room in range(12):
        here = np.ix_(rooms == room, np.arange(16 * room, 16 * room + 16))
        answers[here] = rng.random((25, 16)) < chance[rooms == room]
    q = np.tile(of_skill, (12, 1))

    def loss(model: LevelModel) -> float:
        held = model.read(answers, n_draws=1, random_state=0)[0]
        return float(-np.log(np.where(level > 0, held, 1 - held)).mean())

    assert loss(fit_levels(answers, q, rooms)) < loss(fit_levels(answers, q)) - 0.03


def test_a_model_is_kept_as_json_and_read_again():
    model = fit_levels(np.array([[1.0, 0.5, MISSING], [0.0, MISSING, MISSING]]), Q[:3])
    stored = json.loads(json.dumps(model.dump(), allow_nan=False))
    again = LevelModel.load(stored, model.q)
    for field in fields(LevelModel):
        found, expected = getattr(again, field.name), getattr(model, field.name)
        np.testing.assert_array_equal(found, expected)


def test_some_items_and_skills_are_read_as_among_all():
    answers, _ = make_levels(50)
    answers[:, 3:] = MISSING
    model = fit_levels(make_levels(300, seed=1)[0], Q)
    part = model.of(np.array([0, 1, 2]), np.array([0]))
    np.testing.assert_allclose(expect(part, answers[:, :3])[:, 0], expect(model, answers)[:, 0])


# One skill asked once, another that hangs together with it: by hand, from normal theory.
PAIR = LevelModel(
    q=np.array([[1, 0]]), usual=np.array([0.6]), n_answers=np.array([9]),
    mean=np.array([0.5, 0.4]), covariance=np.array([[0.04, 0.02], [0.02, 0.05]]),
    between=np.zeros((2, 2)), between_items=np.array(0.0), noise=np.array([0.04, 0.04]),
)  # fmt: skip


def test_a_level_goes_half_way_to_an_answer_that_is_as_noisy_as_levels_differ():
    levels = expect(PAIR, np.array([[1.0], [MISSING], [0.2]]))
    np.testing.assert_allclose(levels, [[0.7, 0.5], [MISSING, MISSING], [0.3, 0.3]])


def test_what_is_held_is_how_much_of_the_level_lies_above_the_cut():
    held, *_ = PAIR.read(np.array([[1.0]]), n_draws=1, random_state=0)
    spread = np.array([0.02, 0.05 - 0.02**2 / 0.08]) + LEAST_SPREAD
    above = [(0.7 - CUT) / spread[0] ** 0.5, (0.5 - CUT) / spread[1] ** 0.5]
    np.testing.assert_allclose(held, [[NormalDist().cdf(one) for one in above]])


def test_draws_hold_two_skills_together_as_often_as_their_joint_normal_says():
    model = replace(PAIR, covariance=np.array([[0.04, 0.04], [0.04, 0.05]]))
    _, draws, _ = model.read(np.array([[0.6]]), n_draws=20_000, random_state=0)
    spread = np.array([[0.02, 0.02], [0.02, 0.03]]) + LEAST_SPREAD * np.eye(2)
    both = multivariate_normal([0.5, 0.4], spread).cdf([CUT, CUT])
    assert (~draws[:, 0]).all(axis=1).mean() == pytest.approx(both, abs=0.01)


def test_anyone_is_drawn_from_all_classrooms_and_never_holds_an_unknown_skill():
    within, between = np.array([[0.04, 0.03], [0.03, 0.05]]), np.array([[0.02, 0.0], [0.0, 0.01]])
    model = replace(PAIR, covariance=within, between=between, mean=np.array([0.6, MISSING]))
    held = model.draw_anyone(n_draws=20_000, random_state=0)
    above = NormalDist().cdf((0.6 - CUT) / 0.06**0.5)
    assert held.mean(axis=0) == pytest.approx([above, 0], abs=0.01)
    both = replace(model, mean=np.array([0.6, 0.4])).draw_anyone(n_draws=20_000, random_state=0)
    lacks = multivariate_normal([0.6, 0.4], within + between).cdf([CUT, CUT])
    assert (~both).all(axis=1).mean() == pytest.approx(lacks, abs=0.01)


def test_draws_are_the_same_for_the_same_seed_and_not_for_another():
    answers = np.array([[0.6], [MISSING]])
    first, again, other = (
        PAIR.read(answers, n_draws=50, random_state=seed)[1] for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()
    assert not first[:, 1].any()


@pytest.mark.parametrize(("n_graded", "weight"), [(0, 1 / 3), (1, 2 / 3), (2, 1), (4, 1)])
def test_the_more_answers_are_graded_the_more_levels_weigh(n_graded, weight):
    answers = np.array([*[0.5] * n_graded, *[1.0, 0.0] * 4, MISSING, MISSING])[:8]
    assert weight_of_levels(np.append(answers, MISSING)[None]) == pytest.approx(weight)


def test_without_answers_levels_weigh_the_least():
    assert weight_of_levels(np.array([[MISSING]])) == pytest.approx(1 / 3)


# -- classrooms ---------------------------------------------------------------------------


def test_what_two_who_sit_together_share_on_two_items_lies_between_classrooms():
    # Of one skill, two items: two of class x are .2 and .4 above on each, the three of y .3
    # below on the first and .1 below on the second, which one of them did not answer.
    rest = np.array([[0.2, 0.2], [0.4, 0.4], [-0.3, -0.1], [-0.3, -0.1], [-0.3, 0.0]])
    seen = np.ones((5, 2), dtype=bool)
    seen[4, 1] = False
    rooms, q = np.array(["x", "x", "y", "y", "y"]), np.ones((2, 1), dtype=int)
    # Pairs of students on two items: in x two, both ways; in y two whole ones and two halves.
    on_two = (4 * 0.2 * 0.4 + (4 + 4) * 0.3 * 0.1) / 12
    between, between_items = _between(rest, seen, q, rooms)
    np.testing.assert_allclose(between, [[on_two]])
    # On one: in x two pairs, both ways, on each; in y three on the first and one on the second.
    on_one = (4 * 0.2 * 0.4 + 6 * 0.3 * 0.3 + 2 * 0.1 * 0.1) / 12
    assert between_items == pytest.approx(on_one - on_two)
    assert _between(rest, seen, q, np.arange(5))[0].tolist() == [[0]]


def test_items_that_a_class_met_before_do_not_show_that_it_holds_the_skill():
    rng = np.random.default_rng(2)
    rooms, of_skill = np.repeat(np.arange(300), 10), np.repeat(np.eye(3, dtype=int), 4, axis=0)
    level = 0.5 + 0.1 * rng.normal(size=(300, 3))[rooms]
    met = 0.2 * rng.normal(size=(300, 12))[rooms]
    answers = level @ of_skill.T + met + 0.2 * rng.normal(size=(3000, 12))
    model = fit_levels(answers, of_skill, rooms)
    assert np.diag(model.between) == pytest.approx(0.01, rel=0.25)
    assert model.between_items == pytest.approx(0.04, rel=0.1)
    # Many students answered, but only four items: half of what they show of a class is theirs.
    found = np.polyfit(level.ravel() - 0.5, expect(model, answers, rooms).ravel() - 0.5, 1)[0]
    assert 0.3 < found < 0.7
    sure = replace(model, between_items=np.array(0.0))
    error = [np.square(expect(one, answers, rooms) - level).mean() for one in (model, sure)]
    assert error[0] < 0.8 * error[1]


@pytest.mark.parametrize("of_the_item", [0.0, 0.02])
def test_a_classrooms_others_move_what_is_expected_of_a_student_as_normal_theory_says(of_the_item):
    between = np.array([[0.06, 0.0], [0.0, 0.0]])
    model = replace(PAIR, between=between, between_items=np.array(of_the_item))
    answers = np.array([[0.6], [1.0], [1.0], [0.2]])
    # Two others are .4 above what is usual; each is as noisy as students and answers are, and
    # both were asked the same item.
    error = (0.04 + 0.04) / 2 + of_the_item
    shift = 0.06 / (0.06 + error) * 0.4
    doubt = 0.06 - 0.06**2 / (0.06 + error)
    own = (0.04 + doubt) / (0.04 + doubt + 0.04) * (0 - shift)
    levels = expect(model, answers, np.array(["x", "x", "x", "y"]))
    assert levels[0, 0] == pytest.approx(0.5 + shift + own)
    alone = expect(model, answers)
    np.testing.assert_allclose(levels[3], alone[3])
    total = replace(model, covariance=model.covariance + model.between, between=np.zeros((2, 2)))
    np.testing.assert_allclose(alone, expect(total, answers))


def test_a_class_that_was_never_taught_a_skill_is_read_as_lacking_it():
    rng = np.random.default_rng(1)
    rooms, of_skill = np.repeat(np.arange(40), 25), np.repeat(np.eye(6, dtype=int), 4, axis=0)
    share = np.full((1000, 6), 0.65)
    share[:25, 0] = 0.1
    answers = (rng.random((1000, 24)) < share @ of_skill.T).astype(float)
    model = fit_levels(answers, of_skill, rooms)
    held = model.read(answers, rooms, n_draws=1, random_state=0)[0]
    assert held[:25, 0].max() < 0.5
    assert held[:25, 1:].min() > 0.5
    # Who does not know who sits together takes it for bad luck.
    assert model.read(answers, n_draws=1, random_state=0)[0][:25, 0].mean() > 0.5
