"""One import under way: open, recognise, read in order, put together, account for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import MOST_FAULTS_SHOWN, AnalysisError, DataError
from analysis.exports import oneroster
from analysis.exports.coded import list_texts
from analysis.exports.column_map import ColumnMap, apply_map, propose_columns
from analysis.exports.findings import name_some
from analysis.exports.header import Recognised, recognise, refuse_unknown
from analysis.exports.linking import link, merge_rosters
from analysis.exports.opening import open_source
from analysis.exports.reading import Context, Known, Reading, no_rows
from analysis.exports.registry import list_platforms
from analysis.exports.skills import apply_links, propose_skills, rename_skills
from analysis.exports.sources import Source, read_source, refuse_unreadable, unpack
from analysis.exports.table import Sheet
from analysis.tables import (
    COACH_ONLY,
    ITEMS,
    ROSTER,
    SKILLS,
    VOICE,
    check_table,
    empty_table,
)

LOOSE_ENDINGS = {".txt", ".html", ".htm", ".json", ".tab"}
"""Endings that, found in a folder, are as often a note as a table."""


@dataclass(frozen=True)
class FileReading:
    """What became of one table of one file.

    Attributes
    ----------
    file, sheet
        Its name without the folder; the sheet of a workbook.
    platform
        What it was recognised as.
    rows_read, rows_used
        Counts; every row that was read and not used is in ``rows_set_aside``.
    """

    file: str
    sheet: str | None
    platform: str
    rows_read: int
    rows_set_aside: list[dict[str, Any]]
    notes: list[str]
    students: int
    skills: int

    @property
    def rows_used(self) -> int:
        """Rows that were read and not set aside."""
        return self.rows_read - len(self.rows_set_aside)

    def summary(self) -> dict[str, Any]:
        """Return the file's part of the summary."""
        return {
            "file": self.file,
            **({"sheet": self.sheet} if self.sheet else {}),
            "platform": self.platform,
            "rows_read": self.rows_read,
            "rows_used": self.rows_used,
            "rows_set_aside": self.rows_set_aside,
            "students": self.students,
            "skills": self.skills,
            "notes": self.notes,
        }


class Job:
    """One import under way; see :func:`analysis.exports.read_exports` for its parameters."""

    def __init__(
        self,
        known: Known,
        *,
        window: str | None,
        attempts: str,
        platform: str | None,
        column_map: ColumnMap,
        aliases: pd.DataFrame | None,
        keep: tuple[str, ...] = (),
    ):
        self.known, self.window, self.attempts, self.platform = known, window, attempts, platform
        self.column_map, self.aliases, self.keep = column_map, aliases, keep
        self.platforms = list_platforms(column_map.platform)
        self.tables: list[Recognised] = []
        self.readings: list[Reading] = []
        self.refused: list[dict[str, Any]] = []
        self.errors: list[AnalysisError] = []
        self.notes: list[str] = []

    def open(self, path: Path, *, inside: bool = False, name: str | None = None) -> None:
        """Open a file and recognise its tables; one that cannot be used is refused by name.

        ``inside``: it was found in a folder, where a text that is no table is left alone.
        ``name``: what it is called here, where another file has the same name.
        """
        try:
            sources = unpack(read_source(path))
        except DataError as error:
            self._refuse(name or path.name, error)
            return
        if name is not None and len(sources) == 1:
            sources = [Source(name, sources[0].data)]
        for source in sources:
            try:
                refuse_unreadable(source)
                found = self._recognise(source)
            except DataError as error:
                if not (inside and source.ending in LOOSE_ENDINGS):
                    self._refuse(source.name, error)
                    continue
                found = []
            if inside and source.ending in LOOSE_ENDINGS:
                found = [known for known in found if len(known.table.cells)]
            if not found and inside and source.ending in LOOSE_ENDINGS:
                self.notes.append(f"{source.name} holds no table; left alone.")
            elif not found:
                self._refuse(source.name, self._unknown(source))
            self.tables += found

    def note_left(self, left: list[str]) -> None:
        """Name the files of a folder that are of no kind that is read."""
        if left:
            self.notes.append(f"files of other kinds were left alone: {name_some(left)}.")

    def finish(self) -> dict[str, Any]:
        """Return the fields of an :class:`~analysis.exports.Import`."""
        self._read_all()
        self._refuse_nothing_usable()
        context = self._context()
        linked = link(self.readings, context, window=self.window, attempts=self.attempts)
        self.notes += linked.notes
        evidence = self._rename(linked.evidence, context.skills)
        self._put_empty_rows_aside(linked.used_rows)
        observed = evidence["skill_id"].unique().tolist()
        skills = merge_skills(context.skills, context.items, observed)
        skills, notes = apply_links(skills, self.readings)
        self.notes += notes
        self._note_unknown(observed)
        return {
            "roster": check_table(linked.roster, ROSTER, "the roster"),
            "skills": check_table(skills, SKILLS, "the skills"),
            "items": check_table(context.items, ITEMS, "the items"),
            "coach_only": self._kept(),
            "evidence": evidence,
            "voice": self._voice(),
            "files": [
                self._file(reading, linked.counts[n]) for n, reading in enumerate(self.readings)
            ],
            "n_students": self._count_students(linked.student_ids),
            "n_skills": self._count_skills(observed),
            "refused": self.refused,
            "notes": self.notes,
        }

    def _recognise(self, source: Source) -> list[Recognised]:
        found, unknown = [], []
        for sheet in open_source(source):
            columns = self.column_map.columns
            mapped = apply_map(sheet, columns) if columns else sheet
            known = recognise(mapped, self.platforms, self.platform)
            if known is None:
                unknown.append(sheet)
            else:
                found.append(known)
        found, unread = _leave_odd_sheets(_sheets_as_classrooms(found))
        if found:
            _note_sheets(found, [*unknown, *unread])
        return found

    def _unknown(self, source: Source) -> DataError:
        sheet = next(iter(open_source(source)))
        error = refuse_unknown(sheet)
        names = [
            str(cell)
            for line in sheet.cells.head(20).to_numpy()
            for cell in line
            if isinstance(cell, str)
        ]
        meant = propose_columns(names[:200])
        if not meant:
            return error
        said = ", ".join(f"“{name}” may be {role}" for name, role in list(meant.items())[:5])
        return DataError(f"{error}\nProposed column map: {said}.")

    def _read_all(self) -> None:
        for known in sorted(self.tables, key=lambda table: table.platform.first):
            try:
                table = known.table if known.platform.coded else known.table.plain()
                self.readings.append(known.platform.read(table, self._context()))
            except DataError as error:
                self._refuse(known.table.findings.where, error)
        try:
            oneroster.combine(self.readings)
        except DataError as error:
            self.readings = [r for r in self.readings if r.raw is None or r.raw[0] != "results"]
            self._refuse("OneRoster results", error)

    def _context(self) -> Context:
        given = [reading for reading in self.readings if reading.observations is None]
        rosters = [self.known.roster, *(r.roster for r in given if r.roster is not None)]
        items = [*(r.items for r in self.readings if r.items is not None), self.known.items]
        skills = [*(r.skills for r in self.readings if r.skills is not None), self.known.skills]
        maps = [r.item_map for r in self.readings if r.item_map is not None]
        return Context(
            roster=merge_rosters(rosters),
            skills=_first_rows(skills, ["skill_id"], "skills"),
            items=_first_rows(items, ["item_id", "skill_id"], "items"),
            item_map=pd.concat(maps, ignore_index=True) if maps else None,
            keep=self.keep,
        )

    def _kept(self) -> pd.DataFrame:
        """Return what was asked to be kept for the coach alone; name what no roster has."""
        kept = [r.coach_only for r in self.readings if r.coach_only is not None]
        there = {name for part in kept for name in part.columns}
        if missing := [name for name in self.keep if name not in there]:
            self.notes.append(f"no roster has a column to keep named {', '.join(missing)}.")
        table = pd.concat(kept, ignore_index=True) if kept else empty_table(COACH_ONLY)
        return check_table(
            table.drop_duplicates(COACH_ONLY.unique, keep="last"), COACH_ONLY, "what was kept"
        )

    def _count_students(self, observed: set[str]) -> int:
        named = [r.roster["student_id"] for r in self.readings if r.roster is not None]
        named += [r.voice["student_id"] for r in self.readings if r.voice is not None]
        return len(observed.union(*map(list_texts, named)))

    def _count_skills(self, observed: Sequence[str]) -> int:
        named = [r.skills["skill_id"] for r in self.readings if r.skills is not None]
        named += [r.items["skill_id"] for r in self.readings if r.items is not None]
        return len(observed) or int(pd.concat(named).nunique() if named else 0)

    def _voice(self) -> pd.DataFrame:
        """Return what students say; of two forms with the same question the later one."""
        parts = [r.voice for r in self.readings if r.voice is not None and len(r.voice)]
        if not parts:
            return no_rows("voice")
        both = pd.concat(parts, ignore_index=True)
        in_order = both.sort_values("answered_on", na_position="first", kind="stable")
        return check_table(
            in_order.drop_duplicates(VOICE.unique, keep="last"), VOICE, "the voice forms"
        )

    def _rename(self, evidence: pd.DataFrame, skills: pd.DataFrame) -> pd.DataFrame:
        if self.aliases is None or not len(evidence):
            return evidence
        renamed, notes = rename_skills(
            evidence["skill_id"], self.aliases, skills["skill_id"].tolist()
        )
        self.notes += notes
        return evidence.assign(skill_id=renamed)

    def _note_unknown(self, observed: Sequence[str]) -> None:
        """Note skills the framework does not know, with the known one each may have meant."""
        stated = [
            r.skills for r in self.readings if r.skills is not None and r.observations is None
        ]
        known = (
            pd.concat([self.known.skills, *stated], ignore_index=True)["skill_id"].dropna().tolist()
        )
        unknown = [skill for skill in observed if skill not in set(known)]
        if not known or not unknown:
            return
        meant = propose_skills(unknown, known)
        shown = [f"{name} (is it {meant[name]}?)" if name in meant else name for name in unknown]
        self.notes.append(f"skills that are not in the framework: {name_some(shown)}.")

    def _put_empty_rows_aside(self, used_rows: list[np.ndarray | None]) -> None:
        for reading, used in zip(self.readings, used_rows, strict=True):
            if used is None:
                continue
            told = np.append(used, list(reading.findings.set_aside)).astype(int)
            reading.findings.put_aside(
                np.setdiff1d(reading.rows, told),
                "no result in this row",
                "Nothing to do where nothing was assessed.",
            )

    def _file(self, reading: Reading, counts: tuple[int, int]) -> FileReading:
        findings = reading.findings
        aside = [findings.set_aside[row].as_dict() for row in sorted(findings.set_aside)]
        return FileReading(
            findings.file,
            findings.sheet,
            reading.platform,
            len(reading.rows),
            aside,
            findings.notes,
            *counts,
        )

    def _refuse(self, file: str, error: AnalysisError) -> None:
        self.errors.append(error)
        self.refused.append({"file": file, "message": str(error)})

    def _refuse_nothing_usable(self) -> None:
        if self.readings:
            return
        if not self.errors:
            raise DataError(
                "There is no file to read here.\nName an export, or a folder that holds one."
            )
        if len(self.errors) == 1:
            raise self.errors[0]
        shown = "\n".join(str(error) for error in self.errors[:MOST_FAULTS_SHOWN])
        more = len(self.errors) - MOST_FAULTS_SHOWN
        raise DataError(shown + (f"\nand {more} more files" if more > 0 else ""))


def merge_skills(
    skills: pd.DataFrame, items: pd.DataFrame, observed: Sequence[str]
) -> pd.DataFrame:
    """Return the known skills and, under their own id, those that only items or evidence name."""
    used = pd.concat([items["skill_id"], pd.Series(observed, dtype="str")])
    known = set(skills["skill_id"])
    new = [skill for skill in used.dropna().unique() if skill not in known]
    if not new:
        return skills
    named = pd.DataFrame({"skill_id": new, "name": new}, dtype="str")
    return pd.concat([skills, named], ignore_index=True)


def _sheets_as_classrooms(found: list[Recognised]) -> list[Recognised]:
    """Take the sheets' names as classrooms where a workbook has a tracker a classroom."""
    trackers = [
        known
        for known in found
        if known.platform.key == "tracker" and known.table.role("student_id") is not None
    ]
    if len(trackers) < 2 or any(known.table.role("classroom_id") is not None for known in found):
        return found
    named = []
    for known in found:
        if known in trackers:
            table = known.table
            rooms = pd.Series(table.findings.sheet, index=table.cells.index, dtype="str")
            table = table.put(len(table.names), rooms, "Classroom")
            table.findings.note("no column with the classroom: the sheet's name is taken as it.")
            known = Recognised(table, known.platform)
        named.append(known)
    return named


def _leave_odd_sheets(found: list[Recognised]) -> tuple[list[Recognised], list[Sheet]]:
    """Leave out a workbook's sheets without ids and classrooms where another sheet has them."""

    def placed(known: Recognised) -> bool:
        own = known.platform.key != "tracker"
        return own or (known.table.role("classroom_id") is not None)

    if len(found) < 2 or not any(placed(known) for known in found):
        return found, []
    return [k for k in found if placed(k)], [k.table.sheet for k in found if not placed(k)]


def _note_sheets(found: list[Recognised], unread: list[Sheet]) -> None:
    """Name the sheets that were read and those that hold no table."""
    named = [known.table.findings.sheet for known in found if known.table.findings.sheet]
    other = [sheet.sheet or sheet.file for sheet in unread]
    if not named and not other:
        return
    said = f"sheets read: {', '.join(named)}" if named else "read"
    said += f"; without a table of students and not read: {', '.join(other)}." if other else "."
    found[0].table.findings.note(said)


def _first_rows(tables: list[pd.DataFrame], key: list[str], name: str) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    if not filled:
        return no_rows(name)
    both = pd.concat(filled, ignore_index=True)
    return both.drop_duplicates(key).reset_index(drop=True)
