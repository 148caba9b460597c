"""One lesson is compared with groups as if its skill had more items than it has."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from _levels import levels_of
from analysis.grouping import SkillNeedGroups, form_groups, read_classroom
from analysis.grouping.planning import least_gain
from analysis.grouping.sampling import drawn_together, trust_in_means

TWO_EACH = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])


def test_a_mean_that_its_items_agree_on_is_trusted():
    assert trust_in_means(np.array([1, 1, 0, 0.0]), TWO_EACH).tolist() == [1, 1]


def test_means_that_differ_no_more_than_items_do_are_not_trusted():
    assert trust_in_means(np.array([1, 0, 0, 1.0]), TWO_EACH).tolist() == [0, 0]


def test_a_skill_of_more_items_is_trusted_more():
    usual = np.array([0.9, 0.2, 0.3, 0.4, 0.25])
    q = np.array([[1, 0], [0, 1], [0, 1], [0, 1], [0, 1]])
    few, many = trust_in_means(usual, q)
    # Four items vary by .0219/3 around their mean; means differ by .6125.
    within = 0.021875 / 3
    between = 0.6125**2 / 2 - within * (1 + 1 / 4) / 2
    assert few == pytest.approx(between / (between + within))
    assert many == pytest.approx(between / (between + within / 4))


def test_without_two_items_of_any_skill_every_mean_is_taken_as_it_is():
    assert trust_in_means(np.array([1, 0.0]), np.eye(2)).tolist() == [1, 1]


def test_items_nobody_answered_say_nothing():
    unseen = np.array([1, 1, 0, 0, np.nan])
    q = np.vstack([TWO_EACH, [[1, 0]]])
    assert trust_in_means(unseen, q).tolist() == [1, 1]


def test_all_items_alike_leave_nothing_to_mistrust():
    assert trust_in_means(np.full(4, 0.5), TWO_EACH).tolist() == [1, 1]


def test_untrusted_means_become_the_mean_of_all_and_students_keep_their_distance():
    drawn = drawn_together(np.array([[0.1, 0.6], [0.3, 0.8]]), np.zeros(2))
    assert drawn.mean(axis=0) == pytest.approx([0.45, 0.45])
    assert drawn[1] - drawn[0] == pytest.approx([0.2, 0.2])
    assert drawn_together(np.zeros((2, 0)), np.zeros(0)).shape == (2, 0)


def a_class(n_students=12) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Half lack a and the others b; nearly all seem to lack c, which had one hard item."""
    students = [f"s{i:02d}" for i in range(n_students)]
    mastery = pd.DataFrame(
        {
            "a": [0.2, 0.8] * (n_students // 2),
            "b": [0.8, 0.2] * (n_students // 2),
            "c": [0.25] * n_students,
        },
        index=students,
    )
    tidy = mastery.rename_axis("student_id").reset_index()
    tidy = tidy.melt("student_id", var_name="skill_id", value_name="mastery")
    roster = pd.DataFrame({"student_id": students, "classroom_id": "4a"})
    return tidy.assign(window="fall", n_items=2), roster


def test_a_lesson_that_one_hard_item_speaks_for_does_not_beat_groups():
    classroom = read_classroom(*a_class(), "4a", "fall")
    groups = SkillNeedGroups(focus_excluded=[2]).fit(classroom.mastery, value=classroom.value)
    assert least_gain(classroom, groups, []) == pytest.approx(0.8 - 0.75)
    mistrusted = replace(classroom, trust=np.array([1, 1, 0.0]))
    # The means are .5, .5 and .75: c counts as their mean.
    assert least_gain(mistrusted, groups, []) == pytest.approx(0.8 - 1.75 / 3)


def test_what_the_class_is_taught_anyway_is_not_among_the_lessons_compared():
    classroom = replace(read_classroom(*a_class(), "4a", "fall"), trust=np.zeros(3))
    groups = SkillNeedGroups(focus_excluded=[2]).fit(classroom.mastery, value=classroom.value)
    assert least_gain(classroom, groups, [2]) == pytest.approx(0.8 - 0.5)


def test_levels_tell_how_far_a_skill_is_to_be_trusted():
    mastery, roster = a_class()
    shares = mastery.loc[mastery.index.repeat(2), ["student_id", "skill_id", "window"]]
    form = np.tile([0, 1], len(mastery))
    shares = shares.assign(observation_id=shares["skill_id"] + form.astype(str))
    # Of each skill everyone has one item right and one wrong: skills are all alike.
    levels = levels_of(shares.assign(share=form))
    classroom = read_classroom(*a_class(), "4a", "fall", levels=levels)
    assert classroom.trust.tolist() == [0, 0, 0]
    assert read_classroom(*a_class(), "4a", "fall").trust.tolist() == [1, 1, 1]
    form_groups(mastery, roster, classroom_id="4a", window="fall", levels=levels)
