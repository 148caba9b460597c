"""Google Forms and Microsoft Forms quizzes: a row an attempt, a column a question."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.exports.cells import ScoreColumn
from analysis.exports.collecting import Collector
from analysis.exports.findings import name_some
from analysis.exports.judging import judge_item
from analysis.exports.names import clean_name, find_role, key_name
from analysis.exports.questions import Question, derive_key, find_questions, is_right
from analysis.exports.reading import Context, Reading
from analysis.exports.students import Students, read_students
from analysis.exports.table import Table

MEND = "Mend these in the file and import it again."
NO_KEY = (
    "the export holds answers but no points, and no key can be told from them.\nGive an item map "
    "(question, standard, answer, points) with --item-map."
)
_SCORE, _FEEDBACK = " [Score]", " [Feedback]"
_POINTS = re.compile(r"^Points\s*[-–—]\s*(.*)$", re.DOTALL)
_MS_OWN = re.compile(
    r"^(id|start time|completion time|email|name|total points|quiz feedback|last modified time"
    r"|grade posted time|language|(points|feedback)\s*[-–—]\s.*)$",
    re.IGNORECASE | re.DOTALL,
)
_TOTALS = {"Score", "Total score"}
_MAILS = ["Email Address", "Username", "Email address"]
_STUDENT_ID = {"studentid", "studentnumber", "idnumber", "lunchnumber", "schoolid"}


def recognise_google(names: list[str]) -> bool:
    """Tell whether the header is a Google Forms quiz's."""
    marked = _TOTALS & set(names) or any(name.endswith(_SCORE) for name in names)
    return bool(names) and names[0] == "Timestamp" and bool(marked)


def read_google(table: Table, context: Context) -> Reading:
    """Return each question's points: from its [Score] column, an item map, or the full scores."""
    rows = table.rows
    students = read_people(table, context, _MAILS, "Timestamp")
    own = {"Timestamp", *_TOTALS, *_MAILS}
    about = {p for p, name in enumerate(table.names) if name in own} | {*students.roles.values()}
    asked = [
        place
        for place, name in enumerate(table.names)
        if name
        and place not in about
        and not name.endswith((_SCORE, _FEEDBACK))
        and find_role([name], "display_name") is None
        and find_role([name], "classroom_id") is None
    ]
    scored = {
        name.removesuffix(_SCORE): p for p, name in enumerate(table.names) if name.endswith(_SCORE)
    }
    questions = _questions(table, asked, context)
    collector = _collector(students)
    if scored:
        for name, place in scored.items():
            _add_points(students, place, questions.get(name) or _own(name), collector)
    else:
        _add_answers(
            students, asked, questions, _totals(students.table.text(sorted(_TOTALS))), collector
        )
    return _finish("Google Forms", table, rows, students, collector)


def recognise_microsoft(names: list[str]) -> bool:
    """Tell whether the header is a Microsoft Forms quiz's."""
    return "Total points" in names and any(_POINTS.match(name) for name in names)


def read_microsoft(table: Table, context: Context) -> Reading:
    """Return each question's points, from its “Points - …” column."""
    rows = table.rows
    students = read_people(table, context, ["Email", "Name"], "Completion time")
    places = {m.group(1): p for p, name in enumerate(table.names) if (m := _POINTS.match(name))}
    questions = find_questions(list(places), context, table.findings)
    collector = _collector(students)
    for name, place in places.items():
        column = students.table.text(place)
        if column.notna().any() and not _MS_OWN.match(name):
            _add_points(students, place, questions[name], collector)
    return _finish("Microsoft Forms", table, rows, students, collector)


def read_people(table: Table, context: Context, keys: list[str], time: str) -> Students:
    """Return the students: by a question for their id, else by e-mail or name, which is said."""
    asked = next((p for p, n in enumerate(table.names) if key_name(n) in _STUDENT_ID), None)
    mail = next((p for key in keys if (p := table.place(key)) is not None), None)
    told = mail if asked is None else asked
    if told is None:
        raise DataError(
            f"{table.findings.where}: nothing tells the students apart: no e-mail and no question "
            "for the student id.\nCollect e-mail addresses, or ask for the student id."
        )
    roles = {"student_id": told}
    for role, name in (("display_name", "Name"), ("observed_on", time)):
        place = table.place(name)
        if place is not None and place != told:
            roles[role] = place
    for role in ("display_name", "classroom_id"):
        place = find_role(table.names, role, roles.values())
        if place is not None:
            roles.setdefault(role, place)
    if asked is None:
        table = table.put(told, table.text(told).str.casefold())
        table.findings.note(
            f"students are told apart by “{table.names[told]}”, because the form asks for no "
            "student id; it is stored as their id."
        )
    return read_students(table, context, roles=roles)


def _questions(table: Table, places: list[int], context: Context) -> dict[str, Question]:
    names = [table.names[place] for place in places]
    graded = [name for name in names if clean_name(name)]
    return find_questions(graded, context, table.findings)


def _own(name: str) -> Question:
    return Question(name, (name,), np.nan)


def _collector(students: Students) -> Collector:
    return Collector(students, source=students.table.findings.file.rsplit(".", 1)[0])


def _add_points(students: Students, place: int, question: Question, collector: Collector) -> None:
    table = students.table
    maximum = None if np.isnan(question.possible) else question.possible
    values = judge_item(
        ScoreColumn(table.text(place)), question.name, table.rows, table.findings, maximum
    )
    for skill in question.skills:
        collector.add(
            ~np.isnan(values["points"]), skill_id=skill, observation_id=question.name, **values
        )


def _add_answers(
    students: Students,
    places: list[int],
    questions: dict[str, Question],
    totals: tuple[np.ndarray, np.ndarray],
    collector: Collector,
) -> None:
    table = students.table
    names = {place: table.names[place] for place in places}
    answers = pd.DataFrame({place: table.text(place) for place in places})
    key = {p: q.answer for p, n in names.items() if (q := questions[n]).answer is not None}
    if not key:
        points, most = totals
        key = derive_key(answers, points == most, points, table.findings) or {}
    if not key:
        raise DataError(f"{table.findings.where}: {NO_KEY}")
    unkeyed = [name for place, name in names.items() if place not in key]
    if unkeyed:
        table.findings.note(
            f"questions without an answer in the item map were set aside: {name_some(unkeyed)}."
        )
    for place, answer in key.items():
        question = questions[names[place]]
        possible = 1.0 if np.isnan(question.possible) else question.possible
        for skill in question.skills:
            collector.add(
                answers[place].notna().to_numpy(),
                skill_id=skill,
                observation_id=question.name,
                kind="points",
                points=is_right(answers[place], answer) * possible,
                points_possible=possible,
            )


def _totals(texts: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    column = ScoreColumn(texts)
    return column.numbers(), column.out_of()


def _finish(
    name: str, table: Table, rows: np.ndarray, students: Students, collector: Collector
) -> Reading:
    table.findings.refuse_faults(MEND)
    return Reading(
        name,
        table.findings,
        rows,
        collector.build(),
        roster=students.roster,
        people=students.people,
    )
