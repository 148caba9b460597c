"""What an import has to say: rows set aside, notes, faults, and where each of them is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from analysis.errors import DataError

MOST_EXAMPLES = 5
"""Places named in one note; the others are counted."""


NO_CLASSROOM = "the student is on no roster and the row names no classroom"
NO_ROSTER = "the student is on no roster"
NO_ITEM = "its item is in no Q-matrix"
WAITING = frozenset({NO_CLASSROOM, NO_ROSTER, NO_ITEM})
"""Reasons for which a row can be used as soon as a roster or the items are known."""


@dataclass(frozen=True)
class SetAside:
    """One row of a file that was read and not used, and how to mend it."""

    file: str
    row: int
    reason: str
    mend: str
    column: str | None = None
    sheet: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry for the summary, without what it does not have."""
        entry = {"file": self.file, "sheet": self.sheet, "row": self.row, "column": self.column}
        entry |= {"reason": self.reason, "mend": self.mend}
        return {key: value for key, value in entry.items() if value is not None}


@dataclass
class Findings:
    """Collects what is to be said of one table while it is read.

    Parameters
    ----------
    file, sheet
        The file's name without its folder, and the sheet of a workbook.

    Examples
    --------
    >>> findings = Findings("scores.csv")
    >>> findings.fault("score 8500 is over 100", row=6, column="3.NF.2")
    >>> findings.faults
    ["scores.csv, row 6, column '3.NF.2': score 8500 is over 100"]
    """

    file: str
    sheet: str | None = None
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    set_aside: dict[int, SetAside] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The file, and the sheet where there is one."""
        return f"{self.file}, sheet {self.sheet!r}" if self.sheet else self.file

    def note(self, text: str) -> None:
        """Say something that changes nothing but should be known."""
        said = f"{self.where}: {text}"
        if said not in self.notes:
            self.notes.append(said)

    def fault(self, text: str, *, row: int | None = None, column: str | None = None) -> None:
        """Say something for which the file must be refused."""
        place = self.where
        place += f", row {row}" if row is not None else ""
        place += f", column {column!r}" if column else ""
        self.faults.append(f"{place}: {text}")

    def put_aside(
        self, rows: Iterable[int], reason: str, mend: str, column: str | None = None
    ) -> None:
        """Set rows aside; of several reasons for one row the first stays."""
        for row in rows:
            entry = SetAside(self.file, int(row), reason, mend, column, self.sheet)
            self.set_aside.setdefault(int(row), entry)

    def refuse_faults(self, mend: str) -> None:
        """Raise everything that was found wrong, at most five faults in words."""
        if self.faults:
            raise DataError.of_faults(f"{self.where} cannot be used", self.faults, mend)


def name_rows(rows: Iterable[int]) -> str:
    """Return rows in words, five at most.

    Examples
    --------
    >>> name_rows([3])
    'row 3'
    >>> name_rows(range(2, 12))
    'rows 2, 3, 4, 5, 6 and 5 more'
    """
    rows = sorted({int(row) for row in rows})
    if len(rows) == 1:
        return f"row {rows[0]}"
    return "rows " + name_some(rows)


def name_some(things: Iterable[object]) -> str:
    """Return things in words, five at most.

    Examples
    --------
    >>> name_some(["7A", "7B"])
    '7A, 7B'
    """
    things = list(things)
    more = len(things) - MOST_EXAMPLES
    shown = ", ".join(str(thing) for thing in things[:MOST_EXAMPLES])
    return f"{shown} and {more} more" if more > 0 else shown
