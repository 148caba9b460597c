"""The index of an edition: the page that leads to all others."""

from __future__ import annotations

from pathlib import Path

from analysis.files import natural_key
from analysis.rendering.edition import Edition, sheet_folder

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


def make_index(edition: Edition) -> str:
    """Return an edition's index; what needs attention comes first.

    Raises
    ------
    UnfitPageError
        The page would make a request or tell what it should not.
    """
    # Loaded when there is an index to make: a run that makes no page need not wait for it.
    from analysis.rendering.blocks import render_block
    from analysis.rendering.page import check_page

    entries = sorted(
        edition.entries.values(),
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
