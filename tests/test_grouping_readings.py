"""What the two readings of the evidence decide together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from _levels import levels_of
from analysis.grouping import form_groups


def make_class(mastery_of: dict, share_of: dict, kinds: str = "aaaaaabbbbbb"):
    """Return tables of twelve students, each of kind a or b."""
    kinds = dict(zip([f"s{i:02}" for i in range(12)], kinds, strict=True))
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
    grouping = form_groups(
        mastery, roster, classroom_id="4a", window="fall", levels=levels_of(shares)
    )
    assert grouping.supports_groups == pays


@pytest.mark.parametrize(("low", "high", "separate"), [(0.25, 0.75, True), (0.0, 1.0, False)])
def test_of_graded_ratings_a_model_of_had_or_not_has_no_say(low, high, separate):
    rated = {"a": {"a": low, "b": high}, "b": {"a": high, "b": low}}
    mastery, roster, shares = make_class(SPLIT, rated)
    known = {"classroom_id": "4a", "window": "fall", "levels": levels_of(shares)}
    grouping = form_groups(mastery, roster, **known, supports_skill_groups=False)
    assert grouping.supports_groups == separate


def test_a_need_lies_between_both_readings():
    mastery, roster, shares = make_class(SPLIT, SPLIT)
    alone = form_groups(mastery, roster, classroom_id="4a", window="fall")
    both = form_groups(mastery, roster, classroom_id="4a", window="fall", levels=levels_of(shares))
    assert (both.groups["need"] != alone.groups["need"]).all()
    assert (both.groups["need"] - alone.groups["need"]).abs().max() < 0.5


@pytest.mark.parametrize("kept", [[], ["a"]])
def test_where_levels_know_nothing_the_mastery_model_stands_alone(kept):
    mastery, roster, shares = make_class(SPLIT, SPLIT)
    known = {"classroom_id": "4a", "window": "fall"}
    alone = form_groups(mastery, roster, **known)
    some = form_groups(
        mastery, roster, **known, levels=levels_of(shares[shares["skill_id"].isin(kept)])
    )
    of_b = some.groups["focus_skill_id"] == "b"
    pd.testing.assert_series_equal(some.groups["need"][of_b], alone.groups["need"][of_b])


def lesson(lacking: int, **known) -> str:
    """Return the lesson of a class of twelve: so many lack b but not a, the others a but not b."""
    kinds = "b" * lacking + "a" * (12 - lacking)
    right_or_wrong = {"a": {"a": 0, "b": 1}, "b": {"a": 1, "b": 0}}
    mastery, roster, shares = make_class(SPLIT, right_or_wrong, kinds)
    levels = levels_of(shares)._replace(**known)
    grouping = form_groups(
        mastery, roster, classroom_id="4a", window="fall", levels=levels,
        supports_skill_groups=False,
    )  # fmt: skip
    return "".join(grouping.focus["focus_skill_id"].unique())


OF_A = np.tile([[False, True], [True, True]], (50, 1))
"""Everywhere half of the students lack a, and none b."""


@pytest.mark.parametrize(("lacking", "taught"), [(5, "a"), (6, "a"), (9, "b"), (12, "b")])
def test_a_class_departs_from_the_lesson_of_all_for_a_student_more_not_for_less(lacking, taught):
    assert lesson(lacking, anyone=OF_A) == taught


def test_a_lesson_everywhere_is_on_what_anyone_is_ready_for_and_what_is_known():
    assert lesson(6, anyone=~OF_A) == "b"
    assert lesson(7, anyone=OF_A, mean=np.full(2, np.nan)) == "b"
