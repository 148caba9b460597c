"""From a published edition to bundles, the audit and forgetting, through the command line."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from analysis.forgetting.traces import parts_of
from analysis.sharing.protection import unseal
from analysis.store import Store
from conftest import PROJECT, WINDOW

pytestmark = pytest.mark.slow

COACH = [sys.executable, "-c", "import os; os.umask(0); from analysis.cli import main; main()"]
"""As on a computer where new files are everybody's unless a program takes care."""

CLASSROOM = "demo-5a"
STUDENT = "00545429"


def coach(*words: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COACH, *map(str, words)], cwd=PROJECT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def made(demo_store, tmp_path_factory) -> Path:
    """The demo's store, and an edition with one classroom's report."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(demo_store.folder, folder / "data" / "store")
    done = coach("report", CLASSROOM, "--window", WINDOW, *where(folder, "--out"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def district(made, tmp_path) -> Path:
    """A copy of it that a test may spoil."""
    shutil.copytree(made, tmp_path / "d", symlinks=True)
    return tmp_path / "d"


def where(folder: Path, reports: str = "--reports") -> tuple:
    return ("--store", folder / "data" / "store", reports, folder / "reports")


def share(folder: Path, *words: str | Path) -> subprocess.CompletedProcess:
    return coach("share", "--out", folder / "shared", *where(folder), *words)


def names_of(folder: Path) -> set[str]:
    roster = Store(folder / "data" / "store").read_roster()
    return set(roster["display_name"]) - set(roster["teacher"])


def test_a_dry_run_lists_who_gets_what_and_writes_nothing(district):
    done = share(district, "--to", "teachers", "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert [one["classrooms"] for one in told["recipients"]] == [[CLASSROOM]]
    assert not (district / "shared").exists()


def test_a_shared_bundle_is_whole_private_and_clean(district):
    done = share(district, "--to", "teachers")
    assert done.returncode == 0, done.stderr
    [bundle] = [one for one in (district / "shared").iterdir() if one.is_dir()]
    index = (bundle / "index.html").read_text("utf-8")
    links = re.findall(r'<a href="([^"]+)"', index)
    assert len(links) == 6
    assert all((bundle / link).is_file() for link in links)
    audited = coach("audit", district / "shared", district / "reports", *where(district)[:2])
    assert (audited.returncode, audited.stdout) == (0, "0 leaks found.\n")


def test_the_groups_in_the_files_are_those_on_the_page(district):
    share(district, "--to", "teachers")
    [listed] = (district / "shared").rglob("class-list.csv")
    page = next((district / "reports" / "current").glob("demo-5a*.html")).read_text("utf-8")
    with listed.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Group"] != "none"]
    on_page = {
        number: len(re.findall("<li>", card))
        for number, card in re.findall(r'id="card-(\d+)"(.*?)</ul>', page, re.DOTALL)
    }
    groups = {number: sum(row["Group"] == number for row in rows) for number in on_page}
    assert groups == on_page
    assert len(on_page) >= 2


def test_groups_of_newer_data_than_the_page_are_refused(district):
    store = Store(district / "data" / "store")
    evidence = store.read_evidence(WINDOW, CLASSROOM)
    store.save(evidence=evidence.assign(points=0.0))
    done = share(district, "--to", "teachers")
    assert done.returncode == 2
    assert "made from other data" in done.stderr
    assert share(district, "--to", "teachers", "--no-groups").returncode == 0


def test_a_protected_bundle_is_one_file_and_its_passphrase_is_elsewhere(district):
    done = share(district, "--to", "coach", "--password")
    assert done.returncode == 0, done.stderr
    with (district / "shared-passphrases.csv").open(encoding="utf-8-sig", newline="") as file:
        [row] = list(csv.DictReader(file))
    page = (district / "shared" / row["file"]).read_text("utf-8")
    files = unseal(page, row["passphrase"])
    assert any(name.startswith("demo-5a") for name in files)
    assert not [name for name in names_of(district) if name in page]
    audited = coach("audit", district / "shared", *where(district)[:2])
    assert audited.stdout == "0 leaks found.\n"


def test_under_pseudonyms_the_groups_are_the_same_and_no_name_is_left(district):
    done = share(district, "--to", "teachers", "--pseudonyms")
    assert done.returncode == 0, done.stderr
    page = next((district / "shared").rglob("demo-5a*.html")).read_text("utf-8")
    real = next((district / "reports" / "current").glob("demo-5a*.html")).read_text("utf-8")
    assert not [name for name in names_of(district) if name in page]
    with (district / "shared-pseudonyms.csv").open(encoding="utf-8-sig", newline="") as file:
        whose = {row["pseudonym"]: row["display_name"] for row in csv.DictReader(file)}

    def groups(text: str) -> list[set[str]]:
        cards = re.findall(r'id="card-\d+"(.*?)</ul>', unescape(text), re.DOTALL)
        return [set(re.findall(r"</span>([^<]+?)(?: \(\d+\))?(?:\s*<|$)", card.split("<ul>")[1]))
                for card in cards]  # fmt: skip

    shown = [{whose[one.strip()] for one in group} for group in groups(page)]
    assert shown == [{one.strip() for one in group} for group in groups(real)]
    assert not list((district / "shared").rglob("*.csv"))[1:]


def test_a_leak_in_an_edition_is_found_by_its_exit_code(district):
    page = next((district / "reports" / "current").glob("demo-5a*.html"))
    foreign = Store(district / "data" / "store").read_roster("demo-3a")["display_name"].iloc[0]
    page.write_text(page.read_text("utf-8").replace("</main>", f"<p>{foreign}</p></main>"))
    done = coach("audit", district / "reports", *where(district)[:2])
    assert done.returncode == 1
    assert "a student who does not belong here" in done.stdout
    assert foreign not in done.stdout
    assert share(district, "--to", "teachers").returncode == 1
    assert not (district / "shared").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX systems")
def test_nothing_that_is_written_is_anybody_elses_whatever_the_umask(district):
    share(district, "--to", "teachers", "--pseudonyms", "--password")
    wrong = [
        one
        for one in district.rglob("*")
        if not one.is_symlink() and stat.S_IMODE(one.stat().st_mode) & 0o077
    ]
    # The folder of data was made by the test.
    assert [one.name for one in wrong] in ([], ["data"])


def test_a_forgotten_student_is_nowhere_and_the_reports_can_be_made_again(district):
    roster = Store(district / "data" / "store").read_roster()
    name = roster.loc[roster["student_id"] == STUDENT, "display_name"].iloc[0]
    done = coach("forget", STUDENT, *where(district, "--out"))
    assert done.returncode == 0, done.stdout
    assert name not in done.stdout + done.stderr
    again = coach("report", CLASSROOM, "--window", WINDOW, *where(district, "--out"), "--json")
    assert json.loads(again.stdout)["rendered"] == [CLASSROOM]
    held = b"".join(
        part for file in district.rglob("*") if file.is_file() for part in parts_of(file)
    )
    assert STUDENT.encode() not in held
    assert name.encode() not in held
    assert CLASSROOM.encode() in held


def test_the_rule_of_days_is_a_command(district):
    done = coach("forget", "--keep-days", "36500", *where(district, "--out"), "--dry-run")
    assert "0 editions, 0 windows" in done.stdout
    both = coach("forget", STUDENT, "--keep-days", "1", *where(district, "--out"))
    assert both.returncode == 2
    assert "not both" in both.stderr
