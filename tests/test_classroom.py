"""Opening a classroom: from a store or from exports, with what changed and what comes next."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from analysis.classroom import open_classroom
from analysis.errors import DataError, UnknownError, UsageError
from analysis.store import Store
from conftest import PROJECT, WINDOW


@pytest.fixture(scope="module")
def classroom(demo_store):
    return open_classroom("demo-4b", window=WINDOW, data_dir=demo_store.folder)


def test_everyone_on_the_roster_is_somewhere_once(classroom):
    grouping = classroom.grouping
    grouped = grouping.groups.dropna(subset=["group"])["student_id"].tolist()
    others = [grouping.extension, grouping.conference, grouping.not_assessed]
    placed = grouped + [one for table in others for one in table["student_id"]]
    assert sorted(placed) == sorted(classroom.roster["student_id"])


def test_no_group_works_on_a_skill_that_hardly_anyone_was_asked(demo_store):
    for classroom_id in ["demo-4a", "demo-4c", "demo-5d"]:
        classroom = open_classroom(classroom_id, window=WINDOW, data_dir=demo_store.folder)
        asked = classroom.evidence.groupby("skill_id")["student_id"].nunique()
        assert all(asked.get(one, 0) >= 3 for one in classroom.grouping.focus["focus_skill_id"])


def test_the_planted_need_of_the_whole_class_is_taught_to_everyone(classroom):
    # The demo plants it: nobody in this classroom holds rounding, most are ready for it.
    assert classroom.grouping.whole_class["skill_id"].tolist() == ["3.PV.1"]
    assert "3.PV.1" not in classroom.grouping.focus["focus_skill_id"].tolist()


def test_students_who_share_a_name_are_told_apart_by_their_ids(demo_store):
    # The demo plants two students of one name in this classroom.
    roster = open_classroom("demo-3a", window=WINDOW, data_dir=demo_store.folder).roster
    names = roster.set_index("student_id")["display_name"]
    assert names.is_unique
    assert sum(names[one].endswith(f" ({one})") for one in names.index) == 2


def test_changes_are_looked_for_since_the_window_before(classroom, demo_store):
    assert classroom.window_before == "2026-MOY"
    assert set(classroom.changes["change"]) <= {"gained", "slipped"}
    first = open_classroom("demo-4b", window="2026-BOY", data_dir=demo_store.folder)
    assert first.window_before is None
    assert first.changes.empty


def test_the_goal_is_within_reach_and_has_a_day(classroom):
    goal = classroom.goal
    assert goal.baseline < goal.target <= goal.n_students
    assert (goal.regroup_on - pd.Timestamp("2026-05-15").date()).days == 28


def test_a_state_is_said_only_of_what_was_asked(classroom):
    asked = classroom.evidence.groupby(["student_id", "skill_id"]).size()
    wide = classroom.skill_states.reset_index()
    states = wide.melt("student_id").set_index(["student_id", "skill_id"])["value"]
    said = states[states != "not assessed"]
    assert set(said.index) == set(asked.index)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"classroom_id": "demo-4z"}, UnknownError, "Did you mean 'demo-4"),
        ({"window": "2026"}, UnknownError, "has no window '2026'"),
        ({"language": "fr"}, UnknownError, "has no language 'fr'"),
        ({"min_size": 7}, UsageError, "min_size 7 is over max_size 6"),
    ],
)
def test_what_is_not_there_is_named(demo_store, asked, error, said):
    given = {"classroom_id": "demo-4b", "window": WINDOW, "data_dir": demo_store.folder} | asked
    with pytest.raises(error, match=said):
        open_classroom(**given)


@pytest.mark.slow
def test_a_folder_of_exports_is_imported_once_and_again_when_they_change(tmp_path):
    shutil.copytree(PROJECT / "data" / "demo", tmp_path / "d", ignore=lambda *_: ["store"])
    open_classroom("demo-4b", window=WINDOW, data_dir=tmp_path / "d")
    saved = Store(tmp_path / "d" / "store").saved_at
    open_classroom("demo-4b", window=WINDOW, data_dir=tmp_path / "d")
    assert Store(tmp_path / "d" / "store").saved_at == saved
    marker = tmp_path / "d" / "store" / "store.json"
    marker.write_text(json.dumps({"format": 0}))
    open_classroom("demo-4b", window=WINDOW, data_dir=tmp_path / "d")
    assert Store(tmp_path / "d" / "store").is_current


def test_a_folder_without_exports_or_store_says_how_to_go_on(tmp_path):
    with pytest.raises(DataError, match="coach import"):
        open_classroom("7A", window="w", data_dir=tmp_path)
