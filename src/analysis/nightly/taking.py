"""Taking in what is new in the inbox: nothing is lost, nothing old covers what is newer."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.district import import_exports, known_to
from analysis.errors import AnalysisError, DataError, UsageError
from analysis.exports import Import, pass_on_exports
from analysis.exports.findings import WAITING
from analysis.files import digest_of
from analysis.nightly.inbox import (
    Delivered,
    Entry,
    Look,
    Record,
    State,
    in_order,
    is_as_it_was,
)
from analysis.settings import Settings
from analysis.store import Store, StoreIndex

CANNOT_OPEN = "the file cannot be opened by the account that runs this.\nGive it the right to."
CHANGED = "the file changed while it was read; it is read again next time"


@dataclass(frozen=True)
class Taken:
    """What a run took in.

    Parameters
    ----------
    read
        Names of files that were read, in order.
    refused
        Message of each file of which something could not be used; it may quote the file.
    copies
        Names of files whose content was read before, under another name.
    open_rows
        Rows of each file that wait for a roster or for items.
    rows_read, rows_used
        Of all files.
    """

    read: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)
    open_rows: dict[str, int] = field(default_factory=dict)
    rows_read: int = 0
    rows_used: int = 0

    @property
    def rows_set_aside(self) -> int:
        """Rows that were read and not used."""
        return self.rows_read - self.rows_used


def take_in(settings: Settings, look: Look, record: Record, now: datetime) -> tuple[Taken, Record]:
    """Read what is new into the store.

    Read again are files that were refused, and, once there is anything new, those with rows
    that wait for a roster or items, together with all that came after them: so an older
    file never covers a newer one.

    Parameters
    ----------
    settings
        Where the store is; how files are read.
    look
        What lies in the inbox.
    record
        What is remembered of it.
    now
        UTC time of this run.

    Returns
    -------
    Taken, Record
        What was done, and what is to be remembered of it.

    Raises
    ------
    LockedError
        Another command is saving in the store; nothing was taken.
    OSError
        The disk is full; nothing was taken.
    """
    store = Store(settings.store)
    # A store that cannot be read is no fault of the files.
    known_to(store)
    copies = _copies(look, record)
    wanted = _wanted(look.files, record, copies, known_digest(store))
    if not wanted:
        remembered = _remember(record, look, copies, {}, known_digest(store), now)
        refused = dict.fromkeys(look.unreadable, CANNOT_OPEN)
        return Taken(copies=sorted(copies), refused=refused), remembered
    imports, why = _read_together([one.path for one in wanted], store, _how(settings))
    told = {one.name: why[one.path] for one in wanted if one.path in why}
    summaries = [one.summary() for one in imports]
    for summary in summaries:
        told |= _refused_of(summary, wanted)
    told |= {one.name: CHANGED for one in wanted if one.name not in told and not is_as_it_was(one)}
    open_rows = _open_rows(summaries, wanted)
    states = {
        one: State.REFUSED if one.name in told
        else State.OPEN if one.name in open_rows else State.TAKEN
        for one in wanted
    }  # fmt: skip
    taken = Taken(
        read=[one.name for one in wanted if one.name not in told],
        refused=told | dict.fromkeys(look.unreadable, CANNOT_OPEN),
        copies=sorted(copies),
        open_rows=open_rows,
        rows_read=sum(summary["rows_read"] for summary in summaries),
        rows_used=sum(summary["rows_used"] for summary in summaries),
    )
    return taken, _remember(record, look, copies, states, known_digest(store), now)


def known_digest(index: StoreIndex) -> str:
    """Return a digest of all rosters and the framework; empty where there is no store."""
    if not index.exists:
        return ""
    index.forget_content()
    rosters = [index.roster_part(one).digest.encode() for one in index.classroom_ids]
    return digest_of(index.framework_digest().encode(), *rosters)


def _copies(look: Look, record: Record) -> dict[str, Delivered]:
    """Return new files whose content was read before, or comes twice now.

    Read as well, a copy would count each answer twice. One that was renamed may be open yet.
    """
    here = {one.name for one in look.files}
    found: dict[str, Delivered] = {}
    new: set[str] = set()
    # The shorter name is the file's own: scores.csv before scores (1).csv.
    for one in sorted(look.files, key=lambda one: (len(one.name), one.name)):
        first = record.copied_from(one)
        is_known = first and (first in here or record.files[first].state is not State.OPEN)
        comes_twice = one.name not in record.files and one.digest in new
        if is_known or comes_twice:
            found[one.name] = one
        elif record.is_new(one):
            new.add(one.digest)
    return found


def _wanted(
    files: Sequence[Delivered], record: Record, copies: Mapping[str, Delivered], known: str
) -> list[Delivered]:
    """Return the files to read, in the order in which they came."""
    new = [one for one in files if record.is_new(one) and one.name not in copies]
    before = [one for one in files if not record.is_new(one)]
    refused = [one for one in before if record.files[one.name].state is State.REFUSED]
    is_open = [one for one in before if record.files[one.name].state is State.OPEN]
    again: list[Delivered] = []
    if is_open and (new or known != record.known):
        first = min(record.files[one.name].order for one in is_open)
        again = [
            one for one in before if record.files[one.name].order >= first and one not in refused
            and record.files[one.name].state is not State.COPY
        ]  # fmt: skip
    again.sort(key=lambda one: record.files[one.name].order)
    return again + in_order([*refused, *new])


def _how(settings: Settings) -> dict[str, Any]:
    run = settings.run
    return {
        "root": run.inbox,
        "window": run.window_of_files,
        "attempts": run.attempts,
        "item_map": run.item_map,
        "column_map": run.column_map,
        "aliases": run.aliases,
        "keep": settings.keep_subgroups,
    }


def _read_together(
    paths: list[Path], store: Store, how: dict[str, Any]
) -> tuple[list[Import], dict[Path, str]]:
    """Import files together; where one spoils it for all, the others without it.

    Together, because a roster, items or the other parts of a bundle may come with them.
    """
    try:
        return [import_exports(paths, store, **how)], {}
    except Exception as error:
        if not _is_about_files(error):
            raise
        if len(paths) == 1:
            return [], {paths[0]: _say(error, paths[0])}
    alone = {path: _why_refused(path, store, how) for path in paths}
    good = [path for path, why in alone.items() if why is None]
    bad = [path for path, why in alone.items() if why is not None]
    if not bad:
        # Each is well, but not all together: one after the other, as on different days.
        parts = [_read_together([path], store, how) for path in good]
        return _join(parts)
    first = _read_together(good, store, how) if good else ([], {})
    if len(bad) > 1:
        try:
            return _join([first, ([import_exports(bad, store, **how)], {})])
        except Exception as error:
            if not _is_about_files(error):
                raise
    again = {path: _why_refused(path, store, how) for path in bad}
    saved = [path for path, why in again.items() if why is None]
    parts = [_read_together([path], store, how) for path in saved]
    refused = {path: why for path, why in again.items() if why is not None}
    return _join([first, *parts, ([], refused)])


def _why_refused(path: Path, store: Store, how: dict[str, Any]) -> str | None:
    try:
        pass_on_exports([path], _read_through, known=known_to(store), **how)
    except Exception as error:
        if not _is_about_files(error):
            raise
        return _say(error, path)
    return None


def _read_through(*, evidence: Iterable[object], **tables: object) -> None:
    """Read everything, and keep none of it: a large file need not be in memory at once."""
    for _ in evidence:
        pass


def _is_about_files(error: Exception) -> bool:
    """Whether it is a file's fault, or a fault of ours that one file brings to light.

    Such a file must not keep the others out, night after night.
    """
    if isinstance(error, (DataError, UsageError)):
        return True
    return not isinstance(error, (AnalysisError, OSError, MemoryError))


def _say(error: Exception, path: Path) -> str:
    if isinstance(error, AnalysisError):
        return str(error)
    return f"{path.name}: this program stumbled over it ({type(error).__name__}); that is our fault"


def _join(
    parts: Sequence[tuple[list[Import], dict[Path, str]]],
) -> tuple[list[Import], dict[Path, str]]:
    imports = [one for part, _ in parts for one in part]
    return imports, {path: why for _, refused in parts for path, why in refused.items()}


def _refused_of(summary: dict[str, Any], files: Sequence[Delivered]) -> dict[str, str]:
    """Return the message of each file of which a table was refused."""
    told: dict[str, str] = {}
    for one in summary["refused"]:
        whose = [file.name for file in files if _is_of(one["file"], file)]
        # Several files make one table, as in a bundle: then none of them is done with.
        for name in whose or [file.name for file in files]:
            told[name] = "\n".join(filter(None, [told.get(name), one["message"]]))
    return told


def _open_rows(summary: Sequence[dict[str, Any]], files: Sequence[Delivered]) -> dict[str, int]:
    """Return how many rows of each file wait for a roster or items."""
    counts: dict[str, int] = {}
    for part in summary:
        for one in part["rows_set_aside"]:
            if one["reason"] in WAITING:
                for file in files:
                    if _is_of(one["file"], file):
                        counts[file.name] = counts.get(file.name, 0) + 1
    return counts


def _is_of(said: str, file: Delivered) -> bool:
    """Whether a file is meant, by its name or that of a file packed in it."""
    names = {file.name, *_packed(file.path)}
    return any(said == name or said.startswith(f"{name}, sheet ") for name in names)


def _packed(path: Path) -> set[str]:
    if path.suffix.casefold() != ".zip" or not zipfile.is_zipfile(path):
        return set()
    with zipfile.ZipFile(path) as packed:
        return {Path(name).name for name in packed.namelist()}


def _remember(
    record: Record,
    look: Look,
    copies: Mapping[str, Delivered],
    states: Mapping[Delivered, State],
    known: str,
    now: datetime,
) -> Record:
    """Return the record with what was read, and with when each delivery was first seen."""
    files, order = dict(record.files), record.next_order()
    for one in look.files:
        before = files.get(one.name)
        state = State.COPY if one.name in copies else states.get(one)
        if before and state is None:
            state = before.state
        if state is None:
            continue
        same = before if before and before.digest == one.digest else None
        keeps = same if same and same.state is not State.REFUSED else None
        files[one.name] = Entry(
            digest=one.digest,
            state=state,
            order=keeps.order if keeps else order,
            came=same.came if same and same.stamp == one.stamp else now.isoformat(),
            stamp=one.stamp,
        )
        order += keeps is None
    return Record(files, known, record.since or now.isoformat())
