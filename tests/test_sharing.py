"""Bundles: who gets what, what protects them, and that nothing else is in them."""

from __future__ import annotations

import csv
import io
import json
import stat
import zipfile
from dataclasses import replace
from hashlib import sha256
from math import log2
from pathlib import Path

import pandas as pd
import pytest

from analysis.audit.auditing import Auditor
from analysis.audit.people import People
from analysis.errors import DataError, UsageError
from analysis.forgetting.traces import parts_of
from analysis.language import open_language
from analysis.rendering.edition import sheet_file
from analysis.settings import Settings
from analysis.sharing import planning
from analysis.sharing.bundle import Protection
from analysis.sharing.circles import Circle
from analysis.sharing.groups import (
    GROUP_COLUMNS,
    TAG_COLUMNS,
    Seats,
    canvas_group_set,
    canvas_tags,
    group_files,
)
from analysis.sharing.pages import Page, Published
from analysis.sharing.passphrases import N_WORDS, new_passphrase, normal_form
from analysis.sharing.pseudonyms import name_students, pseudonymous_store, read_key
from analysis.sharing.recipients import find_coaches, find_families, find_teachers, only
from analysis.sharing.share import LeakError, Shipment, share
from analysis.sharing.spreadsheets import safe_cell, to_csv, to_xlsx
from analysis.sharing.wordlist import WORDS
from analysis.store import Store
from conftest import WINDOW, table

ROSTER = table("""
    | student_id | classroom_id | teacher  | school | coach_id | display_name |
    | 00417      | 7A           | May Tran | North  | c1       | Ana Ruiz     |
    | 00418      | 7A           | May Tran | North  | c1       | Noor Haddad  |
    | 00419      | 7B           | Cy Poe   | North  | c1       | Bo Li        |
    | 00420      | 7B           | Cy Poe   | North  | c1       | Kim Park     |
    | 00421      | 7B           | May Tran | North  | c1       | Lee Wong     |
    | 00422      | 7C           | May Tran | South  | c2       | Zoë Nguyễn   |
    | 00423      | 7D           |          | South  |          | Eli Stone    |
""")

GROUPS = pd.DataFrame(
    {
        "classroom_id": "7A",
        "window": "fall",
        "student_id": ["00418", "00417", "00500", "00501"],
        "group": pd.array([1, 1, 2, None], dtype="Int64"),
        "focus_skill_id": ["k1", "k1", "k2", None],
    }
)

NAMES = {"00417": "Ana Ruiz", "00418": '=HYPERLINK("x")', "00500": "Noor", "00501": "Bo"}


def seats() -> Seats:
    return Seats("7A", "fall", GROUPS, NAMES, {"k1": "Halves", "k2": "Thirds"}, {"k1": "I can."})


def html(classroom_id: str, said: str) -> str:
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>x</title></head>'
        f'<body><main><p>{said}</p><p data-proof="1" data-kind="classroom" '
        f'data-page-id="{classroom_id}" data-digest="ab">whole</p></main></body></html>'
    )


@pytest.fixture
def pages(tmp_path) -> dict[str, Page]:
    """A page a classroom, each with one of its students."""
    found = {}
    for classroom_id, rows in ROSTER.groupby("classroom_id"):
        file = tmp_path / "edition" / f"{classroom_id.lower()}.html"
        file.parent.mkdir(exist_ok=True)
        file.write_text(html(classroom_id, rows["display_name"].iloc[0]), encoding="utf-8")
        found[classroom_id] = Page("classroom", classroom_id, file, "2026-10-01 08:00 UTC")
    return found


# -- who gets what ----------------------------------------------------------------------


def test_a_teacher_gets_the_own_classrooms_and_no_other(pages):
    found = {one.name: one for one in find_teachers(ROSTER, pages)}
    assert found["Cy Poe"].classroom_ids == ("7B",)
    assert [page.page_id for page in found["Cy Poe"].pages] == ["7B"]


def test_teachers_of_one_name_in_two_schools_are_two(pages):
    namesakes = [one for one in find_teachers(ROSTER, pages) if one.name == "May Tran"]
    assert [one.classroom_ids for one in namesakes] == [("7A",), ("7C",)]
    assert len({one.file for one in namesakes}) == 2


def test_a_row_that_names_another_teacher_opens_nothing_and_is_said(pages):
    found = {one.name: one for one in find_teachers(ROSTER, pages)}
    assert found["Cy Poe"].notes == ("7B: the roster names another teacher on 1 rows",)


def test_a_classroom_without_a_teacher_is_a_recipient_of_its_own(pages):
    alone = [one for one in find_teachers(ROSTER, pages) if "7D" in one.classroom_ids]
    assert [one.classroom_ids for one in alone] == [("7D",)]
    assert alone[0].notes == ("7D: the roster names no teacher",)


def test_a_coach_gets_the_whole_caseload_and_the_own_digest(pages):
    digest = replace(pages["7A"], kind="caseload", page_id="c1")
    found = find_coaches(ROSTER, pages, {"c1": digest})
    assert [(one.name, one.classroom_ids) for one in found] == [
        ("c1", ("7A", "7B")),
        ("c2", ("7C",)),
    ]
    assert found[0].pages[0].kind == "caseload"


def test_without_a_coach_on_the_roster_it_says_what_is_missing(pages):
    with pytest.raises(UsageError, match="coach_id"):
        find_coaches(ROSTER.assign(coach_id=None), pages, {})


def test_a_family_gets_the_own_child_under_a_neutral_file_name(pages):
    sheets = {one: [replace(pages["7A"], page_id=one)] for one in ("00419", "00418", "00417")}
    found = find_families(sheets, ROSTER)
    assert [one.student_ids for one in found] == [("00417",), ("00418",), ("00419",)]
    assert [one.file for one in found] == ["family-001", "family-002", "family-003"]


def test_only_named_classrooms_are_shared(pages):
    found = only(find_coaches(ROSTER, pages, {}), ["7B"])
    assert [(one.name, one.classroom_ids) for one in found] == [("c1", ("7B",))]


def test_families_get_the_sheets_of_the_own_child_and_only_those(tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    store.save(roster=ROSTER)
    whole = tmp_path / "7a.html"
    for student_id in ("00417", "00418"):
        sheet = sheet_file(tmp_path / "7a.html", student_id)
        sheet.parent.mkdir(exist_ok=True)
        said = f'<article data-student-id="{student_id}">I can.</article>'
        sheet.write_text(html("7A", said).replace("data-proof", "data-x"), encoding="utf-8")
    of_class = Published("e", "fall", {"7A": Page("families", "7A", whole, None)})
    monkeypatch.setattr(planning, "_published_or_none", lambda settings, kind, window=None: (
        of_class if kind == "families" else None))  # fmt: skip
    settings = Settings(store=store.folder, out=tmp_path)
    found, _ = planning.plan_recipients(settings, Circle.FAMILIES)
    assert [one.student_ids for one in found] == [("00417",), ("00418",)]
    send(Shipment(found, "fall", "e", tmp_path / "out"))
    bundle = tmp_path / "out" / "family-001"
    assert sorted(one.name for one in bundle.iterdir()) == ["families.html", "manifest.json"]
    assert "00418" not in (bundle / "families.html").read_text("utf-8")
    named = [one.name for one in (tmp_path / "out").rglob("*")]
    assert not [one for one in named if "00417" in one]


def test_a_hostile_name_of_a_teacher_stays_inside_the_folder(tmp_path, pages):
    names = ["../../x", "CON", "a/b", "7A.", "x" * 300, "May Tran", "may tran"]
    rows = [
        ROSTER.iloc[[0]].assign(classroom_id=f"c{i}", teacher=one) for i, one in enumerate(names)
    ]
    roster = pd.concat(rows)
    found = find_teachers(roster, {f"c{i}": pages["7A"] for i in range(len(names))})
    files = [one.file for one in found]
    assert len({one.casefold() for one in files}) == len(names)
    assert all("/" not in one and ".." not in one and len(one) <= 60 for one in files)


# -- back into teachers' tools ----------------------------------------------------------


def test_canvas_gets_the_columns_of_its_own_documentation():
    assert ",".join(TAG_COLUMNS) == (
        "canvas_user_id,user_id,login_id,tag_name,canvas_tag_id,tag_id,tag_set_name,"
        "canvas_tag_set_id,tag_set_id"
    )
    assert ",".join(GROUP_COLUMNS) == (
        "canvas_user_id,user_id,login_id,group_name,canvas_group_id,group_id"
    )


def test_tags_name_the_skill_because_students_do_not_see_them():
    rows = canvas_tags(seats())
    assert [(row[1], row[3]) for row in rows] == [
        ("00418", "Group 1: Halves"), ("00417", "Group 1: Halves"), ("00500", "Group 2: Thirds")
    ]  # fmt: skip
    assert {row[6] for row in rows} == {"Next skill 7A fall"}


def test_a_group_set_names_no_skill_because_students_see_it():
    assert {row[3] for row in canvas_group_set(seats())} == {"Group 1", "Group 2"}


def test_the_class_list_has_everybody_once_and_nothing_to_evaluate():
    files = group_files(seats(), open_language())
    listed = list(
        csv.reader(io.StringIO(files[_ending(files, "class-list.csv")].decode("utf-8-sig")))
    )
    assert [row[2] for row in listed[1:]] == ["00418", "00417", "00500", "00501"]
    assert listed[1][1] == '\'=HYPERLINK("x")'
    assert listed[4][0] == "none"


def test_desk_cards_say_where_to_sit_and_no_id():
    namesakes = replace(seats(), names=NAMES | {"00500": "Noor (00500)"})
    files = group_files(namesakes, open_language("es"))
    cards = files[_ending(files, "desk-cards.html")].decode()
    assert "Grupo 1" in cards
    assert "I can." in cards
    assert "00500" not in cards
    assert "<script>" not in cards


def test_where_nobody_is_in_a_group_there_are_no_files():
    empty = replace(seats(), groups=GROUPS.assign(group=pd.array([None] * 4, dtype="Int64")))
    assert group_files(empty, open_language()) == {}


def _ending(files, end: str) -> str:
    return next(name for name in files if name.endswith(end))


FORMULAS = ["=1+1", '=HYPERLINK("https://x.org")', "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1",
            "\0=1", "＝1+1", " =1+1", "=cmd|' /C calc'!A0", "-cmd", "+A1"]  # fmt: skip


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_cell_that_would_be_evaluated_is_prefixed(cell):
    assert safe_cell(cell).startswith("'")
    row = next(csv.reader(io.StringIO(to_csv([cell], []).decode(), newline="")))
    assert len(row) == 1


@pytest.mark.parametrize("cell", ["Ana Ruiz", "-3.5", "00417", "O'Neil", "", "3+4", "a=b"])
def test_any_other_cell_is_as_it_was(cell):
    assert safe_cell(cell) == cell


def test_a_workbook_holds_text_and_no_formula_or_link():
    rows = [[cell, "https://x.org"] for cell in FORMULAS]
    with zipfile.ZipFile(io.BytesIO(to_xlsx(["a", "b"], rows, sheet="x"))) as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert sheet.count('t="s"') == 2 * len(FORMULAS) + 2
        shared = package.read("xl/sharedStrings.xml").decode()
        assert "=HYPERLINK(" in shared


def test_the_same_groups_give_the_same_bytes():
    files, again = (group_files(seats(), open_language()) for _ in range(2))
    assert files == again


# -- passphrases and pseudonyms ---------------------------------------------------------


def test_a_passphrase_is_random_words_of_at_least_64_bits():
    assert len(set(WORDS)) == 1024
    assert N_WORDS * log2(1024) >= 64
    assert all(3 <= len(word) <= 7 and word.isascii() and word.isalpha() for word in WORDS)
    made = {new_passphrase() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one.split("-")) == N_WORDS for one in made)


@pytest.mark.parametrize(
    "typed",
    ["apple-river-stone", "Apple River Stone", " apple  river–stone ", "ａｐｐｌｅ river stone"],
)
def test_a_passphrase_may_be_typed_in_many_ways(typed):
    assert normal_form(typed) == "apple-river-stone"


def test_a_pseudonym_depends_on_the_key_and_on_nothing_else():
    ids = [f"{n:05}" for n in range(400)]
    named = name_students(ids, bytes(32))
    assert named == name_students(reversed(ids), bytes(32))
    assert len(set(named.values())) == 400
    assert not set(named.values()) & set(name_students(ids, b"\1" * 32).values())


def test_a_pseudonym_is_not_a_plain_hash_of_the_id():
    named = name_students(["00417"], b"\7" * 32)["00417"]
    plain = {sha256(one).hexdigest().upper() for one in (b"00417", b"0\x0000417")}
    assert all(named.removeprefix("Student ") not in one for one in plain)


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path):
    key = read_key(tmp_path / "k" / "pseudonyms.key")
    assert read_key(tmp_path / "k" / "pseudonyms.key") == key
    assert stat.S_IMODE((tmp_path / "k" / "pseudonyms.key").stat().st_mode) == 0o600


def test_a_file_that_is_no_key_is_refused(tmp_path):
    (tmp_path / "k").write_text("not a key")
    with pytest.raises(DataError, match="holds no key"):
        read_key(tmp_path / "k")


def test_a_pseudonymous_store_holds_no_name_and_the_same_evidence(demo_store, tmp_path):
    copy = pseudonymous_store(demo_store, bytes(32), tmp_path / "store")
    roster = demo_store.read_roster()
    names = set(roster["display_name"]) - set(roster["teacher"])
    assert set(copy.read_roster()["display_name"]).isdisjoint(names)
    files = [file for file in copy.folder.rglob("*") if file.is_file()]
    held = b"".join(part for file in files for part in parts_of(file))
    assert len(names) > 300
    assert not [name for name in names if name.encode() in held]
    assert copy.read_evidence(WINDOW).equals(demo_store.read_evidence(WINDOW))


# -- bundles ----------------------------------------------------------------------------


def shipment(pages: dict[str, Page], out: Path, **how) -> Shipment:
    return Shipment(find_teachers(ROSTER, pages), "fall", "20261001", out, **how)


def send(one: Shipment, **how) -> dict[str, str]:
    return share(one, Auditor(People(ROSTER)), lambda page: {}, **how)


def test_a_bundle_has_an_index_the_own_page_and_a_true_manifest(pages, tmp_path):
    written = send(shipment(pages, tmp_path / "out"))
    folder = tmp_path / "out" / next(one for one in written.values() if one.startswith("cy-poe"))
    assert sorted(file.name for file in folder.iterdir()) == [
        "7b.html",
        "index.html",
        "manifest.json",
    ]
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for name, about in manifest["files"].items():
        assert about["sha256"] == sha256((folder / name).read_bytes()).hexdigest()
    assert manifest["files"]["7b.html"]["classrooms"] == ["7B"]
    assert "Cy Poe" in (folder / "index.html").read_text("utf-8")


def test_no_bundle_holds_another_classrooms_student(pages, tmp_path):
    send(shipment(pages, tmp_path / "out"))
    people = People(ROSTER)
    assert Auditor(people).audit_path(tmp_path / "out") == []
    for one in find_teachers(ROSTER, pages):
        said = "".join(
            file.read_text("utf-8") for file in (tmp_path / "out" / one.file).rglob("*.html")
        )
        foreign = ROSTER[~ROSTER["classroom_id"].isin(one.classroom_ids)]["display_name"]
        assert not [name for name in foreign if name in said]


def test_everything_is_its_owners_alone(pages, tmp_path):
    send(shipment(pages, tmp_path / "out"))
    for one in [tmp_path / "out", *(tmp_path / "out").rglob("*")]:
        assert stat.S_IMODE(one.stat().st_mode) & 0o077 == 0


def test_the_list_says_who_gets_which_file(pages, tmp_path):
    written = send(shipment(pages, tmp_path / "out"))
    with (tmp_path / "out" / "recipients.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    assert {row["file"] for row in listed} == set(written.values())
    assert next(row for row in listed if row["recipient"] == "Cy Poe")["classrooms"] == "7B"


def test_a_zip_has_the_same_bytes_for_the_same_pages(pages, tmp_path):
    for name in ("a", "b"):
        send(shipment(pages, tmp_path / name, packed=True))
    first, second = (
        {file.name: file.read_bytes() for file in (tmp_path / name).glob("*.zip")} for name in "ab"
    )
    assert first == second
    assert len(first) == 4


def test_a_leak_stops_everything_and_says_no_name(pages, tmp_path):
    pages["7B"].file.write_text(html("7B", "Bo Li and Ana Ruiz"), encoding="utf-8")
    with pytest.raises(LeakError, match="Nothing was shared") as caught:
        send(shipment(pages, tmp_path / "out"))
    assert "Ana" not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["edition"]


def test_a_former_share_is_replaced_and_nothing_of_it_stays(pages, tmp_path):
    send(shipment(pages, tmp_path / "out"))
    fewer = shipment({"7B": pages["7B"]}, tmp_path / "out")
    send(fewer)
    folders = [one.name for one in (tmp_path / "out").iterdir() if one.is_dir()]
    assert folders == [fewer.recipients[0].file]


def test_a_folder_with_other_files_is_left_alone(pages, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="holds other files"):
        send(shipment(pages, tmp_path / "out"))
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_passphrases_never_lie_beside_what_they_open(pages, tmp_path):
    closed = shipment(pages, tmp_path / "out", protection=Protection.PASSPHRASE)
    with pytest.raises(UsageError, match="must not lie in"):
        send(closed, passphrases=tmp_path / "out" / "words.csv")
    send(closed, passphrases=tmp_path / "words.csv")
    with (tmp_path / "words.csv").open(encoding="utf-8-sig", newline="") as file:
        words = {row["file"]: row["passphrase"] for row in csv.DictReader(file)}
    assert len(set(words.values())) == len(words) == 4
    assert stat.S_IMODE((tmp_path / "words.csv").stat().st_mode) == 0o600
    shared = b"".join(one.read_bytes() for one in (tmp_path / "out").iterdir())
    assert not [one for one in words.values() if one.encode() in shared]
    assert not [name for name in ROSTER["display_name"] if name.encode() in shared]


def test_under_pseudonyms_no_real_name_may_be_on_a_page(pages, tmp_path):
    named = shipment(pages, tmp_path / "out", protection=Protection.PSEUDONYMS)
    with pytest.raises(LeakError, match="a student who does not belong here"):
        send(named)


def test_a_store_keeps_its_names_when_its_copy_loses_them(demo_store, tmp_path):
    before = demo_store.read_roster()
    pseudonymous_store(demo_store, bytes(32), tmp_path / "store")
    assert Store(demo_store.folder).read_roster().equals(before)
