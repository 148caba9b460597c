"""No other classroom's student on a page: looked for by id and by name before publishing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from html import unescape
from pathlib import Path

import pandas as pd

from analysis.rendering.edition import sheet_file, sheet_folder
from analysis.rendering.proof import WrongPageError

WORD = re.compile(r"\w+")

SHORTEST_ID = 5
"""Characters from which an id is looked for; a shorter one may be any number on the page."""


class Strangers:
    """Everybody on the rosters, ready to be looked for in a page that is not theirs.

    Parameters
    ----------
    roster
        Of all classrooms (:data:`analysis.tables.ROSTER`).

    Examples
    --------
    >>> roster = pd.DataFrame({"student_id": ["00417", "00418"], "classroom_id": ["7A", "7B"],
    ...                        "display_name": ["Ana Ruiz", "Bo Li"], "teacher": None})
    >>> Strangers(roster).found_in("<li>Ana Ruiz</li><li>Bo Li</li>", ["7A"])
    ['00418']
    """

    def __init__(self, roster: pd.DataFrame):
        columns = ["student_id", "classroom_id", "display_name", "teacher"]
        rows = roster[columns].astype(object).where(roster[columns].notna(), None)
        self._known: dict[str, set[str]] = defaultdict(set)
        self._said: dict[str, set[str]] = defaultdict(set)
        self._starting: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for student_id, classroom_id, name, teacher in rows.itertuples(index=False):
            self._known[classroom_id].add(student_id)
            self._said[classroom_id] |= {name or "", teacher or ""}
            if len(student_id) >= SHORTEST_ID:
                self._add(student_id, student_id)
            # One word may be any word of the page: "May", "Rose".
            if name and len(WORD.findall(name)) > 1:
                self._add(name, student_id)

    def found_in(self, text: str, classroom_ids: Collection[str]) -> list[str]:
        """Return the ids of other classrooms' students whose id or name is in a text.

        A name that also is, or is part of, a name said in these classrooms is no stranger's.
        """
        text = unescape(text)
        here = set().union(*(self._said[one] for one in classroom_ids))
        known = set().union(*(self._known[one] for one in classroom_ids))
        found = set()
        for match in WORD.finditer(text):
            for said, student_id in self._starting.get(match.group(), ()):
                if student_id in known or student_id in found:
                    continue
                if self._stands_at(text, match.start(), said) and not _is_part_of(said, here):
                    found.add(student_id)
        return sorted(found)

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

    def _add(self, said: str, student_id: str) -> None:
        first = WORD.search(said)
        if first:
            self._starting[first.group()].add((said[first.start() :], student_id))

    @staticmethod
    def _stands_at(text: str, start: int, said: str) -> bool:
        end = start + len(said)
        return text.startswith(said, start) and not WORD.match(text[end : end + 1])


class SheetStrangers:
    """Everybody, ready to be looked for in a page that is one student's alone.

    Parameters
    ----------
    roster
        Of all classrooms (:data:`analysis.tables.ROSTER`).
    """

    def __init__(self, roster: pd.DataFrame):
        self._roster = roster[["student_id", "classroom_id"]]
        # To everybody else a student is as a stranger from another classroom.
        self._others = Strangers(roster.assign(classroom_id=roster["student_id"]))

    def check(self, page: Path, classroom_ids: Collection[str]) -> None:
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
        here = self._roster["classroom_id"].isin(classroom_ids)
        wanted = {sheet_file(page, one): one for one in self._roster.loc[here, "student_id"]}
        if {*sheet_folder(page).iterdir()} != wanted.keys():
            raise WrongPageError("There is not one page for each student. None was published.")
        shown = [
            file
            for file, student_id in wanted.items()
            if self._others.found_in(file.read_text(encoding="utf-8"), [student_id])
        ]
        if shown:
            raise WrongPageError(
                f"{len(shown)} students' own pages show another student. None was published."
            )


def _is_part_of(said: str, names: set[str]) -> bool:
    return any(said in name for name in names)
