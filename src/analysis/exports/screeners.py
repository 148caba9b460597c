"""NWEA MAP Growth goals and Renaissance Star overall results."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from analysis.exports.cells import read_numbers
from analysis.exports.collecting import Collector, finish_reading
from analysis.exports.declared import note_private, read_levels
from analysis.exports.findings import name_some
from analysis.exports.names import find_role
from analysis.exports.reading import Context, Reading
from analysis.exports.students import Students, read_students
from analysis.exports.table import Table
from analysis.exports.windows import read_windows

_GOAL = re.compile(r"^Goal(\d+)Name$", re.IGNORECASE)
_STAR_ROLES = {
    "student_id": "StudentIdentifier",
    "classroom_id": "GroupOrClassName",
    "school": "SchoolName",
    "grade": "CurrentGrade",
    "first_name": "StudentFirstName",
    "last_name": "StudentLastName",
    "observed_on": "CompletedDateLocal",
}
_STAR_LEVELS = [f"{whose}BenchmarkCategoryName" for whose in ("Renaissance", "District", "School")]
_AVERAGE = 2  # place of "Avg" among the adjectives: percentile 41 and more


def recognise_map(names: list[str]) -> bool:
    """Tell whether the header is MAP Growth's AssessmentResults or combined file."""
    return "TestRITScore" in names and any(_GOAL.match(name) for name in names)


def read_map(table: Table, context: Context) -> Reading:
    """Return each goal's RIT score with its standard error, and the cut its adjectives tell.

    The adjectives (Low to High) are norm bands. The cut is halfway between the highest RIT
    the file calls below Avg and the lowest it calls Avg or more, within a test and term;
    where a test has no such pair, the adjective itself is kept as a level.
    """
    rows = table.rows
    students = read_students(table, context, roles=_map_roles(table))
    table = students.table
    note_private(table)
    tests = table.text("TestName").fillna("MAP Growth")
    windows = read_windows(table.text("TermName"))
    collector = Collector(students, source=tests, window=windows)
    goals = [int(match.group(1)) for name in table.names if (match := _GOAL.match(name))]
    cuts = _find_cuts(students, goals, tests + " " + windows.fillna(""))
    for goal in goals:
        _add_goal(students, goal, collector, cuts)
    known = sorted({float(cut) for cut in cuts[~np.isnan(cuts)]})
    if known:
        table.findings.note(
            f"cuts (RIT {name_some([f'{cut:g}' for cut in known])}) lie halfway between the "
            "highest score called below Avg and the lowest called Avg or more, by test and term."
        )
    return finish_reading("NWEA MAP Growth", rows, students, collector)


def _map_roles(table: Table) -> dict[str, int]:
    roles = {
        "student_id": table.place("StudentID"),
        "school": table.place("SchoolName"),
        "observed_on": table.place("TestStartDate"),
        "grade": table.place("Grade"),
        "first_name": table.place("StudentFirstName"),
        "last_name": table.place("StudentLastName"),
        "classroom_id": find_role(table.names, "classroom_id"),
    }
    return {role: place for role, place in roles.items() if place is not None}


def _add_goal(students: Students, goal: int, collector: Collector, cuts: np.ndarray) -> None:
    table = students.table
    names = table.text(f"Goal{goal}Name")
    scores, errors = (_numbers(table, f"Goal{goal}{part}") for part in ("RitScore", "StdErr"))
    levels = read_levels(
        table.text(f"Goal{goal}Adjective"), "map-adjective", f"Goal{goal}Adjective", table
    )
    filled = names.notna().to_numpy() & ~np.isnan(scores)
    with_cut = filled & ~np.isnan(cuts)
    collector.add(
        with_cut,
        skill_id=names,
        observation_id=names,
        kind="score",
        score=scores,
        score_se=errors,
        cut=cuts,
    )
    collector.add(
        filled & ~with_cut & levels.notna().to_numpy(),
        skill_id=names,
        observation_id=names,
        kind="level",
        level=levels,
        scale="map-adjective",
        score=scores,
        score_se=errors,
    )


def _numbers(table: Table, column: str) -> np.ndarray:
    numbers, bad = read_numbers(table.text(column))
    for row in table.rows[bad]:
        table.findings.fault("is not a number", row=int(row), column=column)
    return numbers


def _find_cuts(students: Students, goals: list[int], tests: pd.Series) -> np.ndarray:
    """Return each row's cut, by its test and term; missing where the file tells none."""
    from analysis.scales import read_scale

    scale = read_scale("map-adjective")
    table = students.table
    parts = []
    for score, adjective in [
        *((f"Goal{goal}RitScore", f"Goal{goal}Adjective") for goal in goals),
        ("TestRITScore", "AchievementQuintile"),
    ]:
        labels = [scale.read(text) for text in table.text(adjective)]
        place = [np.nan if label is None else scale.levels.index(label) for label in labels]
        parts.append(
            pd.DataFrame(
                {"test": tests.to_numpy(), "score": _numbers(table, score), "place": place}
            )
        )
    seen = pd.concat(parts).dropna()
    below = seen[seen["place"] < _AVERAGE].groupby("test")["score"].max()
    above = seen[seen["place"] >= _AVERAGE].groupby("test")["score"].min()
    return tests.map((below + above) / 2).to_numpy(dtype=float)


def recognise_star(names: list[str]) -> bool:
    """Tell whether the header is a Star test's overall results."""
    return {"ScaledScore", "StudentRenaissanceID"} <= set(names)


def read_star(table: Table, context: Context) -> Reading:
    """Return the benchmark category of each Star test, as one skill for the subject."""
    rows = table.rows
    places = {r: p for r, name in _STAR_ROLES.items() if (p := table.place(name)) is not None}
    students = read_students(table, context, roles=places)
    table = students.table
    note_private(table)
    students.frame["teacher"] = _teachers(table)
    subject = "Star Math" if table.place("Quantile") is not None else "Star Reading"
    windows = read_windows(table.text("ScreeningPeriodWindowName"), table.text("SchoolYear"))
    collector = Collector(students, source=subject, window=windows)
    column = next((name for name in _STAR_LEVELS if table.text(name).notna().any()), None)
    if column is not None:
        levels = read_levels(table.text(column), "star-benchmark", column, table)
        collector.add(
            levels.notna().to_numpy(),
            skill_id=subject,
            observation_id=subject,
            kind="level",
            level=levels,
            scale="star-benchmark",
            score=_numbers(table, "ScaledScore"),
        )
    table.findings.note(
        "these are overall results, one skill for the whole test: import the Dashboard Standards "
        "file to group by standard."
    )
    return finish_reading("Renaissance Star", rows, students, collector)


def _teachers(table: Table) -> pd.Series:
    both = (
        table.text("TeacherFirstName").fillna("") + " " + table.text("TeacherLastName").fillna("")
    )
    both = both.str.strip()
    return both.where(both != "")
