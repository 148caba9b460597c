"""A classroom's groups, back into the tools a teacher has: Canvas, a spreadsheet, paper.

In Canvas, differentiation tags are seen by teachers alone, and so may name the skill; a
group set is seen by students, and so names nothing but the group's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.files import safe_name
from analysis.language import Language
from analysis.rendering.blocks import render_block
from analysis.sharing.spreadsheets import to_csv, to_xlsx

TAG_COLUMNS = [
    "canvas_user_id", "user_id", "login_id", "tag_name", "canvas_tag_id", "tag_id",
    "tag_set_name", "canvas_tag_set_id", "tag_set_id",
]  # fmt: skip
"""Of a differentiation tags import, as Canvas's own page differentiation_tags_csv says."""

GROUP_COLUMNS = [
    "canvas_user_id", "user_id", "login_id", "group_name", "canvas_group_id", "group_id",
]  # fmt: skip
"""Of a group set import, as Canvas's own page group_category_csv says."""


@dataclass(frozen=True)
class Seats:
    """Who sits where in one classroom.

    Parameters
    ----------
    classroom_id, window
        Where and when.
    groups
        Table of :data:`analysis.tables.GROUPS`.
    names
        What to call each student.
    skills
        Each focus skill's name.
    i_can
        Each focus skill in a student's words, empty where there is none.
    """

    classroom_id: str
    window: str
    groups: pd.DataFrame
    names: Mapping[str, str]
    skills: Mapping[str, str]
    i_can: Mapping[str, str]

    def seated(self) -> list[tuple[str, int, str]]:
        """Return student id, group and focus skill of those in a group, in order."""
        rows = self.groups.dropna(subset="group")
        seats = zip(rows["student_id"], rows["group"].astype(int), rows["focus_skill_id"],
                    strict=True)  # fmt: skip
        return sorted(seats, key=lambda seat: (seat[1], self.name_of(seat[0]), seat[0]))

    def unseated(self) -> list[str]:
        """Return students who are in no group, in order."""
        rows = self.groups[self.groups["group"].isna()]
        return sorted(rows["student_id"], key=lambda one: (self.name_of(one), one))

    def name_of(self, student_id: str) -> str:
        """Return what to call a student."""
        return self.names.get(student_id) or student_id


def group_files(seats: Seats, language: Language) -> dict[str, bytes]:
    """Return the files of a classroom's groups, by name below the bundle.

    Parameters
    ----------
    seats
        Who sits where.
    language
        Of headings and cards; columns that Canvas reads stay English.

    Returns
    -------
    dict of str to bytes
        Empty where nobody is in a group.
    """
    if not seats.seated():
        return {}
    folder = f"groups/{safe_name(seats.classroom_id)}"
    columns, rows = class_list(seats, language)
    sheet = language.say("Groups")
    return {
        f"{folder}/class-list.xlsx": to_xlsx(columns, rows, sheet=sheet),
        f"{folder}/class-list.csv": to_csv(columns, rows, bom=True),
        f"{folder}/canvas-differentiation-tags.csv": to_csv(TAG_COLUMNS, canvas_tags(seats)),
        f"{folder}/canvas-group-set.csv": to_csv(GROUP_COLUMNS, canvas_group_set(seats)),
        f"{folder}/desk-cards.html": desk_cards(seats, language).encode(),
    }


def canvas_tags(seats: Seats) -> list[list[str]]:
    """Return the rows of a differentiation tags import: one a student in a group.

    The student's id is Canvas's SIS id. A tag of a name that is there is filled again.
    """
    tag_set = f"Next skill {seats.classroom_id} {seats.window}"
    return [
        ["", student_id, "", f"Group {group}: {seats.skills[focus]}", "", "", tag_set, "", ""]
        for student_id, group, focus in seats.seated()
    ]


def canvas_group_set(seats: Seats) -> list[list[str]]:
    """Return the rows of a group set import: one a student in a group, neutral names."""
    return [["", student_id, "", f"Group {group}", "", ""] for student_id, group, _ in
            seats.seated()]  # fmt: skip


def class_list(seats: Seats, language: Language) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the class list, those in no group last."""
    say = language.say
    columns = [say("Group"), say("Student"), say("Student id"), say("The group's skill")]
    rows = [
        [str(group), seats.name_of(student_id), student_id, seats.skills[focus]]
        for student_id, group, focus in seats.seated()
    ]
    rows += [[say("none"), seats.name_of(one), one, ""] for one in seats.unseated()]
    return columns, rows


def desk_cards(seats: Seats, language: Language) -> str:
    """Return a page to print and cut: a sign for each group's table, a card for each desk.

    Whoever walks by may read them, so they hold what a table works on in a student's
    words, names and group numbers: no score, and no id, also where two share a name.
    """
    groups: dict[int, dict[str, Any]] = {}
    for student_id, group, focus in seats.seated():
        found = groups.setdefault(group, {"i_can": seats.i_can.get(focus, ""), "students": []})
        name = seats.name_of(student_id).removesuffix(f" ({student_id})")
        found["students"].append(name)
    return render_block("desk_cards", language, classroom_id=seats.classroom_id, groups=groups).html
