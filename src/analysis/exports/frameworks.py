"""Frameworks of standards: CASE packages, OpenSALT sheets, Moodle, the Coherence Map."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd

from analysis.errors import DataError
from analysis.exports.findings import Findings
from analysis.exports.names import key_name
from analysis.exports.reading import Context, Reading
from analysis.exports.table import Sheet, Table

CHILD, PRECEDES = "child of", "precedes"
_KINDS = {"ischildof": CHILD, "precedes": PRECEDES}
_PACKAGE = ["identifier", "humanCodingScheme", "fullStatement", "abbreviatedStatement",
            "educationLevel", "educationalLevel", "CFItemType"]  # fmt: skip


def open_package(name: str, text: str) -> list[Sheet]:
    """Return a CASE package as two sheets: its items and its associations.

    Raises
    ------
    DataError
        The file is JSON and no CASE package, or damaged.
    """
    try:
        package = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(f"{name}: the JSON is damaged or was cut.\nExport it again.") from None
    items = package.get("CFItems") if isinstance(package, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise DataError(
            f"{name}: is JSON, not a CASE package (CFItems).\nExport a CASE package or CSV."
        )
    lines = [[_plain(item.get(column)) for column in _PACKAGE] for item in items]
    listed = [a for a in package.get("CFAssociations") or [] if isinstance(a, dict)]
    ends = [
        [_node(a, "originNode"), str(a.get("associationType", "")), _node(a, "destinationNode")]
        for a in listed
    ]
    heads = ["originNodeIdentifier", "associationType", "destinationNodeIdentifier"]
    sheets = [_sheet(name, "CFItems", [_PACKAGE, *lines])]
    return [*sheets, _sheet(name, "CFAssociations", [heads, *ends])] if ends else sheets


def recognise_items(names: list[str]) -> bool:
    """Tell whether the header is that of a framework's items (CASE, OpenSALT)."""
    keys = {key_name(name) for name in names}
    return {"identifier", "fullstatement", "humancodingscheme"} <= keys


def read_items(table: Table, context: Context) -> Reading:
    """Return each item as a skill, its coding scheme being its id."""
    identifiers, codes = table.text("identifier"), table.text("humanCodingScheme")
    ids = codes.fillna(identifiers)
    table.findings.put_aside(table.rows[ids.isna()], "no identifier and no code", "Add a code.")
    statement = table.text("fullStatement")
    skills = pd.DataFrame(
        {
            "skill_id": ids,
            "name": table.text("abbreviatedStatement").fillna(statement).fillna(ids),
            "grade": table.text(["educationLevel", "educationalLevel"]),
            "statement": statement,
            "case_id": identifiers,
        }
    )
    again = ids.duplicated() & ids.notna()
    table.findings.put_aside(table.rows[again], "the code stands twice", "Give it its own code.")
    parent = table.text("Is Child Of")
    links = pd.DataFrame({"origin": ids, "kind": CHILD, "destination": parent})
    return Reading(
        "CASE framework",
        table.findings,
        table.rows,
        skills=skills[~again & ids.notna()].reset_index(drop=True),
        links=links.dropna().reset_index(drop=True),
    )


def recognise_associations(names: list[str]) -> bool:
    """Tell whether the header is that of a framework's associations."""
    keys = {key_name(name) for name in names}
    return {"originnodeidentifier", "associationtype", "destinationnodeidentifier"} <= keys


def read_associations(table: Table, context: Context) -> Reading:
    """Return parents and prerequisites; the origin precedes what builds on it."""
    kinds = table.text("associationType").map(lambda kind: _KINDS.get(key_name(str(kind))))
    other = kinds.isna().to_numpy()
    table.findings.put_aside(
        table.rows[other],
        "an association that is neither a parent nor a prerequisite",
        "Nothing to do.",
    )
    links = pd.DataFrame(
        {
            "origin": table.text("originNodeIdentifier"),
            "kind": kinds,
            "destination": table.text("destinationNodeIdentifier"),
        }
    )
    return Reading(
        "CASE associations", table.findings, table.rows, links=links[~other].reset_index(drop=True)
    )


def recognise_document(names: list[str]) -> bool:
    """Tell whether the header is that of a CASE document's own description."""
    return {"identifier", "creator", "title", "adoptionstatus"} <= {
        key_name(name) for name in names
    }


def read_nothing(table: Table, context: Context) -> Reading:
    """Set every row of a table aside that a framework or roster has and nobody needs here."""
    table.findings.put_aside(table.rows, "not needed for skills or classrooms", "Nothing to do.")
    return Reading("description", table.findings, table.rows)


def recognise_moodle(names: list[str]) -> bool:
    """Tell whether the header is Moodle's competency framework."""
    return {"Parent ID number", "ID number", "Short name"} <= set(names)


def read_moodle(table: Table, context: Context) -> Reading:
    """Return the competencies; the row that describes the framework itself is set aside."""
    ids = table.text("ID number")
    frame = (table.text("Is framework") == "1").to_numpy(dtype=bool, na_value=False)
    table.findings.put_aside(table.rows[frame], "the framework's own title", "Nothing to do.")
    table.findings.put_aside(table.rows[ids.isna()], "no ID number", "Add one.")
    used = ~frame & ids.notna().to_numpy()
    skills = pd.DataFrame({"skill_id": ids, "name": table.text("Short name").fillna(ids)})[used]
    links = pd.DataFrame(
        {"origin": ids, "kind": CHILD, "destination": table.text("Parent ID number")}
    )
    return Reading(
        "Moodle competencies",
        table.findings,
        table.rows,
        skills=skills.reset_index(drop=True),
        links=links[used].dropna().reset_index(drop=True),
    )


def recognise_coherence(names: list[str]) -> bool:
    """Tell whether the header is that of the Coherence Map's standards."""
    return {"code", "domain", "cluster_name"} <= set(names)


def read_coherence(table: Table, context: Context) -> Reading:
    """Return the standards, named by their cluster; a part's parent is told by its code."""
    codes = table.text("code")
    known = set(codes.dropna())
    cluster = table.text("cluster_name").str.rstrip(".")
    skills = pd.DataFrame(
        {"skill_id": codes, "name": cluster + " (" + codes + ")", "grade": table.text("grade"),
         "subject": "Mathematics", "domain": table.text("domain_name")}
    )  # fmt: skip
    parents = codes.map(lambda code: re.sub(r"\.?[a-z]$", "", str(code)))
    links = pd.DataFrame({"origin": codes, "kind": CHILD, "destination": parents})
    links = links[parents.isin(known) & (parents != codes)]
    return Reading(
        "Coherence Map standards",
        table.findings,
        table.rows,
        skills=skills.dropna(subset=["skill_id"]).reset_index(drop=True),
        links=links.reset_index(drop=True),
    )


def recognise_prerequisites(names: list[str]) -> bool:
    """Tell whether the header is that of a list of prerequisites."""
    return {key_name(name) for name in names if name} in (
        {"prerequisite", "standard"}, {"prerequisite", "skillid"}, {"prerequisite", "skill"},
    )  # fmt: skip


def read_prerequisites(table: Table, context: Context) -> Reading:
    """Return which skill comes before which."""
    links = pd.DataFrame(
        {
            "origin": table.text("prerequisite"),
            "kind": PRECEDES,
            "destination": table.text(["standard", "skill_id", "skill"]),
        }
    )
    lost = links.isna().any(axis=1).to_numpy()
    table.findings.put_aside(table.rows[lost], "one of the two skills is missing", "Fill it in.")
    return Reading("prerequisites", table.findings, table.rows, links=links[~lost])


def recognise_related(names: list[str]) -> bool:
    """Tell whether the header is that of related standards, which have no direction."""
    return {"standard_a", "standard_b"} == set(names)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return "" if value is None or isinstance(value, dict) else str(value)


def _node(association: dict[str, Any], end: str) -> str:
    """Return an end's identifier, in any of the ways packages write it."""
    node = association.get(f"{end}URI", association.get(end))
    if isinstance(node, dict):
        return _plain(node.get("identifier") or node.get("uri"))
    return _plain(node).rstrip("/").rpartition("/")[2]


def _sheet(name: str, part: str, lines: list[list[str]]) -> Sheet:
    cells = pd.DataFrame(lines, dtype="str")
    cells.index = pd.RangeIndex(1, len(cells) + 1)
    return Sheet(Findings(name, part), cells)
