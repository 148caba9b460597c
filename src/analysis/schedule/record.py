"""What was installed, kept beside the reports: the doctor asks it when a run was due."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from analysis.files import write_json
from analysis.schedule.clock import Times, parse_times
from analysis.schedule.job import Job

FILE = "schedule.json"


@dataclass(frozen=True)
class Record:
    """A schedule that was installed.

    Parameters
    ----------
    name
        Of the job.
    kind
        ``cron``, ``systemd``, ``windows`` or ``github``.
    at, days
        As they were given: ``05:30``, ``mon-fri``.
    command
        The first word after ``coach``.
    log
        Path of the log.
    installed_on
        Local time, to the second.
    """

    name: str
    kind: str
    at: str
    days: str
    command: str
    log: str
    installed_on: str

    @property
    def times(self) -> Times:
        """When it starts."""
        return parse_times(self.at, self.days)

    def was_due(self, now: datetime) -> datetime | None:
        """Return the last time it was due before ``now``; none where it is too new for one."""
        due = self.times.due_before(now)
        return due if due >= datetime.fromisoformat(self.installed_on) else None


def read_records(out: Path) -> list[Record]:
    """Return what was installed for the reports of a folder, by name."""
    file = out / FILE
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return [Record(**about) for _, about in sorted(known.items())]


def remember(kind: str, job: Job, now: datetime) -> None:
    """Keep that a job was installed."""
    times = job.times
    record = Record(
        name=job.name,
        kind=kind,
        at=times.clock_words,
        days=times.days_in_words,
        command=next(iter(job.command[1:]), ""),
        log=job.log,
        installed_on=now.isoformat(timespec="seconds"),
    )
    _write(Path(job.out), {job.name: record})


def forget(out: Path, name: str) -> None:
    """Keep no longer that a job was installed."""
    if any(record.name == name for record in read_records(out)):
        _write(out, {name: None})


def _write(out: Path, changes: dict[str, Record | None]) -> None:
    kept = {record.name: record for record in read_records(out)} | changes
    write_json(out / FILE, {name: asdict(one) for name, one in kept.items() if one})
