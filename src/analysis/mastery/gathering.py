"""Evidence read place by place: as numbers where it lies, and what all places have in common."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from analysis.crew import Crew
from analysis.files import natural_key
from analysis.mastery.arrays import Floats, Integers
from analysis.mastery.observations import (
    GivenScales,
    Item,
    Observations,
    read_observations,
    read_scales,
)
from analysis.mastery.responses import Responses, distinct_rows
from analysis.mastery.spread import Spread
from analysis.tables import ROSTER, check_table

Name = TypeVar("Name", bound=Hashable)

NO_CLASSROOM = ""
"""Instead of the classroom's id, of a student on no roster."""


@dataclass(frozen=True)
class Gathered:
    """One place's evidence as numbers: its students' answers and classrooms.

    Attributes
    ----------
    seen
        The answers.
    classrooms
        Each student's classroom, or :data:`NO_CLASSROOM`.
    scale_names
        Scales that occur.
    """

    seen: Observations
    classrooms: np.ndarray
    scale_names: frozenset[str]


def gather(
    evidence: pd.DataFrame, roster: pd.DataFrame, window: str, scales: GivenScales | None = None
) -> Gathered:
    """Return one place's evidence as numbers.

    Parameters
    ----------
    evidence, roster
        As for :func:`analysis.mastery.calibrate`.
    window
        The assessment window.
    scales
        Of levels, by name; default: :data:`analysis.scales.SCALES`.

    Raises
    ------
    DataError
        Points above points possible, or a level that is not on its scale.
    """
    named = frozenset(evidence["scale"].dropna().unique()) if "scale" in evidence else frozenset()
    known = {name: scale for name, scale in read_scales(scales).items() if name in named}
    seen = read_observations(evidence, window, scales=known)
    classrooms = first_classroom(roster).reindex(seen.student_ids).fillna(NO_CLASSROOM).to_numpy()
    return Gathered(seen, classrooms, named)


def first_classroom(roster: pd.DataFrame) -> pd.Series:
    """Return each student's first classroom by id, the one he counts in."""
    roster = check_table(roster, ROSTER, "the roster")
    return roster.groupby("student_id")["classroom_id"].min()


@dataclass(frozen=True)
class Survey:
    """What all places have in common, and who is where; no answers.

    Attributes
    ----------
    crew, kept
        Who keeps :class:`Gathered`, and where.
    students
        The students that count in each place, in order.
    student_ids, classrooms
        All students, in order, and where each sits, as in :class:`Gathered`.
    items, skill_ids, q, weight
        As in :class:`~analysis.mastery.observations.Observations`.
    scale_names
        Scales of levels that occur.
    """

    crew: Crew
    kept: list[Any]
    students: list[pd.Index]
    student_ids: np.ndarray
    classrooms: np.ndarray
    items: list[Item]
    skill_ids: list[str]
    q: Integers
    weight: Floats
    scale_names: frozenset[str]

    def answers_of(self, chosen: Integers) -> tuple[Floats, Floats, np.ndarray]:
        """Return answers, graded answers and classrooms of students by their place among all."""
        wanted = pd.Index(self.student_ids[chosen])
        own = [(ids[ids.isin(wanted)],) for ids in self.students]
        taken = self.crew.ask(_answers_of, self.kept, own, self.items)
        found = np.concatenate([ids for (ids,) in own])
        order = pd.Index(found).get_indexer(wanted)
        answers, graded, classrooms = (
            np.concatenate(one)[order] for one in zip(*taken, strict=True)
        )
        return answers, graded, classrooms

    def spread(self) -> Spread:
        """Return the distinct rows of answers, each where it lies."""
        own = [(ids,) for ids in self.students]
        # Only what a shard says of itself comes here; its rows stay with who keeps it.
        shards = self.crew.each(_distinct, self.kept, own, self.items, self.weight)
        told = self.crew.ask(_describe, shards)
        full = [n for n, (rows, _) in enumerate(told) if rows]
        return Spread(
            self.crew,
            [shards[n] for n in full],
            [told[n][0] for n in full],
            [told[n][1] for n in full],
            self.weight,
        )


def survey(crew: Crew, kept: list[Any], window: str) -> Survey:
    """Return what all places have in common; a student of several counts in the first."""
    told = crew.ask(_tell, kept)
    pairs = {pair for place in told for pair in place[1]}
    items = sorted({item for item, _ in pairs})
    skill_ids = sorted({skill for _, skill in pairs}, key=natural_key)
    q = np.zeros((len(items), len(skill_ids)), dtype=int)
    row, column = _places(items), _places(skill_ids)
    for item, skill in pairs:
        q[row[item], column[skill]] = 1
    weight = np.ones(len(items))
    for place in told:
        for item, one in place[2].items():
            weight[row[item]] = one
    every = pd.Index(np.concatenate([place[0] for place in told]), dtype="str")
    counts = ~every.duplicated()
    ends = np.cumsum([len(place[0]) for place in told])[:-1]
    own = [
        pd.Index(ids, dtype="str")[first]
        for (ids, *_), first in zip(told, np.split(counts, ends), strict=True)
    ]
    everybody = every[counts].to_numpy(dtype=object)
    order = np.argsort(everybody)
    rooms = np.concatenate([place[4] for place in told])[counts]
    scale_names = frozenset().union(*(place[3] for place in told))
    return Survey(
        crew, kept, own, everybody[order], rooms[order], items, skill_ids, q, weight, scale_names
    )


def _tell(
    place: Gathered,
) -> tuple[np.ndarray, list[tuple[Item, str]], dict[Item, float], frozenset[str], np.ndarray]:
    seen = place.seen
    asked = zip(*np.nonzero(seen.q), strict=True)
    pairs = [(seen.items[item], seen.skill_ids[skill]) for item, skill in asked]
    weight = dict(zip(seen.items, seen.weight, strict=True))
    ids = np.array(seen.student_ids, dtype=object)
    return ids, pairs, weight, place.scale_names, place.classrooms


def _answers_of(
    place: Gathered, students: pd.Index, items: Sequence[Item]
) -> tuple[Floats, Floats, np.ndarray]:
    """Return answers to all items, in their order, the same graded, and classrooms of students."""
    rows, columns = _rows(place, students), _columns(place, items)
    answers, graded = np.full((2, len(rows), len(items)), np.nan)
    answers[:, columns], graded[:, columns] = (
        place.seen.answers_of(rows),
        place.seen.graded_of(rows),
    )
    return answers, graded, place.classrooms[rows]


def _rows(place: Gathered, students: pd.Index) -> Integers:
    return pd.Index(place.seen.student_ids, dtype="str").get_indexer(students)


def _columns(place: Gathered, items: Sequence[Item]) -> Integers:
    """Return which of all items the place's own are."""
    column = _places(items)
    return np.array([column[item] for item in place.seen.items], dtype=int)


def _distinct(
    place: Gathered, students: pd.Index, items: Sequence[Item], weight: Floats
) -> Responses:
    rows = _rows(place, students)
    names, numbers = np.unique(place.classrooms[rows].astype(str), return_inverse=True)
    answers = np.clip(place.seen.answers_of(rows), 0.0, 1.0)
    return distinct_rows(answers, numbers, len(names), weight, _columns(place, items))


def _describe(rows: Responses) -> tuple[int, Floats]:
    return rows.n_rows, rows.classroom_sizes


def _places(names: Sequence[Name]) -> dict[Name, int]:
    return {name: place for place, name in enumerate(names)}
