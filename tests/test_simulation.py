"""The demo district: its files, its truth, its answers and what is planted in it."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from analysis.errors import UsageError
from analysis.simulation import (
    WINDOWS,
    read_bank_items,
    read_skills,
    simulate_district,
    write_district,
)
from analysis.skills import SkillFramework
from analysis.tables import EVIDENCE, GROUPS, ITEMS, MASTERY, ROSTER, SKILLS, check_table

DEMO = Path(__file__).parents[1] / "data" / "demo"
README = DEMO.with_name("README.md").read_text(encoding="utf-8")
FIRST, _, LAST = WINDOWS


@pytest.fixture(scope="module")
def district():
    return simulate_district()


@pytest.fixture(scope="module")
def home(district):
    """The classroom in which each student answers."""
    return district.roster.drop_duplicates("student_id").set_index("student_id")["classroom_id"]


@pytest.fixture(scope="module")
def answers(district):
    """One row an answer: the share of points, and whether the item's first skill is held."""
    first = district.items.drop_duplicates("item_id").set_index("item_id")
    long = pd.concat(
        wide.drop(columns="observed_on").melt(
            ["student_id", "classroom_id", "window"], var_name="item_id", value_name="points"
        )
        for wide in district.responses.values()
    ).dropna(subset="points")
    long["skill_id"] = long["item_id"].map(first["skill_id"])
    long["share"] = long["points"] / long["item_id"].map(first["points_possible"])
    return long.merge(district.truth, on=["student_id", "skill_id", "window"], validate="m:1")


@pytest.fixture(scope="module")
def n_skills(district, home):
    """Skills held: one row a student, one column a window, indexed by classroom too."""
    truth = district.truth.assign(classroom_id=district.truth["student_id"].map(home))
    return truth.pivot_table(
        index=["classroom_id", "student_id"], columns="window", values="has_skill", aggfunc="sum"
    )


def _spread_truth(district, columns: str) -> pd.DataFrame:
    """The truth with one column a skill or one a window."""
    index = [name for name in ("student_id", "skill_id", "window") if name != columns]
    return district.truth.pivot_table(
        index=index, columns=columns, values="has_skill", aggfunc="first"
    )


# The files


def test_the_committed_demo_is_what_the_simulator_writes(district, tmp_path):
    written = write_district(district, tmp_path)
    assert {p.name: p.read_bytes() for p in written} == {
        p.name: p.read_bytes() for p in DEMO.glob("*.csv")
    }


def test_the_demo_stays_small():
    assert sum(path.stat().st_size for path in DEMO.glob("*.csv")) < 500_000


def test_files_are_utf_8_with_line_feeds_and_points_without_decimals(district, tmp_path):
    for path in write_district(district, tmp_path / "new" / "folder"):
        text = path.read_bytes()
        assert text.decode("utf-8").endswith("\n")
        assert b"\r" not in text
        assert b".0," not in text


@pytest.mark.parametrize(
    ("name", "contract"), [("roster", ROSTER), ("skills", SKILLS), ("items", ITEMS)]
)
def test_files_meet_their_contract_when_read_as_text(name, contract):
    path = DEMO / f"{name}.csv"
    table = pd.read_csv(path, dtype="str")
    assert len(check_table(table, contract, path.name)) > 0


def test_item_columns_are_items_someone_answered_with_points_in_their_range(district):
    possible = district.items.drop_duplicates("item_id").set_index("item_id")["points_possible"]
    for wide in district.responses.values():
        points = wide.drop(columns=["student_id", "classroom_id", "window", "observed_on"])
        assert set(points) <= set(possible.index)
        assert points.min().ge(0).all()
        assert (points.max() <= possible[points.columns]).all()
        assert not points.isna().all(axis=1).any()


def test_every_item_is_given_in_some_window(district):
    asked = set().union(*district.responses.values())
    assert set(district.items["item_id"]) <= asked


def test_a_student_has_at_most_one_row_a_window_in_the_own_classroom(district, home):
    for window, wide in district.responses.items():
        assert wide["student_id"].is_unique
        assert wide["classroom_id"].eq(wide["student_id"].map(home)).all()
        assert wide["window"].eq(window).all()


@pytest.mark.parametrize(
    "contract", [ROSTER, SKILLS, ITEMS, EVIDENCE, MASTERY, GROUPS], ids=lambda c: c.name
)
def test_the_readme_describes_every_column_of_a_contract(contract):
    section = re.search(rf"### `{contract.name}.*?(?=\n##|\Z)", README, flags=re.DOTALL).group()
    described = set(re.findall(r"`(\w+)`", section))
    assert set(contract.columns) <= described


def test_the_readme_names_every_classroom_with_something_planted(district):
    listed = re.findall(r"^\| `(demo-\w+)` \|", README, flags=re.MULTILINE)
    assert sorted(listed) == sorted(district.planted["classroom_id"])


# Skills and items


def test_the_framework_is_24_skills_over_five_grades_listed_prerequisites_first():
    skills = read_skills()
    framework = SkillFramework(skills)
    order = framework.skill_ids
    assert len(order) == 24
    assert set(skills["grade"]) == set("12345")
    for skill_id in order:
        earlier = order[: order.index(skill_id)]
        assert set(framework.prerequisites_of(skill_id)) <= set(earlier)


def test_every_listed_prerequisite_is_a_direct_one():
    framework = SkillFramework(read_skills())
    direct = framework.prerequisite_matrix(framework.skill_ids)
    assert direct.sum() == framework.graph.number_of_edges()


def test_the_longest_path_of_prerequisites_crosses_the_grades():
    path = nx.dag_longest_path(SkillFramework(read_skills()).graph)
    assert 4 <= len(path) <= 6
    assert [skill_id[0] for skill_id in path] == sorted(skill_id[0] for skill_id in path)


def test_texts_are_there_and_short_enough_for_a_page():
    skills = read_skills()
    shown = ["name", "i_can", "strand", "warm_up", "look_for", "check_question", "check_answer"]
    assert skills[shown].notna().all(axis=None)
    assert skills["name"].is_unique
    assert skills["name"].str.len().max() <= 60
    assert skills["i_can"].str.match(r"I can .*[^.]\.$").all()
    assert skills["look_for"].str.len().max() <= 110


def test_a_skill_has_3_to_6_items_a_few_of_two_points_a_few_of_two_skills():
    items = read_bank_items()
    first = items.drop_duplicates("item_id")
    assert first["skill_id"].value_counts().between(3, 6).all()
    assert set(first["points_possible"]) == {1.0, 2.0}
    assert 5 <= first["points_possible"].eq(2).sum() <= 15
    assert 3 <= items["item_id"].duplicated().sum() <= 10


def _value_of(side: str) -> Fraction:
    """The value of an expression with the four operations, fractions bound tightest."""
    text = re.sub(r"(\d),(\d)", r"\1\2", side).replace("−", "-").replace("×", "*")
    text = re.sub(r"(\d+)/(\d+)", r"(\1|\2)", text).replace("÷", "/").replace("|", "/")
    assert re.fullmatch(r"[\d\s.()+*/-]+", text), side
    exact = re.sub(r"\d+(\.\d+)?", lambda number: f"Fraction('{number.group()}')", text)
    return eval(exact, {"Fraction": Fraction})


def _equations() -> list:
    """Every question that is one equation, with its answer in place."""
    skills = read_skills().rename(columns={"check_question": "question", "check_answer": "answer"})
    equations = []
    for row in pd.concat([read_bank_items(), skills]).drop_duplicates("question").itertuples():
        answer = row.answer.split(", ")[0]
        asked = re.search(r"What is ([\d\s.,/+−×÷]+)[?,]", row.question)
        boxed = re.search(r"[\d□][\d\s.,/+−×÷□]* = [\d\s.,/□]*[\d□]", row.question)
        if asked and re.search("[+−×÷]", asked.group(1)):
            equations.append((row.question, f"{asked.group(1)} = {answer}"))
        elif "remainder" in row.question:
            divided, by = re.match(r"(\d+) ÷ (\d+)", row.question).groups()
            equations.append(
                (row.question, f"{divided} = {by} × {answer}".replace("remainder", "+"))
            )
        elif boxed and boxed.group().count("□") == 1:
            equations.append((row.question, boxed.group().replace("□", answer)))
    return equations


@pytest.mark.parametrize(("question", "equation"), _equations())
def test_the_answer_makes_the_equation_true(question, equation):
    left, right = equation.split(" = ")
    assert _value_of(left) == _value_of(right), question


def test_most_of_the_arithmetic_is_checked():
    assert len(_equations()) >= 40


def test_the_answer_to_a_choice_is_one_of_its_choices():
    items = read_bank_items().query("format == 'choice'")
    for row in items.itertuples():
        choices = re.split(", | or ", row.question.split("? ", 1)[-1].split(". ")[-1])
        assert row.answer.casefold() in {choice.casefold() for choice in choices}, row.item_id
        assert len(choices) == 4, row.item_id


# The truth


def test_a_skill_is_held_only_with_its_prerequisites(district):
    held = _spread_truth(district, "skill_id")
    for before, after in SkillFramework(district.skills).graph.edges:
        assert (held[before] | ~held[after]).all(), (before, after)


def test_skills_are_gained_often_and_lost_rarely(district):
    held = _spread_truth(district, "window")
    lost = (held[FIRST] & ~held[LAST]).sum() / held[FIRST].sum()
    gained = (~held[FIRST] & held[LAST]).sum() / (~held[FIRST]).sum()
    assert 0 < lost < 0.02
    assert 0.15 < gained < 0.5


def test_ready_students_gain_more_than_others(district):
    framework = SkillFramework(district.skills)
    held = _spread_truth(district, "skill_id")
    first, last = held.xs(FIRST, level="window"), held.xs(LAST, level="window")
    gained = {True: [], False: []}
    for skill_id in framework.skill_ids:
        ready = first[framework.prerequisites_of(skill_id)].all(axis=1)
        for is_ready in (True, False):
            lacks = ~first[skill_id] & (ready == is_ready)
            gained[is_ready].extend(last.loc[lacks, skill_id])
    assert np.mean(gained[True]) > 3 * np.mean(gained[False])


def test_many_students_stand_two_or_more_grades_below_their_classroom(district):
    grade = district.skills.set_index("skill_id")["grade"].astype(int)
    own = district.roster.drop_duplicates("student_id").set_index("student_id")["grade"]
    start = district.truth[district.truth["window"].eq(FIRST)]
    start = start.assign(grade=start["skill_id"].map(grade))
    full = start.pivot_table(index="student_id", columns="grade", values="has_skill") >= 0.75
    n_below = own.astype(int)[full.index] - 1 - full.cumprod(axis=1).sum(axis=1)
    assert 0.15 < (n_below >= 2).mean() < 0.5
    assert (n_below >= 3).sum() >= 5


@pytest.mark.slow
def test_english_learners_start_lower_and_gain_ready_skills_alike():
    large = simulate_district(400)
    students = large.roster.drop_duplicates("student_id").set_index("student_id")
    learner = students["english_learner"].eq("yes")
    held = _spread_truth(large, "skill_id")
    first, last = held.xs(FIRST, level="window"), held.xs(LAST, level="window")
    start = first.sum(axis=1).groupby(learner).mean()
    assert start[False] - start[True] > 1
    framework = SkillFramework(large.skills)
    gained = {True: [], False: []}
    for skill_id, grade in framework.table["grade"].items():
        ready = first[framework.prerequisites_of(skill_id)].all(axis=1)
        taught = students["grade"].ge(grade).reindex(first.index)
        could = ready & taught & ~first[skill_id]
        for is_learner in (True, False):
            gained[is_learner].extend(last.loc[could & learner.eq(is_learner), skill_id])
    assert np.mean(gained[True]) == pytest.approx(np.mean(gained[False]), abs=0.02)


# The answers


def test_who_holds_a_skill_answers_its_items_right_far_more_often(answers):
    share = answers.pivot_table(index="skill_id", columns="has_skill", values="share")
    assert (share[True] - share[False] > 0.5).all()
    assert answers.loc[answers["has_skill"], "share"].mean() == pytest.approx(0.88, abs=0.03)
    assert answers.loc[~answers["has_skill"], "share"].mean() == pytest.approx(0.13, abs=0.03)


@pytest.mark.slow
def test_students_who_hold_a_skill_slip_as_often_as_the_item_says():
    large = simulate_district(300)
    plain = large.items[~large.items["item_id"].duplicated(keep=False)]
    plain = plain[plain["points_possible"].eq(1)].set_index("item_id")["skill_id"]
    wide = pd.concat(large.responses.values()).set_index(["student_id", "window"])
    held = _spread_truth(large, "skill_id").loc[wide.index]
    parameters = large.item_parameters.set_index("item_id")
    for item_id, skill_id in plain.items():
        points = wide.loc[held[skill_id], item_id].dropna()
        slip = parameters.at[item_id, "slip"]
        error = np.sqrt(slip * (1 - slip) / len(points))
        assert abs(1 - points.mean() - slip) < 4 * error, item_id
    assert parameters[["slip", "guess"]].min(axis=None) >= 0.05
    assert parameters[["slip", "guess"]].max(axis=None) <= 0.25


def test_an_item_of_two_skills_needs_both(district):
    pairs = district.items[district.items["item_id"].duplicated(keep=False)]
    large = simulate_district(300)
    held = _spread_truth(large, "skill_id")
    wide = pd.concat(large.responses.values()).set_index(["student_id", "window"])
    one_is_missing = 0
    for item_id, skill_ids in pairs.groupby("item_id")["skill_id"]:
        n_held = held.loc[wide.index, skill_ids].sum(axis=1)
        share = wide[item_id].groupby(n_held).mean()
        assert share[2] > 0.75
        if (wide[item_id].notna() & n_held.eq(1)).sum() >= 30:
            assert share[1] < 0.3
            one_is_missing += 1
    assert one_is_missing >= 3


def test_two_point_items_give_partial_credit(district, answers):
    possible = district.items.set_index("item_id")["points_possible"].groupby(level=0).first()
    of_two = answers[answers["item_id"].map(possible).eq(2)]
    assert set(of_two["points"]) == {0.0, 1.0, 2.0}
    assert 0.05 < of_two["points"].eq(1).mean() < 0.4


def test_forms_are_one_lesson_long_and_hold_no_item_above_the_grade(answers, district):
    grade = district.skills.set_index("skill_id")["grade"].astype(int)
    assert (answers["skill_id"].map(grade) <= answers["classroom_id"].str[5].astype(int)).all()
    usual = answers[answers["classroom_id"].ne("demo-5d")]
    n_items = usual.groupby(["student_id", "window"]).size()
    assert n_items.max() <= 40
    assert n_items.between(25, 40).mean() > 0.95


def test_some_items_differ_between_windows(answers):
    usual = answers.query("classroom_id != 'demo-5d'")
    given = usual.pivot_table(
        index="student_id", columns="window", values="item_id", aggfunc=set
    ).dropna()
    share = [len(a & b) / len(a) for a, b in zip(given[FIRST], given[LAST], strict=True)]
    assert np.mean(share) < 0.9


# What is planted


def _planted(district, fact: str) -> pd.Series:
    return district.planted.set_index("fact").loc[fact]


def test_the_planted_facts_are_listed_with_their_classrooms(district):
    listed = district.planted.set_index("fact")["classroom_id"].to_dict()
    assert listed == {
        "lacks one skill": "demo-4b",
        "strong": "demo-4c",
        "many missing": "demo-3d",
        "little growth": "demo-4d",
        "sparse": "demo-5d",
        "first-year teacher": "demo-4e",
        "far behind": "demo-5e",
        "strong growth": "demo-3f",
        "two halves": "demo-4f",
        "same name": "demo-3a",
        "student in two classrooms": "demo-5b",
    }


def test_one_classroom_lacks_one_skill_though_most_of_it_is_ready(district, home, answers):
    fact = _planted(district, "lacks one skill")
    truth = district.truth[district.truth["student_id"].map(home).eq(fact["classroom_id"])]
    assert not truth.loc[truth["skill_id"].eq(fact["skill_id"]), "has_skill"].any()
    last = truth[truth["window"].eq(LAST)].groupby("skill_id")["has_skill"].mean()
    ready = SkillFramework(district.skills).prerequisites_of(fact["skill_id"])
    assert (last[ready] > 0.8).all()
    asked = answers[answers["skill_id"].eq(fact["skill_id"]) & answers["window"].eq(LAST)]
    share = asked[asked["classroom_id"].str.startswith("demo-4")].groupby("classroom_id")["share"]
    assert share.mean().drop(fact["classroom_id"]).min() > 0.5 > 0.3 > share.mean().min()


@pytest.mark.parametrize(
    ("fact", "grade", "measure"),
    [
        ("strong", "4", lambda held: held[FIRST].groupby("classroom_id").mean()),
        ("far behind", "5", lambda held: -held[FIRST].groupby("classroom_id").mean()),
        ("two halves", "4", lambda held: held[FIRST].groupby("classroom_id").std()),
        ("little growth", "345", lambda held: held[FIRST].sub(held[LAST]).groupby(level=0).mean()),
        ("strong growth", "345", lambda held: held[LAST].sub(held[FIRST]).groupby(level=0).mean()),
    ],
)
def test_a_planted_classroom_stands_out_in_the_truth(district, n_skills, fact, grade, measure):
    values = measure(n_skills)
    values = values[values.index.str[5].isin(list(grade))]
    assert values.idxmax() == _planted(district, fact)["classroom_id"]


def test_growth_that_is_planted_shows_in_the_answers(district, answers):
    keys = ["classroom_id", "student_id", "skill_id"]
    share = answers.pivot_table(index=keys, columns="window", values="share")
    change = (share[LAST] - share[FIRST]).groupby("classroom_id").mean()
    assert change.idxmin() == _planted(district, "little growth")["classroom_id"]
    assert change.idxmax() == _planted(district, "strong growth")["classroom_id"]


def test_one_classroom_misses_half_of_the_last_window(district, home):
    n_here = home.value_counts()
    present = pd.DataFrame(
        {w: wide["classroom_id"].value_counts() / n_here for w, wide in district.responses.items()}
    )
    missing = _planted(district, "many missing")["classroom_id"]
    assert present.loc[missing, FIRST] > 0.8
    assert 0.3 <= present.loc[missing, LAST] <= 0.7
    assert present.drop(index=missing).min(axis=None) > 0.75


def test_one_classroom_has_few_items(district, answers):
    n_items = answers.groupby(["classroom_id", "student_id", "window"]).size()
    most = n_items.groupby("classroom_id").max()
    sparse = _planted(district, "sparse")["classroom_id"]
    assert most[sparse] == 10
    assert most.drop(sparse).min() > 30


def test_one_teacher_is_in_the_first_year(district):
    years = district.roster.groupby("classroom_id")["teacher_years"].max()
    assert years[years.eq(0)].index.tolist() == [
        _planted(district, "first-year teacher")["classroom_id"]
    ]


def test_one_student_is_on_two_rosters_and_answers_once(district):
    fact = _planted(district, "student in two classrooms")
    rows = district.roster[district.roster["student_id"].eq(fact["student_id"])]
    assert rows["classroom_id"].tolist() == ["demo-5a", fact["classroom_id"]]
    assert rows["teacher"].nunique() == 2
    assert rows["display_name"].duplicated().sum() == 1
    assert district.roster["student_id"].duplicated().sum() == 1


def test_two_students_of_one_classroom_have_the_same_name(district):
    fact = _planted(district, "same name")
    one, other = fact["student_id"].split(";")
    rows = district.roster.set_index("student_id").loc[[one, other]]
    assert rows["display_name"].duplicated().sum() == 1
    assert set(rows["classroom_id"]) == {fact["classroom_id"]}
    assert district.roster.duplicated(["classroom_id", "display_name"]).sum() == 1


# The people


def test_the_demo_is_one_coach_with_20_classrooms_and_about_400_students(district):
    roster = district.roster
    assert roster["coach_id"].unique().tolist() == ["coach-01"]
    assert roster["classroom_id"].nunique() == roster["teacher"].nunique() == 20
    assert roster["school"].nunique() == 3
    assert set(roster["grade"]) == {"3", "4", "5"}
    assert 380 <= roster["student_id"].nunique() <= 430
    assert roster.groupby("classroom_id").size().between(17, 25).all()


def test_ids_begin_with_zeros_and_survive_as_text(district):
    assert district.roster["student_id"].str.fullmatch(r"00\d{6}").all()


@pytest.mark.parametrize("letters", ["ñ", "'", "-", "ễ", "ʻ", "[šćč]", "[ء-ي]", "[가-힣]"])
def test_names_are_written_in_many_ways(district, letters):
    assert district.roster["display_name"].str.contains(letters).any()


# Seeds and size


def test_equal_seeds_give_equal_districts_and_others_differ(district):
    again, other = simulate_district(random_state=2026), simulate_district(random_state=7)
    pd.testing.assert_frame_equal(again.roster, district.roster)
    pd.testing.assert_frame_equal(again.truth, district.truth)
    for window in WINDOWS:
        pd.testing.assert_frame_equal(again.responses[window], district.responses[window])
    assert not other.responses[LAST].equals(district.responses[LAST])
    assert not other.roster["display_name"].equals(district.roster["display_name"])


def test_a_larger_district_begins_with_the_same_classrooms(district):
    large = simulate_district(60)
    n = len(district.roster)
    pd.testing.assert_frame_equal(large.roster.head(n), district.roster)
    pd.testing.assert_frame_equal(large.planted, district.planted)
    for window, wide in district.responses.items():
        same = large.responses[window].head(len(wide))[wide.columns]
        pd.testing.assert_frame_equal(same, wide)


@pytest.mark.slow
def test_ids_stay_unique_in_a_large_district():
    large = simulate_district(700)
    assert large.roster["classroom_id"].nunique() == 700
    assert large.roster["student_id"].duplicated().sum() == 1
    assert large.roster["school"].nunique() == 100
    assert len(large.truth) == large.roster["student_id"].nunique() * 24 * 3


def test_a_district_of_one_classroom_has_its_own_planted_facts_only():
    small = simulate_district(1)
    assert small.planted["fact"].tolist() == ["same name"]
    assert small.roster["classroom_id"].unique().tolist() == ["demo-3a"]


@pytest.mark.parametrize("n_classrooms", [0, -3, 40_001])
def test_a_district_of_no_or_too_many_classrooms_is_refused(n_classrooms):
    with pytest.raises(UsageError, match="Ask for 1 to 40,000"):
        simulate_district(n_classrooms)
