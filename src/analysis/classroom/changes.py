"""What changed in a classroom, gathered for its templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from analysis.charts import Chart, chart_slopes
from analysis.classroom.tables import ClassroomTables
from analysis.coaching import last_day_of
from analysis.growth import (
    Course,
    advise_regrouping,
    find_entrenched,
    find_stuck,
    growth_by_skill,
    growth_by_student,
    mean_growth,
)
from analysis.rows import walk_rows

Names = Callable[[Iterable[str]], list[str]]
"""Gives the names to show for student ids, in alphabetical order."""

FEW = 5
"""Students asked in both windows below which a skill's share is not drawn."""


def growth_values(classroom: ClassroomTables) -> dict[str, Any]:
    """Return how much the class grew, and the slopes of its skills."""
    skills = skill_slopes(classroom)
    return {
        "before": classroom.window_before,
        "amount": mean_growth(growth_by_student(classroom.compared)["growth"]),
        "skills": skills,
        "chart": _draw(skills, classroom) if len(skills) else "",
    }


def skill_slopes(classroom: ClassroomTables) -> pd.DataFrame:
    """Return each skill's shares before and now, by name, where enough were asked.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`analysis.growth.growth_by_skill`; ``before`` and ``now`` as
        shares (0 to 1); ``stands_out``: ``more`` or ``less`` where the interval says so.
        Skills in the order of the framework, their names the index.
    """
    skills = growth_by_skill(classroom.compared)
    skills = skills[skills["n_students"] >= FEW].set_index("skill_id")
    order = [one for one in classroom.framework.skill_ids if one in skills.index]
    skills = skills.loc[order]
    out = np.select([skills["low"] > 0, skills["high"] < 0], ["more", "less"], "")
    return skills.assign(
        before=skills["before"] / skills["n_students"],
        now=skills["now"] / skills["n_students"],
        stands_out=out.astype(str),
    ).rename(index=classroom.framework.name_of)


def movement_values(classroom: ClassroomTables, names_of: Names) -> dict[str, Any]:
    """Return where the students of the groups before are now, and who does not move."""
    seen = classroom.placed, classroom.mastery, classroom.windows_so_far
    entrenched, stuck = find_entrenched(*seen), find_stuck(*seen)
    # Nobody is listed twice: always at the earliest skills says more.
    stuck = stuck[~stuck["student_id"].isin(entrenched["student_id"])]
    return {
        "before": classroom.window_before,
        "courses": _courses(classroom, names_of),
        "advice": advise_regrouping(
            classroom.traced, last_day_of(classroom.evidence), cycle_weeks=classroom.cycle_weeks
        ),
        "weeks": classroom.cycle_weeks,
        "stuck": _listed(stuck, classroom, names_of),
        "entrenched": _listed(entrenched, classroom, names_of),
    }


def _draw(skills: pd.DataFrame, classroom: ClassroomTables) -> Chart:
    ends = [classroom.window_before or "", classroom.window]
    return chart_slopes(skills, ends, classroom.language)


def _courses(
    classroom: ClassroomTables, names_of: Names
) -> list[tuple[str, list[str], list[str], list[str]]]:
    """Return for each earlier group's skill: who has shown it, is still on it, works on another."""
    order = classroom.framework.skill_ids.index
    rows = []
    for skill_id in sorted(classroom.traced["from_skill_id"].unique(), key=order):
        here = classroom.traced[classroom.traced["from_skill_id"] == skill_id]
        learned, still, other = (
            names_of(here.loc[here["course"].isin(courses), "student_id"])
            for courses in ((Course.LEARNED,), (Course.STILL,), (Course.OTHER, Course.NO_GROUP))
        )
        rows.append((classroom.framework.name_of(skill_id), learned, still, other))
    return rows


def _listed(
    found: pd.DataFrame, classroom: ClassroomTables, names_of: Names
) -> list[tuple[str, str, int, int | None]]:
    """Return name, skill, windows in a row, and the right answers that would show the skill."""
    rows = [
        (
            names_of([row.student_id])[0],
            classroom.framework.name_of(row.skill_id),
            row.n_windows,
            None if pd.isna(row.answers) else int(row.answers),
        )
        for row in walk_rows(found)
    ]
    return sorted(rows, key=lambda row: row[0].casefold())
