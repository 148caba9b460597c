"""HTML tables, as many school systems' “Excel” exports are."""

from __future__ import annotations

from html.parser import HTMLParser

MOST_CELLS = 2_000_000


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.cell: list[str] | None = None
        self.ignored = 0
        self.n_cells = 0
        self.span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self.ignored += 1
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self._close_cell()
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables:
            self._close_cell()
            span = dict(attrs).get("colspan") or "1"
            self.span = min(int(span), 1000) if span.isdecimal() else 1
            self.cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.ignored = max(0, self.ignored - 1)
        elif tag in ("td", "th", "tr", "table"):
            self._close_cell()

    def handle_data(self, data: str) -> None:
        if self.cell is not None and not self.ignored:
            self.cell.append(data)

    def _close_cell(self) -> None:
        if self.cell is None or not self.tables:
            return
        if not self.tables[-1]:
            self.tables[-1].append([])
        self.n_cells += 1
        if self.n_cells <= MOST_CELLS:
            self.tables[-1][-1] += [" ".join("".join(self.cell).split()), *[""] * (self.span - 1)]
        self.cell = None


def read_html_tables(text: str) -> list[list[list[str]]]:
    """Return the cells of each table of a page; scripts are never run nor read.

    Examples
    --------
    >>> read_html_tables("<table><tr><th>ID<th>3.NF.1<tr><td>01<td>85</table>")
    [[['ID', '3.NF.1'], ['01', '85']]]
    """
    parser = _Tables()
    parser.feed(text)
    parser.close()
    parser._close_cell()
    return [rows for table in parser.tables if (rows := [row for row in table if row])]
