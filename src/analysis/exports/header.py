"""Which row is the header, and which reader knows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import DataError
from analysis.exports.coded import as_texts
from analysis.exports.findings import name_some
from analysis.exports.names import clean_name
from analysis.exports.registry import Platform
from analysis.exports.table import Sheet, Table, build_table

LINES_SEARCHED = 40
"""Lines in which a header is looked for; the deepest one seen in real files is row 11."""


@dataclass(frozen=True)
class Recognised:
    """A table and the reader that knows it."""

    table: Table
    platform: Platform


def recognise(
    sheet: Sheet, platforms: Sequence[Platform], platform: str | None = None
) -> Recognised | None:
    """Return the table and its reader, or None where no header is known.

    The first platform, in the registry's order, that knows one of the first lines wins;
    own trackers come last, so that a line of a known export is never taken for one.
    """
    head = sheet.cells.head(LINES_SEARCHED).apply(as_texts)
    lines = [_names(line) for line in head.to_numpy(dtype=object)]
    for reader in platforms:
        if platform is not None and reader.key != platform:
            continue
        for row, names in zip(sheet.cells.index, lines, strict=False):
            if sum(bool(name) for name in names) >= 2 and reader.recognises(names):
                return Recognised(_build(sheet, int(row), reader), reader)
    return None


def refuse_unknown(sheet: Sheet) -> DataError:
    """Return the refusal of a table without a header this program knows."""
    cells = sheet.cells
    filled = cells.head(LINES_SEARCHED).notna().sum(axis=1)
    place = int(filled.argmax()) if len(cells) else 0
    widest = cells.index[place] if len(cells) else 1
    found = [name for name in _names(cells.iloc[place]) if name] if len(cells) else []
    return DataError(
        f"{sheet.findings.where}, row {widest}: no header of a known export was found. Columns "
        f"found: {', '.join(found[:30]) or 'none'}.\nName the columns (Student ID, Classroom, one "
        "per skill), or save a column map and give it with --map."
    )


def _build(sheet: Sheet, row: int, reader: Platform) -> Table:
    table = build_table(sheet, row)
    if not reader.preamble:
        above = any(any(_names(line)) for _, line in table.above.iterrows())
        if above:
            sheet.findings.note(
                f"the header was found in row {row}; the lines above it were set aside."
            )
        elif row > sheet.cells.index[0]:
            sheet.findings.note(f"the header was found in row {row}.")
    _refuse_ragged(table, own=reader.own)
    _refuse_facts(table)
    return table


def _refuse_facts(table: Table) -> None:
    """Say what a workbook knows of its cells and a value alone would hide."""
    sheet, findings = table.sheet, table.findings
    named: dict[str, list[str]] = {}
    for (row, place), fact in sorted(sheet.facts.items()):
        told = "header date" if row == table.header_row and fact == "date" else fact
        if row >= table.header_row:
            named.setdefault(told, []).append(f"{sheet.letters[place]}{row}")
    for fact, words in _FACTS_REFUSED.items():
        if fact in named:
            findings.fault(words.format(cells=name_some(named[fact])))
    findings.refuse_faults("Mend these cells in the workbook and import it again.")
    for fact, words in _FACTS_NOTED.items():
        if fact in named:
            findings.note(words.format(cells=name_some(named[fact])))


_FACTS_REFUSED = {
    "header date": "cells {cells} of the header are dates: a skill such as 1-2 was turned into "
    "one. Format the row as text and write the skills again",
    "formula": "cells {cells} hold a formula that was never calculated. Open the workbook in a "
    "spreadsheet program, save it, and import again",
}
_FACTS_NOTED = {
    "zeros": "cells {cells} are numbers shown with a leading zero; they were read as shown.",
    "digits": "cells {cells} hold numbers of more than 15 digits, of which a spreadsheet keeps "
    "15: do not trust these ids. Format the column as text.",
}


def _refuse_ragged(table: Table, *, own: bool) -> None:
    """Raise where rows have more or fewer fields than the header: cells would be shifted.

    A platform may leave empty fields off the end of a row; that is noted.
    """
    width = max((place for place, name in enumerate(table.names) if name), default=-1) + 1
    extra = table.cells.loc[:, width:]
    long = extra.notna() & (extra != "")
    for row in table.cells.index[long.any(axis=1)]:
        n_fields = int(np.flatnonzero(table.cells.loc[row].notna())[-1]) + 1
        table.findings.fault(f"{n_fields} fields, the header has {width}", row=row)
    cut = table.cells[width - 1].isna()
    for row in table.cells.index[cut]:
        line = table.cells.loc[row].dropna()
        if not own and line.iloc[-1] == "":
            table.findings.note(f"row {row} ends early, after an empty field; the rest is empty.")
        elif (line != "").sum() > 1:
            table.findings.fault(f"{len(line)} fields, the header has {width}", row=row)
    table.findings.refuse_faults(
        "Put names that hold a comma in quotation marks, or export again: the file may be cut."
    )


def _names(line: Iterable[object]) -> list[str]:
    return [clean_name(cell) if isinstance(cell, str) else "" for cell in line]
