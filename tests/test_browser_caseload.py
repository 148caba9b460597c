"""The coach's page in a real browser: quiet, offline, usable by everyone, printable."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest

from analysis.district import import_exports
from analysis.rendering.kinds import CASELOADS
from analysis.rendering.report import make_report
from analysis.rendering.strangers import Strangers
from analysis.rendering.task import Task
from analysis.settings import Settings
from analysis.simulation import simulate_district, write_district
from analysis.store import Store, StoreIndex
from analysis.store.parts import read_people
from analysis.visits import add_visit
from conftest import PROJECT, WINDOW
from seen_in_browser import HOSTILE_NAMES, barriers, markup_faults, n_printed

pytestmark = pytest.mark.browser


def make_page(store: Store, folder: Path, language: str = "en") -> Path:
    log = folder / "visits.csv"
    cycle = {"skill_id": "3.PV.1", "target": 12, "due": "2026-01-10"}
    visit = {"date": "2025-09-22", "classroom_id": "demo-4a", "goal": HOSTILE_NAMES[1]}
    add_visit(log, visit | cycle)
    index = StoreIndex(store.folder)
    settings = Settings(store=store.folder, visits=log, language=language)
    parameters = CASELOADS.parameters_of(index, WINDOW, "coach-01", settings)
    task = Task(
        notebook=PROJECT / "notebooks" / CASELOADS.notebook,
        page_id="coach-01",
        title=f"Caseload of coach-01, {WINDOW}",
        parameters=parameters,
        expected=CASELOADS.expected(index, "coach-01", parameters),
        executed=folder / "n.ipynb",
        page=folder / "page.html",
        classroom_ids=tuple(CASELOADS.classroom_ids(index, "coach-01")),
    )
    make_report(task)
    return task.page


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Six classrooms; one is full of names a page may trip over."""
    folder = tmp_path_factory.mktemp("six")
    write_district(simulate_district(6), folder / "exports")
    store = Store(folder / "store")
    import_exports([folder / "exports"], store, keep=["english_learner", "teacher_years"])
    roster = store.read_roster("demo-4b")
    names = pd.Series(HOSTILE_NAMES).reindex(range(len(roster)), fill_value="Two Alike")
    store.save(roster=roster.assign(display_name=names.to_numpy(), teacher=HOSTILE_NAMES[0]))
    return store


@pytest.fixture(scope="module")
def page_file(store, tmp_path_factory) -> Path:
    return make_page(store, tmp_path_factory.mktemp("caseload"))


@pytest.fixture(scope="module")
def spanish_page(store, tmp_path_factory) -> Path:
    return make_page(store, tmp_path_factory.mktemp("caseload-es"), language="es")


def test_it_asks_for_nothing_and_runs_nothing(page_file, opened):
    for bypass in (False, True):
        page = opened(page_file, bypass_csp=bypass)
        page.wait_for_timeout(200)
        assert page.heard == []
        assert page.title() == f"Caseload of coach-01, {WINDOW}"


@pytest.mark.parametrize("which", ["page_file", "spanish_page"])
def test_it_can_be_used_by_everyone(which, opened, request):
    page = opened(request.getfixturevalue(which), bypass_csp=True)
    assert barriers(page) == []


def test_it_speaks_one_language(spanish_page, opened):
    told = opened(spanish_page).inner_text("main")
    for english in ("classroom", "students", "Unmet", "growth", "goal", "Grade"):
        assert english not in told


@pytest.mark.parametrize("width", [320, 1366])
def test_it_is_no_wider_than_its_screen(page_file, opened, width):
    page = opened(page_file, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_level_of_headings_is_skipped(page_file, opened):
    levels = opened(page_file).eval_on_selector_all(
        "h1, h2, h3, h4", "all => all.map(one => Number(one.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_its_picture_is_there_and_says_what_it_shows(page_file, opened):
    page = opened(page_file)
    assert min(page.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)")) > 100
    alts = page.eval_on_selector_all("img", "all => all.map(one => one.alt)")
    assert all(len(alt.split()) >= 5 for alt in alts)


def test_it_is_light_and_prints(page_file, opened):
    assert page_file.stat().st_size <= 300_000
    assert n_printed(opened(page_file), "Letter") <= 4


def test_it_shows_its_own_students_to_its_own_check(page_file, store):
    text = page_file.read_text("utf-8")
    people = Strangers(read_people(store))
    assert people.found_in(text, store.classroom_ids) == []
    # The same page would be stopped as another coach's.
    assert people.found_in(text, ["demo-3a"]) != []


def test_the_markup_is_valid(page_file, spanish_page):
    assert markup_faults(page_file, spanish_page) == []
