"""What an edition is, where it lies, and what it says of itself.

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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from analysis.files import digest_of
from analysis.rendering.staleness import Key

MANIFEST = "edition.json"
INDEX = "index.html"
CURRENT = "current"


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
