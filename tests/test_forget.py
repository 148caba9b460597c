"""Forgetting a student leaves not one byte of the id or the name, and changes nothing else."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import time
import tomllib
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError, UnknownError
from analysis.files import write_json, write_whole
from analysis.forgetting.editing import without_student
from analysis.forgetting.retention import forget_older
from analysis.forgetting.student import Places, files_below, forget_student
from analysis.forgetting.traces import Marks, holds, parts_of
from analysis.rendering.edition import Edition, Entry, list_editions, read_edition
from analysis.rendering.publishing import publish
from analysis.sharing.spreadsheets import to_xlsx
from analysis.store import Store
from conftest import PROJECT, WINDOW

STUDENT = "00545429"
"""A student of the demo who is in two classrooms."""

HOMES = ["demo-5a", "demo-5b"]


@pytest.fixture(scope="module")
def name(demo_store) -> str:
    roster = demo_store.read_roster()
    return roster.loc[roster["student_id"] == STUDENT, "display_name"].iloc[0]


@pytest.fixture
def places(demo_store, name, tmp_path) -> Places:
    """The demo as a district would have it: store, exports, a plan, notes, two editions, runs."""
    data, out = tmp_path / "data", tmp_path / "reports"
    shutil.copytree(demo_store.folder, data / "store")
    for file in (PROJECT / "data" / "demo").glob("*.csv"):
        write_whole(data / "raw" / file.name, file.read_bytes())
    last, first = name.split()[-1], " ".join(name.split()[:-1])
    write_whole(data / "raw" / "scores.csv", f'Student,ID\r\n"{last}, {first}",1\r\nBo,2\r\n')
    write_whole(data / "plans" / "demo-5a" / "fall.toml", PLAN.format(student=STUDENT, name=name))
    write_whole(
        data / "visits.csv", f"date,next_step\r\n2026-10-01,{name} again\r\n2026-10-02,x\r\n"
    )
    for window, edition in (("2026-MOY", "20260101T000000Z"), (WINDOW, "20261001T000000Z")):
        staging = out / "editions" / f".making-{edition}"
        entries = {}
        for one in ["demo-3a", *HOMES]:
            write_whole(staging / f"{one}.html", PAGE.format(said=name if one in HOMES else "Bo"))
            write_whole(out / "runs" / edition / f"{one}.ipynb", json.dumps({"cells": [name]}))
            entries[one] = Entry(one, f"{one}.html", "2026-10-01 08:00 UTC", {"data": "x"})
        publish(out, Edition(edition, window, entries), staging)
    return Places(data / "store", data, out)


PAGE = '<!doctype html><html lang="en"><head><title>x</title></head><body>{said}</body></html>'
PLAN = """\
# What was decided. You may change this file by hand.
classroom_id = "demo-5a"

[[versions]]
by = "May Tran"
why = "{name} works well with others"

[versions.plan]
together = [["{student}", "00000001"], ["00000002", "00000003"]]
moves = [
  {{ student_id = "{student}", skill_id = "k1" }},
  {{ student_id = "00000002", skill_id = "k2" }},
]
locked = [{{ skill_id = "k1", students = ["{student}"] }}]
labels = [{{ skill_id = "k1", students = ["{student}", "00000004"], name = "Halves" }}]
"""


def still_there(places: Places, name: str) -> list[str]:
    """Files in which the id or the name stands in any byte, also inside other files."""
    marks = [STUDENT.encode(), name.encode(), name.split()[-1].encode() + b", "]
    return [
        file.name
        for file in files_below(places.data, places.out)
        if any(mark in part for part in [*parts_of(file), file.name.encode()] for mark in marks)
    ]


def test_not_one_byte_of_the_id_or_the_name_is_left(places, name):
    assert len(still_there(places, name)) > 15
    touched = forget_student(STUDENT, places, exports=True)
    assert still_there(places, name) == []
    assert touched.remaining == {}


def test_it_says_what_it_touched(places):
    touched = forget_student(STUDENT, places, exports=True)
    assert touched.store_rows > 100
    assert sorted(touched.editions.values()) == [2, 2]
    assert {Path(file).name for file in touched.edited} == {
        "roster.csv", "scores.csv", "visits.csv", "fall.toml",
        "responses-2026-BOY.csv", "responses-2026-MOY.csv", "responses-2026-EOY.csv",
    }  # fmt: skip


def test_nobody_elses_row_is_touched(places, demo_store):
    before = demo_store.read_roster(), demo_store.read_evidence(WINDOW)
    raw = (places.data / "raw" / "roster.csv").read_bytes()
    forget_student(STUDENT, places, exports=True)
    store = Store(places.store)
    for table, now in zip(before, (store.read_roster(), store.read_evidence(WINDOW)), strict=True):
        kept = table[table["student_id"] != STUDENT].reset_index(drop=True)
        pd.testing.assert_frame_equal(now, kept)
    kept = b"".join(line for line in raw.splitlines(keepends=True) if STUDENT.encode() not in line)
    assert (places.data / "raw" / "roster.csv").read_bytes() == kept


def test_a_plan_keeps_what_is_about_others(places):
    forget_student(STUDENT, places)
    text = (places.data / "plans" / "demo-5a" / "fall.toml").read_text("utf-8")
    assert text.startswith("# What was decided.")
    version = tomllib.loads(text)["versions"][0]
    assert version["why"] == "(removed)"
    assert version["plan"] == {
        "together": [["00000002", "00000003"]],
        "moves": [{"student_id": "00000002", "skill_id": "k2"}],
        "labels": [{"skill_id": "k1", "students": ["00000004"], "name": "Halves"}],
    }


def test_editions_keep_the_pages_of_others_and_say_what_is_missing(places):
    forget_student(STUDENT, places)
    for name in list_editions(places.out):
        edition = read_edition(places.out / "editions" / name)
        there = {one: entry.file for one, entry in edition.entries.items()}
        assert there == {"demo-3a": "demo-3a.html", "demo-5a": None, "demo-5b": None}
        index = (places.out / "editions" / name / "index.html").read_text("utf-8")
        assert "removed, because a student" in index
    assert not list(places.out.rglob("runs/*/demo-5*.ipynb"))
    assert list(places.out.rglob("demo-3a.html"))


def test_without_being_asked_exports_are_named_and_left(places):
    raw = (places.data / "raw" / "roster.csv").read_bytes()
    touched = forget_student(STUDENT, places)
    assert (places.data / "raw" / "roster.csv").read_bytes() == raw
    assert {Path(file).name for file in touched.remaining} >= {"roster.csv", "scores.csv"}


def test_a_dry_run_says_the_same_and_touches_nothing(places):
    before = {file: file.read_bytes() for file in files_below(places.data, places.out)}
    told = forget_student(STUDENT, places, exports=True, dry_run=True)
    after = {file: file.read_bytes() for file in files_below(places.data, places.out)}
    assert {one: after[one] for one in before} == before
    done = forget_student(STUDENT, places, exports=True)
    assert (told.store_rows, told.editions, told.edited) == (
        done.store_rows, done.editions, done.edited)  # fmt: skip


def packed(text: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("inner/roster.csv", text * 3)
    return written.getvalue()


@pytest.mark.parametrize("ending", ["xlsx", "zip", "gz", "parquet"])
def test_files_that_are_no_plain_table_are_named_or_deleted_whole(ending, places):
    made = {
        "xlsx": lambda: to_xlsx(["id"], [[STUDENT]], sheet="x"),
        "zip": lambda: packed(f"{STUDENT},1\n"),
        "gz": lambda: gzip.compress(f"{STUDENT},1\n".encode()),
        "parquet": lambda: pd.DataFrame({"id": [STUDENT]}).to_parquet(),
    }[ending]
    file = places.data / "raw" / f"export.{ending}"
    write_whole(file, made())
    assert str(file) in forget_student(STUDENT, places, exports=True).remaining
    touched = forget_student(STUDENT, places, exports=True, delete_files=True)
    assert touched.deleted == [str(file)]
    assert not file.exists()


def test_a_student_nobody_knows_is_said(places):
    with pytest.raises(UnknownError, match="has no student '99999999'"):
        forget_student("99999999", places)


def test_a_file_named_after_the_student_goes(places, name):
    write_json(places.data / "plans" / f"{STUDENT}.json", {"a": 1})
    forget_student(STUDENT, places, exports=True)
    assert still_there(places, name) == []


# -- what is a trace --------------------------------------------------------------------


MARKS = Marks.of("0417", ["Zoë O'Brien"], others=["Bo Li"])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"id,0417,x", True),
        (b"10417", False),
        (b"0417a", False),
        ("Zoë O'Brien".encode(), True),
        ("Zoë O'Brien".encode("cp1252"), True),
        ("Zoë O'Brien".encode("utf-16"), True),
        ("O'Brien, Zoë".encode(), True),
        (b"Zo\xc3\xab O&#39;Brien", True),
        (b"Zo\\u00eb O'Brien", True),
        ("Zoe\u0308 O'Brien".encode(), True),
        ("Zoë O'Briens".encode(), False),
    ],
)
def test_an_id_and_a_name_are_found_however_they_are_written(content, found, tmp_path):
    (tmp_path / "x").write_bytes(content)
    assert holds(tmp_path / "x", MARKS) is found


def test_a_name_that_others_have_too_is_no_mark():
    assert Marks.of("0417", ["Bo Li"], others=["Bo Li"]).texts == ("0417",)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.csv", b'id,note\r\n0417,"two\r\nlines"\r\n2,b\r\n', b"id,note\r\n2,b\r\n"),
        ("a.csv", "id;last;first\n1;O'Brien;Zoë\n2;Li;Bo\n".encode("cp1252"),
         b"id;last;first\n2;Li;Bo\n"),
        ("a.tsv", b"\xef\xbb\xbfid\tn\n0417\t1\n2\t2\n", b"\xef\xbb\xbfid\tn\n2\t2\n"),
        ("a.txt", b"0417 came\nall went well\n", b"all went well\n"),
        ("a.json", b'{"0417": 1, "b": ["0417", "2"]}', b'{\n "b": [\n  "2"\n ]\n}'),
    ],
)  # fmt: skip
def test_the_student_is_taken_out_and_the_rest_keeps_its_bytes(name, before, after, tmp_path):
    (tmp_path / name).write_bytes(before)
    assert without_student(tmp_path / name, MARKS) == after


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path):
    (tmp_path / "a.toml").write_text("0417 = = 1")
    with pytest.raises(DataError, match=r"a\.toml could not be read"):
        without_student(tmp_path / "a.toml", MARKS)


# -- retention --------------------------------------------------------------------------


def test_what_is_older_than_the_rule_goes_and_what_is_shown_stays(places):
    old = time.mktime((2026, 1, 5, 12, 0, 0, 0, 0, 0))
    os.utime(places.data / "raw" / "scores.csv", (old, old))
    told = forget_older(120, places, today=date(2026, 11, 1), exports=True, dry_run=True)
    done = forget_older(120, places, today=date(2026, 11, 1), exports=True)
    assert told == done
    assert done.editions == ["20260101T000000Z"]
    assert list_editions(places.out) == ["20261001T000000Z"]
    assert not (places.out / "runs" / "20260101T000000Z").exists()
    assert [Path(file).name for file in done.exports] == ["scores.csv"]
    assert "2026-BOY" in done.windows
    assert not set(done.windows) & set(Store(places.store).windows)


def test_retention_keeps_what_is_young_enough(places):
    done = forget_older(3650, places, today=date(2026, 11, 1), exports=True)
    assert (done.editions, done.windows, done.exports) == ([], [], [])


def test_the_edition_that_is_shown_is_named_when_it_is_too_old(places):
    done = forget_older(1, places, today=date(2026, 12, 1))
    assert list_editions(places.out) == ["20261001T000000Z"]
    assert "the edition that is shown" in done.remaining.values()


def test_a_student_who_was_alone_leaves_no_classroom(tmp_path):
    store = Store(tmp_path / "data" / "store")
    roster = pd.DataFrame({"student_id": ["s-1001", "s-1002"], "classroom_id": ["7A", "7B"]})
    evidence = pd.DataFrame(
        {
            "student_id": ["s-1001", "s-1002"], "skill_id": "k1", "window": ["fall", "spring"],
            "source": "t", "observation_id": "i1", "kind": "points", "points": 1.0,
            "points_possible": 1.0,
        }
    )  # fmt: skip
    store.save(roster=roster, evidence=evidence)
    places = Places(store.folder, tmp_path / "data", tmp_path / "reports")
    forget_student("s-1001", places)
    left = Store(store.folder)
    assert left.classroom_ids == ["7B"]
    assert left.windows == ["spring"]
