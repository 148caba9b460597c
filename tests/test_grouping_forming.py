"""form_groups: everyone of the roster is somewhere, exactly once, with a reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError, UnknownError, UsageError
from analysis.grouping import GroupRules, form_groups
from analysis.language import open_language
from analysis.tables import GROUPS, check_table

SKILLS = ["a", "b", "c"]


def make_tables(lacks: str, *, low: float = 0.1, high: float = 0.95):
    """Return mastery and roster; one letter a student: the skill lacked (- none, ? unknown)."""
    rows = [
        (f"s{i}", skill, "fall", low if skill == need else high, 4)
        for i, need in enumerate(lacks)
        for skill in SKILLS
        if need != "?"
    ]
    columns = ["student_id", "skill_id", "window", "mastery", "n_items"]
    roster = pd.DataFrame({"student_id": [f"s{i}" for i in range(len(lacks))]})
    return pd.DataFrame(rows, columns=columns), roster.assign(classroom_id="4a")


def group(lacks: str, rules: GroupRules | None = None, **more):
    mastery, roster = make_tables(lacks)
    return form_groups(mastery, roster, classroom_id="4a", window="fall", rules=rules, **more)


def places(grouping) -> list[str]:
    """Return every place a student is accounted for in."""
    seated = grouping.groups.dropna(subset=["group"])["student_id"].tolist()
    return (
        seated
        + grouping.extension["student_id"].tolist()
        + grouping.conference["student_id"].tolist()
        + grouping.not_assessed["student_id"].tolist()
    )


def test_everyone_is_accounted_for_exactly_once():
    grouping = group("aaaabbbc-?")
    assert sorted(places(grouping)) == sorted(grouping.groups["student_id"])
    assert grouping.extension["student_id"].tolist() == ["s8"]
    assert grouping.not_assessed["student_id"].tolist() == ["s9"]
    assert grouping.conference[["student_id", "skill_id"]].values.tolist() == [["s7", "c"]]


def test_the_groups_table_meets_its_contract():
    grouping = group("aaaabbbc-?")
    pd.testing.assert_frame_equal(
        check_table(grouping.groups, GROUPS, "groups"), grouping.groups, check_like=True
    )


def test_a_need_of_most_of_the_class_is_taught_to_all_and_is_no_focus():
    mastery, roster = make_tables("bbbccc")
    mastery.loc[mastery["skill_id"] == "a", "mastery"] = 0.05
    grouping = form_groups(mastery, roster, classroom_id="4a", window="fall")
    assert grouping.whole_class["skill_id"].tolist() == ["a"]
    assert grouping.focus["focus_skill_id"].tolist() == ["b", "c"]


@pytest.mark.parametrize(("lacks", "supports"), [("aaaaaaaa", True), ("aaaabbbb", False)])
def test_where_groups_do_not_pay_all_share_one_lesson(lacks, supports):
    grouping = group(lacks, supports_skill_groups=supports)
    assert not grouping.supports_groups
    assert grouping.focus["focus_skill_id"].unique().tolist() == ["a"]
    assert "teach a to the whole class" in grouping.verdict


def test_a_class_smaller_than_a_group_is_one_group_and_it_says_so():
    grouping = group("ab")
    assert grouping.focus["size"].tolist() == [2]
    assert "as one group" in grouping.verdict


def test_a_classroom_without_evidence_has_no_groups():
    grouping = group("???")
    assert grouping.not_assessed["student_id"].tolist() == ["s0", "s1", "s2"]
    assert "no evidence" in grouping.verdict


def test_a_student_without_evidence_is_placed_by_the_teachers_choice_only():
    grouping = group("aaaabbb?", GroupRules(fixed={"s7": "b"}))
    assert grouping.groups.set_index("student_id").at["s7", "focus_skill_id"] == "b"
    assert grouping.check_with_teacher["student_id"].tolist() == ["s7"]


def test_an_absent_student_gets_a_conference_when_back():
    grouping = group("aaaabbbb", GroupRules(absent=["s0"]))
    assert grouping.conference[["student_id", "reason"]].values.tolist() == [["s0", "absent"]]


def test_an_unknown_classroom_is_named():
    mastery, roster = make_tables("aaa")
    with pytest.raises(UnknownError, match="no classroom '4b'"):
        form_groups(mastery, roster, classroom_id="4b", window="fall")


def test_who_moved_is_told_with_the_reason():
    before = group("aaaabbbb")
    mastery, roster = make_tables("aaabbbbb")
    now = form_groups(mastery, roster, classroom_id="4a", window="fall", previous=before)
    assert now.moves["student_id"].tolist() == ["s3"]
    assert now.moves["reason"].tolist() == ["has now shown a"]


def test_verdict_and_reasons_are_said_in_the_readers_language():
    before = group("aaaabbbb")
    now = group("aaabbbbb", previous=before, language=open_language("es"))
    assert now.moves["reason"].tolist() == ["ya mostró a"]
    assert now.verdict.startswith("Conviene formar grupos: de los 8 estudiantes evaluados")


def test_the_next_check_asks_the_unsure_student_only():
    mastery, roster = make_tables("aaaabbbb")
    unsure = (mastery["student_id"] == "s0") & mastery["skill_id"].isin(["a", "b"])
    mastery.loc[unsure, "mastery"] = [0.5, 0.4]
    grouping = form_groups(mastery, roster, classroom_id="4a", window="fall")
    assert grouping.next_check["student_id"].unique().tolist() == ["s0"]


def test_the_same_result_on_any_row_order():
    rng = np.random.default_rng(0)
    mastery, roster = make_tables("abcabcabcab-?")
    mastery["mastery"] = rng.uniform(size=len(mastery)).round(2)
    one = form_groups(mastery, roster, classroom_id="4a", window="fall")
    other = form_groups(
        mastery.sample(frac=1, random_state=1),
        roster.sample(frac=1, random_state=2),
        classroom_id="4a",
        window="fall",
    )
    pd.testing.assert_frame_equal(one.groups, other.groups)


def test_a_skill_everybody_has_is_no_focus_and_no_class_need():
    grouping = group("aaaabbbb")
    assert "c" not in {*grouping.focus["focus_skill_id"], *grouping.whole_class["skill_id"]}


def test_a_skill_without_any_evidence_is_never_a_focus():
    mastery, roster = make_tables("aaaabbbb")
    mastery.loc[mastery["skill_id"] == "c", "mastery"] = np.nan
    grouping = form_groups(mastery, roster, classroom_id="4a", window="fall")
    assert grouping.focus["focus_skill_id"].tolist() == ["a", "b"]


def test_a_student_in_two_classrooms_is_counted_in_each():
    mastery, roster = make_tables("aaaabbbb")
    second = roster.head(4).assign(classroom_id="4b")
    both = pd.concat([roster, second])
    for classroom_id, n_students in [("4a", 8), ("4b", 4)]:
        grouping = form_groups(mastery, both, classroom_id=classroom_id, window="fall")
        assert len(places(grouping)) == n_students


def test_a_row_given_twice_is_named():
    mastery, roster = make_tables("aaa")
    twice = pd.concat([mastery, mastery.head(1)])
    with pytest.raises(DataError, match="the key appears twice"):
        form_groups(twice, roster, classroom_id="4a", window="fall")


def test_one_item_a_skill_is_enough():
    mastery, roster = make_tables("aaaabbbb", low=0.35, high=0.8)
    grouping = form_groups(mastery.assign(n_items=1), roster, classroom_id="4a", window="fall")
    assert sorted(places(grouping)) == sorted(roster["student_id"])


def test_a_circle_of_prerequisites_is_named():
    with pytest.raises(DataError, match="go in a circle"):
        group("aaa", prerequisites=[("a", "b"), ("b", "a")])


def test_a_prerequisite_without_evidence_is_bridged():
    """x stands between a and b and was not assessed: b still waits for a."""
    mastery, roster = make_tables("aaaacccc")
    mastery.loc[mastery["skill_id"] == "b", "mastery"] = 0.05
    rules = GroupRules(most_whole_class=0)
    grouping = form_groups(
        mastery,
        roster,
        classroom_id="4a",
        window="fall",
        rules=rules,
        prerequisites={"b": ["x"], "x": ["a"]},
    )
    focus = grouping.groups.set_index("student_id")["focus_skill_id"]
    assert focus["s0"] == "a"
    assert focus["s4"] == "b"


def test_students_who_need_nothing_go_on_to_what_builds_on_it():
    grouping = group("aaaabbb-", prerequisites={"d": ["c"], "e": ["d"]})
    assert grouping.extension[["student_id", "next_skill_ids"]].values.tolist() == [["s7", ("d",)]]


def test_rules_in_conflict_are_named_by_the_students_ids():
    rules = GroupRules(together=[("s0", "s1")], apart=[("s1", "s0")])
    with pytest.raises(UsageError, match=r"- together: s0, s1\n- apart: s1, s0"):
        group("aaaabbbb", rules)


def test_a_rule_about_an_unknown_student_is_refused():
    with pytest.raises(UnknownError, match="no student 's9'"):
        group("aaaabbbb", GroupRules(absent=["s9"]))


def test_a_student_may_be_fixed_to_a_group_of_the_grouping_before():
    before = group("aaaabbbb")
    after = group("aaaabbbb", GroupRules(fixed={"s0": 2}), previous=before)
    assert before.focus.set_index("group").at[2, "focus_skill_id"] == "b"
    assert after.groups.set_index("student_id").at["s0", "focus_skill_id"] == "b"
    assert after.moves["reason"].tolist() == ["placed by the teacher"]


def test_a_student_fixed_to_nothing_known_is_refused():
    with pytest.raises(UsageError, match="fixed to 7, which is neither a skill"):
        group("aaaabbbb", GroupRules(fixed={"s0": 7}))


def test_the_teachers_wish_for_a_focus_overrules_the_single_lesson():
    grouping = group("aaaaaaaa", GroupRules(focus_wanted=["b"], min_fit=0.01))
    assert "b" in set(grouping.focus["focus_skill_id"])
    assert "the teacher's rules" in grouping.verdict


@pytest.mark.parametrize("name", ["min_fit", "certainty"])
def test_a_share_outside_0_to_1_is_refused(name):
    with pytest.raises(UsageError, match=f"{name} = 60 is not in 0 to 1"):
        GroupRules(**{name: 60})


def test_certainty_is_low_where_the_draws_say_so():
    """One student of group a lacks the skill in a third of the draws only."""
    mastery, roster = make_tables("aaaabbbb")
    students, held = [f"s{i}" for i in range(8)], np.ones((90, 8, 3), dtype=bool)
    held[:, :4, 0], held[:, 4:, 1] = False, False
    held[:60, 0, 0] = True
    grouping = form_groups(
        mastery, roster, classroom_id="4a", window="fall", draws=(held, students, SKILLS)
    )
    fit = grouping.groups.set_index("student_id")["fit"]
    assert fit["s0"] == pytest.approx(1 / 3)
    assert (fit.drop("s0") == 1).all()
    assert grouping.check_with_teacher["student_id"].tolist() == ["s0"]


@pytest.mark.parametrize(("least_share", "opened"), [(0.0, True), (0.5, False)])
def test_a_group_of_leftovers_is_never_opened(least_share, opened):
    """Three students who may lack c, more likely not: 0.4 each on target."""
    mastery, roster = make_tables("aaaabbbb---")
    maybe = mastery["student_id"].isin(["s8", "s9", "s10"]) & (mastery["skill_id"] == "c")
    mastery.loc[maybe, "mastery"] = 0.6
    grouping = form_groups(
        mastery,
        roster,
        classroom_id="4a",
        window="fall",
        rules=GroupRules(least_share=least_share),
    )
    assert ("c" in set(grouping.focus["focus_skill_id"])) == opened
    assert grouping.extension["student_id"].tolist() == ([] if opened else ["s8", "s9", "s10"])
