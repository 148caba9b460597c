"""One import under way: open, recognise, read in order, put together, account for each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import MOST_FAULTS_SHOWN, AnalysisError, DataError
from analysis.exports import oneroster
from analysis.exports.blocks import HEAD, LARGEST_BLOCK, read_blocks, recognise_large
from analysis.exports.coded import list_texts
from analysis.exports.column_map import ColumnMap, apply_map, propose_columns
from analysis.exports.file_reading import FileReading
from analysis.exports.findings import Findings, name_some
from analysis.exports.header import Recognised, recognise, refuse_unknown
from analysis.exports.holding import Holding
from analysis.exports.linking import Linker, Placed, merge_rosters
from analysis.exports.opening import open_source
from analysis.exports.reading import Context, Known, Reading, no_rows
from analysis.exports.registry import Platform, list_platforms
from analysis.exports.sheets import leave_odd_sheets, note_sheets, sheets_as_classrooms
from analysis.exports.skills import apply_links, propose_skills, rename_skills
from analysis.exports.sources import Source, read_source, refuse_unreadable, unpack
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
        holding: Holding | None = None,
    ):
        self.known, self.window, self.attempts, self.platform = known, window, attempts, platform
        self.column_map, self.aliases, self.keep = column_map, aliases, keep
        self.platforms = list_platforms(column_map.platform)
        self.tables: list[Recognised] = []
        self.readings: list[Reading] = []
        self.refused: list[dict[str, Any]] = []
        self.errors: list[AnalysisError] = []
        self.notes: list[str] = []
        self.placed: list[Placed] = []
        self.large: list[tuple[Path, Platform, Findings]] = []
        self.held = 0
        self.holding = holding or Holding()

    def open(self, path: Path, *, inside: bool = False, name: str | None = None) -> None:
        """Open a file and recognise its tables; one that cannot be used is refused by name.

        ``inside``: it was found in a folder, where a text that is no table is left alone.
        ``name``: what it is called here, where another file has the same name.
        """
        try:
            if self._put_off(path, name or path.name):
                return
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

    def _put_off(self, path: Path, name: str) -> bool:
        """Put a large file off that can be read in blocks; say whether it was."""
        size = path.stat().st_size
        self.held += size
        if self.held <= LARGEST_BLOCK or size < HEAD or self.column_map.columns:
            return False
        reader = recognise_large(path, self.platforms, self.platform)
        if reader is None:
            return False
        self.held -= size
        self.large.append((path, reader, Findings(name)))
        return True

    def note_left(self, left: list[str]) -> None:
        """Name the files of a folder that are of no kind that is read."""
        if left:
            self.notes.append(f"files of other kinds were left alone: {name_some(left)}.")

    def read(self) -> dict[str, pd.DataFrame]:
        """Read all files; return every table but the evidence, as an import has them."""
        self._read_all()
        if not self.large:
            self._refuse_nothing_usable()
        self._place_all()
        self._refuse_nothing_usable()
        context = self._context()
        self.renamed = self._rename(self.linker.skills, context.skills)
        self.observed = list(dict.fromkeys(self.renamed.values()))
        skills = merge_skills(context.skills, context.items, self.observed)
        skills, notes = apply_links(skills, self.readings)
        self.notes += notes
        self._note_unknown(self.observed)
        return {
            "roster": check_table(self.linker.roster, ROSTER, "the roster"),
            "skills": check_table(skills, SKILLS, "the skills"),
            "items": check_table(context.items, ITEMS, "the items"),
            "coach_only": self._kept(),
            "voice": self._voice(),
        }

    def evidence(self) -> Iterator[tuple[pd.DataFrame, set[str] | None]]:
        """Yield parts of the evidence, and the classrooms each is all of."""
        same = all(name == renamed for name, renamed in self.renamed.items())
        for part, classroom_ids in self.linker.evidence():
            if not same:
                part = part.assign(skill_id=part["skill_id"].map(self.renamed).astype("str"))
            yield part, classroom_ids

    def account(self) -> dict[str, Any]:
        """Return what an import says of its files; right when all evidence was taken."""
        return {
            "files": [
                self._file(reading, placed)
                for reading, placed in zip(self.readings, self.placed, strict=True)
            ],
            "n_students": self._count_students(self.linker.students),
            "n_skills": self._count_skills(self.observed),
            "refused": self.refused,
            "notes": [*self.linker.notes(), *self.notes],
        }

    def _place_all(self) -> None:
        """Place the observations of all files, of large ones block by block."""
        context = self._context()
        self.linker = Linker(
            context.roster, window=self.window, attempts=self.attempts, holding=self.holding
        )
        for n, reading in enumerate(self.readings):
            placed = self.linker.add(n, reading, context.items)
            self._put_empty_rows_aside(reading, placed.used_rows)
            self.linker.count(placed)
            self.placed.append(placed)
        for path, platform, findings in self.large:
            forget = self.linker.attempt(len(self.readings))
            try:
                reading, placed = self._place_large(path, platform, findings, context)
            except DataError as error:
                forget()
                self._refuse(findings.where, error)
                continue
            self.linker.count(placed)
            self.readings.append(reading)
            self.placed.append(placed)

    def _place_large(
        self, path: Path, platform: Platform, findings: Findings, context: Context
    ) -> tuple[Reading, Placed]:
        """Place a large file; return what remains to be said of it, without a row."""
        whole: Placed | None = None
        n_rows = 0
        items: list[pd.DataFrame] = []
        for table in read_blocks(path, platform, findings):
            reading = platform.read(table, context)
            placed = self.linker.add(len(self.readings), reading, context.items)
            self._put_empty_rows_aside(reading, placed.used_rows)
            n_rows += len(reading.rows)
            items += [] if reading.items is None else [reading.items]
            whole = placed if whole is None else whole | placed
        if whole is None:
            raise DataError(f"{findings.where}: the file holds no rows.\nExport it again.")
        # Its length is all that is asked of the rows from here on.
        rows = np.broadcast_to(np.int64(0), n_rows)
        named = _first_rows(items, ["item_id", "skill_id"], "items") if items else None
        return Reading(reading.platform, findings, rows, items=named, vendor=reading.vendor), whole

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
        found, unread = leave_odd_sheets(sheets_as_classrooms(found))
        if found:
            note_sheets(found, [*unknown, *unread])
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

    def _rename(self, observed: Iterable[str], skills: pd.DataFrame) -> dict[str, str]:
        """Return each observed skill's id by what the files call it."""
        names = pd.Series(list(observed), dtype="str")
        if self.aliases is None or not len(names):
            return dict(zip(names, names, strict=True))
        renamed, notes = rename_skills(names, self.aliases, skills["skill_id"].tolist())
        self.notes += notes
        return dict(zip(names, renamed, strict=True))

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

    def _put_empty_rows_aside(self, reading: Reading, used: np.ndarray | None) -> None:
        if used is None:
            return
        told = np.append(used, list(reading.findings.set_aside)).astype(int)
        reading.findings.put_aside(
            np.setdiff1d(reading.rows, told),
            "no result in this row",
            "Nothing to do where nothing was assessed.",
        )

    def _file(self, reading: Reading, placed: Placed) -> FileReading:
        findings = reading.findings
        aside = [findings.set_aside[row].as_dict() for row in sorted(findings.set_aside)]
        return FileReading(
            findings.file,
            findings.sheet,
            reading.platform,
            len(reading.rows),
            aside,
            findings.notes,
            len(placed.students),
            len(placed.skills),
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


def _first_rows(tables: list[pd.DataFrame], key: list[str], name: str) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    if not filled:
        return no_rows(name)
    both = pd.concat(filled, ignore_index=True)
    return both.drop_duplicates(key).reset_index(drop=True)
