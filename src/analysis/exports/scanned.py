"""Answer sheets: Illuminate student responses and ZipGrade's full format."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.exports.cells import Form, ScoreColumn, read_numbers
from analysis.exports.collecting import Collector, finish_reading
from analysis.exports.forms import NO_KEY
from analysis.exports.judging import judge_item
from analysis.exports.names import find_roles
from analysis.exports.questions import Question, derive_key, find_questions, is_right
from analysis.exports.reading import Context, Reading
from analysis.exports.students import STUDENT_ROLES, read_students
from analysis.exports.table import Table

_Q = re.compile(r"^Q(?:uestion)? ?\d+$", re.IGNORECASE)
_ZIPGRADE_ROLES = {
    "first_name": "FirstName",
    "last_name": "LastName",
    "classroom_id": "QuizClass",
    "observed_on": "QuizCreated",
    "source": "QuizName",
}
_POINTS = re.compile(r"^Points(\d+)$")


def recognise_illuminate(names: list[str]) -> bool:
    """Tell whether the header is Illuminate's Student Responses."""
    told = {"Performance Band Label", "Local Student Id"} & set(names)
    return bool(told) and any(_Q.match(name) for name in names)


def read_illuminate(table: Table, context: Context) -> Reading:
    """Return each question's points, by the item map's key or by full scores."""
    rows = table.rows
    own = {
        "student_id": table.place("Local Student Id"),
        "observed_on": table.place("Date Taken"),
    }
    others = find_roles(
        table.names, [role for role in STUDENT_ROLES if role not in ("student_id", "source")]
    )
    roles = others | {role: place for role, place in own.items() if place is not None}
    students = read_students(table, context, roles=roles)
    table = students.table
    source = table.findings.file.rsplit(".", 1)[0]
    places = [place for place, name in enumerate(table.names) if _Q.match(name)]
    questions = find_questions(
        [table.names[p] for p in places], context, table.findings, prefix=f"{source} "
    )
    collector = Collector(students, source=source)
    answers = pd.DataFrame({place: table.text(place) for place in places})
    key = _key(answers, table, {place: questions[table.names[place]].answer for place in places})
    for place in places:
        question = questions[table.names[place]]
        values = _marked(
            answers[place], question, None if key is None else key.get(place, ""), table
        )
        for skill in question.skills:
            collector.add(
                ~np.isnan(values["points"]), skill_id=skill, observation_id=question.name, **values
            )
    return finish_reading("Illuminate", rows, students, collector)


def _marked(
    given: pd.Series, question: Question, answer: str | None, table: Table
) -> dict[str, Any]:
    """Return the points of one question; without an answer to compare, the cells are points."""
    known = None if np.isnan(question.possible) else question.possible
    if answer is None:
        return judge_item(ScoreColumn(given), question.name, table.rows, table.findings, known)
    possible = known or 1.0
    if not answer:
        table.findings.note(f"{question.name} has no answer in the item map; set aside.")
        return {
            "kind": "points",
            "points": np.full(len(given), np.nan),
            "points_possible": possible,
        }
    right = np.where(given.notna(), is_right(given, answer) * possible, np.nan)
    return {"kind": "points", "points": right, "points_possible": possible}


def _key(
    answers: pd.DataFrame, table: Table, mapped: dict[int, str | None]
) -> dict[int, str] | None:
    """Return the key, or None where the cells are points already."""
    forms = set().union(*(ScoreColumn(answers[place]).forms for place in answers))
    if forms <= {Form.NUMBER}:
        return None
    key = {place: answer for place, answer in mapped.items() if answer is not None}
    if key:
        return key
    points = read_numbers(table.text("Points Correct"))[0]
    possible = read_numbers(table.text("Points Possible"))[0]
    derived = derive_key(answers, points == possible, points, table.findings)
    if derived is None:
        raise DataError(f"{table.findings.where}: {NO_KEY}")
    return derived


def recognise_zipgrade(names: list[str]) -> bool:
    """Tell whether the header is ZipGrade's full format."""
    return {"Stu1", "Points1"} <= set(names)


def read_zipgrade(table: Table, context: Context) -> Reading:
    """Return the points of each question of each quiz."""
    rows = table.rows
    ids = "StudentID" if table.text("StudentID").notna().any() else "CustomID"
    named = {"student_id": ids} | _ZIPGRADE_ROLES
    roles = {role: p for role, name in named.items() if (p := table.place(name)) is not None}
    students = read_students(table, context, roles=roles)
    table = students.table
    quiz = students.text("source").fillna("quiz")
    numbers = [int(match.group(1)) for name in table.names if (match := _POINTS.match(name))]
    even = read_numbers(table.text("Possible Points"))[0] / max(len(numbers), 1)
    collector = Collector(students)
    for title in quiz.unique():
        here = (quiz == title).to_numpy()
        questions = find_questions(
            [f"Q{n}" for n in numbers], context, table.findings, prefix=f"{title} "
        )
        for n in numbers:
            question = questions[f"Q{n}"]
            points, bad = read_numbers(table.text(f"Points{n}"))
            _note_bad(table, bad & here, n)
            most = np.nanmax(np.append(points[here], 1.0))
            guessed = max(most, _whole(even[here]))
            possible = guessed if np.isnan(question.possible) else question.possible
            for skill in question.skills:
                collector.add(
                    here & ~np.isnan(points),
                    skill_id=skill,
                    observation_id=question.name,
                    kind="points",
                    points=points,
                    points_possible=possible,
                )
    return finish_reading("ZipGrade", rows, students, collector)


def _whole(shares: np.ndarray) -> float:
    """Return the points of a question where all questions have the same, else 0."""
    known = {share for share in shares if share == share}
    return known.pop() if len(known) == 1 else 0.0


def _note_bad(table: Table, bad: np.ndarray, number: int) -> None:
    for row in table.rows[bad]:
        table.findings.fault("is not a number", row=int(row), column=f"Points{number}")
