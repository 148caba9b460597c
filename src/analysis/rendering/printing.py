"""The same page as a tagged PDF, printed by the Chromium of the machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from analysis.errors import UsageError
from analysis.files import write_whole

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "chrome", "msedge"]
SECONDS = 60


def find_browser() -> str:
    """Return the path of a browser that can print.

    Raises
    ------
    UsageError
        There is none.
    """
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    raise UsageError(
        "A PDF needs Chromium or Chrome, and none was found.\n"
        "On Debian: apt-get install chromium. Or open the page and print it from any browser."
    )


def print_page(page: Path, pdf: Path, browser: str) -> None:
    """Print a page into a PDF with the structure screen readers use.

    Raises
    ------
    UsageError
        The browser could not print it.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "page.pdf"
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", "--export-tagged-pdf",
            f"--print-to-pdf={made}", page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
        except (subprocess.SubprocessError, OSError):
            raise UsageError(f"{browser} could not print {page.name}.") from None
        write_whole(pdf, made.read_bytes())


def print_edition(folder: Path) -> list[str]:
    """Print every page of an edition that has no PDF yet; return the names of the new ones."""
    browser = find_browser()
    printed = []
    for page in sorted(folder.glob("*.html")):
        pdf = page.with_suffix(".pdf")
        if page.name != "index.html" and not pdf.is_file():
            print_page(page, pdf, browser)
            printed.append(pdf.name)
    return printed
