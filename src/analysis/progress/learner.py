"""One learner in the learner's own words: what I can do, what is next, how I have grown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from analysis.language import Language
from analysis.progress.evidence import rung_of, summarise_evidence
from analysis.progress.standing import doubt_thin_claims, gains_since, latest_standing
from analysis.progress.steps import choose_next_steps, list_in_work
from analysis.rows import walk_rows
from analysis.skills import SkillFramework
from analysis.words import SkillState

MOST_CLAIMS = 8
"""“I can” statements on a page: more would not be read, and would not fit on one sheet. The
hardest ones are said, the others are counted."""

MOST_IN_WORK = 3
"""Skills in work that are named: what fills the next weeks."""

MOST_GROWN = 4
"""Gains that are named; the others are counted."""

MOST_AROUND = 2
"""Skills named that come before, or after, the next step."""

HELD = 0.5
"""Mastery from which a skill that comes before counts as there: more likely than not."""


@dataclass(frozen=True)
class Claim:
    """An “I can” statement and what it rests on.

    Parameters
    ----------
    skill_id
        Of the skill.
    i_can
        What the student can do, in the student's words.
    shown
        The evidence in a few words; empty where there is none.
    seen_on
        The last day of that evidence; ``None`` where it carries no date.
    since
        For a gain: the day when it was not there yet; ``None`` without a date.
    """

    skill_id: str
    i_can: str
    shown: str = ""
    seen_on: date | None = None
    since: date | None = None


@dataclass(frozen=True)
class Step(Claim):
    """The next step and why it is next.

    Parameters
    ----------
    before
        “I can” statements of what comes just before it and is there.
    first
        Those of what comes just before it and is not sure yet.
    opens
        Names of the skills that it leads to.
    try_this
        A first task; empty where the framework has none.
    """

    before: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    opens: list[str] = field(default_factory=list)
    try_this: str = ""


@dataclass(frozen=True)
class LearnerProgress:
    """One student's progress; what is not known is empty, never low.

    Parameters
    ----------
    student_id
        Whose it is.
    can
        What is shown, the hardest first.
    n_can
        How many skills are shown in all.
    in_work
        What is asked for and not yet shown.
    next_step
        ``None`` where nothing is known, or everything is shown.
    grown
        What was needed before and is shown now.
    n_grown
        How many such gains there are in all.
    looks_back
        Whether two windows can be compared at all.
    last_day
        Of this student's answers; ``None`` where none carries a date.
    """

    student_id: str
    can: list[Claim] = field(default_factory=list)
    n_can: int = 0
    in_work: list[Claim] = field(default_factory=list)
    next_step: Step | None = None
    grown: list[Claim] = field(default_factory=list)
    n_grown: int = 0
    looks_back: bool = False
    last_day: date | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is any evidence on this student."""
        return bool(self.can or self.in_work or self.next_step)


def describe_learners(
    windows: Sequence[pd.DataFrame],
    evidence: pd.DataFrame,
    framework: SkillFramework,
    student_ids: Sequence[str],
    *,
    language: Language,
    taught: Mapping[str, str] | None = None,
) -> list[LearnerProgress]:
    """Return each student's progress.

    Parameters
    ----------
    windows
        Mastery tables (:data:`analysis.tables.MASTERY`) of the students, in the order of
        time.
    evidence
        Table of :data:`analysis.tables.EVIDENCE` of the same windows, in that order.
    framework
        “I can” texts in the language; where its table has a column ``check_question``, the
        first task comes from it.
    student_ids
        Whom to describe, in this order.
    language
        To say evidence in.
    taught
        As in :func:`analysis.progress.steps.choose_next_steps`.

    Returns
    -------
    list of LearnerProgress
        One a student, also for students without evidence.
    """
    shown = summarise_evidence(evidence)
    standing = doubt_thin_claims(latest_standing(windows), shown)
    book = _Book(windows, standing, shown, framework, language, taught)
    return [book.describe(student_id) for student_id in student_ids]


class _Book:
    """What is known of all students, ready to be looked up one by one."""

    def __init__(
        self,
        windows: Sequence[pd.DataFrame],
        standing: pd.DataFrame,
        shown: pd.DataFrame,
        framework: SkillFramework,
        language: Language,
        taught: Mapping[str, str] | None,
    ):
        self.framework, self.language = framework, language
        self.order = {skill_id: place for place, skill_id in enumerate(framework.skill_ids)}
        self.standing = {
            one: part.set_index("skill_id") for one, part in standing.groupby("student_id")
        }
        self.shown = {(r.student_id, r.skill_id, r.window): r for r in walk_rows(shown)}
        self.days = shown.groupby("student_id")["observed_on"].max().to_dict()
        self.day_of = shown.groupby(["student_id", "window"])["observed_on"].max().to_dict()
        self.windows_of = shown.groupby("student_id")["window"].nunique().to_dict()
        steps = choose_next_steps(standing, framework, taught)
        self.step_of = dict(zip(steps["student_id"], steps["skill_id"], strict=True))
        self.in_work = _lists(list_in_work(standing, framework))
        self.grown = _lists(gains_since(windows, standing))

    def describe(self, student_id: str) -> LearnerProgress:
        if student_id not in self.standing:
            return LearnerProgress(student_id)
        mine = self.standing[student_id]
        can = self._hardest_first(mine.index[mine["state"] == SkillState.HAS])
        step = self.step_of.get(student_id)
        in_work = [row.skill_id for row in self.in_work.get(student_id, []) if row.skill_id != step]
        grown = self.grown.get(student_id, [])
        return LearnerProgress(
            student_id=student_id,
            can=[self._claim(student_id, one) for one in can[:MOST_CLAIMS]],
            n_can=len(can),
            in_work=[self._claim(student_id, one) for one in in_work[:MOST_IN_WORK]],
            next_step=self._step(student_id, step) if step else None,
            grown=[self._gain(student_id, row) for row in self._latest(grown)[:MOST_GROWN]],
            n_grown=len(grown),
            looks_back=self.windows_of.get(student_id, 0) > 1,
            last_day=_day(self.days.get(student_id)),
        )

    def _hardest_first(self, skill_ids: Iterable[str]) -> list[str]:
        return sorted(skill_ids, key=self.order.__getitem__, reverse=True)

    def _latest(self, gains: list[Any]) -> list[Any]:
        return sorted(gains, key=lambda row: self.order[row.skill_id], reverse=True)

    def _claim(self, student_id: str, skill_id: str) -> Claim:
        return Claim(**self._said(student_id, skill_id))

    def _gain(self, student_id: str, row: Any) -> Claim:
        since = _day(self.day_of.get((student_id, row.since)))
        return Claim(**self._said(student_id, row.skill_id), since=since)

    def _step(self, student_id: str, skill_id: str) -> Step:
        mine, framework = self.standing[student_id], self.framework
        known = [one for one in framework.prerequisites_of(skill_id) if one in mine.index]
        holds = mine["mastery"] >= HELD
        there = [one for one in known if holds[one]]
        return Step(
            **self._said(student_id, skill_id),
            before=[framework.i_can(one) for one in there][:MOST_AROUND],
            first=[framework.i_can(one) for one in known if one not in there][:MOST_AROUND],
            opens=[framework.name_of(k) for k in framework.next_skills_of(skill_id)][:MOST_AROUND],
            try_this=framework.text_of(skill_id, "check_question"),
        )

    def _said(self, student_id: str, skill_id: str) -> dict[str, Any]:
        window = self.standing[student_id].at[skill_id, "asked_in"]
        row = self.shown.get((student_id, skill_id, window))
        return {
            "skill_id": skill_id,
            "i_can": self.framework.i_can(skill_id),
            "shown": "" if row is None else self._in_words(row),
            "seen_on": None if row is None else _day(row.observed_on),
        }

    def _in_words(self, row: Any) -> str:
        say, number = self.language.say, self.language.number
        if row.points == 0:
            return say("just started")
        if pd.notna(row.points):
            points, possible = number(row.points), number(row.points_possible)
            return say("{points} of {possible} points", points=points, possible=possible)
        rung = None if pd.isna(row.level) else rung_of(row.level, row.scale)
        if rung:
            return say("level {level} of {levels}", level=rung[0], levels=rung[1])
        return self.language.say_n("{n} result", "{n} results", row.n_observations)


def _lists(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the rows of each student."""
    found: dict[str, list[Any]] = {}
    for row in walk_rows(table):
        found.setdefault(row.student_id, []).append(row)
    return found


def _day(moment: pd.Timestamp | None) -> date | None:
    return None if moment is None or pd.isna(moment) else moment.date()
