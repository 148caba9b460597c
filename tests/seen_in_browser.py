"""What a browser and the W3C checker say of a page."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

HOSTILE_NAMES = [
    "<script>document.title='ran'</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    "</title><svg onload=document.title='ran'>",
    "[x](javascript:document.title='ran')",
    "![x](https://example.org/a.png)",
    "$x_{$ & $\\frac{1$",
    "مُحَمَّد بن سلمان",
    "김민준",
    "\u202eevil",
    "👩🏽‍🚀 Zoë Ω",
    '=HYPERLINK("https://example.org")',
    "None",
    "_hidden",
    "Wolfeschlegelsteinhausenbergerdorff-" + "x" * 44,
]


def barriers(page, **where) -> list[tuple[str, str]]:
    """Return what keeps somebody from using a page: axe's rule and the first place.

    axe itself is a script, so a page with a content policy is opened without it.
    """
    found = Axe().run(page, **where).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found]


def n_printed(page, paper: str) -> int:
    """Return on how many sheets of paper a page prints."""
    pdf = page.pdf(format=paper, prefer_css_page_size=True, tagged=True)
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def markup_faults(*files: Path) -> list[dict]:
    """Return what the W3C checker finds; without the checker the test fails in CI, else skips."""
    jar = os.environ.get("VNU_JAR")
    if not jar:
        if os.environ.get("CI"):
            pytest.fail("the W3C checker is missing: npm install vnu-jar, then set VNU_JAR")
        pytest.skip("VNU_JAR does not say where the W3C checker is")
    command = ["java", "-jar", jar, "--errors-only", "--format", "json", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stderr)["messages"]
    assert done.returncode == 0 or found, done.stderr
    return found
