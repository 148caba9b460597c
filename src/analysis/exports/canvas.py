"""Canvas: gradebook, Learning Mastery, Outcome Results and Student Competency, quiz analysis."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.exports.cells import ScoreColumn, read_numbers
from analysis.exports.codes import find_code, split_code
from analysis.exports.collecting import Collector, finish_reading
from analysis.exports.declared import read_scores
from analysis.exports.findings import name_some
from analysis.exports.judging import judge_item
from analysis.exports.names import clean_name
from analysis.exports.questions import find_questions
from analysis.exports.reading import Context, Reading
from analysis.exports.students import Students, read_students
from analysis.exports.table import Table

_TOTAL = re.compile(
    r"(current|final|unposted|override) ?(current |final )?(score|points|grade)", re.I
)
_ASSIGNMENT = re.compile(r"^(.*?)\s*\((\d+)\)$", re.DOTALL)
_RESULT, _MASTERY = " result", " mastery points"
_QUESTION = re.compile(r"^(\d+): ?(.*)$", re.DOTALL)


def recognise_gradebook(names: list[str]) -> bool:
    """Tell whether the header is a gradebook export's."""
    named = set(names)
    person = "Student" in named or {"LastName", "FirstName"} <= named
    graded = any(_ASSIGNMENT.match(name) or _TOTAL.search(name) for name in names)
    return person and {"ID", "Section"} <= named and graded


def read_gradebook(table: Table, context: Context) -> Reading:
    """Return each assignment's points; the Points Possible row is the denominator."""
    rows = table.rows
    table = _drop_manual_posting(table)
    roles = _canvas_roles(table, "SIS User ID", "ID")
    students = read_students(table, context, roles=roles)
    collector = Collector(students, source="Canvas gradebook", classroom_id=None)
    first = table.place("Section") or 0
    skills: dict[str, str] = {}
    totals = []
    for place in range(first + 1, len(table.names)):
        match = _ASSIGNMENT.match(table.names[place])
        if not match or _TOTAL.search(match.group(1)):
            totals.append(table.names[place])
            continue
        _read_assignment(place, match.group(1), students, context, collector, skills)
    table.findings.note(f"totals are no skills and were set aside: {name_some(totals)}.")
    named = pd.DataFrame(list(skills.items()), columns=["skill_id", "name"])
    return Reading(
        "Canvas gradebook",
        table.findings,
        rows,
        collector.build(),
        roster=split_sections(students),
        skills=named,
        people=students.people,
    )


def _read_assignment(
    place: int,
    title: str,
    students: Students,
    context: Context,
    collector: Collector,
    skills: dict[str, str],
) -> None:
    table = students.table
    column = ScoreColumn(table.text(place))
    possible = read_numbers(pd.Series([students.possible.get(place)], dtype="str"))[0][0]
    maximum = None if np.isnan(possible) or possible <= 0 else float(possible)
    values = judge_item(column, title, table.rows, table.findings, maximum)
    skill = find_code(title) or title
    item = table.names[place]
    mapped = item in set(context.items["item_id"]) or title in set(context.items["item_id"])
    about = {"item_id": item if item in set(context.items["item_id"]) else title} if mapped else {}
    if not mapped:
        about = {"skill_id": skill}
        skills.setdefault(skill, split_code(title)[1] if skill != title else title)
    collector.add(~np.isnan(values["points"]), observation_id=item, **about, **values)


def split_sections(students: Students) -> pd.DataFrame:
    """Return the roster, one row per student and section where a cell lists several."""
    roster = students.roster
    cells = roster["classroom_id"]
    alone = {cell for cell in cells if not re.search(r", | and ", cell)}

    def split(cell: str) -> list[str]:
        parts = [part for part in re.split(r", and |, | and ", cell) if part]
        return parts if alone & set(parts) else [cell]

    listed = roster.assign(classroom_id=pd.Series(map(split, cells), index=roster.index))
    return listed.explode("classroom_id", ignore_index=True).astype({"classroom_id": "str"})


def _drop_manual_posting(table: Table) -> Table:
    first = table.text(0)
    said = [
        any(isinstance(cell, str) and clean_name(cell) == "Manual Posting" for cell in row)
        for row in table.cells.iloc[:, 1:].to_numpy(dtype=object)
    ]
    posting = first.isna().to_numpy() & np.array(said, dtype=bool)
    table.findings.put_aside(table.rows[posting], "Canvas's own row on posting", "Nothing to do.")
    return table.keep(~posting)


def _canvas_roles(table: Table, sis: str, own: str) -> dict[str, int]:
    """Return the roles of a Canvas export; its own id stands in where no SIS id is given."""
    place, other = table.place(sis), table.place(own)
    if place is None or table.text(place).notna().sum() == 0:
        place = other
    roles = {} if place is None else {"student_id": place}
    for role, names in {
        "display_name": ["Student", "Student name", "name"],
        "first_name": ["FirstName"],
        "last_name": ["LastName"],
        "classroom_id": ["Section", "section name", "section"],
    }.items():
        found = next((p for name in names if (p := table.place(name)) is not None), None)
        if found is not None:
            roles[role] = found
    return roles


def recognise_mastery(names: list[str]) -> bool:
    """Tell whether the header is a Learning Mastery gradebook's."""
    return any(n.endswith(_RESULT) for n in names) and any(n.endswith(_MASTERY) for n in names)


def read_mastery(table: Table, context: Context) -> Reading:
    """Return each outcome's result with its mastery points as the cut."""
    rows = table.rows
    students = read_students(
        table, context, roles=_canvas_roles(table, "Student SIS ID", "Student ID")
    )
    collector = Collector(students, source="Canvas Learning Mastery")
    skills = {}
    for place, name in enumerate(table.names):
        if not name.endswith(_RESULT):
            continue
        path = name.removesuffix(_RESULT)
        skill, title = split_code(path.rsplit(" > ", 1)[-1])
        skills[skill] = title
        scores = read_scores(students.table.text(place), name, students.table)
        cuts = read_scores(students.table.text(path + _MASTERY), path + _MASTERY, students.table)
        collector.add(
            ~np.isnan(scores),
            skill_id=skill,
            observation_id=path,
            kind="score",
            score=scores,
            cut=cuts,
        )
    named = pd.DataFrame(list(skills.items()), columns=["skill_id", "name"])
    return finish_reading("Canvas Learning Mastery", rows, students, collector, named)


def recognise_outcomes(names: list[str]) -> bool:
    """Tell whether the header is the Outcome Results or Student Competency report's."""
    return {"learning outcome name", "outcome score", "student id"} <= {n.casefold() for n in names}


def read_outcomes(table: Table, context: Context) -> Reading:
    """Return each outcome's score with its mastery score as the cut."""
    rows = table.rows
    if table.text(0).str.fullmatch("No outcomes found", case=False).any() or not len(table.cells):
        raise DataError(
            f"{table.findings.where}: the report is empty (no outcomes found), so there are no "
            "students in it.\nChoose a course and dates with results and run the report again."
        )
    roles = _canvas_roles(table, "student sis id", "student id")
    students = read_students(table, context, roles=roles)
    table = students.table
    scores = read_scores(table.text("outcome score"), "outcome score", table)
    cuts = read_scores(
        table.text("learning outcome mastery score"), "learning outcome mastery score", table
    )
    skills = table.text("learning outcome name")
    asked = table.text("assessment question id")
    title = table.text("assignment title").fillna(table.text("assessment id")).fillna("outcome")
    collector = Collector(
        students, source="Canvas outcomes", observed_on=_days(table, "submission date")
    )
    filled = ~np.isnan(scores) & skills.notna().to_numpy()
    table.findings.put_aside(
        table.rows[~filled], "not scored yet", "Nothing to do until the outcome is rated."
    )
    collector.add(
        filled,
        skill_id=skills,
        kind="score",
        score=scores,
        cut=cuts,
        observation_id=title.where(asked.isna(), title + " " + asked),
        attempt=ScoreColumn(table.text("attempt")).numbers(),
    )
    names = table.text("learning outcome friendly name").fillna(skills)
    named = pd.DataFrame({"skill_id": skills, "name": names, "i_can": names})
    named["i_can"] = named["i_can"].where(named["i_can"].str.match(r"I can\b", na=False))
    named = named.dropna(subset=["skill_id"]).drop_duplicates("skill_id")
    return finish_reading(
        "Canvas Outcome Results", rows, students, collector, named.reset_index(drop=True)
    )


def recognise_quiz(names: list[str]) -> bool:
    """Tell whether the header is a quiz's student analysis."""
    ends = {"n correct", "n incorrect", "score"} <= set(names)
    return ends and any(_QUESTION.match(name) for name in names)


def read_quiz(table: Table, context: Context) -> Reading:
    """Return the points of each question: the column after it, headed by its points."""
    rows = table.rows
    students = read_students(table, context, roles=_canvas_roles(table, "sis_id", "id"))
    places = [place for place, name in enumerate(table.names) if _QUESTION.match(name)]
    questions = find_questions([table.names[place] for place in places], context, table.findings)
    collector = Collector(
        students,
        source=table.findings.file.rsplit(".", 1)[0],
        observed_on=_days(students.table, "submitted"),
    )
    attempt = ScoreColumn(students.table.text("attempt")).numbers()
    for place in places:
        name = table.names[place]
        possible = read_numbers(pd.Series([table.names[place + 1]], dtype="str"))[0][0]
        column = ScoreColumn(students.table.text(place + 1))
        values = judge_item(
            column,
            name,
            students.table.rows,
            table.findings,
            None if np.isnan(possible) else possible,
        )
        for skill in questions[name].skills:
            collector.add(
                ~np.isnan(values["points"]),
                skill_id=skill,
                observation_id=name,
                attempt=attempt,
                **values,
            )
    return finish_reading("Canvas quiz analysis", rows, students, collector)


def _days(table: Table, column: str) -> pd.Series:
    from analysis.exports.dates import read_dates

    return read_dates(table.text(column))
