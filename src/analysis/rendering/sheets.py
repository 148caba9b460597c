"""One executed notebook as many pages: each student's sheet alone, for that student to have.

A notebook that shows a sheet a student marks each with its ``student_id``. The page of all
sheets is for printing; here the same sheets become a page each, in a folder beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from analysis.files import make_private_folder, write_whole
from analysis.language import Language
from analysis.rendering.edition import sheet_file, sheet_folder
from analysis.rendering.page import make_page
from analysis.rendering.proof import WrongPageError

MARK = "student_id"
"""In the metadata of an output's HTML: whose sheet it is."""


def list_sheets(executed: NotebookNode) -> dict[str, NotebookNode]:
    """Return the outputs that are a student's sheet, by student.

    Raises
    ------
    WrongPageError
        A student has two sheets.
    """
    found: dict[str, NotebookNode] = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            student_id = output.get("metadata", {}).get("text/html", {}).get(MARK)
            if student_id is None:
                continue
            if student_id in found:
                raise WrongPageError("A student has more than one sheet. It was not published.")
            found[student_id] = output
    return found


def make_sheet(executed: NotebookNode, student_id: str, *, title: str, language: Language) -> str:
    """Return the page of one student: the student's sheet and nothing else.

    Parameters
    ----------
    executed
        With the sheets of all.
    student_id
        Whose page.
    title, language
        Of the page.

    Raises
    ------
    UnfitPageError
        As in :func:`analysis.rendering.page.make_page`.
    WrongPageError
        The page holds another student's sheet, or none.
    """
    output = list_sheets(executed)[student_id]
    cell = nbformat.v4.new_code_cell(id="sheet", outputs=[output])
    alone = nbformat.v4.new_notebook(metadata=executed.metadata, cells=[cell])
    page = make_page(alone, title=title, language=language)
    check_sheets(page, [student_id])
    return page


def check_sheets(page: str, student_ids: Iterable[str]) -> None:
    """Stop a page that does not hold exactly the sheets it should.

    Raises
    ------
    WrongPageError
        With counts; the ids stay out of messages and logs.
    """
    reader = _SheetReader()
    reader.feed(page)
    wanted = sorted(student_ids)
    if sorted(reader.found) != wanted:
        raise WrongPageError(
            f"A page holds {len(reader.found)} sheets where {len(wanted)} others belong. "
            "It was not published."
        )


def keep_sheets(executed: Path, page: Path, *, title: str, language: Language) -> None:
    """Write each student's page into the folder beside the page of all.

    Parameters
    ----------
    executed
        The executed notebook.
    page
        The page of all sheets.
    title, language
        Of the pages.
    """
    notebook = nbformat.read(executed, as_version=4)
    sheets = list_sheets(notebook)
    check_sheets(page.read_text(encoding="utf-8"), sheets)
    folder = sheet_folder(page)
    shutil.rmtree(folder, ignore_errors=True)
    make_private_folder(folder)
    for student_id in sheets:
        made = make_sheet(notebook, student_id, title=title, language=language)
        write_whole(sheet_file(page, student_id), made)


class _SheetReader(HTMLParser):
    """Collects whose sheets a page holds."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "data-student-id" in given:
            self.found.append(given["data-student-id"] or "")
