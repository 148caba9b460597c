"""Real input: 276 real classrooms with most answers missing go the whole path."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.classroom import open_classroom
from analysis.district import import_exports
from analysis.store import Store

pytestmark = pytest.mark.slow

CLASSROOMS, STUDENTS = 276, 4_668


@pytest.fixture(scope="module")
def austria(shared, tmp_path_factory) -> tuple[Store, dict]:
    folder = shared / "data" / "assessments" / "timss2011_g4_austria_174x9"
    store = Store(tmp_path_factory.mktemp("austria") / "store")
    files = [folder / "responses.csv", folder / "q_matrix.csv"]
    return store, import_exports(files, store, window="2011").summary()


def answers_in_the_file(shared) -> pd.DataFrame:
    file = shared / "data" / "assessments" / "timss2011_g4_austria_174x9" / "responses.csv"
    wide = pd.read_csv(file, dtype=str, keep_default_na=False)
    return wide.drop(columns=["school_id", "booklet", "female"])


def test_nothing_is_lost_on_the_way_in(austria, shared):
    store, summary = austria
    wide = answers_in_the_file(shared)
    items = wide.columns.drop(["student_id", "class_id"])
    evidence = store.read_evidence("2011")
    assert summary["rows_set_aside"] == []
    assert len(store.classroom_ids) == CLASSROOMS == wide["class_id"].nunique()
    assert store.read_roster()["student_id"].nunique() == STUDENTS == len(wide)
    assert len(evidence) == (wide[items] != "").to_numpy().sum()
    right = (wide[items] == "1").to_numpy().sum()
    assert evidence["points"].sum() == right


def test_a_students_answers_are_the_files(austria, shared):
    store, _ = austria
    first = answers_in_the_file(shared).iloc[0]
    given = first.drop(["student_id", "class_id"])
    mine = store.read_evidence("2011", first["class_id"])
    mine = mine[mine["student_id"] == first["student_id"]].set_index("observation_id")["points"]
    assert mine.to_dict() == given[given != ""].astype(float).to_dict()


def test_classrooms_of_every_size_are_understood(austria):
    store, _ = austria
    sizes = store.read_roster().groupby("classroom_id").size().sort_values()
    for classroom_id in [sizes.index[0], sizes.index[len(sizes) // 2], sizes.index[-1]]:
        classroom = open_classroom(classroom_id, window="2011", data_dir=store.folder)
        placed = classroom.grouping.groups["student_id"].tolist()
        assert sorted(placed) == sorted(classroom.roster["student_id"])
        assert classroom.show_groups().html
