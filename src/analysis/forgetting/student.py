"""One student removed: from the store, plans and notes, runs and editions, and exports.

What was deleted is gone from the folders; the disk's free space is not written over, and
copies that were made or sent elsewhere cannot be reached.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.errors import UnknownError
from analysis.files import locked, write_whole
from analysis.forgetting.editing import TABLES, TEXTS, without_student
from analysis.forgetting.traces import Marks, holds
from analysis.rendering.edition import INDEX, MANIFEST
from analysis.rendering.publishing import withdraw
from analysis.store import Store
from analysis.store.calibrations import hold_calibrations
from analysis.store.removing import count_rows, remove_student

WITHDRAWN = "removed, because a student's data was removed; the next run makes it again"
OURS = {"plans", "visits", "notes"}
"""Folders of what was written with us, which no export brings back."""

OWN_FILES = {"visits.csv"}


@dataclass
class Touched:
    """What was removed or changed, by relative path; without the student's name.

    Parameters
    ----------
    store_rows
        Rows removed from the store.
    edited
        Files from which the student was taken out.
    deleted
        Files deleted: pages, executed notebooks, logs.
    editions
        Editions of which pages were withdrawn, with how many.
    remaining
        Files that still hold the student, and why.
    """

    store_rows: int = 0
    edited: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    editions: dict[str, int] = field(default_factory=dict)
    remaining: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Places:
    """Where to look.

    Parameters
    ----------
    store
        Folder of the store.
    data
        Folder of exports, plans and notes; the store is often in it.
    out
        Folder the reports are published in.
    """

    store: Path
    data: Path
    out: Path


def forget_student(
    student_id: str,
    places: Places,
    *,
    exports: bool = False,
    delete_files: bool = False,
    dry_run: bool = False,
) -> Touched:
    """Remove one student everywhere below some folders.

    Parameters
    ----------
    student_id
        Whom.
    places
        Where.
    exports
        Also from exports that are plain tables or texts. Without it they are only named:
        importing them again would bring the student back.
    delete_files
        Also delete other files that hold the student, as workbooks and ZIPs.
    dry_run
        Only say what would be touched.

    Returns
    -------
    Touched
        With what still holds the student.

    Raises
    ------
    UnknownError
        Neither the store nor a file knows the student.
    LockedError
        Another run is at work on one of the folders.
    """
    store = Store(places.store)
    roster = store.read_roster() if store.exists else pd.DataFrame()
    marks = marks_of(student_id, roster)
    touched = Touched()
    found = [file for file in files_below(places.data, places.store, places.out)
             if holds(file, marks)]  # fmt: skip
    if not found:
        raise UnknownError.of("student", student_id, [], str(places.data))
    with ExitStack() as held:
        if places.out.is_dir():
            held.enter_context(locked(places.out, "removing a student"))
        if store.exists and not dry_run:
            held.enter_context(hold_calibrations(store))
        if store.exists:
            remove = count_rows if dry_run else remove_student
            touched.store_rows = remove(store, student_id)
        _clear_reports(places.out, marks, touched, dry_run=dry_run)
        inside = [file for file in found if _is_in(file, places.data)
                  and not _is_in(file, places.store) and not _is_in(file, places.out)]  # fmt: skip
        for file in inside:
            _clear_file(file, places, marks, touched, exports=exports, delete=delete_files,
                        dry_run=dry_run)  # fmt: skip
    if not dry_run:
        for file in files_below(places.data, places.store, places.out):
            if str(file) not in touched.remaining and holds(file, marks):
                touched.remaining[str(file)] = "it could not be taken out; delete it by hand"
    return touched


def marks_of(student_id: str, roster: pd.DataFrame) -> Marks:
    """Return what a student is known by: the id, and names no one else has."""
    if roster.empty:
        return Marks(student_id)
    own = roster["student_id"] == student_id
    names = roster.loc[own, "display_name"].dropna()
    others = pd.concat([roster.loc[~own, "display_name"], roster["teacher"]]).dropna()
    return Marks.of(student_id, list(names), set(others))


def files_below(*folders: Path) -> Iterator[Path]:
    """Give each file below some folders once; links are not followed."""
    seen = set()
    for folder in folders:
        for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if file.is_file() and not file.is_symlink() and file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _clear_reports(out: Path, marks: Marks, touched: Touched, *, dry_run: bool) -> None:
    """Withdraw pages that name the student from every edition; delete runs that do."""
    for edition in sorted(out.rglob("editions/*")):
        held = [file for file in files_below(edition) if holds(file, marks)]
        if held and edition.name.startswith(".making-"):
            # An unfinished edition is nobody's yet; the next run begins it anew.
            touched.deleted.append(str(edition))
            if not dry_run:
                shutil.rmtree(edition)
        elif held:
            _clear_edition(edition, held, touched, dry_run=dry_run)
    for run in sorted(out.rglob("runs")):
        for file in [one for one in files_below(run) if holds(one, marks)]:
            touched.deleted.append(str(file))
            if not dry_run:
                file.unlink()


def _clear_edition(edition: Path, held: Sequence[Path], touched: Touched, *, dry_run: bool) -> None:
    """Withdraw the pages that are held; a page goes with its PDF and its single sheets."""
    stems = {Path(file.relative_to(edition).parts[0]).stem for file in held}
    touched.editions[str(edition)] = len(stems)
    if dry_run:
        return
    withdraw(edition, lambda entry: Path(entry.file or "").stem in stems, problem=WITHDRAWN)
    for file in held:
        if file.name not in {INDEX, MANIFEST}:
            file.unlink(missing_ok=True)


def _clear_file(
    file: Path,
    places: Places,
    marks: Marks,
    touched: Touched,
    *,
    exports: bool,
    delete: bool,
    dry_run: bool,
) -> None:
    """Take the student out of one file, where that is asked for and can be done."""
    inside = file.relative_to(places.data)
    is_ours = bool(OURS & set(inside.parts[:-1])) or file.name in OWN_FILES
    is_plain = file.suffix.lower() in TEXTS | set(TABLES)
    is_named = marks.is_in_bytes(file.name.encode("utf-8", "surrogateescape"))
    if is_plain and not is_named and (is_ours or exports):
        touched.edited.append(str(file))
        if not dry_run:
            write_whole(file, without_student(file, marks))
    elif (is_ours and is_named) or delete:
        touched.deleted.append(str(file))
        if not dry_run:
            file.unlink()
    elif is_plain:
        touched.remaining[str(file)] = "an export; --exports takes the student out"
    else:
        touched.remaining[str(file)] = "no plain table; --delete-files deletes it whole"


def _is_in(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())
