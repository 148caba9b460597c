"""XLSX as text cells, streamed, with what a spreadsheet shows beyond the plain value.

Our own small reader of the sheet XML, because an import needs what value readers leave out:
a formula that was never calculated, an id shown as ``01001`` by its number format, a
percent, hidden and merged cells, the exact place of a cell. Only written cells take memory
(a cell in the last row costs nothing), and no entity is ever expanded.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from analysis.errors import DataError
from analysis.exports.number_formats import NumberFormat, read_formats
from analysis.exports.sources import read_member

MOST_CELLS = 6_000_000
"""Written cells of one sheet: a thousand students and a thousand items, six times."""

LONGEST_TEXT = 1 << 20
"""Characters of one cell; a spreadsheet itself stops at 32,767."""

MOST_SHARED = 64 * 2**20
"""Characters of all shared texts together."""


@dataclass
class RawSheet:
    """One sheet's written cells and what is noteworthy about them.

    ``cells`` maps row number (from 1) to column (from 0) to text; ``facts`` maps row and
    column to ``date``, ``formula``, ``digits`` or ``zeros``.
    """

    name: str
    hidden: bool = False
    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    facts: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)


def read_xlsx(archive: zipfile.ZipFile, where: str) -> list[RawSheet]:
    """Return the sheets of a workbook in their order.

    Raises
    ------
    DataError
        The workbook is damaged, cut, or holds entities.
    """
    names = {name.casefold(): name for name in archive.namelist()}

    def member(name: str) -> bytes | None:
        actual = names.get(name.casefold())
        return read_member(archive, actual, where) if actual else None

    book = member("xl/workbook.xml")
    if book is None:
        raise DataError(f"{where}: is no workbook with sheets, or is damaged.\nExport it again.")
    listed, epoch_1904 = _list_sheets(book, where)
    targets = _read_targets(member("xl/_rels/workbook.xml.rels") or b"", where)
    shared = _read_shared(member("xl/sharedStrings.xml") or b"", where)
    formats = read_formats(
        member("xl/styles.xml") or b"", epoch_1904, lambda data, *h: _parse(data, where, *h)
    )
    sheets = []
    for name, rel, hidden in listed:
        target = targets.get(rel, "").lstrip("/")
        data = member(target) or member(f"xl/{target}")
        if data is not None and "chartsheet" not in target:
            sheet = RawSheet(name, hidden)
            _SheetParser(sheet, shared, formats, where).parse(data)
            sheets.append(sheet)
    return sheets


def column_letters(column: int) -> str:
    """Return a column's letters.

    Examples
    --------
    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def read_reference(reference: str) -> tuple[int | None, int | None]:
    """Return row (from 1) and column (from 0) of a cell's name; None where it has none.

    Examples
    --------
    >>> read_reference("AB12")
    (12, 27)
    """
    match = re.fullmatch(r"\$?([A-Z]{0,3})\$?(\d*)", reference.upper())
    if not match:
        return None, None
    column = 0
    for letter in match.group(1):
        column = column * 26 + ord(letter) - 64
    row = int(match.group(2)) if match.group(2) else None
    return row, column - 1 if column else None


class _SheetParser:
    """Streams one sheet's XML into a :class:`RawSheet`."""

    def __init__(self, sheet: RawSheet, shared: list[str], formats: list[NumberFormat], where: str):
        self.sheet, self.shared, self.formats = sheet, shared, formats
        self.where = where
        self.row = self.column = 0
        self.n_cells = 0
        self.text: list[str] | None = None
        self.value = ""
        self.has_formula = False
        self.kind = self.style = ""

    def parse(self, data: bytes) -> None:
        _parse(
            data, f"{self.where}, sheet {self.sheet.name!r}", self.start, self.end, self.characters
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self._start_cell(attributes)
        elif tag in ("v", "t"):
            self.text = []
        elif tag == "f":
            self.has_formula = True
        elif tag == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = -1
            if attributes.get("hidden") in ("1", "true"):
                self.sheet.hidden_rows.append(self.row)
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes["min"]) - 1, int(attributes["max"])
            self.sheet.hidden_columns += range(first, min(last, first + 200))
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def end(self, tag: str) -> None:
        if tag in ("v", "t") and self.text is not None:
            self.value += "".join(self.text)
            self.text = None
        elif tag == "rPh":
            self.value = ""
        elif tag == "c":
            self._end_cell()

    def characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)
            if len(self.text) > LONGEST_TEXT:
                raise DataError(f"{self.where}: a cell is too long to be a text.\nExport it again.")

    def _start_cell(self, attributes: dict[str, str]) -> None:
        row, column = read_reference(attributes.get("r", ""))
        self.row = row or self.row
        self.column = self.column + 1 if column is None else column
        self.kind = attributes.get("t", "n")
        self.style = attributes.get("s", "")
        self.value, self.has_formula = "", False

    def _end_cell(self) -> None:
        if not self.value and not self.has_formula:
            return
        self.n_cells += 1
        if self.n_cells > MOST_CELLS:
            raise DataError(
                f"{self.where}: more than {MOST_CELLS:,} cells.\nExport fewer rows, or as CSV."
            )
        text, fact = self._read()
        if fact:
            self.sheet.facts[self.row, self.column] = fact
        self.sheet.cells.setdefault(self.row, {})[self.column] = text

    def _read(self) -> tuple[str, str | None]:
        value = self.value
        if self.kind == "s":
            return self._shared(value), None
        if self.kind in ("inlineStr", "str"):
            return value, None
        if self.kind == "b":
            return ("TRUE" if value.strip() == "1" else "FALSE"), None
        if self.kind in ("e", "d"):
            return value, "date" if self.kind == "d" else None
        if not value.strip():
            return "", "formula" if self.has_formula else None
        place = int(self.style) if self.style.isdecimal() else 0
        return self.formats[place if place < len(self.formats) else 0].show(value)

    def _shared(self, value: str) -> str:
        place = int(value) if value.strip().isdecimal() else -1
        if not 0 <= place < len(self.shared):
            raise DataError(
                f"{self.where}: the workbook is damaged (texts missing).\nExport it again."
            )
        return self.shared[place]

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        (top, left), (bottom, right) = read_reference(first), read_reference(last or first)
        if top is None or left is None or bottom is None or right is None:
            return
        self.sheet.merged.append((top, left, bottom, right))


def _parse(
    data: bytes,
    where: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    characters: Callable[[str], None],
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, attributes: start(
        tag.rpartition(" ")[2],
        {name.rpartition(" ")[2]: value for name, value in attributes.items()},
    )
    parser.EndElementHandler = lambda tag: end(tag.rpartition(" ")[2])
    parser.CharacterDataHandler = characters

    def refuse(*_: object) -> None:
        raise DataError(
            f"{where}: the workbook is damaged or was made to do harm (it defines entities).\n"
            "Save the table alone as CSV."
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, OverflowError, KeyError):
        raise DataError(f"{where}: the workbook is damaged or was cut.\nExport it again.") from None


def _list_sheets(data: bytes, where: str) -> tuple[list[tuple[str, str, bool]], bool]:
    sheets: list[tuple[str, str, bool]] = []
    epoch: list[bool] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            hidden = attributes.get("state", "visible") != "visible"
            sheets.append((attributes.get("name", ""), attributes.get("id", ""), hidden))
        elif tag == "workbookPr":
            epoch.append(attributes.get("date1904") in ("1", "true"))

    _parse(data, where, start, lambda tag: None, lambda text: None)
    return sheets, any(epoch)


def _read_targets(data: bytes, where: str) -> dict[str, str]:
    targets: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    if data:
        _parse(data, where, start, lambda tag: None, lambda text: None)
    return targets


def _read_shared(data: bytes, where: str) -> list[str]:
    texts: list[str] = []
    parts: list[str] = []
    state = {"inside": False, "phonetic": False, "size": 0}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "si":
            parts.clear()
        elif tag == "rPh":
            state["phonetic"] = True
        state["inside"] = tag == "t" and not state["phonetic"]

    def end(tag: str) -> None:
        state["inside"] = False
        if tag == "rPh":
            state["phonetic"] = False
        elif tag == "si":
            texts.append("".join(parts))

    def characters(text: str) -> None:
        if state["inside"]:
            state["size"] += len(text)
            if state["size"] > MOST_SHARED:
                raise DataError(
                    f"{where}: its texts are larger than any export's.\nSave it as CSV."
                )
            parts.append(text)

    if data:
        _parse(data, where, start, end, characters)
    return texts
