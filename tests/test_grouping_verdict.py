"""Groups or one lesson: which it is, and what the teacher is told of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.grouping import Grouping, GroupRules, SkillNeedGroups, form_groups, planning
from analysis.grouping.planning import whole_class_needs


def tables(lacks: str, *, low: float = 0.1, high: float = 0.9) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return mastery and roster of a class: of each student the skill lacked, - for none."""
    rows = [
        (f"s{i}", skill, low if skill == need else high)
        for i, need in enumerate(lacks)
        for skill in "abc"
        if need != "?"
    ]
    mastery = pd.DataFrame(rows, columns=["student_id", "skill_id", "mastery"])
    roster = pd.DataFrame({"student_id": [f"s{i}" for i in range(len(lacks))]})
    return mastery.assign(window="fall", n_items=4), roster.assign(classroom_id="4a")


def group(lacks: str | tuple, *, low: float = 0.1, high: float = 0.9, **rules) -> Grouping:
    supports = rules.pop("supports", True)
    mastery, roster = tables(lacks, low=low, high=high) if isinstance(lacks, str) else lacks
    return form_groups(
        mastery, roster, classroom_id="4a", window="fall", rules=GroupRules(**rules),
        supports_skill_groups=supports,
    )  # fmt: skip


def whole_class(grouping: Grouping) -> list[list]:
    return grouping.whole_class.round(6).values.tolist()


# -- groups -------------------------------------------------------------------------------


def test_groups_that_pay_are_told_with_both_shares_and_the_number_of_students():
    grouping = group("aaaabbbb?")
    assert grouping.supports_groups
    assert grouping.expected_on_target == pytest.approx(0.9)
    assert grouping.one_lesson_on_target == pytest.approx((4 * 0.9 + 4 * 0.1) / 8)
    assert grouping.verdict == (
        "Separate groups pay: we expect 90% of the 8 assessed students to work on a skill they "
        "need and are ready for; one lesson for all would reach 50%."
    )


def test_the_groups_table_begins_with_classroom_and_window():
    groups = group("aaaabbbb").groups
    assert groups.columns.tolist()[:3] == ["classroom_id", "window", "student_id"]
    assert groups[["classroom_id", "window"]].drop_duplicates().values.tolist() == [["4a", "fall"]]


def test_who_sits_in_no_group_is_not_on_target_but_is_counted():
    grouping = group("aaaabbb-")
    assert grouping.expected_on_target == pytest.approx(7 * 0.9 / 8)


@pytest.mark.parametrize(("least_gain", "pays"), [(0.37, True), (0.375, True), (0.38, False)])
def test_groups_pay_from_the_least_gain_on(least_gain, pays):
    # One lesson reaches the five of eight who lack a, groups reach all.
    rules = {"least_gain": least_gain, "whole_class_share": 1}
    grouping = group("aaaaabbb", low=0.0, high=1.0, **rules)
    assert grouping.supports_groups is pays


def test_where_no_lesson_would_reach_half_groups_need_not_reach_many_more():
    assert group("aaabbbccc", least_gain=0.9).supports_groups
    assert not group("aaaaaabbb", least_gain=0.9, whole_class_share=1).supports_groups


def test_a_focus_of_too_few_on_target_counts_for_whether_groups_pay():
    # With everyone in a group, as everyone is in a lesson; 0.3 each are too few for a group.
    mastery, roster = tables("aaaaaa---", low=0.0, high=1.0)
    maybe = mastery["student_id"].isin(["s6", "s7", "s8"]) & (mastery["skill_id"] == "b")
    mastery.loc[maybe, "mastery"] = 0.7
    known = {"whole_class_share": 1, "supports": True}
    assert not group((mastery, roster), least_gain=0.11, **known).supports_groups
    assert group((mastery, roster), least_gain=0.09, **known).supports_groups


# -- the whole class ----------------------------------------------------------------------


@pytest.mark.parametrize(("share", "common"), [(0.62, []), (0.6, [["a", 0.61, 8]])])
def test_a_need_of_enough_of_the_class_is_a_lesson_for_all(share, common):
    mastery, roster = tables("bbbbcccc")
    mastery.loc[mastery["skill_id"] == "a", "mastery"] = 0.39
    grouping = group((mastery, roster), whole_class_share=share)
    assert whole_class(grouping) == common


@pytest.mark.parametrize(
    ("rules", "common"),
    [
        ({}, "b"),
        ({"most_whole_class": 2}, "ba"),
        ({"most_whole_class": 3}, "ba"),
        ({"most_whole_class": 0}, ""),
        ({"focus_wanted": ["b"]}, "a"),
        ({"focus_excluded": ["b"]}, "a"),
        ({"fixed": {"s0": "b"}, "locked": [("a", ["s1"])]}, ""),
        ({"most_whole_class": 2, "whole_class_share": 0.75}, "b"),
        ({"most_whole_class": 2, "whole_class_share": 0.7}, "ba"),
    ],
)
def test_what_most_need_most_is_taught_to_all_unless_the_teacher_decided(rules, common):
    needs = SimpleNamespace(skills=list("abc"))
    found = whole_class_needs(np.array([0.7, 0.8, 0.4]), needs, GroupRules(**rules))
    assert "".join(needs.skills[k] for k in found) == common


# -- one lesson ---------------------------------------------------------------------------


def test_where_groups_do_not_pay_everyone_practises_what_most_need():
    grouping = group("aaaaaabb", supports=False, min_fit=0)
    assert grouping.focus["focus_skill_id"].unique().tolist() == ["a"]
    assert whole_class(grouping) == [["a", 0.7, 8]]
    assert grouping.one_lesson_on_target == pytest.approx((6 * 0.9 + 2 * 0.1) / 8)
    assert grouping.verdict == (
        "The evidence does not support separate skill groups: teach a to the whole class. The "
        "groups are for practice only."
    )


def test_a_skill_that_the_teacher_excludes_is_no_lesson():
    grouping = group("aaaaabbb", supports=False, focus_excluded=["a"])
    assert whole_class(grouping) == [["b", 0.4, 8]]


def test_a_lesson_that_only_some_need_is_not_for_the_whole_class():
    grouping = group("aaaa--------", least_gain=0.6, min_fit=0.3)
    assert grouping.whole_class.empty
    assert grouping.focus["focus_skill_id"].tolist() == ["a"]


def test_where_nothing_is_needed_it_says_so():
    grouping = group("--------", supports=False)
    assert grouping.whole_class.empty
    assert grouping.verdict == (
        "No listed skill is a next step for enough students to make a group."
    )


@pytest.mark.parametrize(("lacks", "one_group"), [("ab", True), ("aab", False)])
def test_only_fewer_students_than_a_group_has_are_one_group(lacks, one_group):
    verdict = group(lacks, supports=False).verdict
    assert (verdict == f"With {len(lacks)} students, everyone works as one group.") is one_group


@pytest.mark.parametrize("rules", [{"locked": [("b", ["s0"])]}, {"focus_wanted": ["b"]}])
def test_a_lesson_is_not_put_over_the_teachers_own_groups(rules):
    grouping = group("aaaaaaaa", min_fit=0.01, **rules)
    assert not grouping.supports_groups
    assert "b" in set(grouping.focus["focus_skill_id"])
    assert grouping.verdict.endswith("these groups follow the teacher's rules.")


def test_a_locked_group_on_the_lessons_own_skill_does_not_stand_in_its_way():
    grouping = group("aaaaaaaa", locked=[("a", ["s0", "s1"])])
    assert "teach a to the whole class" in grouping.verdict


def test_a_class_that_was_asked_one_skill_and_needs_it_has_a_lesson_on_it():
    mastery, roster = tables("aaaa")
    grouping = group((mastery[mastery["skill_id"] == "a"], roster))
    assert whole_class(grouping) == [["a", 0.9, 4]]
    assert "teach a to the whole class" in grouping.verdict


# -- what was hardly asked ----------------------------------------------------------------


@pytest.mark.parametrize(("n_asked", "is_focus"), [(2, False), (3, True)])
def test_a_skill_asked_of_fewer_than_a_group_is_no_focus(n_asked, is_focus):
    mastery, roster = tables("aaaabbbb")
    asked = mastery["student_id"].isin([f"s{i}" for i in range(n_asked)])
    mastery.loc[(mastery["skill_id"] == "b") & ~asked, "n_items"] = 0
    grouping = group((mastery, roster), supports=True)
    assert ("b" in set(grouping.focus["focus_skill_id"])) is is_focus


def test_the_teacher_may_want_a_skill_that_was_hardly_asked():
    mastery, roster = tables("aaaabbbb")
    mastery.loc[mastery["skill_id"] == "b", "n_items"] = 0
    grouping = group((mastery, roster), focus_wanted=["b"])
    assert "b" in set(grouping.focus["focus_skill_id"])


def test_a_need_that_was_only_guessed_is_no_lesson_for_all():
    mastery, roster = tables("bbbbcccc")
    mastery.loc[mastery["skill_id"] == "a", ["mastery", "n_items"]] = [0.05, 0]
    grouping = group((mastery, roster))
    assert grouping.whole_class.empty


# -- a place among the groups of before ---------------------------------------------------


@pytest.mark.parametrize("as_table", [True, False])
def test_a_group_of_before_may_be_named_by_its_number(as_table):
    mastery, roster = tables("aaaabbbb")
    before = group("aaaabbbb")
    after = form_groups(
        mastery, roster, classroom_id="4a", window="fall",
        rules=GroupRules(fixed={"s7": 1, "s0": "b"}),
        previous=before.groups if as_table else before,
    )  # fmt: skip
    focus = after.groups.set_index("student_id")["focus_skill_id"]
    assert (focus["s7"], focus["s0"]) == ("a", "b")


def test_every_rule_of_the_teacher_reaches_the_groups():
    grouping = group(
        "aaaabbbb", together=[("s0", "s4")], apart=[("s1", "s2")], absent=["s7"], n_groups=3,
        min_size=2, max_size=4, min_fit=0,
    )  # fmt: skip
    seats = grouping.groups.set_index("student_id")["group"]
    assert seats["s0"] == seats["s4"]
    assert seats["s1"] != seats["s2"]
    assert pd.isna(seats["s7"])
    assert seats.nunique() == 3
    assert np.isin(grouping.focus["size"], [2, 3, 4]).all()


def test_every_number_of_the_rules_reaches_the_program_as_it_was_set(monkeypatch):
    asked = {
        "n_groups": 2, "min_size": 2, "max_size": 5, "min_fit": 0.11, "least_share": 0.12,
        "group_gain": 0.13, "loyalty": 0.14, "time_limit": 15.0, "wish_worth": 0.16,
    }  # fmt: skip
    made = []

    def remember(**how):
        made.append(how)
        return SkillNeedGroups(**how)

    monkeypatch.setattr(planning, "SkillNeedGroups", remember)
    group("aaaabbbb", wishes=[("s0", "s7")], **asked)
    assert {name: made[0][name] for name in asked} == asked
    assert made[0]["wishes"] == [[0, 7]]


def test_a_former_group_is_worth_as_much_as_the_rules_say():
    mastery, roster = tables("aaabbbb")
    mastery.loc[(mastery["student_id"] == "s3") & (mastery["skill_id"] == "a"), "mastery"] = 0.3
    before = pd.DataFrame(
        {"student_id": [f"s{i}" for i in range(7)], "group": [1] * 4 + [2] * 3,
         "focus_skill_id": ["a"] * 4 + ["b"] * 3}
    )  # fmt: skip
    places = [
        form_groups(
            mastery, roster, classroom_id="4a", window="fall", previous=before,
            rules=GroupRules(loyalty=loyalty),
        ).groups.set_index("student_id")
        for loyalty in (0.0, 0.5)
    ]  # fmt: skip
    assert [one.at["s3", "focus_skill_id"] for one in places] == ["b", "a"]
