"""What several tests need: drawn tables, the project's folders, a real browser."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from analysis.district import import_exports, open_calibration
from analysis.store import Store

PROJECT = Path(__file__).parents[1]
SHARED = PROJECT.parent / "shared"
WINDOW = "2026-EOY"
"""The demo's last window."""

SLOW_TO_HAVE = {"made_once", "site", "actionlint", "crontab"}
"""Fixtures that take more than about a second."""


def table(drawing: str) -> pd.DataFrame:
    """Read a table drawn with ``|``; an empty cell is missing, every other one is text."""
    lines = [line.strip().strip("|") for line in drawing.strip().splitlines()]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype="str")
    return frame.mask(frame == "", None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call slow what needs a whole district or another program, and begin with the slow files.

    The workers then end together, as what is shared out last is short. It comes before the
    choice by markers.
    """
    for item in items:
        makes_a_district = isinstance(item, pytest.DoctestItem) and (
            "write_district(" in item.dtest.docstring
        )
        if makes_a_district or SLOW_TO_HAVE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Look at what was loaded no more, each time Python looks for what can be thrown away."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real data is not beside the project")
    return SHARED


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a folder once for all workers; each is given a copy of its own."""
    own = tmp_path_factory.getbasetemp()
    common = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-once"

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        common.mkdir(exist_ok=True)
        with FileLock(common / f"{name}.lock"):
            if not (common / name).exists():
                unfinished = common / f"{name}.unfinished"
                shutil.rmtree(unfinished, ignore_errors=True)
                fill(unfinished)
                unfinished.rename(common / name)
        return shutil.copytree(common / name, tmp_path_factory.mktemp(name) / "store")

    return make


@pytest.fixture(scope="session")
def demo_store(made_once) -> Store:
    """The committed demo district, imported once."""
    demo = PROJECT / "data" / "demo"
    return Store(made_once("demo", lambda folder: import_exports([demo], Store(folder))))


@pytest.fixture(scope="session")
def calibrated_store(demo_store, made_once) -> Store:
    """The demo district, its last window calibrated: to be copied, not written to."""

    def calibrate(folder: Path) -> None:
        shutil.copytree(demo_store.folder, folder)
        open_calibration(Store(folder), WINDOW)

    return Store(made_once("calibrated", calibrate))


@pytest.fixture
def own_store(calibrated_store, tmp_path) -> Store:
    """A copy of the demo, with room for plans beside it that no other test sees."""
    shutil.copytree(calibrated_store.folder, tmp_path / "data" / "store")
    return Store(tmp_path / "data" / "store")


@pytest.fixture(scope="session")
def browser():
    """A real Chromium; required in CI, skipped elsewhere when there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--no-first-run", "--disable-gpu"]  # fmt: skip
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield chrome
        chrome.close()


@pytest.fixture
def opened(browser):
    """Open a file and listen: what it asks for, what it says, what it tries to run."""
    pages = []

    def open_file(file: Path, *, width: int = 1366, bypass_csp: bool = False):
        page = browser.new_page(viewport={"width": width, "height": 768}, bypass_csp=bypass_csp)
        page.heard = []
        page.on("request", lambda request: page.heard.append(request.url))
        page.on("dialog", lambda dialog: page.heard.append(dialog.message))
        page.goto(file.as_uri())
        page.heard = [one for one in page.heard[1:] if not one.startswith("data:")]
        pages.append(page)
        return page

    yield open_file
    for page in pages:
        page.close()
