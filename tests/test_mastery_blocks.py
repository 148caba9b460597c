"""Students who took other tests: their answers lie apart, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.crew import Here
from analysis.mastery import MasteryModel, gather, responses
from analysis.mastery.gathering import survey
from analysis.mastery.responses import distinct_rows

WINDOW = "fall"
N_STUDENTS, N_ITEMS, SIZE = 120, 8, 10
NO = np.nan


def evidence_of(test_of_classroom, n_skills: int = 2, seed: int = 0) -> pd.DataFrame:
    """Classrooms of ten, each with eight questions of its own test."""
    rng = np.random.default_rng(seed)
    student, item = np.divmod(np.arange(N_STUDENTS * N_ITEMS), N_ITEMS)
    able = rng.normal(size=(N_STUDENTS, n_skills))[student, item % n_skills] > 0
    return pd.DataFrame(
        {
            "student_id": pd.Series(student).map("s{:03d}".format),
            "skill_id": pd.Series(item % n_skills).map("4.NF.{}".format),
            "window": WINDOW,
            "source": [f"test-{test_of_classroom(one // SIZE):02d}" for one in student],
            "observation_id": pd.Series(item).map("i{}".format),
            "kind": "points",
            "points": (rng.random(len(item)) < np.where(able, 0.85, 0.2)).astype(float),
            "points_possible": 1.0,
        }
    )


def roster_of(evidence: pd.DataFrame) -> pd.DataFrame:
    roster = evidence[["student_id"]].drop_duplicates(ignore_index=True)
    return roster.assign(classroom_id=(roster.index // SIZE).map("room-{:02d}".format))


def places_of(evidence: pd.DataFrame, n_places: int) -> list:
    """Gather the evidence in places of whole classrooms."""
    roster = roster_of(evidence)
    parts = np.array_split(roster.index, n_places)
    own = [roster.loc[part] for part in parts]
    return [
        gather(evidence[evidence["student_id"].isin(one["student_id"])], one, WINDOW) for one in own
    ]


def blocks_of(evidence: pd.DataFrame, n_places: int) -> list:
    shards = survey(Here(), places_of(evidence, n_places), WINDOW).spread().shards
    return [block for shard in shards for block in shard.blocks]


TESTS = {
    "one for all": (lambda room: 0, 1),
    "one a place": (lambda room: room // 4, 3),
    "one a classroom": (lambda room: room, 12),
    "two by turns": (lambda room: room % 2, 12),
}


@pytest.mark.parametrize("tests", TESTS)
def test_rows_hold_the_items_their_classrooms_were_asked_and_no_others(tests):
    of_classroom, n_blocks = TESTS[tests]
    blocks = blocks_of(evidence_of(of_classroom), n_places=1)
    assert len(blocks) == n_blocks
    assert {block.answers.shape[1] for block in blocks} == {N_ITEMS}
    assert sum(block.count.sum() for block in blocks) == N_STUDENTS


def fitted(evidence: pd.DataFrame, n_places: int) -> MasteryModel:
    seen = survey(Here(), places_of(evidence, n_places), WINDOW)
    return MasteryModel(seen.q, item_weight=seen.weight).fit_spread(seen.spread())


@pytest.mark.parametrize("n_skills", [2, 9], ids=["profiles listed", "one skill at a time"])
@pytest.mark.parametrize("tests", ["one a place", "two by turns"])
def test_what_is_learnt_is_what_rows_of_all_items_teach(tests, n_skills, monkeypatch):
    evidence = evidence_of(TESTS[tests][0], n_skills)
    apart = [fitted(evidence, n_places) for n_places in (1, 3)]
    monkeypatch.setattr(responses, "SHARED", 0.0)
    (whole,) = blocks_of(evidence, n_places=1)
    assert whole.answers.shape[1] > N_ITEMS
    dense = fitted(evidence, 1)
    for model in apart:
        for part in (
            lambda one: one.skill_model_.success.mean,
            lambda one: one.skill_model_.skills.slope,
            lambda one: one.ability_model_.slope,
            lambda one: one.skill_share_,
        ):
            np.testing.assert_allclose(part(model), part(dense), rtol=0, atol=1e-9)


def test_students_of_many_tests_are_measured_as_if_each_row_held_all_items(monkeypatch):
    (place,) = places_of(evidence_of(lambda room: room // 4), 1)
    seen, rooms = place.seen, place.classrooms
    apart = MasteryModel(seen.q).fit(seen.answers, classrooms=rooms)
    monkeypatch.setattr(responses, "SHARED", 0.0)
    dense = MasteryModel(seen.q).fit(seen.answers, classrooms=rooms)
    for look in ("transform", "predict_responses"):
        found, expected = (getattr(one, look)(seen.answers, rooms) for one in (apart, dense))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def rows_of(answers: list, classrooms: list) -> responses.Responses:
    seen = np.array(answers, dtype=float)
    return distinct_rows(seen, np.array(classrooms), max(classrooms) + 1, np.ones(seen.shape[1]))


def test_a_classroom_that_left_out_questions_lies_with_its_neighbours():
    rows = rows_of([[1, 0, 1, 0], [1, NO, NO, NO], [0, 1, 1, 1]], [0, 1, 2])
    assert len(rows.blocks) == 1


def test_other_forms_of_a_test_lie_together_and_another_test_apart():
    rows = rows_of([[1, 0, 1, NO, NO], [NO, 0, 1, 1, NO], [NO, NO, NO, NO, 1]], [0, 1, 2])
    assert [block.items.tolist() for block in rows.blocks] == [[0, 1, 2, 3], [4]]


def test_a_classroom_without_an_answer_starts_no_block():
    rows = rows_of([[1, NO], [NO, NO], [0, NO]], [0, 1, 2])
    assert [block.n_rows for block in rows.blocks] == [3]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
def test_every_so_manyth_row_is_counted_over_all_blocks(step):
    evidence = evidence_of(lambda room: room // 5, seed=3)
    (shard,) = survey(Here(), places_of(evidence, 1), WINDOW).spread().shards
    assert len(shard.blocks) == 3
    for start in range(min(step, 4)):
        found = [room for part in shard.every(step, start).chunks() for room in part.classroom]
        every = [room for part in shard.chunks() for room in part.classroom]
        assert found == every[start::step]


def test_a_sample_of_many_places_joins_blocks_of_the_same_items():
    spread = survey(Here(), places_of(evidence_of(lambda room: room // 6), 6), WINDOW).spread()
    sample = spread.sample(50)
    assert [len(set(block.classroom)) for block in sample.blocks] == [6, 6]
    assert sample.n_rows <= 50


def test_evidence_is_kept_by_the_answer_not_by_students_times_items():
    (place,) = places_of(evidence_of(lambda room: room), 1)
    assert len(place.seen.share) == N_STUDENTS * N_ITEMS
    assert place.seen.answers.shape == (N_STUDENTS, 12 * N_ITEMS)
    assert np.isfinite(place.seen.answers).sum() == N_STUDENTS * N_ITEMS
