"""Who gets which pages: a teacher the own classrooms', a coach the own caseload's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from analysis.errors import UsageError
from analysis.files import natural_key, safe_name
from analysis.rows import walk_parts
from analysis.sharing.pages import Page


@dataclass(frozen=True)
class Recipient:
    """One person, or one family, and what they get.

    Parameters
    ----------
    name
        As it stands on the bundle: a teacher's or coach's; a family's is neutral.
    file
        Name of the bundle, without ending. It names no student.
    classroom_ids
        Whose records they may have.
    student_ids
        Of a family: the one student.
    pages
        What they get.
    notes
        What to know before it is sent.
    """

    name: str
    file: str
    classroom_ids: tuple[str, ...]
    student_ids: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    notes: tuple[str, ...] = field(default=())


def find_teachers(roster: pd.DataFrame, pages: Mapping[str, Page]) -> list[Recipient]:
    """Return the teachers, each with the pages of the own classrooms.

    A classroom's teacher is the one most of its rows name; where rows name others, a note
    says so. Teachers of one name in two schools are two. A classroom without a teacher's
    name is a recipient of its own.

    Parameters
    ----------
    roster
        ``classroom_id``, ``teacher``, ``school``.
    pages
        By classroom.
    """
    homes: dict[tuple[str, str], list[str]] = defaultdict(list)
    notes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for classroom_id, rows in roster.groupby("classroom_id"):
        if classroom_id not in pages:
            continue
        named = Counter(rows["teacher"].dropna()).most_common()
        school = _first(rows["school"])
        key = (named[0][0], school) if named else ("", str(classroom_id))
        homes[key].append(str(classroom_id))
        if len(named) > 1:
            others = sum(n for _, n in named[1:])
            notes[key].append(f"{classroom_id}: the roster names another teacher on {others} rows")
        if not named:
            notes[key].append(f"{classroom_id}: the roster names no teacher")
    return _in_order(
        Recipient(
            name=teacher or school,
            file=safe_name(f"{teacher} {school}".strip()),
            classroom_ids=tuple(sorted(classrooms, key=natural_key)),
            pages=tuple(pages[one] for one in sorted(classrooms, key=natural_key)),
            notes=tuple(notes[teacher, school]),
        )
        for (teacher, school), classrooms in homes.items()
    )


def find_coaches(
    roster: pd.DataFrame, pages: Mapping[str, Page], digests: Mapping[str, Page]
) -> list[Recipient]:
    """Return the coaches, each with all classrooms' pages and the own digest.

    Parameters
    ----------
    roster
        ``classroom_id``, ``coach_id``.
    pages
        By classroom.
    digests
        Coaches' own pages, by coach.
    """
    coached = roster.dropna(subset="coach_id")
    found = []
    for coach_id, rows in walk_parts(coached, "coach_id"):
        mine = sorted(set(rows["classroom_id"]) & set(pages), key=natural_key)
        own = [digests[coach_id]] if coach_id in digests else []
        if mine or own:
            everything = (*own, *(pages[one] for one in mine))
            whose = tuple(sorted(set(rows["classroom_id"]), key=natural_key))
            found.append(Recipient(coach_id, safe_name(coach_id), whose, pages=everything))
    if not found:
        raise UsageError(
            "The roster names no coach of these classrooms.\n"
            "Fill the column coach_id of the roster, and import it again."
        )
    return _in_order(found)


def find_families(sheets: Mapping[str, Sequence[Page]], roster: pd.DataFrame) -> list[Recipient]:
    """Return the families, each with the pages of the own student.

    Their files are numbered in the order of classrooms and ids, so that no file name tells
    a student; the list of recipients says which is whose.

    Parameters
    ----------
    sheets
        By student.
    roster
        ``student_id``, ``classroom_id``.
    """
    homes = dict(zip(roster["student_id"], roster["classroom_id"], strict=True))
    order = sorted(sheets, key=lambda one: (natural_key(homes[one]), natural_key(one)))
    width = max(3, len(str(len(order))))
    return [
        Recipient(
            name=f"family {place:0{width}}",
            file=f"family-{place:0{width}}",
            classroom_ids=(),
            student_ids=(student_id,),
            pages=tuple(sheets[student_id]),
        )
        for place, student_id in enumerate(order, 1)
    ]


def only(recipients: Iterable[Recipient], classroom_ids: Collection[str]) -> list[Recipient]:
    """Return recipients with the pages of some classrooms alone; all where none is named."""
    if not classroom_ids:
        return list(recipients)
    wanted = set(classroom_ids)
    kept = []
    for one in recipients:
        mine = tuple(classroom for classroom in one.classroom_ids if classroom in wanted)
        pages = tuple(page for page in one.pages if page.page_id in wanted)
        if pages:
            kept.append(Recipient(one.name, one.file, mine, one.student_ids, pages, one.notes))
    return kept


def _first(values: pd.Series) -> str:
    return next(iter(values.dropna()), "")


def _in_order(recipients: Iterable[Recipient]) -> list[Recipient]:
    return sorted(recipients, key=lambda one: (natural_key(one.name), one.file))
