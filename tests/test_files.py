"""Files with student data: whole, private, safely named, one run at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import LockedError
from analysis.files import digest_of, locked, safe_name, whole_file, write_json, write_whole

HOSTILE_IDS = [
    "../../x", "CON", "nul.txt", "7A", "7a", "7A.", "a/b", "a\\b", "a:b", "-rf", "x" * 300,
    "\u202eevil", "é", "e\u0301", "", " ", "\n", "s3://bucket/x", "محمد", "반",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE_IDS)
def test_a_name_made_from_any_id_is_short_and_plain(text):
    name = safe_name(text)
    assert 8 <= len(name) <= 49
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not name.startswith("-")


def test_no_two_ids_share_a_name_even_where_case_does_not_count():
    assert len({safe_name(text).casefold() for text in HOSTILE_IDS}) == len(HOSTILE_IDS)


@given(st.text(), st.text())
def test_names_differ_when_ids_differ(one, other):
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_a_written_file_is_its_owners_only_whatever_the_umask(tmp_path):
    before = os.umask(0o000)
    try:
        write_whole(tmp_path / "new" / "roster.csv", "s1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "roster.csv").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "page.html"
    write_whole(file, "old")

    def write_half():
        with whole_file(file) as part:
            part.write_text("ne")
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_half()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_same_content_is_the_same_json(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_second_run_is_refused_while_the_first_holds_the_lock(tmp_path):
    with locked(tmp_path, "saving"):
        second = locked(tmp_path, "saving")
        with pytest.raises(LockedError, match="Another run is saving"):
            second.__enter__()


def test_the_lock_of_a_killed_run_does_not_stay(tmp_path):
    script = (
        "import os, sys, pathlib\n"
        "from analysis.files import locked\n"
        "with locked(pathlib.Path(sys.argv[1]), 'saving'): os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == 9
    with locked(tmp_path, "saving"):
        assert (tmp_path / ".lock").exists()


def test_a_digest_changes_with_every_part_and_with_their_order():
    assert len({digest_of(b"a", b"b"), digest_of(b"b", b"a"), digest_of(b"ab")}) == 3
