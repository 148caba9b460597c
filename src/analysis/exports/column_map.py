"""Column maps: what the columns of a file nobody recognises mean, proposed and then saved.

A map is a small TOML file::

    [columns]
    "Studnt ID" = "student_id"
    "Homerm" = "classroom_id"
    "Fractions 1" = "skill:3.NF.A.1"
    "Notes" = "ignore"

A proposal is never used by itself: the coach looks at it, saves it and gives it back.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import tomli_w
from rapidfuzz import fuzz, process, utils

from analysis.errors import DataError
from analysis.exports.findings import Findings
from analysis.exports.names import clean_name, name_rules
from analysis.exports.opening import open_source
from analysis.exports.sources import read_source, unpack
from analysis.exports.table import Sheet

LIKE = 80
"""Likeness (0-100, rapidfuzz WRatio) from which a role is proposed for a column."""

_ROLES = ["student_id", "classroom_id", "display_name", "first_name", "last_name", "teacher",
          "school", "grade", "window", "observed_on", "item_id", "skill_id", "points",
          "points_possible", "score", "score_se", "cut", "level", "scale"]  # fmt: skip


def propose_columns(names: Sequence[str]) -> dict[str, str]:
    """Return the role each column may play; columns that are like none are left out.

    Examples
    --------
    >>> propose_columns(["Studnt ID", "Clasroom", "3.NF.1"])
    {'Studnt ID': 'student_id', 'Clasroom': 'classroom_id'}
    """
    spellings = {name: role for role in _ROLES for name in name_rules()["roles"][role]}
    found: dict[str, tuple[float, str]] = {}
    for name in names:
        best = process.extractOne(
            name,
            list(spellings),
            scorer=fuzz.ratio,
            processor=utils.default_process,
            score_cutoff=LIKE,
        )
        if best and all(
            role != spellings[best[0]] or score < best[1] for score, role in found.values()
        ):
            found = {n: f for n, f in found.items() if f[1] != spellings[best[0]]}
            found[name] = (best[1], spellings[best[0]])
    return {name: role for name, (_, role) in found.items()}


def propose_map(path: Path) -> str:
    """Return the text of a map to look at and save: proposed roles, other columns ignored.

    Raises
    ------
    DataError
        The file cannot be opened.
    """
    sheet = next(iter(open_source(unpack(read_source(path))[0])))
    line = sheet.cells.head(40).notna().sum(axis=1).idxmax()
    names = [
        clean_name(cell)
        for cell in sheet.cells.loc[line]
        if isinstance(cell, str) and clean_name(cell)
    ]
    proposed = propose_columns(names)
    return tomli_w.dumps({"columns": {name: proposed.get(name, "skill:" + name) for name in names}})


def read_map(path: Path) -> dict[str, str]:
    """Return a saved map: column name -> role, ``skill:<id>``, ``item:<id>`` or ``ignore``.

    Raises
    ------
    DataError
        The file is no TOML, or names a role that does not exist.
    """
    try:
        columns = tomllib.loads(path.read_text(encoding="utf-8")).get("columns", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: is no TOML file ({error}).\nCorrect it.") from None
    findings = Findings(path.name)
    for name, role in columns.items():
        told = role in (*_ROLES, "ignore") or str(role).startswith(("skill:", "item:"))
        if not told:
            known = ", ".join(_ROLES)
            findings.fault(
                f"{role!r} is no role; there are {known}, skill:<id>, item:<id>, ignore",
                column=name,
            )
    findings.refuse_faults("Correct the column map.")
    return columns


def apply_map(sheet: Sheet, columns: Mapping[str, str]) -> Sheet:
    """Return the sheet with the mapped names in its header; the row is where most of them stand."""
    wanted = {clean_name(name): role for name, role in columns.items()}
    hits = sheet.cells.head(40).apply(
        lambda line: sum(isinstance(c, str) and clean_name(c) in wanted for c in line), axis=1
    )
    if not hits.max():
        raise DataError(
            f"{sheet.findings.where}: no column of the map is in the file: "
            f"{', '.join(list(wanted)[:10])}.\n"
            "Give the map that belongs to this file."
        )
    cells = sheet.cells.copy()
    row = hits.idxmax()
    renamed = [_rename(clean_name(c), wanted) if isinstance(c, str) else c for c in cells.loc[row]]
    cells.loc[row] = renamed
    lost = [
        name for name in wanted if name not in {clean_name(str(c)) for c in sheet.cells.loc[row]}
    ]
    if lost:
        sheet.findings.note(f"columns of the map that are not in the file: {', '.join(lost)}.")
    ignored = [name for name, role in wanted.items() if role == "ignore" and name not in lost]
    for place, name in enumerate(sheet.cells.loc[row]):
        if isinstance(name, str) and clean_name(name) in ignored:
            cells[place] = cells[place].where(cells.index <= row, "")
    if ignored:
        sheet.findings.note(f"columns the map ignores were set aside: {', '.join(ignored)}.")
    return Sheet(sheet.findings, cells, sheet.separator, sheet.facts, sheet.letters)


def _rename(name: str, wanted: Mapping[str, str]) -> str:
    role = wanted.get(name)
    if role is None:
        return name
    if role == "ignore":
        return ""
    return role.partition(":")[2] if role.startswith(("skill:", "item:")) else role
