"""Where one more or one less decides: boundaries of the groups, from both sides."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from analysis.grouping import classical_groups
from test_grouping_placing import account, class_of_eight
from test_grouping_verdict import group, tables


@pytest.mark.parametrize(("lacks", "one_group"), [("aa", True), ("aaa", False)])
def test_a_class_as_large_as_the_smallest_group_is_not_too_few(lacks, one_group):
    assert ("everyone works as one group" in group(lacks, min_size=3).verdict) == one_group


def test_even_odds_of_a_skill_count_as_having_what_it_builds_on():
    mastery = class_of_eight().mastery.copy()
    mastery[5] = 0.95, 0.95, 0.5
    prerequisites = {"c": ["below"], "below": [], "beyond": ["a"]}
    extension = account(mastery=mastery, prerequisites=prerequisites)["extension"]
    assert extension.set_index("student_id").at["s5", "next_skill_ids"] == ("beyond",)


def test_a_class_in_which_everyone_sits_still_has_text_for_the_reasons():
    seats = SimpleNamespace(
        labels_=np.where(class_of_eight().assessed, 0, -1), focus_=np.array([0])
    )
    conference = account(seats)["conference"]
    assert len(conference) == 0
    assert conference["reason"].dtype == "str"


def test_four_clusters_are_made_unless_others_are_wanted():
    mastery = np.repeat(np.eye(6), 3, axis=0)
    assert sorted(set(classical_groups(mastery, "Ward"))) == [0, 1, 2, 3]


def test_who_all_need_every_skill_get_one_lesson_and_no_error():
    mastery, roster = tables("aaaaaa")
    grouping = group((mastery.assign(mastery=0.1), roster))
    assert not grouping.supports_groups
    assert grouping.whole_class["share"].tolist() == pytest.approx([0.9])


def test_students_as_unsure_as_each_other_are_asked_about_in_the_order_of_the_roster():
    mastery, roster = tables("ab" * 12, low=0.45, high=0.55)
    students = group((mastery, roster), least_gain=0.0, whole_class_share=1.0).check_with_teacher
    for _, alike in students.groupby("certainty", sort=False):
        places = alike["student_id"].str.removeprefix("s").astype(int)
        assert places.is_monotonic_increasing
