"""The teacher's judgement: kept with day, who and why, followed, and never overwritten."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime

import pytest

from analysis.classroom import open_classroom
from analysis.errors import DataError, UsageError
from analysis.plans import (
    GroupLabel,
    History,
    LockedGroup,
    Move,
    Plan,
    changes,
    plan_digest,
    read_plan,
    save_plan,
)
from analysis.plans.files import plan_file
from analysis.rendering.plan import Order
from analysis.rendering.runner import plan_reports
from analysis.settings import Settings
from analysis.store import Store
from conftest import PROJECT, WINDOW

CLASSROOM = "demo-4b"


@pytest.fixture
def store(own_store) -> Store:
    return own_store


@pytest.fixture
def empty(store) -> History:
    return read_plan(store.folder, CLASSROOM, WINDOW)


@pytest.fixture
def classroom(store):
    return open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder)


def members(classroom, group: int) -> tuple[str, list[str]]:
    groups = classroom.grouping.groups
    mine = groups[groups["group"] == group]
    return mine["focus_skill_id"].iloc[0], sorted(mine["student_id"])


def sets(classroom) -> list[set[str]]:
    groups = classroom.grouping.groups.dropna(subset=["group"])
    return [set(part["student_id"]) for _, part in groups.groupby("group")]


# -- the file ------------------------------------------------------------------------------


def test_a_plan_comes_back_as_it_was_saved(store, empty):
    plan = Plan(
        min_size=2, max_size=5, n_groups=4, certainty=0.7, skills_out=["3.PV.1"],
        together=[("s1", "s2")], apart=[("s3", "s4", "s5")],
        moves=[Move(student_id="s6", skill_id="k", beside="s7")],
        locked=[LockedGroup(skill_id="k", students=["s8", "s9"])],
        labels=[GroupLabel(skill_id="k", students=["s8"], name='Ünï "x"', note="a\nb = [1]")],
    )  # fmt: skip
    saved = save_plan(store.folder, empty, plan, by="Ms. Rivera", why="they asked for it")
    assert saved.plan == plan
    assert read_plan(store.folder, CLASSROOM, WINDOW) == saved


def test_every_version_stays_with_its_day_who_and_why(store, empty):
    day = datetime(2026, 11, 2, tzinfo=UTC)
    first = save_plan(
        store.folder, empty, Plan(max_size=5), by="A", why="small room", decided_on=day
    )
    second = save_plan(store.folder, first, Plan(max_size=4), by="B", why="new tables")
    assert [(one.by, one.why, one.max_size) for one in second.versions] == [
        ("A", "small room", 5),
        ("B", "new tables", 4),
    ]
    assert second.versions[0].decided_on == day
    text = plan_file(store.folder, CLASSROOM, WINDOW).read_text("utf-8")
    assert "decided_on = 2026-11-02" in text
    assert 'why = "small room"' in text


def test_a_decision_is_whose_who_made_it_not_whose_who_saved_last(store, empty):
    pair = ("s1", "s2")
    first = save_plan(store.folder, empty, Plan(apart=[pair]), by="A", why="quarrels")
    second = save_plan(store.folder, first, Plan(apart=[pair], max_size=4), by="B", why="tables")
    assert second.origin_of(pair).by == "A"
    assert second.origin_of(("max_size", 4)).by == "B"
    assert second.origin_of(("s1", "s3")) is None


def test_only_its_owner_can_read_a_plan(store, empty):
    save_plan(store.folder, empty, Plan(max_size=5), by="A", why="b")
    file = plan_file(store.folder, CLASSROOM, WINDOW)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(("by", "why"), [("", "because"), ("A", "  "), ("A" * 200, "because")])
def test_nothing_is_kept_without_who_and_why(store, empty, by, why):
    with pytest.raises(UsageError, match=r"who decides and why|at most 80"):
        save_plan(store.folder, empty, Plan(max_size=5), by=by, why=why)
    assert not plan_file(store.folder, CLASSROOM, WINDOW).exists()


def test_what_another_has_kept_meanwhile_is_not_overwritten(store, empty):
    save_plan(store.folder, empty, Plan(max_size=5), by="A", why="b")
    with pytest.raises(UsageError, match="Somebody has changed the plan of classroom demo-4b"):
        save_plan(store.folder, empty, Plan(max_size=4), by="C", why="d")
    assert read_plan(store.folder, CLASSROOM, WINDOW).plan.max_size == 5


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("classroom_id = ", "not valid TOML"),
        ('classroom_id = "7A"\nwindow = "w"', "the plan of classroom 7A in w"),
        ('classroom_id = "demo-4b"\nwindow = "2026-EOY"\n[[versions]]\nmax_size = 99\n'
         'decided_on = 2026-01-01\nby = "A"\nwhy = "b"', r"versions\.1\.max_size"),
        ('classroom_id = "demo-4b"\nwindow = "2026-EOY"\n[[versions]]\nmax_sise = 4\n'
         'decided_on = 2026-01-01\nby = "A"\nwhy = "b"', r"versions\.1\.max_sise: Extra"),
    ],
)  # fmt: skip
def test_a_spoilt_plan_is_refused_with_its_place(store, written, said):
    file = plan_file(store.folder, CLASSROOM, WINDOW)
    file.parent.mkdir(parents=True)
    file.write_text(written, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder)


# -- what it does to the groups ---------------------------------------------------------------


def test_a_locked_group_and_a_moved_student_are_where_the_teacher_wants_them(classroom):
    skill, students = members(classroom, 1)
    other_skill, others = members(classroom, 2)
    plan = changes.lock_group(Plan(), skill, students)
    plan = changes.move_student(plan, students[0], other_skill, group=others)
    shown = classroom.with_plan(plan)
    assert set(students[1:]) in sets(shown)
    groups = shown.grouping.groups.set_index("student_id")
    assert groups.at[students[0], "focus_skill_id"] == other_skill


def test_a_student_moved_between_groups_of_one_skill_sits_where_it_was_meant(classroom):
    plan = Plan(skills_out=[one for one in classroom.skill_states.columns if one != "4.FR.2"])
    crowded = classroom.with_plan(plan)
    assert crowded.grouping.focus["focus_skill_id"].tolist().count("4.FR.2") > 1
    skill, first = members(crowded, 1)
    _, second = members(crowded, 2)
    moved = changes.move_student(plan, second[0], skill, group=first, crowded=True)
    beside = moved.moves[0].beside
    assert any({second[0], beside} <= group for group in sets(crowded.with_plan(moved)))


def test_a_student_who_has_left_is_left_out_of_the_plan_and_no_report_fails(store, empty):
    classroom = open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder)
    skill, students = members(classroom, 1)
    plan = Plan(
        locked=[LockedGroup(skill_id=skill, students=[*students, "gone"])],
        apart=[("gone", students[0])],
        moves=[Move(student_id="gone", skill_id=skill)],
    )
    save_plan(store.folder, empty, plan, by="A", why="b")
    opened = open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder)
    assert set(students) in sets(opened)
    assert opened.plan.apart == opened.plan.moves == ()


def test_other_plans_leave_the_classroom_as_it_was(classroom):
    before = sets(classroom)
    sizes = classroom.with_plan(Plan(max_size=4)).grouping.focus["size"]
    assert sizes.max() <= 4
    assert sets(classroom) == before


def test_a_name_and_a_note_follow_most_of_the_group(classroom):
    skill, students = members(classroom, 1)
    plan = changes.label_group(Plan(), skill, students, name="Rockets", note="in the library")
    plan = changes.lock_group(plan, skill, students[1:])
    shown = classroom.with_plan(plan)
    number = next(iter(shown.choices.names))
    assert set(members(shown, number)[1]) == set(students[1:])
    assert "Rockets" in shown.show_groups().html
    assert "in the library" in shown.show_groups().html


def test_lifting_a_decision_takes_it_back_and_nothing_else():
    lock = LockedGroup(skill_id="k", students=["s1"])
    plan = Plan(locked=[lock], apart=[("s2", "s3")], max_size=5)
    assert changes.lift(plan, lock) == Plan(apart=[("s2", "s3")], max_size=5)
    assert changes.lift(plan, ("s2", "s3")) == Plan(locked=[lock], max_size=5)
    assert changes.lift(plan, ("max_size", 5)) == Plan(locked=[lock], apart=[("s2", "s3")])


# -- what it does to reports ------------------------------------------------------------------


def test_the_report_shows_the_teachers_choice_as_such_in_every_language(store, empty):
    skill, students = members(open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder), 1)
    plan = changes.lock_group(Plan(), skill, students)
    save_plan(store.folder, empty, plan, by="J. Rivera", why="they began together")
    for language, said in [("en", "locked by the teacher"), ("es", "fijado por el docente")]:
        opened = open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder, language=language)
        html = opened.show_groups().html
        assert said in html
        assert "J. Rivera" in html
        assert "they began together" in html


def test_a_plans_words_are_shown_and_never_run(store, empty, classroom):
    skill, students = members(classroom, 1)
    attack = "<img src=x onerror=alert(1)>"
    plan = changes.label_group(Plan(), skill, students, name=attack, note=attack)
    save_plan(store.folder, empty, plan, by=attack, why=attack)
    html = open_classroom(CLASSROOM, window=WINDOW, data_dir=store.folder).show_groups().html
    assert html.count("&lt;img") >= 4
    assert "<img" not in html


def test_a_changed_plan_makes_that_classrooms_report_stale_and_no_other(
    store, empty, tmp_path, monkeypatch
):
    settings = Settings(store=store.folder, out=tmp_path / "out", notebooks=PROJECT / "notebooks")
    planned = plan_reports(store, settings, Order(WINDOW))
    assert planned.reasons[CLASSROOM] == ["there is no report yet"]
    keys = _keys(store, settings)
    save_plan(store.folder, empty, Plan(max_size=5), by="A", why="b")
    assert {one for one, key in _keys(store, settings).items() if key != keys[one]} == {CLASSROOM}


def _keys(store, settings) -> dict[str, str]:
    from analysis.rendering.edition import Edition
    from analysis.rendering.plan import Planner

    planner = Planner(store, settings, Order(WINDOW), Edition("", WINDOW), None)
    tasks = planner.plan("now", {}).tasks
    return {one: json.dumps(task.key, sort_keys=True) for one, task in tasks.items()}


def test_the_digest_of_a_plan_is_empty_where_there_is_none(store, empty):
    assert plan_digest(store.folder, [CLASSROOM, "demo-4c"], WINDOW) == ""
    save_plan(store.folder, empty, Plan(max_size=5), by="A", why="b")
    one = plan_digest(store.folder, [CLASSROOM], WINDOW)
    assert one
    assert plan_digest(store.folder, ["demo-4c"], WINDOW) == ""
