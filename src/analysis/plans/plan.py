"""What a teacher and a coach can decide about the groups of one classroom in one window."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(min_length=1)]
Ids = Annotated[tuple[Id, ...], Field(min_length=1)]
Pair = Annotated[tuple[Id, ...], Field(min_length=2)]
GroupSize = Annotated[int, Field(ge=1, le=40)]


class Decided(BaseModel):
    """A part of a plan: never changed, unknown names refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Move(Decided):
    """A student works on this skill, whatever the evidence says.

    ``beside``: a student of the group meant, where two groups work on the skill.
    """

    student_id: Id
    skill_id: Id
    beside: Id | None = None


class LockedGroup(Decided):
    """These students stay one group on this skill; nobody else joins it."""

    skill_id: Id
    students: Ids


class GroupLabel(Decided):
    """A name and a note for the group on this skill that most of these students are in."""

    skill_id: Id
    students: Ids
    name: str = Field("", max_length=60)
    note: str = Field("", max_length=600)


class Plan(Decided):
    """Everything that was decided; what is not there is left to the method.

    Parameters
    ----------
    min_size, max_size, n_groups
        In place of the report's own parameters; missing: as those say.
    certainty
        Share of redraws (0 to 1) under which a place is marked to be checked first.
    skills_out
        Skills that are no group's focus.
    together, apart
        Students who sit in one group; students who sit in different ones.
    moves, locked
        Where students and groups are by the teacher's choice.
    labels
        Names and notes of groups.

    Examples
    --------
    >>> plan = Plan(apart=[("s1", "s2")], moves=[Move(student_id="s3", skill_id="k")])
    >>> plan.students
    ['s1', 's2', 's3']
    """

    min_size: GroupSize | None = None
    max_size: GroupSize | None = None
    n_groups: Annotated[int, Field(ge=1, le=12)] | None = None
    certainty: Annotated[float, Field(ge=0, le=1)] | None = None
    skills_out: tuple[Id, ...] = ()
    together: tuple[Pair, ...] = ()
    apart: tuple[Pair, ...] = ()
    moves: tuple[Move, ...] = ()
    locked: tuple[LockedGroup, ...] = ()
    labels: tuple[GroupLabel, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was decided."""
        return self == Plan()

    @property
    def students(self) -> list[str]:
        """Ids of all students it says something about, in the order of its parts."""
        named = [one for pair in (*self.together, *self.apart) for one in pair]
        for move in self.moves:
            named += [move.student_id, *([move.beside] if move.beside else [])]
        named += [one for group in self.locked for one in group.students]
        named += [one for group in self.labels for one in group.students]
        return list(dict.fromkeys(named))

    def limited_to(self, students: Collection[str], skills: Collection[str]) -> Plan:
        """Return what still can be followed with these students and skills.

        A student who has left the classroom is left out; what then says nothing goes.

        Examples
        --------
        >>> plan = Plan(locked=[LockedGroup(skill_id="k", students=["s1", "s2"])])
        >>> plan.limited_to(["s2"], ["k"]).locked[0].students
        ('s2',)
        """
        here, taught = set(students), set(skills)
        beside = {move: move.beside if move.beside in here else None for move in self.moves}
        return self.model_copy(
            update={
                "skills_out": tuple(one for one in self.skills_out if one in taught),
                "together": _sets_of(self.together, here),
                "apart": _sets_of(self.apart, here),
                "moves": tuple(
                    move.model_copy(update={"beside": beside[move]})
                    for move in self.moves
                    if move.student_id in here and move.skill_id in taught
                ),
                "locked": _groups_of(self.locked, here, taught),
                "labels": _groups_of(self.labels, here, taught),
            }
        )


def _sets_of(sets: Iterable[tuple[str, ...]], here: set[str]) -> tuple[tuple[str, ...], ...]:
    kept = [tuple(one for one in named if one in here) for named in sets]
    return tuple(named for named in kept if len(named) > 1)


def _groups_of(groups: Iterable[Any], here: set[str], taught: set[str]) -> tuple[Any, ...]:
    kept = [
        (group, tuple(one for one in group.students if one in here))
        for group in groups
        if group.skill_id in taught
    ]
    return tuple(group.model_copy(update={"students": ids}) for group, ids in kept if ids)
