"""Progress is told by evidence: what is shown, what comes next, what has grown, and no more."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.language import open_language
from analysis.progress import (
    choose_next_steps,
    describe_learners,
    doubt_thin_claims,
    gains_since,
    latest_standing,
    level_ladders,
    list_ready_to_show,
    skill_ladders,
    summarise_evidence,
)
from analysis.skills import SkillFramework
from analysis.tables import EVIDENCE, check_table
from conftest import table

SKILLS = SkillFramework(
    table("""
    | skill_id | name     | grade | strand    | i_can             | prerequisites | check_question |
    | 1.a      | Count    | 1     | Numbers   | I can count.      |               | How many?      |
    | 2.a      | Add      | 2     | Numbers   | I can add.        | 1.a           | What is 2 + 2? |
    | 3.a      | Multiply | 3     | Numbers   | I can multiply.   | 2.a           | What is 2 × 3? |
    | 2.f      | Halve    | 2     | Fractions | I can halve.      |               | Half of 8?     |
    | 3.f      | Name     | 3     | Fractions | I can name parts. | 2.f           | What is 1/4?   |
    """)
)
ENGLISH = open_language("en")


def mastery(window: str, drawing: str) -> pd.DataFrame:
    """Read a drawn table: ``n`` answers, ``p`` mastery; ``ready`` is sure unless drawn."""
    drawn = table(drawing)
    ready = drawn["ready"].astype(float) if "ready" in drawn else 1.0
    return pd.DataFrame(
        {
            "student_id": drawn["student_id"],
            "skill_id": drawn["skill_id"],
            "window": window,
            "mastery": drawn["p"].astype(float),
            "low": 0.0,
            "high": 1.0,
            "n_items": drawn["n"].astype(int),
            "ready": ready,
        }
    )


def evidence(drawing: str) -> pd.DataFrame:
    drawn = table(drawing)
    return check_table(
        drawn.assign(source="test", observation_id=[f"i{n}" for n in range(len(drawn))]),
        EVIDENCE,
        "the drawing",
    )


def state_of(standing: pd.DataFrame, skill_id: str) -> str:
    return standing.set_index("skill_id").at[skill_id, "state"]


FALL = mastery(
    "fall",
    """
    | student_id | skill_id | n | p   |
    | s1         | 1.a      | 4 | .95 |
    | s1         | 2.a      | 4 | .01 |
    | s1         | 3.a      | 0 | .01 |
    """,
)


@pytest.mark.parametrize(("later", "state"), [(".7", "has it"), (".3", "not assessed")])
def test_what_was_shown_once_stands_unless_later_answers_speak_against_it(later, state):
    spring = FALL.assign(window="spring", n_items=[0, 4, 0], mastery=[float(later), 0.1, 0.1])
    standing = latest_standing([FALL, spring])
    assert state_of(standing, "1.a") == state


def test_an_old_need_is_not_held_against_a_student_who_was_not_asked_again():
    spring = FALL.assign(window="spring", n_items=[4, 0, 0], mastery=[0.95, 0.6, 0.1])
    row = latest_standing([FALL, spring]).set_index("skill_id").loc["2.a"]
    assert (row["state"], row["n_items"], row["mastery"]) == ("not assessed", 0, 0.6)


def test_a_student_absent_now_is_seen_as_last_seen():
    absent = FALL.assign(window="spring", n_items=0, mastery=0.5)
    pd.testing.assert_frame_equal(latest_standing([FALL, absent]), latest_standing([FALL]))


def test_standing_does_not_depend_on_the_order_of_rows():
    spring = FALL.assign(window="spring", n_items=[0, 4, 1], mastery=[0.9, 0.9, 0.1])
    shuffled = [part.iloc[::-1] for part in (FALL, spring)]
    pd.testing.assert_frame_equal(latest_standing(shuffled), latest_standing([FALL, spring]))


@pytest.mark.parametrize(("points", "state"), [("1", "not sure yet"), ("2", "has it")])
def test_a_claim_rests_on_more_than_half_of_the_points(points, state):
    shown = summarise_evidence(
        evidence(f"""
        | student_id | skill_id | window | kind   | points   | points_possible |
        | s1         | 1.a      | fall   | points | {points} | 2               |
        """)
    )
    assert state_of(doubt_thin_claims(latest_standing([FALL]), shown), "1.a") == state


def test_a_claim_on_a_rating_is_not_doubted_for_want_of_points():
    shown = summarise_evidence(
        evidence("""
        | student_id | skill_id | window | kind  | level | scale      |
        | s1         | 1.a      | fall   | level | 4     | sc-graduate |
        """)
    )
    assert state_of(doubt_thin_claims(latest_standing([FALL]), shown), "1.a") == "has it"


@pytest.mark.parametrize(("p", "n", "gained"), [(0.99, 4, 1), (0.85, 4, 0), (0.99, 0, 0)])
def test_a_gain_is_said_only_when_both_windows_asked_and_are_sure_together(p, n, gained):
    spring = FALL.assign(window="spring", n_items=[1, n, 0], mastery=[0.95, p, 0.1])
    windows = [FALL, spring]
    found = gains_since(windows, latest_standing(windows))
    assert len(found) == gained
    assert set(found["skill_id"]) <= {"2.a"}


def test_one_window_shows_no_gain():
    assert gains_since([FALL], latest_standing([FALL])).empty


STANDING = latest_standing(
    [
        mastery(
            "now",
            """
            | student_id | skill_id | n | p   | ready |
            | far        | 1.a      | 3 | .10 | 1     |
            | far        | 2.a      | 3 | .05 | .1    |
            | far        | 3.a      | 3 | .02 | .05   |
            | near       | 1.a      | 0 | .99 | 1     |
            | near       | 2.a      | 3 | .95 | .99   |
            | near       | 3.a      | 3 | .10 | .95   |
            | near       | 2.f      | 0 | .40 | 1     |
            | top        | 1.a      | 0 | .99 | 1     |
            | top        | 2.a      | 3 | .95 | 1     |
            | top        | 3.a      | 3 | .95 | 1     |
            """,
        )
    ]
)


def test_the_next_step_is_where_the_student_stands_whatever_the_grade():
    steps = choose_next_steps(STANDING, SKILLS).set_index("student_id")["skill_id"]
    assert steps.to_dict() == {"far": "1.a", "near": "3.a"}


@pytest.mark.parametrize(("taught", "chosen"), [("2.f", "3.a"), ("2.a", "3.a")])
def test_a_lesson_is_the_next_step_only_where_it_is_nearly_as_good(taught, chosen):
    steps = choose_next_steps(STANDING, SKILLS, {"near": taught}).set_index("student_id")
    assert steps.at["near", "skill_id"] == chosen


def test_a_lesson_that_is_as_good_is_the_next_step():
    as_good = STANDING.assign(mastery=STANDING["mastery"].replace(0.4, 0.15))
    steps = choose_next_steps(as_good, SKILLS, {"near": "2.f"}).set_index("student_id")
    assert steps.at["near", "skill_id"] == "2.f"


def test_ready_to_show_leaves_out_what_a_later_skill_already_shows():
    unsure = mastery(
        "now",
        """
        | student_id | skill_id | n | p   |
        | s1         | 1.a      | 0 | .95 |
        | s1         | 2.a      | 3 | .95 |
        | s1         | 2.f      | 0 | .85 |
        | s1         | 3.f      | 2 | .30 |
        | s2         | 2.f      | 2 | .70 |
        | s2         | 3.f      | 2 | .30 |
        """,
    )
    found = list_ready_to_show(latest_standing([unsure]), SKILLS)
    assert list(zip(found["student_id"], found["skill_id"], strict=True)) == [
        ("s1", "2.f"),
        ("s2", "2.f"),
    ]


def test_each_student_stands_once_on_a_ladder_and_grades_do_not_bind():
    ladder = next(one for one in skill_ladders(STANDING, SKILLS, ["far", "near", "top", "new"])
                  if one.title == "Numbers")  # fmt: skip
    assert [(rung.skill_id, rung.students) for rung in ladder.rungs] == [
        ("1.a", ["far"]),
        ("2.a", []),
        ("3.a", ["near"]),
    ]
    assert (ladder.past, ladder.not_seen, ladder.spread) == (["top"], ["new"], 4)
    assert ladder.grades == ["1", "3"]


def test_a_student_placed_by_an_estimate_is_marked():
    guessed = mastery(
        "now",
        """
        | student_id | skill_id | n | p   |
        | s1         | 1.a      | 0 | .40 |
        | s1         | 2.a      | 3 | .05 |
        """,
    )
    (ladder,) = skill_ladders(latest_standing([guessed]), SKILLS, ["s1"])
    assert (ladder.rungs[0].students, ladder.rungs[0].unasked) == (["s1"], ["s1"])


def test_six_readiness_levels_make_a_ladder_of_six_rungs_that_are_no_grades():
    rated = evidence("""
    | student_id | skill_id | window | kind  | level | scale       | observed_on |
    | s1         | 1.a      | fall   | level | 2     | sc-graduate | 2026-09-01  |
    | s1         | 1.a      | spring | level | 3     | sc-graduate | 2027-03-01  |
    | s2         | 1.a      | fall   | level | 6     | sc-graduate | 2026-09-01  |
    | s2         | 2.a      | fall   | level | Yes   | yes-no      | 2026-09-01  |
    """)
    (ladder,) = level_ladders(summarise_evidence(rated), SKILLS, ["s1", "s2", "s3"])
    assert [rung.students for rung in ladder.rungs] == [[], [], ["s1"], [], [], ["s2"]]
    assert ladder.not_seen == ["s3"]
    assert {rung.grade for rung in ladder.rungs} == {""}


ANSWERS = evidence("""
| student_id | skill_id | window | kind   | points | points_possible | observed_on |
| s1         | 1.a      | fall   | points | 4      | 4               | 2026-09-08  |
| s1         | 2.a      | fall   | points | 0      | 4               | 2026-09-08  |
| s1         | 2.a      | spring | points | 4      | 4               | 2027-05-11  |
| s1         | 3.a      | spring | points | 0      | 2               | 2027-05-11  |
""")
SPRING = FALL.assign(window="spring", n_items=[0, 4, 2], mastery=[0.99, 0.99, 0.05])


def test_a_learner_is_told_with_evidence_reason_and_growth():
    (told,) = describe_learners([FALL, SPRING], ANSWERS, SKILLS, ["s1"], language=ENGLISH)
    assert [(c.i_can, c.shown) for c in told.can] == [
        ("I can add.", "4 of 4 points"),
        ("I can count.", "4 of 4 points"),
    ]
    step = told.next_step
    assert (step.i_can, step.before, step.first) == ("I can multiply.", ["I can add."], [])
    assert (step.shown, step.try_this) == ("just started", "What is 2 × 3?")
    assert [(g.i_can, g.since.isoformat()) for g in told.grown] == [("I can add.", "2026-09-08")]
    assert (told.looks_back, told.last_day.isoformat()) == (True, "2027-05-11")


def test_a_learner_without_answers_is_unknown_not_low():
    told = describe_learners([FALL], ANSWERS.head(2), SKILLS, ["new"], language=ENGLISH)
    assert [(one.student_id, one.is_known, one.n_can) for one in told] == [("new", False, 0)]


def test_a_level_is_said_as_a_rung_of_its_scale():
    rated = evidence("""
    | student_id | skill_id | window | kind  | level | scale       |
    | s1         | 1.a      | fall   | level | 5     | sc-graduate |
    """)
    (told,) = describe_learners([FALL], rated, SKILLS, ["s1"], language=ENGLISH)
    assert told.can[0].shown == "level 5 of 6"
