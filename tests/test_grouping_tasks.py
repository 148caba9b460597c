"""Tasks that ask for several skills: who would miss more of a skill's tasks goes first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from _levels import levels_of
from analysis.grouping import GroupRules, form_groups
from analysis.grouping.tasks import left_to_gain, worth_of_seats
from analysis.mastery.level_fitting import fit_levels

LEVELS = np.array([[0.2, 0.9], [0.8, 0.9], [np.nan, 0.5]])
TASKS = np.array([[1, 0], [1, 1], [1, 1], [0, 1], [0, 1]])
"""Two of the three tasks of the first skill ask for the second too."""


def test_where_each_task_asks_for_one_skill_value_decides_alone():
    value = np.array([[0.3, 0.7], [0.6, 0.1]])
    left = left_to_gain(LEVELS[:2], np.eye(2, dtype=int))
    np.testing.assert_array_equal(worth_of_seats(value, left), value)


def test_tasks_of_several_skills_count_by_their_share():
    left = left_to_gain(LEVELS, TASKS)
    np.testing.assert_allclose(left[:, 0], [1 - 2 / 3 * 0.2, 1 - 2 / 3 * 0.8, 1])
    np.testing.assert_allclose(left[:, 1], [1 - 0.5 * 0.9, 1 - 0.5 * 0.9, 1 - 0.5 * 0.5])


def test_worth_keeps_every_rule_that_value_must_keep():
    rng = np.random.default_rng(0)
    value, left = rng.random((2, 30, 6))
    assert (worth_of_seats(value, left) <= value).all()


def test_the_expected_level_is_between_the_students_share_and_what_is_usual():
    answers = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 0], [np.nan] * 4] * 10)
    model = fit_levels(answers, np.repeat(np.eye(2, dtype=int), 2, axis=0))
    levels = model.read(answers, n_draws=0, random_state=0)[2]
    usual = answers[:3].mean(axis=0).reshape(2, 2).mean(axis=1)
    for student, share in ((0, 1), (1, 0)):
        between = np.sort(np.column_stack([usual, [share, share]]), axis=1).T
        np.testing.assert_array_less(between[0], levels[student])
        np.testing.assert_array_less(levels[student], between[1])
    np.testing.assert_array_equal(np.isnan(levels[3]), True)


@pytest.fixture
def two_kinds_of_need() -> dict:
    """Six who as likely lack both skills; only the last three miss tasks that ask for both."""
    students = [f"s{i}" for i in range(6)]
    mastery = pd.DataFrame(
        [(s, k, 0.4 if k == "a" else 0.45) for s in students for k in "ab"],
        columns=["student_id", "skill_id", "mastery"],
    ).assign(window="fall", n_items=4)
    shares = pd.DataFrame(
        [
            (s, k, f"i{j}", float(i < 3))
            for i, s in enumerate(students)
            for j in range(4)
            for k in "ab"
        ],
        columns=["student_id", "skill_id", "observation_id", "share"],
    ).assign(window="fall")
    roster = pd.DataFrame({"student_id": students, "classroom_id": "4a"})
    return {"mastery": mastery, "levels": levels_of(shares), "roster": roster}


def test_of_six_with_like_needs_those_who_miss_the_tasks_get_the_one_group(two_kinds_of_need):
    rules = GroupRules(n_groups=1, max_size=3, whole_class_share=1.0)
    known = dict.fromkeys(["classroom_id"], "4a") | {"window": "fall", "rules": rules}
    grouping = form_groups(**two_kinds_of_need, **known)
    seated = grouping.groups.dropna(subset=["group"])["student_id"].tolist()
    assert sorted(seated) == ["s3", "s4", "s5"]


def test_what_is_said_is_the_share_on_target_and_not_what_they_were_chosen_by(two_kinds_of_need):
    rules = GroupRules(n_groups=1, max_size=6, whole_class_share=1.0)
    grouping = form_groups(**two_kinds_of_need, classroom_id="4a", window="fall", rules=rules)
    on_target = (grouping.groups["need"] * grouping.groups["ready"]).sum() / 6
    assert grouping.expected_on_target == pytest.approx(on_target, abs=1e-6)
