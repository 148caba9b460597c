"""A page in a real browser: it asks for nothing, runs nothing, and can be used by everyone."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest

from analysis.classroom import open_classroom
from analysis.language import open_language
from analysis.rendering.kinds import CLASSROOMS
from analysis.rendering.report import make_report
from analysis.rendering.task import Task
from analysis.settings import check_parameters
from analysis.store import Store
from conftest import PROJECT, WINDOW
from seen_in_browser import HOSTILE_NAMES, barriers, markup_faults, n_printed

pytestmark = pytest.mark.browser


def make_page(store: Store, classroom_id: str, folder: Path, language: str = "en") -> Path:
    given = {
        "classroom_id": classroom_id,
        "window": WINDOW,
        "data_dir": str(store.folder.resolve()),
        "language": language,
    }
    proof = open_classroom(**given).show_proof()
    page = folder / "page.html"
    notebook = PROJECT / "notebooks" / CLASSROOMS.notebook
    title = CLASSROOMS.title(classroom_id, WINDOW, open_language(language))
    parameters = check_parameters(given, model=CLASSROOMS.parameters)
    make_report(Task(notebook, classroom_id, title, parameters, proof, folder / "n.ipynb", page))
    return page


@pytest.fixture(scope="module")
def plain_page(demo_store, tmp_path_factory) -> Path:
    return make_page(demo_store, "demo-3c", tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def spanish_page(demo_store, tmp_path_factory) -> Path:
    return make_page(demo_store, "demo-4b", tmp_path_factory.mktemp("es"), language="es")


@pytest.fixture(scope="module")
def hostile_page(demo_store, tmp_path_factory) -> Path:
    """The page of a classroom whose students have every name a page may trip over."""
    folder = tmp_path_factory.mktemp("hostile")
    store = Store(folder / "store")
    roster = demo_store.read_roster("demo-4b")
    names = pd.Series(HOSTILE_NAMES).reindex(range(len(roster)), fill_value="Two Alike")
    store.save(
        roster=roster.assign(display_name=names.to_numpy(), teacher=HOSTILE_NAMES[0]),
        skills=demo_store.read_skills(),
        items=demo_store.read_items(),
        evidence=demo_store.read_evidence(WINDOW, "demo-4b"),
    )
    return make_page(store, "demo-4b", folder)


@pytest.mark.parametrize("which", ["plain_page", "hostile_page"])
def test_a_page_asks_for_nothing_and_runs_nothing(which, opened, request):
    page = opened(request.getfixturevalue(which))
    for element in page.query_selector_all("a:not(.skip), td, li, h3"):
        element.hover(force=True, timeout=2000)
    assert page.heard == []
    classroom_id = "demo-3c" if which == "plain_page" else "demo-4b"
    assert page.title() == f"Classroom {classroom_id}, {WINDOW}: student groups"


def test_a_page_stays_quiet_also_where_the_browser_would_let_it_run(hostile_page, opened):
    # Escaping alone has to hold, without the content policy behind it.
    page = opened(hostile_page, bypass_csp=True)
    page.wait_for_timeout(300)
    assert page.heard == []
    assert page.title() != "ran"


def test_the_content_policy_alone_holds_what_escaping_would_miss(plain_page, opened, tmp_path):
    spoilt = tmp_path / "spoilt.html"
    attack = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
    text = plain_page.read_text("utf-8").replace("</main>", attack + "</main>")
    spoilt.write_text(text, encoding="utf-8")
    assert opened(spoilt).title() != "ran"
    assert opened(spoilt, bypass_csp=True).title() == "ran"


def test_every_name_is_shown_as_it_is(hostile_page, opened):
    told = opened(hostile_page).inner_text("main")
    assert [name for name in HOSTILE_NAMES if name not in told] == []


@pytest.mark.parametrize("which", ["plain_page", "hostile_page", "spanish_page"])
def test_a_page_can_be_used_by_everyone(which, opened, request):
    page = opened(request.getfixturevalue(which), bypass_csp=True)
    assert barriers(page) == []


def test_every_picture_says_what_it_shows(plain_page, opened):
    alts = opened(plain_page).eval_on_selector_all("img", "all => all.map(one => one.alt)")
    assert alts
    assert len(set(alts)) == len(alts)
    assert all(len(alt.split()) >= 5 for alt in alts)


@pytest.mark.parametrize("width", [320, 768, 1366, 1920])
def test_no_page_is_wider_than_its_screen(plain_page, opened, width):
    page = opened(plain_page, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_there_is_one_first_heading_and_no_level_is_skipped(plain_page, opened):
    page = opened(plain_page)
    levels = page.eval_on_selector_all(
        "h1, h2, h3, h4", "all => all.map(one => Number(one.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_picture_is_there(plain_page, opened):
    widths = opened(plain_page).eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)")
    assert min(widths) > 100


def test_a_page_is_light(plain_page):
    text = plain_page.read_bytes()
    pictures = sum(len(part) for part in text.split(b'"') if part.startswith(b"data:"))
    assert len(text) <= 300_000
    assert len(text) - pictures <= 75_000


@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_a_class_of_two_dozen_prints_on_two_pages(plain_page, opened, paper):
    assert n_printed(opened(plain_page), paper) == 2


@pytest.mark.parametrize("which", ["hostile_page", "spanish_page"])
def test_long_names_and_a_longer_language_print_on_three(which, opened, request):
    assert n_printed(opened(request.getfixturevalue(which)), "Letter") <= 3


def test_the_markup_is_valid(plain_page, hostile_page, spanish_page):
    assert markup_faults(plain_page, hostile_page, spanish_page) == []
