"""What is unusual about a classroom: one line a fact, so that none hides in an average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from analysis.rows import walk_rows

Found = tuple[Any, "Fact", float, float, str | None]
"""Classroom, fact, value, usual, skill; see :func:`list_notable`."""

ASSESSED = 0.75
"""Share of the students with answers below which a classroom misses too many."""

FEW_ANSWERS = 0.5
"""Answers a student, as a share of what is usual, below which the evidence is thin."""

APART = 2.0
"""Skills from which a classroom's mean stands apart from its grade, or its students from each
other, if that is also certain or unusual: less makes no difference to a lesson."""

WIDER = 1.4
"""Times the usual spread of students from which a classroom is two classes in one."""

NOBODY = 0.2
"""Expected share of students who hold a skill up to which hardly anybody does."""

ELSEWHERE = 0.4
"""Share who hold it in the grade's other classrooms, from which it can be taught by now."""

READY = 0.6
"""Share of the class who are ready for it: the skill is missing, not what comes before."""

MOST_MISSING = 2
"""Such skills a classroom may have; with more it is behind, and that is said instead."""

FEWEST = 5
"""Students with answers below which nothing is said of how a classroom compares."""

NORMAL = 1.645
"""Half of a 90 % interval in standard errors."""


class Fact(StrEnum):
    """What may be notable of a classroom; see :func:`list_notable`."""

    MISSING = "many not assessed"
    FEW_ANSWERS = "few answers"
    LITTLE_GROWTH = "less growth"
    MUCH_GROWTH = "more growth"
    BEHIND = "behind its grade"
    AHEAD = "ahead of its grade"
    TWO_HALVES = "two halves"
    ONE_SKILL = "one skill missing"
    NEW_TEACHER = "first-year teacher"
    SHARED_STUDENT = "student in two classrooms"
    SAME_NAME = "same name"


def list_notable(
    mastery: pd.DataFrame,
    roster: pd.DataFrame,
    growth: pd.DataFrame,
    teacher_years: pd.Series | None = None,
) -> pd.DataFrame:
    """Return what is unusual about each classroom, by numbers that are shown with it.

    Parameters
    ----------
    mastery
        Table of :data:`analysis.tables.MASTERY` of one window.
    roster
        Table of :data:`analysis.tables.ROSTER`.
    growth
        As from :func:`analysis.growth.summarise_classrooms`; may be empty.
    teacher_years
        Years taught before this one, by classroom id, where the coach keeps them.

    Returns
    -------
    pandas.DataFrame
        ``classroom_id``, ``fact`` (:class:`Fact`), ``value`` and ``usual`` (the numbers it
        rests on, see there), ``skill_id`` (missing but for ``ONE_SKILL``). In the order of
        classrooms, then facts.
    """
    placed = roster[["student_id", "classroom_id", "grade"]].merge(mastery, on="student_id")
    rows = [
        *_evidence_facts(placed, roster),
        *_growth_facts(growth),
        *_level_facts(placed),
        *_one_skill_facts(placed),
        *_people_facts(roster, teacher_years),
    ]
    columns = ["classroom_id", "fact", "value", "usual", "skill_id"]
    table = pd.DataFrame(rows, columns=columns)
    order = table["fact"].map({fact: place for place, fact in enumerate(Fact)})
    table = table.assign(order=order).sort_values(["classroom_id", "order"], ignore_index=True)
    return table.drop(columns="order").astype({"skill_id": "str", "fact": "str"})


def _evidence_facts(placed: pd.DataFrame, roster: pd.DataFrame) -> Iterator[Found]:
    """Share assessed (value, of 1), and median answers a student (value, usual)."""
    answers = placed.groupby(["classroom_id", "student_id"])["n_items"].sum()
    seen = answers[answers > 0]
    n_students = roster.groupby("classroom_id")["student_id"].nunique()
    share = seen.groupby("classroom_id").size().reindex(n_students.index, fill_value=0) / n_students
    for classroom_id, value in share[share < ASSESSED].items():
        yield classroom_id, Fact.MISSING, value, 1.0, None
    median = seen.groupby("classroom_id").median()
    usual = float(median.median()) if len(median) else np.nan
    for classroom_id, value in median[median < FEW_ANSWERS * usual].items():
        yield classroom_id, Fact.FEW_ANSWERS, value, usual, None


def _growth_facts(growth: pd.DataFrame) -> Iterator[Found]:
    """Mean skills gained (value), and what the alike gained (usual)."""
    for row in walk_rows(growth):
        fact = {"less": Fact.LITTLE_GROWTH, "more": Fact.MUCH_GROWTH}.get(row.verdict)
        if fact is not None:
            yield row.classroom_id, fact, row.growth, row.growth - row.beyond, None


def _level_facts(placed: pd.DataFrame) -> Iterator[Found]:
    """Mean skills held (value), of the grade's other classrooms (usual); or their spreads."""
    known = placed.dropna(subset=["mastery"]).groupby(["grade", "classroom_id", "student_id"])
    held = known["mastery"].sum().reset_index()
    for _, grade in held.groupby("grade"):
        rooms = grade.groupby("classroom_id")["mastery"].agg(["mean", "std", "size"])
        rooms = rooms[rooms["size"] >= FEWEST]
        for classroom_id, room in rooms.iterrows():
            others = rooms.drop(index=classroom_id)
            if not len(others):
                continue
            usual, spread = others["mean"].mean(), np.sqrt((others["std"] ** 2).mean())
            # Classrooms differ among themselves too, not only by the draw of students.
            error = np.hypot(room["std"] / np.sqrt(room["size"]), spread / np.sqrt(room["size"]))
            apart = room["mean"] - usual
            if abs(apart) >= max(APART, NORMAL * error):
                fact = Fact.AHEAD if apart > 0 else Fact.BEHIND
                yield classroom_id, fact, room["mean"], usual, None
            if room["std"] >= max(APART, WIDER * spread):
                yield classroom_id, Fact.TWO_HALVES, room["std"], spread, None


def _one_skill_facts(placed: pd.DataFrame) -> Iterator[Found]:
    """Share who hold the skill (value), and in the grade's other classrooms (usual)."""
    asked = placed[placed["mastery"].notna() & placed["n_items"].gt(0)]
    cells = asked.groupby(["grade", "skill_id", "classroom_id"]).agg(
        held=("mastery", "mean"), ready=("ready", "mean"), n=("mastery", "size")
    )
    cells = cells[cells["n"] >= FEWEST].reset_index()
    found = [
        (row.classroom_id, Fact.ONE_SKILL, row.held, usual, row.skill_id)
        for _, rooms in cells.groupby(["grade", "skill_id"])
        for row, usual in _with_elsewhere(rooms)
        # A skill without prerequisites has everyone ready.
        if row.held <= NOBODY and usual >= ELSEWHERE and not row.ready < READY
    ]
    n_missing = Counter(room for room, *_ in found)
    yield from (fact for fact in found if n_missing[fact[0]] <= MOST_MISSING)


def _with_elsewhere(rooms: pd.DataFrame) -> Iterator[tuple[Any, float]]:
    """Give each classroom's row with the mean share in the others; none where it is alone."""
    for row in walk_rows(rooms):
        elsewhere = rooms.loc[rooms["classroom_id"] != row.classroom_id, "held"]
        if len(elsewhere):
            yield row, float(elsewhere.mean())


def _people_facts(roster: pd.DataFrame, teacher_years: pd.Series | None) -> Iterator[Found]:
    """Years taught, students in another classroom too, students who share a name (value)."""
    if teacher_years is not None:
        for classroom_id in teacher_years.index[teacher_years.eq(0)]:
            yield classroom_id, Fact.NEW_TEACHER, 0.0, np.nan, None
    n_rooms = roster.groupby("student_id")["classroom_id"].transform("nunique")
    shared = roster[n_rooms > 1].groupby("classroom_id")["student_id"].nunique()
    for classroom_id, n in shared.items():
        yield classroom_id, Fact.SHARED_STUDENT, float(n), np.nan, None
    named = roster.dropna(subset=["display_name"])
    twins = named[named.duplicated(["classroom_id", "display_name"], keep=False)]
    for classroom_id, n in twins.groupby("classroom_id").size().items():
        yield classroom_id, Fact.SAME_NAME, float(n), np.nan, None
