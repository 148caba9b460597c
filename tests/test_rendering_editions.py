"""Runs and editions: only what changed, published whole, gone on with after a stop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.district import renew_calibration
from analysis.errors import AnalysisError, LockedError, UnknownError, UsageError
from analysis.files import locked
from analysis.rendering import publishing, runner
from analysis.rendering.edition import (
    current_folder,
    list_editions,
    read_edition,
)
from analysis.rendering.plan import Order
from analysis.rendering.publishing import remove_editions, roll_back
from analysis.rendering.report import keep_page
from analysis.rendering.runner import plan_reports, render_reports
from analysis.rendering.warmth import KernelServer
from analysis.settings import Settings
from analysis.store import Store, StoreIndex
from analysis.store.calibrations import (
    calibration_in_force,
    calibration_is_due,
    hold_calibrations,
    put_in_force,
    share_changed,
)
from conftest import PROJECT, table

pytestmark = pytest.mark.slow

WINDOW = "BOY"
CLASSROOMS = [f"{number}A" for number in range(1, 41)]


def answers(classroom_id: str, points: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "student_id": [f"{classroom_id}-1", f"{classroom_id}-2"],
            "skill_id": "k", "window": WINDOW, "source": "quiz", "observation_id": "i1",
            "kind": "points", "points": points, "points_possible": 1.0,
        }
    )  # fmt: skip


def calibrated(store: Store) -> Store:
    """Put a calibration in force, as a run would."""
    with hold_calibrations(store):
        renew_calibration(store, WINDOW, always=True)
    return store


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    store = Store(tmp_path_factory.mktemp("saved") / "store")
    roster = [(f"{c}-{i}", c, f"T. {c}") for c in CLASSROOMS for i in (1, 2)]
    store.save(
        roster=pd.DataFrame(roster, columns=["student_id", "classroom_id", "teacher"]),
        skills=table("| skill_id | name |\n| k | Skill |"),
        evidence=pd.concat([answers(c) for c in CLASSROOMS]),
    )
    return calibrated(store).folder


@pytest.fixture
def store(saved, tmp_path) -> Store:
    """A copy that a test may change."""
    shutil.copytree(saved, tmp_path / "store")
    return Store(tmp_path / "store")


@pytest.fixture
def settings(tmp_path) -> Settings:
    notebooks = PROJECT / "notebooks"
    return Settings(store=tmp_path / "store", out=tmp_path / "reports", notebooks=notebooks, keep=0)


class Workers:
    """Stand-ins for workers: a page is its classroom and data; some can be made to fail."""

    def __init__(self):
        self.fail: dict[str, str] = {}
        self.stop_after: int | None = None
        self.made: list[str] = []

    def __call__(self, tasks, settings, kernels):
        for n, (classroom_id, task) in enumerate(tasks.items()):
            if n == self.stop_after:
                raise KeyboardInterrupt
            if classroom_id not in self.fail:
                keep_page(task, f"{classroom_id} {task.expected.digest}")
                self.made.append(classroom_id)
            yield classroom_id, self.fail.get(classroom_id)


@pytest.fixture
def starts(monkeypatch) -> list[KernelServer]:
    """Kernel servers that would have been started: nobody asks them for a kernel."""
    starts: list[KernelServer] = []
    monkeypatch.setattr(KernelServer, "start", lambda self, _: starts.append(self))
    return starts


@pytest.fixture
def workers(monkeypatch, starts) -> Workers:
    workers = Workers()
    monkeypatch.setattr(runner, "_make_all", workers)
    return workers


def run(settings, **asked):
    return render_reports(StoreIndex(settings.store), settings, Order(WINDOW, **asked))


def shown(settings) -> dict[str, str]:
    folder = current_folder(settings.out)
    entries = read_edition(folder).entries.values()
    return {one.page_id: (folder / one.file).read_text() for one in entries if one.file}


# -- only what changed --------------------------------------------------------------------


def test_the_first_run_makes_all_and_the_second_none(settings, store, workers):
    assert run(settings).rendered == CLASSROOMS
    again = run(settings)
    assert (again.rendered, again.unchanged) == ([], CLASSROOMS)
    assert len(list_editions(settings.out)) == 1


def test_kernels_are_got_ready_only_when_something_was_saved_or_asked_for(
    settings, store, workers, starts
):
    run(settings)
    starts.clear()
    run(settings)
    assert starts == []
    run(settings, force=True)
    store.save(evidence=answers("7A", points=0.0))
    run(settings)
    assert len(starts) == 2


def test_a_notebook_that_is_none_is_said_to_be(settings, store, workers, tmp_path):
    (tmp_path / "classroom_report.ipynb").write_text("<<<<<<< HEAD")
    with pytest.raises(UsageError, match="is not a notebook"):
        run(settings.model_copy(update={"notebooks": tmp_path}))


def test_one_changed_classroom_is_the_only_one_made_again(settings, store, workers):
    run(settings)
    store.save(evidence=answers("7A", points=0.0))
    second = run(settings)
    assert second.rendered == ["7A"]
    assert second.reasons == {"7A": ["its students' data changed"]}
    assert shown(settings)["7A"] == f"7A {StoreIndex(settings.store).digest(WINDOW, ['7A'])}"
    assert second.calibration[WINDOW]["share_changed"] == 1 / 40


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"min_size": 2}, "its parameters changed"),
        ({"language": "es"}, "its parameters changed"),
    ],
)
def test_another_setting_makes_all_anew_and_says_so(changed, reason, settings, store, workers):
    run(settings)
    plan = plan_reports(
        StoreIndex(settings.store), settings.model_copy(update=changed), Order(WINDOW)
    )
    assert plan.planned == CLASSROOMS
    assert {tuple(reasons) for reasons in plan.reasons.values()} == {(reason,)}


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("package_digest", "the analysis package changed"),
        ("versions_digest", "a library changed"),
    ],
)
def test_another_version_makes_all_anew(part, reason, settings, store, workers, monkeypatch):
    from analysis.rendering import staleness

    run(settings)
    monkeypatch.setattr(staleness, part, lambda: "other")
    plan = plan_reports(StoreIndex(settings.store), settings, Order(WINDOW))
    assert plan.reasons["1A"] == [reason]


def test_a_changed_notebook_makes_all_anew(settings, store, workers, tmp_path):
    run(settings)
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    text = (PROJECT / "notebooks" / "classroom_report.ipynb").read_text("utf-8")
    (notebooks / "classroom_report.ipynb").write_text(text + " ", "utf-8")
    other = settings.model_copy(update={"notebooks": notebooks})
    plan = plan_reports(StoreIndex(settings.store), other, Order(WINDOW))
    assert plan.reasons["1A"] == ["the notebook changed"]


def test_a_plan_changes_nothing_and_estimates_the_time(settings, store, workers):
    plan = plan_reports(StoreIndex(settings.store), settings, Order(WINDOW))
    assert plan.planned == CLASSROOMS
    assert plan.estimated_seconds > 0
    assert not settings.out.exists()


def test_a_page_that_is_gone_is_made_again(settings, store, workers):
    run(settings)
    next(current_folder(settings.out).glob("7a-*.html")).unlink()
    assert run(settings).rendered == ["7A"]


def test_force_makes_what_is_asked_for_and_carries_over_the_rest(settings, store, workers):
    run(settings)
    forced = run(settings, page_ids=["3A", "2A"], force=True)
    assert forced.rendered == ["2A", "3A"]
    assert sorted(shown(settings)) == sorted(CLASSROOMS)


def test_only_failed_tries_those_alone(settings, store, workers):
    workers.fail = {"2A": "cell 3 stopped with ValueError", "5A": "its process died"}
    first = run(settings)
    assert [one["page_id"] for one in first.failed] == ["2A", "5A"]
    store.save(evidence=answers("7A", points=0.0))
    workers.fail = {}
    again = run(settings, only_failed=True)
    assert again.rendered == ["2A", "5A"]
    assert again.reasons["2A"] == ["it failed the last time"]
    assert run(settings).rendered == ["7A"]


def test_a_failed_classroom_keeps_its_last_good_page_with_its_date(settings, store, workers):
    run(settings)
    good, before = shown(settings)["7A"], read_edition(current_folder(settings.out)).entries["7A"]
    store.save(evidence=answers("7A", points=0.0))
    workers.fail = {"7A": "cell 3 stopped with ValueError"}
    run(settings)
    entry = read_edition(current_folder(settings.out)).entries["7A"]
    assert shown(settings)["7A"] == good
    assert (entry.made_on, entry.failed) == (before.made_on, True)


def test_an_unknown_classroom_stops_before_anything(settings, store, workers):
    with pytest.raises(UnknownError, match="no classroom '77A'"):
        run(settings, page_ids=["77A"])
    assert workers.made == []


# -- calibration --------------------------------------------------------------------------


@pytest.mark.parametrize(("n_changed", "due"), [(2, False), (3, True)])
def test_a_calibration_is_due_when_more_than_its_share_changed(n_changed, due, store):
    for classroom_id in CLASSROOMS[:n_changed]:
        store.save(evidence=answers(classroom_id, points=0.0))
    assert share_changed(store, WINDOW, calibration_in_force(store, WINDOW)) == n_changed / 40
    assert calibration_is_due(store, WINDOW, 0.05) is due


def test_a_changed_framework_or_method_makes_it_due(store, monkeypatch):
    from analysis.store import calibrations

    store.save(skills=table("| skill_id | name |\n| k2 | Other |"))
    assert calibration_is_due(store, WINDOW)
    calibrated(store)
    assert not calibration_is_due(store, WINDOW)
    monkeypatch.setattr(calibrations, "method_digest", lambda: "other")
    assert calibration_is_due(store, WINDOW)


def test_who_joins_and_who_leaves_counts_as_changed(store):
    store.save(
        roster=table("| student_id | classroom_id |\n| 9Z-1 | 9Z |\n| 9Z-2 | 9Z |"),
        evidence=answers("9Z"),
    )
    assert share_changed(store, WINDOW, calibration_in_force(store, WINDOW)) == 1 / 41


def test_the_calibrations_content_is_part_of_the_key_not_its_day(settings, store, workers):
    run(settings)
    calibrated(store)
    assert run(settings).rendered == []
    with hold_calibrations(store) as folder:
        (folder / "made.json").write_text('"other"')
        put_in_force(store, WINDOW, folder / "made.json")
    assert set(run(settings).reasons["1A"]) == {
        "the calibration, made from the data of all classrooms, changed"
    }
    assert len(list((store.folder / "calibration").glob("*.json"))) == 2


def test_while_reports_are_made_no_calibration_changes(settings, store, monkeypatch):
    def look(tasks, settings, kernels):
        with pytest.raises(LockedError, match="calibration"), hold_calibrations(store):
            pytest.fail("it was not held")
        return iter(())

    monkeypatch.setattr(runner, "_make_all", look)
    run(settings, page_ids=[])


# -- editions -----------------------------------------------------------------------------


def test_yesterdays_edition_stays_whole_and_rollback_shows_it(settings, store, workers):
    run(settings)
    before = shown(settings)
    store.save(evidence=answers("7A", points=0.0))
    run(settings)
    after = shown(settings)
    assert before != after
    roll_back(settings.out)
    assert shown(settings) == before
    roll_back(settings.out, list_editions(settings.out)[-1])
    assert shown(settings) == after


def test_there_must_be_an_edition_to_roll_back_to(settings, store, workers):
    run(settings)
    with pytest.raises(UsageError, match="no edition before"):
        roll_back(settings.out)
    with pytest.raises(UnknownError, match="no edition '2020'"):
        roll_back(settings.out, "2020")


def test_the_pdf_of_a_page_goes_with_it_and_not_with_its_successor(settings, store, workers):
    run(settings)
    before = current_folder(settings.out)
    for page in before.glob("*a-*.html"):
        page.with_suffix(".pdf").write_bytes(page.read_bytes())
    store.save(evidence=answers("7A", points=0.0))
    run(settings)
    pdfs = {one.stem for one in current_folder(settings.out).glob("*.pdf")}
    made = {one.stem for one in before.glob("*.pdf")}
    assert [one[:2] for one in made - pdfs] == ["7a"]
    assert pdfs < made


def test_old_editions_are_removed_but_never_the_one_that_is_shown(settings, store, workers):
    for _ in range(4):
        run(settings, page_ids=["1A"], force=True)
    names = list_editions(settings.out)
    roll_back(settings.out, names[0])
    assert remove_editions(settings.out, keep=2) == [names[1]]
    assert list_editions(settings.out) == [names[0], *names[2:]]
    assert shown(settings)["1A"]


def test_where_there_are_no_links_a_file_names_the_edition(settings, store, workers, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    summary = run(settings)
    assert sorted(shown(settings)) == sorted(CLASSROOMS)
    assert Path(summary.index).is_file()
    leading = (settings.out / "current.html").read_text("utf-8")
    assert f"editions/{summary.edition}/index.html" in leading
    assert run(settings).unchanged == CLASSROOMS


def test_a_classroom_that_left_is_not_published_any_more(settings, store, workers):
    run(settings)
    content = json.loads((store.folder / "store.json").read_text())
    del content["classrooms"]["7A"]
    (store.folder / "store.json").write_text(json.dumps(content))
    assert run(settings).gone == ["7A"]
    assert "7A" not in shown(settings)
    assert list(current_folder(settings.out).glob("7a-*")) == []


def test_two_runs_at_once_are_refused(settings, store, workers):
    with locked(settings.out, "making reports"), pytest.raises(LockedError, match="Another run"):
        run(settings)


# -- stopped ------------------------------------------------------------------------------


def test_a_stopped_run_is_gone_on_with(settings, store, workers):
    workers.stop_after = 15
    with pytest.raises(KeyboardInterrupt):
        run(settings)
    assert current_folder(settings.out) is None
    workers.stop_after = None
    second = run(settings)
    assert second.resumed == CLASSROOMS[:15]
    assert second.rendered == CLASSROOMS[15:]
    assert workers.made == CLASSROOMS
    assert sorted(shown(settings)) == sorted(CLASSROOMS)


def stop_then_change(settings, store, workers):
    workers.stop_after = 15
    with pytest.raises(KeyboardInterrupt):
        run(settings)
    workers.stop_after = None
    store.save(evidence=answers("2A", points=0.0))


def test_what_changed_meanwhile_is_made_again(settings, store, workers):
    stop_then_change(settings, store, workers)
    second = run(settings)
    assert "2A" in second.rendered
    assert shown(settings)["2A"] == f"2A {StoreIndex(settings.store).digest(WINDOW, ['2A'])}"


def test_a_run_for_one_classroom_takes_over_what_is_right_and_publishes_nothing_else(
    settings, store, workers
):
    stop_then_change(settings, store, workers)
    run(settings, page_ids=["40A"])
    assert sorted(shown(settings)) == sorted({*CLASSROOMS[:15], "40A"} - {"2A"})
    assert len(list(current_folder(settings.out).glob("*a-*.html"))) == 15


def test_a_page_cut_short_by_a_power_cut_does_not_count(settings, store, workers):
    stop_then_change(settings, store, workers)
    page = next((settings.out / "editions").glob(".making-*/3a-*.html"))
    page.write_text(page.read_text()[:5])
    assert "3A" in run(settings).rendered


def test_older_leftovers_are_removed_with_notice(settings, store, workers):
    for name in (".making-20200101T000000000000Z", ".making-20210101T000000000000Z"):
        (settings.out / "editions" / name).mkdir(parents=True)
    assert run(settings).removed_orphans == 1
    assert list((settings.out / "editions").glob(".making-*")) == []


@pytest.mark.parametrize("fails", ["write_json", "write_whole", "switch_to", "_carry_over"])
def test_a_full_disk_while_publishing_leaves_the_edition_before(
    fails, settings, store, workers, monkeypatch
):
    run(settings)
    before = shown(settings)
    store.save(evidence=answers("7A", points=0.0))

    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, fails, full)
        with pytest.raises(AnalysisError, match=r"No space left.*\n.*still shown"):
            run(settings)
    assert shown(settings) == before
    run(settings)
    assert shown(settings)["7A"] != before["7A"]
