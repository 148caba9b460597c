"""The coach's page: it names what was planted, keeps what is the coach's apart, and adds up."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from analysis.caseload import Caseload, open_caseload
from analysis.classroom import open_classroom
from analysis.district import import_exports
from analysis.errors import UnknownError, UsageError
from analysis.priorities import Fact
from analysis.rendering.kinds import CASELOADS, CLASSROOMS
from analysis.settings import Settings
from analysis.simulation import simulate_district, write_district
from analysis.store import Store, StoreIndex
from analysis.store.slices import cut_slice, lay_slice
from conftest import PROJECT, WINDOW

pytestmark = pytest.mark.slow

KEPT = ["english_learner", "support_plan", "teacher_years"]
NAMED_AS = {
    "lacks one skill": Fact.ONE_SKILL,
    "strong": Fact.AHEAD,
    "many missing": Fact.MISSING,
    "little growth": Fact.LITTLE_GROWTH,
    "sparse": Fact.FEW_ANSWERS,
    "first-year teacher": Fact.NEW_TEACHER,
    "far behind": Fact.BEHIND,
    "strong growth": Fact.MUCH_GROWTH,
    "two halves": Fact.TWO_HALVES,
    "same name": Fact.SAME_NAME,
    "student in two classrooms": Fact.SHARED_STUDENT,
}
"""What the simulator plants, and what the page calls it."""


@pytest.fixture(scope="module")
def kept_store(tmp_path_factory) -> Store:
    """The demo with the columns a coach may ask to keep."""
    store = Store(tmp_path_factory.mktemp("kept") / "store")
    import_exports([PROJECT / "data" / "demo"], store, keep=KEPT)
    return store


@pytest.fixture(scope="module")
def demo(kept_store, tmp_path_factory) -> Caseload:
    log = tmp_path_factory.mktemp("log") / "visits.csv"
    return open_caseload(window=WINDOW, data_dir=kept_store.folder, visits=log)


@pytest.fixture(scope="module")
def small_store(tmp_path_factory) -> Store:
    """Six classrooms, quick enough to group in every window."""
    folder = tmp_path_factory.mktemp("small")
    write_district(simulate_district(6), folder / "exports")
    store = Store(folder / "store")
    import_exports([folder / "exports"], store, keep=KEPT)
    return store


@pytest.fixture(scope="module")
def small(small_store, tmp_path_factory) -> Caseload:
    log = tmp_path_factory.mktemp("small-log") / "visits.csv"
    log.write_text(
        "date,classroom_id,goal,skill_id,target,due,next_step,result\n"
        "2025-09-22,demo-4a,Place value,3.PV.1,12,2026-01-10,Number talk,\n"
        "2025-09-22,demo-4b,Rounding,3.PV.1,15,2026-05-01,Co-teach,We tried\n"
        "2026-05-20,demo-3a,Facts,3.MU.1,12,2026-12-01,,\n"
        "2026-05-20,elsewhere,Not mine,,,,,\n"
    )
    return open_caseload(window=WINDOW, data_dir=small_store.folder, visits=log)


# What is planted is named


@pytest.mark.parametrize("planted", NAMED_AS)
def test_the_page_names_the_classroom_in_which_something_was_planted(demo, planted):
    where = simulate_district().planted.set_index("fact").at[planted, "classroom_id"]
    facts = demo.notable[demo.notable["fact"] == NAMED_AS[planted]]
    assert where in set(facts["classroom_id"])


def test_the_missing_skill_is_named_with_its_classroom(demo):
    one = demo.notable[demo.notable["fact"] == Fact.ONE_SKILL]
    assert one[["classroom_id", "skill_id"]].values.tolist() == [["demo-4b", "3.PV.1"]]


def test_little_is_called_unusual_that_was_not_planted(demo):
    planted = simulate_district().planted
    known = {
        (NAMED_AS[fact], room)
        for fact, room in zip(planted["fact"], planted["classroom_id"], strict=True)
    }
    others = [
        (f, c)
        for f, c in zip(demo.notable["fact"], demo.notable["classroom_id"], strict=True)
        if (f, c) not in known
    ]
    assert len(others) <= 12


def test_the_classroom_that_stands_still_comes_first_and_the_strong_ones_last(demo):
    order = demo.priorities["classroom_id"].tolist()
    assert order[0] == "demo-4d"
    assert set(order[-2:]) == {"demo-3f", "demo-4c"}


def test_the_score_is_the_product_of_its_parts(demo):
    parts = demo.priorities[["need", "ready", "evidence", "change"]]
    assert ((parts >= 0) & (parts <= 1)).all(axis=None)
    product = 100 * parts.prod(axis=1)
    pd.testing.assert_series_equal(demo.priorities["score"], product, check_names=False)


def test_students_who_may_be_lost_are_far_below_and_did_gain_little(demo):
    truth = simulate_district().truth
    n_held = truth.groupby(["student_id", "window"])["has_skill"].sum().unstack()
    gained = (n_held["2026-EOY"] - n_held["2026-BOY"]).reindex(demo.at_risk["student_id"])
    assert len(gained) >= 5
    assert (demo.at_risk["n_below"] >= 2).all()
    assert (gained <= 1).mean() >= 0.6


def test_common_skills_are_next_for_several_classrooms(demo):
    assert len(demo.common_focus) >= 1
    assert (demo.common_focus["n_classrooms"] >= 2).all()
    assert "demo-4b" in demo.common_focus.iloc[0]["classroom_ids"]


def test_a_student_of_two_classrooms_counts_once_among_all(demo):
    assert demo.roster["student_id"].duplicated().sum() == 1
    assert not demo.compared["student_id"].duplicated().any()
    assert not demo.mastery.duplicated(["student_id", "skill_id"]).any()


# Groups across a grade


def test_groups_across_a_grade_keep_to_its_rooms_and_adults(demo):
    grouping = demo.group_grade("4", n_adults=10, room=12)
    sizes = grouping.focus["size"]
    assert len(sizes) == 10
    assert sizes.between(3, 12).all()
    homes = demo.roster.drop_duplicates("student_id").set_index("student_id")["classroom_id"]
    seated = grouping.groups.dropna(subset=["group"])
    assert seated.groupby("group")["student_id"].agg(lambda ids: homes[ids].nunique()).max() > 2
    assert set(grouping.groups["student_id"]) == set(
        demo.roster.query("grade == '4'")["student_id"]
    )


def test_more_adults_put_more_students_on_the_right_skill(demo):
    few = demo.group_grade("4", n_adults=6, room=14)
    many = demo.group_grade("4", n_adults=12, room=14)
    assert many.expected_on_target > few.expected_on_target


# Cycles


def test_a_cycle_is_judged_by_the_windows_around_it(small):
    cycles = small.cycles.set_index("classroom_id")
    assert cycles.at["demo-4a", "outcome"] == "met"
    assert cycles.at["demo-4b", "outcome"] == "not met"
    assert cycles.at["demo-3a", "outcome"] == "still running"
    assert "elsewhere" not in cycles.index


def test_before_is_what_was_known_on_the_day_of_the_visit(small):
    truth = simulate_district(6).truth
    here = small.roster.query("classroom_id == 'demo-4a'")["student_id"]
    own = truth[truth["student_id"].isin(here) & truth["skill_id"].eq("3.PV.1")]
    held = own.groupby("window")["has_skill"].sum()
    cycle = small.cycles.set_index("classroom_id").loc["demo-4a"]
    assert cycle["before"] == pytest.approx(held["2026-BOY"], abs=2.5)
    assert cycle["after"] == pytest.approx(held["2026-MOY"], abs=2.5)


# Every part is said


PARTS = [
    name
    for name in dir(Caseload)
    if name.startswith(("show_", "chart_")) and name != "show_grade_groups"
]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_says_something_and_escapes_it(small, part):
    html = getattr(small, part)()._repr_html_()
    assert len(html) > 80
    assert "<script" not in html


def test_the_groups_are_those_of_the_classrooms_own_report(small, small_store):
    own = open_classroom("demo-4b", window=WINDOW, data_dir=small_store.folder).grouping.groups
    own = own.dropna(subset=["group"]).set_index("student_id")["group"].to_dict()
    here = small.groups.query("classroom_id == 'demo-4b' and window == @WINDOW")
    assert here.set_index("student_id")["group"].to_dict() == own


def test_before_a_second_window_nothing_is_said_of_growth(small_store, tmp_path):
    first = open_caseload(window="2026-BOY", data_dir=small_store.folder, visits=tmp_path / "v.csv")
    assert first.growth.empty
    assert first.at_risk.empty
    for part in PARTS:
        assert getattr(first, part)()._repr_html_()


# What is the coach's stays the coach's


def test_nothing_is_kept_unless_it_is_asked_for(demo_store):
    assert demo_store.read_coach_only().empty


@pytest.mark.parametrize("keep", [["ssn"], ["english_learner", "lunch status"]])
def test_what_is_never_stored_is_not_stored_on_request_either(tmp_path, keep):
    with pytest.raises(UsageError, match="never stored"):
        import_exports([PROJECT / "data" / "demo"], Store(tmp_path / "s"), keep=keep)


def test_a_column_no_roster_has_is_named(tmp_path):
    done = import_exports([PROJECT / "data" / "demo"], Store(tmp_path / "s"), keep=["pronoun"])
    assert any("no roster has a column to keep named pronoun" in one for one in done.notes)


def test_a_classrooms_files_hold_no_subgroup(kept_store, tmp_path):
    lay_slice(cut_slice(StoreIndex(kept_store.folder), WINDOW, ["demo-4b"]), tmp_path)
    cut = Store(tmp_path)
    assert cut.read_coach_only().empty
    assert not set(cut.read_roster("demo-4b").columns) & set(KEPT)
    assert not list(tmp_path.glob("coach_only*"))


def test_a_teachers_page_says_nothing_of_subgroups_also_where_they_are_kept(kept_store):
    classroom = open_classroom("demo-4b", window=WINDOW, data_dir=kept_store.folder)
    parts = [name for name in dir(classroom) if name.startswith("show_")]
    student_id = classroom.roster["student_id"].iloc[0]
    of_one = {"show_why_here": [student_id]}
    page = " ".join(getattr(classroom, p)(*of_one.get(p, []))._repr_html_() for p in parts)
    for said in (*KEPT, "english learner", "subgroup", "first year"):
        assert said not in unescape(page).casefold()


def test_keeping_a_column_makes_no_teachers_page_anew(demo_store, kept_store):
    settings = Settings()
    for classroom_id in ("demo-3a", "demo-5d"):
        digests = {
            CLASSROOMS.data_digest(
                store, classroom_id, CLASSROOMS.parameters_of(store, WINDOW, classroom_id, settings)
            )
            for store in (demo_store, kept_store)
        }
        assert len(digests) == 1


def test_a_subgroup_of_a_few_shows_no_number(small):
    strict = small.parameters.model_copy(update={"smallest_cell": 60})
    caseload = Caseload(small.store, strict, small.rules, small.language)
    caseload.groups = small.groups  # worked out already
    page = caseload.show_equity()._repr_html_()
    assert "fewer than 60" in page
    numbers = [int(n) for n in re.findall(r'class="n">(\d+)<', page)]
    assert all(n >= 60 for n in numbers)


def test_a_line_in_the_log_or_a_kept_column_makes_the_coachs_page_anew(kept_store, tmp_path):
    log = tmp_path / "visits.csv"
    index = StoreIndex(kept_store.folder)
    settings = Settings(store=kept_store.folder, visits=log)
    parameters = CASELOADS.parameters_of(index, WINDOW, "coach-01", settings)
    before = CASELOADS.data_digest(index, "coach-01", parameters)
    log.write_text("date,classroom_id\n2026-05-20,demo-3a\n")
    assert CASELOADS.data_digest(index, "coach-01", parameters) != before


def test_coaches_pages_lie_in_a_folder_of_their_own():
    settings = Settings(out=Path("reports"))
    assert CASELOADS.published_in(settings) == Path("reports/caseload")
    assert CLASSROOMS.published_in(settings) == Path("reports")


def test_an_unknown_coach_is_named_with_those_there_are(kept_store):
    with pytest.raises(UnknownError, match=r"no coach 'coach-1'.*coach-01"):
        open_caseload("coach-1", window=WINDOW, data_dir=kept_store.folder)


def test_the_proof_is_what_the_run_expects(demo):
    index = StoreIndex(demo.store.folder)
    expected = CASELOADS.expected(index, "coach-01", demo.parameters)
    assert demo.show_proof() == expected


def test_two_coaches_see_their_own_classrooms_only(tmp_path):
    district = simulate_district(4)
    rooms = district.roster["classroom_id"]
    roster = district.roster.assign(coach_id=rooms.map(lambda one: "a" if one < "demo-4" else "b"))
    write_district(district, tmp_path / "exports")
    roster.to_csv(tmp_path / "exports" / "roster.csv", index=False)
    store = Store(tmp_path / "store")
    import_exports([tmp_path / "exports"], store)
    mine = open_caseload("a", window=WINDOW, data_dir=store.folder, visits=tmp_path / "v.csv")
    assert mine.classroom_ids == ["demo-3a", "demo-3b"]
    others = set(store.read_roster()["student_id"]) - set(mine.roster["student_id"])
    assert not others & set(mine.mastery["student_id"])
    assert CASELOADS.classroom_ids(StoreIndex(store.folder), "b") == ["demo-4a", "demo-5a"]
