"""Nobody on a page who does not belong there: looked for by id and by name before publishing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from html import unescape
from pathlib import Path
from typing import Any

from analysis.audit.markup import take_pictures_out
from analysis.audit.people import Audience, People
from analysis.audit.pictures import texts_in_picture
from analysis.rendering.edition import sheet_file, sheet_folder
from analysis.rendering.proof import WrongPageError


class Strangers(People):
    """Everybody on the rosters, ready to be looked for in a page that is not theirs.

    Parameters
    ----------
    roster
        Of all classrooms (:data:`analysis.tables.ROSTER`).
    """

    def found_in(self, text: str, classroom_ids: Collection[str]) -> list[str]:
        """Return the ids of other classrooms' students whose id or name is in a page.

        Also inside its pictures, where a drawing or a text chunk may hold a name. A name
        that also is, or is part of, a name said in these classrooms is no stranger's.
        """
        return self._found(text, Audience.of(classrooms=classroom_ids))

    def check(self, text: str, page_id: str, classroom_ids: Collection[str]) -> None:
        """Stop a page that shows another classroom's student.

        Raises
        ------
        WrongPageError
            With the count; the ids stay out of messages and logs.
        """
        if found := self.found_in(text, classroom_ids):
            raise WrongPageError(
                f"The page made for {page_id} shows {len(found)} students of "
                "other classrooms. It was not published."
            )

    def check_sheets(self, page: Path, classroom_ids: Collection[str]) -> None:
        """Stop where the sheets beside a page are not one a student, each with nobody else.

        Parameters
        ----------
        page
            The page of all sheets.
        classroom_ids
            Whose sheets they are.

        Raises
        ------
        WrongPageError
            With the count; the ids stay out of messages and logs.
        """
        here = set().union(*(self._students[one] for one in classroom_ids))
        wanted = {sheet_file(page, one): one for one in here}
        if {*sheet_folder(page).iterdir()} != wanted.keys():
            raise WrongPageError("There is not one page for each student. None was published.")
        shown = [
            file
            for file, student_id in wanted.items()
            if self._found(file.read_text("utf-8"), Audience.of(students=[student_id]))
        ]
        if shown:
            raise WrongPageError(
                f"{len(shown)} students' own pages show another student. None was published."
            )

    def _found(self, page: str, audience: Audience) -> list[str]:
        text, pictures = take_pictures_out(page)
        inside = [said for picture in pictures for said in texts_in_picture(picture)]
        return self.strangers_in("\n".join([unescape(text), *inside]), audience)


def texts_beside(notebook: str, page: str) -> str:
    r"""Return what an executed notebook holds that its page does not show.

    Parameters
    ----------
    notebook
        As it is kept.
    page
        Made from it; most of its parts stand there as they are.

    Examples
    --------
    >>> texts_beside('{"source": "code", "html": "<p>shown</p>"}', "<b><p>shown</p></b>")
    'source\ncode\nhtml'
    """
    return "\n".join(text for text in _texts_in(json.loads(notebook)) if not _shows(page, text))


def _shows(page: str, text: str) -> bool:
    """Tell whether a part of a notebook stands in its page, with no other words at its edges."""
    return text.startswith("<") and text.endswith((">", ">\n")) and text in page


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts_in(one)
