"""The wide form: a row a student, a column an item (with a Q-matrix) or a skill (a tracker)."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.exports.cells import Form, ScoreColumn
from analysis.exports.collecting import Collector
from analysis.exports.findings import Findings
from analysis.exports.judging import judge_item, judge_tracker
from analysis.exports.names import find_roles, is_demographic, is_derived, is_sensitive
from analysis.exports.reading import Context, Reading
from analysis.exports.students import (
    STUDENT_ROLES,
    Students,
    note_classrooms,
    note_same_names,
    read_students,
)
from analysis.exports.table import Table

RESPONSES = "wide responses"
TRACKER = "spreadsheet tracker"
MEND = "Mend these in the file and import it again."
_KNOWN_EXTRA = re.compile(r"^(school|booklet|form|row|order|index|attempt)( id)?$")


def recognise(names: list[str]) -> bool:
    """Tell whether there is a student in each row and something beside."""
    roles = find_roles(names, STUDENT_ROLES)
    told = "student_id" in roles or ("display_name" in roles or "last_name" in roles)
    return told and len([name for name in names if name]) > len(roles)


def read(table: Table, context: Context) -> Reading:
    """Return what a wide table says: items where the Q-matrix knows the columns, else skills."""
    roles = find_roles(table.names, STUDENT_ROLES)
    table, roles = _names_as_ids(table, roles)
    if not set(table.names) & set(context.items["item_id"]):
        _refuse_missing_classroom(table, roles, context)
    items = set(context.items["item_id"])
    item_places = {
        place
        for place, name in enumerate(table.names)
        if name in items
        and place not in {roles.get(role) for role in ("student_id", "classroom_id")}
    }
    roles = {role: place for role, place in roles.items() if place not in item_places}
    rows = table.rows
    table = merge_repeated_columns(table)
    students = read_students(table, context, roles=roles, strict=True)
    _refuse_rows_without_classroom(students, context)
    if item_places:
        reading = _read_responses(students, sorted(item_places), context)
    else:
        reading = _read_tracker(students, context)
    table.findings.refuse_faults(MEND)
    note_same_names(students.roster, table.findings)
    note_classrooms(students.roster, table.findings)
    reading.rows = rows
    return reading


def merge_repeated_columns(table: Table) -> Table:
    """Return the table with each name once; columns of one name that differ are a fault."""
    names, cells = list(table.names), table.cells.copy()
    for place, name in enumerate(names):
        first = names.index(name)
        if not name or first == place:
            continue
        if table.text(place).equals(table.text(first)):
            table.findings.note(f"the column {name} stands twice with the same cells; read once.")
            names[place] = ""
            cells[place] = ""
        else:
            table.findings.fault(
                f"two columns have this name (columns {first + 1} and {place + 1}) and differ; "
                "name them apart",
                column=name,
            )
    return Table(table.sheet, table.header_row, names, cells, table.above)


def split_columns(students: Students) -> list[int]:
    """Return the places of the columns that may hold scores; name the others in notes."""
    table, findings = students.table, students.table.findings
    aside: dict[str, list[str]] = {"sensitive": [], "demographic": [], "derived": []}
    places = []
    for place, name in enumerate(table.names):
        if place in students.roles.values():
            continue
        if is_sensitive(name):
            aside["sensitive"].append(name)
        elif is_demographic(name):
            aside["demographic"].append(name)
        elif is_derived(name) or _KNOWN_EXTRA.match(name.casefold().replace("_", " ")):
            aside["derived"].append(name)
        else:
            places.append(place)
    note_dropped(aside, findings)
    return places


def note_dropped(aside: dict[str, list[str]], findings: Findings) -> None:
    """Name columns that were not read, by why; their values appear nowhere."""
    why = {
        "sensitive": "dropped unread, because nobody needs it here",
        "demographic": "set aside, because supports and demographics are not stored unasked",
        "derived": "set aside: totals and bookkeeping are no skills",
    }
    for kind, names in aside.items():
        if names:
            findings.note(f"columns {why[kind]}: {', '.join(names)}.")


def _names_as_ids(table: Table, roles: dict[str, int]) -> tuple[Table, dict[str, int]]:
    """Return a table and its roles; without ids, names in their place where they are unique.

    Raises
    ------
    DataError
        Two students of one classroom share a name, so that nothing tells them apart.
    """
    if "student_id" in roles:
        return table, roles
    place = roles.get("display_name")
    if place is None and {"first_name", "last_name"} <= roles.keys():
        first, last = (table.text(roles[role]).fillna("") for role in ("first_name", "last_name"))
        place = int(max(table.cells.columns)) + 1
        table = table.put(place, (first + " " + last).str.strip(), "Student Name")
    names = table.text(place)
    rooms = table.text(roles.get("classroom_id"))
    again = pd.DataFrame({"name": names, "room": rooms}).dropna(subset=["name"]).duplicated()
    if place is None or again.any():
        raise DataError(
            f"{table.findings.where}, row {table.header_row}: no column with the students' ids "
            f"(Student ID). Columns found: {', '.join(name for name in table.names if name)}.\n"
            "Add a column “Student ID”: names alone cannot tell these students apart."
        )
    table.findings.note(
        f"no column with student ids: the names in “{table.names[place]}” stand for them. Add a "
        "column “Student ID”, so that later files find the same students."
    )
    return table, roles | {"student_id": place}


def _refuse_missing_classroom(table: Table, roles: dict[str, int], context: Context) -> None:
    """Raise for a tracker of scores without classrooms; a list of students may have none."""
    if "classroom_id" in roles or len(context.roster):
        return
    taken = set(roles.values())
    others = [place for place in map(int, table.cells.columns) if place not in taken]
    forms = set().union(*(ScoreColumn(table.text(place)).forms for place in others))
    if len(table.cells) and not forms & {Form.NUMBER, Form.PERCENT, Form.OUT_OF}:
        return
    raise DataError(
        f"{table.findings.where}, row {table.header_row}: no column with the classroom "
        f"(Classroom), and no roster is known. Columns found: "
        f"{', '.join(name for name in table.names if name)}.\nAdd a column “Classroom”, or "
        "import roster.csv (student_id, classroom_id) first."
    )


def _refuse_rows_without_classroom(students: Students, context: Context) -> None:
    if "classroom_id" not in students.roles:
        return
    frame = students.frame
    lost = frame["classroom_id"].isna() & ~frame["student_id"].isin(context.roster["student_id"])
    for row in frame.index[lost]:
        students.table.findings.fault(
            "no classroom: the student would be in nobody's report",
            row=row,
            column=students.table.names[students.roles["classroom_id"]],
        )


def _read_responses(students: Students, places: list[int], context: Context) -> Reading:
    table = students.table
    others = [
        table.names[place]
        for place in split_columns(students)
        if place not in places and table.names[place]
    ]
    if others:
        table.findings.note(
            f"columns that are no item of the Q-matrix were set aside: {', '.join(others)}."
        )
    listed = context.items.dropna(subset=["points_possible"]).drop_duplicates("item_id")
    possible = listed.set_index("item_id")["points_possible"].to_dict()
    collector = Collector(students)
    for place in places:
        name = table.names[place]
        column = ScoreColumn(table.text(place))
        maximum = possible.get(name, _number(students.possible.get(place)))
        judged = judge_item(column, name, table.rows, table.findings, maximum)
        collector.add(~np.isnan(judged["points"]), item_id=name, observation_id=name, **judged)
    return Reading(
        RESPONSES,
        table.findings,
        table.rows,
        collector.build(),
        roster=students.roster,
        vendor=False,
    )


def _read_tracker(students: Students, context: Context) -> Reading:
    table = students.table
    if not len(table.cells):
        raise DataError(
            f"{table.findings.where}: there are no students below the header in row "
            f"{table.header_row}.\nExport it again with the students' rows."
        )
    places = split_columns(students)
    judged = judge_tracker(students, places)
    if not judged:
        return _read_people(students)
    collector = Collector(students)
    for place, values in judged.items():
        name = table.names[place]
        points = values.get("points")
        filled = values["level"].notna().to_numpy() if points is None else ~np.isnan(points)
        collector.add(filled, skill_id=name, observation_id=name, **values)
    return Reading(
        TRACKER, table.findings, table.rows, collector.build(), roster=students.roster, vendor=False
    )


def _read_people(students: Students) -> Reading:
    """Return a table without a single score column as what it says of students."""
    table = students.table
    table.findings.note("holds no scores; it was read as a list of students.")
    lost = students.frame["classroom_id"].isna().to_numpy()
    table.findings.put_aside(
        table.rows[lost],
        "a student without classroom and scores",
        "Nothing to do, or add a classroom.",
    )
    return Reading(
        "list of students", table.findings, table.rows, roster=students.roster, vendor=False
    )


def _number(text: str | None) -> float | None:
    column = ScoreColumn(pd.Series([text], dtype="str"))
    number = column.numbers()[0]
    return None if np.isnan(number) else float(number)
