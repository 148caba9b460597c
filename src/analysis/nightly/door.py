"""A run from lock to message: one at a time, told to programs, to the coach, to the log."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.audit.people import NOBODY, People
from analysis.errors import DataError, LockedError
from analysis.files import locked, make_private_folder, write_json, write_whole
from analysis.language import open_language
from analysis.nightly.causes import cause_of, gravest
from analysis.nightly.digest import Digest, write_digest
from analysis.nightly.night import Night
from analysis.nightly.notifying import notify
from analysis.nightly.running import Run
from analysis.nightly.summary import (
    Status,
    as_utc,
    folder_of_runs,
    read_last_run,
    write_last_run,
    write_log,
)
from analysis.settings import Settings
from analysis.store import Store

STARTED = "started.json"
MOST_NIGHTS = 60
"""Runs of which digest and details are kept."""


@dataclass(frozen=True)
class Told:
    """What a run leaves.

    Parameters
    ----------
    summary
        As in ``last-run.json``.
    digest
        In words.
    """

    summary: dict[str, Any]
    digest: Digest


def run_night(
    settings: Settings,
    *,
    notified: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Told:
    """Do everything that is due, and tell of it.

    Parameters
    ----------
    settings
        With paths that do not depend on the working folder
        (:func:`analysis.settings.anchor`).
    notified
        Whether to send the message the settings ask for.
    now
        Gives the UTC time.
    sleep
        How to wait for files that are being copied.

    Returns
    -------
    Told
        What goes wrong in a step is told in it, not raised.

    Raises
    ------
    LockedError
        Another run is under way; it is left alone, and so is its summary.
    """
    folder = make_private_folder(folder_of_runs(settings.out))
    try:
        with locked(folder, "under way"):
            return _run(settings, folder, notified=notified, now=now, sleep=sleep)
    except LockedError:
        write_log(settings.out, now(), "another run is under way; this one did nothing")
        raise


def _run(
    settings: Settings,
    folder: Path,
    *,
    notified: bool,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Told:
    night = Night(now(), killed_before=_begun_before(folder))
    last = read_last_run(settings.out) or {}
    night.message_lost = last.get("notified") == "failed"
    with suppress(OSError):  # where there is no room for it, the run itself will say so
        write_json(folder / STARTED, {"started": as_utc(night.started)})
    Run(settings, folder, night, sleep).go()
    night.ended = now()
    own = _new_folder(folder, night.started)
    # A full disk must not keep the message from being sent.
    details = _write(own / "details.txt", "\n\n".join(night.details)) if night.details else None
    digest = write_digest(
        night,
        open_language(settings.language),
        names_student=_student_finder(settings),
        details=details.relative_to(settings.out.parent).as_posix() if details else None,
    )
    written = _write(own / "digest.txt", digest.text)
    sent, code = _send(settings, night, digest, wanted=notified)
    try:
        summary = write_last_run(
            settings.out,
            started=night.started,
            ended=night.ended,
            exit_code=gravest([night.exit_code, code]),
            steps=night.steps,
            window=night.window,
            edition=night.edition,
            digest=written,
            notified=sent,
        )
    except OSError as error:
        summary = _unwritten(night, str(cause_of(error)))
    _log(settings, night, summary)
    _remove_old(folder)
    with suppress(OSError):
        (folder / STARTED).unlink()
    return Told(summary, digest)


def _begun_before(folder: Path) -> datetime | None:
    """Return when a run began that has not ended; it was cut off, for we hold its lock."""
    try:
        told = json.loads((folder / STARTED).read_text(encoding="utf-8"))
        return datetime.fromisoformat(told["started"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return datetime.fromtimestamp((folder / STARTED).stat().st_mtime, UTC)


def _new_folder(folder: Path, started: datetime) -> Path:
    """Return a folder of its own for this run, also where a clock was put back."""
    name = started.strftime("%Y%m%dT%H%M%S%fZ")
    taken = {one.name for one in folder.glob(f"{name}*")}
    return folder / (name if name not in taken else f"{name}-{len(taken)}")


def _write(file: Path, text: str) -> Path | None:
    try:
        write_whole(file, text)
    except OSError:
        return None
    return file


def _student_finder(settings: Settings) -> Callable[[str], bool]:
    """Return what tells whether a file's name names somebody on the rosters."""
    try:
        store = Store(settings.store)
        people = People(store.read_roster()) if store.exists else None
    except (DataError, OSError):
        # Who is on the rosters cannot be told: then no file is named.
        return lambda name: True
    if people is None:
        return lambda name: False

    def names_student(name: str) -> bool:
        said = re.sub(r"[^\w]+|_", " ", name)
        return bool(people.strangers_in(f"{said}\n{said.title()}\n{name}", NOBODY))

    return names_student


def _send(settings: Settings, night: Night, digest: Digest, *, wanted: bool) -> tuple[str, int]:
    """Send the message; return whether it was sent, and what that adds to the exit code."""
    is_quiet = not (digest.needs or night.exit_code or night.killed_before)
    if not wanted or (settings.notify.when == "problems" and is_quiet):
        return "off", 0
    try:
        subject = f"Coach's Notebook: {digest.subject}"
        return ("sent" if notify(settings.notify, subject, digest.text) else "off"), 0
    except Exception as error:
        night.details.append(f"notify:\n{error}")
        return "failed", 1


def _unwritten(night: Night, why: str) -> dict[str, Any]:
    """Return a summary that could not be written: there is no room for it."""
    return {
        "exit_code": gravest([night.exit_code, 1]),
        "started": as_utc(night.started),
        "ended": as_utc(night.ended or night.started),
        "steps": [{"step": one.step, "status": str(one.status)} for one in night.steps],
        "problem": f"last-run.json could not be written: {why}",
    }


def _log(settings: Settings, night: Night, summary: dict[str, Any]) -> None:
    for step in night.steps:
        counts = " ".join(f"{name}={n}" for name, n in step.counts.items())
        said = [step.step, str(step.status), counts, step.problem or ""]
        if step.status is not Status.SKIPPED or step.problem:
            write_log(settings.out, night.started, " ".join(filter(None, said)))
    last = f"ended exit_code={summary['exit_code']} message={summary.get('notified', 'unknown')}"
    write_log(settings.out, night.ended or night.started, last)


def _remove_old(folder: Path) -> None:
    for old in sorted(folder.glob("[0-9]*"))[:-MOST_NIGHTS]:
        shutil.rmtree(old, ignore_errors=True)
