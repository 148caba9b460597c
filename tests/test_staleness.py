"""What a page is made from, and what of it has changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis.rendering import staleness
from analysis.rendering.staleness import WORDS, page_key, shared_key, why_stale
from analysis.settings import ReportParameters
from analysis.store import Store, StoreIndex
from analysis.store.calibrations import hold_calibrations, put_in_force
from conftest import PROJECT

WINDOWS = ["BOY", "MOY", "EOY"]
SHARED = {"calibration": "c", "notebook": "n", "package": "p", "versions": "v"}


@pytest.fixture
def store(tmp_path) -> Store:
    """One student, asked in three windows."""
    store = Store(tmp_path / "store")
    evidence = pd.DataFrame(
        {
            "student_id": "s1", "skill_id": "k", "window": WINDOWS, "source": "quiz",
            "observation_id": "i1", "kind": "points", "points": 1.0, "points_possible": 1.0,
            "observed_on": ["2025-09-01", "2026-01-15", "2026-05-20"],
        }
    )  # fmt: skip
    store.save(
        roster=pd.DataFrame({"student_id": ["s1"], "classroom_id": ["4A"], "teacher": ["T."]}),
        skills=pd.DataFrame({"skill_id": ["k"], "name": ["Skill"]}),
        evidence=evidence,
    )
    return store


@pytest.fixture
def notebook(tmp_path) -> Path:
    file = tmp_path / "report.ipynb"
    file.write_text("{}")
    return file


def calibrate(store: Store, window: str, content: str) -> None:
    """Put a stand-in for a calibration in force."""
    with hold_calibrations(store) as folder:
        (folder / "made.json").write_text(content)
        put_in_force(store, window, folder / "made.json")


def key_of(store: Store, notebook: Path, window: str = "MOY") -> dict[str, str]:
    return shared_key(StoreIndex(store.folder), window, notebook)


def parameters(**changed) -> ReportParameters:
    asked = {"classroom_id": "4A", "window": "MOY", "data_dir": "here"}
    return ReportParameters(**asked | changed)


def changed_parts(before: dict[str, str], after: dict[str, str]) -> list[str]:
    assert before.keys() == after.keys()
    return [part for part in before if before[part] != after[part]]


# -- what all pages of a window share -----------------------------------------------------


def test_nothing_changed_is_nothing_changed(store, notebook):
    calibrate(store, "MOY", "1")
    assert key_of(store, notebook) == key_of(store, notebook)


@pytest.mark.parametrize(("window", "matters"), [("BOY", True), ("MOY", True), ("EOY", False)])
def test_calibrations_count_up_to_the_window_and_not_after_it(store, notebook, window, matters):
    for one in WINDOWS:
        calibrate(store, one, "1")
    before = key_of(store, notebook, "MOY")
    calibrate(store, window, "2")
    after = key_of(store, notebook, "MOY")
    assert changed_parts(before, after) == (["calibration"] if matters else [])


def test_a_first_calibration_of_an_earlier_window_counts(store, notebook):
    calibrate(store, "MOY", "1")
    before = key_of(store, notebook)
    calibrate(store, "BOY", "2")
    assert changed_parts(before, key_of(store, notebook)) == ["calibration"]


def test_the_same_calibration_in_another_window_is_another(store, notebook, tmp_path):
    calibrate(store, "BOY", "1")
    before = key_of(store, notebook)
    other = Store(tmp_path / "other")
    other.save(
        roster=store.read_roster(), skills=store.read_skills(),
        evidence=pd.concat([store.read_evidence(one) for one in WINDOWS]),
    )  # fmt: skip
    calibrate(other, "MOY", "1")
    assert changed_parts(before, key_of(other, notebook)) == ["calibration"]


def test_a_change_of_the_notebook_is_seen_and_a_lost_one_is_no_error(store, notebook):
    before = key_of(store, notebook)
    notebook.write_text('{"cells": []}')
    changed = key_of(store, notebook)
    assert changed_parts(before, changed) == ["notebook"]
    notebook.unlink()
    lost = key_of(store, notebook)
    assert changed_parts(changed, lost) == ["notebook"]
    assert lost["notebook"] != before["notebook"]


def test_a_digest_is_short_enough_to_read_and_long_enough_to_differ(store, notebook):
    calibrate(store, "MOY", "1")
    shared = key_of(store, notebook)
    made = page_key(parameters(), "d" * 64, "p" * 64, shared)
    assert {len(digest) for digest in made.values()} == {16}


# -- one page -----------------------------------------------------------------------------


def test_every_part_of_a_page_has_a_reason_in_words(store, notebook):
    made = page_key(parameters(), "data", "plan", key_of(store, notebook))
    assert set(made) == set(WORDS)


@pytest.mark.parametrize(
    "changed",
    [{"window": "EOY"}, {"classroom_id": "4B"}, {"language": "es"}, {"max_size": 5},
     {"n_groups": 3}],
)  # fmt: skip
def test_other_parameters_are_another_page(changed):
    before = page_key(parameters(), "data", "plan", SHARED)
    after = page_key(parameters(**changed), "data", "plan", SHARED)
    assert changed_parts(before, after) == ["parameters"]


def test_a_store_that_was_moved_is_the_same_page():
    before = page_key(parameters(), "data", "plan", SHARED)
    assert page_key(parameters(data_dir="there"), "data", "plan", SHARED) == before


def test_the_same_parameters_in_another_order_are_the_same_page():
    class Turned(ReportParameters):
        def model_dump(self, **options):
            return dict(reversed(super().model_dump(**options).items()))

    same = Turned(**parameters().model_dump())
    before = page_key(parameters(), "data", "plan", SHARED)
    assert page_key(same, "data", "plan", SHARED) == before


@pytest.mark.parametrize(("data", "plan", "part"), [("2", "1", "data"), ("1", "2", "plan")])
def test_data_and_plan_are_kept_apart(data, plan, part):
    before = page_key(parameters(), "1", "1", SHARED)
    assert changed_parts(before, page_key(parameters(), data, plan, SHARED)) == [part]


@pytest.mark.parametrize("part", WORDS)
def test_each_part_that_differs_gives_its_own_reason(part):
    made = dict.fromkeys(WORDS, "1")
    assert why_stale(made, made | {part: "2"}) == [WORDS[part]]
    assert why_stale({name: made[name] for name in made if name != part}, made) == [WORDS[part]]


def test_the_reasons_are_said_as_a_coach_understands_them():
    now = dict.fromkeys(WORDS, "1")
    assert why_stale(now, now) == []
    assert why_stale({}, now) == [
        "its parameters changed",
        "its students' data changed",
        "the teacher's plan changed",
        "the calibration, made from the data of all classrooms, changed",
        "the notebook changed",
        "the analysis package changed",
        "a library changed",
    ]
    assert why_stale(None, now) == ["there is no report yet"]


# -- the package and what it stands on ----------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A small package in the place of this one."""
    folder = tmp_path / "analysis"
    files = ["rendering/staleness.py", "theme.py", "page.j2", "a.json", "b.toml", "es.po"]
    for name in [*files, "notes.txt", "picture.png"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("1")
    monkeypatch.setattr(staleness, "__file__", str(folder / "rendering" / "staleness.py"))
    return folder


def package_digest() -> str:
    return staleness.package_digest.__wrapped__()


@pytest.mark.parametrize(
    ("file", "matters"),
    [("theme.py", True), ("page.j2", True), ("a.json", True), ("b.toml", True), ("es.po", True),
     ("notes.txt", False), ("picture.png", False)],
)  # fmt: skip
def test_a_page_depends_on_code_templates_and_words_only(package, file, matters):
    before = package_digest()
    (package / file).write_text("2")
    assert (package_digest() != before) is matters


def test_a_file_that_is_renamed_changes_the_package(package):
    before = package_digest()
    (package / "theme.py").rename(package / "colours.py")
    assert package_digest() != before


def test_where_the_package_is_installed_does_not_matter(package, tmp_path, monkeypatch):
    before = package_digest()
    moved = package.rename(tmp_path / "moved")
    monkeypatch.setattr(staleness, "__file__", str(moved / "rendering" / "staleness.py"))
    assert package_digest() == before


def test_the_digests_of_package_and_versions_are_worked_out_once():
    assert staleness.package_digest() is staleness.package_digest()
    assert staleness.versions_digest() is staleness.versions_digest()


def versions_digest(monkeypatch, named=lambda name: "1", python="3.11.2") -> str:
    monkeypatch.setattr(staleness, "version", named)
    monkeypatch.setattr(staleness, "python_version", lambda: python)
    return staleness.versions_digest.__wrapped__()


@pytest.mark.parametrize(
    "library",
    ["pandas", "numpy", "scipy", "scikit-learn", "matplotlib", "babel", "jinja2", "nbconvert",
     "papermill"],
)  # fmt: skip
def test_a_new_version_of_what_draws_or_computes_matters(monkeypatch, library):
    before = versions_digest(monkeypatch)
    after = versions_digest(monkeypatch, lambda name: "2" if name == library else "1")
    assert after != before


@pytest.mark.parametrize("python", ["3.12.2", "3.11.3"])
def test_another_python_matters(monkeypatch, python):
    assert versions_digest(monkeypatch, python=python) != versions_digest(monkeypatch)


def test_a_new_version_of_something_else_does_not_matter(monkeypatch):
    asked = []
    versions_digest(monkeypatch, lambda name: asked.append(name) or "1")
    assert "rich" not in asked


def test_another_process_finds_the_same_digests():
    command = (
        "from analysis.rendering.staleness import package_digest, versions_digest\n"
        "print(package_digest(), versions_digest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(PROJECT / "src"), "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert done.stdout.split() == [staleness.package_digest(), staleness.versions_digest()]
