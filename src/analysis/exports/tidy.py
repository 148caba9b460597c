"""The tidy form: one row a student and item, or a student and skill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.exports.cells import Form, ScoreColumn, read_numbers
from analysis.exports.coded import as_texts, first_of_key
from analysis.exports.dates import read_dates
from analysis.exports.findings import Findings
from analysis.exports.judging import refuse_cells
from analysis.exports.names import find_roles
from analysis.exports.reading import Context, Reading, build_observations
from analysis.exports.students import (
    STUDENT_ROLES,
    Students,
    note_classrooms,
    note_same_names,
    read_students,
)
from analysis.exports.table import Table
from analysis.scales import SCALES, find_scale

NAME = "tidy table"
VALUE_ROLES = ["points", "points_possible", "score", "score_se", "cut", "level", "scale"]
MEND = "Mend these in the file and import it again."


def recognise(names: list[str]) -> bool:
    """Tell whether the columns are those of the tidy form."""
    roles = find_roles(names, ["student_id", "item_id", "skill_id", "points", "score", "level"])
    about = "item_id" in roles or "skill_id" in roles
    return "student_id" in roles and about and bool({"points", "score", "level"} & roles.keys())


def can_be_cut(names: list[str]) -> bool:
    """Tell whether each row says by itself where, about what, and out of how much it is.

    Points without points possible, and levels without a scale, are judged by the whole
    column; students without a classroom by the whole file.
    """
    roles = find_roles(names, [*STUDENT_ROLES, "item_id", "skill_id", *VALUE_ROLES]).keys()
    stated = {"points", "points_possible"} <= roles or "points" not in roles
    scaled = "scale" in roles or "level" not in roles
    return stated and scaled and {"classroom_id", "skill_id"} <= roles


def read(table: Table, context: Context) -> Reading:
    """Return what a tidy table says; see the package's docstring for its columns."""
    rows = table.rows
    about = ["student_id", "item_id", "skill_id", "observation_id", *VALUE_ROLES, "attempt"]
    roles = find_roles(table.names, [*about[:3], *VALUE_ROLES, "attempt", *STUDENT_ROLES[1:]])
    if "points_possible" in roles and "score" in roles and "points" not in roles:
        roles["points"] = roles.pop("score")
    students = read_students(table, context, roles=roles, strict=True)
    kept = _drop_rows_about_nothing(students)
    values = _read_values(kept, context)
    observed = build_observations(
        kept.table.cells.index,
        student_id=kept.frame["student_id"],
        classroom_id=kept.frame["classroom_id"],
        item_id=kept.text("item_id"),
        skill_id=kept.text("skill_id"),
        observation_id=kept.text("item_id"),
        window=kept.text("window"),
        source=kept.text("source"),
        observed_on=read_dates(kept.text("observed_on")),
        attempt=read_numbers(kept.text("attempt"))[0],
        **values,
    )
    table.findings.refuse_faults(MEND)
    told = observed["kind"].notna()
    observed = observed if told.all() else observed[told]
    note_same_names(students.roster, table.findings)
    note_classrooms(students.roster, table.findings)
    return Reading(
        NAME,
        table.findings,
        rows,
        observed,
        roster=students.roster,
        vendor=False,
        items=_items_of(observed),
    )


def _drop_rows_about_nothing(students: Students) -> Students:
    about = students.text("item_id").notna() | students.text("skill_id").notna()
    if about.all():
        return students
    findings = students.table.findings
    findings.put_aside(
        students.table.rows[~about], "neither an item nor a skill", "Fill in item_id or skill_id."
    )
    keep = about.to_numpy()
    return Students(
        students.table.keep(keep), students.frame[keep], students.roles, students.possible
    )


def _read_values(students: Students, context: Context) -> dict[str, Any]:
    """Return the value columns and the kind of each row; of several kinds points go first."""
    n = len(students.table.cells)
    kinds = np.full(n, -1, dtype="int8")
    values: dict[str, Any] = {}
    for place, (kind, apply) in enumerate(_KINDS.items()):
        if kind in students.roles:
            found, filled = apply(students, context)
            values |= found
            kinds[filled] = place
    students.table.findings.put_aside(
        students.table.rows[kinds < 0],
        "no points, score or level",
        "Nothing to do where the answer is missing; else fill it in.",
    )
    named = pd.Categorical.from_codes(kinds, pd.Index(list(_KINDS)))
    return values | {"kind": pd.Series(named)}


def _read_points(students: Students, context: Context) -> tuple[dict[str, Any], np.ndarray]:
    findings, rows = students.table.findings, students.table.rows
    column = ScoreColumn(students.text("points"))
    name = students.table.names[students.roles["points"]]
    allowed = {Form.NUMBER, Form.OUT_OF, Form.PERCENT, Form.TRUTH}
    refuse_cells(column, column.forms - allowed, name, rows, findings, "{text} is not plain points")
    points = column.numbers()
    if Form.TRUTH in column.forms:
        truth = column.is_one_of([cell.text.casefold() == "true" for cell in column.cells])
        points = np.where(column.where(Form.TRUTH), truth.astype(float), points)
    possible, bad = read_numbers(students.text("points_possible"))
    for row in rows[bad]:
        findings.fault("is not a number", row=row, column="points_possible")
    if Form.OUT_OF in column.forms or Form.PERCENT in column.forms:
        possible = np.where(np.isnan(possible), column.out_of(), possible)
    filled = ~np.isnan(points)
    if "item_id" in students.roles and (filled & np.isnan(possible)).any():
        possible = _possible_of_items(students, context, possible)
    lacking = filled & np.isnan(possible)
    if lacking.any() and np.nanmax(points[lacking], initial=0) <= 1:
        possible = np.where(lacking, 1.0, possible)
    elif lacking.any():
        findings.fault(
            f"points without points_possible in {lacking.sum()} rows; add the column "
            "points_possible, or give the points of each item in items.csv",
            row=int(rows[lacking][0]),
            column="points_possible",
        )
    _check_range(points, possible, filled, rows, name, findings)
    if not filled.all():
        possible = np.where(filled, possible, np.nan)
    return {"points": points, "points_possible": possible}, filled


def _possible_of_items(students: Students, context: Context, possible: np.ndarray) -> np.ndarray:
    listed = context.items.dropna(subset=["points_possible"]).drop_duplicates("item_id")
    by_item = listed.set_index("item_id")["points_possible"]
    return np.where(
        np.isnan(possible),
        as_texts(students.text("item_id")).map(by_item).to_numpy(dtype=float),
        possible,
    )


def _check_range(
    points: np.ndarray,
    possible: np.ndarray,
    filled: np.ndarray,
    rows: np.ndarray,
    name: str,
    findings: Findings,
) -> None:
    with np.errstate(invalid="ignore"):
        over, under, none = filled & (points > possible), points < 0, filled & (possible <= 0)
    for bad, words in (
        (over, "points {points:g} are over the {possible:g} possible"),
        (under, "points {points:g} are below 0"),
        (none, "points_possible {possible:g} is not above 0"),
    ):
        for place in np.flatnonzero(bad)[:1000]:
            said = words.format(points=points[place], possible=possible[place])
            findings.fault(said, row=int(rows[place]), column=name)


def _read_scores(students: Students, context: Context) -> tuple[dict[str, Any], np.ndarray]:
    findings, rows = students.table.findings, students.table.rows
    values = {}
    for role in ("score", "score_se", "cut"):
        numbers, bad = read_numbers(students.text(role))
        for row in rows[bad]:
            findings.fault(
                "is not a number", row=row, column=students.table.names[students.roles[role]]
            )
        values[role] = numbers
    return values, ~np.isnan(values["score"])


def _read_levels(students: Students, context: Context) -> tuple[dict[str, Any], np.ndarray]:
    findings, rows = students.table.findings, students.table.rows
    levels, scales = as_texts(students.text("level")), as_texts(students.text("scale"))
    column = ScoreColumn(levels)
    levels = levels.mask(column.where(Form.MISSING))
    scales = scales.where(levels.notna())
    unnamed = levels.notna() & scales.isna()
    if unnamed.any():
        found = find_scale(levels[unnamed].unique())
        if found is None:
            findings.fault(
                "levels without a scale this program knows; add a column scale with one of "
                f"{', '.join(SCALES)}",
                row=int(rows[unnamed.to_numpy()][0]),
                column="scale",
            )
        else:
            scales = scales.mask(unnamed, found.name)
    return _on_their_scales(levels, scales, findings), levels.notna().to_numpy()


def _on_their_scales(levels: pd.Series, scales: pd.Series, findings: Findings) -> dict[str, Any]:
    read = levels.copy()
    groups: Mapping[Any, pd.Index] = levels.groupby([scales, levels]).groups
    for (scale, level), rows in groups.items():
        if scale not in SCALES:
            findings.fault(
                f"there is no scale {scale!r}; there are {', '.join(SCALES)}", row=int(rows[0])
            )
        elif (label := SCALES[scale].read(level)) is None:
            findings.fault(
                f"{level!r} is no level of the scale {scale!r}", row=int(rows[0]), column="level"
            )
        else:
            read.loc[rows] = label
    return {"level": read, "scale": scales}


_KINDS = {"level": _read_levels, "score": _read_scores, "points": _read_points}


def _items_of(observed: pd.DataFrame) -> pd.DataFrame | None:
    first = observed[first_of_key(observed, ["item_id", "skill_id"])]
    items = (
        first[["item_id", "skill_id", "points_possible"]]
        .apply(as_texts)
        .dropna(subset=["item_id", "skill_id"])
    )
    return None if items.empty else items.reset_index(drop=True)
