"""Workbooks to sheets of text cells: XLSX by our own reader, older kinds in a process apart."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from analysis.errors import DataError
from analysis.exports.findings import Findings, name_rows, name_some
from analysis.exports.sources import Source, is_workbook, open_zip
from analysis.exports.table import Sheet
from analysis.exports.xlsx import RawSheet, column_letters, read_xlsx

SECONDS = 60
"""Longest a workbook of an older kind may take."""

FAR_ROW = 10_000
"""A cell this far below the others is an accident of the spreadsheet, and is said."""


def open_workbook(source: Source) -> Iterator[Sheet]:
    """Yield the visible sheets of a workbook that hold something.

    Raises
    ------
    DataError
        It is damaged, protected by a password, too large, or empty.
    """
    sheets = _read_raw(source)
    written = [sheet for sheet in sheets if any(_texts(sheet))]
    if not written:
        raise DataError(f"{source.name}: the workbook is empty.\nExport it again.")
    hidden = [sheet.name for sheet in written if sheet.hidden]
    shown = [sheet for sheet in written if not sheet.hidden] or written
    for sheet in shown:
        made = _make_sheet(source, sheet, alone=len(shown) == 1)
        if hidden and len(hidden) < len(written):
            made.findings.note(f"hidden sheets were not read: {', '.join(hidden)}.")
        yield made


def _read_raw(source: Source) -> list[RawSheet]:
    if source.data.startswith(b"PK"):
        archive = open_zip(source)
        if "xl/workbook.xml" in {name.casefold() for name in archive.namelist()}:
            return read_xlsx(archive, source.name)
        if not is_workbook(archive):
            raise DataError(f"{source.name}: is no workbook.\nExport it again.")
    if "EncryptedPackage".encode("utf-16-le") in source.data:
        raise DataError(f"{source.name}: is protected by a password.\nSave it without one.")
    return _read_apart(source)


def _read_apart(source: Source) -> list[RawSheet]:
    """Return the sheets as the native reader sees them, run under limits."""
    child = Path(__file__).with_name("workbook_child.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"book{source.ending or '.xls'}"
        path.write_bytes(source.data)
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(child), str(path)],
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DataError(f"{source.name}: takes too long to read.\nSave it as CSV.") from None
    if done.returncode != 0:
        if b"Password" in done.stderr:
            raise DataError(f"{source.name}: is protected by a password.\nSave it without one.")
        raise DataError(
            f"{source.name}: the workbook is damaged or not a workbook.\nExport it again."
        )
    sheets = []
    for entry in json.loads(done.stdout):
        sheet = RawSheet(entry["name"], entry["hidden"], merged=[tuple(m) for m in entry["merged"]])
        for row, column, text, fact in entry["cells"]:
            sheet.cells.setdefault(row, {})[column] = text
            if fact:
                sheet.facts[row, column] = fact
        sheets.append(sheet)
    return sheets


def _texts(sheet: RawSheet) -> Iterator[str]:
    for row in sheet.cells.values():
        for text in row.values():
            if text.strip():
                yield text
    yield from (fact for fact in sheet.facts.values() if fact == "formula")


def _make_sheet(source: Source, raw: RawSheet, *, alone: bool) -> Sheet:
    findings = Findings(source.name, None if alone else raw.name)
    if source.ending in {".csv", ".txt", ".tsv", ".tab"}:
        findings.note(
            "the file is an Excel workbook although its name says CSV; it was read as one."
        )
    _note_far(raw, findings)
    _fill_merged(raw, findings)
    rows = sorted(
        row
        for row, cells in raw.cells.items()
        if any(text.strip() for text in cells.values()) or any((row, c) in raw.facts for c in cells)
    )
    columns = sorted({column for row in rows for column in raw.cells[row]})
    places = {column: place for place, column in enumerate(columns)}
    grid = [[raw.cells[row].get(column, "") for column in columns] for row in rows]
    cells = pd.DataFrame(grid, columns=range(len(columns)), index=pd.Index(rows), dtype="str")
    _note_hidden(raw, findings, rows, columns)
    facts = {
        (row, places[column]): fact for (row, column), fact in raw.facts.items() if column in places
    }
    letters = [column_letters(column) for column in columns]
    return Sheet(findings, cells, facts=facts, letters=letters)


def _note_far(raw: RawSheet, findings: Findings) -> None:
    rows = sorted(raw.cells)
    gaps = [(below, above) for above, below in itertools.pairwise(rows) if below - above > FAR_ROW]
    for below, above in gaps:
        written = any(text.strip() for text in raw.cells[below].values())
        what = "something is written" if written else "a cell holds only a space"
        findings.note(
            f"far below the table, in row {below}, {what}; nothing stands between it and "
            f"row {above}."
        )


def _fill_merged(raw: RawSheet, findings: Findings) -> None:
    """Give each row of a merged cell its value; a heading merged over columns stays as it is."""
    filled = []
    for top, left, bottom, right in raw.merged:
        text = raw.cells.get(top, {}).get(left, "")
        if bottom > top and left == right and bottom - top < FAR_ROW and text.strip():
            for row in range(top + 1, bottom + 1):
                if row in raw.cells:
                    raw.cells[row].setdefault(left, text)
            letters = column_letters(left)
            filled.append(f"{letters}{top}:{letters}{bottom}")
    if filled:
        findings.note(
            f"merged cells were read as one value for each of their rows: {name_some(filled)}."
        )


def _note_hidden(raw: RawSheet, findings: Findings, rows: list[int], columns: list[int]) -> None:
    hidden_rows = sorted(set(raw.hidden_rows) & set(rows))
    if hidden_rows:
        findings.note(
            f"{name_rows(hidden_rows)} are hidden in the sheet; they were read all the same."
        )
    hidden = [column_letters(column) for column in columns if column in set(raw.hidden_columns)]
    if hidden:
        findings.note(
            f"columns {name_some(hidden)} are hidden in the sheet; they were read all the same."
        )
