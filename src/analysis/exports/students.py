"""The students of a table: ids as text, classrooms, and the rows that are no students."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd

from analysis.exports.cells import Form, looks_like_date, read_cell
from analysis.exports.coded import (
    as_texts,
    codes_of,
    factorize,
    first_of_key,
    list_texts,
    take_texts,
    trim,
)
from analysis.exports.findings import Findings, name_rows, name_some
from analysis.exports.names import clean_name, find_roles, kind_of_row
from analysis.exports.reading import Context
from analysis.exports.table import Table

STUDENT_ROLES = [
    "student_id",
    "classroom_id",
    "first_name",
    "last_name",
    "display_name",
    "teacher",
    "coach_id",
    "school",
    "grade",
    "window",
    "observed_on",
    "source",
]
ROSTER_ROLES = ["teacher", "coach_id", "school", "grade"]

_NOT_A_STUDENT = {
    "totals": (
        "a summary row, not a student",
        "Nothing to do; leave it out of the export if you like.",
    ),
    "possible": (
        "the points possible of each column, not a student",
        "Nothing to do; used as the maximum.",
    ),
    "test_students": ("a test student, not a learner", "Nothing to do."),
    "footer": ("a line of text, not a student", "Nothing to do."),
}
_SCIENTIFIC = re.compile(r"^\d([.,]\d+)?E\+?\d{2,}$", re.IGNORECASE)
_WHOLE = re.compile(r"^(\d+)\.0+$")


@dataclass
class Students:
    """The student rows of a table.

    ``table`` holds those rows alone; ``frame`` is aligned with it: ``student_id``,
    ``classroom_id`` and the roster's other columns. ``roles`` are column places;
    ``possible`` is the text of the points-possible row, by column place.
    """

    table: Table
    frame: pd.DataFrame
    roles: dict[str, int]
    possible: dict[int, str]

    def text(self, role: str) -> pd.Series:
        """Return the cells of a role's column; absent is missing."""
        return self.table.text(self.roles.get(role))

    @property
    def people(self) -> pd.DataFrame:
        """Who the students are, with a classroom or without."""
        columns = ["student_id", "display_name", "school", "grade"]
        first = first_of_key(self.frame, ["student_id"])
        return self.frame.loc[first, columns].apply(as_texts).reset_index(drop=True)

    @cached_property
    def roster(self) -> pd.DataFrame:
        """Students with a classroom, one row each, as the roster has them."""
        first = first_of_key(self.frame, ["student_id", "classroom_id"])
        placed = self.frame[first & self.frame["classroom_id"].notna().to_numpy()]
        return placed.apply(as_texts).reset_index(drop=True)


def read_students(
    table: Table,
    context: Context,
    *,
    roles: dict[str, int] | None = None,
    strict: bool = False,
) -> Students:
    """Return the students of a table, one row each; other rows are set aside with a reason.

    Parameters
    ----------
    table
        A table with a student in a row.
    context
        The known roster gives ids back their leading zeros.
    roles
        Column places by role; default: told by the columns' names.
    strict
        A row with scores and no id is a fault, not set aside.
    """
    roles = find_roles(table.names, STUDENT_ROLES) if roles is None else roles
    table = _drop_repeated_headers(table)
    table, possible = _drop_summary_rows(table, roles)
    possible = _possible_above(table) | possible
    table = _drop_rows_without_id(table, roles, strict=strict)
    ids = clean_ids(table.text(roles.get("student_id")), table.findings)
    ids = restore_zeros(ids, context.roster, table.findings)
    columns = {"student_id": ids, "classroom_id": table.text(roles.get("classroom_id"))}
    columns |= {role: table.text(roles.get(role)) for role in ROSTER_ROLES}
    frame = pd.DataFrame(columns | {"display_name": _names(table, roles)})
    return Students(table, frame, roles, possible)


def clean_ids(ids: pd.Series, findings: Findings) -> pd.Series:
    """Return ids as text; ``1001.0`` becomes ``1001`` with a note, ``1.2E+11`` is a fault."""
    codes, unique = factorize(ids)
    texts = told = list_texts(unique)
    # Most files have nothing but digits here, which one look at all of them tells.
    digits = "".join(texts).isdecimal()
    odd = {} if digits else {c: text for c, text in enumerate(texts) if not text.isdecimal()}
    for code, text in odd.items():
        why = _why_no_id(text)
        for row in ids.index[codes == code] if why else ():
            findings.fault(f"{why}; format the column as text and export again", row=row)
    marked = [text for text in odd.values() if text.startswith("'")]
    if marked:
        findings.note(f"ids with an apostrophe in front are read without it: {name_some(marked)}.")
        texts = [text.lstrip("'") for text in texts]
    _note_lengths(texts, findings)
    whole = [found[1] for text in texts if (found := _WHOLE.match(text))]
    if texts and len(odd) == len(texts) == len(whole):
        findings.note(
            f"ids are written like {texts[0]}; they are read as {whole[0]}. Format the "
            "column as text to keep ids as they are."
        )
        texts = whole
    return ids if texts is told else take_texts(texts, codes, ids)


def _why_no_id(text: str) -> str | None:
    if _SCIENTIFIC.match(text) and "." in text.replace(",", "."):
        return f"the id {text} was shortened by a spreadsheet"
    if text.startswith("#") or looks_like_date(text):
        return f"{text} is no id (a spreadsheet's error or date)"
    return None


def _note_lengths(texts: list[str], findings: Findings) -> None:
    """Note ids that may have lost a leading zero which the others have."""
    if len(set(map(len, texts))) < 2:
        return
    zeros = {len(text) for text in texts if text[:1] == "0" and text.isdecimal()}
    if len(zeros) != 1:
        return
    width = zeros.pop()
    short = [t for t in texts if len(t) < width and t[:1] != "0" and t.isdecimal()]
    if short:
        findings.note(
            f"ids shorter than the others may have lost a leading zero: {name_some(short)}. "
            "Compare them with the roster."
        )


def restore_zeros(ids: pd.Series, roster: pd.DataFrame, findings: Findings) -> pd.Series:
    """Return ids with the leading zeros they have on the known roster."""
    known = set(roster["student_id"])
    if not known:
        return ids
    unknown = [text for text in ids.dropna().unique() if text.isdecimal() and text not in known]
    if not unknown:
        return ids
    padded: dict[str, list[str]] = {}
    for other in known:
        if other.startswith("0") and other.isdecimal():
            padded.setdefault(other.lstrip("0"), []).append(other)
    lost = {text: padded[text][0] for text in unknown if len(padded.get(text, ())) == 1}
    if lost:
        findings.note(
            f"{len(lost)} ids lost a leading zero ({name_some(lost)}); they were matched with the "
            "roster's ids. Format the column as text before you export."
        )
    codes, unique = factorize(ids)
    return take_texts([lost.get(text, text) for text in list_texts(unique)], codes, ids)


def note_same_names(frame: pd.DataFrame, findings: Findings) -> None:
    """Note names that several students share: students are told apart by id alone."""
    pairs = frame[["student_id", "display_name"]].dropna().drop_duplicates()
    counts = pairs["display_name"].value_counts()
    shared = [
        f"{name} ({name_some(pairs.loc[pairs['display_name'] == name, 'student_id'])})"
        for name in counts.index[counts > 1]
    ]
    if shared:
        findings.note(
            f"students who share a name are told apart by their ids: {name_some(shared)}."
        )


def note_classrooms(frame: pd.DataFrame, findings: Findings) -> None:
    """Note students in several classrooms, and classroom names that differ in case alone."""
    pairs = frame[["student_id", "classroom_id"]].dropna().drop_duplicates()
    repeated = pairs[pairs["student_id"].duplicated(keep=False)]
    several = repeated.groupby("student_id", sort=False)["classroom_id"].agg(list)
    if len(several):
        shown = [f"{student} in {' and '.join(rooms)}" for student, rooms in several.items()]
        findings.note(
            f"{len(several)} students are in several classrooms: {name_some(shown)}. Each "
            "classroom's report shows that classroom's row."
        )
    rooms = pd.Series(pairs["classroom_id"].unique(), dtype="str")
    folded = rooms.str.casefold()
    for name in folded[folded.duplicated()].unique():
        findings.note(
            f"classrooms {name_some(rooms[folded == name])} differ in upper and lower case "
            "alone; kept apart."
        )
    odd = [room for room in rooms if _ODD_FILE_NAME.search(room)]
    if odd:
        findings.note(
            f"classroom names that cannot be file names are kept as they are: {name_some(odd)}; "
            "their reports get a safe name."
        )


_ODD_FILE_NAME = re.compile(
    r"[/\\:*?\"<>|]|^\.|\.$|^-|^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE
)


def _drop_repeated_headers(table: Table) -> Table:
    first = table.text(_first_place(table))
    again = (first == table.names[_first_place(table)]).to_numpy(dtype=bool, na_value=False)
    if not again.any():
        return table
    for row in table.rows[again]:
        cells = [clean_name(cell) for cell in table.cells.loc[row].dropna()]
        if sum(cell in table.names for cell in cells) * 2 >= len(cells):
            table.findings.put_aside([row], "the header again, at a page break", "Nothing to do.")
        else:
            again[np.flatnonzero(table.rows == row)] = False
    if again.any():
        table.findings.note(f"the header stands again in {name_rows(table.rows[again])}.")
    return table.keep(~again)


def _drop_summary_rows(table: Table, roles: dict[str, int]) -> tuple[Table, dict[int, str]]:
    possible: dict[int, str] = {}
    kinds = _row_kinds(table, roles)
    for row, (kind, label) in kinds.items():
        reason, mend = _NOT_A_STUDENT[kind]
        table.findings.put_aside([row], f"“{label}”: {reason}", mend)
        if kind == "possible":
            possible |= _written(table, row)
    return (table.keep(~np.isin(table.rows, list(kinds))) if kinds else table), possible


def _possible_above(table: Table) -> dict[int, str]:
    """Return the points possible from a line above the header that is so labelled."""
    for _, line in table.above.iterrows():
        cells = trim(line).dropna()
        if len(cells) > 1 and kind_of_row(cells.iloc[0]) == "possible":
            others = dict(zip(cells.index[1:], cells.iloc[1:], strict=True))
            return {p: text for p, text in others.items() if read_cell(text).form == Form.NUMBER}
    return {}


def _written(table: Table, row: int) -> dict[int, str]:
    """Return the texts of a row by column place, without its empty cells."""
    # A sheet row stands once, so that looking it up gives a row.
    cells = cast("pd.Series", table.cells.loc[row])
    texts = trim(cells.astype("str")).dropna()
    return dict(zip(texts.index, texts, strict=True))


def _row_kinds(table: Table, roles: dict[str, int]) -> dict[int, tuple[str, str]]:
    """Return the rows that are no student: what each is, and the label that told.

    A label counts where no id stands beside it, so that a student called Max stays one;
    a test student is known by the name alone.
    """
    ids = table.text(roles.get("student_id"))
    first = table.text(_first_place(table))
    names = table.text(roles.get("display_name"))
    if "last_name" in roles and "display_name" not in roles:
        names = table.text(roles["last_name"])
    found: dict[int, tuple[str, str]] = {}
    for texts in (first, names):
        codes, unique = codes_of(texts)
        labels = list_texts(unique)
        kinds = [None if label.isdecimal() else kind_of_row(label) for label in labels]
        for code, (label, kind) in enumerate(zip(labels, kinds, strict=True)):
            if kind is None:
                continue
            for place in np.flatnonzero(codes == code):
                alone = pd.isna(ids.iloc[place]) or (texts is first and ids.iloc[place] == label)
                if alone or (kind == "test_students" and texts is names):
                    found.setdefault(int(table.rows[place]), (kind, label))
    return found


def _first_place(table: Table) -> int:
    return next((place for place, name in enumerate(table.names) if name), 0)


def _drop_rows_without_id(table: Table, roles: dict[str, int], *, strict: bool) -> Table:
    lost = table.text(roles.get("student_id")).isna().to_numpy()
    for row in table.rows[lost]:
        written = _written(table, row)
        if len(written) <= 1:
            text = next(iter(written.values()), "")
            table.findings.put_aside(
                [row], f"“{text}”: a line of text, not a student", "Nothing to do."
            )
        elif strict:
            table.findings.fault("no student id", row=row, column=table.names[roles["student_id"]])
        else:
            table.findings.put_aside([row], "no student id", "Add the id and import again.")
    return table.keep(~lost)


def _names(table: Table, roles: dict[str, int]) -> pd.Series:
    names = table.text(roles.get("display_name"))
    if not {"first_name", "last_name"} & roles.keys():
        return names
    first, last = table.text(roles.get("first_name")), table.text(roles.get("last_name"))
    both = (first.fillna("") + " " + last.fillna("")).str.strip()
    return names.fillna(both.where(both != ""))
