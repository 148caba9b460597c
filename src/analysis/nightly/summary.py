"""What is left of a run for programs to read: ``last-run.json``. It holds no student data.

::

    reports/last-run.json             this summary of the newest run that has ended
    reports/runs/nights/run.log       a line a step, of all runs
    reports/runs/nights/<UTC time>/   digest.txt, what was sent; details.txt, private: the full
                                      messages, which may quote what is in a file

``last-run.json`` is an object::

    schema      1
    started     UTC time the run began, ISO 8601 with seconds and Z
    ended       UTC time it ended
    exit_code   0 all good · 1 some pages failed · 2 usage · 3 bad data · 4 another command
                was at work · 5 stopped; of several the gravest
    window      the window reported on, or null
    edition     name of the edition of classroom reports that is shown, or null
    steps       in their order, each an object:
        step      inbox · import · calibrate · report · audit · publish · share · compare
        status    done · skipped (nothing to do) · failed
        seconds   it took
        counts    numbers by name
        problem   null, or why it failed, in words
    counts      all steps' counts together
    digest      path of the digest, relative to last-run.json's folder, or null
    notified    sent · failed · off

It is written last and in one step. A run that finds another one at work leaves it as it is;
a run that is killed writes none, and the next one says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from analysis.files import write_json, write_whole

LAST_RUN = "last-run.json"
LOG = "run.log"
SCHEMA = 1
LONGEST_LOG = 2**20
"""Bytes of the log; then it is put aside as ``run.log.1`` and begun anew."""


class Status(StrEnum):
    """What became of a step."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Parameters
    ----------
    step
        Its name.
    status
        What became of it.
    seconds
        How long it took.
    counts
        Numbers by name.
    problem
        Why it failed, in words without student data; ``None`` where it did not.
    exit_code
        What it adds to the run's exit code.
    """

    step: str
    status: Status
    seconds: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str | None = None
    exit_code: int = 0


def write_last_run(
    out: Path,
    *,
    started: datetime,
    ended: datetime,
    exit_code: int,
    steps: list[Step],
    window: str | None,
    edition: str | None,
    digest: Path | None,
    notified: str,
) -> dict[str, Any]:
    """Write ``last-run.json`` in one step and return what it says."""
    told = {
        "schema": SCHEMA,
        "started": as_utc(started),
        "ended": as_utc(ended),
        "exit_code": exit_code,
        "window": window,
        "edition": edition,
        "steps": [_told(one) for one in steps],
        "counts": {name: n for one in steps for name, n in one.counts.items()},
        "digest": digest.relative_to(out).as_posix() if digest else None,
        "notified": notified,
    }
    write_json(out / LAST_RUN, told)
    return told


def read_last_run(out: Path) -> dict[str, Any] | None:
    """Return what the newest run left, or none where there is nothing whole.

    Examples
    --------
    >>> read_last_run(Path("nowhere")) is None
    True
    """
    try:
        told = json.loads((out / LAST_RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.get("schema") == SCHEMA else None


def folder_of_runs(out: Path) -> Path:
    """Return where runs keep what is theirs; ``runs`` beside editions is never shared.

    Examples
    --------
    >>> folder_of_runs(Path("reports")).as_posix()
    'reports/runs/nights'
    """
    return out / "runs" / "nights"


def write_log(out: Path, moment: datetime, line: str) -> None:
    """Add a line to the log of all runs; where there is no room, none is added."""
    file = folder_of_runs(out) / LOG
    with suppress(OSError):
        if file.is_file() and file.stat().st_size > LONGEST_LOG:
            file.replace(file.with_name(f"{LOG}.1"))
        if not file.exists():
            write_whole(file, "")
        with file.open("a", encoding="utf-8") as log:
            log.write(f"{as_utc(moment)} {line}\n")


def as_utc(moment: datetime) -> str:
    """Return a moment as it stands in the summary.

    Examples
    --------
    >>> as_utc(datetime(2026, 11, 24, 2, 0, tzinfo=UTC))
    '2026-11-24T02:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _told(step: Step) -> dict[str, Any]:
    told = asdict(step) | {"status": str(step.status), "counts": dict(step.counts)}
    del told["exit_code"]
    return told
