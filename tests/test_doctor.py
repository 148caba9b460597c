"""The doctor says what is wrong, how to mend it, and nothing of any student."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.cli import app
from analysis.doctor import Places, State, environment, examine, places, runs
from analysis.doctor.environment import check_packages, check_python
from analysis.doctor.places import check_disk, check_inbox, check_notebooks, check_permissions
from analysis.doctor.runs import (
    check_clock,
    check_data,
    check_last_run,
    check_locks,
    check_schedule,
    holder_of,
)
from analysis.errors import UsageError
from analysis.files import locked, make_private_folder, write_json
from analysis.schedule import Job, parse_times
from analysis.schedule.record import remember
from conftest import PROJECT

NOON = datetime(2026, 11, 24, 12, 0)
"""A Tuesday; a schedule of 05:30 was due six and a half hours ago."""
posix = pytest.mark.skipif(os.name != "posix", reason="modes are of Unix")


@pytest.fixture
def out(tmp_path) -> Path:
    return make_private_folder(tmp_path / "reports")


def leave_run(out: Path, ended: datetime, exit_code: int = 0, **problems: str) -> None:
    """Leave what a run leaves, with the steps that failed."""
    steps = [
        {"step": step, "status": "failed", "problem": problem} for step, problem in problems.items()
    ]
    write_json(out / "last-run.json", {
        "schema": 1, "started": f"{ended - timedelta(minutes=9):%Y-%m-%dT%H:%M:%SZ}",
        "ended": f"{ended:%Y-%m-%dT%H:%M:%SZ}", "exit_code": exit_code, "steps": steps,
        "digest": "runs/nights/x/digest.txt",
    })  # fmt: skip


def utc(local: datetime) -> datetime:
    return local.astimezone(UTC)


@pytest.fixture
def installed(out, monkeypatch):
    """A schedule of cron at 05:30, that is in place and whose cron runs, unless said."""

    def install(command: str = "run", days: str = "daily", *, there=True, running=True) -> None:
        job = Job("coach-reports", ("/c", command), "/d", str(out), parse_times("05:30", days))
        remember("cron", job, datetime(2026, 11, 1))
        monkeypatch.setattr(runs, "is_in_place", lambda kind, name: there)
        monkeypatch.setattr(runs, "_is_running", lambda *names: running)

    return install


# -- programs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10, 14), "mend"), ((3, 11, 0), "good"), ((3, 14, 1), "good")]
)
def test_an_old_python_is_told(version, state):
    assert check_python(version).state == state


@pytest.mark.parametrize(
    ("wanted", "lock", "state", "says"),
    [
        (["pandas>=3.0"], "", "good", "All packages are there."),
        (["no-such-thing>=1"], "", "mend", "no-such-thing is missing"),
        (["pandas>=99"], "", "mend", "and must be >=99"),
        (["no-such-thing; python_version < '3'"], "", "good", "All packages"),
        ([], "pandas==99.0 \\\n    --hash=sha256:00\n", "look", "tested was 99.0"),
        ([], "no-such-thing==1.0 \\\n    --hash=sha256:00\n", "good", "as they were tested"),
        ([], "pandas==99.0 ; python_full_version < '3' \\\n", "good", "as they were tested"),
    ],
)
def test_packages_are_compared_with_what_is_needed_and_what_was_tested(wanted, lock, state, says):
    check = check_packages(wanted, lock)
    assert (check.state, says in check.says) == (state, True)


def test_many_faults_are_counted():
    check = check_packages([f"no-such-thing-{n}" for n in range(9)], "")
    assert check.says.count("is missing") == 5
    assert check.says.endswith("and 4 more.")


def test_the_project_names_its_requirements_also_where_it_was_installed(monkeypatch, tmp_path):
    own = environment.project_requirements()
    assert any(one.startswith("pandas") for one in own)
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    elsewhere = environment.project_requirements()
    assert any(one.startswith("pandas") for one in elsewhere)
    assert not any("pytest" in one for one in elsewhere)


def test_scripts_without_a_font_are_named(monkeypatch):
    monkeypatch.setattr(environment, "_has_font_for", lambda program, code: code != "ar")
    monkeypatch.setattr(environment.shutil, "which", lambda name: f"/usr/bin/{name}")
    check = environment.check_fonts()
    assert check.state == "look"
    assert "boxes: Arabic." in check.says


# -- places -------------------------------------------------------------------------------


def test_the_notebooks_are_looked_for(tmp_path):
    assert check_notebooks(PROJECT / "notebooks").state == "good"
    assert check_notebooks(tmp_path).state == "mend"


def test_the_inbox_is_looked_for(tmp_path):
    assert check_inbox(tmp_path / "inbox").state == "look"
    (tmp_path / "a.csv").write_text("")
    assert check_inbox(tmp_path).says == f"1 files are in {tmp_path}."


@pytest.mark.parametrize(
    ("free", "state"), [(299, "mend"), (599, "mend"), (600, "look"), (2199, "look"), (2200, "good")]
)
def test_a_disk_must_have_room_for_the_editions_to_come(out, monkeypatch, free, state):
    monkeypatch.setattr(places, "_size_of", lambda folder: 200 * places.MEGABYTE)
    monkeypatch.setattr(
        places.shutil, "disk_usage", lambda folder: type("U", (), {"free": free * 2**20})
    )
    assert check_disk(out, out / "not" / "there" / "yet").state == state


@posix
def test_what_others_can_open_is_told_and_mended_as_it_says(out):
    page = out / "editions" / "x" / "page.html"
    page.parent.mkdir(parents=True)
    page.write_text("")
    for path in (out, page.parent.parent, page.parent, page):
        path.chmod(0o755)
    check = check_permissions([out], None)
    assert check.state == "mend"
    assert "can open 1 files" in check.says
    subprocess.run(check.mend.split(), check=True)
    assert check_permissions([out], None).state == "good"


@posix
def test_a_closed_folder_closes_what_is_in_it(out):
    page = make_private_folder(out / "editions") / "page.html"
    page.write_text("")
    page.chmod(0o644)
    out.chmod(0o755)
    (out / "README.md").write_text("comes with the project")
    assert check_permissions([out], None).state == "good"


@posix
def test_settings_others_can_write_are_told(out, tmp_path):
    config = tmp_path / "coach.toml"
    config.write_text("")
    config.chmod(0o644)
    assert check_permissions([out], config).state == "good"
    config.chmod(0o664)
    assert check_permissions([out], config).mend == f"chmod go-w {config}"


@posix
def test_what_another_account_owns_is_told(out, monkeypatch):
    mine = os.geteuid()
    monkeypatch.setattr(places.os, "geteuid", lambda: mine + 1)
    assert "belong to another account" in check_permissions([out], None).says


# -- runs ---------------------------------------------------------------------------------


def test_a_clock_that_went_back_is_told(out):
    now = datetime.now(UTC)
    leave_run(out, now - timedelta(minutes=1))
    assert check_clock(out).state == "good"
    leave_run(out, now + timedelta(hours=5))
    assert check_clock(out).state == "mend"


def test_a_zone_of_ones_own_is_told_because_cron_does_not_have_it(out, monkeypatch):
    if not Path("/etc/localtime").is_symlink():
        pytest.skip("the computer's zone has no name")
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    assert check_clock(out).state == "look"


@pytest.mark.parametrize(("days", "state"), [(0, "good"), (44, "good"), (46, "look")])
def test_old_data_are_told(own_store, days, state):
    then = time.time() - days * 86400 - 60
    os.utime(own_store.folder / "store.json", (then, then))
    assert check_data(own_store.folder, stale_after=45).state == state


def test_data_of_another_version_are_told(own_store):
    write_json(own_store.folder / "store.json", {"format": 1})
    assert "another version" in check_data(own_store.folder, 45).says


def test_no_data_are_told(tmp_path):
    assert check_data(tmp_path, 45).state == "mend"


def test_a_schedule_that_ran_when_due_is_alive(out, installed):
    installed()
    leave_run(out, utc(NOON.replace(hour=5, minute=41)))
    check = check_schedule(out, NOON)
    assert (check.state, "it ran when it was last due, 2026-11-24" in check.says) == ("good", True)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        # Due on Tuesday at 05:30, last seen on Monday at 05:41.
        ("2026-11-24T05:29", "good"), ("2026-11-24T05:31", "good"), ("2026-11-24T11:29", "good"),
        ("2026-11-24T11:31", "mend"), ("2026-11-30T11:31", "mend"),
    ],
)  # fmt: skip
def test_a_schedule_that_did_not_run_is_dead_once_it_had_time(out, installed, now, state):
    installed()
    leave_run(out, utc(datetime(2026, 11, 23, 5, 41)))
    check = check_schedule(out, datetime.fromisoformat(now))
    assert check.state == state


def test_a_weekend_without_a_run_is_as_it_should_be(out, installed):
    installed(days="mon-fri")
    leave_run(out, utc(datetime(2026, 11, 20, 5, 41)))
    assert check_schedule(out, datetime(2026, 11, 22, 12)).state == "good"


def test_another_command_gives_its_sign_by_its_log(out, installed):
    installed("report")
    assert check_schedule(out, NOON).state == "mend"
    log = out / "schedule.log"
    log.write_text("20 reports made\n")
    seen = NOON.replace(hour=5, minute=33).timestamp()
    os.utime(log, (seen, seen))
    assert check_schedule(out, NOON).state == "good"


@pytest.mark.parametrize(
    ("how", "says"),
    [({"there": False}, "is gone"), ({"running": False}, "cron is not running")],
)
def test_a_schedule_nobody_will_start_is_told(out, installed, how, says):
    installed(**how)
    leave_run(out, utc(NOON))
    check = check_schedule(out, NOON)
    assert (check.state, says in check.says) == ("mend", True)


def test_a_scheduler_that_cannot_be_asked_is_told(out, installed, monkeypatch):
    def refuse(kind: str, name: str) -> bool:
        raise UsageError("This computer has no crontab.")

    installed()
    monkeypatch.setattr(runs, "is_in_place", refuse)
    assert "has no crontab" in check_schedule(out, NOON).says


@pytest.mark.parametrize(("days", "state"), [(None, "look"), (7, "good"), (9, "mend")])
def test_without_a_schedule_of_ours_the_last_run_tells(out, days, state):
    if days is not None:
        leave_run(out, utc(NOON - timedelta(days=days)))
    assert check_schedule(out, NOON).state == state


def test_a_run_that_failed_is_told_with_its_steps(out):
    leave_run(out, utc(NOON), exit_code=3, **{"import": "bad file", "audit": "2 leaks"})
    check = check_last_run(out)
    assert (check.state, "exit code 3 in: import, audit." in check.says) == ("mend", True)
    assert check.mend == f"Read {out / 'runs/nights/x/digest.txt'}"


def test_a_run_that_was_cut_off_is_told_and_one_at_work_is_not(out):
    begun = out / "runs" / "nights" / "started.json"
    write_json(begun, {"started": "2026-11-24T05:30:00Z"})
    with locked(begun.parent, "under way"):
        assert check_last_run(out).state == "good"
    assert "was cut off" in check_last_run(out).says


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ended": 7}', '{"ended": "soon"}'])
def test_half_a_summary_is_no_run(out, text):
    (out / "last-run.json").write_text(text)
    assert check_last_run(out).says == "There was no coach run yet."


def test_a_lock_says_who_holds_it(out):
    with locked(out, "testing"):
        assert holder_of(out / ".lock").process in (os.getpid(), None)
        assert check_locks([out]).says == f"A run is at work in {out}."
    assert holder_of(out / ".lock") is None
    assert check_locks([out]).says.startswith("No run is at work")


@pytest.mark.parametrize("folder", ["", "students", "runs/nights"])
def test_every_lock_of_a_run_is_seen(out, folder):
    with locked(out / folder, "testing"):
        assert check_locks([out]).says == f"A run is at work in {out / folder}."


def test_a_lock_is_also_told_where_the_kernel_cannot_be_asked(out, monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "PROC_LOCKS", tmp_path / "no such file")
    with locked(out, "testing"):
        assert holder_of(out / ".lock") is not None
    assert holder_of(out / ".lock") is None


def test_a_lock_that_is_held_for_too_long_is_told(out, monkeypatch):
    monkeypatch.setattr(runs, "_hours_of", lambda process: 7.2)
    with locked(out / "students", "testing"):
        check = check_locks([out])
    assert check.state == "mend"
    assert "for 7 hours" in check.says


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="/proc is of Linux")
@pytest.mark.slow
def test_the_age_of_a_process_is_known():
    sleeping = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        time.sleep(0.5)
        assert 0.4 < runs._hours_of(sleeping.pid) * 3600 < 30
    finally:
        sleeping.communicate(b"\n")


# -- the command --------------------------------------------------------------------------


def coach(*words: str):
    return CliRunner().invoke(app, list(words))


def test_a_healthy_place_is_well(own_store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PROJECT / "notebooks", tmp_path / "notebooks")
    done = coach("doctor", "--json")
    told = json.loads(done.stdout)
    assert [check for check in told["checks"] if check["state"] == "mend"] == []
    assert done.exit_code == 0


def test_what_must_be_mended_is_an_exit_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = coach("doctor")
    assert done.exit_code == 1
    assert "MEND  data: " in done.stdout


def test_it_finds_everything_from_where_the_settings_are(own_store, tmp_path, monkeypatch):
    (tmp_path / "coach.toml").write_text('store = "data/store"\n')
    monkeypatch.chdir("/")
    done = coach("doctor", "--json", "--config", str(tmp_path / "coach.toml"))
    states = {check["name"]: check["state"] for check in json.loads(done.stdout)["checks"]}
    assert states["data"] == "good"


def test_a_check_that_breaks_does_not_stop_the_others(tmp_path, monkeypatch):
    def broken() -> None:
        raise ModuleNotFoundError("No module named 'pandas'", name="pandas")

    monkeypatch.setattr(environment, "check_fonts", broken)
    folders = [tmp_path / name for name in ("store", "out", "notebooks", "inbox")]
    where = Places(None, *folders)
    checks = {check.name: check for check in examine(where, stale_after=45)}
    assert len(checks) == 13
    assert checks["fonts"].says == "This could not be looked at: ModuleNotFoundError (pandas)."
    assert checks["python"].state is State.GOOD


def test_nothing_of_a_student_is_said(own_store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = coach("doctor").stdout
    roster = own_store.read_roster()
    told = [*roster["student_id"], *roster["display_name"].dropna(), *roster["teacher"].dropna()]
    assert [one for one in told if one in said] == []


def test_whatever_is_to_be_mended_says_how(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checks = json.loads(coach("doctor", "--json").stdout)["checks"]
    assert [
        check["name"] for check in checks if (check["state"] == "good") == bool(check["mend"])
    ] == []
