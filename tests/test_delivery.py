"""Stores and editions on other machines, through addresses."""

from __future__ import annotations

import json
from pathlib import Path

import fsspec
import pandas as pd
import pytest

from analysis.errors import AnalysisError, DataError, UsageError
from analysis.rendering.delivery import deliver_edition
from analysis.rendering.edition import INDEX, MANIFEST
from analysis.store import Store
from analysis.store.fetching import fetch_store
from conftest import table

ROSTER = table("""
    | student_id | classroom_id |
    | 001        | 7A           |
    | 002        | 7B           |
""")


@pytest.fixture(params=["memory", "file"])
def address(request, tmp_path) -> str:
    if request.param == "file":
        return f"file://{tmp_path}/elsewhere"
    fsspec.filesystem("memory").store.clear()
    return "memory://elsewhere"


def answers(student_id: str, points: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "student_id": [student_id], "skill_id": ["k1"], "window": ["BOY"],
            "source": ["quiz"], "observation_id": ["i1"], "kind": ["points"],
            "points": [points], "points_possible": [1.0],
        }
    )  # fmt: skip


def put(folder: Path, address: str) -> None:
    files, root = fsspec.core.url_to_fs(address)
    for file in folder.rglob("*"):
        if file.is_file():
            path = f"{root}/{file.relative_to(folder).as_posix()}"
            files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            files.pipe_file(path, file.read_bytes())


def contents(address: str) -> dict[str, bytes]:
    files, root = fsspec.core.url_to_fs(address)
    return {path.removeprefix(f"{root}/"): files.cat_file(path) for path in files.find(root)}


def edition(folder: Path, name: str, **pages: tuple[str, str]) -> Path:
    """Lay an edition of pages, each with what it was made from and what it says."""
    folder = folder / name
    folder.mkdir(parents=True)
    entries = []
    for page_id, (key, said) in pages.items():
        (folder / f"{page_id}.html").write_text(said)
        made = {"page_id": page_id, "file": f"{page_id}.html", "made_on": "now"}
        entries.append(made | {"key": {"data": key}})
    (folder / INDEX).write_text("index")
    (folder / MANIFEST).write_text(json.dumps({"name": name, "window": "BOY", "entries": entries}))
    return folder


def test_a_fetched_store_reads_as_the_one_elsewhere(address, tmp_path):
    there = Store(tmp_path / "there")
    there.save(roster=ROSTER, evidence=answers("001", 1.0))
    put(there.folder, address)
    fetch_store(address, tmp_path / "here")
    here = Store(tmp_path / "here")
    assert here.digest("BOY") == there.digest("BOY")
    pd.testing.assert_frame_equal(here.read_evidence("BOY"), there.read_evidence("BOY"))


def test_only_what_changed_is_fetched_again(address, tmp_path):
    there = Store(tmp_path / "there")
    there.save(roster=ROSTER, evidence=pd.concat([answers("001", 1.0), answers("002", 1.0)]))
    put(there.folder, address)
    first = fetch_store(address, tmp_path / "here")
    there.save(evidence=answers("002", 0.0))
    put(there.folder, address)
    assert fetch_store(address, tmp_path / "here") == 2 < first
    assert Store(tmp_path / "here").read_evidence("BOY", "7B")["points"].tolist() == [0.0]


def test_a_store_that_changes_while_it_is_fetched_is_not_half_here(address, tmp_path):
    there = Store(tmp_path / "there")
    there.save(roster=ROSTER, evidence=answers("001", 1.0))
    next((there.folder / "roster").iterdir()).unlink()
    put(there.folder, address)
    with pytest.raises(DataError, match="changed while it was fetched"):
        fetch_store(address, tmp_path / "here")
    assert not Store(tmp_path / "here").exists


def test_an_address_without_a_store_says_so(address, tmp_path):
    with pytest.raises(DataError, match="holds no store"):
        fetch_store(address, tmp_path / "here")


def test_a_delivered_edition_is_the_same_files_and_is_shown(address, tmp_path):
    folder = edition(tmp_path, "20261001T0", a=("1", "page a"), b=("1", "page b"))
    assert deliver_edition(folder, address) == 3
    there = contents(address)
    assert there.pop("current.txt") == b"20261001T0\n"
    assert b"editions/20261001T0/index.html" in there.pop("current.html")
    here = {f"editions/{folder.name}/{f.name}": f.read_bytes() for f in folder.iterdir()}
    assert there == here


def test_a_page_that_is_there_already_does_not_travel_again(address, tmp_path):
    deliver_edition(edition(tmp_path, "1", a=("1", "page a"), b=("1", "page b")), address)
    newer = edition(tmp_path, "2", a=("1", "page a"), b=("2", "new page b"))
    assert deliver_edition(newer, address) == 2  # the changed page and the index
    there = contents(address)
    assert there["editions/2/a.html"] == b"page a"
    assert there["editions/2/b.html"] == b"new page b"
    assert there["editions/1/b.html"] == b"page b"


def test_an_edition_that_is_shown_is_not_delivered_again(address, tmp_path):
    folder = edition(tmp_path, "1", a=("1", "page a"))
    deliver_edition(folder, address)
    assert deliver_edition(folder, address) == 0


def test_a_delivery_that_breaks_off_leaves_the_edition_before(address, tmp_path, monkeypatch):
    deliver_edition(edition(tmp_path, "1", a=("1", "page a")), address)
    files, _ = fsspec.core.url_to_fs(address)
    put_file = type(files).pipe_file

    def no_room(self, path, content, **how):
        if path.endswith(MANIFEST):
            raise OSError(28, "No space left on device")
        return put_file(self, path, content, **how)

    monkeypatch.setattr(type(files), "pipe_file", no_room)
    with pytest.raises(AnalysisError, match="No space left"):
        deliver_edition(edition(tmp_path, "2", a=("2", "other")), address)
    assert contents(address)["current.txt"] == b"1\n"


def test_an_address_of_no_known_kind_names_the_mend(tmp_path):
    with pytest.raises(UsageError, match="Correct the address, or install"):
        fetch_store("nowhere://x", tmp_path)
