"""Platforms that are declared, not programmed: ``platforms.toml`` names their columns.

An entry says which columns must be there (``needs``), which play which role, and how skills
are found: ``wide`` columns by a pattern (``<skill> Relative Placement``), or ``long`` rows with
a column for the skill. Unknown columns are passed over: vendors add some every year.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from analysis.exports.cells import ScoreColumn, read_numbers
from analysis.exports.coded import factorize
from analysis.exports.collecting import Collector
from analysis.exports.findings import name_rows, name_some
from analysis.exports.names import find_role, is_demographic, is_sensitive
from analysis.exports.placements import place_by_grade
from analysis.exports.reading import Context, Reading
from analysis.exports.students import STUDENT_ROLES, Students, read_students
from analysis.exports.table import Table
from analysis.exports.wide import note_dropped
from analysis.exports.windows import read_windows
from analysis.scales import read_scale

MEND = "Mend these in the file and import it again."


@cache
def declarations() -> Mapping[str, dict[str, Any]]:
    """Return the shipped declarations by key."""
    text = files("analysis.exports").joinpath("platforms.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def recognise(entry: dict[str, Any], names: list[str]) -> bool:
    """Tell whether each pattern an entry needs matches one of the names.

    Examples
    --------
    >>> recognise({"needs": ["^student id$", " tier$"]}, ["Student ID", "Geometry tier"])
    True
    """
    said = "\n".join(names).casefold()
    needed = all(re.search(pattern, said, re.MULTILINE) for pattern in entry["needs"])
    return needed and not any(re.search(p, said, re.MULTILINE) for p in entry.get("never", ()))


def read(entry: dict[str, Any], table: Table, context: Context) -> Reading:
    """Return what a table of a declared platform says."""
    rows = table.rows
    table = drop_declared(entry, table)
    roles = declared_roles(entry, table)
    students = read_students(table, context, roles=roles)
    note_private(table)
    given = {} if "source" in roles else {"source": entry.get("source", entry["name"])}
    if "window" in entry:
        given["window"] = _windows(entry["window"], students)
    collector = Collector(students, **given)
    for rule in entry.get("wide", ()):
        _read_wide(rule, students, collector)
    skills = _read_long(entry["long"], students, collector) if "long" in entry else None
    table.findings.refuse_faults(MEND)
    for column, words in entry.get("warn", {}).items():
        _warn(students, column, words)
    return Reading(
        entry["name"],
        table.findings,
        rows,
        collector.build(),
        roster=students.roster,
        skills=skills,
        people=students.people,
        source=entry["name"],
    )


def declared_roles(entry: dict[str, Any], table: Table) -> dict[str, int]:
    """Return column places by role: as declared, else by the names that role goes by."""
    roles = {}
    for role in STUDENT_ROLES:
        if role in entry.get("roles", {}):
            places = [table.place(name) for name in entry["roles"][role]]
            place = next((place for place in places if place is not None), None)
        else:
            place = find_role(table.names, role) if role != "source" else None
        if place is not None:
            roles[role] = place
    return roles


def drop_declared(entry: dict[str, Any], table: Table) -> Table:
    """Return the table without the rows an entry says are none, each set aside in its words."""
    for rule in entry.get("drop", ()):
        hit = table.text(rule["column"]).isin(rule["values"]).to_numpy()
        table.findings.put_aside(table.rows[hit], rule["reason"], rule["mend"], rule["column"])
        table = table.keep(~hit)
    return table


def note_private(table: Table) -> None:
    """Name the columns a platform sends and nobody here needs."""
    note_dropped(
        {
            "sensitive": [name for name in table.names if name and is_sensitive(name)],
            "demographic": [
                name
                for name in table.names
                if name and is_demographic(name) and not is_sensitive(name)
            ],
        },
        table.findings,
    )


def _windows(rule: dict[str, Any], students: Students) -> pd.Series:
    season = students.table.text(rule["season"])
    year = students.table.text(rule.get("year"))
    if "two_digits" in rule:
        season = season.str.replace(rule["two_digits"], rule["becomes"], regex=True)
    return read_windows(season, year)


def _read_wide(rule: dict[str, Any], students: Students, collector: Collector) -> None:
    """Add an observation for each column whose name the rule's pattern matches."""
    table = students.table
    for place, name in enumerate(table.names):
        match = re.fullmatch(rule["pattern"], name, re.IGNORECASE)
        if not match or re.search(rule.get("skip", r"$^"), name, re.IGNORECASE):
            continue
        skill = rule.get("skill", "{0}").format(*match.groups(), **match.groupdict()).strip()
        if rule["kind"] == "placement":
            if table.place(f"{skill} Relative Placement") is None:
                levels = place_by_grade(table.text(place), students.frame["grade"])
                collector.add(
                    levels.notna().to_numpy(),
                    skill_id=skill,
                    observation_id=skill,
                    kind="level",
                    level=levels,
                    scale=rule["scale"],
                )
        elif rule["kind"] == "level":
            levels = read_levels(table.text(place), rule["scale"], name, table)
            collector.add(
                levels.notna().to_numpy(),
                skill_id=skill,
                observation_id=skill,
                kind="level",
                level=levels,
                scale=rule["scale"],
            )
        else:
            scores = read_scores(table.text(place), name, table)
            collector.add(
                ~np.isnan(scores),
                skill_id=skill,
                observation_id=skill,
                kind="score",
                score=scores,
                cut=float(rule["cut"]) if "cut" in rule else None,
            )


def read_levels(texts: pd.Series, scale_name: str, column: str, table: Table) -> pd.Series:
    """Return the labels of a scale; other words are missing, and noted unless the scale says so."""
    scale = read_scale(scale_name)
    codes, unique = factorize(texts)
    labels: list[str | None] = [scale.read(text) for text in unique]
    strange = [
        f"{text} ({name_rows(table.rows[codes == code])})"
        for code, (text, label) in enumerate(zip(unique, labels, strict=True))
        if label is None and not scale.is_missing(text)
    ]
    if strange:
        table.findings.note(
            f"column {column}: words that are no level of “{scale.title}” are read as not known: "
            f"{name_some(strange)}."
        )
    values = pd.Series([*labels, None], dtype="str").array
    return pd.Series(values.take(codes), index=texts.index)


def read_scores(texts: pd.Series, column: str, table: Table) -> np.ndarray:
    """Return a column's numbers; a cell that holds none is a fault."""
    numbers, bad = read_numbers(texts)
    for row, text in zip(table.rows[bad], texts[bad], strict=True):
        table.findings.fault(f"{text} is not a number", row=int(row), column=column)
    return numbers


def _read_long(rule: dict[str, Any], students: Students, collector: Collector) -> pd.DataFrame:
    table = students.table
    skills = table.text(first_of(rule["skill"], table))
    values: dict[str, Any] = {"kind": rule["kind"], "skill_id": skills}
    values["observation_id"] = table.text(rule["observation"]) if "observation" in rule else skills
    if "attempt" in rule:
        values["attempt"] = ScoreColumn(table.text(rule["attempt"])).numbers()
    if rule["kind"] == "level":
        values["level"] = read_levels(
            table.text(rule["level"]), rule["scale"], rule["level"], table
        )
        values["scale"] = rule["scale"]
        filled = values["level"].notna()
    else:
        filled = _read_long_numbers(rule, table, values)
    filled = np.asarray(filled) & skills.notna().to_numpy()
    table.findings.put_aside(
        table.rows[~filled], "no result on a skill yet", "Nothing to do where it was not assessed."
    )
    collector.add(filled, **values)
    named = pd.DataFrame({"skill_id": skills, "name": table.text(rule.get("name"))})
    named["name"] = named["name"].fillna(named["skill_id"])
    return named.dropna(subset=["skill_id"]).drop_duplicates("skill_id").reset_index(drop=True)


def _read_long_numbers(rule: dict[str, Any], table: Table, values: dict[str, Any]) -> np.ndarray:
    main = rule["kind"]
    for name in ("points", "points_possible", "score", "score_se", "cut"):
        if name in rule and isinstance(rule[name], str):
            values[name] = read_scores(table.text(rule[name]), rule[name], table)
        elif name in rule:
            values[name] = float(rule[name])
    if main == "points":
        check_points(values, table, rule["points"])
    filled: np.ndarray = ~np.isnan(values[main])
    return filled


def check_points(values: dict[str, Any], table: Table, column: str) -> None:
    """Record a fault where points are not within 0 to the possible ones."""
    points, possible = (
        values["points"],
        np.broadcast_to(values["points_possible"], len(table.cells)),
    )
    with np.errstate(invalid="ignore"):
        wrong = (points < 0) | (points > possible)
    for place in np.flatnonzero(wrong):
        table.findings.fault(
            f"points {points[place]:g} are outside 0 to {possible[place]:g}",
            row=int(table.rows[place]),
            column=column,
        )


def first_of(names: str | list[str], table: Table) -> int | None:
    """Return the place of the first of several names that is there."""
    listed = [names] if isinstance(names, str) else names
    places = [table.place(name) for name in listed]
    return next((place for place in places if place is not None), None)


def _warn(students: Students, column: str, words: str) -> None:
    said = students.table.text(column)
    hit = said.notna() & ~said.isin(["No", "N", "0", "FALSE", "Off"])
    if hit.any():
        ids = students.frame.loc[hit, "student_id"].unique()
        students.table.findings.note(f"{words}: {len(ids)} students ({name_some(ids)}).")
