"""The second reading: levels, their cut, and what the two readings decide together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.grouping import form_groups
from analysis.grouping.levels import CUT, fit_levels, read_shares

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
