"""Groups and classes in words: who, why, what they have, how to begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.grouping import Grouping
from analysis.language import Language, open_language
from analysis.profiles.known import Known, know_classroom
from analysis.profiles.profile import (
    ClassProfile,
    GroupProfile,
    Member,
    Question,
    SkillCount,
    WarmUp,
)
from analysis.profiles.sentences import SURE, certainty_word, said
from analysis.rows import walk_rows
from analysis.skills import SkillFramework

HELD = 0.5
"""Mastery from which a skill counts as shown: more likely than not."""

MOST = 0.6
"""Share of a group that makes a need, or a strength, the group's own."""

MOST_SKILLS_NAMED = 3
"""Skills named in a list or a sentence; more is a table, not a sentence."""


def describe_groups(
    grouping: Grouping,
    mastery: pd.DataFrame,
    framework: SkillFramework,
    roster: pd.DataFrame,
    *,
    evidence: pd.DataFrame | None = None,
    language: Language | None = None,
) -> list[GroupProfile]:
    """Describe each group of a classroom: focus, members and why, what to do first.

    Parameters
    ----------
    grouping
        What :func:`analysis.grouping.form_groups` returned.
    mastery
        Table of :data:`analysis.tables.MASTERY`.
    framework
        Names, "I can" texts and prerequisites; where its table has columns ``warm_up``,
        ``look_for``, ``check_question`` and ``check_answer``, the first steps come from them.
    roster
        Table of :data:`analysis.tables.ROSTER`, for names to show.
    evidence
        Table of :data:`analysis.tables.EVIDENCE`; with it reasons say points earned, without
        it the number of answers.
    language
        To say it in; English by default.

    Returns
    -------
    list of GroupProfile
        In the order of the groups' numbers.

    Examples
    --------
    >>> from analysis.grouping import form_groups
    >>> rows = [(f"s{i}", k, p) for i, lacks in enumerate("aaabbb") for k, p in
    ...         [("a", .1 if lacks == "a" else .9), ("b", .9 if lacks == "a" else .2)]]
    >>> mastery = pd.DataFrame(rows, columns=["student_id", "skill_id", "mastery"])
    >>> mastery = mastery.assign(window="fall", n_items=4)
    >>> roster = pd.DataFrame({"student_id": [f"s{i}" for i in range(6)], "classroom_id": "4a"})
    >>> skills = pd.DataFrame({"skill_id": ["a", "b"], "name": ["halves", "quarters"]})
    >>> grouping = form_groups(mastery, roster, classroom_id="4a", window="fall")
    >>> first, second = describe_groups(grouping, mastery, SkillFramework(skills), roster)
    >>> first.focus_name, first.members[0].why
    ('halves', 'Has not yet shown “halves” (4 answers).')
    """
    known = know_classroom(
        grouping.classroom_id, grouping.window, mastery, framework, roster, evidence=evidence
    )
    return say_groups(known, grouping, language or open_language())


def describe_class(
    grouping: Grouping,
    mastery: pd.DataFrame,
    framework: SkillFramework,
    roster: pd.DataFrame,
    *,
    language: Language | None = None,
) -> ClassProfile:
    """Describe a classroom as a whole; parameters as in :func:`describe_groups`."""
    known = know_classroom(grouping.classroom_id, grouping.window, mastery, framework, roster)
    return say_class(known, grouping, language or open_language())


def say_groups(known: Known, grouping: Grouping, language: Language) -> list[GroupProfile]:
    """Describe each group; see :func:`describe_groups`."""
    room = _Room(known, grouping, language)
    return [room.describe(row.group, row.value) for row in walk_rows(grouping.focus)]


def say_class(known: Known, grouping: Grouping, language: Language) -> ClassProfile:
    """Describe the classroom as a whole; see :func:`describe_class`."""
    room = _Room(known, grouping, language)
    students = grouping.groups["student_id"].tolist()
    return ClassProfile(
        n_students=len(students),
        counts=_counts(grouping, language),
        verdict=_verdict(grouping, known.framework, language),
        whole_class=[
            said(
                language,
                "whole class",
                share=language.percent(row.share),
                skill=known.framework.name_of(row.skill_id),
            )
            for row in walk_rows(grouping.whole_class)
        ],
        needs=room.count(students, held=False),
        has=room.count(students, held=True),
    )


class _Room:
    """One grouping of a classroom, and what is known of its students."""

    def __init__(self, known: Known, grouping: Grouping, language: Language):
        self.known, self.framework, self.language = known, known.framework, language
        self.placed = grouping.groups.set_index("student_id")

    def describe(self, group: int, value: float) -> GroupProfile:
        rows = self.placed[self.placed["group"] == group]
        students, skill = rows.index.tolist(), rows["focus_skill_id"].iloc[0]
        name = self.framework.name_of(skill)
        return GroupProfile(
            group=int(group),
            size=len(students),
            focus_skill_id=skill,
            focus_name=name,
            i_can=self.framework.i_can(skill),
            summary=self._say("group", n_students=len(students), n_right=round(value)),
            expected_on_target=value / len(students),
            certainty=certainty_word(rows["fit"].mean()),
            members=[self._member(row, skill) for row in walk_rows(rows)],
            shared_needs=[c for c in self.count(students, held=False) if c.skill_id != skill],
            already_have=self.count(students, held=True),
            warm_up=[self._warm_up(before, students) for before in self._before(skill)],
            questions=self._questions(skill),
        )

    def count(self, students: Sequence[str], *, held: bool) -> list[SkillCount]:
        """Count skills that most of the students have, or lack, the most frequent first."""
        counts = [self._count(skill, students, held=held) for skill in self.known.skills]
        common = [c for c in counts if c.n_assessed and c.n_students >= MOST * c.n_assessed]
        common.sort(key=lambda count: -count.n_students / count.n_assessed)
        return common[:MOST_SKILLS_NAMED]

    def _count(self, skill: str, students: Sequence[str], *, held: bool) -> SkillCount:
        known = np.array([self._mastery(student, skill) for student in students], dtype=float)
        known = known[~np.isnan(known)]
        true = int(((known >= HELD) == held).sum())
        return SkillCount(skill, self.framework.name_of(skill), true, len(known))

    def _mastery(self, student: str, skill: str) -> float:
        return self.known.mastery.get((student, skill), np.nan)

    def _before(self, skill: str) -> list[str]:
        return [s for s in self.framework.prerequisites_of(skill) if s in self.known.skills]

    def _say(self, sentence: str, **values: object) -> str:
        return said(self.language, sentence, **values)

    def _member(self, row: Any, skill: str) -> Member:
        other = row.alternative_group
        shown = self._shown(row.Index, skill)
        return Member(
            student_id=row.Index,
            display_name=self.known.names.get(row.Index, row.Index),
            certainty=certainty_word(row.fit),
            share=row.fit,
            shown=shown,
            why=self._why(row.Index, skill, row.need, shown),
            note=self._note(row.Index, skill, row.need),
            alternative_group=None if pd.isna(other) else int(other),
        )

    def _why(self, student: str, skill: str, need: float, shown: str) -> str:
        name = self.framework.name_of(skill)
        if np.isnan(need):
            return self._say("no evidence", skill=name)
        word = "not yet" if need >= SURE else "maybe not yet" if need >= HELD else "seems to have"
        held, to_warm_up = self._prerequisites(student, skill)
        sentences = [
            self._say(word, skill=name, shown=shown),
            self._list("comes first", held),
            self._list("warm up first", to_warm_up),
        ]
        return " ".join(filter(None, sentences))

    def _note(self, student: str, skill: str, need: float) -> str:
        _, to_warm_up = self._prerequisites(student, skill)
        seems = self._say("seems to have it") if need < HELD else ""
        return " ".join(filter(None, [seems, self._list("warm up first", to_warm_up)]))

    def _prerequisites(self, student: str, skill: str) -> tuple[list[str], list[str]]:
        """Return the prerequisites the student has, and has not, where anything is known."""
        known = [s for s in self._before(skill) if not np.isnan(self._mastery(student, s))]
        held = [s for s in known if self._mastery(student, s) >= HELD]
        return held, [s for s in known if s not in held]

    def _list(self, sentence: str, skills: list[str]) -> str:
        names = [f"“{self.framework.name_of(skill)}”" for skill in skills[:MOST_SKILLS_NAMED]]
        return self._say(sentence, skills=self.language.all_of(names)) if names else ""

    def _shown(self, student: str, skill: str) -> str:
        number = self.language.number
        if (student, skill) in self.known.points:
            points, possible = self.known.points[student, skill]
            return self._say("points", points=number(points), possible=number(possible))
        n_items = int(self.known.n_items.get((student, skill), 0))
        if not n_items:
            return self._say("not asked")
        return self.language.say_n("{n} answer", "{n} answers", n_items)

    def _warm_up(self, skill: str, students: Sequence[str]) -> WarmUp:
        shown = self._count(skill, students, held=True)
        text = self.framework.text_of(skill, "warm_up")
        return WarmUp(skill, shown.name, text, shown.n_students, shown.n_assessed)

    def _questions(self, skill: str) -> list[Question]:
        text_of = self.framework.text_of
        question = text_of(skill, "check_question")
        answer, look_for = text_of(skill, "check_answer"), text_of(skill, "look_for")
        return [Question(question, answer, look_for)] if question else []


def _counts(grouping: Grouping, language: Language) -> str:
    """Say how many students are where; a place without students is not named."""
    say_n = language.say_n
    n_grouped = int(grouping.groups["group"].notna().sum())
    parts = [
        language.say(
            "{students} in {groups}",
            students=say_n("{n} student", "{n} students", n_grouped),
            groups=say_n("{n} group", "{n} groups", len(grouping.focus)),
        )
    ]
    if n := len(grouping.extension):
        parts.append(say_n("{n} ready to go further", "{n} ready to go further", n))
    if n := len(grouping.conference):
        parts.append(say_n("{n} for a short talk", "{n} for a short talk", n))
    if n := len(grouping.not_assessed):
        parts.append(say_n("{n} not assessed yet", "{n} not assessed yet", n))
    return language.all_of(parts) + "."


def _verdict(grouping: Grouping, framework: SkillFramework, language: Language) -> str:
    """Say the grouping's verdict with skills by name where it names one."""
    if grouping.supports_groups:
        return said(
            language,
            "groups pay",
            with_groups=language.percent(grouping.expected_on_target),
            one_lesson=language.percent(grouping.one_lesson_on_target),
        )
    if len(grouping.not_assessed) == len(grouping.groups):
        return said(language, "no evidence yet")
    focus = grouping.focus["focus_skill_id"].unique()
    if len(focus) == 0:
        return said(language, "nothing needed")
    if len(focus) == 1 and focus[0] in set(grouping.whole_class["skill_id"]):
        return said(language, "no groups", skill=framework.name_of(focus[0]))
    grouped = grouping.groups["group"].notna().sum()
    if len(focus) == 1 and grouped + len(grouping.not_assessed) < len(grouping.groups):
        return said(language, "one skill", skill=framework.name_of(focus[0]))
    return said(language, "too few" if len(grouping.focus) == 1 else "teacher chose")
