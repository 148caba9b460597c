"""Subgroups are compared within classrooms, by chance's own measure, and never small ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.equity import check_sorting


def people(n_rooms: int, n: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return students of some classrooms with growth by chance, and a subgroup of a third."""
    rng = np.random.default_rng(seed)
    ids = [f"s{number:04}" for number in range(n_rooms * n)]
    students = pd.DataFrame(
        {
            "student_id": ids,
            "classroom_id": np.repeat([f"c{room}" for room in range(n_rooms)], n),
            "growth": rng.normal(size=len(ids)),
        }
    )
    return students, pd.DataFrame(
        {"student_id": ids, "learner": np.where(rng.random(len(ids)) < 0.33, "yes", "no")}
    )


def test_a_real_difference_within_classrooms_is_found():
    students, groups = people(5, 20)
    students["growth"] -= groups["learner"].eq("yes")
    (found,) = check_sorting(students, groups, {"growth": "growth"})
    assert found.stands_out
    assert found.effect == pytest.approx(-1.0, abs=0.35)
    assert (found.subgroup, found.value, found.measure) == ("learner", "yes", "growth")


def test_a_difference_between_classrooms_is_no_sorting_within_them():
    students, groups = people(2, 60, seed=1)
    # One classroom has nearly all learners and grows less; within it nobody differs.
    room = students["classroom_id"].eq("c0")
    rng = np.random.default_rng(2)
    groups["learner"] = np.where(rng.random(len(groups)) < np.where(room, 0.8, 0.2), "yes", "no")
    students["growth"] -= 3.0 * room
    (found,) = check_sorting(students, groups, {"growth": "growth"})
    assert found.mean < found.mean_others - 1
    assert not found.stands_out


@pytest.mark.slow
def test_chance_alone_stands_out_one_time_in_twenty():
    found = [
        check_sorting(*people(4, 20, seed=seed), {"growth": "growth"}, random_state=seed)[0]
        for seed in range(40)
    ]
    assert sum(one.stands_out for one in found) <= 6
    assert 0.3 < np.mean([one.p for one in found]) < 0.7


@pytest.mark.parametrize(("n_yes", "shown"), [(9, False), (10, True), (31, False), (30, True)])
def test_fewer_than_ten_on_either_side_show_no_number(n_yes, shown):
    students, groups = people(2, 20)
    groups["learner"] = ["yes"] * n_yes + ["no"] * (40 - n_yes)
    (found,) = check_sorting(students, groups, {"growth": "growth"})
    numbers = [found.n, found.n_others, found.mean, found.mean_others, found.effect, found.p]
    assert all((number is not None) == shown for number in numbers)


def test_looking_more_often_makes_each_look_stricter():
    students, groups = people(5, 20)
    groups = groups.assign(plan=groups["learner"].sample(frac=1, random_state=1).to_numpy())
    alone = check_sorting(students, groups[["student_id", "learner"]], {"growth": "growth"})
    both = check_sorting(students, groups, {"growth": "growth"})
    assert alone[0].adjusted == alone[0].p
    assert max(one.adjusted - one.p for one in both) > 0


def test_the_result_does_not_depend_on_the_order_of_rows():
    students, groups = people(3, 20)
    shuffled = students.sample(frac=1, random_state=5), groups.sample(frac=1, random_state=6)
    measures = {"growth": "growth"}
    assert check_sorting(*shuffled, measures) == check_sorting(students, groups, measures)


def test_a_subgroup_of_three_values_is_compared_value_by_value():
    students, groups = people(3, 40)
    groups["learner"] = ["a", "b", "c"] * 40
    found = check_sorting(students, groups, {"growth": "growth"})
    assert [one.value for one in found] == ["a", "b", "c"]
