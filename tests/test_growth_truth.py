"""Growth against what is true: a simulated district, and a real test before and after."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.district import open_calibration
from analysis.growth import (
    growth_by_skill,
    growth_by_student,
    mean_growth,
    measure_changes,
    said_changes,
)
from analysis.mastery import MasteryModel, measure_mastery
from analysis.simulation import WINDOWS, simulate_district

KEY = ["student_id", "skill_id"]


@pytest.fixture(scope="module")
def judged(demo_store) -> pd.DataFrame:
    """Every student and skill asked in both windows: what was said, and what is true."""
    roster = demo_store.read_roster()
    before, now = (
        measure_mastery(demo_store.read_evidence(w), roster, open_calibration(demo_store, w))
        for w in (WINDOWS[0], WINDOWS[-1])
    )
    changes = measure_changes(before, now)
    said = said_changes(changes)["change"].reindex(changes.index).fillna("")
    truth = simulate_district().truth.pivot(index=KEY, columns="window", values="has_skill")
    held = truth.reindex(pd.MultiIndex.from_frame(changes[KEY]))
    changes = changes.assign(
        said=said,
        first=held[WINDOWS[0]].to_numpy(),
        last=held[WINDOWS[-1]].to_numpy(),
    )
    return changes[changes["asked"]]


def test_gains_that_are_said_are_true_in_95_of_100(judged):
    gained = judged[judged["said"] == "gained"]
    assert len(gained) > 300
    assert (~gained["first"] & gained["last"]).mean() >= 0.95


def test_where_nothing_changed_a_change_is_said_in_5_of_100_at_most(judged):
    unchanged = judged[judged["first"] == judged["last"]]
    assert (unchanged["said"] != "").mean() <= 0.05


def test_half_of_the_true_gains_are_found(judged):
    gains = judged[~judged["first"] & judged["last"]]
    assert (gains["said"] == "gained").mean() > 0.5


def test_intervals_of_a_classrooms_skills_hold_the_truth_nine_times_in_ten(judged, demo_store):
    homes = demo_store.read_roster().drop_duplicates("student_id").set_index("student_id")
    covered = []
    for _, part in judged.groupby(judged["student_id"].map(homes["classroom_id"])):
        skills = growth_by_skill(part).set_index("skill_id")
        true = part["last"].astype(int) - part["first"].astype(int)
        true = true.groupby(part["skill_id"]).sum().reindex(skills.index)
        covered += ((skills["low"] <= true) & (true <= skills["high"])).tolist()
    assert len(covered) > 150
    assert sum(covered) / len(covered) >= 0.9


def test_the_real_test_is_higher_after_the_lesson_with_intervals(shared):
    folder = shared / "data" / "assessments" / "probability_prepost_12x4"
    answers = pd.read_csv(folder / "responses.csv", dtype={"student_id": "str"})
    q = pd.read_csv(folder / "q_matrix.csv").set_index("item")
    tables = {}
    for time, part in answers.groupby("time"):
        held = MasteryModel(q).fit_transform(part[q.index].to_numpy(float))
        wide = pd.DataFrame(held, index=part["student_id"], columns=q.columns)
        long = wide.melt(ignore_index=False, var_name="skill_id", value_name="mastery")
        tables[time] = long.reset_index().assign(n_items=3)
    changes = measure_changes(tables["pre"], tables["post"])
    skills = growth_by_skill(changes)
    assert skills["n_students"].tolist() == [504] * 4
    assert (skills["low"] > 0).all()
    total = mean_growth(growth_by_student(changes)["growth"])
    assert 0.2 < total.low < total.mean < total.high < 0.5
