"""What MkDocs cannot know of this project: pages that live elsewhere, and measured tables.

A page of ``docs/`` links to files of the project as they lie in the repository, so that it
reads well there too. When the site is built, those files become pages of it, or plain words.
A paragraph that is nothing but a link to a file of ``benchmarks/results`` becomes the table
in that file: no measured number is copied by hand. The link's title may choose ::

    [What each method got right](../benchmarks/results/mastery-limit.md "columns: design; error")

``table: 2`` takes the second table of the file, ``columns: a; b`` some columns in this order,
``rows: design = CD09 K4 J20; students = 20`` the rows with these values.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).parents[1]
RESULTS = "benchmarks/results"

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "developers/contributing.md",
    "CODE_OF_CONDUCT.md": "developers/code-of-conduct.md",
    "SECURITY.md": "data/security.md",
    "CHANGELOG.md": "developers/changelog.md",
    "data/README.md": "data/tables.md",
}
"""Files of the repository and the pages of the site that they are."""

LINK = re.compile(r'(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s"]+)(?:\s+"(?P<title>[^"]*)")?\)')
ALONE = re.compile(rf"^{LINK.pattern}$", re.MULTILINE)
CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Table:
    """A table as it is written in Markdown.

    Parameters
    ----------
    columns
        The head.
    rows
        One tuple of cells a row.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def read_tables(text: str) -> list[Table]:
    r"""Return the tables of a Markdown text, in their order.

    Examples
    --------
    >>> read_tables("| a | b |\n|---|---|\n| 1 | 2 |")[0].rows
    [('1', '2')]
    """
    tables: list[Table] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if not inside:
            tables.append(Table(cells))
        elif not all(set(cell) <= set(":-") for cell in cells):
            tables[-1].rows.append(cells)
        inside = True
    return tables


def choose(tables: list[Table], wanted: str, where: str) -> Table:
    """Return the table, columns and rows that a link's title asks for.

    Raises
    ------
    PluginError
        There is no such table, column or row: a page never shows less than it says.

    Examples
    --------
    >>> table = Table(("way", "n"), [("ours", "1"), ("peer", "2")])
    >>> choose([table], "columns: n | rows: way = peer", "a page").rows
    [('2',)]
    """
    asked = dict(part.split(":", 1) for part in wanted.split("|") if part.strip())
    asked = {name.strip(): value.strip() for name, value in asked.items()}
    unknown = set(asked) - {"table", "columns", "rows"}
    number = int(asked.get("table", 1))
    if unknown or number > len(tables):
        raise PluginError(f"{where}: cannot choose {wanted!r}")
    table = tables[number - 1]
    for condition in filter(None, asked.get("rows", "").split(";")):
        column, value = (side.strip() for side in condition.split("=", 1))
        at = _position(table, column, where)
        table = Table(table.columns, [row for row in table.rows if row[at] == value])
    if "columns" in asked:
        names = [name.strip() for name in asked["columns"].split(";")]
        at_each = [_position(table, name, where) for name in names]
        rows = [tuple(row[at] for at in at_each) for row in table.rows]
        table = Table(tuple(names), rows)
    if not table.rows:
        raise PluginError(f"{where}: no row for {wanted!r}")
    return table


def _position(table: Table, column: str, where: str) -> int:
    if column not in table.columns:
        raise PluginError(f"{where}: no column {column!r}; there are {', '.join(table.columns)}")
    return table.columns.index(column)


def fill_tables(text: str, source: str) -> str:
    """Put measured tables where a paragraph links to a file of results."""

    def fill(link: re.Match) -> str:
        file = _in_project(source, link["target"])
        if not file.startswith(f"{RESULTS}/"):
            return link[0]
        tables = read_tables((PROJECT / file).read_text("utf-8"))
        table = choose(tables, link["title"] or "", f"{source}: {file}")
        all_of_it = posixpath.relpath(file, posixpath.dirname(source))
        return f"*{link['text']}* ([all of it]({all_of_it}))\n\n{table.to_markdown()}"

    return ALONE.sub(fill, text)


def lead_links(text: str, source: str, here: str, pages: dict[str, str]) -> str:
    """Let links to files of the repository lead to their pages, or be words where there is none.

    Parameters
    ----------
    text
        A page in Markdown.
    source
        The file it comes from, from the project's folder.
    here
        The page's own place, from the site's folder.
    pages
        Files of the repository and their pages.
    """

    def lead(link: re.Match) -> str:
        target, _, anchor = link["target"].partition("#")
        if re.match(r"[a-z]+:", target) or not target:
            return link[0]
        file = _in_project(source, target)
        page = pages.get(file) or _page_below_docs(file)
        if page is None:
            return link["text"]
        to = posixpath.relpath(page, posixpath.dirname(here) or ".")
        return f"[{link['text']}]({to}{'#' + anchor if anchor else ''})"

    parts = CODE.split(text)
    parts[::2] = [LINK.sub(lead, part) for part in parts[::2]]
    return "".join(parts)


def _in_project(source: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def _page_below_docs(file: str) -> str | None:
    path = PurePosixPath(file)
    return str(path.relative_to("docs")) if path.parts[0] == "docs" else None


def all_pages() -> dict[str, str]:
    """Return every file that becomes a page of the site from outside ``docs/``."""
    results = sorted((PROJECT / RESULTS).glob("*.md"))
    return PAGES | {f"{RESULTS}/{file.name}": f"method/measured/{file.name}" for file in results}


def on_files(files: Files, config) -> Files:
    """Add the pages that live elsewhere in the repository."""
    for source, page in all_pages().items():
        text = (PROJECT / source).read_text("utf-8")
        if source == "README.md":
            text = text.replace("docs/pictures/", "pictures/")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page, config, files: Files) -> str:
    """Fill in measured tables, then let each link lead where it can."""
    pages = all_pages()
    sources = {place: source for source, place in pages.items()}
    here = page.file.src_uri
    source = sources.get(here, f"docs/{here}")
    if source.startswith(RESULTS):
        # Hundreds of rows of figures would hide what people look for.
        page.meta["search"] = {"exclude": True}
        markdown = f"*This page is {source}, as it was measured.*\n\n{markdown}"
    return lead_links(fill_tables(markdown, source), source, here, pages)


def on_post_page(output: str, page, config) -> str:
    """Give the theme's search a name that a screen reader can say."""
    search = 'data-md-component="search" role="dialog"'
    return output.replace(search, f'{search} aria-label="Search"')


def on_config(config):
    """Build nothing that is dated."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    return config
