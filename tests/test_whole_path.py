"""The whole path through the command line: exports in, proven pages out, on every kind of end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html import unescape
from pathlib import Path

import nbformat
import pytest

from conftest import PROJECT

pytestmark = pytest.mark.slow

COACH = [sys.executable, "-c", "from analysis.cli import main; main()"]
WINDOW = "2026-EOY"


def coach(*words: str | Path, cwd: Path = PROJECT) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COACH, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def district(tmp_path_factory) -> Path:
    """Three demo classrooms, imported, with a page for each."""
    folder = tmp_path_factory.mktemp("district")
    for words in (
        ("demo", "--classrooms", "3", "--out", folder / "exports"),
        ("import", folder / "exports", "--store", folder / "store"),
        ("report", "--window", WINDOW, "--store", folder / "store", "--out", folder / "reports"),
    ):
        done = coach(*words)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def own_copy(district, tmp_path) -> Path:
    """A copy of the district a test may spoil."""
    shutil.copytree(district, tmp_path / "d", symlinks=True)
    return tmp_path / "d"


def report(folder: Path, *words: str) -> subprocess.CompletedProcess:
    where = ("--store", folder / "store", "--out", folder / "reports")
    return coach("report", *words, "--window", WINDOW, *where, "--json")


def pages(folder: Path) -> dict[str, str]:
    found = (folder / "reports" / "current").glob("demo-*.html")
    return {page.name: page.read_text("utf-8") for page in sorted(found)}


def test_every_classroom_has_a_page_and_the_index_names_them(district):
    index = (district / "reports" / "current" / "index.html").read_text("utf-8")
    assert len(pages(district)) == 3
    assert re.findall(r'href="(demo-[^"]+)"', index) == sorted(pages(district))


def test_a_page_names_its_own_students_and_no_other_classrooms(district):
    from analysis.store import Store

    roster = Store(district / "store").read_roster()
    for page in pages(district).values():
        told = unescape(page)
        mine = re.search(r'data-page-id="([^"]+)"', page).group(1)
        here = set(roster.loc[roster["classroom_id"] == mine, "display_name"])
        others = set(roster["display_name"]) - here
        # A name that is part of one of this classroom's names or of its teacher's is no leak.
        teacher = roster.loc[roster["classroom_id"] == mine, "teacher"].iloc[0]
        foreign = [one for one in others if not any(one in name for name in {*here, teacher})]
        assert [name for name in here if name not in told] == []
        assert [name for name in foreign if name in told] == []
        foreign_ids = set(roster["student_id"]) - set(
            roster.loc[roster["classroom_id"] == mine, "student_id"]
        )
        assert [one for one in foreign_ids if one in told] == []


def test_a_page_tells_no_path_no_user_and_no_code(district):
    for page in pages(district).values():
        for told in (str(district), str(PROJECT), "open_classroom", "import ", "Traceback"):
            assert told not in page


def test_a_second_run_makes_nothing_and_publishes_nothing(own_copy):
    before = (own_copy / "reports" / "current").resolve()
    done = json.loads(report(own_copy).stdout)
    assert (len(done["rendered"]), len(done["unchanged"])) == (0, 3)
    assert (own_copy / "reports" / "current").resolve() == before


def test_one_classroom_made_again_is_the_same_bytes_beside_the_others_in_a_new_edition(own_copy):
    before, edition = pages(own_copy), (own_copy / "reports" / "current").resolve()
    done = json.loads(report(own_copy, "demo-4a", "--force").stdout)
    assert done["rendered"] == ["demo-4a"]
    assert (own_copy / "reports" / "current").resolve() != edition
    assert edition.is_dir()
    assert pages(own_copy) == before


def test_one_bad_classroom_stops_no_other_and_keeps_its_last_good_page(own_copy):
    before = pages(own_copy)
    notebook = nbformat.read(PROJECT / "notebooks" / "classroom_report.ipynb", as_version=4)
    fails = "if classroom_id == 'demo-4a':\n    float('Ana Lopez')"
    notebook.cells.append(nbformat.v4.new_code_cell(fails))
    (own_copy / "notebooks").mkdir()
    nbformat.write(notebook, own_copy / "notebooks" / "classroom_report.ipynb")
    (own_copy / "coach.toml").write_text(f'notebooks = "{own_copy}/notebooks"')
    config = ("--config", str(own_copy / "coach.toml"))

    done = report(own_copy, "demo-3a", "demo-4a", *config)

    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert summary["rendered"] == ["demo-3a"]
    assert [one["page_id"] for one in summary["failed"]] == ["demo-4a"]
    assert "ValueError" in summary["failed"][0]["problem"]
    assert "Ana" not in done.stdout + done.stderr
    assert pages(own_copy) == before
    index = (own_copy / "reports" / "current" / "index.html").read_text("utf-8")
    assert index.index("demo-4a") < index.index("demo-3a")
    assert "last good report" in index


def test_a_notebook_that_tells_of_another_classroom_is_never_published(own_copy):
    from analysis.store import Store

    stranger = Store(own_copy / "store").read_roster("demo-3a")["display_name"].iloc[0]
    before = pages(own_copy)
    notebook = nbformat.read(PROJECT / "notebooks" / "classroom_report.ipynb", as_version=4)
    notebook.cells.insert(3, nbformat.v4.new_markdown_cell(f"The district's best: {stranger}"))
    (own_copy / "notebooks").mkdir()
    nbformat.write(notebook, own_copy / "notebooks" / "classroom_report.ipynb")
    (own_copy / "coach.toml").write_text(f'notebooks = "{own_copy}/notebooks"')

    done = report(own_copy, "demo-4a", "--config", str(own_copy / "coach.toml"))

    assert done.returncode == 1
    assert "students of other classrooms" in json.loads(done.stdout)["failed"][0]["problem"]
    assert stranger not in done.stdout + done.stderr
    assert pages(own_copy) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("report", "--window", "2026-XYZ"), 3, "has no window '2026-XYZ'"),
        (("report", "demo-3z", "--window", WINDOW), 3, "Did you mean 'demo-3"),
        (("report",), 2, "--window"),
        (("report", "--window", WINDOW, "--config", "no.toml"), 2, "no.toml is not there"),
        (("import", "no-such-folder"), 2, "no-such-folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_plain_words_with_its_code(district, words, code, said):
    done = coach(*words, "--store", district / "store", *_out(words, district))
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def _out(words, district) -> tuple:
    return ("--out", district / "reports") if words[0] == "report" else ()


def test_a_run_beside_another_is_refused_with_its_code(own_copy):
    from analysis.files import locked

    with locked(own_copy / "reports", "making reports"):
        done = report(own_copy, "--force")
    assert done.returncode == 4
    assert "Another run" in done.stderr


def test_a_stopped_run_leaves_the_edition_it_found(own_copy):
    before = pages(own_copy)
    words = ["report", "--window", WINDOW, "--force", "--store", own_copy / "store"]
    run = subprocess.Popen(
        [*COACH, *map(str, words), "--out", str(own_copy / "reports")],
        cwd=PROJECT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _wait_for(lambda: list((own_copy / "reports" / "runs").glob("*/*")), run)
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 5
    assert "Stopped" in said
    assert pages(own_copy) == before


def _wait_for(seen, run: subprocess.Popen) -> None:
    before = seen()
    for _ in range(300):
        if seen() != before:
            return
        assert run.poll() is None, "the run ended before it could be stopped"
        time.sleep(0.1)
    pytest.fail("the run never started a notebook")


def test_everything_published_is_its_owners_only(district):
    for path in (district / "reports").rglob("*"):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o077 == 0, path


def test_settings_come_from_the_file_and_the_command_comes_first(own_copy):
    (own_copy / "coach.toml").write_text(f'store = "nowhere"\nout = "{own_copy}/reports"\n')
    config = ("--config", own_copy / "coach.toml")
    assert coach("report", "--window", WINDOW, *config).returncode == 3
    done = coach("report", "--window", WINDOW, *config, "--store", own_copy / "store", "--json")
    assert len(json.loads(done.stdout)["unchanged"]) == 3


def test_a_backend_set_elsewhere_takes_no_chart_away(own_copy):
    before = pages(own_copy)
    environment = os.environ | {"MPLBACKEND": "pdf", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    where = ["--store", str(own_copy / "store"), "--out", str(own_copy / "reports")]
    subprocess.run(
        [*COACH, "report", "demo-3a", "--window", WINDOW, "--force", *where],
        cwd=PROJECT, env=environment, capture_output=True, check=True,
    )  # fmt: skip
    assert pages(own_copy) == before
