"""Panels without a browser: what a coach does, its static twin, and what is never said."""

from __future__ import annotations

import json

import nbformat
import pytest

from analysis.caseload import open_caseload
from analysis.classroom import open_classroom
from analysis.errors import UsageError
from analysis.explore import (
    explore_caseload,
    explore_groups,
    explore_growth,
    explore_mastery,
)
from analysis.explore.desk import Desk
from analysis.explore.saving import strip_outputs
from analysis.plans import Plan, changes, read_plan
from analysis.rendering.execution import execute_notebook
from analysis.rendering.strangers import Strangers
from analysis.store import Store
from analysis.store.parts import read_people
from conftest import PROJECT, WINDOW

CLASSROOM = "demo-4b"
BY_HAND = ["00_start_here", "02_skill_mastery", "03_student_groups"]


@pytest.fixture
def store(own_store) -> Store:
    return own_store


@pytest.fixture
def classroom(store):
    return open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder)


@pytest.fixture
def desk(classroom) -> Desk:
    return Desk(classroom)


@pytest.fixture
def panel(classroom):
    return explore_groups(classroom, live=True)


def sizes(desk: Desk) -> list[int]:
    return desk.classroom.grouping.focus["size"].tolist()


def two_of_a_group(desk: Desk) -> list[str]:
    groups = desk.classroom.grouping.groups
    return groups.loc[groups["group"] == 1, "student_id"].tolist()[:2]


# -- the desk --------------------------------------------------------------------------------


def test_every_step_can_be_taken_back_one_by_one(desk):
    before = sizes(desk)
    desk.decide(Plan(max_size=4))
    then = sizes(desk)
    desk.decide(Plan(max_size=5))
    desk.undo()
    assert sizes(desk) == then
    desk.undo()
    assert sizes(desk) == before
    assert not desk.can_undo


def test_a_reset_goes_back_to_what_is_kept_and_can_be_undone(desk):
    desk.decide(Plan(max_size=5))
    desk.keep(by="A", why="b")
    desk.decide(Plan(max_size=4))
    desk.set_absent(two_of_a_group(desk))
    desk.reset()
    assert desk.state.plan == Plan(max_size=5)
    assert desk.state.absent == ()
    desk.undo()
    assert desk.state.plan == Plan(max_size=4)


def test_rules_that_disagree_change_nothing_and_are_said_in_names(desk):
    one, other = two_of_a_group(desk)
    desk.decide(changes.pair_students(Plan(), "apart", [one, other]))
    before = desk.state
    with pytest.raises(UsageError, match="follows all of these rules") as raised:
        desk.decide(changes.pair_students(desk.state.plan, "together", [one, other]))
    assert desk.state == before
    said = desk.in_names(raised.value)
    assert desk.classroom.name_of(one) in said
    assert one not in said


def test_what_is_tried_in_one_classroom_waits_while_another_is_looked_at(desk):
    desk.decide(Plan(max_size=4))
    desk.open("demo-4c", WINDOW)
    assert desk.state.plan == Plan()
    desk.open(CLASSROOM, WINDOW)
    assert desk.state.plan == Plan(max_size=4)
    assert not desk.is_kept


def test_the_absent_are_out_for_today_and_not_in_the_plan(desk, store):
    students = two_of_a_group(desk)
    desk.set_absent(students)
    groups = desk.classroom.grouping.groups.set_index("student_id")["group"]
    assert groups[students].isna().all()
    assert desk.is_kept
    desk.decide(Plan(max_size=5))
    desk.keep(by="A", why="b")
    assert not set(students) & set(read_plan(store.folder, CLASSROOM, WINDOW).plan.students)


def test_a_plan_that_cannot_be_followed_any_more_is_said_and_the_groups_still_shown(store):
    classroom = open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder)
    desk = Desk(classroom)
    one, other = two_of_a_group(desk)
    impossible = Plan(together=[(one, other)], apart=[(one, other)])
    desk.keep(by="A", why="b") if not desk.is_kept else None
    classroom.history = classroom.history.with_version(impossible, by="A", why="b")
    opened = Desk(classroom)
    assert "follows all of these rules together" in opened.trouble
    assert len(sizes(opened)) > 1


# -- the panel ---------------------------------------------------------------------------------


def test_the_groups_follow_each_control(panel):
    panel._largest.value = 4
    assert max(sizes(panel.desk)) <= 4
    panel._number.value = 5
    assert len(sizes(panel.desk)) == 5
    skill_id = panel.classroom.grouping.focus["focus_skill_id"].iloc[0]
    box = panel._skill_boxes.children[panel._skill_ids.index(skill_id)]
    box.value = False
    assert skill_id not in panel.classroom.grouping.focus["focus_skill_id"].tolist()


def test_an_impossible_size_is_said_and_the_controls_go_back(panel):
    panel._smallest.value = 9
    assert "min_size must be at least 1 and at most max_size" in panel._message.value
    assert panel._smallest.value == 3


def test_locking_naming_and_noting_a_group(panel):
    panel._name.value, panel._note.value = "Rockets", "in the library"
    panel.act(panel._label)
    panel.act(panel._lock)
    shown = panel._views[0][0].value
    assert "Rockets" in shown
    assert "in the library" in shown
    assert "locked by the teacher" in shown
    panel.act(panel._unlock)
    assert "locked by the teacher" not in panel._views[0][0].value


def test_each_decision_can_be_lifted(panel):
    panel._who.value = tuple(two_of_a_group(panel.desk))
    panel.act(lambda: panel._pair("apart"))
    panel.act(panel._lift)
    assert panel.desk.state.plan.is_empty
    panel.act(panel._lift)
    assert "Nothing is decided yet." in panel._message.value


def test_k_means_stands_beside_when_asked_for(panel):
    assert "Cluster 1" not in panel._views[0][0].value
    panel._k_means.value = True
    assert "Cluster 1" in panel._views[0][0].value


def test_the_map_shows_the_skills_that_are_asked_for(classroom):
    panel = explore_mastery(classroom, live=True)
    everything = panel._views[0][0].value.count('<th scope="col">')
    panel._subject.value = "need"
    assert 1 < panel._views[0][0].value.count('<th scope="col">') < everything


def test_what_a_student_is_called_is_never_markup(store):
    roster = store.read_roster(CLASSROOM)
    attack = "<img src=x onerror=alert(1)>"
    hostile = Store(store.folder.parent / "hostile")
    hostile.save(
        roster=roster.assign(display_name=attack),
        skills=store.read_skills(),
        items=store.read_items(),
        evidence=store.read_evidence(WINDOW, CLASSROOM),
    )
    panel = explore_groups(
        open_classroom(CLASSROOM, window=WINDOW, data_dir=hostile.folder), live=True
    )
    panel._who.value = tuple(two_of_a_group(panel.desk))
    panel.act(lambda: panel._pair("apart"))
    panel.act(lambda: panel._pair("together"))
    panel._k_means.value = True
    for widget in (panel._views[0][0], panel._message):
        assert "<img" not in widget.value


# -- the static twin -----------------------------------------------------------------------------


@pytest.mark.parametrize("explore", [explore_groups, explore_mastery, explore_growth])
def test_without_somebody_to_touch_it_a_panel_is_the_view_of_the_report(classroom, explore):
    bundle = explore(classroom)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/html"] == explore(classroom).static().html


@pytest.mark.parametrize("explore", [explore_groups, explore_mastery, explore_growth])
def test_a_live_panel_leaves_nobody_in_the_notebooks_file(classroom, explore):
    panel = explore(classroom, live=True)
    for shown in (panel, panel.follow("others")):
        kept = json.dumps(shown._repr_mimebundle_())
        assert "text/html" not in kept
        assert not any(name in kept for name, _ in classroom.named_students)


@pytest.mark.parametrize("name", BY_HAND)
def test_a_notebook_under_papermill_has_static_views_and_its_own_classroom_alone(
    demo_store, tmp_path, name
):
    file = PROJECT / "notebooks" / f"{name}.ipynb"
    given = {"classroom_id": CLASSROOM, "data_dir": str(demo_store.folder)}
    executed = execute_notebook(file, given, tmp_path / "executed.ipynb")
    text = nbformat.writes(executed)
    assert "widgets" not in executed.metadata
    assert "vnd.jupyter.widget" not in text
    assert Strangers(read_people(demo_store)).found_in(text, [CLASSROOM]) == []
    assert text.count("text/html") >= 2


def test_what_is_not_a_notebook_is_saved_as_it_is():
    model = {"type": "file", "content": "a,b"}
    strip_outputs(model)
    assert model == {"type": "file", "content": "a,b"}


# -- a coach's classrooms ----------------------------------------------------------------------


@pytest.fixture
def caseload(store):
    return open_caseload(window=WINDOW, data_dir=store.folder)


def test_fewer_adults_make_fewer_groups_at_once(caseload):
    panel = explore_caseload(caseload, grade="4", n_adults=8, room=20, live=True)
    before = panel._view.value
    panel.choose(n_adults=5, room=30)
    assert panel._view.value == panel.html != before
    assert caseload.group_grade("4", n_adults=5, room=30).focus["group"].nunique() <= 5


def test_a_block_that_cannot_be_is_one_sentence(caseload):
    panel = explore_caseload(caseload, grade="4", n_adults=1, room=1, live=True)
    assert 'class="note"' in panel.html
    assert "Traceback" not in panel.html


def test_without_controls_a_caseload_is_its_views_alone(caseload):
    shown = explore_caseload(caseload, live=False)._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/html"].startswith("<")
