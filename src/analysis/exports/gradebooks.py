"""PowerTeacher score sheets and Moodle's quiz and gradebook reports."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from analysis.exports.cells import ScoreColumn, read_numbers
from analysis.exports.codes import find_code, split_code
from analysis.exports.collecting import Collector
from analysis.exports.dates import read_dates
from analysis.exports.findings import name_some
from analysis.exports.judging import judge_item
from analysis.exports.names import find_role, find_roles, key_name
from analysis.exports.questions import find_questions
from analysis.exports.reading import Context, Reading
from analysis.exports.students import read_students
from analysis.exports.table import Table
from analysis.scales import find_scale

MEND = "Mend these in the file and import it again."
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
    roles = {"student_id": 0, "display_name": 1}
    students = read_students(table, context, roles=roles)
    students.frame["classroom_id"] = above.get("class")
    students.frame["teacher"] = above.get("teachername")
    title = above.get("assignmentname") or table.findings.file.rsplit(".", 1)[0]
    skill = find_code(title) or title
    table = students.table
    days = pd.Series([above.get("duedate")] * len(table.cells), dtype="str")
    collector = Collector(
        students,
        source="PowerTeacher",
        observed_on=read_dates(days),
        classroom_id=students.frame["classroom_id"].astype("str"),
    )
    texts = table.text(2)
    values = _levels(texts) if "grade" in above.get("scoretype", "").casefold() else None
    if values is None:
        possible = read_numbers(pd.Series([above.get("pointspossible")], dtype="str"))[0][0]
        values = judge_item(
            ScoreColumn(texts),
            title,
            table.rows,
            table.findings,
            None if np.isnan(possible) else possible,
        )
        filled = ~np.isnan(values["points"])
    else:
        filled = values["level"].notna().to_numpy()
    collector.add(filled, skill_id=skill, observation_id=title, **values)
    table.findings.refuse_faults(MEND)
    named = pd.DataFrame(
        {"skill_id": [skill], "name": [split_code(title)[1] if skill != title else title]}
    )
    students.frame[["classroom_id", "teacher"]] = students.frame[
        ["classroom_id", "teacher"]
    ].astype("str")
    return Reading(
        "PowerTeacher",
        table.findings,
        rows,
        collector.build(),
        roster=students.roster,
        skills=named,
        people=students.people,
    )


def _lines_above(table: Table) -> dict[str, str]:
    lines = {}
    for _, line in table.above.iterrows():
        cells = [str(cell).strip() for cell in line if isinstance(cell, str)]
        if len(cells) > 1:
            lines[key_name(cells[0])] = cells[1]
    return lines


def _drop_blank_tail(table: Table) -> Table:
    return table.keep(table.text(0).notna() | table.text(1).notna())


def _levels(texts: pd.Series) -> dict | None:
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
    table.findings.refuse_faults(MEND)
    return Reading(
        "Moodle quiz",
        table.findings,
        rows,
        collector.build(),
        roster=students.roster,
        people=students.people,
    )


def recognise_moodle_gradebook(names: list[str]) -> bool:
    """Tell whether the header is a Moodle gradebook's."""
    return any(_REAL.match(name) for name in names) and any(
        "last downloaded" in n.casefold() for n in names
    )


def read_moodle_gradebook(table: Table, context: Context) -> Reading:
    """Return each graded item: percent where exported, else points of items.csv, else bare."""
    rows = table.rows
    students = _moodle_students(table, context)
    table = students.table
    graded = {
        place: match
        for place, name in enumerate(table.names)
        if (match := _REAL.match(name))
        and match.group(3) in ("Real", "Percentage")
        and match.group(2) != "Course total"
        and match.group(1) is not None
    }
    percents = {match.group(2) for match in graded.values() if match.group(3) == "Percentage"}
    collector = Collector(students, source="Moodle gradebook")
    skills, bare = {}, []
    listed = context.items.dropna(subset=["points_possible"]).drop_duplicates("item_id")
    possible = listed.set_index("item_id")["points_possible"].to_dict()
    for place, match in graded.items():
        title = match.group(2)
        if match.group(3) == "Real" and title in percents:
            continue
        skill = find_code(title) or title
        skills[skill] = split_code(title)[1] if skill != title else title
        maximum = 100.0 if match.group(3) == "Percentage" else possible.get(title)
        about = {"skill_id": skill, "observation_id": f"{match.group(1)}: {title}"}
        if maximum is None:
            bare.append(title)
            scores = ScoreColumn(table.text(place)).numbers()
            collector.add(~np.isnan(scores), kind="score", score=scores, **about)
        else:
            values = judge_item(
                ScoreColumn(_plain_percent(table.text(place))),
                title,
                table.rows,
                table.findings,
                maximum,
            )
            collector.add(~np.isnan(values["points"]), **about, **values)
    if bare:
        table.findings.note(
            f"the export states no maximum for {name_some(bare)}: stored as bare scores, which "
            "cannot show mastery. Export percentages too, or give the points in items.csv."
        )
    table.findings.refuse_faults(MEND)
    named = pd.DataFrame(list(skills.items()), columns=["skill_id", "name"])
    return Reading(
        "Moodle gradebook",
        table.findings,
        rows,
        collector.build(),
        roster=students.roster,
        skills=named,
        people=students.people,
    )


def _plain_percent(texts: pd.Series) -> pd.Series:
    return texts.str.replace(r"\s*%$", "", regex=True)


def _moodle_students(table: Table, context: Context):
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
