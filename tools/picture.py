"""Render one demo classroom's report and take the picture that the documents show.

``python tools/picture.py`` writes ``docs/pictures/report.png``. The demo is simulated and its
students are invented; nothing else may ever be in this picture.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PICTURE = PROJECT / "docs" / "pictures" / "report.png"
CLASSROOM, WINDOW = "demo-4b", "2026-EOY"
SIZE = {"width": 1000, "height": 800}
"""Of the window, in CSS pixels; the picture reaches down to the end of the groups' cards."""
MARGIN = 24
ALLOWED = 250_000
"""Bytes: the picture is loaded with the first page anybody opens."""


def render_demo(folder: Path) -> Path:
    """Return the demo classroom's report, rendered below a folder with the project's commands."""
    coach = [str(Path(sys.executable).with_name("coach"))]
    store = ["--store", str(folder / "store")]
    run = {"cwd": PROJECT, "check": True, "stdout": subprocess.DEVNULL, "env": os.environ}
    subprocess.run([*coach, "import", "data/demo", *store], **run)
    published = ["--window", WINDOW, "--out", str(folder / "reports")]
    subprocess.run([*coach, "report", CLASSROOM, *published, *store], **run)
    return next((folder / "reports" / "current").glob(f"{CLASSROOM}-*.html"))


def take_picture(page: Path, picture: Path, browser) -> None:
    """Write the facts, the verdict and the groups' cards of a page, as a PNG.

    Parameters
    ----------
    page
        An HTML file.
    picture
        The PNG to write.
    browser
        A Chromium of playwright's.
    """
    opened = browser.new_page(viewport=SIZE)
    try:
        opened.goto(page.resolve().as_uri())
        cards = opened.locator(".cards").first.bounding_box()
        bottom = cards["y"] + cards["height"] + MARGIN
        box = {"x": 0, "y": 0, "width": SIZE["width"], "height": bottom}
        opened.screenshot(path=picture, clip=box, full_page=True)
    finally:
        opened.close()


def main() -> None:
    """Make the picture anew."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = render_demo(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        take_picture(page, PICTURE, browser)
        browser.close()
    size = PICTURE.stat().st_size
    if size > ALLOWED:
        sys.exit(f"{PICTURE} has {size} bytes, over {ALLOWED}: make the window smaller.")
    print(f"{PICTURE}: {size} bytes")


if __name__ == "__main__":
    main()
