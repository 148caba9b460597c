"""Reads an XLS, XLSB or ODS workbook in a process of its own and prints its cells as JSON.

Run by its path, never imported: the native reader can abort or eat memory on a crafted
file, so it runs under limits where nothing else is lost.
"""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

MEMORY = 2 * 2**30


def limit() -> None:
    """Cap memory and processor time where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (50, 60))


def show(value: object) -> tuple[str, str | None]:
    """Return a cell's text and what is noteworthy about it."""
    if isinstance(value, bool):
        return str(value).upper(), None
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e18:
            text = str(int(value))
            return text, "digits" if len(text.lstrip("-")) > 15 else None
        return repr(value), None
    if isinstance(value, datetime.datetime):
        return value.date().isoformat(), "date"
    if isinstance(value, datetime.date):
        return value.isoformat(), "date"
    return str(value), None


def read(path: str) -> list[dict[str, Any]]:
    """Return the sheets of a workbook as plain values."""
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    book = CalamineWorkbook.from_path(path)
    sheets = []
    for meta in book.sheets_metadata:
        sheet = book.get_sheet_by_name(meta.name)
        top, left = sheet.start or (0, 0)
        cells = [
            (top + row + 1, left + column, *show(value))
            for row, line in enumerate(sheet.to_python(skip_empty_area=True))
            for column, value in enumerate(line)
            if value != ""
        ]
        hidden = meta.visible != SheetVisibleEnum.Visible
        merged = [[a + 1, b, c + 1, d] for (a, b), (c, d) in sheet.merged_cell_ranges or []]
        sheets.append({"name": meta.name, "hidden": hidden, "cells": cells, "merged": merged})
    return sheets


if __name__ == "__main__":
    limit()
    try:
        json.dump(read(sys.argv[1]), sys.stdout)
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}")
        sys.exit(9)
