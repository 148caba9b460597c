"""Editions: all reports of one run, published together by one switch.

::

    reports/current                      -> editions/<time of the newest>
    reports/editions/<UTC time>/         index.html, a page a classroom, edition.json
    reports/runs/<UTC time>/             executed notebooks; private, never shared

A reader of ``current`` sees yesterday's edition or today's, never a mixture. A report
that is still right, or that failed this time, is carried over from the edition before.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from analysis.files import make_private_folder, write_json, write_whole
from analysis.rendering.blocks import render_block
from analysis.rendering.page import check_page
from analysis.rendering.staleness import Key
from analysis.skills import natural_key

MANIFEST = "edition.json"
INDEX = "index.html"


@dataclass(frozen=True)
class Entry:
    """One classroom in an edition.

    Parameters
    ----------
    classroom_id
        Whose report it is.
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
    """

    classroom_id: str
    file: str | None
    made_on: str | None
    key: Key | None
    teacher: str | None = None
    school: str | None = None
    grade: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Edition:
    """A published edition, or the one being made."""

    name: str
    window: str
    entries: dict[str, Entry] = field(default_factory=dict)


def new_name() -> str:
    """Return the name of an edition made now: its UTC time."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def read_current(out: Path) -> Edition | None:
    """Return the edition that ``current`` shows, or none."""
    manifest = out / "current" / MANIFEST
    if not manifest.is_file():
        return None
    content = json.loads(manifest.read_text(encoding="utf-8"))
    entries = {entry["classroom_id"]: Entry(**entry) for entry in content["entries"]}
    return Edition(content["name"], content["window"], entries)


def staging_folder(out: Path, name: str) -> Path:
    """Return the folder an edition is made in before anybody can see it."""
    return make_private_folder(out / "editions" / f".making-{name}")


def publish(out: Path, edition: Edition) -> Path:
    """Publish an edition whose new pages lie in its staging folder; return its folder.

    Pages of the edition that are not there are carried over from the current one. The
    manifest is written last, then the folder gets its name, then ``current`` is switched.
    """
    staging = staging_folder(out, edition.name)
    for entry in edition.entries.values():
        if entry.file and not (staging / entry.file).is_file():
            _carry_over((out / "current" / entry.file).resolve(), staging / entry.file)
    write_whole(staging / INDEX, _make_index(edition))
    entries = [asdict(entry) for entry in edition.entries.values()]
    content = {"name": edition.name, "window": edition.window, "entries": entries}
    write_json(staging / MANIFEST, content)
    folder = out / "editions" / edition.name
    staging.rename(folder)
    _switch(out / "current", Path("editions") / edition.name)
    return folder


def remove_unfinished(out: Path) -> int:
    """Remove what a stopped run left behind; return how many."""
    left = list((out / "editions").glob(".making-*"))
    for folder in left:
        shutil.rmtree(folder)
    return len(left)


def _carry_over(page: Path, to: Path) -> None:
    try:
        os.link(page, to)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(page, to)


def _switch(link: Path, target: Path) -> None:
    """Point ``current`` at another edition in one step."""
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target, target_is_directory=True)
    fresh.replace(link)


def _make_index(edition: Edition) -> str:
    entries = sorted(
        edition.entries.values(),
        # What needs attention comes first.
        key=lambda entry: (entry.problem is None, natural_key(entry.classroom_id)),
    )
    page = render_block("index", edition=edition, entries=entries).html
    check_page(page)
    return page
