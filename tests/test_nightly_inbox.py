"""The inbox: what is new, whole and readable is taken once; nothing is lost or covered."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import LockedError, UsageError
from analysis.files import locked
from analysis.nightly.inbox import Record, State, look_into, read_record, with_time, write_record
from analysis.nightly.taking import take_in
from analysis.settings import RunSettings, Settings
from analysis.store import Store

NIGHT = datetime(2026, 11, 24, 2, tzinfo=UTC)
ROSTER = "student_id,classroom_id\n01001,7A\n01002,7A\n01003,7B\n"
SCORES = "student_id,classroom_id,window,3.NF.1,3.NF.2\n01001,7A,fall,85,70\n01002,7A,fall,40,55\n"


class Inbox:
    """A folder of exports and the store it is read into."""

    def __init__(self, folder: Path):
        self.folder = folder / "inbox"
        self.folder.mkdir()
        run = RunSettings(inbox=self.folder, settle_seconds=0, window_of_files="fall")
        self.settings = Settings(store=folder / "store", run=run)
        self.night = NIGHT

    def put(self, name: str, text: str | bytes) -> Path:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def look(self, sleep=lambda seconds: None):
        record = with_time(read_record(self.settings.store), self.night)
        return look_into(self.folder, record, 0, sleep=sleep), record

    def take(self, **more):
        look, record = self.look(**more)
        taken, record = take_in(self.settings, look, record, self.night)
        if Store(self.settings.store).exists:
            write_record(self.settings.store, record)
        self.night += timedelta(days=1)
        return taken

    def points(self, skill: str = "3.NF.1") -> dict[str, float]:
        store = Store(self.settings.store)
        kept = pd.concat([store.read_evidence(one) for one in store.windows])
        kept = kept[kept["skill_id"] == skill]
        return dict(zip(kept["student_id"], kept["points"], strict=True))


@pytest.fixture
def inbox(tmp_path) -> Inbox:
    return Inbox(tmp_path)


def test_what_was_read_is_not_read_again(inbox):
    inbox.put("roster.csv", ROSTER)
    inbox.put("7A/scores.csv", SCORES)
    assert inbox.take().read == ["roster.csv", "7A/scores.csv"]
    assert inbox.take().read == []


def test_a_file_stays_where_it_was_put(inbox):
    file = inbox.put("scores.csv", SCORES)
    inbox.take()
    assert file.read_text() == SCORES


def test_a_new_date_on_the_same_content_is_no_new_file(inbox):
    file = inbox.put("scores.csv", SCORES)
    inbox.take()
    os.utime(file, (0, 0))
    assert inbox.take().read == []


def test_the_same_date_on_another_content_is_a_new_file(inbox):
    file = inbox.put("scores.csv", SCORES)
    seen = file.stat()
    inbox.take()
    file.write_text(SCORES.replace("85", "86"))
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert inbox.take().read == ["scores.csv"]
    assert inbox.points()["01001"] == 86


def test_an_old_file_delivered_under_another_name_does_not_cover_a_newer_one(inbox):
    inbox.put("scores.csv", SCORES)
    inbox.take()
    inbox.put("scores.csv", SCORES.replace("85", "86"))
    inbox.take()
    taken = inbox.take()
    assert (taken.read, taken.copies) == ([], [])
    inbox.put("scores (1).csv", SCORES.replace("85", "86"))
    assert inbox.take().copies == ["scores (1).csv"]
    assert inbox.points() == {"01001": 86, "01002": 40}


def test_one_content_under_two_names_on_one_day_counts_once(inbox):
    inbox.put("scores (1).csv", SCORES)
    inbox.put("scores.csv", SCORES)
    taken = inbox.take()
    assert (taken.read, taken.copies) == (["scores.csv"], ["scores (1).csv"])
    assert inbox.take().read == []


def test_an_old_file_put_back_in_its_place_counts(inbox):
    inbox.put("scores.csv", SCORES)
    inbox.take()
    inbox.put("scores.csv", SCORES.replace("85", "86"))
    inbox.take()
    inbox.put("scores.csv", SCORES)
    assert inbox.take().read == ["scores.csv"]
    assert inbox.points()["01001"] == 85


def test_a_file_that_grows_is_left_until_it_is_whole(inbox):
    file = inbox.put("scores.csv", SCORES[:60])

    def grow(seconds: float) -> None:
        file.write_text(SCORES[:80])

    look, _ = inbox.look(sleep=grow)
    assert (look.files, look.waiting) == ([], ["scores.csv"])
    file.write_text(SCORES)
    assert inbox.take().read == ["scores.csv"]
    assert inbox.points() == {"01001": 85, "01002": 40}


def test_a_download_under_way_is_named_and_not_read(inbox):
    inbox.put("scores.csv.crdownload", SCORES[:60])
    look, _ = inbox.look()
    assert (look.files, look.waiting, look.left) == ([], ["scores.csv.crdownload"], [])


def test_a_file_that_changes_while_it_is_read_is_read_again(inbox, monkeypatch):
    inbox.put("scores.csv", SCORES)
    monkeypatch.setattr("analysis.nightly.taking.is_as_it_was", lambda file: False)
    assert "changed while it was read" in inbox.take().refused["scores.csv"]
    monkeypatch.undo()
    assert inbox.take().read == ["scores.csv"]


def test_a_bad_file_is_named_and_keeps_no_other_out(inbox):
    inbox.put("scores.csv", SCORES)
    inbox.put("7B.xlsx", b"PK\x03\x04 cut")
    taken = inbox.take()
    assert taken.read == ["scores.csv"]
    assert "damaged or was cut" in taken.refused["7B.xlsx"]


def test_a_bad_file_is_named_every_night_until_it_is_mended(inbox):
    inbox.put("scores.csv", "")
    assert list(inbox.take().refused) == list(inbox.take().refused) == ["scores.csv"]
    inbox.put("scores.csv", SCORES)
    assert inbox.take().refused == {}
    assert inbox.take().read == []


def test_a_file_that_spoils_the_import_for_all_is_found_out(inbox):
    inbox.settings = inbox.settings.model_copy(
        update={"run": inbox.settings.run.model_copy(update={"window_of_files": None})}
    )
    inbox.put("scores.csv", SCORES)
    inbox.put("undated.csv", SCORES.replace("window,", "").replace("fall,", ""))
    taken = inbox.take()
    assert taken.read == ["scores.csv"]
    assert "neither a window nor dates" in taken.refused["undated.csv"]


def test_a_file_this_program_stumbles_over_keeps_no_other_out(inbox, monkeypatch):
    from analysis.exports import importing

    def stumble(paths):
        if any(path.name == "odd.csv" for path in paths):
            raise ZeroDivisionError
        return importing_list(paths)

    importing_list = importing.list_files
    monkeypatch.setattr(importing, "list_files", stumble)
    inbox.put("scores.csv", SCORES)
    inbox.put("odd.csv", ROSTER)
    taken = inbox.take()
    assert taken.read == ["scores.csv"]
    assert "our fault" in taken.refused["odd.csv"]


def test_rows_that_wait_for_a_roster_are_read_when_it_comes(inbox):
    inbox.put("roster.csv", ROSTER)
    inbox.put("scores.csv", "student_id,window,3.NF.1\n01001,fall,85\n01009,fall,33\n")
    assert inbox.take().open_rows == {"scores.csv": 1}
    assert inbox.take().read == []
    inbox.put("roster.csv", ROSTER + "01009,7B\n")
    assert set(inbox.take().read) == {"roster.csv", "scores.csv"}
    assert inbox.points() == {"01001": 85, "01009": 33}
    assert inbox.take().read == []


def test_an_older_file_read_again_does_not_cover_a_newer_one(inbox):
    tidy = "student_id,skill_id,window,source,points,points_possible\n"
    inbox.put("roster.csv", ROSTER)
    inbox.put("z.csv", f"{tidy}01001,a,fall,check,1,4\n01009,a,fall,check,2,4\n")
    inbox.take()
    inbox.put("b.csv", f"{tidy}01001,a,fall,check,3,4\n")
    inbox.take()
    inbox.put("roster.csv", ROSTER + "01009,7B\n")
    inbox.take()
    assert inbox.points("a") == {"01001": 3, "01009": 2}


def test_files_of_one_name_in_two_folders_are_told_apart(inbox):
    inbox.put("7A/scores.csv", SCORES)
    inbox.put("7B/scores.csv", "student_id,classroom_id,window,3.NF.1\n01003,7B,fall,\n")
    inbox.put("7B/scores.csv", b"\x1f\x8b\x08 not a table")
    taken = inbox.take()
    assert (taken.read, list(taken.refused)) == (["7A/scores.csv"], ["7B/scores.csv"])


def test_a_damaged_file_in_a_zip_is_named_by_its_zip(inbox):
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("good.csv", SCORES)
        archive.writestr("bad.csv", "a,b\n1,2\n")
    inbox.put("both.zip", packed.getvalue())
    assert list(inbox.take().refused) == ["both.zip"]
    assert inbox.points() == {"01001": 85, "01002": 40}


def test_a_store_that_is_deleted_is_read_anew(inbox):
    inbox.put("scores.csv", SCORES)
    inbox.take()
    shutil.rmtree(inbox.settings.store)
    assert inbox.take().read == ["scores.csv"]


def test_while_another_command_saves_nothing_is_remembered(inbox):
    inbox.put("scores.csv", SCORES)
    with locked(inbox.settings.store, "saving"), pytest.raises(LockedError, match="Another run"):
        inbox.take()
    assert inbox.take().read == ["scores.csv"]


def test_a_record_that_cannot_be_read_costs_one_more_reading(inbox):
    inbox.put("scores.csv", SCORES)
    inbox.take()
    (inbox.settings.store / "inbox.json").write_text("{")
    assert inbox.take().read == ["scores.csv"]
    assert inbox.points() == {"01001": 85, "01002": 40}


def test_an_inbox_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="cannot be opened"):
        look_into(tmp_path / "none", Record(), 0)


def test_a_time_that_has_not_come_yet_is_taken_as_now(inbox):
    inbox.put("scores.csv", SCORES)
    inbox.take()
    earlier = NIGHT - timedelta(days=400)
    entry = with_time(read_record(inbox.settings.store), earlier).files["scores.csv"]
    assert datetime.fromisoformat(entry.came) == earlier
    assert replace(entry, state=State.OPEN).digest == entry.digest
