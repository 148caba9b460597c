"""MasteryModel against brute force, and its promises as an estimator."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.utils.estimator_checks import check_estimator

from analysis.errors import DataError
from analysis.mastery import MasteryModel
from analysis.mastery.factor import GRID
from analysis.mastery.higher_order import fit_higher_order
from analysis.mastery.profile import ProfileModel, fit_profiles
from analysis.mastery.responses import as_rows, distinct_rows
from analysis.mastery.structure import list_profiles, read_prerequisites

Q = np.array(
    [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]]
)
CHAIN = [(0, 1), (1, 2)]


def draw_answers(n=120, q=Q, seed=0, slip=0.1, guess=0.15):
    rng = np.random.default_rng(seed)
    held = rng.normal(size=(n, 1)) + rng.normal(size=(n, q.shape[1])) > 0
    able = (~held @ q.T) == 0
    return (rng.random((n, len(q))) < np.where(able, 1 - slip, guess)).astype(float), held


def brute_force(model, row):
    """P(every profile | one row), summed over the ability grid, one number at a time."""
    fitted, before = model.skill_model_, model.prerequisites_
    n_skills = len(before)
    joint = {}
    for bits in itertools.product([0, 1], repeat=n_skills):
        p = prior_of(bits, fitted.skills, before)
        if isinstance(fitted, ProfileModel):
            where = [
                i
                for i, profile in enumerate(fitted.profiles.astype(int).tolist())
                if tuple(profile) == bits
            ]
            if not where:
                continue
            p *= fitted.lift[where[0]]
            log_right, log_wrong = (
                fitted.success.right[:, where[0]],
                fitted.success.wrong[:, where[0]],
            )
        else:
            held = np.array(bits)[fitted.item_skill]
            items = np.arange(len(held))
            log_right, log_wrong = (
                fitted.success.right[items, held],
                fitted.success.wrong[items, held],
            )
        for y, right, wrong in zip(row, log_right, log_wrong, strict=True):
            if not np.isnan(y):
                p *= np.exp(y * right + (1 - y) * wrong)
        joint[bits] = p
    total = sum(joint.values())
    return {bits: p / total for bits, p in joint.items()}


def prior_of(bits, skills, before):
    density = np.exp(-(GRID**2) / 2)
    total = 0.0
    for node, weight in zip(GRID, density / density.sum(), strict=True):
        p = weight
        for k, bit in enumerate(bits):
            chance = np.clip(expit(skills.slope[k] * node + skills.easiness[k]), 1e-4, 1 - 1e-4)
            if not all(bits[j] for j in np.flatnonzero(before[:, k])):
                chance = 0.0
            p *= chance if bit else 1 - chance
        total += p
    return total


ONE_SKILL_Q = np.repeat(np.eye(3, dtype=int), 3, axis=0)


def fit_without_listing(q, prerequisites, answers):
    """A MasteryModel whose profiles are not listed, as with more than eight skills."""
    model = MasteryModel(q, prerequisites).fit(answers)
    rows = distinct_rows(answers, np.zeros(len(answers), int), 1, np.ones(len(q)))
    model.skill_model_, *_ = fit_higher_order(rows, model.q_matrix_, model.prerequisites_)
    return model


@pytest.mark.parametrize("prerequisites", [None, CHAIN, [(0, 2)]], ids=["none", "chain", "one"])
@pytest.mark.parametrize("listed", [True, False], ids=["exact profiles", "one skill at a time"])
def test_mastery_is_the_posterior_summed_by_hand(prerequisites, listed):
    q = Q if listed else ONE_SKILL_Q
    answers, _ = draw_answers(q=q)
    answers[0, :3] = np.nan, 0.25, 0.5
    model = (
        MasteryModel(q, prerequisites).fit(answers)
        if listed
        else fit_without_listing(q, prerequisites, answers)
    )
    mastery = model.transform(answers[:4])
    for row, found in zip(answers[:4], mastery, strict=True):
        joint = brute_force(model, row)
        by_hand = sum(p * np.array(bits) for bits, p in joint.items())
        np.testing.assert_allclose(found, by_hand, atol=1e-10)


@pytest.mark.parametrize("listed", [True, False], ids=["exact profiles", "one skill at a time"])
def test_draws_follow_the_joint_posterior(listed):
    q = Q if listed else ONE_SKILL_Q
    answers, _ = draw_answers(q=q, slip=0.3, guess=0.3)
    model = (
        MasteryModel(q, CHAIN).fit(answers) if listed else fit_without_listing(q, CHAIN, answers)
    )
    n_draws = 8000
    drawn = model.sample_profiles(answers[:1], n_draws, random_state=1)[:, 0].astype(int)
    share = pd.Series(map(tuple, drawn)).value_counts(normalize=True)
    for bits, p in brute_force(model, answers[0]).items():
        assert abs(share.get(bits, 0.0) - p) < 4 * np.sqrt(p * (1 - p) / n_draws) + 1e-3


def test_the_most_probable_profile_is_the_joint_one():
    answers, _ = draw_answers(slip=0.3, guess=0.3)
    model = MasteryModel(Q).fit(answers)
    found = model.predict_profiles(answers[:10])
    for row, profile in zip(answers[:10], found, strict=True):
        joint = brute_force(model, row)
        assert tuple(profile.astype(int)) == max(joint, key=joint.get)


def test_both_models_agree_where_both_are_exact():
    answers, _ = draw_answers(n=4000, q=ONE_SKILL_Q)
    exact = MasteryModel(ONE_SKILL_Q).fit(answers)
    by_skill = fit_without_listing(ONE_SKILL_Q, None, answers)
    assert np.abs(exact.transform(answers) - by_skill.transform(answers)).mean() < 0.01


def test_it_finds_the_skills_of_a_test_it_can_know():
    answers, held = draw_answers(n=400, slip=0.05, guess=0.1)
    found = MasteryModel(Q).fit(answers).predict_profiles(answers)
    assert (found == held).all(axis=1).mean() > 0.85


def test_prerequisites_are_respected():
    answers, _ = draw_answers()
    found = MasteryModel(Q, CHAIN).fit(answers).predict_profiles(answers)
    assert (found[:, 1:] <= found[:, :-1]).all()


def test_ready_is_the_probability_of_the_prerequisite():
    answers, _ = draw_answers()
    model = MasteryModel(Q, CHAIN).fit(answers)
    mastery, ready = model.transform(answers), model.ready(answers)
    np.testing.assert_allclose(ready[:, 0], 1)
    np.testing.assert_allclose(ready[:, 1:], mastery[:, :-1], atol=1e-12)


def as_names(pairs):
    return [("abc"[first], "abc"[then]) for first, then in pairs]


@pytest.mark.parametrize(
    "prerequisites",
    [
        as_names(CHAIN),
        {"b": ["a"], "c": ["b"]},
        {1: [0], 2: [1]},
        np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=bool),
        pd.DataFrame(as_names(CHAIN)),
        CHAIN,
    ],
    ids=["names", "mapping", "numbers", "matrix", "frame", "pairs"],
)
def test_prerequisites_may_be_given_in_any_form(prerequisites):
    found = read_prerequisites(prerequisites, ["a", "b", "c"])
    assert np.argwhere(found).tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("prerequisites", "said"),
    [([(0, 1), (1, 0)], "go in a circle: 0 -> 1 -> 0"), ([(0, 9)], "no skill '9'")],
)
def test_faulty_prerequisites_are_refused(prerequisites, said):
    with pytest.raises(DataError, match=said):
        MasteryModel(Q, prerequisites).fit(draw_answers()[0])


@pytest.mark.parametrize(
    ("q", "said"),
    [
        (np.vstack([Q[:-1], 0 * Q[:1]]), "item 8 asks for no skill"),
        (np.column_stack([Q, 0 * Q[:, 0]]), "skill 3 has no item"),
        (Q[:-1], "answers have 8 items"),
        (Q * 2, "other than 0 and 1"),
    ],
)
def test_a_faulty_q_matrix_is_refused(q, said):
    with pytest.raises(DataError, match=said):
        MasteryModel(q).fit(draw_answers()[0])


@pytest.mark.parametrize("value", [-0.5, 1.5])
def test_answers_outside_0_to_1_are_warned_about(value):
    answers, _ = draw_answers()
    answers[2, 3] = value
    with pytest.warns(UserWarning, match=r"row 3, item 4: .* is outside 0\.\.1"):
        MasteryModel(Q).fit(answers)


@pytest.mark.parametrize("classrooms", [False, True])
def test_the_order_of_students_changes_nothing(classrooms):
    answers, _ = draw_answers()
    labels = np.arange(len(answers)) % 4 if classrooms else None
    order = np.random.default_rng(3).permutation(len(answers))
    one = MasteryModel(Q).fit(answers, labels)
    two = MasteryModel(Q).fit(answers[order], labels[order] if classrooms else None)
    np.testing.assert_array_equal(one.skill_model_.success.mean, two.skill_model_.success.mean)
    assert one.skill_share_ == two.skill_share_


def test_the_names_of_classrooms_change_nothing():
    answers, _ = draw_answers()
    labels = np.arange(len(answers)) % 3
    renamed = np.array(["z", "b", "m"])[labels]
    one = MasteryModel(Q).fit(answers, labels).transform(answers, labels)
    two = MasteryModel(Q).fit(answers, renamed).transform(answers, renamed)
    np.testing.assert_allclose(one, two, atol=1e-9)


def test_the_input_is_left_alone():
    answers, _ = draw_answers()
    answers[0, 0] = np.nan
    before = answers.copy()
    MasteryModel(Q).fit(answers).predict_responses(answers)
    np.testing.assert_array_equal(answers, before)


def test_a_student_without_answers_gets_what_is_usual():
    answers, _ = draw_answers(n=600)
    model = MasteryModel(Q).fit(answers)
    usual = model.transform(answers).mean(axis=0)
    nothing = model.transform(np.full((1, len(Q)), np.nan))[0]
    np.testing.assert_allclose(nothing, usual, atol=0.05)


@pytest.mark.parametrize("constant", [0.0, 1.0, np.nan])
def test_columns_without_variation_are_allowed(constant):
    answers, _ = draw_answers()
    answers[:, 0] = constant
    mastery = MasteryModel(Q).fit(answers).transform(answers)
    assert ((mastery >= 0) & (mastery <= 1)).all()


@pytest.mark.parametrize("n", [1, 2])
def test_very_few_students_are_allowed(n):
    answers, _ = draw_answers(n=n)
    mastery = MasteryModel(Q).fit(answers).transform(answers)
    assert ((mastery >= 0) & (mastery <= 1)).all()


def test_without_a_q_matrix_each_item_is_a_skill():
    answers, _ = draw_answers(q=np.eye(12, dtype=int))
    assert MasteryModel().fit(answers).transform(answers).shape == (120, 12)


def test_partial_credit_lies_between_wrong_and_right():
    answers, _ = draw_answers()
    model = MasteryModel(Q).fit(answers)
    same = np.tile(answers[:1], (3, 1))
    same[:, 4] = 0.0, 0.5, 1.0
    wrong, half, right = model.transform(same)[:, 2]
    assert wrong < half < right


def test_a_heavier_item_moves_more():
    answers, _ = draw_answers(slip=0.3, guess=0.3)
    same = np.tile(answers[:1], (2, 1))
    same[:, 0] = 0.0, 1.0
    move = [
        np.ptp(MasteryModel(Q, item_weight=weight).fit(answers).transform(same)[:, 0])
        for weight in (None, [3.0, 1, 1, 1, 1, 1, 1, 1])
    ]
    assert move[1] > move[0]


def test_classrooms_move_what_is_unknown():
    strong, _ = draw_answers(n=200, slip=0.05, guess=0.9)
    weak, _ = draw_answers(n=200, slip=0.8, guess=0.05, seed=1)
    answers = np.vstack([strong, weak])
    answers[[0, 200]] = np.nan
    labels = np.repeat(["strong", "weak"], 200)
    mastery = MasteryModel(Q).fit(answers, labels).transform(answers, labels)
    assert (mastery[0] > mastery[200] + 0.1).all()


def test_hidden_answers_are_predicted_from_the_others():
    answers, _ = draw_answers(n=500)
    hidden = np.random.default_rng(5).random(answers.shape) < 0.2
    shown = np.where(hidden, np.nan, answers)
    predicted = MasteryModel(Q).fit(shown).predict_responses(shown)[hidden]
    right = answers[hidden] == 1
    assert predicted[right].mean() > predicted[~right].mean() + 0.3


def test_profiles_that_break_prerequisites_are_not_listed():
    before = read_prerequisites(CHAIN, range(3))
    assert list_profiles(before).astype(int).tolist() == [
        [0, 0, 0],
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
    ]


def test_too_many_profiles_are_not_listed():
    assert list_profiles(np.zeros((9, 9), bool)) is None


def test_em_does_not_lower_the_likelihood_of_the_answers():
    answers, _ = draw_answers(n=300)
    rows = distinct_rows(answers, np.zeros(300, int), 1, np.ones(len(Q)))
    before = np.zeros((3, 3), bool)
    profiles = list_profiles(before)

    def log_likelihood(max_iter):
        model, means, _ = fit_profiles(rows, Q, before, profiles, max_iter=max_iter, tol=0)
        everyone = as_rows(answers, np.zeros(300, int), 1, np.ones(len(Q)))
        right, wrong = everyone.right_and_wrong()
        logs = right @ np.log(model.success.mean) + wrong @ np.log1p(-model.success.mean)
        return np.log(np.exp(logs) @ model.prior(means)[0]).sum()

    path = [log_likelihood(n) for n in (1, 3, 10, 40)]
    assert path == sorted(path)


# scikit-learn's checks feed any numbers and know no tag for shares of 0..1.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is outside 0..1")
def test_it_is_a_scikit_learn_estimator_without_exemption():
    check_estimator(MasteryModel(), on_skip=None)
