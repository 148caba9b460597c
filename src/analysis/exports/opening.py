"""A file's bytes to its sheets of text cells, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.errors import DataError
from analysis.exports.findings import Findings
from analysis.exports.sources import (
    Source,
    kind_of,
    list_members,
    open_zip,
    refuse_unreadable,
)
from analysis.exports.table import Sheet
from analysis.exports.text import decode, split_lines


def open_source(source: Source) -> Iterator[Sheet]:
    """Yield the sheets of a file.

    Raises
    ------
    DataError
        The file is damaged or holds no table.
    """
    kind = kind_of(source.data)
    if kind == "zip":
        archive = open_zip(source)
        for member in list_members(source, archive):
            refuse_unreadable(member)
            yield from open_source(member)
    else:
        yield _open_text(source)


def _open_text(source: Source) -> Sheet:
    findings = Findings(source.name)
    text = decode(source.data, findings)
    cells, separator = split_lines(text, findings)
    if source.ending in {".xlsx", ".xls", ".xlsm", ".ods", ".xlsb"}:
        findings.note(
            "the file is CSV text although its name says it is a workbook; it was read as CSV."
        )
    if not cells.notna().to_numpy().any():
        raise DataError(f"{source.name}: the file is empty.\nExport it again.")
    return Sheet(findings, cells, separator)
