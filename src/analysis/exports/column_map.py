"""Column maps: what the columns of a file nobody recognises mean, proposed and then saved.

A map is a small TOML file::

    [columns]
    "Studnt ID" = "student_id"
    "Homerm" = "classroom_id"
    "Fractions 1" = "skill:3.NF.A.1"
    "Notes" = "ignore"

Where a file has a pattern rather than a few odd names, the map may declare it as a
``[platform]`` instead, in the words of ``platforms.toml``.

A proposal is never used by itself: the coach looks at it, saves it and gives it back.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
from rapidfuzz import fuzz, process, utils

from analysis.errors import DataError, UsageError
from analysis.exports.findings import Findings
from analysis.exports.names import clean_name, name_rules
from analysis.exports.opening import open_source
from analysis.exports.sources import list_files, read_source, unpack
from analysis.exports.table import Sheet
from analysis.scales import SCALES

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


def propose_map(paths: Sequence[Path]) -> str:
    """Return the text of a map to look at and save: proposed roles, other columns ignored.

    Parameters
    ----------
    paths
        One file, or a folder that holds one.

    Raises
    ------
    UsageError
        There is no such file, or there are several: a map describes one.
    DataError
        The file cannot be opened.
    """
    files, _ = list_files(paths)
    if len(files) != 1:
        raise UsageError(
            f"A column map describes one file; there are {len(files)} here. Name the one to map."
        )
    sheet = next(iter(open_source(unpack(read_source(files[0]))[0])))
    line = int(sheet.cells.head(40).notna().sum(axis=1).argmax())
    names = [
        clean_name(cell)
        for cell in sheet.cells.iloc[line]
        if isinstance(cell, str) and clean_name(cell)
    ]
    proposed = propose_columns(names)
    return tomli_w.dumps({"columns": {name: proposed.get(name, "skill:" + name) for name in names}})


@dataclass(frozen=True)
class ColumnMap:
    """A saved map: column name -> role, and a platform that is declared in it, or None."""

    columns: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, Any] | None = None


def read_map(path: Path) -> ColumnMap:
    """Return a saved map; a role is one of ours, ``skill:<id>``, ``item:<id>`` or ``ignore``.

    Raises
    ------
    DataError
        The file is no TOML, names a role that does not exist, or maps nothing.
    """
    try:
        saved = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path.name}: is no TOML file ({error}).\nCorrect it.") from None
    columns, platform = saved.get("columns", {}), saved.get("platform")
    findings = Findings(path.name)
    for name, role in columns.items():
        told = role in (*_ROLES, "ignore") or str(role).startswith(("skill:", "item:"))
        if not told:
            known = ", ".join(_ROLES)
            findings.fault(
                f"{role!r} is no role; there are {known}, skill:<id>, item:<id>, ignore",
                column=name,
            )
    if not columns and platform is None:
        findings.fault("has neither [columns] nor a [platform]")
    if platform is not None:
        for fault in _faults_of(platform):
            findings.fault(fault)
    findings.refuse_faults("Correct the column map.")
    return ColumnMap(columns, platform)


def _faults_of(platform: Mapping[str, Any]) -> list[str]:
    faults = [f"the platform lacks {key}" for key in ("name", "needs") if key not in platform]
    if not {"wide", "long"} & platform.keys():
        faults.append("the platform says neither wide nor long")
    for pattern in [
        *platform.get("needs", ()),
        *(rule["pattern"] for rule in platform.get("wide", ())),
    ]:
        try:
            re.compile(pattern)
        except re.error as error:
            faults.append(f"{pattern!r} is no pattern ({error})")
    for rule in [*platform.get("wide", ()), platform.get("long", {})]:
        if rule.get("kind") == "level" and rule.get("scale") not in SCALES:
            faults.append(f"there is no scale {rule.get('scale')!r}; there are {', '.join(SCALES)}")
    return faults


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
    row = cells.index[int(hits.argmax())]
    header = cells.loc[row].tolist()
    cells.loc[row] = [_rename(clean_name(c), wanted) if isinstance(c, str) else c for c in header]
    there = {clean_name(str(c)) for c in header}
    lost = [name for name in wanted if name not in there]
    if lost:
        sheet.findings.note(f"columns of the map that are not in the file: {', '.join(lost)}.")
    ignored = [name for name, role in wanted.items() if role == "ignore" and name not in lost]
    for place, name in enumerate(header):
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
