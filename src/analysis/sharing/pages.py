"""The published pages, as sharing sees them: whose they are, and their bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import UsageError
from analysis.rendering.edition import current_folder, read_edition

_DIGEST = re.compile(r"<[^<>]*\bdata-proof=[^<>]*\bdata-digest=\"(\w+)\"")


@dataclass(frozen=True)
class Page:
    """One published page.

    Parameters
    ----------
    kind
        Of the page: ``classroom``, ``student``, ``caseload``.
    page_id
        Whose it is: a classroom's, a student's or a coach's id.
    file
        Where it is.
    made_on
        UTC time it was made.
    problem
        Why it is not of today's data; ``None`` when all is well.
    name
        Of its file in a bundle, where that is another.
    """

    kind: str
    page_id: str
    file: Path
    made_on: str | None
    problem: str | None = None
    name: str = ""

    @property
    def shown_as(self) -> str:
        """The name of its file in a bundle."""
        return self.name or self.file.name


@dataclass(frozen=True)
class Published:
    """The edition that is shown.

    Parameters
    ----------
    name
        Of the edition.
    window
        Assessment window of its pages.
    pages
        By page id.
    """

    name: str
    window: str
    pages: dict[str, Page]


def read_published(folder: Path, kind: str, command: str) -> Published:
    """Return the shown edition's pages of one kind.

    Parameters
    ----------
    folder
        Where editions of this kind are published.
    kind
        Of the pages.
    command
        What makes them, to say where there are none.

    Raises
    ------
    UsageError
        Nothing is published there.
    """
    shown = current_folder(folder)
    edition = read_edition(shown)
    if shown is None or edition is None:
        raise UsageError(f"{folder} shows no pages to share.\nMake them first: {command}")
    pages = {
        page_id: Page(kind, page_id, shown / entry.file, entry.made_on, entry.problem)
        for page_id, entry in edition.entries.items()
        if entry.file is not None
    }
    return Published(edition.name, edition.window, pages)


def data_digest_of(page: Page) -> str:
    """Return the digest of the rows a page was made from, as the page says it."""
    told = _DIGEST.search(page.file.read_text(encoding="utf-8"))
    return told[1] if told else ""
