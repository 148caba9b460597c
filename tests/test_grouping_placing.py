"""Where each student is, and how sure that is: a class of eight, by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.grouping.evidence import Classroom
from analysis.grouping.placing import account_for_everyone
from analysis.grouping.result import GroupRules
from conftest import table

MASTERY = table("""
    | student | a   | b   | c   |
    | s0      | 0.1 | 0.9 | 0.9 |
    | s1      | 0.2 | 0.8 | 0.9 |
    | s2      | 0.3 | 0.7 | 0.9 |
    | s3      | 0.9 | 0.2 | 0.9 |
    | s4      | 0.7 | 0.4 | 0.9 |
    | s5      | 0.9 | 0.8 | 0.5 |
    | s6      | 0.9 | 0.4 | 0.9 |
    | s7      |     |     |     |
""").set_index("student").astype(float)  # fmt: skip

SEATS = SimpleNamespace(labels_=np.array([0, 0, 0, 1, 1, -1, -1, -1]), focus_=np.array([0, 1]))
"""Two groups: three students on a, two on b; s5 needs nothing, s6 a lesson of its own."""


def class_of_eight(**changed) -> Classroom:
    mastery = MASTERY.to_numpy()
    known = ~np.isnan(mastery)
    return replace(
        Classroom(
            students=MASTERY.index.tolist(), skills=["a", "b", "c"], mastery=mastery,
            value=1 - mastery, readings=[1 - mastery], left=np.ones_like(mastery),
            trust=np.ones(3), usual_need=np.zeros(3), graded=False, held=None,
            before=np.zeros((3, 3), dtype=bool), assessed=known.all(axis=1), asked=known,
            prerequisites={},
        ),
        **changed,
    )  # fmt: skip


def account(model=SEATS, rules=None, **changed) -> dict:
    return account_for_everyone(class_of_eight(**changed), model, rules or GroupRules(), 0)


def column(frame: pd.DataFrame, name: str) -> list:
    return frame[name].astype(object).where(frame[name].notna(), None).tolist()


# -- groups -------------------------------------------------------------------------------


def test_groups_are_counted_from_one_with_the_focus_and_the_need_of_each():
    groups = account()["groups"]
    assert column(groups, "student_id") == [f"s{i}" for i in range(8)]
    assert column(groups, "group") == [1, 1, 1, 2, 2, None, None, None]
    assert column(groups, "focus_skill_id") == ["a", "a", "a", "b", "b", None, None, None]
    np.testing.assert_allclose(groups["need"][:5], [0.9, 0.8, 0.7, 0.8, 0.6])
    assert groups["need"][5:].isna().all()


def test_who_is_ready_is_what_the_value_of_teaching_was_computed_with():
    value = 1 - MASTERY.to_numpy()
    value[0, 0], value[1, 0] = 0.45, 0.95  # of needs of 0.9 and 0.8
    mastery = MASTERY.to_numpy().copy()
    mastery[2, 0], value[2, 0] = 1.0, 0.0
    ready = account(value=value, mastery=mastery)["groups"]["ready"]
    np.testing.assert_allclose(ready[:5], [0.5, 1.0, np.nan, 1.0, 1.0])


@pytest.mark.parametrize(
    ("min_fit", "alternatives"),
    [(0.0, [2, 2, 2, 1, 1]), (0.15, [None, 2, 2, None, 1]), (0.35, [None] * 5)],
)
def test_an_alternative_is_another_focus_that_fits_well_enough(min_fit, alternatives):
    groups = account(rules=GroupRules(min_fit=min_fit))["groups"]
    assert column(groups, "alternative_group") == [*alternatives, None, None, None]


def test_a_second_group_of_the_same_focus_is_no_alternative_and_the_best_of_several_is():
    seats = SimpleNamespace(labels_=SEATS.labels_, focus_=np.array([0, 0, 2, 1]))
    assert column(account(seats, GroupRules(min_fit=0))["groups"], "alternative_group")[:3] == [
        3,
        4,
        4,
    ]


def test_what_is_worth_nothing_is_no_alternative():
    value = np.zeros((8, 3))
    assert account(value=value)["groups"]["alternative_group"].isna().all()


def test_of_each_group_size_and_share_on_target_are_said():
    value = 1 - MASTERY.to_numpy()
    value[0, 0] = np.nan
    focus = account(value=value)["focus"]
    assert column(focus, "group") == [1, 2]
    assert column(focus, "focus_skill_id") == ["a", "b"]
    assert column(focus, "size") == [3, 2]
    np.testing.assert_allclose(focus["value"], [1.5, 1.4])
    np.testing.assert_allclose(focus["share_on_target"], [0.5, 0.7])


def test_a_class_without_evidence_is_not_assessed_and_has_no_groups():
    nothing = np.full((8, 3), np.nan)
    parts = account(
        None, mastery=nothing, value=nothing, readings=[nothing],
        assessed=np.zeros(8, dtype=bool), asked=np.zeros((8, 3), dtype=bool),
    )  # fmt: skip
    assert len(parts["not_assessed"]) == 8
    assert parts["groups"]["group"].isna().all()
    assert parts["focus"].empty
    assert parts["next_check"].empty
    assert parts["conference"].empty


# -- who is in no group -------------------------------------------------------------------


def test_who_is_in_no_group_goes_on_or_meets_the_teacher_or_was_not_assessed():
    parts = account()
    assert column(parts["extension"], "student_id") == ["s5"]
    assert column(parts["conference"], "student_id") == ["s6"]
    assert column(parts["not_assessed"], "student_id") == ["s7"]


def test_a_skill_held_as_likely_as_not_is_no_need_and_one_that_was_not_asked_neither():
    mastery = MASTERY.to_numpy().copy()
    mastery[5, 2] = 0.49
    assert account(mastery=mastery)["extension"].empty
    asked = ~np.isnan(mastery)
    asked[5, 2] = False
    assert column(account(mastery=mastery, asked=asked)["extension"], "student_id") == ["s5"]


def test_a_conference_is_about_the_skill_that_is_worth_most():
    meeting = account()["conference"].iloc[0]
    assert (meeting["skill_id"], meeting["reason"]) == ("b", "single need")
    assert (meeting["need"], meeting["ready"]) == pytest.approx((0.6, 1.0))


def test_where_nothing_is_worth_teaching_a_conference_is_about_the_likeliest_need():
    value = np.zeros((8, 3))
    meeting = account(value=value)["conference"].iloc[0]
    assert (meeting["skill_id"], meeting["ready"]) == ("b", 0.0)


def test_a_list_that_nobody_is_on_has_the_columns_of_one_that_somebody_is_on():
    seats = SimpleNamespace(labels_=np.zeros(8, dtype=int), focus_=np.array([0]))
    full, empty = account()["conference"], account(seats)["conference"]
    assert empty.empty
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_who_was_absent_meets_the_teacher_even_without_a_need():
    meetings = account(rules=GroupRules(absent=["s5"]))["conference"]
    assert meetings[["student_id", "reason"]].values.tolist() == [
        ["s5", "absent"], ["s6", "single need"],
    ]  # fmt: skip


# -- what comes next ----------------------------------------------------------------------


def next_skills(prerequisites: dict, **changed) -> tuple[str, ...]:
    return account(prerequisites=prerequisites, **changed)["extension"]["next_skill_ids"].item()


def test_without_anything_beyond_the_least_sure_skills_come_next():
    assert next_skills({}) == ("c", "b")


@pytest.mark.parametrize(
    ("prerequisites", "then"),
    [
        ({"d": ["a"]}, ("d",)),
        ({"d": ["a", "b"], "e": ["c"], "f": ["a"]}, ("d", "e")),
        ({"b": ["a"], "d": ["b"]}, ("d",)),
        ({"d": ["unknown"]}, ("c", "b")),
        ({"c": ["w"], "w": []}, ("c", "b")),  # c is held, as likely as not: w is behind it
        ({"d": ["a", "e"], "e": ["b"]}, ("e",)),
        ({"a": ["x"], "x": ["w"], "w": [], "d": ["c"]}, ("d",)),
    ],
)
def test_next_comes_what_builds_on_what_is_held_and_was_not_shown_already(prerequisites, then):
    assert next_skills(prerequisites) == then


def test_what_builds_on_a_skill_that_is_not_held_waits():
    mastery, asked = MASTERY.to_numpy().copy(), ~np.isnan(MASTERY.to_numpy())
    mastery[5, 2], asked[5, 2] = 0.4, False
    known = {"mastery": mastery, "asked": asked}
    assert next_skills({"d": ["c"]}, **known) == ("c", "b")
    # c was not asked: it comes next itself, as what it builds on is held.
    assert next_skills({"c": ["a"], "d": ["c"]}, **known) == ("c",)


# -- how sure -----------------------------------------------------------------------------


def draws_of_class() -> np.ndarray:
    """Return four draws: seated students lack their focus in 4, 3, 2 of them; 4, 1."""
    held = np.ones((4, 8, 3), dtype=bool)
    for student, (skill, lacking) in enumerate([(0, 4), (0, 3), (0, 2), (1, 4), (1, 1)]):
        held[:lacking, student, skill] = False
    return held


def test_a_fit_is_the_share_of_draws_in_which_the_student_lacks_the_focus():
    fit = account(held=draws_of_class())["groups"]["fit"]
    np.testing.assert_allclose(fit[:5], [1, 0.75, 0.5, 1, 0.25])
    assert fit[5:].isna().all()


def test_who_was_not_assessed_fits_nowhere_though_the_teacher_has_seated_them():
    seats = SimpleNamespace(labels_=np.array([0, 0, 0, 1, 1, -1, -1, 1]), focus_=SEATS.focus_)
    held = draws_of_class()
    held[:, 7] = False
    parts = account(seats, held=held)
    assert np.isnan(parts["groups"]["fit"].iloc[7])
    assert column(parts["check_with_teacher"], "student_id") == ["s7", "s4", "s2"]


@pytest.mark.parametrize(
    ("certainty", "asked"), [(0.75, ["s4", "s2"]), (0.76, ["s4", "s2", "s1"]), (0.2, [])]
)
def test_the_teacher_is_asked_about_the_least_certain_first(certainty, asked):
    rules = GroupRules(certainty=certainty)
    doubts = account(rules=rules, held=draws_of_class())["check_with_teacher"]
    assert column(doubts, "student_id") == asked


def test_of_a_doubt_the_certainty_and_the_next_best_group_are_said():
    doubts = account(rules=GroupRules(certainty=0.6), held=draws_of_class())["check_with_teacher"]
    assert doubts[["student_id", "group", "certainty", "alternative_group"]].values.tolist() == [
        ["s4", 2, 0.25, 1], ["s2", 1, 0.5, 2],
    ]  # fmt: skip
    np.testing.assert_allclose(doubts["behind"], [0.6 - 0.3, 0.7 - 0.3])


def test_groups_of_one_focus_have_room_for_all_of_them():
    seats = SimpleNamespace(labels_=np.array([0, 0, 1, 1, -1, -1, -1, -1]), focus_=np.zeros(2, int))
    held = np.ones((4, 8, 3), dtype=bool)
    held[:, :4, 0] = False
    fit = account(seats, GroupRules(min_size=1, max_size=2), held=held)["groups"]["fit"]
    assert fit[:4].tolist() == [1, 1, 1, 1]


def test_the_next_check_asks_what_decides_between_the_groups_and_of_whom():
    held = draws_of_class()
    held[:, 4, 0] = ~held[:, 4, 1]
    check = account(held=held)["next_check"]
    # Without asking, s4 is on target in 3 of 4 draws at best; knowing either skill, in all.
    assert check[["skill_id", "student_id"]].values.tolist() == [["a", "s4"]]
    assert check["gain"].tolist() == pytest.approx([0.25])


def test_who_is_absent_is_not_asked():
    held = draws_of_class()
    held[:, 4, 0] = ~held[:, 4, 1]
    assert account(rules=GroupRules(absent=["s4"]), held=held)["next_check"].empty
