"""Editions: all reports of one run, published together by one switch.

::

    reports/current                      -> editions/<time of the newest>
    reports/editions/<UTC time>/         index.html, a page a classroom, edition.json
    reports/students/editions/…          the same for pages of another kind, here the students';
                                         beside a page of sheets a folder with a page a sheet
    reports/runs/<UTC time>/             executed notebooks; private, never shared

A reader of ``current`` sees yesterday's edition or today's, never a mixture. A report
that is still right, or that failed this time, is carried over from the edition before.
Where there are no symbolic links (Windows without the right to make them),
``current.txt`` names the edition and ``current.html`` leads to its index.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from analysis.errors import AnalysisError, UnknownError, UsageError
from analysis.files import (
    digest_of,
    make_private_folder,
    natural_key,
    write_json,
    write_whole,
)
from analysis.rendering.staleness import Key

MANIFEST = "edition.json"
INDEX = "index.html"
CURRENT = "current"

INDEX_SAYS = {
    "classroom": {
        "title": "Classroom reports",
        "lead": "Open one, or send it to the classroom's teacher: each is one file that needs no "
        "network.",
        "folder": "",
    },
    "students": {
        "title": "Students' own pages",
        "lead": "Print a classroom's file, one sheet a student; or share the pages of its folder, "
        "each on a page of its own. Give a page to its own student only.",
        "folder": "one page a student",
    },
    "caseload": {
        "title": "Coaches' pages",
        "lead": "Each is for one coach alone, over all classrooms. Do not pass it on.",
        "folder": "",
    },
    "families": {
        "title": "Letters to families",
        "lead": "Print a classroom's file, one sheet a family; or share the letters of its folder, "
        "each on a page of its own. Give a letter to its own family only.",
        "folder": "one letter a family",
    },
}
"""What the index says, by the kind of pages."""


@dataclass(frozen=True)
class Entry:
    """One page in an edition.

    Parameters
    ----------
    page_id
        Whose page it is.
    file
        Name of its page in the edition; ``None`` where there is none.
    made_on
        UTC time the page was made, which may be an earlier run's; ``None`` without a page.
    key
        What it was made from; see :mod:`analysis.rendering.staleness`.
    teacher, school, grade
        For the index.
    problem
        Why the page could not be made this time; ``None`` when all is well.
    failed
        Whether the problem is a failure; else there is nothing to make a report from.
    """

    page_id: str
    file: str | None
    made_on: str | None
    key: Key | None
    teacher: str | None = None
    school: str | None = None
    grade: str | None = None
    problem: str | None = None
    failed: bool = False


@dataclass(frozen=True)
class Edition:
    """A published edition, or the one being made.

    Parameters
    ----------
    name
        UTC time its making began.
    window
        Assessment window of its reports.
    entries
        By page.
    seconds_each
        How long the machine took for a report; ``None`` where none was made.
    kind
        Of its pages; see :mod:`analysis.rendering.kinds`.
    """

    name: str
    window: str
    entries: dict[str, Entry] = field(default_factory=dict)
    seconds_each: float | None = None
    kind: str = "classroom"


def new_name() -> str:
    """Return the name of an edition made now: its UTC time."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def current_folder(out: Path) -> Path | None:
    """Return the folder of the edition that is shown, or none."""
    link, named = out / CURRENT, out / f"{CURRENT}.txt"
    if link.is_symlink():
        return link.resolve()
    if named.is_file():
        return out / "editions" / named.read_text(encoding="utf-8").strip()
    return None


def read_edition(folder: Path | None) -> Edition | None:
    """Return the edition in a folder, or none where there is no whole one."""
    if folder is None or not (folder / MANIFEST).is_file():
        return None
    return parse_edition((folder / MANIFEST).read_bytes())


def parse_edition(manifest: bytes) -> Edition:
    """Return the edition that a manifest describes."""
    content = json.loads(manifest)
    entries = {entry["page_id"]: Entry(**entry) for entry in content["entries"]}
    return Edition(**content | {"entries": entries})


def sheet_folder(page: Path) -> Path:
    """Return the folder of the pages made from this one's sheets.

    Examples
    --------
    >>> sheet_folder(Path("demo-4b-12345678.html")).as_posix()
    'demo-4b-12345678'
    """
    return page.with_suffix("")


def sheet_file(page: Path, student_id: str) -> Path:
    """Return the file of one student's page; its name does not tell the id."""
    return sheet_folder(page) / f"{digest_of(student_id.encode())[:16]}.html"


def list_editions(out: Path) -> list[str]:
    """Return the names of the published editions, oldest first."""
    return sorted(file.parent.name for file in (out / "editions").glob(f"[0-9]*/{MANIFEST}"))


def publish(
    out: Path,
    edition: Edition,
    staging: Path,
    approve: Callable[[Path], None] = lambda staging: None,
) -> Path:
    """Publish an edition whose new pages lie in a staging folder; return its folder.

    Pages of the edition that are not there are carried over from the current one. The
    manifest is written last, then the folder gets its name, then ``current`` is switched.

    Parameters
    ----------
    out
        Where editions are published.
    edition
        What is published.
    staging
        Where its pages lie.
    approve
        Called with the whole edition's folder before anybody sees it; raises to forbid it.

    Raises
    ------
    AnalysisError
        The disk is full or a folder cannot be written; the edition before is still shown,
        and the next run goes on with the pages that were made.
    """
    try:
        _carry_over_pages(edition, current_folder(out) or out, staging)
        write_whole(staging / INDEX, _make_index(edition))
        entries = [vars(entry) for entry in edition.entries.values()]
        write_json(staging / MANIFEST, vars(edition) | {"entries": entries})
        approve(staging)
        folder = out / "editions" / edition.name
        staging.rename(folder)
        _keep_through_power_cut(folder, folder.parent)
        switch_to(out, edition.name)
    except OSError as error:
        raise AnalysisError(
            f"The edition could not be published in {out}: {error.strerror}.\n"
            "The edition before is still shown. Make room, then run the command again: "
            "it goes on where it stopped."
        ) from None
    return folder


def switch_to(out: Path, name: str) -> None:
    """Show another edition, in one step."""
    link = out / CURRENT
    fresh = out / f".{CURRENT}.new"
    fresh.unlink(missing_ok=True)
    try:
        fresh.symlink_to(Path("editions") / name, target_is_directory=True)
    except (OSError, NotImplementedError):
        write_whole(out / f"{CURRENT}.txt", name + "\n")
        write_whole(out / f"{CURRENT}.html", leading_page(f"editions/{name}/{INDEX}"))
        return
    fresh.replace(link)
    _keep_through_power_cut(out)


def roll_back(out: Path, name: str | None = None) -> str:
    """Show an earlier edition again; return its name. The caller holds the lock.

    Parameters
    ----------
    out
        Where editions are published.
    name
        Of the edition; ``None``: the one before the current.

    Raises
    ------
    UnknownError
        There is no such edition.
    UsageError
        There is none before the current one.
    """
    names = list_editions(out)
    if name is not None and name not in names:
        raise UnknownError.of("edition", name, names, str(out))
    if name is None:
        shown = current_folder(out)
        earlier = [one for one in names if shown and one < shown.name]
        if not earlier:
            raise UsageError(f"{out} has no edition before the one that is shown.")
        name = earlier[-1]
    switch_to(out, name)
    return name


def remove_editions(out: Path, *, keep: int) -> list[str]:
    """Remove the oldest editions and their runs; return their names.

    Parameters
    ----------
    out
        Where editions are published.
    keep
        How many editions to keep; the one that is shown is always kept. 0: all.
    """
    shown = current_folder(out)
    names = list_editions(out)
    old = [one for one in names[:-keep] if shown is None or one != shown.name] if keep else []
    for name in old:
        # The manifest goes first: a folder without one is no edition.
        (out / "editions" / name / MANIFEST).unlink()
        shutil.rmtree(out / "editions" / name)
    _remove_runs_without(out, list_editions(out) if keep else None)
    return old


def withdraw(folder: Path, is_gone: Callable[[Entry], bool], *, problem: str) -> list[str]:
    """Take pages out of an edition; return their names. The caller holds the lock.

    The index says why they are not there; the next run makes them again.

    Parameters
    ----------
    folder
        Of the edition.
    is_gone
        Whether an entry's page is to go.
    problem
        What the index says in its place, without student data.
    """
    edition = read_edition(folder)
    if edition is None:
        return []
    gone = {one: e.file for one, e in edition.entries.items() if e.file is not None and is_gone(e)}
    if not gone:
        return []
    for file in gone.values():
        page = folder / file
        page.unlink(missing_ok=True)
        page.with_suffix(".pdf").unlink(missing_ok=True)
        shutil.rmtree(page.with_suffix(""), ignore_errors=True)
    without = {
        one: replace(entry, file=None, made_on=None, key=None, problem=problem, failed=False)
        if one in gone
        else entry
        for one, entry in edition.entries.items()
    }
    edition = replace(edition, entries=without)
    write_whole(folder / INDEX, _make_index(edition))
    entries = [vars(entry) for entry in edition.entries.values()]
    write_json(folder / MANIFEST, vars(edition) | {"entries": entries})
    return sorted(gone.values())


def _remove_runs_without(out: Path, editions: Iterable[str] | None) -> None:
    """Remove executed notebooks whose edition is gone; they are of no more use."""
    if editions is not None:
        for run in (out / "runs").glob("[0-9]*"):
            if run.name not in editions:
                shutil.rmtree(run, ignore_errors=True)


def _carry_over_pages(edition: Edition, before: Path, staging: Path) -> None:
    """Carry over each page that was not made, its PDF and the pages made of its sheets."""
    # Asked for file by file, a disk would be waited for thousands of times.
    there, made = _names_in(before), _names_in(staging)
    for entry in edition.entries.values():
        if entry.file is None or entry.file in made:
            continue
        page = Path(entry.file)
        _carry_over(before / page, staging / page)
        pdf, sheets = page.with_suffix(".pdf"), sheet_folder(page)
        if pdf.name in there:
            _carry_over(before / pdf, staging / pdf)
        if sheets.name in there:
            make_private_folder(staging / sheets)
            for sheet in (before / sheets).iterdir():
                _carry_over(sheet, staging / sheets / sheet.name)


def _names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} if folder.is_dir() else set()


def _carry_over(page: Path, to: Path) -> None:
    try:
        os.link(page, to)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(page, to)


def _keep_through_power_cut(*folders: Path) -> None:
    """Have the system write down that names in these folders have changed."""
    for folder in folders:
        with suppress(OSError):  # some systems cannot open a folder
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _make_index(edition: Edition) -> str:
    from analysis.rendering.blocks import render_block
    from analysis.rendering.page import check_page

    entries = sorted(
        edition.entries.values(),
        # What needs attention comes first.
        key=lambda entry: (entry.problem is None, natural_key(entry.page_id)),
    )
    page = render_block(
        "index",
        edition=edition,
        entries=entries,
        said=INDEX_SAYS.get(edition.kind, INDEX_SAYS["classroom"]),
        sheet_folder=lambda file: sheet_folder(Path(file)).name,
    ).html
    check_page(page)
    return page


def leading_page(target: str) -> str:
    """Return a page that leads to another, where there are no symbolic links."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reports</title>'
        f'<meta http-equiv="refresh" content="0; url={target}"></head>'
        f'<body><a href="{target}">The reports</a></body></html>\n'
    )
