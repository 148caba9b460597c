"""The documents as a site: complete, linked, measured, and quiet when it is opened."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from mkdocs.exceptions import PluginError

from conftest import PROJECT
from documents import short
from picture import ALLOWED, PICTURE, SIZE, take_picture
from seen_in_browser import barriers
from site_hook import PAGES, RESULTS, Table, choose, fill_tables, lead_links, read_tables

LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
"""What a browser fetches without being asked."""


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The site, built as `make docs` builds it: a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


class Page(HTMLParser):
    """The links, anchors, loaded addresses and words of a page."""

    def __init__(self, file: Path):
        super().__init__()
        self.links, self.anchors, self.loads, self.words = [], set(), [], []
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in LOADS and found.get(LOADS[tag]):
            self.loads.append(found[LOADS[tag]])

    def handle_data(self, data):
        self.words.append(data)


def pages_of(site: Path) -> dict[Path, Page]:
    return {file: Page(file) for file in sorted(site.rglob("*.html")) if file.name != "404.html"}


def is_outside(address: str) -> bool:
    return bool(re.match(r"([a-z+]+:)?//", address))


def test_every_document_is_a_page(site):
    documents = (PROJECT / "docs").rglob("*.md")
    written = [file.relative_to(PROJECT / "docs").with_suffix(".html") for file in documents]
    generated = [Path(page).with_suffix(".html") for page in PAGES.values()]
    assert [page for page in written + generated if not (site / page).is_file()] == []


def test_every_link_and_anchor_leads_somewhere(site):
    pages = pages_of(site)
    assert sum(len(page.links) for page in pages.values()) > 500
    lost = []
    for file, page in pages.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            if is_outside(link) or link.startswith("mailto:"):
                continue
            there = (file.parent / unquote(target)).resolve() if target else file
            if there not in pages or (anchor and unquote(anchor) not in pages[there].anchors):
                lost.append(f"{file.relative_to(site)} -> {link}")
    assert lost == []


def test_nothing_is_loaded_from_elsewhere(site):
    assert [load for page in pages_of(site).values() for load in page.loads
            if is_outside(load)] == []  # fmt: skip
    for sheet in site.rglob("*.css"):
        assert (
            re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", sheet.read_text("utf-8")) == []
        )


@pytest.mark.browser
def test_a_page_that_is_opened_from_a_disk_asks_for_nothing_and_fails_at_nothing(site, browser):
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for file in pages_of(site):
        page.goto(file.as_uri())
        assert page.inner_text("h1").strip()
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert wrong == []


@pytest.mark.browser
def test_the_search_finds_also_on_a_disk(site, opened):
    page = opened(site / "teachers.html")
    page.fill(".md-search__input", "passphrase")
    found = page.locator(".md-search-result__link")
    found.first.wait_for(state="attached")
    places = [one.get_attribute("href") for one in found.all()]
    assert any("security.html" in place for place in places)
    assert not any("/measured/" in place for place in places)


@pytest.mark.browser
def test_no_page_is_wider_than_a_telephone(site, browser):
    page = browser.new_page(viewport={"width": 360, "height": 700})
    wide = []
    for file in pages_of(site):
        page.goto(file.as_uri())
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            wide.append(file.name)
    page.close()
    assert wide == []


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index", "coaches/a-week", "data/settings", "method/limits"])
def test_a_page_can_be_used_by_everyone(site, opened, name):
    assert barriers(opened(site / f"{name}.html")) == []


def test_the_measured_tables_are_those_of_the_results(site):
    shown = "".join("".join(page.words) for page in pages_of(site).values())
    for file in (PROJECT / RESULTS).glob("*.md"):
        tables = read_tables(file.read_text("utf-8"))
        cells = {cell.replace("`", "") for table in tables for row in table.rows for cell in row}
        assert [cell for cell in cells if cell not in shown] == [], file.name
    for page in ("limits", "measured"):
        html = (site / "method" / f"{page}.html").read_text("utf-8")
        assert html.count("<table") >= 6
        assert html.count("all of it") == html.count("<table")


def test_no_measured_number_is_copied_into_a_document():
    measured = set()
    for file in (PROJECT / RESULTS).glob("*.md"):
        measured |= set(re.findall(r"\b0\.\d{3,}\b|\b\d{2}\.\d%", file.read_text("utf-8")))
    assert len(measured) > 300
    for file in [*(PROJECT / "docs").rglob("*.md"), PROJECT / "README.md"]:
        assert measured & set(re.findall(r"[\d.]+%?", file.read_text("utf-8"))) == set(), short(
            file
        )


TABLE = Table(("way", "n", "right"), [("ours", "20", "0.9"), ("peer", "20", "0.7")])


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ("", [("ours", "20", "0.9"), ("peer", "20", "0.7")]),
        ("columns: right; way", [("0.9", "ours"), ("0.7", "peer")]),
        ("rows: way = peer", [("peer", "20", "0.7")]),
        ("columns: n | rows: way = peer; right = 0.7", [("20",)]),
        ("table: 2", [("other",)]),
    ],
)
def test_a_link_chooses_what_it_shows(wanted, rows):
    assert choose([TABLE, Table(("x",), [("other",)])], wanted, "a page").rows == rows


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("columns: lost", "no column 'lost'"), ("rows: way = nobody", "no row"),
     ("table: 3", "cannot choose"), ("sort: n", "cannot choose")],
)  # fmt: skip
def test_what_is_not_measured_stops_the_site(wanted, said):
    with pytest.raises(PluginError, match=f"a page: .*{said}"):
        choose([TABLE], wanted, "a page")


def test_only_a_link_that_stands_alone_becomes_a_table():
    link = "[All of it](../benchmarks/results/imports.md)"
    assert "| reader |" in fill_tables(f"Before\n\n{link}\n\nafter", "docs/page.md")
    assert fill_tables(f"See {link}.", "docs/page.md") == f"See {link}."


@pytest.mark.parametrize(
    ("written", "led"),
    [
        ("[x](../SECURITY.md#sharing)", "[x](../data/security.md#sharing)"),
        ("[x](coaches/questions.md)", "[x](../coaches/questions.md)"),
        ("[x](../src/analysis/theme.py)", "x"),
        ("[x](https://example.org/a.md)", "[x](https://example.org/a.md)"),
        ("[x](#here)", "[x](#here)"),
        ("`[x](../LICENSE)`", "`[x](../LICENSE)`"),
    ],
)
def test_a_link_of_the_repository_leads_to_its_page(written, led):
    pages = {"SECURITY.md": "data/security.md"}
    assert lead_links(written, "docs/teachers.md", "method/limits.md", pages) == led


def test_the_picture_is_light_and_as_large_as_it_says():
    head = PICTURE.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(head[16:20]) == SIZE["width"]
    assert PICTURE.stat().st_size <= ALLOWED


@pytest.mark.browser
def test_the_picture_can_be_made_again(browser, tmp_path):
    page = tmp_path / "page.html"
    cards = '<h1>Who needs it?</h1><div class="cards" style="height: 2000px">'
    page.write_text(cards, encoding="utf-8")
    take_picture(page, tmp_path / "page.png", browser)
    head = (tmp_path / "page.png").read_bytes()[:24]
    assert int.from_bytes(head[16:20]) == SIZE["width"]
    assert int.from_bytes(head[20:24]) > 2000
