"""A real cron daemon starts the whole run that was installed, and an edition appears."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analysis.errors import UsageError
from analysis.rendering.edition import current_folder, read_edition
from analysis.schedule import Job, parse_times
from analysis.schedule.cron import LONGEST_COMMAND, cron_line
from analysis.schedule.job import shell_line
from analysis.simulation import simulate_district, write_district
from conftest import PROJECT, WINDOW

COACH = Path(sys.executable).parent / "coach"
LONGEST_WAIT = 300
"""Seconds; the next full minute is at most 70 away, a run of two reports some 20."""
FOREIGN = """\
# a line of somebody else, with a per cent sign: 100 %
MAILTO=""
17 3 31 2 * /bin/true a%b\\%c   \t
"""


def missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def cron_is_running() -> bool:
    names = []
    for file in Path("/proc").glob("[0-9]*/comm"):
        try:
            names.append(file.read_text().strip())
        except OSError:
            continue
    return bool({"cron", "crond"} & set(names))


@pytest.fixture
def cron_daemon() -> Iterator[None]:
    """A cron that is at work: the computer's own, or one started for the test."""
    daemon = shutil.which("cron", path=f"{os.environ['PATH']}:/usr/sbin")
    if daemon is None or shutil.which("crontab") is None:
        missing("cron is not installed: apt-get install cron")
    if cron_is_running():
        yield
        return
    if not hasattr(os, "geteuid") or os.geteuid():
        missing("cron is not running, and only root can start it")
    started = subprocess.Popen([daemon, "-f"], stderr=subprocess.DEVNULL)
    yield
    started.terminate()
    started.wait(timeout=30)


@pytest.fixture
def crontab() -> Iterator[None]:
    """The user's crontab, with foreign lines in it; given back as it was."""
    if shutil.which("crontab") is None:
        missing("cron is not installed: apt-get install cron")
    before = subprocess.run(["crontab", "-l"], capture_output=True)
    subprocess.run(["crontab", "-"], input=FOREIGN.encode(), check=True)
    yield
    if before.returncode:
        subprocess.run(["crontab", "-r"], check=False, capture_output=True)
    else:
        subprocess.run(["crontab", "-"], input=before.stdout, check=True)


@pytest.fixture
def small_district(tmp_path) -> Path:
    """Two classrooms' exports in an inbox, below a name with all that cron trips over."""
    folder = tmp_path / "Ms. O'Neil's $HOME; 50% \\% done"
    write_district(simulate_district(2, random_state=7), folder / "data" / "inbox")
    (folder / "coach.toml").write_text('[run]\npages = ["classroom"]\nsettle_seconds = 0\n')
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks")
    return folder


def coach(*words: str, folder: Path = Path("/")) -> str:
    done = subprocess.run(
        [COACH, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shown_crontab() -> str:
    return subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=True).stdout


def next_minute() -> str:
    """The next full minute, or the one after it where there is hardly time to install."""
    return f"{datetime.now() + timedelta(seconds=60 + 12):%H:%M}"


@pytest.mark.slow
def test_cron_fires_the_installed_line_and_an_edition_appears(cron_daemon, crontab, small_district):
    settings = ["--config", str(small_district / "coach.toml")]
    # From another folder: the line finds everything by itself.
    coach("schedule", "cron", "--at", next_minute(), "--days", "daily", "--install", *settings)
    out = small_district / "reports"
    until = time.monotonic() + LONGEST_WAIT
    while not (out / "last-run.json").is_file() and time.monotonic() < until:
        time.sleep(1)
    checks = {check["name"]: check for check in examined(*settings)}
    coach("schedule", "cron", "--remove", *settings)

    shown = current_folder(out)
    log = (out / "schedule.log").read_text(encoding="utf-8")
    assert shown is not None, f"no edition after {LONGEST_WAIT} seconds; the log says: {log}"
    assert len(list(shown.glob("*.html"))) == 2 + 1
    assert not any(entry.failed for entry in read_edition(shown).entries.values())
    assert json.loads((out / "last-run.json").read_text())["exit_code"] == 0
    assert "it ran when it was last due" in checks["schedule"]["says"]
    assert checks["last run"]["state"] == checks["permissions"]["state"] == "good"
    assert shown_crontab() == FOREIGN
    mine = [path for path in out.rglob("*") if not path.is_symlink()]
    assert [p for p in mine if stat.S_IMODE(p.stat().st_mode) & 0o077] == []


def examined(*words: str) -> list[dict]:
    done = subprocess.run(
        [COACH, "doctor", "--json", *words], cwd="/", capture_output=True, text=True, timeout=120
    )
    return json.loads(done.stdout)["checks"]


def test_installing_again_leaves_one_line_and_every_other_as_it_was(crontab, tmp_path):
    def install(at: str) -> None:
        coach("schedule", "cron", "--at", at, "--install", "--", "report", "--window", WINDOW,
              folder=tmp_path)  # fmt: skip

    install("05:30")
    install("05:30")
    install("06:45")
    assert shown_crontab().startswith(FOREIGN)
    assert shown_crontab().count("coach report") == 1
    assert "45 6 * * 1-5 cd " in shown_crontab()


def test_the_longest_line_we_write_is_the_longest_that_cron_takes(crontab, tmp_path):
    def line_of(length: int) -> str:
        def job(folder: str) -> Job:
            return Job("n", ("/opt/coach", "run"), folder, "/r", parse_times("05:30", "mon"))

        empty = len(shell_line(job("/")))
        return cron_line(job("/" + "x" * (length - empty)))

    def taken(line: str) -> bool:
        return not subprocess.run(["crontab", "-"], input=line + "\n", text=True).returncode

    longest = line_of(LONGEST_COMMAND)
    assert taken(longest)
    assert not taken(longest + "x")
    with pytest.raises(UsageError, match="takes 998"):
        line_of(LONGEST_COMMAND + 1)


def test_removing_leaves_every_other_line_as_it_was(crontab, tmp_path):
    coach("schedule", "cron", "--install", "--", "report", "--window", WINDOW, folder=tmp_path)
    coach("schedule", "cron", "--remove", folder=tmp_path)
    coach("schedule", "cron", "--remove", folder=tmp_path)
    assert shown_crontab() == FOREIGN
