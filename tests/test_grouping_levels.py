"""The second reading: levels, their cut, and what the two readings decide together."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from analysis.errors import DataError
from analysis.grouping import form_groups
from analysis.grouping.levels import (
    CUT,
    LEAST_SPREAD,
    LevelModel,
    _noise,
    _shares_apart,
    _towards_one_ability,
    fit_levels,
    read_shares,
    weight_of_levels,
)
from conftest import table

Q = np.repeat(np.eye(2, dtype=int), 3, axis=0)


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
    held, _ = fit_levels(answers, Q).read(answers, n_draws=1, random_state=0)
    said = (held > 0.7) & (held < 0.9)
    assert (level > CUT)[said].mean() == pytest.approx(held[said].mean(), abs=0.05)


def test_draws_agree_with_the_probabilities_and_hang_together():
    answers, _ = make_levels(60)
    answers[:, 3:] = np.nan
    answers[30:, :] = np.nan
    answers[0, 3:] = 0.5
    held, draws = fit_levels(answers, Q).read(answers, n_draws=4000, random_state=0)
    np.testing.assert_allclose(draws[:, :30].mean(axis=0), held[:30], atol=0.03)
    assert np.isnan(held[30:]).all()


def test_an_unanswered_skill_is_read_from_the_others():
    answers, _ = make_levels(300)
    first = answers.copy()
    first[0, 3:], first[1, 3:] = np.nan, np.nan
    first[0, :3], first[1, :3] = 0.2, 1.0
    held, _ = fit_levels(first, Q).read(first[:2], n_draws=1, random_state=0)
    assert held[0, 1] < 0.35 < 0.65 < held[1, 1]


def test_shares_become_answers_with_an_item_for_each_source():
    shares = pd.DataFrame(
        {
            "student_id": ["s2", "s1", "s1"],
            "skill_id": ["a", "a", "b"],
            "window": ["fall"] * 3,
            "source": ["x", "y", "y"],
            "observation_id": ["i1", "i1", "i1"],
            "share": [1.0, 0.5, 0.5],
        }
    )
    answers, q, students = read_shares(shares, "fall", ["a", "b"])
    assert students == ["s1", "s2"]
    np.testing.assert_array_equal(answers, [[np.nan, 0.5], [1.0, np.nan]])
    assert q.tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("change", "said"), [({"share": [50.0]}, "outside 0 to 1"), (None, "no column share")]
)
def test_shares_that_are_none_are_refused(change, said):
    shares = pd.DataFrame(
        {"student_id": ["s"], "skill_id": ["a"], "window": ["w"], "observation_id": ["i"]}
    )
    with pytest.raises(DataError, match=said):
        read_shares(shares if change is None else shares.assign(**change), "w", ["a"])


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
    np.testing.assert_array_equal(model.usual, [0.5, 0.5, 0.0])


def test_a_student_is_read_apart_from_what_is_usual_on_the_items_answered():
    answers = np.array([[0.9, MISSING, 0.2], [MISSING, MISSING, 0.1], [0.5, 0.1, MISSING]])
    usual, q = np.array([0.7, 0.5, 0.3]), np.array([[1, 0], [1, 0], [1, 1]])
    n, apart = _shares_apart(answers, usual, q)
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
    np.testing.assert_allclose(_towards_one_ability(own, 200), (own + alike) / 2)
    np.testing.assert_allclose(_towards_one_ability(own, 0), alike)
    np.testing.assert_allclose(_towards_one_ability(np.array([[0.4]]), 50), [[0.4]])


# One skill asked once, another that hangs together with it: by hand, from normal theory.
PAIR = LevelModel(
    q=np.array([[1, 0]]), usual=np.array([0.6]), mean=np.array([0.5, 0.4]),
    covariance=np.array([[0.04, 0.02], [0.02, 0.05]]), noise=np.array([0.04, 0.04]),
)  # fmt: skip


def test_a_level_goes_half_way_to_an_answer_that_is_as_noisy_as_levels_differ():
    levels = PAIR.expect(np.array([[1.0], [MISSING], [0.2]]))
    np.testing.assert_allclose(levels, [[0.7, 0.5], [MISSING, MISSING], [0.3, 0.3]])


def test_what_is_held_is_how_much_of_the_level_lies_above_the_cut():
    held, _ = PAIR.read(np.array([[1.0]]), n_draws=1, random_state=0)
    spread = np.array([0.02, 0.05 - 0.02**2 / 0.08]) + LEAST_SPREAD
    above = [(0.7 - CUT) / spread[0] ** 0.5, (0.5 - CUT) / spread[1] ** 0.5]
    np.testing.assert_allclose(held, [[NormalDist().cdf(one) for one in above]])


def test_draws_hold_two_skills_together_as_often_as_their_joint_normal_says():
    model = replace(PAIR, covariance=np.array([[0.04, 0.04], [0.04, 0.05]]))
    _, draws = model.read(np.array([[0.6]]), n_draws=20_000, random_state=0)
    spread = np.array([[0.02, 0.02], [0.02, 0.03]]) + LEAST_SPREAD * np.eye(2)
    both = multivariate_normal([0.5, 0.4], spread).cdf([CUT, CUT])
    assert (~draws[:, 0]).all(axis=1).mean() == pytest.approx(both, abs=0.01)


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


SHARES = table("""
    | student_id | skill_id | window | observation_id | share |
    | s2         | a        | fall   | i2             | 0.25  |
    | s1         | a        | fall   | i1             | 1     |
    | s1         | b        | fall   | i2             | 0     |
    | s1         | a        | winter | i3             | 0.5   |
    | s3         | other    | fall   | i1             | 0.5   |
    | s4         | a        | fall   | i1             |       |
""").astype({"share": float})  # fmt: skip


def test_only_shares_of_the_window_and_the_skills_are_read():
    answers, q, students = read_shares(SHARES, "fall", ["b", "a"])
    assert students == ["s1", "s2"]
    np.testing.assert_array_equal(answers, [[1, 0], [MISSING, 0.25]])
    assert q.tolist() == [[0, 1], [1, 1]]


def test_a_window_without_shares_is_no_error():
    answers, q, students = read_shares(SHARES, "spring", ["a", "b"])
    assert (answers.shape, q.shape, students) == ((0, 0), (0, 2), [])


def make_class(mastery_of: dict, share_of: dict):
    """Return tables of twelve students: six of kind a, six of kind b."""
    kinds = dict(zip([f"s{i:02}" for i in range(12)], "aaaaaabbbbbb", strict=True))
    cells = [(s, k, mastery_of[kind][k]) for s, kind in kinds.items() for k in "ab"]
    mastery = pd.DataFrame(cells, columns=["student_id", "skill_id", "mastery"])
    shares = pd.DataFrame(
        [
            (s, k, f"{k}{i}", share_of[kind][k])
            for s, kind in kinds.items()
            for k in "ab"
            for i in "12"
        ],
        columns=["student_id", "skill_id", "observation_id", "share"],
    )
    roster = pd.DataFrame({"student_id": list(kinds), "classroom_id": "4a"})
    return mastery.assign(window="fall", n_items=2), roster, shares.assign(window="fall")


SPLIT = {"a": {"a": 0.1, "b": 0.9}, "b": {"a": 0.9, "b": 0.1}}
ALIKE = {"a": {"a": 0.1, "b": 0.9}, "b": {"a": 0.1, "b": 0.9}}


@pytest.mark.parametrize(("share_of", "pays"), [(SPLIT, True), (ALIKE, False)])
def test_groups_are_formed_only_where_both_readings_say_that_they_pay(share_of, pays):
    mastery, roster, shares = make_class(SPLIT, share_of)
    grouping = form_groups(mastery, roster, classroom_id="4a", window="fall", shares=shares)
    assert grouping.supports_groups == pays


@pytest.mark.parametrize(("low", "high", "separate"), [(0.25, 0.75, True), (0.0, 1.0, False)])
def test_of_graded_ratings_a_model_of_had_or_not_has_no_say(low, high, separate):
    rated = {"a": {"a": low, "b": high}, "b": {"a": high, "b": low}}
    mastery, roster, shares = make_class(SPLIT, rated)
    known = {"classroom_id": "4a", "window": "fall", "shares": shares}
    grouping = form_groups(mastery, roster, **known, supports_skill_groups=False)
    assert grouping.supports_groups == separate


def test_a_need_lies_between_both_readings():
    mastery, roster, shares = make_class(SPLIT, SPLIT)
    alone = form_groups(mastery, roster, classroom_id="4a", window="fall")
    both = form_groups(mastery, roster, classroom_id="4a", window="fall", shares=shares)
    assert (both.groups["need"] != alone.groups["need"]).all()
    assert (both.groups["need"] - alone.groups["need"]).abs().max() < 0.5


@pytest.mark.parametrize("kept", [[], ["a"]])
def test_where_there_are_no_shares_the_mastery_model_stands_alone(kept):
    mastery, roster, shares = make_class(SPLIT, SPLIT)
    known = {"classroom_id": "4a", "window": "fall"}
    alone = form_groups(mastery, roster, **known)
    some = form_groups(mastery, roster, **known, shares=shares[shares["skill_id"].isin(kept)])
    of_b = some.groups["focus_skill_id"] == "b"
    pd.testing.assert_series_equal(some.groups["need"][of_b], alone.groups["need"][of_b])
