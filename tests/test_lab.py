"""A coach in JupyterLab: open, run all, try, decide, keep, and find it all in the report."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from analysis.plans.files import plan_file
from conftest import PROJECT, WINDOW
from seen_in_browser import barriers

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SECONDS = 90
"""How long to wait for JupyterLab on a busy machine; it mostly needs three."""

CHROMEBOOK = {"width": 1366, "height": 768}

SLIPS = {
    "a_word_without_quotes": "classroom_id = demo",
    "half_a_word_in_quotes": 'classroom_id = "demo-4b\nwindow = 1',
    "an_id_without_quotes": "classroom_id = demo-4b",
    "a_classroom_that_is_not_there": (
        "from analysis import open_classroom\n"
        f'open_classroom("demo-4z", window="{WINDOW}", data_dir="../data/demo")'
    ),
}
"""What a coach may type into a cell, or run too early."""

PLAINLY = {
    "a_word_without_quotes": "'demo' is not there yet. Choose Run > Run All Cells",
    "half_a_word_in_quotes": "Line 1 of this cell cannot be read",
    "an_id_without_quotes": "Line 1 of this cell cannot be read",
    "a_classroom_that_is_not_there": "has no classroom 'demo-4z'. Did you mean 'demo-4",
}


@pytest.fixture(scope="module")
def project(calibrated_store, tmp_path_factory) -> Path:
    """A copy of what a coach has: notebooks and the demo, already imported."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks")
    shutil.copytree(PROJECT / "data" / "demo", folder / "data" / "demo",
                    ignore=lambda where, names: {"store", "plans"} & set(names))  # fmt: skip
    shutil.copytree(calibrated_store.folder, folder / "data" / "demo" / "store")
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": ["raises-exception"]})
             for source in SLIPS.values()]  # fmt: skip
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    slips = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.write(slips, folder / "notebooks" / "slips.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(project):
    """JupyterLab as ``coach lab`` starts it; the address of a notebook in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, own = secrets.token_hex(16), project / "jupyter"
    own.mkdir()
    # Who tests as root says so here; nothing of this user's own settings is read or written.
    (own / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_root": true}}')
    folders = {f"JUPYTER_{name}_DIR": str(own / name) for name in ("DATA", "RUNTIME")}
    command = "from analysis.cli import main; main()"
    with (project / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", command, "lab", "--no-browser", "--port", str(port)],
            cwd=project, stdout=log, stderr=log,
            env=os.environ | folders | {"JUPYTER_TOKEN": token, "JUPYTER_CONFIG_DIR": str(own)},
        )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{base}/api/status?token={token}"))
        # A workspace each: a tab that is open in one is not opened in the next.
        yield lambda name: f"{base}/lab/workspaces/{name}/tree/notebooks/{name}.ipynb?token={token}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="module")
def opened(browser, lab):
    """Open a notebook in JupyterLab and run all of it; the page keeps what it asked for."""
    pages = []

    def open_notebook(name: str):
        page = browser.new_page(viewport=CHROMEBOOK)
        page.set_default_timeout(SECONDS * 1000)
        page.heard = []
        page.on("request", lambda request: page.heard.append(request.url))
        page.goto(lab(name))
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text("| Idle").wait_for()
        page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
        until(lambda: has_run(page))
        pages.append(page)
        return page

    yield open_notebook
    for page in pages:
        page.close()


@pytest.fixture(scope="module")
def start(opened):
    """``00_start_here``, run."""
    return opened("00_start_here")


@pytest.fixture
def panel(start):
    """The panel of ``00_start_here``, as it is before anybody touched it."""
    panel = start.locator(".coach-panel")
    open_clean(panel, "demo-4b")
    return panel


def until(done: Callable[[], object], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # our own server
            return True
    except OSError:
        return False


def has_run(page) -> bool:
    """Say whether the last cell has its output; an error before it would have stopped the run."""
    return page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output").count() > 0


def choose(panel, label: str, option: str) -> None:
    panel.get_by_label(label, exact=True).select_option(label=option)


def click(panel, button: str) -> None:
    panel.get_by_role("button", name=button, exact=True).click()


def show_tab(panel, title: str) -> None:
    panel.locator(".lm-TabBar-tab", has_text=re.compile(f"^{title}$")).click()


def settle(panel) -> None:
    """Wait, as a person would, until the kernel has done what it was asked."""
    time.sleep(0.3)
    panel.page.get_by_text("| Idle").wait_for()


def open_clean(panel, classroom_id: str) -> None:
    """Open a classroom for which nothing is decided."""
    settle(panel)
    choose(panel, "Classroom", classroom_id)
    settle(panel)
    click(panel, "Reset")
    settle(panel)
    decided = panel.get_by_label("Decided", exact=True).locator("option")
    until(lambda: decided.count() == 0 and "Everything decided is kept." in panel.inner_text())


def set_number(panel, label: str, number: int) -> None:
    field = panel.get_by_label(label, exact=True)
    field.fill(str(number))
    field.press("Tab")


def groups(panel) -> list[set[str]]:
    """The names on each card, as the coach sees them."""
    script = """cards => cards.map(card => [...card.querySelectorAll('li')].map(
        li => [...li.childNodes].filter(n => n.nodeType == 3).map(n => n.data).join('').trim()))"""
    cards = panel.locator(".coach-view .cards > .card").evaluate_all(script)
    return [set(names) for names in cards]


def message(panel) -> str:
    return panel.locator(".coach-message").inner_text()


def select_students(panel, *names: str) -> None:
    show_tab(panel, "Students")
    panel.get_by_label("Students", exact=True).select_option(label=list(names))
    settle(panel)


@pytest.mark.parametrize("name", ["01_check_export", "02_skill_mastery", "03_student_groups"])
def test_a_notebook_runs_in_one_go_without_an_error_or_a_request(opened, name):
    page = opened(name)
    assert page.locator(".jp-mod-error, [data-mime-type*=stderr]").count() == 0
    assert [url for url in page.heard if re.match(r"https?://(?!127\.0\.0\.1)", url)] == []
    assert page.locator(".jp-OutputArea-output table, .coach-view table").count() > 0


def test_the_code_is_folded_away(start):
    assert start.locator(".jp-CodeCell .cm-editor").count() == 0
    assert start.locator(".jp-mod-error").count() == 0


def test_another_classroom_shows_its_own_students_and_the_parts_below_follow(panel, start):
    before, below = groups(panel), start.locator(".coach-view").last.inner_text()
    choose(panel, "Classroom", "demo-5a")
    until(lambda: groups(panel) and not set.union(*groups(panel)) & set.union(*before))
    until(lambda: start.locator(".coach-view").last.inner_text() != below)


def test_the_groups_keep_to_the_size_that_is_asked_for(panel):
    show_tab(panel, "Rules")
    set_number(panel, "Largest group", 4)
    until(lambda: max(map(len, groups(panel))) <= 4)
    set_number(panel, "Smallest group", 4)
    until(lambda: min(map(len, groups(panel))) == 4)


def test_two_students_put_apart_sit_in_different_groups(panel):
    one, other = sorted(groups(panel)[0])[:2]
    select_students(panel, one, other)
    click(panel, "Apart")
    until(lambda: not any({one, other} <= group for group in groups(panel)))
    assert f"{one} and {other} sit in different groups." in panel.inner_text()


def test_rules_that_disagree_are_said_in_words_and_names_and_change_nothing(panel):
    one, other = sorted(groups(panel)[0])[:2]
    select_students(panel, one, other)
    click(panel, "Apart")
    until(lambda: not any({one, other} <= group for group in groups(panel)))
    before = groups(panel)
    click(panel, "Together")
    until(lambda: "follows all of these rules together" in message(panel))
    assert f"together: {one}, {other}" in message(panel)
    assert "Traceback" not in panel.inner_text()
    assert groups(panel) == before


def test_a_step_can_be_taken_back(panel):
    before = groups(panel)
    show_tab(panel, "Rules")
    set_number(panel, "Largest group", 4)
    until(lambda: groups(panel) != before)
    click(panel, "Undo")
    until(lambda: groups(panel) == before)


def test_a_student_who_is_chosen_is_explained(panel):
    name = sorted(groups(panel)[0])[0]
    select_students(panel, name)
    until(lambda: f"Why is {name} here?" in panel.inner_text())
    assert "How sure:" in panel.inner_text()


def test_what_is_moved_and_locked_is_kept_and_stands_in_the_report(panel, start, project):
    # A classroom no other test looks at: what is kept stays.
    others = groups(panel)
    open_clean(panel, "demo-3c")
    for _ in range(5):
        if groups(panel) != others:
            break
        # On a busy machine JupyterLab may lose a choice that is made while it works.
        open_clean(panel, "demo-4b")
        open_clean(panel, "demo-3c")
    until(lambda: groups(panel) != others)
    last = groups(panel)[-1]
    moved = sorted(groups(panel)[0])[0]
    select_students(panel, moved)
    to = panel.get_by_label("Move to", exact=True)
    to.select_option(index=to.locator("option").count() - 1)
    settle(panel)
    click(panel, "Move")
    until(lambda: {moved, *last} in groups(panel))
    show_tab(panel, "Groups")
    number = groups(panel).index({moved, *last})
    panel.get_by_label("Group", exact=True).select_option(index=number)
    click(panel, "Lock")
    until(lambda: "locked by the teacher" in panel.inner_text())
    show_tab(panel, "Rules")
    set_number(panel, "Largest group", 5)
    until(lambda: "A group has at most 5 students." in panel.inner_text())
    assert {moved, *last} in groups(panel)

    click(panel, "Make this report")
    until(lambda: "Keep what you decided first" in message(panel))
    panel.get_by_label("Who decides", exact=True).fill("J. Rivera")
    panel.get_by_label("Why", exact=True).fill("They began this together")
    click(panel, "Keep")
    until(lambda: "Everything decided is kept." in panel.inner_text())
    kept = plan_file(project / "data" / "demo" / "store", "demo-3c", WINDOW).read_text("utf-8")
    assert 'by = "J. Rivera"' in kept

    click(panel, "Make this report")
    until(lambda: "The report is made." in panel.inner_text(), seconds=6 * SECONDS)
    with start.context.expect_page() as new:
        panel.get_by_role("link", name="Open it").click()
    report = new.value
    report.wait_for_load_state()
    told = report.inner_text("main")
    report.close()
    assert "locked by the teacher" in told
    assert "J. Rivera" in told
    assert "They began this together" in told
    stay = next(line for line in told.splitlines() if "stay one group on" in line)
    assert all(name in stay for name in {moved, *last})


@pytest.mark.parametrize("tab", ["Rules", "Students", "Groups", "Skills"])
def test_the_panel_can_be_used_by_everyone(panel, start, tab):
    show_tab(panel, tab)
    assert barriers(start, context={"include": [[".coach-panel"]]}) == []


def test_the_panel_fits_a_chromebook(panel, start):
    box = panel.bounding_box()
    assert box["x"] + box["width"] <= CHROMEBOOK["width"]
    button = panel.get_by_role("button", name="Make this report").bounding_box()
    assert button["y"] + button["height"] - box["y"] < CHROMEBOOK["height"] - 120
    wide = panel.locator(".coach-view").first.evaluate("one => one.scrollWidth > one.clientWidth")
    assert not wide


def test_a_saved_notebook_holds_nobody(panel, start, project):
    assert groups(panel)
    file = project / "notebooks" / "00_start_here.ipynb"
    shown = PROJECT / "notebooks" / "00_start_here.ipynb"
    before = file.stat().st_mtime_ns
    start.locator("[data-jp-item-name=save] button, [data-command='docmanager:save']").first.click()
    until(lambda: file.stat().st_mtime_ns != before)
    saved = json.loads(file.read_text("utf-8"))
    assert "widgets" not in saved["metadata"]
    assert [cell.get("outputs", []) for cell in saved["cells"]] == [
        cell.get("outputs", []) for cell in json.loads(shown.read_text("utf-8"))["cells"]
    ]


def test_a_coachs_slips_are_said_in_a_sentence_without_a_traceback(opened):
    page = opened("slips")
    outputs = page.locator(".jp-OutputArea").all_inner_texts()
    for (slip, plainly), told in zip(PLAINLY.items(), outputs, strict=True):
        assert plainly in told, slip
        assert "Traceback" not in told
        assert 'File "' not in told
        assert len(told.strip().splitlines()) <= 3


@pytest.mark.skipif(os.name != "posix", reason="kernels talk through files on POSIX only")
@pytest.mark.parametrize(("folder", "through_files"), [("j", True), ("j" * 90, False)])
def test_kernels_talk_through_files_where_their_paths_are_short_enough(
    folder, through_files, monkeypatch
):
    from analysis.cli.lab import PRIVATE, lab_command_line
    from analysis.settings import Settings

    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", f"/tmp/{folder}")
    settings = Settings(notebooks=PROJECT / "notebooks")
    command = lab_command_line(settings, "00_start_here", browser=False, port=8888)
    assert set(PRIVATE).issubset(command) is through_files
