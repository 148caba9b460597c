"""PowerTeacher score sheets and Moodle's quiz and gradebook reports."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from analysis.exports.cells import ScoreColumn, read_numbers
from analysis.exports.codes import find_code, split_code
from analysis.exports.collecting import Collector, finish_reading
from analysis.exports.dates import read_dates
from analysis.exports.findings import name_some
from analysis.exports.judging import judge_item
from analysis.exports.names import find_role, find_roles, key_name
from analysis.exports.questions import find_questions
from analysis.exports.reading import Context, Reading
from analysis.exports.students import Students, read_students
from analysis.exports.table import Table
from analysis.scales import find_scale

_QUESTION = re.compile(r"^\D{0,15}?(\d+)\s*/\s*(\d+(?:[.,]\d+)?)$")
_GRADE = re.compile(r"^[^\d/]+/\s*(\d+(?:[.,]\d+)?)$")
_REAL = re.compile(r"^(?:([^:]+): ?)?(.+) \((Real|Percentage|Letter|Feedback)\)$")


def recognise_powerteacher(names: list[str]) -> bool:
    """Tell whether the header is a PowerTeacher score sheet's."""
    return [key_name(name) for name in names if name] == ["studentnum", "studentname", "score"]


def read_powerteacher(table: Table, context: Context) -> Reading:
    """Return one assignment's scores; its name, class, date and points stand above the header."""
    rows = table.rows
    above = _lines_above(table)
    table = _drop_blank_tail(table)
    students = read_students(table, context, roles={"student_id": 0, "display_name": 1})
    for column, line in (("classroom_id", "class"), ("teacher", "teachername")):
        students.frame[column] = pd.array([above.get(line)] * len(students.frame), dtype="str")
    title = above.get("assignmentname") or table.findings.file.rsplit(".", 1)[0]
    skill = find_code(title) or title
    days = pd.Series([above.get("duedate")] * len(students.frame), dtype="str")
    collector = Collector(students, source="PowerTeacher", observed_on=read_dates(days))
    collector.base["classroom_id"] = students.frame["classroom_id"]
    values = _score_values(students.table, title, above)
    filled = ~np.isnan(values["points"]) if "points" in values else values["level"].notna()
    collector.add(np.asarray(filled), skill_id=skill, observation_id=title, **values)
    named = pd.DataFrame({"skill_id": [skill], "name": [split_code(title)[1]]})
    return finish_reading("PowerTeacher", rows, students, collector, named)


def _score_values(table: Table, title: str, above: dict[str, str]) -> dict[str, Any]:
    """Return letters as levels where the sheet says so and a scale knows them, else points."""
    texts = table.text(2)
    if "grade" in above.get("scoretype", "").casefold():
        levels = _levels(texts)
        if levels is not None:
            return levels
    possible = read_numbers(pd.Series([above.get("pointspossible")], dtype="str"))[0][0]
    maximum = None if np.isnan(possible) else possible
    return judge_item(ScoreColumn(texts), title, table.rows, table.findings, maximum)


def _lines_above(table: Table) -> dict[str, str]:
    lines = {}
    for _, line in table.above.iterrows():
        cells = [str(cell).strip() for cell in line if isinstance(cell, str)]
        if len(cells) > 1:
            lines[key_name(cells[0])] = cells[1]
    return lines


def _drop_blank_tail(table: Table) -> Table:
    return table.keep(table.text(0).notna() | table.text(1).notna())


def _levels(texts: pd.Series) -> dict[str, Any] | None:
    column = ScoreColumn(texts)
    words = [cell.text for cell in column.cells if cell.form.value in ("word", "number")]
    scale = find_scale(words)
    if scale is None:
        return None
    labels = pd.Series([scale.read(cell.text) for cell in column.cells] + [None], dtype="str").array
    return {
        "kind": "level",
        "level": pd.Series(labels.take(column.codes), index=texts.index),
        "scale": scale.name,
    }


def recognise_moodle_quiz(names: list[str]) -> bool:
    """Tell whether the header is a Moodle quiz's grades report, in any language."""
    graded = sum(bool(_QUESTION.match(name)) for name in names)
    return graded > 0 and any(_GRADE.match(name) for name in names)


def read_moodle_quiz(table: Table, context: Context) -> Reading:
    """Return each question's points; ``-`` is not answered."""
    rows = table.rows
    students = _moodle_students(table, context)
    source = table.findings.file.rsplit(".", 1)[0]
    places = {place: m for place, name in enumerate(table.names) if (m := _QUESTION.match(name))}
    names = {place: f"Q{match.group(1)}" for place, match in places.items()}
    questions = find_questions(list(names.values()), context, table.findings, prefix=f"{source} ")
    collector = Collector(students, source=source)
    for place, match in places.items():
        question = questions[names[place]]
        possible = float(match.group(2).replace(",", "."))
        values = judge_item(
            ScoreColumn(students.table.text(place)),
            question.name,
            students.table.rows,
            table.findings,
            possible,
        )
        for skill in question.skills:
            collector.add(
                ~np.isnan(values["points"]), skill_id=skill, observation_id=question.name, **values
            )
    return finish_reading("Moodle quiz", rows, students, collector)


def recognise_moodle_gradebook(names: list[str]) -> bool:
    """Tell whether the header is a Moodle gradebook's."""
    return any(_REAL.match(name) for name in names) and any(
        "last downloaded" in n.casefold() for n in names
    )


def read_moodle_gradebook(table: Table, context: Context) -> Reading:
    """Return each graded item: percent where exported, else points of items.csv, else bare."""
    rows = table.rows
    students = _moodle_students(table, context)
    listed = context.items.dropna(subset=["points_possible"]).drop_duplicates("item_id")
    possible = listed.set_index("item_id")["points_possible"].to_dict()
    collector = Collector(students, source="Moodle gradebook")
    skills, bare = {}, []
    for place, match in _graded_columns(table.names).items():
        title = match.group(2)
        skill, name = split_code(title)
        skills[skill] = name
        maximum = 100.0 if match.group(3) == "Percentage" else possible.get(title)
        bare += [title] if maximum is None else []
        values = _graded_values(students.table, place, title, maximum)
        filled = ~np.isnan(values["points"] if "points" in values else values["score"])
        item = f"{match.group(1)}: {title}"
        collector.add(filled, skill_id=skill, observation_id=item, **values)
    if bare:
        table.findings.note(
            f"the export states no maximum for {name_some(bare)}: stored as bare scores, which "
            "cannot show mastery. Export percentages too, or give the points in items.csv."
        )
    named = pd.DataFrame(list(skills.items()), columns=["skill_id", "name"])
    return finish_reading("Moodle gradebook", rows, students, collector, named)


def _graded_columns(names: list[str]) -> dict[int, re.Match[str]]:
    """Return the columns of graded items; a real mark gives way to the same item's percent."""
    graded = {
        place: match
        for place, name in enumerate(names)
        if (match := _REAL.match(name))
        and match.group(3) in ("Real", "Percentage")
        and match.group(1) is not None
    }
    percents = {match.group(2) for match in graded.values() if match.group(3) == "Percentage"}
    return {
        place: match
        for place, match in graded.items()
        if match.group(3) == "Percentage" or match.group(2) not in percents
    }


def _graded_values(table: Table, place: int, title: str, maximum: float | None) -> dict[str, Any]:
    if maximum is None:
        return {"kind": "score", "score": ScoreColumn(table.text(place)).numbers()}
    column = ScoreColumn(_plain_percent(table.text(place)))
    return judge_item(column, title, table.rows, table.findings, maximum)


def _plain_percent(texts: pd.Series) -> pd.Series:
    return texts.str.replace(r"\s*%$", "", regex=True)


def _moodle_students(table: Table, context: Context) -> Students:
    """Return the students by ID number, else by e-mail address, which is said."""
    roles = find_roles(table.names, ["first_name", "last_name", "classroom_id", "observed_on"])
    place = find_role(table.names, "student_id")
    if place is None or table.text(place).isna().all():
        place = next(
            (p for p, n in enumerate(table.names) if re.search(r"mail|correo|courriel", n, re.I)), 0
        )
        table.findings.note(
            f"students are told apart by “{table.names[place]}”, because the export has no ID "
            "number; it is stored as their id."
        )
        table = table.put(place, table.text(place).str.casefold())
    return read_students(table, context, roles=roles | {"student_id": place})
