"""A table of text cells: where its header is, what stands above it, which rows are data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.exports.coded import as_texts, codes_of, list_texts, no_texts, trim
from analysis.exports.findings import Findings
from analysis.exports.names import clean_name, find_role, key_name


@dataclass
class Sheet:
    """One sheet as it came: text cells, rows indexed by their number from 1.

    ``letters`` are a workbook's names of the columns. ``facts`` holds what a workbook knows
    of a cell beyond its text, by row number and
    column place: ``date``, ``formula``, ``digits`` (more than a spreadsheet keeps), ``zeros``.
    """

    findings: Findings
    cells: pd.DataFrame
    separator: str | None = None
    facts: dict[tuple[int, int], str] = field(default_factory=dict)
    letters: list[str] = field(default_factory=list)

    @property
    def file(self) -> str:
        """Name of the file, without its folder."""
        return self.findings.file

    @property
    def sheet(self) -> str | None:
        """Name of the sheet in a workbook."""
        return self.findings.sheet


@dataclass
class Table:
    """A sheet whose header has been found.

    ``names`` are the header's cells, cleaned; ``cells`` the rows below it, column places
    as labels and sheet rows as index; ``above`` the lines over the header.
    """

    sheet: Sheet
    header_row: int
    names: list[str]
    cells: pd.DataFrame
    above: pd.DataFrame
    _trimmed: dict[int, pd.Series] = field(default_factory=dict, repr=False)

    @property
    def findings(self) -> Findings:
        """What is to be said of this table."""
        return self.sheet.findings

    @property
    def rows(self) -> np.ndarray:
        """Sheet row number of each data row."""
        return self.cells.index.to_numpy()

    def place(self, name: str) -> int | None:
        """Return the place of the column with this name, compared by letters and digits."""
        wanted = key_name(name)
        for place, other in enumerate(self.names):
            if key_name(other) == wanted:
                return place
        return None

    def role(self, role: str) -> int | None:
        """Return the place of the column that plays a role."""
        return find_role(self.names, role)

    def text(self, column: str | int | list[str] | None) -> pd.Series:
        """Return a column's cells, trimmed; an empty cell is missing, an absent column empty.

        Of several names the first that is there is taken.
        """
        if isinstance(column, (str, list)):
            names = [column] if isinstance(column, str) else column
            places = (self.place(name) for name in names)
            column = next((place for place in places if place is not None), None)
        if column is None:
            return no_texts(self.cells.index, coded=self.is_coded)
        if column not in self._trimmed:
            texts: pd.Series = self.cells[column]
            self._trimmed[column] = trim(texts)
        return self._trimmed[column]

    def put(self, place: int, texts: pd.Series, name: str | None = None) -> Table:
        """Return the table with other cells in a column; a new place needs a name."""
        names = self.names if name is None else [*self.names, name]
        cells = self.cells.copy()
        cells[place] = texts
        return Table(self.sheet, self.header_row, names, cells, self.above)

    @property
    def is_coded(self) -> bool:
        """Whether the columns are categorical, as those of a large file are."""
        return any(isinstance(kind, pd.CategoricalDtype) for kind in self.cells.dtypes)

    def plain(self) -> Table:
        """Return the table with plain text in place of coded columns."""
        if not self.is_coded:
            return self
        cells = self.cells.apply(as_texts)
        return Table(self.sheet, self.header_row, self.names, cells, self.above)

    def keep(self, rows: np.ndarray | pd.Series) -> Table:
        """Return the table with the rows where ``rows`` is true."""
        rows = np.asarray(rows, dtype=bool)
        if rows.all():
            return self
        kept = self.cells[rows]
        return Table(self.sheet, self.header_row, self.names, kept, self.above)


def build_table(sheet: Sheet, header_row: int) -> Table:
    """Return the table whose header is the given row; blank rows and columns are left out."""
    names = [
        clean_name(name) if isinstance(name, str) else "" for name in sheet.cells.loc[header_row]
    ]
    body = sheet.cells.loc[header_row + 1 :]
    names, body = _join_second_header(names, body, sheet.findings)
    above = sheet.cells.loc[: header_row - 1]
    return Table(sheet, header_row, names, drop_blank_rows(body), above)


def _join_second_header(
    names: list[str], body: pd.DataFrame, findings: Findings
) -> tuple[list[str], pd.DataFrame]:
    """Return joined names where a second header row names the parts of merged headings."""
    if not len(body):
        return names, body
    below = [clean_name(cell) if isinstance(cell, str) else "" for cell in body.iloc[0]]
    last = max((place for place, name in enumerate(names) if name), default=0)
    under_gaps = any(text and not name for text, name in zip(below, names, strict=True))
    words = [text for text in below if text and not text.replace(".", "").isdecimal()]
    id_place = find_role(names, "student_id")
    free = id_place is None or not below[id_place]
    if not (under_gaps and free and len(words) >= 2 and not below[0] and last >= 2):
        return names, body
    joined, group = [], ""
    for name, text in zip(names, below, strict=True):
        group = name or group
        joined.append(f"{group} {text}".strip() if text else name)
    findings.note(f"the header has two rows; they were joined, as in {joined[-1]}.")
    return joined, body.iloc[1:]


def drop_blank_rows(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in which something is written."""
    blank = np.ones(len(cells), dtype=bool)
    for place in cells.columns:
        if not blank.any():
            return cells
        blank &= _is_blank(cells[place])
    return cells[~blank]


def _is_blank(texts: pd.Series) -> np.ndarray:
    codes, unique = codes_of(texts)
    empty = [not text.strip() for text in list_texts(unique)]
    return np.append(np.asarray(empty, dtype=bool), True).take(codes)
