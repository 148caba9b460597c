"""Tables that a spreadsheet would evaluate: formulas and links in CSV and XLSX."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from html import unescape

from analysis.audit.findings import Leak

STARTS = ("=", "+", "-", "@", "\t", "\r", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell starts with that a spreadsheet may evaluate (OWASP ASVS 1.2.10), also full width."""

_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)?%?")


def would_be_evaluated(cell: str) -> bool:
    """Say whether a spreadsheet may take a cell's text for a formula; a number is none.

    Examples
    --------
    >>> [would_be_evaluated(cell) for cell in ("=1+1", "@sum", "-3.5", "Ana", "+49 1")]
    [True, True, False, False, True]
    """
    stripped = cell.lstrip(" \ufeff")
    return stripped.startswith(STARTS) and not _NUMBER.fullmatch(stripped)


def leaks_in_csv(text: str, delimiter: str = ",") -> list[tuple[Leak, str]]:
    """Return the cells of a CSV text that would be evaluated, and a row that cannot be read."""
    found = []
    try:
        for r, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            found += [
                (Leak.FORMULA, f"row {r}, column {c}")
                for c, cell in enumerate(row, 1)
                if would_be_evaluated(cell)
            ]
    except csv.Error:
        found.append((Leak.UNREADABLE, "not a whole CSV file"))
    return found


def read_workbook(package: zipfile.ZipFile) -> tuple[str, list[tuple[Leak, str]]]:
    """Return all text of an XLSX file, and what in it would run, ask or hide.

    Parameters
    ----------
    package
        Opened, its sizes checked.
    """
    said, found = [], []
    for name in package.namelist():
        if "vbaproject" in name.lower():
            found.append((Leak.SCRIPT, name))
        if not name.endswith((".xml", ".rels", ".vml")):
            continue
        content = package.read(name).decode("utf-8", "replace")
        if re.search(r"<(?:\w+:)?f[ >/]", content) and "/worksheets/" in name:
            found.append((Leak.FORMULA, name))
        if 'TargetMode="External"' in content or "externalLink" in name:
            found.append((Leak.REQUEST, name))
        if re.search(r"\bstate=\"(?:very)?[hH]idden\"|<(?:row|col)[^>]*\bhidden=\"(?:1|true)\"",
                     content):  # fmt: skip
            found.append((Leak.HIDDEN, name))
        values = re.findall(r">([^<>]+)<", content)
        said.append("\n".join(unescape(value) for value in values))
    return "\n".join(said), found
