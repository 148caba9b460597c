"""Editions are published by one switch, shown again, withdrawn from and removed.

The caller holds the lock of the folder they lie in.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from analysis.errors import AnalysisError, UnknownError, UsageError
from analysis.files import make_private_folder, write_json, write_whole
from analysis.rendering.edition import (
    CURRENT,
    INDEX,
    MANIFEST,
    Edition,
    Entry,
    current_folder,
    list_editions,
    read_edition,
    sheet_folder,
)
from analysis.rendering.index_page import leading_page, make_index


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
        _write_down(edition, staging)
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
    _write_down(edition, folder)
    return sorted(gone.values())


def _write_down(edition: Edition, folder: Path) -> None:
    """Write an edition's index, then its manifest: a folder without one is no edition."""
    write_whole(folder / INDEX, make_index(edition))
    entries = [vars(entry) for entry in edition.entries.values()]
    write_json(folder / MANIFEST, vars(edition) | {"entries": entries})


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
