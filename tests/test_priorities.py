"""Where a visit helps: the score's parts, what is notable, and the boundaries of each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.growth import summarise_classrooms
from analysis.priorities import (
    Fact,
    find_at_risk,
    grades_below,
    list_common_focus,
    list_notable,
    score_classrooms,
)

NO_GROWTH = summarise_classrooms(
    pd.DataFrame({"classroom_id": [], "start": [], "growth": [], "beyond": []})
)


def people(rooms: dict[str, tuple[float, int]], *, n_items: int = 4) -> tuple:
    """Return mastery and roster of classrooms, each with a mean mastery and its students."""
    rng = np.random.default_rng(0)
    rows, roster = [], []
    for room, (mean, n) in rooms.items():
        for i in range(n):
            student = f"{room}-{i:02}"
            roster.append(
                {"student_id": student, "classroom_id": room, "grade": "4", "display_name": student}
            )
            held = np.clip(mean + rng.normal(0, 0.05, 12), 0.01, 0.99)
            rows += [
                {"student_id": student, "skill_id": f"k{k:02}", "mastery": held[k],
                 "ready": 0.9, "n_items": n_items} for k in range(12)
            ]  # fmt: skip
    return pd.DataFrame(rows), pd.DataFrame(roster)


def test_more_need_and_less_change_come_first():
    mastery, roster = people({"a": (0.2, 10), "b": (0.8, 10)})
    growth = pd.DataFrame({"student_id": roster["student_id"], "beyond": 0.0, "alike": 2.0})
    assert score_classrooms(mastery, roster, growth)["classroom_id"].tolist() == ["a", "b"]
    still = growth.assign(beyond=np.where(roster["classroom_id"] == "b", -2.0, 2.0))
    scored = score_classrooms(mastery, roster, still).set_index("classroom_id")
    assert scored.at["b", "change"] == 1
    assert scored.at["a", "change"] == 0


def test_a_classroom_without_answers_is_listed_last_and_has_no_score():
    mastery, roster = people({"a": (0.5, 6), "b": (0.5, 6)})
    silent = roster["classroom_id"] == "b"
    mastery.loc[mastery["student_id"].isin(roster.loc[silent, "student_id"]), "mastery"] = np.nan
    scored = score_classrooms(mastery, roster)
    assert scored["classroom_id"].tolist() == ["a", "b"]
    assert scored.set_index("classroom_id").at["b", "n_assessed"] == 0
    assert np.isnan(scored.set_index("classroom_id").at["b", "score"])


def test_a_need_nobody_is_ready_for_asks_for_no_visit_on_it():
    mastery, roster = people({"a": (0.2, 8)})
    assert score_classrooms(mastery.assign(ready=0.0), roster)["score"].tolist() == [0]


def test_a_common_skill_needs_two_classrooms_and_some_students_in_each():
    mastery, roster = people({"a": (0.2, 10), "b": (0.2, 10), "c": (0.9, 10)})
    common = list_common_focus(mastery, roster)
    assert set(common["classroom_ids"].map(set).map(frozenset)) == {frozenset({"a", "b"})}
    few = roster.groupby("classroom_id").head(3)["student_id"]
    assert list_common_focus(mastery[mastery["student_id"].isin(few)], roster).empty


@pytest.mark.parametrize(("n_missing", "named"), [(2, False), (3, True)])
def test_a_quarter_of_the_students_may_be_missing_and_no_more(n_missing, named):
    mastery, roster = people({"a": (0.5, 10), "b": (0.5, 10)})
    gone = roster.query("classroom_id == 'a'")["student_id"].head(n_missing)
    mastery.loc[mastery["student_id"].isin(gone), ["mastery", "n_items"]] = [np.nan, 0]
    facts = list_notable(mastery, roster, NO_GROWTH)
    assert (Fact.MISSING in set(facts.query("classroom_id == 'a'")["fact"])) == named


def test_classrooms_that_are_alike_have_nothing_notable():
    mastery, roster = people({"a": (0.5, 12), "b": (0.5, 12), "c": (0.52, 12)})
    assert list_notable(mastery, roster, NO_GROWTH).empty


def test_a_classroom_far_from_its_grade_is_named_on_its_own_side():
    mastery, roster = people({"a": (0.5, 12), "b": (0.5, 12), "c": (0.2, 12), "d": (0.8, 12)})
    facts = list_notable(mastery, roster, NO_GROWTH).groupby("classroom_id")["fact"].agg(list)
    assert facts["c"] == [Fact.BEHIND]
    assert facts["d"] == [Fact.AHEAD]


def test_nothing_is_said_of_how_four_students_compare():
    mastery, roster = people({"a": (0.5, 12), "b": (0.5, 12), "c": (0.1, 4)})
    assert "c" not in set(list_notable(mastery, roster, NO_GROWTH)["classroom_id"])


def test_a_skill_is_missing_only_where_the_class_is_ready_for_it():
    mastery, roster = people({"a": (0.7, 10), "b": (0.7, 10)})
    here = mastery["student_id"].str.startswith("a") & mastery["skill_id"].eq("k03")
    mastery.loc[here, "mastery"] = 0.05
    facts = list_notable(mastery, roster, NO_GROWTH)
    assert facts[["classroom_id", "fact", "skill_id"]].values.tolist() == [
        ["a", Fact.ONE_SKILL, "k03"]
    ]
    mastery.loc[here, "ready"] = 0.3
    assert list_notable(mastery, roster, NO_GROWTH).empty


@pytest.mark.parametrize(("years", "named"), [(0, True), (1, False), (np.nan, False)])
def test_a_teacher_is_new_in_the_first_year_alone(years, named):
    mastery, roster = people({"a": (0.5, 8)})
    facts = list_notable(mastery, roster, NO_GROWTH, pd.Series({"a": years}))
    assert (Fact.NEW_TEACHER in set(facts["fact"])) == named


SKILLS = pd.DataFrame({"skill_id": ["a", "b", "c", "d"], "grade": ["1", "2", "3", None]})


@pytest.mark.parametrize(
    ("held", "n_below"),
    [((0.9, 0.9, 0.9), 0), ((0.9, 0.9, 0.1), 1), ((0.9, 0.1, 0.9), 2), ((0.1, 0.9, 0.9), 3)],
)
def test_a_gap_lower_down_counts_whatever_stands_above_it(held, n_below):
    mastery = pd.DataFrame({"student_id": "s1", "skill_id": ["a", "b", "c"], "mastery": held})
    roster = pd.DataFrame({"student_id": ["s1"], "classroom_id": "4a", "grade": "4"})
    assert grades_below(mastery, SKILLS, roster)["n_below"].tolist() == [n_below]


def test_who_has_no_evidence_or_no_grade_is_not_called_far_below():
    mastery = pd.DataFrame({"student_id": ["s1", "s2"], "skill_id": "a", "mastery": [np.nan, 0.1]})
    roster = pd.DataFrame({"student_id": ["s1", "s2"], "classroom_id": "4a", "grade": ["4", None]})
    assert grades_below(mastery, SKILLS, roster).empty


@pytest.mark.parametrize(("n_below", "listed"), [(1, False), (2, True), (3, True)])
def test_lost_is_two_grades_below_and_not_growing(n_below, listed):
    below = pd.DataFrame({"student_id": ["s1"], "classroom_id": ["4a"], "n_below": [n_below]})
    still = pd.DataFrame({"student_id": ["s1"], "gained": [0.1]})
    assert (len(find_at_risk(below, still)) == 1) == listed
    assert find_at_risk(below, still.head(0)).empty
