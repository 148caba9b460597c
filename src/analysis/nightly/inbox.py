"""The inbox: what lies in it, what of it is new, and whether a file is there as a whole.

Files stay where they were put. What was read is remembered by the file's place and the
digest of its content, never by its date: a clock that is put right, a folder that is
copied back, a file that is delivered twice change nothing. Moving files away would need a
second step that a power cut can part from the first, would fight with folders that another
program keeps in step, and would take the coach's files from where the coach knows them.

::

    store/inbox.json    what was read of each file; it is gone when the store is, so that
                        everything is read again
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from analysis.errors import UsageError
from analysis.exports.sources import list_files
from analysis.files import write_json

RECORD = "inbox.json"
UNFINISHED = {".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp"}
"""Endings that programs give a file while they copy it."""

CHUNK = 2**20


class State(StrEnum):
    """What became of a file."""

    TAKEN = "taken"
    OPEN = "open"
    """Taken, but for rows that wait for a roster or for items."""
    REFUSED = "refused"
    COPY = "copy"
    """Of a file that was read under another name."""


@dataclass(frozen=True)
class Entry:
    """What is remembered of one file.

    Parameters
    ----------
    digest
        SHA-256 of the content that was read.
    state
        What became of it.
    order
        Files are read in the order they came in; a changed file comes anew.
    came
        UTC time a run first saw this content here.
    stamp
        Size and time of change; only where they differ is a same file a new delivery.
    """

    digest: str
    state: State
    order: int
    came: str
    stamp: tuple[int, int]


@dataclass(frozen=True)
class Delivered:
    """A file of the inbox as it is now."""

    name: str
    path: Path
    digest: str
    stamp: tuple[int, int]


@dataclass
class Record:
    """What is remembered of the inbox, by the files' names.

    Parameters
    ----------
    files
        The files.
    known
        Digest of rosters and framework when files were read last.
    since
        UTC time of the first run.
    """

    files: dict[str, Entry] = field(default_factory=dict)
    known: str = ""
    since: str = ""

    def is_new(self, file: Delivered) -> bool:
        """Whether this content was not read from this place."""
        entry = self.files.get(file.name)
        return entry is None or entry.digest != file.digest

    def copied_from(self, file: Delivered) -> str | None:
        """Return the name under which a new file's content was read before, or none."""
        if file.name in self.files:
            return None
        same = (name for name, one in self.files.items() if one.digest == file.digest)
        return next((name for name in same if self.files[name].state is not State.REFUSED), None)

    def next_order(self) -> int:
        """Return the place of the next file that comes."""
        return max((one.order for one in self.files.values()), default=0) + 1


@dataclass(frozen=True)
class Look:
    """What lies in the inbox.

    Parameters
    ----------
    files
        Whole files, in the order of their names.
    waiting
        Names of files that are still being copied.
    unreadable
        Names of files that this account may not open.
    left
        Names of files of kinds that are never read.
    """

    files: list[Delivered]
    waiting: list[str]
    unreadable: list[str]
    left: list[str]


def look_into(
    inbox: Path,
    record: Record,
    settle_seconds: float,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Look:
    """Return what lies in the inbox; a file that still changes is not taken for whole.

    New files are looked at twice, with a pause between: no clock says when a copy ended.

    Raises
    ------
    UsageError
        There is no such folder, or it cannot be opened.
    """
    try:
        is_there = inbox.is_dir()
        paths, left = list_files([inbox]) if is_there else ([], [])
    except OSError:
        is_there = False
    if not is_there:
        raise UsageError(
            f"The inbox {inbox} cannot be opened.\nCorrect inbox under [run] in coach.toml, or "
            "connect the drive it is on."
        )
    first = {path: _stamp(path) for path in paths}
    seen, unreadable = _digest_all(inbox, first)
    is_first_sight = [one for one in seen if record.is_new(one)]
    if is_first_sight:
        sleep(settle_seconds)
    growing = {one.name for one in is_first_sight if _stamp(one.path) != one.stamp}
    growing |= {name for name in left if Path(name).suffix.casefold() in UNFINISHED}
    return Look(
        files=[one for one in seen if one.name not in growing],
        waiting=sorted(growing),
        unreadable=sorted(unreadable),
        left=sorted(set(left) - growing),
    )


def is_as_it_was(file: Delivered) -> bool:
    """Whether a file still has the content that was seen."""
    try:
        return _digest(file.path) == file.digest
    except OSError:
        return False


def read_record(store: Path) -> Record:
    """Return what is remembered; nothing where there is no store or it cannot be read."""
    try:
        told = json.loads((store / RECORD).read_text(encoding="utf-8"))
        files = {
            name: Entry(**one | {"state": State(one["state"]), "stamp": tuple(one["stamp"])})
            for name, one in told["files"].items()
        }
        return Record(files, told["known"], told["since"])
    except (OSError, ValueError, KeyError, TypeError):
        # Files are then read once more, which changes nothing.
        return Record()


def write_record(store: Path, record: Record) -> None:
    """Remember, in one step."""
    write_json(store / RECORD, asdict(record))


def with_time(record: Record, now: datetime) -> Record:
    """Return the record without times that have not come yet: the clock was wrong then."""
    moment = now.isoformat()
    files = {
        name: replace(one, came=min(one.came, moment, key=datetime.fromisoformat))
        for name, one in record.files.items()
    }
    return Record(files, record.known, record.since or moment)


def in_order(files: Iterable[Delivered]) -> list[Delivered]:
    """Return files that came together in the order to read them: what changed last wins."""
    return sorted(files, key=lambda one: (one.stamp[1], one.name))


def _digest_all(
    inbox: Path, stamps: dict[Path, tuple[int, int] | None]
) -> tuple[list[Delivered], list[str]]:
    seen, unreadable = [], []
    for path, stamp in stamps.items():
        if stamp is None:
            continue
        try:
            seen.append(Delivered(_name(inbox, path), path, _digest(path), stamp))
        except FileNotFoundError:
            continue
        except OSError:
            unreadable.append(_name(inbox, path))
    return seen, unreadable


def _name(inbox: Path, path: Path) -> str:
    return path.relative_to(inbox).as_posix()


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return a file's size and time of change; none where it is gone."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_size, seen.st_mtime_ns


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()
