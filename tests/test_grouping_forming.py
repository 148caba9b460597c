"""form_groups: everyone of the roster is somewhere, exactly once, with a reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import UnknownError
from analysis.grouping import GroupRules, form_groups
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
