"""What is older than the rule allows: editions, runs, windows of the store, exports."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from analysis.files import locked
from analysis.forgetting.student import Places, files_below
from analysis.rendering.edition import MANIFEST, current_folder, list_editions
from analysis.store import Store
from analysis.store.removing import remove_windows

KEPT = {"demo", "README.md", "pseudonyms.key"}
"""What holds no student, or is needed as long as anything that was made with it."""


@dataclass
class Expired:
    """What was removed, and what is old and stays.

    Parameters
    ----------
    editions
        Editions removed, with their runs.
    windows
        Windows removed from the store.
    exports
        Exports removed.
    remaining
        What is too old and still there, and why.
    """

    editions: list[str] = field(default_factory=list)
    windows: list[str] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    remaining: dict[str, str] = field(default_factory=dict)


def forget_older(
    keep_days: int,
    places: Places,
    *,
    today: date | None = None,
    exports: bool = False,
    dry_run: bool = False,
) -> Expired:
    """Remove what is older than some days.

    Parameters
    ----------
    keep_days
        An edition is as old as its making, a window as its last answer, an export as its
        last change.
    places
        Where to look.
    today
        UTC; the present day by default.
    exports
        Also remove exports; without it they are only named.
    dry_run
        Only say what would be removed.

    Returns
    -------
    Expired
        The edition that is shown stays, and is named: make a new one, then it can go.
    """
    limit = (today or datetime.now(UTC).date()) - timedelta(days=keep_days)
    expired = Expired()
    with ExitStack() as held:
        for out in _publishing(places.out):
            held.enter_context(locked(out, "removing what is old"))
            _expire_editions(out, limit, expired, dry_run=dry_run)
    store = Store(places.store)
    if store.exists:
        _expire_windows(store, limit, expired, dry_run=dry_run)
    for file in files_below(places.data):
        if KEPT & set(file.parts) or file.resolve().is_relative_to(places.store.resolve()):
            continue
        if datetime.fromtimestamp(file.stat().st_mtime, UTC).date() >= limit:
            continue
        if not exports:
            expired.remaining[str(file)] = "an export or note; --exports removes it"
            continue
        expired.exports.append(str(file))
        if not dry_run:
            file.unlink()
    return expired


def _publishing(out: Path) -> list[Path]:
    """Return the folders in which editions are published."""
    return [folder.parent for folder in sorted(out.rglob("editions")) if folder.is_dir()]


def _expire_editions(out: Path, limit: date, expired: Expired, *, dry_run: bool) -> None:
    shown = current_folder(out)
    for name in list_editions(out):
        if datetime.strptime(name[:8], "%Y%m%d").replace(tzinfo=UTC).date() >= limit:
            continue
        if shown is not None and shown.name == name:
            expired.remaining[str(out / "editions" / name)] = "the edition that is shown"
            continue
        expired.editions.append(name)
        if not dry_run:
            # The manifest goes first: a folder without one is no edition.
            (out / "editions" / name / MANIFEST).unlink()
            shutil.rmtree(out / "editions" / name)
            shutil.rmtree(out / "runs" / name, ignore_errors=True)


def _expire_windows(store: Store, limit: date, expired: Expired, *, dry_run: bool) -> None:
    for window in store.windows:
        last = store.read_evidence(window)["observed_on"].max()
        if last != last:  # no day is known
            expired.remaining[window] = "its answers have no dates"
        elif last.date() < limit:
            expired.windows.append(window)
    if expired.windows and not dry_run:
        remove_windows(store, expired.windows)
