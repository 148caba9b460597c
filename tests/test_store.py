"""The store keeps what was imported, a partition a classroom, and gives each its own."""

from __future__ import annotations

import stat

import pandas as pd
import pytest

from analysis.errors import DataError, UnknownError
from analysis.store import Store
from conftest import table

ROSTER = table("""
    | student_id | classroom_id | teacher |
    | 001        | 7A           | T. Ono  |
    | 002        | 7A           | T. Ono  |
    | 003        | 7a           | L. Diaz |
    | 001        | 7a           | L. Diaz |
""")
SKILLS = table("""
    | skill_id | name      | prerequisites |
    | 4.NF.1   | Equal     |               |
    | 3.NF.1   | Unit      |               |
    | 4.NF.2   | Compare   | 4.NF.1;3.NF.1 |
""")


def evidence(*rows: tuple) -> pd.DataFrame:
    columns = ["student_id", "skill_id", "window", "observation_id", "points"]
    return pd.DataFrame(rows, columns=columns).assign(
        source="quiz",
        kind="points",
        points_possible=1.0,
        points=lambda t: t["points"].astype(float),
    )


@pytest.fixture
def store(tmp_path) -> Store:
    store = Store(tmp_path / "store")
    store.save(
        roster=ROSTER,
        skills=SKILLS,
        evidence=evidence(
            ("001", "3.NF.1", "BOY", "i1", 1),
            ("002", "3.NF.1", "BOY", "i1", 0),
            ("003", "4.NF.1", "MOY", "i2", 1),
        ),
    )
    return store


def test_ids_stay_text_and_classrooms_that_differ_by_case_stay_apart(store):
    assert store.classroom_ids == ["7A", "7a"]
    assert store.read_roster("7A")["student_id"].tolist() == ["001", "002"]
    assert store.read_roster("7a")["student_id"].tolist() == ["001", "003"]


def test_a_student_in_two_classrooms_is_in_each_and_counted_once_together(store):
    assert store.read_evidence("BOY", "7A")["student_id"].tolist() == ["001", "002"]
    assert store.read_evidence("BOY", "7a")["student_id"].tolist() == ["001"]
    assert len(store.read_evidence("BOY")) == 2


def test_a_classroom_joined_later_gets_the_students_earlier_evidence(store):
    store.save(roster=table("| student_id | classroom_id |\n| 002 | 8B |"))
    assert store.read_evidence("BOY", "8B")["student_id"].tolist() == ["002"]


def test_a_second_import_of_the_same_observation_takes_the_place_of_the_first(store):
    store.save(evidence=evidence(("001", "3.NF.1", "BOY", "i1", 0)))
    seen = store.read_evidence("BOY", "7A").set_index("student_id")["points"]
    assert seen.to_dict() == {"001": 0.0, "002": 0.0}


def test_skills_keep_the_order_they_came_in(store):
    assert store.read_skills()["skill_id"].tolist() == ["4.NF.1", "3.NF.1", "4.NF.2"]


def test_evidence_of_a_student_on_no_roster_is_refused_and_nothing_is_saved(store):
    with pytest.raises(DataError, match="student 999 is on no roster"):
        store.save(
            evidence=evidence(("999", "3.NF.1", "BOY", "i1", 1), ("001", "3.NF.1", "EOY", "i1", 1))
        )
    assert store.windows == ["BOY", "MOY"]


def test_windows_come_in_the_order_of_their_days(tmp_path):
    store = Store(tmp_path)
    rows = evidence(
        ("001", "s", "MOY", "i1", 1), ("001", "s", "EOY", "i1", 1), ("001", "s", "BOY", "i1", 1)
    )
    days = pd.to_datetime(["2026-01-15", "2026-05-20", "2025-09-10"])
    store.save(roster=ROSTER, evidence=rows.assign(observed_on=days))
    assert store.windows == ["BOY", "MOY", "EOY"]


def test_the_digest_follows_this_classrooms_rows_and_no_others(store):
    before = {c: store.digest("BOY", [c]) for c in store.classroom_ids}
    store.save(evidence=evidence(("002", "3.NF.1", "BOY", "i2", 1)))
    after = {c: store.digest("BOY", [c]) for c in store.classroom_ids}
    assert before["7A"] != after["7A"]
    assert before["7a"] == after["7a"]


def test_the_same_imports_in_any_order_of_rows_make_the_same_bytes(tmp_path):
    rows = evidence(("001", "s", "BOY", "i1", 1), ("002", "s", "BOY", "i1", 0))
    for name, order in {"a": rows, "b": rows[::-1]}.items():
        Store(tmp_path / name).save(roster=ROSTER, evidence=order)
    assert Store(tmp_path / "a").digest("BOY", ["7A"]) == Store(tmp_path / "b").digest(
        "BOY", ["7A"]
    )


def test_an_unknown_classroom_is_named_with_the_nearest_known_one(store):
    with pytest.raises(UnknownError, match=r"has no classroom '7AA'\. Did you mean '7A'"):
        store.read_roster("7AA")


def test_a_folder_without_a_store_says_how_to_make_one(tmp_path):
    with pytest.raises(DataError, match="coach import"):
        Store(tmp_path).read_roster()


def test_a_store_of_another_format_is_not_read(store):
    (store.folder / "store.json").write_text('{"format": 0}')
    with pytest.raises(DataError, match="another version"):
        Store(store.folder).read_roster()


def test_everything_in_the_store_is_its_owners_only(store):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in store.folder.rglob("*")}
    assert modes <= {0o600, 0o700}
