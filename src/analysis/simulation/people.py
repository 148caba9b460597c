"""Who is where: schools, classrooms, teachers and students with invented names."""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np
import pandas as pd

from analysis.simulation.bank import read_names
from analysis.simulation.plan import SAME_NAME, VISITED

CLASSROOMS_A_SCHOOL = 7
GRADES = (3, 4, 5)
COACH_ID = "coach-01"
MIXED_ORIGINS = 0.2
"""Share of people whose given and family names come from different origins."""
TWO_FAMILY_NAMES = 0.08
ENGLISH_LEARNERS = 0.18
SUPPORT_PLANS = 0.12
ID_PRIME = 999_983
"""Student numbers walk through this many values without repeating: ids look drawn, stay
unique, and the first classrooms keep theirs however large the district."""
MOST_CLASSROOMS = 40_000
"""24 students in each still have their own number below ``ID_PRIME``."""

_PLACES = (
    "Cottonwood", "Blue Mesa", "Lakeshore", "Cedar Hill", "Prairie View", "Stone Bridge",
    "Willow Creek", "North Fork", "Juniper", "Sunrise", "Maple Grove", "Red Rock",
    "Heron Bay", "Fairfield", "Aspen Ridge", "Old Mill", "Clearwater", "Meadowlark",
)  # fmt: skip


def draw_roster(n_classrooms: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the roster, one row a student, classrooms in their order.

    Parameters
    ----------
    n_classrooms
        1 to ``MOST_CLASSROOMS``.
    rng
        A larger district drawn from an equal generator begins with the same classrooms.

    Returns
    -------
    pandas.DataFrame
        A table of :data:`analysis.tables.ROSTER`, and ``teacher_years`` (years taught
        before this one), ``english_learner`` and ``support_plan`` (``yes`` or ``no``).
    """
    for_classrooms, for_students, for_names = rng.spawn(3)
    classrooms = _draw_classrooms(n_classrooms, for_classrooms)
    place = np.repeat(np.arange(n_classrooms), classrooms.pop("n_students"))
    roster = classrooms.iloc[place].reset_index(drop=True)
    uniform = for_students.random((len(place), 2))
    roster.insert(0, "student_id", _student_ids(len(place)))
    roster["display_name"] = _draw_names(len(place), for_names)
    roster["english_learner"] = np.where(uniform[:, 0] < ENGLISH_LEARNERS, "yes", "no")
    roster["support_plan"] = np.where(uniform[:, 1] < SUPPORT_PLANS, "yes", "no")
    first, second = np.flatnonzero(place == SAME_NAME)[[2, 11]]
    roster.loc[second, "display_name"] = roster.loc[first, "display_name"]
    return roster


def add_visitor(roster: pd.DataFrame) -> pd.DataFrame:
    """Return the roster with one student on a second classroom's list as well."""
    classrooms = roster["classroom_id"].drop_duplicates().tolist()
    if len(classrooms) <= max(VISITED):
        return roster
    home, second = (roster[roster["classroom_id"].eq(classrooms[place])] for place in VISITED)
    theirs = ["classroom_id", "teacher", "coach_id", "school", "grade", "teacher_years"]
    row = home.iloc[[5]].assign(**{name: second[name].iloc[0] for name in theirs})
    end = second.index[-1] + 1
    return pd.concat([roster.iloc[:end], row, roster.iloc[end:]], ignore_index=True)


def _draw_classrooms(n_classrooms: int, rng: np.random.Generator) -> pd.DataFrame:
    for_sizes, for_names = rng.spawn(2)
    uniform = for_sizes.random((n_classrooms, 2))
    place = np.arange(n_classrooms)
    grade = np.array(GRADES)[place % len(GRADES)]
    letters = [_letters(number) for number in (place // len(GRADES)).tolist()]
    return pd.DataFrame(
        {
            "classroom_id": [f"demo-{g}{ab}" for g, ab in zip(grade, letters, strict=True)],
            "teacher": _draw_names(n_classrooms, for_names),
            "coach_id": COACH_ID,
            "school": [_school_name(number) for number in (place // CLASSROOMS_A_SCHOOL).tolist()],
            "grade": grade.astype(str),
            "teacher_years": 1 + (uniform[:, 1] ** 1.5 * 28).astype(int),
            "n_students": 17 + (uniform[:, 0] * 8).astype(int),
        }
    )


def _letters(number: int) -> str:
    """Return a to z, aa, ab and so on for 0, 1, 2."""
    letters = ""
    while number >= 0:
        letters = ascii_lowercase[number % 26] + letters
        number = number // 26 - 1
    return letters


def _school_name(number: int) -> str:
    turn, place = divmod(number, len(_PLACES))
    return f"{_PLACES[place]} Elementary" + (f" {turn + 1}" if turn else "")


def _student_ids(n_students: int) -> list[str]:
    return [f"00{(271_828 * number + 41_137) % ID_PRIME:06d}" for number in range(n_students)]


def _draw_names(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return a given and a family name for each, mostly of one origin."""
    names = read_names()
    origins = names.drop_duplicates("origin")
    script = origins["script"].to_numpy(object)
    share = np.cumsum(origins["weight"] / origins["weight"].sum())
    uniform = rng.random((n, 7))
    own = np.searchsorted(share, uniform[:, 0], side="right")
    other = np.searchsorted(share, uniform[:, 1], side="right")
    other = np.where(script[own] == script[other], other, own)
    given = _pick(names, "given", own, uniform[:, 2])
    mixed = np.where(uniform[:, 3] < MIXED_ORIGINS, other, own)
    family = _pick(names, "family", mixed, uniform[:, 4])
    second = _pick(names, "family", other, uniform[:, 5])
    doubled = (uniform[:, 6] < TWO_FAMILY_NAMES) & (family != second) & (script[own] == "Latin")
    family = np.where(doubled, family + "-" + second, family)
    family_first = script[own] == "Hangul"
    return np.asarray(np.where(family_first, family + " " + given, given + " " + family))


def _pick(names: pd.DataFrame, part: str, origin: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    of_part = names[names["part"].eq(part)]
    order = of_part["origin"].drop_duplicates()
    size = of_part.groupby("origin")["name"].size()[order].to_numpy()
    start = np.cumsum(size) - size
    drawn = start[origin] + (uniform * size[origin]).astype(int)
    return np.asarray(of_part["name"].to_numpy(object)[drawn])
