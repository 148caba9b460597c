"""Small counts on a page of sums: cells that are too small, and hidden ones a total gives away.

Looked for in the tables of pages that are about nobody by name. The suppression itself is
done before a page is made; this is the check that it was.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from analysis.audit.findings import Leak

SMALLEST_CELL = 10
"""Fewest students a published count may be of; the most common rule of US states (39)."""

COUNTS = re.compile(
    r"(?<![a-z])(?:students?|n|count|number|pupils|learners|estudiantes|alumnos|total)(?![a-z])",
    re.I,
)
NOT_COUNTS = re.compile(r"grade|grado|group|grupo|window|year|level|skill|%|share|mean|score", re.I)
HIDDEN = re.compile(r"(?:<|≤|less than|fewer than|menos de)\s*\d+|\*+|—|–|†|hidden|oculto", re.I)


def small_cells(page: str, smallest: int = SMALLEST_CELL) -> list[tuple[Leak, str]]:
    """Return the cells of a page's tables that are too small, or can be worked out.

    Parameters
    ----------
    page
        HTML.
    smallest
        Fewest students a count may be of. Zero is no small cell.

    Returns
    -------
    list of (Leak, str)
        ``SMALL_CELL`` for a count from 1 to below ``smallest``; ``SOLVABLE_CELL`` where one
        cell of a row or column with a total is hidden.

    Examples
    --------
    >>> small_cells("<table><tr><th>Students</th></tr><tr><td>4</td></tr></table>")
    [(<Leak.SMALL_CELL: 'a small cell'>, 'table 1, row 2, column 1')]
    """
    reader = _Tables()
    reader.feed(page)
    found = []
    for place, rows in enumerate(reader.tables, 1):
        found += _small_in(rows, f"table {place}", smallest)
        found += _solvable_in(rows, f"table {place}")
    return found


def _small_in(rows: list[list[Any]], where: str, smallest: int) -> list[tuple[Leak, str]]:
    heads = [cell.text for cell in rows[0]] if rows else []
    found = []
    for r, row in enumerate(rows, 1):
        for c, cell in enumerate(row, 1):
            head = heads[c - 1] if c <= len(heads) else ""
            line = row[0].text if row[0].is_head else ""
            counted = cell.is_number or COUNTS.search(head) or COUNTS.search(line)
            if cell.is_head or not counted or NOT_COUNTS.search(head):
                continue
            n = re.fullmatch(r"(\d+)(?:\s*(?:/|of|de)\s*\d+)?", cell.text)
            if n and 0 < int(n[1]) < smallest:
                found.append((Leak.SMALL_CELL, f"{where}, row {r}, column {c}"))
    return found


def _solvable_in(rows: list[list[Any]], where: str) -> list[tuple[Leak, str]]:
    found = []
    width = max(map(len, rows), default=0)
    columns = [[row[c] for row in rows if c < len(row)] for c in range(width)]
    heads = [row[0].text for row in rows if row], [cell.text for cell in rows[0]] if rows else []
    for kind, lines, other in (("row", rows, heads[1]), ("column", columns, heads[0])):
        if not any(re.fullmatch(r"total(?:es)?|all|todos|sum", one, re.I) for one in other):
            continue
        for place, line in enumerate(lines, 1):
            body = [cell for cell in line if not cell.is_head]
            if sum(bool(HIDDEN.fullmatch(cell.text)) for cell in body) == 1 and len(body) > 1:
                found.append((Leak.SOLVABLE_CELL, f"{where}, {kind} {place}"))
    return found


class _Cell:
    def __init__(self, *, is_head: bool, is_number: bool):
        self.is_head = is_head
        self.is_number = is_number
        self.text = ""


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[_Cell]]] = []
        self._cell: _Cell | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in {"td", "th"} and self.tables and self.tables[-1]:
            classes = (dict(attrs).get("class") or "").split()
            self._cell = _Cell(is_head=tag == "th", is_number="n" in classes)
            self.tables[-1][-1].append(self._cell)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.text = f"{self._cell.text} {data.strip()}".strip()
