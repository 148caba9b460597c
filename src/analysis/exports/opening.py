"""A file's bytes to its sheets of text cells, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.errors import DataError
from analysis.exports.findings import Findings
from analysis.exports.frameworks import open_package
from analysis.exports.html_tables import read_html_tables
from analysis.exports.sources import Source, kind_of
from analysis.exports.table import Sheet
from analysis.exports.text import decode, split_lines, split_regular
from analysis.exports.workbook import open_workbook

LINES_SEARCHED = 1000
WORKBOOK_ENDINGS = {".xlsx", ".xls", ".xlsm", ".ods", ".xlsb"}


def open_source(source: Source) -> Iterator[Sheet]:
    """Yield the sheets of a file.

    Raises
    ------
    DataError
        The file is damaged or holds no table.
    """
    kind = kind_of(source.data)
    if kind in ("ole", "zip"):
        yield from open_workbook(source)
    elif kind == "json":
        yield from open_package(source.name, decode(source.data, Findings(source.name)))
    elif kind == "html":
        yield from _open_html(source)
    else:
        yield _open_text(source)


def _open_text(source: Source) -> Sheet:
    findings = Findings(source.name)
    regular = split_regular(source.data)
    cells, separator = regular or split_lines(decode(source.data, findings), findings)
    if source.ending in WORKBOOK_ENDINGS:
        findings.note("the file is CSV text although its name says workbook; it was read as CSV.")
    if not len(cells) or not cells.head(LINES_SEARCHED).notna().to_numpy().any():
        raise DataError(f"{source.name}: the file is empty.\nExport it again.")
    return Sheet(findings, cells, separator)


def _open_html(source: Source) -> Iterator[Sheet]:
    findings = Findings(source.name)
    tables = read_html_tables(decode(source.data, findings))
    tables = [table for table in tables if len(table) > 1]
    if not tables:
        raise DataError(f"{source.name}: is a web page without a table.\nExport it as CSV.")
    for number, table in enumerate(tables, 1):
        width = max(len(row) for row in table)
        padded = [row + [""] * (width - len(row)) for row in table]
        cells = pd.DataFrame(padded, columns=range(width), dtype="str")
        cells.index = pd.RangeIndex(1, len(cells) + 1)
        name = f"table {number}" if len(tables) > 1 else None
        sheet = Sheet(Findings(source.name, name, notes=list(findings.notes)), cells)
        sheet.findings.note("the file is an HTML web page; its table was read.")
        yield sheet
