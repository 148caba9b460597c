"""Whether the clock is right, the data are fresh, and the schedule is alive."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from analysis.doctor.check import Check, good, look, must_mend
from analysis.errors import UsageError
from analysis.schedule.clock import local_zone
from analysis.schedule.installing import is_in_place
from analysis.schedule.job import LONGEST_RUN_HOURS
from analysis.schedule.record import Record, read_records

LAST_RUN = "last-run.json"
"""What ``coach run`` leaves. It is read here as any other program may read it, so that the
doctor works where the rest of the package does not."""
BEGUN = Path("runs/nights/started.json")
"""There while a run is at work, and after one that was cut off."""
LATE = timedelta(hours=LONGEST_RUN_HOURS)
"""A run leaves its word when it ends; so long it may take."""
CLOCKS_APART = timedelta(hours=1)
LONGEST_SILENCE = timedelta(days=8)
"""Without a schedule of ours: the longest pause of a weekly run."""
LOCKS_IN = ("", "*/", "runs/*/")
"""Where a folder's locks lie: its own, those of a kind of pages, those of runs."""
PROC_LOCKS = Path("/proc/locks")


def check_clock(out: Path) -> Check:
    """Look at the time zone, and whether the clock has gone back."""
    zone, told = local_zone(), datetime.now().astimezone()
    now = f"{told:%Y-%m-%d %H:%M} ({zone or told.tzname()}, UTC{told:%z})"
    ended = _ended(_last_run(out))
    if ended and ended - told > CLOCKS_APART:
        return must_mend(
            "clock", f"It is {now}, but the last run ended later than that.",
            "Set the computer's clock, best by the network: timedatectl set-ntp true",
        )  # fmt: skip
    linked = Path("/etc/localtime")
    own = os.environ.get("TZ") and zone
    if own and linked.is_symlink() and not str(linked.resolve()).endswith(own):
        return look(
            "clock", f"It is {now} here, but the computer's own zone, which cron goes by, is "
            f"{linked.resolve().name}.",
            "Give the schedule's time in the computer's zone, or change that: timedatectl "
            f"set-timezone {zone}",
        )  # fmt: skip
    return good("clock", f"It is {now}.")


def check_data(store: Path, stale_after: int) -> Check:
    """Look at how long ago something was imported.

    Parameters
    ----------
    store
        Folder of the imported data.
    stale_after
        Days after which nothing new is worth a look.
    """
    from analysis.store.index import StoreIndex

    index = StoreIndex(store)
    if not index.exists:
        return must_mend(
            "data", f"{store} holds no imported data.", f"coach import FOLDER --store {store}"
        )
    if not index.is_current:
        return must_mend(
            "data", f"{store} was written by another version.",
            "Delete the folder and import the exports again.",
        )  # fmt: skip
    days = int((time.time() - index.saved_at) // 86400)
    holds = f"{len(index.classroom_ids)} classrooms, {', '.join(index.windows[-1:]) or 'no window'}"
    if days > stale_after:
        return look(
            "data", f"Nothing was imported for {days} days ({holds}).",
            "Have exports stopped coming? In a holiday this is as it should be.",
        )  # fmt: skip
    return good("data", f"Something was imported {_days_ago(days)} ({holds}).")


def check_schedule(out: Path, now: datetime | None = None) -> Check:
    """Look whether each schedule is in place, and ran when it was last due.

    Parameters
    ----------
    out
        Where reports are published.
    now
        Local time; ``None``: the clock's.
    """
    now = now or datetime.now()
    records = read_records(out)
    if not records:
        return _without_schedule(out, now)
    found = [_check_record(record, out, now) for record in records]
    worst = [one for one in found if one.mend]
    return worst[0] if worst else found[0]


def _without_schedule(out: Path, now: datetime) -> Check:
    ended = _ended(_last_run(out))
    if ended is None:
        return look(
            "schedule", "Nothing was installed by coach schedule, and there was no run yet.",
            "To have reports made by the clock: coach schedule cron --install",
        )  # fmt: skip
    silence = now.astimezone() - ended
    if silence > LONGEST_SILENCE:
        return must_mend(
            "schedule", f"The last run ended {silence.days} days ago.",
            "Look at who starts it, or install a schedule: coach schedule cron --install",
        )  # fmt: skip
    return good("schedule", f"The last run ended {_days_ago(silence.days)}; others start it.")


def _check_record(record: Record, out: Path, now: datetime) -> Check:
    told = f"{record.kind} starts {record.name} at {record.at}, {record.days}"
    again = f"coach schedule {record.kind} --install, with the same --at, --days and --name"
    try:
        in_place = is_in_place(record.kind, record.name)
    except UsageError as error:
        return must_mend("schedule", f"{told}, but: {error}", again)
    if not in_place:
        return must_mend(
            "schedule", f"{record.name} was installed for {record.kind}, and is gone.", again
        )
    if record.kind == "cron" and _is_running("cron", "crond") is False:
        return must_mend(
            "schedule", f"{told}, but cron is not running.", "systemctl enable --now cron"
        )
    due, seen = record.was_due(now), _last_sign(record, out)
    if due is None:
        return good("schedule", f"{told}; the first time is still to come.")
    if seen is not None and seen >= due:
        return good("schedule", f"{told}; it ran when it was last due, {due:%Y-%m-%d}.")
    if now - due < LATE:
        return good("schedule", f"{told}; it was due at {due:%H:%M} and may be at work.")
    was = f"the last sign of it is of {seen:%Y-%m-%d %H:%M}" if seen else "there is no sign of it"
    return must_mend(
        "schedule", f"{told}; it was due on {due:%Y-%m-%d}, but {was}.",
        f"Was the computer off? Read {record.log}, then start it by hand and see what it says.",
    )  # fmt: skip


def _last_sign(record: Record, out: Path) -> datetime | None:
    """Return when the command last ended, by the local clock: as it says, or by its log."""
    if record.command == "run" and (ended := _ended(_last_run(out))):
        return ended.astimezone().replace(tzinfo=None)
    log = Path(record.log)
    if not log.is_file() or not log.stat().st_size:
        return None
    return datetime.fromtimestamp(log.stat().st_mtime)


def check_last_run(out: Path) -> Check:
    """Look at what the last run said."""
    told = _last_run(out)
    if (out / BEGUN).is_file() and holder_of(out / BEGUN.parent / ".lock") is None:
        return look(
            "last run", "The last run was cut off before it could end. What was good before is "
            "still shown.",
            "The next one makes up for it. Was the computer switched off, or memory short?",
        )  # fmt: skip
    if told is None:
        return good("last run", "There was no coach run yet.")
    code, when = told.get("exit_code"), f"{_ended(told):%Y-%m-%d %H:%M} UTC"
    if code == 0:
        return good("last run", f"The last run, ended {when}, went well.")
    failed = [str(step.get("step")) for step in told.get("steps", []) if step.get("problem")]
    steps = f" in: {', '.join(failed)}" if failed else ""
    where = out / str(told.get("digest") or "runs")
    return must_mend(
        "last run", f"The last run, ended {when}, had exit code {code}{steps}. What was "
        "good before is still shown.",
        f"Read {where}",
    )  # fmt: skip


def check_locks(folders: Iterable[Path]) -> Check:
    """Look whether a run is at work, and whether it has been for too long."""
    files = [file for folder in folders for at in LOCKS_IN for file in folder.glob(f"{at}.lock")]
    holders = [holder for file in files if (holder := holder_of(file))]
    long = [one for one in holders if one.hours is not None and one.hours >= LONGEST_RUN_HOURS]
    if long:
        one = long[0]
        return must_mend(
            "lock", f"Process {one.process} has held {one.file} for {one.hours:.0f} hours, so no "
            "other run can start.",
            f"See what it is: ps -p {one.process}. If it hangs, end it: kill {one.process}",
        )  # fmt: skip
    if holders:
        return good("lock", f"A run is at work in {holders[0].file.parent}.")
    return good("lock", "No run is at work, and none is in the way.")


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, and for how many hours the process has been there, where known."""

    file: Path
    process: int | None
    hours: float | None


def holder_of(lock: Path) -> Holder | None:
    """Return who holds a lock; none where it is free.

    On Linux the kernel is asked; elsewhere the lock is taken for a moment.
    """
    if not PROC_LOCKS.is_file():
        return _holder_by_trying(lock)
    held = lock.stat()
    place = f"{os.major(held.st_dev):02x}:{os.minor(held.st_dev):02x}:{held.st_ino}"
    for line in PROC_LOCKS.read_text().splitlines():
        words = line.split()
        if place in words and "->" not in words:
            process = int(words[words.index(place) - 1])
            return Holder(lock, process, _hours_of(process))
    return None


def _holder_by_trying(lock: Path) -> Holder | None:
    from filelock import FileLock, Timeout

    try:
        with FileLock(lock, timeout=0):
            return None
    except Timeout:
        return Holder(lock, None, None)


def _hours_of(process: int) -> float | None:
    """Return the age of a process; none where another system's process holds the lock."""
    try:
        # The name, between brackets, may hold spaces; the 20th word after it is the start.
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        up = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return None
    started = int(after_name[19]) / os.sysconf("SC_CLK_TCK")
    return (up - started) / 3600


def _is_running(*names: str) -> bool | None:
    """Return whether a program of one of these names runs; none where that is not told."""
    if not Path("/proc/self/comm").is_file():
        return None
    running = set()
    for file in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            running.add(file.read_text().strip())
    return bool(set(names) & running)


def _last_run(out: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        told = json.loads((out / LAST_RUN).read_text(encoding="utf-8"))
        if isinstance(told, dict) and _ended(told):
            return told
    return None


def _ended(told: dict[str, Any] | None) -> datetime | None:
    with suppress(TypeError, ValueError):
        return datetime.fromisoformat((told or {})["ended"]).astimezone(UTC) if told else None
    return None


def _days_ago(days: int) -> str:
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
