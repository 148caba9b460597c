"""What outgrows one machine's memory: read in parts, calibrated in places, the same results."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.crew import Cluster, Here, open_cluster
from analysis.district import import_exports, renew_calibration
from analysis.errors import DataError
from analysis.exports import job as job_module
from analysis.exports import pass_on_exports, read_exports
from analysis.mastery import calibrate, responses, spread
from analysis.store import Store
from analysis.store.calibrations import calibration_path, hold_calibrations
from analysis.store.places import list_places, read_place

WINDOW = "2026-BOY"
pytestmark = pytest.mark.slow

N_STUDENTS, N_ITEMS = 400, 12


def answers(n_students: int = N_STUDENTS, seed: int = 0) -> pd.DataFrame:
    """A tidy export of students in classrooms of 20; every tenth sits in the next one too."""
    rng = np.random.default_rng(seed)
    student, item = np.divmod(np.arange(n_students * N_ITEMS), N_ITEMS)
    able = rng.normal(size=n_students)[student] > (item % 4 - 1.5) / 2
    return pd.DataFrame(
        {
            "student_id": pd.Series(student).map("{:05d}".format),
            "classroom_id": pd.Series(student // 20).map("room-{:03d}".format),
            "item_id": pd.Series(item).map("i{:02d}".format),
            "skill_id": pd.Series(item % 4).map("4.NF.{}".format),
            "points": (rng.random(len(item)) < np.where(able, 0.85, 0.2)).astype(int),
            "points_possible": 1,
            "window": WINDOW,
            "observed_on": "2026-09-14",
        }
    )


def second_classrooms(rows: pd.DataFrame) -> pd.DataFrame:
    pairs = rows[["student_id", "classroom_id"]].drop_duplicates()
    more = pairs.iloc[::10]
    shifted = more["classroom_id"].str[-3:].astype(int).add(7).mod(20).map("room-{:03d}".format)
    return pd.concat([pairs, more.assign(classroom_id=shifted)], ignore_index=True)


def write(rows: pd.DataFrame, folder: Path, n_files: int = 1) -> Path:
    folder.mkdir()
    second_classrooms(rows).to_csv(folder / "roster.csv", index=False)
    for n, part in enumerate(np.array_split(np.arange(len(rows)), n_files)):
        rows.iloc[part].to_csv(folder / f"answers-{n}.csv", index=False)
    return folder


@pytest.fixture
def small_blocks(monkeypatch) -> list[int]:
    """Cut files into blocks of 30 KB; note the rows of each part that is put by."""
    put = []
    for name, value in {"LARGEST_BLOCK": 30_000, "HEAD": 1_000}.items():
        monkeypatch.setattr(job_module, name, value)
        monkeypatch.setattr(job_module.read_blocks, "__defaults__", (30_000,))
    original = job_module.Holding.put

    def note(self, file, observed):
        put.append(len(observed))
        original(self, file, observed)

    monkeypatch.setattr(job_module.Holding, "put", note)
    return put


def stored(folder: Path, store: Path, **how) -> dict:
    import_exports([folder], Store(store), **how)
    return json.loads((store / "store.json").read_text("utf-8"))


ORDERS = {
    "by student": lambda rows: rows,
    "by item": lambda rows: rows.sort_values(["item_id", "student_id"], kind="stable"),
    "at random": lambda rows: rows.sample(frac=1, random_state=3),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n_files", [1, 3])
def test_an_import_in_blocks_stores_the_same_bytes(tmp_path, small_blocks, order, n_files):
    folder = write(ORDERS[order](answers()), tmp_path / "exports", n_files)
    in_blocks = stored(folder, tmp_path / "blocks", most_rows=600)
    assert len(small_blocks) > 5
    n_parts = len(small_blocks)
    job_module.LARGEST_BLOCK = 10**9
    whole = stored(folder, tmp_path / "whole")
    assert len(small_blocks) - n_parts == n_files
    # Sources are files' names; everything else follows from the rows.
    assert in_blocks == whole


def test_no_more_than_a_block_or_a_batch_is_in_memory(tmp_path, small_blocks):
    folder = write(ORDERS["by item"](answers()), tmp_path / "exports")
    batches = []

    def take(*, evidence, **tables):
        batches.extend(len(rows) for rows, _ in evidence)

    pass_on_exports([folder], take, most_rows=600)
    assert max(small_blocks) < 800
    # A batch holds whole classrooms, so it may pass the mark by one of them, and by the
    # rows of students who sit in another batch's classrooms too.
    assert len(batches) >= 6
    assert max(batches) <= 600 + 2 * 22 * N_ITEMS


def test_repeats_across_blocks_follow_the_rule_and_are_counted_once(tmp_path, small_blocks):
    rows = answers()
    later = rows.head(30).assign(points=1 - rows["points"].head(30), observed_on="2026-09-20")
    folder = write(pd.concat([rows, later]), tmp_path / "exports")
    seen = {}

    def take(*, evidence, **tables):
        seen["rows"] = pd.concat([part for part, _ in evidence]).drop_duplicates()

    imported = pass_on_exports([folder], take, most_rows=600)
    job_module.LARGEST_BLOCK = 10**9
    whole = read_exports([folder])
    assert imported.summary() == whole.summary()
    assert any("30 observations are repeated" in note for note in imported.summary()["notes"])
    key = ["student_id", "observation_id"]
    found = seen["rows"].set_index(key).sort_index()["points"]
    assert found.equals(whole.evidence.set_index(key).sort_index()["points"])


def test_a_large_file_with_a_fault_far_down_is_refused_whole(tmp_path, small_blocks):
    rows = answers()
    rows.loc[len(rows) - 1, "points"] = 9
    folder = write(rows, tmp_path / "exports")
    answers(40, seed=1).to_csv(folder / "others.csv", index=False)
    seen = []

    def take(*, evidence, roster, **tables):
        seen.extend(part["student_id"].nunique() for part, _ in evidence)

    imported = pass_on_exports([folder], take, most_rows=600)
    assert f"answers-0.csv, row {len(rows) + 1}" in imported.refused[0]["message"]
    assert seen == [40]


@pytest.fixture(scope="module")
def district(tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("district")
    store = Store(folder / "store")
    import_exports([write(answers(), folder / "exports")], store)
    return store


def calibrated(store: Store, **how) -> bytes:
    with hold_calibrations(store):
        return calibration_path(
            store, renew_calibration(store, WINDOW, always=True, **how)
        ).read_bytes()


def test_places_hold_whole_classrooms_and_all_of_them(district):
    places = list_places(district, WINDOW, most_rows=1_000)
    assert len(places) > 3
    assert max(sum(part.rows for part in place.evidence) for place in places) < 1_400
    files = [part.file for place in places for part in place.roster]
    assert len(files) == len(set(files)) == len(district.classroom_ids)


def test_a_calibration_in_places_is_that_of_one_table(district, monkeypatch):
    whole = calibrate(
        district.read_evidence(WINDOW), district.read_roster(), window=WINDOW, random_state=0
    )
    whole.save(district.folder / "whole.json")
    monkeypatch.setattr("analysis.district.ROWS_A_PLACE", 1_000)
    assert calibrated(district) == (district.folder / "whole.json").read_bytes()


@pytest.fixture
def steps_on_all(monkeypatch):
    """Let the sample be so small that the last EM steps go over all places."""
    monkeypatch.setattr(responses, "SAMPLE", 100)
    monkeypatch.setattr(spread, "SAMPLE", 100)


def test_sums_over_places_differ_from_those_of_one_table_by_their_order_alone(
    district, steps_on_all, monkeypatch
):
    monkeypatch.setattr("analysis.district.ROWS_A_PLACE", 1_000)
    in_places = json.loads(calibrated(district))["model"]
    monkeypatch.setattr("analysis.district.ROWS_A_PLACE", 10**9)
    whole = json.loads(calibrated(district))["model"]
    assert in_places["success"] != whole["success"]
    for part in ("success", "skills", "ability"):
        for name, values in whole[part].items():
            np.testing.assert_allclose(in_places[part][name], values, rtol=0, atol=1e-9)


@pytest.fixture(scope="module")
def client():
    pytest.importorskip("distributed")
    with open_cluster(2) as client:
        yield client


def test_a_dask_cluster_calibrates_to_the_same_bytes_as_one_process(district, client, monkeypatch):
    monkeypatch.setattr("analysis.district.ROWS_A_PLACE", 1_000)
    here = calibrated(district)
    assert calibrated(district, crew=Cluster(client)) == here
    assert calibrated(district, crew=Cluster(client), shared_disk=False) == here


def test_files_that_are_tests_of_their_own_calibrate_alike_in_places_and_on_a_cluster(
    tmp_path, client, monkeypatch
):
    store = Store(tmp_path / "store")
    import_exports([write(answers(), tmp_path / "exports", n_files=4)], store)
    whole = json.loads(calibrated(store))
    assert len(whole["items"]) == 4 * N_ITEMS
    monkeypatch.setattr("analysis.district.ROWS_A_PLACE", 1_000)
    here = calibrated(store)
    assert calibrated(store, crew=Cluster(client)) == here
    in_places = json.loads(here)["model"]
    for part in ("success", "skills", "ability"):
        for name, values in whole["model"][part].items():
            np.testing.assert_allclose(in_places[part][name], values, rtol=0, atol=1e-9)


def test_a_worker_that_is_lost_loses_nothing_it_kept():
    pytest.importorskip("distributed")
    with open_cluster(2) as client:
        crew = Cluster(client)
        kept = crew.keep(int, [str(n) for n in range(8)])
        assert crew.ask(pow, kept, [(2,)] * 8)[:3] == [0, 1, 4]
        lost = next(iter(client.run(os.getpid).values()))
        os.kill(lost, signal.SIGKILL)
        assert crew.ask(pow, kept, [(3,)] * 8) == [n**3 for n in range(8)]


def test_workers_read_a_store_elsewhere_by_its_address(district):
    from analysis.remote import open_remote

    with open_remote("memory://district") as folder:
        for file in district.folder.rglob("*.*"):
            folder.write(file.read_bytes(), *file.relative_to(district.folder).parts)
    here = list_places(district, WINDOW, most_rows=1_000)
    for address in ("memory://district", f"file://{district.folder}"):
        there = list_places(district, WINDOW, address=address, most_rows=1_000)
        for one, other in zip(here, there, strict=True):
            pd.testing.assert_frame_equal(read_place(one)[0], read_place(other)[0])


def test_a_place_that_was_changed_meanwhile_is_refused(district):
    place = list_places(district, WINDOW, address="memory://nowhere")[0]
    with pytest.raises(DataError, match="is not what was saved there"):
        read_place(place)


def test_answers_of_a_crew_come_in_the_order_of_the_parts(client):
    for crew in (Here(), Cluster(client)):
        kept = crew.keep(int, ["3", "1", "2"])
        assert crew.ask(pow, kept, [(2,), (3,), (4,)]) == [9, 1, 16]
