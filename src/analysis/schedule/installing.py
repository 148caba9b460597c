"""Puts a schedule in place and takes it away: again and again with the same outcome.

Installing twice leaves one schedule; removing twice is no error. Nothing that was not
written here is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from analysis.errors import UsageError
from analysis.files import make_private_folder, write_whole
from analysis.schedule import record
from analysis.schedule.cron import cron_line, holds_job, with_job, without_job
from analysis.schedule.github import demo_workflow, own_machine_workflow
from analysis.schedule.job import Job
from analysis.schedule.systemd import service_unit, timer_unit
from analysis.schedule.windows import task_xml

KINDS = ("cron", "systemd", "windows", "github")


def files_of(kind: str, job: Job, *, zone: str, demo: bool = False) -> dict[str, bytes]:
    """Return what a kind of schedule is made of: the content of each file by its name.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    job
        What is started.
    zone
        Time zone of its times; only GitHub needs it.
    demo
        GitHub's workflow for the demo, in place of the one for real data.

    Raises
    ------
    UsageError
        The job cannot be said in this kind of schedule.

    Examples
    --------
    >>> from analysis.schedule.clock import parse_times
    >>> job = Job("n", ("/opt/coach", "run"), "/d", "/r", parse_times("5:30", "daily"))
    >>> list(files_of("systemd", job, zone="UTC"))
    ['n.service', 'n.timer']
    """
    if kind == "cron":
        return {f"{job.name}.cron": (cron_line(job) + "\n").encode()}
    if kind == "systemd":
        units = {".service": service_unit(job), ".timer": timer_unit(job)}
        return {job.name + ending: text.encode() for ending, text in units.items()}
    if kind == "windows":
        return {f"{job.name}.xml": task_xml(job, datetime.now().date())}
    if demo:
        return {f"{job.name}-demo.yml": demo_workflow(job.name, job.times, zone).encode()}
    return {f"{job.name}.yml": own_machine_workflow(job, zone).encode()}


def install(kind: str, job: Job, *, zone: str, demo: bool = False) -> str:
    """Put a schedule in place of the one of its name, if there is one.

    Parameters
    ----------
    kind, job, zone, demo
        As in :func:`files_of`.

    Returns
    -------
    str
        Where it is now, and what is left to do, in a sentence or two.

    Raises
    ------
    UsageError
        The system has no such scheduler, or refused it; nothing was changed then.
    """
    files = files_of(kind, job, zone=zone, demo=demo)
    # The log is there before a scheduler could make it for everybody to read.
    make_private_folder(Path(job.out))
    Path(job.log).touch(mode=0o600)
    said = _WAYS[kind].put(job, files)
    record.remember(kind, job, datetime.now())
    return said


def remove(kind: str, job: Job) -> bool:
    """Take a schedule away; return whether there was one.

    Raises
    ------
    UsageError
        The system refused.
    """
    was_there = _WAYS[kind].take(job)
    record.forget(Path(job.out), job.name)
    return was_there


def is_in_place(kind: str, name: str) -> bool:
    """Return whether a schedule that was installed is still there.

    For GitHub always true: whether a workflow is switched on, only GitHub knows.

    Raises
    ------
    UsageError
        The system has no such scheduler, or cannot be asked.
    """
    if kind == "cron":
        return holds_job(_read_crontab(), name)
    if kind == "systemd":
        asked = _run("systemctl", "--user", "is-active", f"{name}.timer", may_fail=True)
        return asked.returncode == 0
    if kind == "windows":
        return _run("schtasks", "/Query", "/TN", name, may_fail=True).returncode == 0
    return True


# -- cron ---------------------------------------------------------------------------------


def _put_in_crontab(job: Job, files: dict[str, bytes]) -> str:
    _write_crontab(with_job(_read_crontab(), job))
    return "It is in your crontab; crontab -l shows it."


def _take_from_crontab(job: Job) -> bool:
    crontab = _read_crontab()
    if not holds_job(crontab, job.name):
        return False
    _write_crontab(without_job(crontab, job.name))
    return True


def _read_crontab() -> str:
    done = _run("crontab", "-l", may_fail=True)
    if done.returncode and "no crontab" not in done.stderr:
        raise UsageError(f"The crontab cannot be read: {_first_line(done.stderr)}")
    return "" if done.returncode else done.stdout


def _write_crontab(crontab: str) -> None:
    if crontab:
        _run("crontab", "-", given=crontab)
    else:
        _run("crontab", "-r")


# -- systemd ------------------------------------------------------------------------------


def user_units() -> Path:
    """Return the folder of the user's own units."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "systemd" / "user"


def _put_in_systemd(job: Job, files: dict[str, bytes]) -> str:
    # Asked before anything is written: without a manager nothing would start it.
    _run("systemctl", "--user", "show-environment")
    for name, content in files.items():
        write_whole(user_units() / name, content)
    _run("systemctl", "--user", "daemon-reload")
    _run("systemctl", "--user", "enable", "--now", f"{job.name}.timer")
    return (
        f"It is in {user_units()}; systemctl --user list-timers shows it.\n"
        "So that it also runs while you are logged out: loginctl enable-linger"
    )


def _take_from_systemd(job: Job) -> bool:
    units = [user_units() / f"{job.name}.{ending}" for ending in ("timer", "service")]
    there = [unit for unit in units if unit.is_file()]
    if there:
        _run("systemctl", "--user", "disable", "--now", f"{job.name}.timer")
    for unit in there:
        unit.unlink()
    if there:
        _run("systemctl", "--user", "daemon-reload")
    return bool(there)


# -- Windows ------------------------------------------------------------------------------


def _put_in_task_scheduler(job: Job, files: dict[str, bytes]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        (name, content), *_ = files.items()
        file = Path(folder) / name
        file.write_bytes(content)
        _run("schtasks", "/Create", "/TN", job.name, "/XML", str(file), "/F")
    return f"It is in the Task Scheduler; schtasks /Query /TN {job.name} shows it."


def _take_from_task_scheduler(job: Job) -> bool:
    if _run("schtasks", "/Query", "/TN", job.name, may_fail=True).returncode:
        return False
    _run("schtasks", "/Delete", "/TN", job.name, "/F")
    return True


# -- GitHub -------------------------------------------------------------------------------


def _put_in_repository(job: Job, files: dict[str, bytes]) -> str:
    folder = Path(job.folder) / ".github" / "workflows"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return f"It is in {folder}. It counts once it is committed to the default branch."


def _take_from_repository(job: Job) -> bool:
    folder = Path(job.folder) / ".github" / "workflows"
    there = [f for f in (folder / f"{job.name}{end}.yml" for end in ("", "-demo")) if f.is_file()]
    for file in there:
        file.unlink()
    return bool(there)


# -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Way:
    put: Callable[[Job, dict[str, bytes]], str]
    take: Callable[[Job], bool]


_WAYS = {
    "cron": _Way(_put_in_crontab, _take_from_crontab),
    "systemd": _Way(_put_in_systemd, _take_from_systemd),
    "windows": _Way(_put_in_task_scheduler, _take_from_task_scheduler),
    "github": _Way(_put_in_repository, _take_from_repository),
}

INSTEAD = {
    "crontab": "On Debian: apt-get install cron. Or use coach schedule systemd.",
    "systemctl": "Use coach schedule cron.",
    "schtasks": "It is a program of Windows. Here, use coach schedule cron or systemd.",
}
"""What to do where a program is missing."""


def _run(
    program: str, *words: str, given: str | None = None, may_fail: bool = False
) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program)
    if found is None:
        raise UsageError(f"This computer has no {program}.\n{INSTEAD[program]}")
    done = subprocess.run(
        [found, *words],
        input=given,
        capture_output=True,
        encoding="utf-8",
        # Other people's lines come back byte for byte, in whatever encoding they are.
        errors="surrogateescape",
        env=os.environ | {"LC_ALL": "C"},
        timeout=60,
    )
    if done.returncode and not may_fail:
        said = _first_line(done.stderr or done.stdout)
        raise UsageError(f"{program} refused: {said}\nNothing was changed. {INSTEAD[program]}")
    return done


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no reason given")
