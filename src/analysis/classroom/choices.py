"""The teacher's choices beside the groups they shaped: names, notes, locks, and who decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from analysis.language import Language
from analysis.plans import GroupLabel, History, LockedGroup, Plan


@dataclass(frozen=True)
class Choice:
    """One decision in a sentence, and whose it is: empty while it is not saved."""

    decision: object
    text: str
    origin: str


@dataclass(frozen=True)
class Choices:
    """What the teacher chose, by the numbers of the groups as they are now.

    Parameters
    ----------
    names, notes
        Of groups; only those that have one.
    locked
        Groups that stay as they are.
    students
        Ids of students whose place was chosen.
    said
        Every decision in a sentence.
    """

    names: dict[int, str]
    notes: dict[int, str]
    locked: frozenset[int]
    students: frozenset[str]
    said: list[Choice]


def read_choices(
    plan: Plan,
    history: History,
    groups: pd.DataFrame,
    *,
    language: Language,
    name_of: Callable[[str], str],
    skill_name_of: Callable[[str], str],
) -> Choices:
    """Return a plan's decisions for the groups that were formed with it.

    Parameters
    ----------
    plan
        That the groups follow.
    history
        Its versions, for who decided, when and why.
    groups
        Table of :data:`analysis.tables.GROUPS`.
    language, name_of, skill_name_of
        To say it with: of students and of skills.
    """
    seated = groups.dropna(subset=["group"])
    labels = {_group_of(label, seated): label for label in plan.labels}
    in_locks = [one for lock in plan.locked for one in lock.students]
    words = _Words(language, name_of, skill_name_of)
    return Choices(
        names={group: label.name for group, label in labels.items() if group and label.name},
        notes={group: label.note for group, label in labels.items() if group and label.note},
        locked=frozenset(
            group for lock in plan.locked if (group := _group_of(lock, seated)) is not None
        ),
        students=frozenset([*in_locks, *(move.student_id for move in plan.moves)]),
        said=[
            Choice(decision, text, words.origin(history, decision))
            for decision, text in words.all_of(plan)
        ],
    )


def _group_of(named: LockedGroup | GroupLabel, seated: pd.DataFrame) -> int | None:
    """Return the group on the same skill that most of the named students are in, if any is."""
    there = seated[
        (seated["focus_skill_id"] == named.skill_id) & seated["student_id"].isin(named.students)
    ]
    commonest = there["group"].mode()
    return None if commonest.empty else int(commonest.iloc[0])


@dataclass(frozen=True)
class _Words:
    language: Language
    name_of: Callable[[str], str]
    skill_name_of: Callable[[str], str]

    def all_of(self, plan: Plan) -> Iterator[tuple[object, str]]:
        say = self.language.say
        for move in plan.moves:
            student, skill = self.name_of(move.student_id), self.skill_name_of(move.skill_id)
            yield move, say("{student} works on “{skill}”.", student=student, skill=skill)
        for lock in plan.locked:
            skill = self.skill_name_of(lock.skill_id)
            students = self._names(lock.students)
            yield (
                lock,
                say(
                    "{students} stay one group on “{skill}”; nobody else joins.",
                    students=students,
                    skill=skill,
                ),
            )
        for pair in plan.together:
            yield pair, say("{students} sit in one group.", students=self._names(pair))
        for pair in plan.apart:
            yield pair, say("{students} sit in different groups.", students=self._names(pair))
        for label in plan.labels:
            students = self._names(label.students)
            if label.name:
                said = say("The group of {students} is called “{name}”.", students=students,
                           name=label.name)  # fmt: skip
            else:
                said = say("There is a note for the group of {students}.", students=students)
            yield label, said
        yield from self._of_numbers(plan)

    def _of_numbers(self, plan: Plan) -> Iterator[tuple[object, str]]:
        say = self.language.say
        skills = self.language.all_of(self.skill_name_of(one) for one in plan.skills_out)
        said = {
            "skills_out": say("No group works on {skills}.", skills=skills),
            "min_size": say("A group has at least {n} students.", n=plan.min_size),
            "max_size": say("A group has at most {n} students.", n=plan.max_size),
            "n_groups": self.language.say_n(
                "There is {n} group.", "There are {n} groups.", plan.n_groups or 0
            ),
        }
        for name, sentence in said.items():
            if getattr(plan, name):
                yield (name, getattr(plan, name)), sentence

    def _names(self, students: Iterable[str]) -> str:
        return self.language.all_of(self.name_of(one) for one in students)

    def origin(self, history: History, decision: object) -> str:
        version = history.origin_of(decision)
        if version is None:
            return ""
        day = self.language.day(version.decided_on.date())
        return self.language.say("{who}, {day}: {why}", who=version.by, day=day, why=version.why)
