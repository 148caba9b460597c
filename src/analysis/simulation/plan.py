"""What is planted on which classroom, so that a page or a method can be asked to find it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from analysis.rows import walk_rows

Planted = tuple[str, str, str | None, str | None, str]
"""A row of :func:`list_planted`."""


@dataclass(frozen=True)
class Plant:
    """One fact on one classroom, and how it is made.

    Attributes
    ----------
    classroom : int
        Place of the classroom in the district, from 0.
    fact : str
        Its short name.
    detail : str
        What is true of the classroom, in words.
    level : float
        Grade levels added to every student's standing at the start.
    spread : float
        Grade levels by which one half of the students stands higher and one lower.
    growth : float
        Factor on the chance to gain a skill.
    absent : float
        Share of students absent in the last window; missing: as everywhere.
    n_items : float
        Most items given to a student; missing: as everywhere.
    lacks : str
        Skill that no student of the classroom ever gains.
    teacher_years : float
        Years the teacher has taught before this one; missing: drawn.
    """

    classroom: int
    fact: str
    detail: str
    level: float = 0.0
    spread: float = 0.0
    growth: float = 1.0
    absent: float = np.nan
    n_items: float = np.nan
    lacks: str = ""
    teacher_years: float = np.nan


PLANTS = (
    Plant(4, "lacks one skill", "No student holds the skill, in any window.", lacks="3.PV.1"),
    Plant(7, "strong", "Students stand a grade level above the others.", level=1.0),
    Plant(9, "many missing", "Half of the students are absent in the last window.", absent=0.5),
    Plant(10, "little growth", "Students gain almost no skill all year.", growth=0.08),
    Plant(11, "sparse", "Students are given at most 10 items a window.", n_items=10),
    Plant(13, "first-year teacher", "The teacher teaches for the first year.", teacher_years=0),
    Plant(14, "far behind", "Students stand well over a grade level below the others.", level=-1.5),
    Plant(15, "strong growth", "Students gain skills about twice as fast.", growth=2.2),
    Plant(16, "two halves", "Half of the students stand far below the other half.", spread=1.2),
)
SAME_NAME = 0
"""Classroom in which two students have the same name."""
VISITED = (2, 5)
"""A student of the first classroom is also on the second one's roster."""


def effects_on(n_classrooms: int) -> pd.DataFrame:
    """Return one row a classroom: every planted effect, neutral where nothing is planted.

    Examples
    --------
    >>> effects_on(5)["lacks"].tolist()
    ['', '', '', '', '3.PV.1']
    """
    plants = {plant.classroom: plant for plant in PLANTS}
    rows = [plants.get(place, Plant(place, "", "")) for place in range(n_classrooms)]
    kept = [field.name for field in fields(Plant) if field.name not in ("fact", "detail")]
    return pd.DataFrame([{name: getattr(row, name) for name in kept} for row in rows])


def list_planted(roster: pd.DataFrame) -> pd.DataFrame:
    """Return the facts planted on this roster's classrooms.

    Parameters
    ----------
    roster
        The district's roster, classrooms in their order.

    Returns
    -------
    pandas.DataFrame
        ``classroom_id``, ``fact``, ``skill_id`` and ``student_id`` (joined by ``;``),
        both missing where the fact is about neither, and ``detail``.
    """
    classrooms = list(dict.fromkeys(roster["classroom_id"]))
    rows: list[Planted] = [
        (classrooms[plant.classroom], plant.fact, plant.lacks or None, None, plant.detail)
        for plant in PLANTS
        if plant.classroom < len(classrooms)
    ]
    columns = ["classroom_id", "fact", "skill_id", "student_id", "detail"]
    rows += [*_same_names(roster, classrooms), *_visitors(roster)]
    return pd.DataFrame(rows, columns=columns).astype("str")


def _same_names(roster: pd.DataFrame, classrooms: list[str]) -> Iterator[Planted]:
    here = roster[roster["classroom_id"].eq(classrooms[SAME_NAME])]
    twins = ";".join(here.loc[here.duplicated("display_name", keep=False), "student_id"])
    yield (classrooms[SAME_NAME], "same name", None, twins, "Two students have the same name.")


def _visitors(roster: pd.DataFrame) -> Iterator[Planted]:
    for row in walk_rows(roster[roster.duplicated("student_id")]):
        detail = "A student of another classroom is on this roster too."
        yield (row.classroom_id, "student in two classrooms", None, row.student_id, detail)
