"""Pages become tagged PDFs where a browser is, and say so where there is none."""

from __future__ import annotations

import pytest

from analysis.errors import UsageError
from analysis.rendering.printing import find_browser, print_edition


@pytest.mark.browser
def test_every_page_of_an_edition_gets_one_tagged_pdf(tmp_path, browser):
    for name in ("a.html", "b.html", "index.html"):
        (tmp_path / name).write_text("<!doctype html><html lang=en><title>T</title><h1>Hi</h1>")
    assert print_edition(tmp_path) == ["a.pdf", "b.pdf"]
    made = (tmp_path / "a.pdf").read_bytes()
    assert made.startswith(b"%PDF")
    assert b"/StructTreeRoot" in made
    assert (tmp_path / "a.pdf").stat().st_mode & 0o077 == 0
    assert print_edition(tmp_path) == []


def test_a_machine_without_a_browser_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="apt-get install chromium"):
        find_browser()
