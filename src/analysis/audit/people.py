"""Whose students belong where: looked for by id and by name in any text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # who brings lists need not wait for pandas
    import pandas as pd

WORD = re.compile(r"\w+")

SHORTEST_ID = 5
"""Characters from which an id is looked for; a shorter one may be any number of a page."""


@dataclass(frozen=True)
class Audience:
    """Whose records a text may hold; nobody's by default.

    Parameters
    ----------
    classroom_ids
        All students of these classrooms.
    student_ids
        These students.
    """

    classroom_ids: frozenset[str] = frozenset()
    student_ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, classrooms: Collection[str] = (), students: Collection[str] = ()) -> Audience:
        """Return the audience of these classrooms and students."""
        return cls(frozenset(classrooms), frozenset(students))


NOBODY = Audience()


class People:
    """Everybody on the rosters, ready to be looked for where they do not belong.

    Parameters
    ----------
    roster
        Of all classrooms (:data:`analysis.tables.ROSTER`), as a frame or as lists by their
        names: ``student_id``, ``classroom_id``, ``display_name``, ``teacher``; one with
        ``coach_id`` also knows a coach's classrooms.

    Examples
    --------
    >>> roster = {"student_id": ["00417", "00418"], "classroom_id": ["7A", "7B"],
    ...           "display_name": ["Ana Ruiz", "Bo Li"], "teacher": [None, None]}
    >>> people = People(roster)
    >>> people.strangers_in("Ana Ruiz and Bo Li", Audience.of(classrooms=["7A"]))
    ['00418']
    >>> people.strangers_in("Ana Ruiz and Bo Li", NOBODY)
    ['00417', '00418']
    """

    def __init__(self, roster: pd.DataFrame | dict[str, list[str | None]]):
        student_ids, classroom_ids = list(roster["student_id"]), list(roster["classroom_id"])
        names, teachers = _told(roster["display_name"]), _told(roster["teacher"])
        rows = zip(student_ids, classroom_ids, names, teachers, strict=True)
        self._students: dict[str, set[str]] = defaultdict(set)
        self._said: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._starting: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._teachers = {teacher for teacher in teachers if teacher}
        for student_id, classroom_id, name, teacher in rows:
            self._students[classroom_id].add(student_id)
            self._said[classroom_id] |= {name, teacher}
            self._names[student_id].add(name)
            if len(student_id) >= SHORTEST_ID:
                self._add(student_id, student_id)
            # One word may be any word of the page: "May", "Rose".
            if len(WORD.findall(name)) > 1:
                self._add(name, student_id)
        self._of_coach: dict[str, dict[str, None]] = defaultdict(dict)
        if "coach_id" in roster:
            for coach_id, classroom_id in zip(
                _told(roster["coach_id"]), classroom_ids, strict=True
            ):
                self._of_coach[coach_id][classroom_id] = None
            self._of_coach.pop("", None)

    def strangers_in(self, text: str, audience: Audience) -> list[str]:
        """Return ids of students whose id or name is in a text that may not hold them.

        A name that also is, or is part of, one said where it belongs is no stranger's, nor
        is a teacher's.

        Parameters
        ----------
        text
            As a person would read it, entities undone.
        audience
            Whose records it may hold.
        """
        known = self._belonging_to(audience)
        # One text to look into: going through thousands of names, name by name, takes longer.
        said = "\0".join(self._said_to(audience))
        found: set[str] = set()
        for word in self._starting.keys() & set(WORD.findall(text)):
            wanted = [(one, who) for one, who in self._starting[word] if who not in known]
            for start in _starts(text, word) if wanted else ():
                found |= {
                    who for one, who in wanted if _stands_at(text, start, one) and one not in said
                }
        return sorted(found)

    def without_own(self, text: str, audience: Audience) -> str:
        """Return a text without the ids and names that belong there.

        A student may be known by an e-mail address, or by an id like a telephone number.
        """
        own = self._belonging_to(audience) | self._said_to(audience)
        for one in own:
            if "@" in one or any(letter.isdigit() for letter in one):
                text = text.replace(one, "")
        return text

    def classrooms_of_coach(self, coach_id: str) -> list[str]:
        """Return a coach's classrooms; none where the roster does not tell."""
        return list(self._of_coach.get(coach_id, ()))

    def _belonging_to(self, audience: Audience) -> set[str]:
        return set(audience.student_ids).union(
            *(self._students[one] for one in audience.classroom_ids)
        )

    def _said_to(self, audience: Audience) -> set[str]:
        return set().union(
            self._teachers,
            *(self._said[one] for one in audience.classroom_ids),
            *(self._names[one] for one in audience.student_ids),
        )

    def _add(self, said: str, student_id: str) -> None:
        first = WORD.search(said)
        if first:
            self._starting[first.group()].add((said[first.start() :], student_id))


def _told(column: Iterable[object]) -> list[str]:
    """Return a column's texts, empty where nothing is told."""
    return [one if isinstance(one, str) else "" for one in column]


def _starts(text: str, word: str) -> Iterator[int]:
    """Give the places where a word of a text begins with this one."""
    start = text.find(word)
    while start >= 0:
        if not WORD.match(text[start - 1 : start]):
            yield start
        start = text.find(word, start + 1)


def _stands_at(text: str, start: int, said: str) -> bool:
    end = start + len(said)
    return text.startswith(said, start) and not WORD.match(text[end : end + 1])
