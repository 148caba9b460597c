"""One classroom's evidence as arrays: what each student needs and is ready for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import UnknownError
from analysis.files import natural_key
from analysis.grouping.certainty import MOST_DRAWS, draw_from
from analysis.grouping.sampling import trust_in_means
from analysis.grouping.tasks import left_to_gain, worth_of_seats
from analysis.grouping.value import (
    Links,
    bridge_prerequisites,
    fill_unknown,
    on_target,
    value_of_teaching,
)
from analysis.readings import Draws, Levels
from analysis.tables import MASTERY, ROSTER, check_table


@dataclass(frozen=True)
class Classroom:
    """One classroom's evidence: students and skills in natural order of their ids.

    ``mastery``, ``value``: shape (n_students, n_skills), missing where unknown; ``readings``:
    the value of teaching by each reading of the evidence, of which ``value`` is the mean;
    ``left``: what there is to gain on each skill's tasks (:mod:`analysis.grouping.tasks`);
    ``trust``: how far each skill's mean is more than its items' (:mod:`.sampling`);
    ``usual_need``: by how much anyone is in need of each skill, of all that levels were learnt
    from, shape (n_skills,), 0 where nothing is known;
    ``held``: draws of who holds what, or ``None``; ``before``: direct prerequisites;
    ``graded``: whether ratings are so graded that a model of had-or-not takes no part;
    ``assessed``: which students have evidence; ``asked``: of whom each skill was asked, bool,
    shape (n_students, n_skills); ``prerequisites``: all that were listed.
    """

    students: list[str]
    skills: list[str]
    mastery: np.ndarray
    value: np.ndarray
    readings: list[np.ndarray]
    left: np.ndarray
    trust: np.ndarray
    usual_need: np.ndarray
    graded: bool
    held: np.ndarray | None
    before: np.ndarray
    assessed: np.ndarray
    asked: np.ndarray
    prerequisites: Mapping[str, list[str]]

    @property
    def worth(self) -> np.ndarray:
        """By what students are chosen for a focus: at most ``value``, of its shape."""
        return worth_of_seats(self.value, self.left)


def read_classroom(
    mastery: pd.DataFrame,
    roster: pd.DataFrame,
    classroom_id: str,
    window: str,
    *,
    prerequisites: Any = None,
    draws: Draws | tuple[Any, ...] | None = None,
    levels: Levels | tuple[Any, ...] | None = None,
    random_state: int = 0,
) -> Classroom:
    """Return one classroom's evidence; parameters as in ``form_groups``."""
    roster = check_table(roster, ROSTER, "the roster")
    here = roster.loc[roster["classroom_id"] == classroom_id, "student_id"]
    if here.empty:
        rooms = roster["classroom_id"].unique().tolist()
        raise UnknownError.of("classroom", classroom_id, rooms, "the roster")
    students = sorted(here, key=natural_key)
    mastery = check_table(mastery, MASTERY, "the mastery table")
    mine = mastery[(mastery["window"] == window) & mastery["student_id"].isin(students)]
    skills = sorted(mine["skill_id"].unique(), key=natural_key)
    wide = _widener(mine, students, skills)
    links = bridge_prerequisites(prerequisites, skills)
    shown = wide("mastery")
    asked = np.nan_to_num(wide("n_items")) > 0
    assessed = asked.any(axis=1) & ~np.isnan(shown).all(axis=1)
    shown[~assessed] = np.nan
    held = _in_order(draws, students, skills)
    readings = [value_of_teaching(shown, links.before, ready=wide("ready"), draws=held)]
    value, graded = readings[0], False
    left, trust, usual_need = np.ones_like(value), np.ones(len(skills)), np.zeros(len(skills))
    if levels is not None and skills:
        second = _levels_of(Levels(*levels), students, skills)
        shown, held, reading = _blend(shown, held, second, links, value, random_state)
        graded = second.weight == 1
        readings = [reading] if graded else [value, reading]
        value = (1 - second.weight) * value + second.weight * reading
        left = left_to_gain(second.expected, second.q)
        trust = trust_in_means(second.usual, second.q)
        usual_need = need_of_anyone(second.anyone, second.mean, second.q, links.before)
    return Classroom(
        students,
        skills,
        mastery=shown,
        value=value,
        readings=readings,
        left=left,
        trust=trust,
        usual_need=usual_need,
        graded=graded,
        held=held,
        before=links.before,
        assessed=assessed,
        asked=asked,
        prerequisites=links.listed,
    )


def _levels_of(levels: Levels, students: list[str], skills: list[str]) -> Levels:
    """Return the level reading in the classroom's order, missing where it does not know."""
    rows, columns = (
        pd.Index(list(known)).get_indexer(pd.Index(wanted))
        for known, wanted in ((levels.student_ids, students), (levels.skill_ids, skills))
    )
    # Who is not found is at place -1: the last one, where nothing is known.
    beyond, cells = ((0, 1), (0, 1)), np.ix_(rows, columns)
    held, expected = (
        np.pad(table, beyond, constant_values=np.nan)[cells]
        for table in (levels.held, levels.expected)
    )
    n_draws = round(levels.weight * MOST_DRAWS)
    again = np.arange(n_draws) % max(len(levels.draws), 1)
    draws = np.pad(levels.draws[again], ((0, 0), *beyond))[:, rows][:, :, columns]
    q, anyone = (np.pad(of, ((0, 0), (0, 1)))[:, columns] for of in (levels.q, levels.anyone))
    mean = np.pad(levels.mean, (0, 1), constant_values=np.nan)[columns]
    return levels._replace(
        held=held,
        draws=draws,
        expected=expected,
        q=q,
        anyone=anyone,
        mean=mean,
        student_ids=students,
        skill_ids=skills,
    )


def need_of_anyone(
    anyone: np.ndarray, mean: np.ndarray, q: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """Return by how much anyone is in need of each skill, and ready for it; 0 where not known.

    ``anyone``, ``mean``, ``q`` as in :class:`analysis.readings.Levels`; ``before``: direct
    prerequisites.
    """
    need = on_target(anyone, before).mean(axis=0) * left_to_gain(mean[None], q)[0]
    return np.where(np.isnan(mean), 0.0, need)


def _blend(
    shown: np.ndarray,
    held: np.ndarray | None,
    second: Levels,
    links: Links,
    first_reading: np.ndarray,
    random_state: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both readings' mean by weight: mastery, draws, and the second's own value.

    Where the level reading says nothing, the first stands alone; what the first does not
    know stays unknown.
    """
    silent = np.isnan(second.held) | np.isnan(shown)
    levels = np.where(silent, shown, second.held)
    if held is None:
        held = draw_from(fill_unknown(shown), random_state)
    n_levels = len(second.draws)
    draws = np.where(silent, held[np.arange(n_levels) % len(held)], second.draws)
    reading = value_of_teaching(levels, links.before, draws=draws)
    reading = np.where(silent, first_reading, reading)
    mastery = (1 - second.weight) * shown + second.weight * levels
    return mastery, np.concatenate([held[: MOST_DRAWS - n_levels], draws]), reading


def _widener(
    mine: pd.DataFrame, students: list[str], skills: list[str]
) -> Callable[[str], np.ndarray]:
    places = pd.MultiIndex.from_product([students, skills])
    cells = mine.set_index(["student_id", "skill_id"])

    def wide(column: str) -> np.ndarray:
        values = cells[column].reindex(places).to_numpy(dtype=float)
        return values.reshape(len(students), len(skills)).copy()

    return wide


def _in_order(
    draws: Draws | tuple[Any, ...] | None, students: list[str], skills: list[str]
) -> np.ndarray | None:
    """Return the draws in the classroom's order of students and skills."""
    if draws is None or not skills:
        return None
    draws = Draws(*draws)
    rows = {student: place for place, student in enumerate(draws.student_ids)}
    columns = {skill: place for place, skill in enumerate(draws.skill_ids)}
    for kind, known, wanted in (("student", rows, students), ("skill", columns, skills)):
        missing = [name for name in wanted if name not in known]
        if missing:
            raise UnknownError.of(kind, missing[0], list(known), "the posterior draws")
    chosen = np.ix_([rows[s] for s in students], [columns[k] for k in skills])
    return np.asarray(draws.held, dtype=bool)[:, chosen[0], chosen[1]]
