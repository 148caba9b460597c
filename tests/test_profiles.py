"""describe_groups: plain words with the evidence behind them."""

from __future__ import annotations

import pandas as pd

from analysis.grouping import form_groups
from analysis.profiles import describe_class, describe_groups
from analysis.skills import SkillFramework

SKILLS = pd.DataFrame(
    {
        "skill_id": ["a", "b", "c"],
        "name": ["Halves", "Quarters", "Eighths"],
        "i_can": ["I can find one half.", None, None],
        "prerequisites": [None, "a", "b"],
        "warm_up": ["Fold a strip in two.", None, None],
        "check_question": [None, "What is half of a half?", None],
        "check_answer": [None, "A quarter", None],
        "look_for": [None, "Says one third.", None],
    }
)
MASTERY = {"first": (0.1, 0.1, 0.1), "second": (0.9, 0.1, 0.1), "maybe": (0.6, 0.4, 0.1)}


def describe(*students: str, evidence=None):
    rows = [
        (f"s{i}", skill, "fall", p, 4)
        for i, kind in enumerate(students)
        for skill, p in zip("abc", MASTERY[kind], strict=True)
    ]
    columns = ["student_id", "skill_id", "window", "mastery", "n_items"]
    mastery = pd.DataFrame(rows, columns=columns)
    ids = [f"s{i}" for i in range(len(students))]
    roster = pd.DataFrame({"student_id": ids, "classroom_id": "4a"})
    roster["display_name"] = [f"Student {i}" for i in range(len(students))]
    framework = SkillFramework(SKILLS)
    prerequisites = {s: framework.prerequisites_of(s) for s in framework.skill_ids}
    grouping = form_groups(
        mastery, roster, classroom_id="4a", window="fall", prerequisites=prerequisites
    )
    room = (grouping, mastery, framework, roster)
    return describe_groups(*room, evidence=evidence), describe_class(*room)


CLASS = ["first"] * 4 + ["second"] * 5


def test_a_group_is_named_by_its_skill_with_its_first_steps():
    (quarters, halves), _ = describe(*CLASS)
    assert (quarters.focus_name, quarters.size) == ("Quarters", 5)
    assert halves.i_can == "I can find one half."
    assert quarters.warm_up[0].text == "Fold a strip in two."
    assert (quarters.warm_up[0].n_students, quarters.warm_up[0].n_assessed) == (5, 5)
    assert quarters.questions[0].answer == "A quarter"
    assert halves.questions == []


def test_each_member_has_a_name_and_a_reason_with_its_evidence():
    (quarters, _), _ = describe(*CLASS)
    member = quarters.members[0]
    assert (member.student_id, member.display_name) == ("s4", "Student 4")
    assert member.why == (
        "Has not yet shown “Quarters” (4 answers). Has what comes first: “Halves”."
    )


def test_points_are_said_where_the_evidence_is_given():
    evidence = pd.DataFrame(
        {
            "student_id": ["s4"] * 2,
            "skill_id": ["b"] * 2,
            "window": ["fall"] * 2,
            "source": ["check"] * 2,
            "observation_id": ["i1", "i2"],
            "kind": ["points"] * 2,
            "points": [1.0, 0.5],
            "points_possible": [2.0, 4.0],
        }
    )
    (quarters, _), _ = describe(*CLASS, evidence=evidence)
    assert "(1.5 of 6 points)" in quarters.members[0].why


def test_shared_needs_leave_the_focus_out_and_strengths_are_counted():
    (quarters, _), _ = describe(*CLASS)
    assert [need.name for need in quarters.shared_needs] == ["Eighths"]
    assert [(s.name, s.n_students, s.n_assessed) for s in quarters.already_have] == [
        ("Halves", 5, 5)
    ]


def test_the_class_is_counted_and_the_verdict_names_skills():
    _, room = describe(*(["second"] * 6))
    assert room.counts.startswith("6 students in 1 group")
    assert "“Quarters”" in room.verdict
