"""One classroom's evidence as arrays: whose, in which order, and read how."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from _levels import levels_of
from analysis.errors import UnknownError
from analysis.grouping.evidence import read_classroom
from analysis.readings import Draws
from conftest import table

ROSTER = table("""
    | student_id | classroom_id |
    | s10        | 4a           |
    | s2         | 4a           |
    | s3         | 4a           |
    | other      | 4b           |
""")
MASTERY = table("""
    | student_id | skill_id | window | mastery | n_items | ready |
    | s10        | k2       | fall   | 0.2     | 4       |       |
    | s10        | k10      | fall   | 0.6     | 0       | 0.5   |
    | s2         | k10      | fall   | 0.9     | 2       | 1     |
    | s2         | k2       | fall   | 0.7     | 3       | 1     |
    | s3         | k2       | fall   | 0.4     | 0       | 1     |
    | other      | k1       | fall   | 0.1     | 4       | 1     |
    | s2         | k3       | winter | 0.1     | 4       | 1     |
""").astype({"mastery": float, "n_items": float, "ready": float})
NAN = np.nan


def read(mastery=MASTERY, **more):
    return read_classroom(mastery.copy(), ROSTER, "4a", "fall", **more)


def test_students_and_skills_of_the_class_and_window_stand_as_people_count():
    classroom = read()
    assert classroom.students == ["s2", "s3", "s10"]
    assert classroom.skills == ["k2", "k10"]


def test_a_guess_without_one_answer_on_any_skill_is_no_evidence():
    classroom = read()
    np.testing.assert_array_equal(classroom.mastery, [[0.7, 0.9], [NAN, NAN], [0.2, 0.6]])
    assert classroom.assessed.tolist() == [True, False, True]
    assert classroom.asked.tolist() == [[True, True], [False, False], [True, False]]


def test_who_answered_but_has_no_mastery_is_not_assessed():
    mastery = MASTERY.copy()
    mastery.loc[mastery["student_id"] == "s2", "mastery"] = NAN
    assert read(mastery).assessed.tolist() == [False, False, True]


def test_value_is_lacking_it_and_being_ready_as_given_or_as_the_prerequisites_say():
    classroom = read(prerequisites={"k10": ["k2"]})
    np.testing.assert_allclose(classroom.value[[0, 2]], [[0.3, 0.1], [0.8, 0.4 * 0.5]])
    classroom = read(MASTERY.drop(columns="ready"), prerequisites={"k10": ["k2"]})
    np.testing.assert_allclose(classroom.value[[0, 2]], [[0.3, 0.1 * 0.7], [0.8, 0.4 * 0.2]])
    assert classroom.before.tolist() == [[False, True], [False, False]]
    assert classroom.prerequisites == {"k10": ["k2"]}


def test_without_levels_there_is_one_reading_and_all_is_left_to_gain():
    classroom = read()
    assert len(classroom.readings) == 1
    np.testing.assert_array_equal(classroom.readings[0], classroom.value)
    np.testing.assert_array_equal(classroom.worth, classroom.value)
    assert classroom.graded is False
    assert classroom.held is None


def test_draws_are_put_in_the_classs_order():
    held = np.zeros((2, 4, 3), dtype=int)
    held[1, 2, 0] = 1  # s2 holds k10 in the second draw
    draws = Draws(held, ["s10", "s3", "s2", "other"], ["k10", "k1", "k2"])
    found = read(draws=draws).held
    assert (found.shape, found.dtype) == ((2, 3, 2), np.dtype(bool))
    assert np.argwhere(found).tolist() == [[1, 0, 1]]


@pytest.mark.parametrize(
    ("students", "skills", "said"),
    [(["s2", "s3"], ["k2", "k10"], "student 's10'"), (["s2", "s3", "s10"], ["k2"], "skill 'k10'")],
)
def test_draws_have_to_know_everyone_and_every_skill(students, skills, said):
    held = np.zeros((1, len(students), len(skills)), dtype=bool)
    with pytest.raises(UnknownError, match=f"the posterior draws has no {said}"):
        read(draws=(held, students, skills))


def test_an_unknown_classroom_is_told_with_those_of_the_roster():
    with pytest.raises(UnknownError, match=r"the roster has no classroom '4c'\. .*4a, 4b"):
        read_classroom(MASTERY, ROSTER, "4c", "fall")


# -- the second reading -------------------------------------------------------------------


def shares_of(*levels: float) -> pd.DataFrame:
    """Return shares on four items a skill for s2 and s10 and for two of another class."""
    rows = [
        (student, skill, f"{skill}-{item}", level if item % 2 else 1 - level)
        for student, level in zip(["s2", "s10", "x1", "x2"], levels, strict=True)
        for skill in ["k2", "k10"]
        for item in range(4)
        if (student, skill) != ("s10", "k10")
    ]
    columns = ["student_id", "skill_id", "observation_id", "share"]
    return pd.DataFrame(rows, columns=columns).assign(window="fall")


RIGHT_OR_WRONG = shares_of(0, 1, 1, 0)


LEVELS = levels_of(RIGHT_OR_WRONG)
"""Of s2, s10, x1, x2 (in this order) on k2 and k10; s3 is not among them."""
HERE = LEVELS.student_ids.index("s2"), LEVELS.student_ids.index("s10")


def test_mastery_is_the_mean_of_both_readings_by_their_weight():
    classroom = read(levels=LEVELS)
    assert LEVELS.weight == pytest.approx(1 / 3)
    expected = (2 * np.array([[0.7, 0.9], [0.2, 0.6]]) + LEVELS.held[[*HERE]]) / 3
    np.testing.assert_allclose(classroom.mastery[[0, 2]], expected)
    assert np.isnan(classroom.mastery[1]).all()


def test_levels_are_put_in_the_classs_order_and_need_not_know_everyone():
    turned = LEVELS._replace(
        held=LEVELS.held[::-1, ::-1], draws=LEVELS.draws[:, ::-1, ::-1],
        expected=LEVELS.expected[::-1, ::-1], q=LEVELS.q[:, ::-1],
        student_ids=LEVELS.student_ids[::-1], skill_ids=LEVELS.skill_ids[::-1],
    )  # fmt: skip
    found, expected = read(levels=tuple(turned)), read(levels=LEVELS)
    for name in ("mastery", "value", "left", "trust", "held"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_a_skill_that_levels_do_not_know_is_read_one_way():
    classroom = read(levels=levels_of(RIGHT_OR_WRONG[RIGHT_OR_WRONG["skill_id"] == "k2"]))
    np.testing.assert_allclose(classroom.mastery[[0, 2], 1], [0.9, 0.6])
    np.testing.assert_allclose(classroom.value[:, 1], read().value[:, 1])
    np.testing.assert_array_equal(classroom.left[:, 1], 1)


def test_value_is_the_mean_of_what_both_readings_say_of_it():
    classroom = read(levels=LEVELS)
    first, second = classroom.readings
    np.testing.assert_allclose(first, read().value)
    np.testing.assert_allclose(classroom.value, (2 * first + second) / 3)
    assert np.nanmax(np.abs(first - second)) > 0.01
    assert not classroom.graded


def test_draws_are_mixed_by_weight_two_hundred_in_all():
    held = np.ones((300, 3, 2), dtype=bool)
    draws = Draws(held, ["s2", "s3", "s10"], ["k2", "k10"])
    classroom = read(levels=LEVELS, draws=draws, random_state=7)
    assert len(classroom.held) == 200
    assert classroom.held[:133].all()
    assert (classroom.held[133:, [0, 2]] == LEVELS.draws[:67, HERE]).all()
    assert classroom.held[133:, 1].all()  # nothing is known of s3: the first reading stands


def test_without_draws_of_the_first_reading_they_are_drawn_cell_by_cell():
    held = read(levels=LEVELS, random_state=7).held
    assert held.shape == (200, 3, 2)
    np.testing.assert_allclose(held[:133, 0].mean(axis=0), [0.7, 0.9], atol=0.1)
    assert (held == read(levels=LEVELS, random_state=7).held).all()
    assert (held != read(levels=LEVELS, random_state=8).held).any()


def test_of_graded_ratings_the_second_reading_stands_alone():
    graded = shares_of(0.3, 0.6, 0.8, 0.2)
    classroom = read(levels=levels_of(graded))
    assert classroom.graded
    assert len(classroom.readings) == 1
    np.testing.assert_allclose(classroom.value, classroom.readings[0])


def test_tasks_of_several_skills_leave_less_to_gain():
    both = RIGHT_OR_WRONG.replace({"observation_id": {"k2-1": "both", "k10-1": "both"}})
    classroom = read(levels=levels_of(both))
    assert (classroom.left[0] < 1).all()
    assert np.nanmax(classroom.worth) <= np.nanmax(classroom.value)
    np.testing.assert_array_equal(read(levels=LEVELS).left[0], [1, 1])
