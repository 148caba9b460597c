"""A change is said only where the evidence carries it; who moved, who is stuck, and when."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis.growth import (
    Course,
    advise_regrouping,
    compare_with_alike,
    find_entrenched,
    find_not_growing,
    find_stuck,
    growth_by_skill,
    growth_by_student,
    mean_growth,
    measure_changes,
    place_groups,
    said_changes,
    summarise_classrooms,
    trace_groups,
)
from analysis.growth.movement import answers_to_show
from conftest import table


def mastery(drawing: str) -> pd.DataFrame:
    drawn = table(drawing)
    return drawn.assign(
        mastery=drawn["mastery"].astype(float),
        n_items=drawn["n_items"].astype(int) if "n_items" in drawn else 3,
    )


def changes(before: float, now: float, n_items: tuple[int, int] = (3, 3)) -> pd.DataFrame:
    row = {"student_id": ["s1"], "skill_id": "k"}
    return measure_changes(
        pd.DataFrame(row | {"mastery": before, "n_items": n_items[0]}),
        pd.DataFrame(row | {"mastery": now, "n_items": n_items[1]}),
    )


# One student, one skill


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (0.01, 0.99, ["gained"]),
        (0.3, 0.99, []),
        (0.01, 0.8, []),
        (0.99, 0.99, []),
        (0.01, 0.01, []),
        (0.999, 0.001, ["slipped"]),
        (0.9, 0.3, []),
    ],
)
def test_a_change_is_said_only_when_both_windows_are_clear(before, now, said):
    assert said_changes(changes(before, now))["change"].tolist() == said


@pytest.mark.parametrize("n_items", [(0, 3), (3, 0), (0, 0)])
def test_nothing_is_said_of_a_skill_that_was_not_asked_for_twice(n_items):
    assert said_changes(changes(0.01, 0.99, n_items)).empty


def test_who_was_absent_in_a_window_has_no_row():
    assert changes(np.nan, 0.9).empty
    assert changes(0.1, np.nan).empty


def test_the_four_courses_share_one_probability():
    one = changes(0.4, 0.7).iloc[0]
    assert 0 < one["gained"] < 0.6 * 0.7
    assert 0 < one["lost"] < 0.4 * 0.3


def test_changes_do_not_depend_on_the_order_of_rows():
    before = mastery("""
        | student_id | skill_id | mastery |
        | s1         | a        | 0.1     |
        | s2         | a        | 0.9     |
        | s1         | b        | 0.5     |
    """)
    now = before.assign(mastery=[0.9, 0.2, 0.6])
    shuffled = measure_changes(before.iloc[::-1], now.iloc[[1, 2, 0]])
    pd.testing.assert_frame_equal(measure_changes(before, now), shuffled)


# Amounts


def measured(rows: list[tuple[float, float]]) -> pd.DataFrame:
    students = [f"s{number}" for number in range(len(rows))]
    frame = pd.DataFrame({"student_id": students, "skill_id": "k", "n_items": 3})
    first, then = zip(*rows, strict=True)
    return measure_changes(frame.assign(mastery=first), frame.assign(mastery=then))


def test_a_skill_that_all_gained_has_an_interval_around_all():
    row = growth_by_skill(measured([(0.01, 0.99)] * 20)).iloc[0]
    assert row["change"] == pytest.approx(19.6)
    assert 15 <= row["low"] <= row["high"] <= 20


def test_a_skill_of_which_nothing_is_known_has_an_interval_with_zero_in_it():
    row = growth_by_skill(measured([(0.5, 0.5)] * 20)).iloc[0]
    assert row["low"] <= 0 <= row["high"]


def test_growth_counts_only_skills_that_were_asked_twice():
    part = pd.concat([changes(0.1, 0.9), changes(0.1, 0.9, (3, 0)).assign(skill_id="other")])
    row = growth_by_student(part).iloc[0]
    assert (row["n_skills"], round(row["growth"], 6)) == (1, 0.8)
    assert row["start"] == pytest.approx(0.2)


@pytest.mark.parametrize(("amounts", "n"), [([], 0), ([1.0], 1), ([np.nan, 2.0], 1)])
def test_the_growth_of_fewer_than_two_students_is_unknown_not_zero(amounts, n):
    assert mean_growth(pd.Series(amounts, dtype=float)).n == n
    assert np.isnan(mean_growth(pd.Series(amounts, dtype=float)).mean)


# Beside students who started alike


def district(growth_of: dict[str, float], *, n: int = 15, seed: int = 0) -> tuple:
    rng = np.random.default_rng(seed)
    rows = [
        {"student_id": f"{room}-{i:02}", "classroom_id": room, "grade": "4",
         "start": rng.uniform(4, 12), "room": 6.0, "growth": rng.normal(mean, 0.5)}
        for room, mean in growth_of.items() for i in range(n)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame[["student_id", "start", "room", "growth"]], frame[
        ["student_id", "classroom_id", "grade"]
    ]


def test_a_classroom_that_stands_still_is_named_and_the_others_are_not():
    rooms = summarise_classrooms(
        compare_with_alike(*district({"a": 2.0, "b": 2.0, "c": 2.0, "d": 0.1}))
    ).set_index("classroom_id")
    assert rooms.at["d", "verdict"] == "less"
    assert (rooms.loc[["a", "b", "c"], "verdict"] != "less").all()
    assert rooms.at["d", "high"] < 0


def test_a_short_test_does_not_look_like_little_growth():
    growth, roster = district({"a": 2.0, "b": 2.0, "c": 2.0})
    short = growth["student_id"].str.startswith("c")
    growth.loc[short, ["growth", "room"]] /= 4
    rooms = summarise_classrooms(compare_with_alike(growth, roster)).set_index("classroom_id")
    assert abs(rooms.at["c", "beyond"]) < 0.2


def test_without_ten_others_nothing_is_compared():
    compared = compare_with_alike(*district({"a": 2.0, "b": 1.0}, n=9))
    assert compared["beyond"].isna().all()
    assert set(summarise_classrooms(compared)["verdict"]) == {""}


def test_own_classmates_are_never_the_alike():
    compared = compare_with_alike(*district({"a": 0.0, "b": 4.0}))
    by_room = compared.groupby("classroom_id")["alike"].mean()
    assert by_room["a"] > 3.5
    assert by_room["b"] < 0.5


# Who moved, who is stuck

GROUPS = table("""
    | window | classroom_id | student_id | group | focus_skill_id |
    | w1     | 4a           | s1         | 1     | a              |
    | w1     | 4a           | s2         | 1     | a              |
    | w1     | 4a           | s3         | 2     | b              |
    | w1     | 4a           | s4         | 2     | b              |
    | w2     | 4a           | s1         | 1     | a              |
    | w2     | 4a           | s2         | 2     | b              |
    | w2     | 4a           | s3         | 2     | b              |
    | w2     | 4a           | s4         |       |                |
""")
HELD = mastery("""
    | window | student_id | skill_id | mastery |
    | w1     | s1         | a        | 0.1     |
    | w1     | s2         | a        | 0.2     |
    | w1     | s3         | a        | 0.9     |
    | w1     | s4         | a        | 0.9     |
    | w2     | s1         | a        | 0.1     |
    | w2     | s1         | b        | 0.1     |
    | w2     | s2         | a        | 0.9     |
    | w2     | s2         | b        | 0.2     |
    | w2     | s3         | a        | 0.9     |
    | w2     | s3         | b        | 0.7     |
    | w2     | s4         | b        | 0.2     |
""")
NOW = HELD[HELD["window"] == "w2"]


def of(window: str) -> pd.DataFrame:
    return GROUPS[GROUPS["window"] == window]


def test_each_student_of_a_group_has_one_course():
    traced = trace_groups(of("w1"), of("w2"), NOW).set_index("student_id")["course"]
    assert traced.to_dict() == {"s1": "still", "s2": "learned", "s3": "still", "s4": "no group"}


def test_who_was_not_seen_again_has_not_moved():
    unseen = NOW[NOW["student_id"] != "s1"]
    traced = trace_groups(of("w1"), of("w2"), unseen).set_index("student_id")["course"]
    assert traced["s1"] == Course.NOT_SEEN


def test_who_has_not_shown_the_skill_and_works_on_another_is_told_apart():
    moved = of("w2").assign(focus_skill_id="c")
    assert trace_groups(of("w1"), moved, NOW).set_index("student_id").at["s1", "course"] == "other"


def test_stuck_is_who_has_the_same_skill_again_and_has_not_shown_it():
    stuck = find_stuck(place_groups(GROUPS, HELD), NOW, ["w1", "w2"])
    assert stuck[["student_id", "skill_id", "n_windows"]].values.tolist() == [["s1", "a", 2]]


def test_the_answers_that_would_move_a_student_are_few_or_none():
    assert answers_to_show(0.3) == 2
    assert answers_to_show(0.001) is None
    assert answers_to_show(float("nan")) is None


def test_entrenched_is_who_sat_with_the_earliest_skills_in_every_window():
    placed = place_groups(GROUPS, HELD)
    assert find_entrenched(placed, NOW, ["w1", "w2"])["student_id"].tolist() == ["s1"]


def test_nobody_is_entrenched_after_one_window_or_in_one_group():
    placed = place_groups(GROUPS, HELD)
    assert find_entrenched(placed, NOW, ["w2"]).empty
    alone = place_groups(
        GROUPS.assign(group=GROUPS["group"].where(GROUPS["group"].isna(), "1")), HELD
    )
    assert not alone["earliest"].any()


def test_an_absence_breaks_the_row():
    placed = place_groups(
        GROUPS[~((GROUPS["window"] == "w1") & (GROUPS["student_id"] == "s1"))], HELD
    )
    assert find_entrenched(placed, NOW, ["w1", "w2"]).empty


@pytest.mark.parametrize(
    ("gained", "room", "listed"),
    [((0.1, 0.1), 6, True), ((0.1, 2.0), 6, False), ((2.0, 0.1), 6, False), ((0.1, 0.1), 1, False)],
)
def test_not_growing_is_two_steps_without_gain_though_there_was_room(gained, room, listed):
    steps = [
        pd.DataFrame({"student_id": ["s1"], "gained": [amount], "room": [room]})
        for amount in gained
    ]
    assert find_not_growing(steps)["student_id"].tolist() == (["s1"] if listed else [])


def test_one_step_is_too_little_to_say_that_somebody_does_not_grow():
    step = pd.DataFrame({"student_id": ["s1"], "gained": [0.0], "room": [6.0]})
    assert find_not_growing([step]).empty


@pytest.mark.parametrize(
    ("courses", "now"),
    [(["learned", "learned", "still"], True), (["learned", "still", "still"], False),
     (["not seen", "not seen"], False), ([], False)],
)  # fmt: skip
def test_groups_are_formed_anew_early_when_most_are_done(courses, now):
    traced = pd.DataFrame({"course": pd.Series(courses, dtype="str")})
    advice = advise_regrouping(traced, date(2026, 1, 12), cycle_weeks=3)
    assert advice.now is now
    assert advice.regroup_on == date(2026, 2, 2)


def test_without_a_date_there_is_no_day_to_regroup():
    traced = pd.DataFrame({"course": ["still"]})
    assert advise_regrouping(traced, None, cycle_weeks=4).regroup_on is None
