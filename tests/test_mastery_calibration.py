"""From evidence to the mastery table, by way of a saved calibration."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.mastery import (
    Calibration,
    calibrate,
    draw_profiles,
    measure_mastery,
    read_answers,
    read_levels,
)
from analysis.mastery.level_fitting import fit_levels
from analysis.mastery.observations import read_observations
from analysis.tables import MASTERY, check_table

N_STUDENTS = 90
PREREQUISITES = [("count", "add"), ("add", "times")]


def make_evidence(n=N_STUDENTS, seed=0, skills=("count", "add", "times")):
    rng = np.random.default_rng(seed)
    rows = []
    for student in range(n):
        held = rng.integers(len(skills) + 1)
        for k, skill in enumerate(skills):
            for item in range(4):
                right = rng.random() < (0.9 if k < held else 0.15)
                rows.append((f"s{student:03}", skill, "fall", "quiz", f"{skill}-{item}", right))
    columns = ["student_id", "skill_id", "window", "source", "observation_id", "points"]
    return pd.DataFrame(rows, columns=columns).assign(
        kind="points", points_possible=1.0, points=lambda table: table["points"].astype(float)
    )


def make_roster(n=N_STUDENTS):
    students = [f"s{student:03}" for student in range(n)]
    classrooms = [f"class-{student // 25}" for student in range(n)]
    return pd.DataFrame({"student_id": students, "classroom_id": classrooms})


EVIDENCE, ROSTER = make_evidence(), make_roster()


@pytest.fixture(scope="module")
def calibration():
    return calibrate(EVIDENCE, ROSTER, prerequisites=PREREQUISITES, window="fall")


def test_every_student_on_the_roster_has_a_row_a_skill(calibration):
    found = measure_mastery(EVIDENCE, ROSTER, calibration)
    check_table(found, MASTERY, "the mastery table")
    assert len(found) == N_STUDENTS * 3
    assert (found["n_items"] == 4).all()


def test_the_interval_holds_the_probability(calibration):
    found = measure_mastery(EVIDENCE, ROSTER, calibration)
    assert found["mastery"].between(found["low"], found["high"]).all()


def test_a_student_without_evidence_is_unknown_not_low(calibration):
    roster = pd.DataFrame({"student_id": ["s001", "new"], "classroom_id": "class-0"})
    found = measure_mastery(EVIDENCE, roster, calibration).set_index("student_id")
    assert found.loc["new", ["mastery", "low", "high", "ready"]].isna().all(axis=None)
    assert (found.loc["new", "n_items"] == 0).all()
    assert found.loc["s001", "mastery"].notna().all()


def test_a_skill_without_evidence_is_inferred_with_a_wider_interval(calibration):
    gone = (EVIDENCE["student_id"] == "s001") & (EVIDENCE["skill_id"] == "add")
    roster = ROSTER[ROSTER["student_id"].isin(["s001", "s002"])]
    found = measure_mastery(EVIDENCE[~gone], roster, calibration)
    row = found[(found["student_id"] == "s001") & (found["skill_id"] == "add")].iloc[0]
    assert row["n_items"] == 0
    assert 0 < row["mastery"] < 1
    full = measure_mastery(EVIDENCE, roster, calibration)
    width = found["high"] - found["low"]
    assert width[row.name] > (full["high"] - full["low"])[row.name]


def test_ready_is_the_mastery_of_the_one_prerequisite(calibration):
    wide = measure_mastery(EVIDENCE, ROSTER, calibration).pivot_table(
        index="student_id", columns="skill_id", values=["mastery", "ready"]
    )
    np.testing.assert_allclose(wide["ready", "count"], 1)
    np.testing.assert_allclose(wide["ready", "times"], wide["mastery", "add"], atol=1e-9)


@pytest.mark.slow
def test_the_rows_order_changes_nothing():
    shuffled = EVIDENCE.sample(frac=1, random_state=1)
    roster = ROSTER.sample(frac=1, random_state=2)
    first = calibrate(EVIDENCE, ROSTER, prerequisites=PREREQUISITES, window="fall")
    second = calibrate(shuffled, roster, prerequisites=PREREQUISITES[::-1], window="fall")
    pd.testing.assert_frame_equal(
        measure_mastery(EVIDENCE, ROSTER, first),
        measure_mastery(shuffled, roster, second),
        check_exact=True,
    )
    assert first.supports_skill_groups == second.supports_skill_groups


def test_a_saved_calibration_measures_the_same(calibration, tmp_path):
    calibration.save(tmp_path / "one.json")
    loaded = Calibration.load(tmp_path / "one.json")
    loaded.save(tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    pd.testing.assert_frame_equal(
        measure_mastery(EVIDENCE, ROSTER, calibration),
        measure_mastery(EVIDENCE, ROSTER, loaded),
        check_exact=True,
    )


@pytest.mark.slow
def test_a_calibration_of_many_skills_is_saved_too(tmp_path):
    skills = [f"skill-{k}" for k in range(10)]
    evidence, roster = make_evidence(60, skills=skills), make_roster(60)
    made = calibrate(evidence, roster, prerequisites=[("skill-0", "skill-1")], window="fall")
    made.save(tmp_path / "many.json")
    pd.testing.assert_frame_equal(
        measure_mastery(evidence, roster, made),
        measure_mastery(evidence, roster, Calibration.load(tmp_path / "many.json")),
        check_exact=True,
    )


def test_a_saved_calibration_names_no_student_and_no_classroom(calibration, tmp_path):
    calibration.save(tmp_path / "one.json")
    text = (tmp_path / "one.json").read_text()
    assert not any(f'"{name}"' in text for column in ROSTER for name in ROSTER[column])


@pytest.mark.parametrize("text", ["", "[1]", '{"format": "other", "version": 1}'])
def test_a_file_that_is_no_calibration_is_refused(text, tmp_path):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match="Calibrate again"):
        Calibration.load(tmp_path / "x.json")


def test_another_version_is_refused(calibration, tmp_path):
    path = tmp_path / "x.json"
    calibration.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    with pytest.raises(DataError, match="not a mastery calibration of version 3"):
        Calibration.load(path)


def test_a_student_in_two_classrooms_is_measured_and_counted_once(calibration):
    twice = pd.concat([ROSTER, ROSTER[:1].assign(classroom_id="class-9")])
    found = measure_mastery(EVIDENCE, twice, calibration)
    assert not found.duplicated(["student_id", "skill_id"]).any()
    assert calibrate(EVIDENCE, twice, window="fall").n_students == N_STUDENTS


def test_a_new_item_asks_for_a_new_calibration(calibration):
    new = EVIDENCE[:1].assign(observation_id="brand-new")
    with pytest.raises(DataError, match="brand-new of quiz\nCalibrate again"):
        measure_mastery(pd.concat([EVIDENCE, new]), ROSTER, calibration)


def test_a_window_without_evidence_is_refused():
    with pytest.raises(DataError, match="no evidence in window 'spring'"):
        calibrate(EVIDENCE, ROSTER, window="spring")


def test_a_prerequisite_without_evidence_is_bridged():
    evidence = EVIDENCE[EVIDENCE["skill_id"] != "add"]
    made = calibrate(evidence, ROSTER, prerequisites=PREREQUISITES, window="fall")
    first, then = np.argwhere(made.model.prerequisites_)[0]
    assert (made.skill_ids[first], made.skill_ids[then]) == ("count", "times")


def test_prerequisites_in_a_circle_are_refused():
    with pytest.raises(DataError, match="go in a circle"):
        calibrate(
            EVIDENCE, ROSTER, prerequisites=[("add", "count"), ("count", "add")], window="fall"
        )


def test_prerequisites_may_be_a_frame_of_truth_values(calibration):
    ids = calibration.skill_ids
    frame = pd.DataFrame(calibration.model.prerequisites_, index=ids, columns=ids)
    made = calibrate(EVIDENCE, ROSTER, prerequisites=frame, window="fall")
    np.testing.assert_array_equal(made.model.prerequisites_, calibration.model.prerequisites_)


def test_draws_have_the_mastery_as_their_share_and_respect_prerequisites(calibration):
    draws, students, skills = draw_profiles(EVIDENCE, ROSTER, calibration, n_draws=1000)
    mastery = measure_mastery(EVIDENCE, ROSTER, calibration).pivot_table(
        index="student_id", columns="skill_id", values="mastery"
    )
    np.testing.assert_allclose(draws.mean(axis=0), mastery.loc[students, skills], atol=0.07)
    assert (draws[:, :, skills.index("times")] <= draws[:, :, skills.index("add")]).all()


def test_draws_repeat_with_the_seed(calibration):
    one, two = (draw_profiles(EVIDENCE, ROSTER, calibration, 5, random_state=7)[0] for _ in "ab")
    np.testing.assert_array_equal(one, two)


def observe(**columns):
    key = ["student_id", "skill_id", "window", "source", "observation_id"]
    return pd.DataFrame([dict(zip(key, ["s", "k", "fall", "x", "o"], strict=True)) | columns])


RUBRIC = {"rubric": (["1", "2", "3", "4"], "3")}


@pytest.mark.parametrize(
    ("columns", "share", "weight"),
    [
        ({"kind": "points", "points": 3.0, "points_possible": 4.0}, 0.75, 1),
        ({"kind": "score", "score": 210.0, "cut": 210.0, "score_se": 3.0}, 0.5, 4),
        ({"kind": "score", "score": 213.0, "cut": 210.0, "score_se": 3.0}, 0.8413, 4),
        ({"kind": "score", "score": 210.0, "cut": 210.0}, 1.0, 4),
        ({"kind": "score", "score": 209.0, "cut": 210.0}, 0.0, 4),
        ({"kind": "level", "level": "1", "scale": "rubric"}, 0.0, 1),
        ({"kind": "level", "level": "2", "scale": "rubric"}, 0.0, 1),
        ({"kind": "level", "level": "3", "scale": "rubric"}, 1.0, 1),
        ({"kind": "level", "level": "4", "scale": "rubric"}, 1.0, 1),
    ],
)
def test_each_kind_of_evidence_becomes_a_share_of_stated_weight(columns, share, weight):
    seen = read_observations(observe(**columns), "fall", scales=RUBRIC)
    assert seen.answers[0, 0] == pytest.approx(share, abs=1e-4)
    assert seen.weight[0] == weight


@pytest.mark.slow
def test_levels_of_the_shipped_scales_need_no_scales_given(tmp_path):
    levels = EVIDENCE.assign(
        kind="level",
        scale="rubric-4",
        level=np.where(EVIDENCE["points"] > 0, "3", "2"),
        points=np.nan,
        points_possible=np.nan,
    )
    made = calibrate(levels, ROSTER, window="fall")
    made.save(tmp_path / "levels.json")
    pd.testing.assert_frame_equal(
        measure_mastery(levels, ROSTER, made),
        measure_mastery(levels, ROSTER, Calibration.load(tmp_path / "levels.json")),
        check_exact=True,
    )


def test_a_score_without_cut_is_no_evidence():
    seen = read_observations(observe(kind="score", score=200.0), "fall")
    assert seen.student_ids == []


def test_a_level_off_its_scale_is_refused():
    with pytest.raises(DataError, match="student s: level '5' is not on scale 'rubric'"):
        read_observations(observe(kind="level", level="5", scale="rubric"), "fall", scales=RUBRIC)


def test_points_above_points_possible_are_refused():
    with pytest.raises(DataError, match="observation o: 5 of 4 points"):
        read_observations(observe(kind="points", points=5.0, points_possible=4.0), "fall")


def test_an_item_of_two_skills_is_one_answer():
    both = pd.concat(
        [observe(kind="points", points=1.0, points_possible=1.0, skill_id=k) for k in "ab"]
    )
    seen = read_observations(both, "fall")
    assert seen.answers.shape == (1, 1)
    assert seen.q.tolist() == [[1, 1]]


@pytest.mark.slow
def test_more_evidence_makes_the_interval_narrower():
    thin = EVIDENCE[EVIDENCE["observation_id"].str.endswith(("-0", "-1"))]
    widths = [
        measure_mastery(table, ROSTER, calibrate(table, ROSTER, window="fall"))
        .eval("high - low")
        .mean()
        for table in (thin, EVIDENCE)
    ]
    assert widths[1] < widths[0]


def test_skills_that_are_there_are_found_to_be_there():
    verdict = calibrate(make_evidence(400, skills=("a", "b")), make_roster(400), window="fall")
    figures = verdict.supports_skill_groups
    assert figures.n_hidden == 400 * 8
    assert figures.gain == pytest.approx(figures.ability_log_loss - figures.skills_log_loss)


# -- the second reading, learnt from everybody ---------------------------------------------


def test_levels_are_learnt_from_everybody_and_read_for_some(calibration):
    everybody = read_answers(EVIDENCE, ROSTER, calibration)
    model = fit_levels(everybody.graded, calibration.levels.q, everybody.classroom_ids)
    here = ROSTER[ROSTER["classroom_id"] == "class-1"]
    levels = read_levels(EVIDENCE, here, calibration, n_draws=40, random_state=3)
    places = [everybody.student_ids.index(student) for student in levels.student_ids]
    own = everybody.graded[places], everybody.classroom_ids[places]
    held, draws, expected = model.read(*own, n_draws=40, random_state=3)
    np.testing.assert_allclose(levels.held, held)
    np.testing.assert_array_equal(levels.draws, draws)
    np.testing.assert_allclose(levels.expected, expected)
    assert levels.skill_ids == calibration.skill_ids
    assert levels.weight == pytest.approx(1 / 3)


def test_levels_say_nothing_of_who_has_no_evidence_nor_of_skills_nobody_here_was_asked(
    calibration,
):
    roster = pd.DataFrame({"student_id": ["s001", "new"], "classroom_id": "class-0"})
    some = EVIDENCE[EVIDENCE["skill_id"] != "times"]
    levels = read_levels(some, roster, calibration, n_draws=5)
    assert levels.student_ids == ["new", "s001"]
    places = dict(zip(levels.skill_ids, range(3), strict=True))
    for table in (levels.held, levels.expected):
        assert np.isnan(table[0]).all()
        assert np.isnan(table[1]).tolist() == [skill == "times" for skill in levels.skill_ids]
    assert not levels.draws[:, 0].any()
    assert levels.draws.shape == (5, 2, 3)
    assert len(levels.usual) == len(levels.q) == 8
    assert levels.q.sum(axis=0)[places["times"]] == 0


def test_a_saved_calibration_reads_the_same_levels(calibration, tmp_path):
    calibration.save(tmp_path / "one.json")
    loaded = Calibration.load(tmp_path / "one.json")
    for found, expected in zip(
        read_levels(EVIDENCE, ROSTER, loaded), read_levels(EVIDENCE, ROSTER, calibration),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(found, expected)


def test_ratings_are_read_by_their_place_on_the_scale(calibration):
    rng = np.random.default_rng(0)
    rated = EVIDENCE.assign(
        kind="level", scale="rubric", points=np.nan, points_possible=np.nan,
        level=rng.choice(["1", "2", "3", "4"], len(EVIDENCE)),
    )  # fmt: skip
    made = calibrate(rated, ROSTER, window="fall", scales={"rubric": ["1", "2", "3", "4"]})
    answers = read_answers(rated, ROSTER, made)
    assert set(np.unique(answers.graded)) == {0, 0.25, 0.75, 1}
    assert set(np.unique(answers.shares)) == {0, 1}
    levels = read_levels(rated, ROSTER, made, answers=answers)
    assert levels.weight == 1
    np.testing.assert_allclose(levels.usual, answers.graded.mean(axis=0), atol=0.02)


def test_what_is_usual_on_an_item_nobody_of_the_sample_answered_is_what_was_earned_here(
    calibration,
):
    model = calibration.levels
    unseen = replace(model, n_answers=np.where(np.arange(12) == 0, 0, model.n_answers))
    here = ROSTER[ROSTER["classroom_id"] == "class-0"]
    levels = read_levels(EVIDENCE, here, replace(calibration, levels=unseen), n_draws=1)
    own = np.nanmean(read_answers(EVIDENCE, here, calibration).graded, axis=0)
    assert levels.usual[0] == pytest.approx(own[0])
    np.testing.assert_allclose(levels.usual[1:], (90 * model.usual + 25 * own)[1:] / 115)
