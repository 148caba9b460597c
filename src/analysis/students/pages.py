"""Each student's own page, made from one classroom's tables; it names nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from analysis.classroom import Classroom, open_classroom
from analysis.errors import UnknownError, UsageError
from analysis.progress import LearnerProgress, describe_learners
from analysis.rendering.blocks import Block, render_block
from analysis.rendering.proof import Proof
from analysis.voice import own_words


class Speech(NamedTuple):
    """How a page speaks: its template, and the kind of pages it belongs to."""

    template: str
    kind: str


READERS = MappingProxyType(
    {
        "student": Speech("student_sheet", "students"),
        "family": Speech("family_sheet", "families"),
    }
)
"""Who reads the page."""


@dataclass(frozen=True)
class Sheet(Block):
    """One student's page, which says whose it is.

    Parameters
    ----------
    html
        The rendered page.
    student_id
        The one student it holds.
    """

    student_id: str

    def _repr_html_(self) -> tuple[str, dict[str, object]]:
        # The notebook keeps whose output this is; a page for one student is made of it alone.
        return self.html, {"student_id": self.student_id}


def open_students(
    classroom_id: str,
    *,
    window: str,
    data_dir: str | Path = "data",
    student_id: str | None = None,
    reader: str = "student",
    **how: Any,
) -> StudentPages:
    """Open the students of one classroom, to make each a page.

    Parameters
    ----------
    classroom_id, window, data_dir
        As in :func:`analysis.open_classroom`.
    student_id
        One student of the classroom; ``None``: all.
    reader
        ``student``: a page in the student's own words; ``family``: the same as a letter.
    **how
        Language and rules of the groups, as in :func:`analysis.open_classroom`: what a
        student's group is taught is the next step where it is nearly as good as the best.

    Raises
    ------
    UsageError
        There is no such reader, or a parameter is out of range.
    DataError
        There is no such classroom, window, student or language.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from analysis.simulation import simulate_district, write_district
    >>> with TemporaryDirectory() as folder:
    ...     exports = write_district(simulate_district(2), folder)
    ...     pages = open_students("demo-3a", window="2026-EOY", data_dir=folder)
    ...     pages.learners[0].next_step.i_can
    'I can round a number to the nearest ten or hundred.'
    """
    if reader not in READERS:
        raise UsageError(f"There is no page for {reader!r}.\nChoose one of: {', '.join(READERS)}.")
    classroom = open_classroom(classroom_id, window=window, data_dir=data_dir, **how)
    known = classroom.roster["student_id"].tolist()
    if student_id is not None and student_id not in known:
        raise UnknownError.of("student", student_id, known, f"classroom {classroom_id}")
    return StudentPages(classroom, student_id, reader)


class StudentPages:
    """The pages of one classroom's students; made by :func:`open_students`.

    Parameters
    ----------
    classroom
        Whose tables they are made from.
    student_id
        One student; ``None``: all.
    reader
        One of :data:`READERS`.
    """

    def __init__(self, classroom: Classroom, student_id: str | None, reader: str):
        self.classroom = classroom
        self.student_id = student_id
        self.reader = reader

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.classroom!r}, reader={self.reader!r})"

    def __iter__(self) -> Iterator[Sheet]:
        """Give each student's page, in the order of their names."""
        for learner in self.learners:
            yield self._sheet(learner)

    @cached_property
    def learners(self) -> list[LearnerProgress]:
        """What each student has shown, in the order of their names."""
        room = self.classroom
        return describe_learners(
            room.mastery_by_window,
            room.evidence_so_far,
            room.framework,
            self._student_ids(),
            language=room.language,
            taught=self._taught(),
        )

    def show_proof(self) -> Proof:
        """End the pages with the facts the renderer checks before it publishes."""
        return replace(self.classroom.show_proof(), kind=READERS[self.reader].kind)

    def _taught(self) -> dict[str, str]:
        """Return the skill of each student's next lessons."""
        placed = self.classroom.grouping.groups.dropna(subset="focus_skill_id")
        return dict(zip(placed["student_id"], placed["focus_skill_id"], strict=True))

    def _student_ids(self) -> list[str]:
        if self.student_id is not None:
            return [self.student_id]
        name_of = self.classroom.name_of
        known = self.classroom.roster["student_id"]
        return sorted(known, key=lambda one: (name_of(one).casefold(), one))

    def _sheet(self, learner: LearnerProgress) -> Sheet:
        room = self.classroom
        block = render_block(
            READERS[self.reader].template,
            room.language,
            learner=learner,
            display_name=self._name_of(learner.student_id),
            about=room.store.about(room.classroom_id),
            subject=self._subject(),
            words=own_words(room.voice, room.roster, learner.student_id),
        )
        return Sheet(block.html, learner.student_id)

    def _name_of(self, student_id: str) -> str:
        """Return the roster's own name: nobody else is on the page to be told apart from."""
        names = self.classroom.store.read_roster(self.classroom.classroom_id)
        name = names.set_index("student_id").at[student_id, "display_name"]
        return name if isinstance(name, str) else student_id

    def _subject(self) -> str:
        """Return the subject of the skills that were asked for; empty where there are several."""
        asked = self.classroom.evidence_so_far["skill_id"].unique()
        subjects = self.classroom.framework.table["subject"].reindex(asked).dropna().unique()
        return subjects[0] if len(subjects) == 1 else ""
