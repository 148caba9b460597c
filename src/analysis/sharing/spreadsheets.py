"""Tables for spreadsheets, in which nothing is ever evaluated."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from analysis.audit.sheets import would_be_evaluated

LONGEST_CELL = 32_767
"""Characters Excel keeps in one cell."""

MADE = datetime(2000, 1, 1)
"""Stands in every workbook as the time it was made, so that the same groups give the same
bytes and the file does not tell when somebody was at work."""

Rows = Sequence[Sequence[str]]


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet evaluates: an apostrophe before what would be.

    The rule of OWASP's ASVS 1.2.10; control characters, which end or split a cell, become
    spaces.

    Examples
    --------
    >>> safe_cell("=HYPERLINK(1)"), safe_cell("Ana Ruiz"), safe_cell("-3")
    ("'=HYPERLINK(1)", 'Ana Ruiz', '-3')
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = plain[: LONGEST_CELL - 1]
    return f"'{plain}" if would_be_evaluated(text) or would_be_evaluated(plain) else plain


def to_csv(columns: Sequence[str], rows: Rows, *, bom: bool = False) -> bytes:
    """Return a CSV file in UTF-8.

    Parameters
    ----------
    columns, rows
        Texts; each is made safe.
    bom
        Whether it begins with a byte-order mark, without which Excel misreads names;
        programs that import want none.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerows([safe_cell(cell) for cell in row] for row in [columns, *rows])
    return written.getvalue().encode("utf-8-sig" if bom else "utf-8")


def to_xlsx(columns: Sequence[str], rows: Rows, *, sheet: str) -> bytes:
    """Return a workbook of one sheet, every cell of it text.

    Parameters
    ----------
    columns, rows
        Texts. Nothing is prefixed: a text cell is not evaluated.
    sheet
        Name of the sheet.
    """
    import xlsxwriter

    written = io.BytesIO()
    book = xlsxwriter.Workbook(
        written,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"created": MADE})
    table = book.add_worksheet(sheet)
    bold = book.add_format({"bold": True, "bottom": 1})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    for r, row in enumerate([columns, *rows]):
        for c, cell in enumerate(row):
            table.write_string(r, c, _printable(cell), text if r else bold)
    for c, column in enumerate(columns):
        longest = max([len(column), *(len(row[c]) for row in rows)], default=0)
        table.set_column(c, c, min(longest + 2, 50))
    table.freeze_panes(1, 0)
    table.repeat_rows(0)
    table.fit_to_pages(1, 0)
    book.close()
    return written.getvalue()


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST_CELL]
