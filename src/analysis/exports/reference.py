"""The reference files of a district: roster, skills, items or a Q-matrix."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from analysis.exports.cells import Form, ScoreColumn, read_numbers
from analysis.exports.keeping import find_kept, take_kept
from analysis.exports.names import find_role, find_roles, is_demographic, is_sensitive, key_name
from analysis.exports.reading import Context, Reading
from analysis.exports.students import STUDENT_ROLES, note_classrooms, note_same_names, read_students
from analysis.exports.table import Table
from analysis.exports.wide import note_dropped

ROSTER_NAME, SKILLS_NAME, ITEMS_NAME, Q_NAME = "roster", "skills", "items", "Q-matrix"
MAP_NAME = "item map"
MEND = "Mend these in the file and import it again."
_SKILL_ROLES = ["skill_id", "name", "subject", "grade", "i_can", "parent_id", "prerequisites"]
_ROSTER_EXTRA = re.compile(r"^(middle name|status|row|course|term|email)$")


def recognise_roster(names: list[str]) -> bool:
    """Tell whether the columns are students and classrooms and nothing that holds a score.

    A column with the coach stands in rosters alone; other columns may then stand beside it.
    """
    roles = find_roles(names, STUDENT_ROLES)
    beside = [
        name
        for place, name in enumerate(names)
        if name
        and place not in roles.values()
        and not is_sensitive(name)
        and not is_demographic(name)
        and not _ROSTER_EXTRA.match(name.casefold())
    ]
    return {"student_id", "classroom_id"} <= roles.keys() and (not beside or "coach_id" in roles)


def read_roster(table: Table, context: Context) -> Reading:
    """Return who is in which classroom; sensitive and demographic columns are dropped."""
    rows = table.rows
    students = read_students(table, context)
    kept = find_kept(table.names, context.keep, set(students.roles.values()))
    _note_unread(students.table, {*students.roles.values(), *kept.values()})
    if kept:
        table.findings.note(f"kept for the coach's own page alone: {', '.join(kept)}.")
    lost = students.frame["classroom_id"].isna().to_numpy()
    for row in students.table.rows[lost]:
        table.findings.fault(
            "no classroom", row=row, column=table.names[students.roles["classroom_id"]]
        )
    table.findings.refuse_faults(MEND)
    again = students.frame.duplicated(["student_id", "classroom_id"]).to_numpy()
    table.findings.put_aside(
        students.table.rows[again], "the same student and classroom again", "Nothing to do."
    )
    note_same_names(students.roster, table.findings)
    note_classrooms(students.roster, table.findings)
    return Reading(
        ROSTER_NAME,
        table.findings,
        rows,
        roster=students.roster,
        vendor=False,
        coach_only=take_kept(students, kept) if kept else None,
    )


def recognise_skills(names: list[str]) -> bool:
    """Tell whether the columns describe skills: an id, and a name or prerequisites."""
    roles = find_roles(names, ["student_id", *_SKILL_ROLES])
    described = {"name", "i_can", "prerequisites", "parent_id"} & roles.keys()
    return "skill_id" in roles and bool(described) and "student_id" not in roles


def read_skills(table: Table, context: Context) -> Reading:
    """Return the skills; columns the contract does not know are kept as text."""
    roles = find_roles(table.names, _SKILL_ROLES)
    ids = table.text(roles["skill_id"])
    table.findings.put_aside(table.rows[ids.isna()], "no skill id", "Fill in skill_id.")
    frame = pd.DataFrame({role: table.text(roles.get(role)) for role in _SKILL_ROLES})
    frame["name"] = frame["name"].fillna(frame["skill_id"])
    for place, name in enumerate(table.names):
        if name and place not in roles.values():
            frame[name] = table.text(place)
    frame = frame[ids.notna()]
    again = frame["skill_id"].duplicated()
    for row, skill_id in zip(frame.index[again], frame.loc[again, "skill_id"], strict=True):
        table.findings.fault(f"the skill {skill_id} stands twice", row=row)
    table.findings.refuse_faults(MEND)
    return Reading(
        SKILLS_NAME, table.findings, table.rows, skills=frame.reset_index(drop=True), vendor=False
    )


def recognise_items(names: list[str]) -> bool:
    """Tell whether the columns are the long Q-matrix: an item and a skill in each row."""
    roles = find_roles(names, ["student_id", "item_id", "skill_id", "points", "score", "level"])
    return {"item_id", "skill_id"} <= roles.keys() and not {
        "student_id",
        "score",
        "level",
    } & roles.keys()


def read_items(table: Table, context: Context) -> Reading:
    """Return which item asks for which skill, with its points and, in an item map, its key."""
    roles = find_roles(table.names, ["item_id", "skill_id", "points_possible", "points", "answer"])
    possible, bad = read_numbers(table.text(roles.get("points_possible", roles.get("points"))))
    for row in table.rows[bad | (possible <= 0)]:
        table.findings.fault("points possible are not a number above 0", row=row)
    table.findings.refuse_faults(MEND)
    frame = pd.DataFrame(
        {
            "item_id": table.text(roles["item_id"]),
            "skill_id": table.text(roles["skill_id"]),
            "points_possible": possible,
            "answer": table.text(roles.get("answer")),
        }
    )
    lacking = (frame["item_id"].isna() | frame["skill_id"].isna()).to_numpy()
    table.findings.put_aside(table.rows[lacking], "no item or no skill", "Fill in both.")
    frame = _split_skills(frame[~lacking]).drop_duplicates(["item_id", "skill_id"])
    items = frame.drop(columns="answer").reset_index(drop=True)
    reading = Reading(ITEMS_NAME, table.findings, table.rows, items=items, vendor=False)
    if "answer" in roles:
        reading.platform, reading.item_map = MAP_NAME, frame.reset_index(drop=True)
    return reading


def recognise_q_matrix(names: list[str]) -> bool:
    """Tell whether the first column is an item and the others may be skills.

    A skill may be called ``id``; a column that says student may not stand here.
    """
    if find_role(names[:1], "item_id") is None or len(names) < 2:
        return False
    roles = find_roles(names[1:], ["skill_id", "student_id"])
    student = roles.get("student_id")
    return "skill_id" not in roles and (student is None or key_name(names[1 + student]) == "id")


def read_q_matrix(table: Table, context: Context) -> Reading:
    """Return the long form of an item x skill matrix of 0 and 1."""
    item_ids = table.text(0)
    table.findings.put_aside(table.rows[item_ids.isna()], "no item", "Fill in the item's id.")
    possible_place = find_roles(table.names[1:], ["points_possible"]).get("points_possible")
    possible_place = None if possible_place is None else possible_place + 1
    parts = []
    for place, name in enumerate(table.names):
        if place == 0 or not name or place == possible_place:
            continue
        column = ScoreColumn(table.text(place))
        numbers = column.numbers()
        wrong = ~np.isin(numbers, [0, 1]) & ~column.where(Form.BLANK)
        for row in table.rows[wrong]:
            table.findings.fault("is not 0 or 1", row=row, column=name)
        parts.append(pd.DataFrame({"item_id": item_ids[numbers == 1], "skill_id": name}))
    table.findings.refuse_faults(MEND)
    items = pd.concat(parts) if parts else pd.DataFrame({"item_id": [], "skill_id": []})
    without = item_ids.notna() & ~item_ids.isin(items["item_id"])
    table.findings.put_aside(
        table.rows[without], "the item asks for no skill", "Put a 1 under the skills it asks for."
    )
    possible = pd.Series(read_numbers(table.text(possible_place))[0], index=item_ids.index)
    items["points_possible"] = possible.reindex(items.index)
    items = items.sort_index(kind="stable").dropna(subset=["item_id"])
    return Reading(
        Q_NAME, table.findings, table.rows, items=items.reset_index(drop=True), vendor=False
    )


def _split_skills(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row an item and skill where a cell lists several skills."""
    listed = frame["skill_id"].str.split(r"\s*;\s*", regex=True)
    return (
        frame.assign(skill_id=listed)
        .explode("skill_id", ignore_index=True)
        .astype({"skill_id": "str"})
    )


def _note_unread(table: Table, read: set[int]) -> None:
    aside: dict[str, list[str]] = {"sensitive": [], "demographic": []}
    other: list[str] = []
    for place, name in enumerate(table.names):
        if place in read or not name:
            continue
        kind = (
            "sensitive" if is_sensitive(name) else "demographic" if is_demographic(name) else None
        )
        (aside[kind] if kind else other).append(name)
    note_dropped(aside, table.findings)
    if other:
        table.findings.note(f"columns not needed were set aside: {', '.join(other)}.")
