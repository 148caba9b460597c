"""One import from paths to tables: open, recognise, read, link, and say what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.errors import MOST_FAULTS_SHOWN, AnalysisError, DataError
from analysis.exports.attempts import check_rule
from analysis.exports.header import Recognised, recognise, refuse_unknown
from analysis.exports.linking import link, merge_rosters
from analysis.exports.opening import open_source
from analysis.exports.reading import Context, Known, Reading
from analysis.exports.sources import Source, list_files, read_source, refuse_unreadable, unpack
from analysis.exports.table import Sheet
from analysis.tables import EVIDENCE, ITEMS, ROSTER, SKILLS, check_table, empty_table


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
    rows_set_aside: list[dict]
    notes: list[str]
    students: int
    skills: int

    @property
    def rows_used(self) -> int:
        """Rows that were read and not set aside."""
        return self.rows_read - len(self.rows_set_aside)

    def summary(self) -> dict:
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


@dataclass(frozen=True)
class Import:
    """What an import brought: tables that meet their contracts, and an account of every row.

    Attributes
    ----------
    roster, skills, items, evidence
        Tables of :mod:`analysis.tables`, possibly empty. Evidence has one more column,
        ``classroom_id``: where the row was observed, missing where the file does not say.
    files
        One entry a table that was read.
    refused
        File and message of each file that could not be used.
    notes
        What concerns the import as a whole.
    """

    roster: pd.DataFrame
    skills: pd.DataFrame
    items: pd.DataFrame
    evidence: pd.DataFrame
    files: list[FileReading]
    refused: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def summary(self) -> dict:
        """Return the account as plain values, ready for JSON.

        ``rows_read`` = ``rows_used`` + the number of ``rows_set_aside``, always.
        """
        platforms = list(dict.fromkeys(file.platform for file in self.files))
        scored = [file for file in self.files if file.skills]
        return {
            "platform": ", ".join(dict.fromkeys(file.platform for file in scored))
            or ", ".join(platforms),
            "rows_read": sum(file.rows_read for file in self.files),
            "rows_used": sum(file.rows_used for file in self.files),
            "rows_set_aside": [entry for file in self.files for entry in file.rows_set_aside],
            "students": int(self.roster["student_id"].nunique()),
            "skills": int(self.evidence["skill_id"].nunique()) or len(self.skills),
            "notes": [*self.notes, *(note for file in self.files for note in file.notes)],
            "refused": self.refused,
            "files": [file.summary() for file in self.files],
        }


def read_exports(
    paths: Sequence[Path],
    *,
    window: str | None = None,
    attempts: str = "latest",
    known: Known | None = None,
    item_map: Path | None = None,
    column_map: Path | None = None,
    aliases: Path | None = None,
    platform: str | None = None,
) -> Import:
    r"""Read exports as they come into tables that meet their contracts.

    Parameters
    ----------
    paths
        Files, folders (searched to the bottom) and zips.
    window
        Assessment window of evidence whose file names none.
    attempts
        Which of several attempts counts: ``latest``, ``best`` or ``all``.
    known
        Tables a store already holds.
    item_map
        ``question, standard, answer, points`` of an item-level export.
    column_map
        A saved TOML map of a file nobody recognises.
    aliases
        CSV ``alias, skill_id``: a vendor's skill names to ours.
    platform
        Key of the reader to use instead of recognising the file.

    Returns
    -------
    Import
        A file that cannot be used is listed in ``refused`` and the others are kept.

    Raises
    ------
    DataError
        No file could be used; the message names file, row, column and mend.
    UsageError
        A path does not exist, or the window cannot be told.

    Examples
    --------
    >>> from pathlib import Path
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "scores.csv").write_text(
    ...     "Student ID,Classroom,3.NF.1\n01,7A,85\n02,7A,40\n")
    >>> read_exports([folder / "scores.csv"], window="2026-BOY").evidence["points"].tolist()
    [85.0, 40.0]
    """
    check_rule(attempts)
    job = _Job(known or Known(), window, attempts, platform)
    files, left = list_files(paths)
    for path in files:
        job.open(path)
    job.note_left(left)
    return job.finish()


class _Job:
    """One import under way."""

    def __init__(self, known: Known, window: str | None, attempts: str, platform: str | None):
        self.known, self.window, self.attempts, self.platform = known, window, attempts, platform
        self.tables: list[Recognised] = []
        self.readings: list[Reading] = []
        self.refused: list[dict] = []
        self.errors: list[AnalysisError] = []
        self.notes: list[str] = []

    def open(self, path: Path) -> None:
        try:
            sources = unpack(read_source(path))
        except DataError as error:
            self._refuse(path.name, error)
            return
        for source in sources:
            try:
                refuse_unreadable(source)
                self.tables += self._recognise(source)
            except DataError as error:
                self._refuse(source.name, error)

    def _recognise(self, source: Source) -> list[Recognised]:
        found, unknown = [], []
        for sheet in open_source(source):
            known = recognise(sheet, self.platform)
            if known is None:
                unknown.append(sheet)
            else:
                found.append(known)
        if not found and unknown:
            raise refuse_unknown(unknown[0])
        _note_sheets(found, unknown)
        return found

    def note_left(self, left: list[str]) -> None:
        if left:
            self.notes.append(f"files of other kinds were left alone: {', '.join(left[:10])}.")

    def finish(self) -> Import:
        for known in sorted(self.tables, key=lambda table: table.platform.first):
            try:
                self.readings.append(known.platform.read(known.table, self._context()))
            except DataError as error:
                self._refuse(known.table.findings.file, error)
        self._refuse_nothing_usable()
        context = self._context()
        linked = link(self.readings, context, window=self.window, attempts=self.attempts)
        evidence = finish_evidence(linked.evidence)
        roster = check_table(linked.roster, ROSTER, "the roster")
        skills = check_table(
            merge_skills(context.skills, context.items, evidence), SKILLS, "the skills"
        )
        items = check_table(context.items, ITEMS, "the items")
        files = [self._file(reading, evidence) for reading in self.readings]
        return Import(roster, skills, items, evidence, files, self.refused, self.notes)

    def _context(self) -> Context:
        given = [reading for reading in self.readings if reading.observations is None]
        rosters = [self.known.roster, *(r.roster for r in given if r.roster is not None)]
        items = [self.known.items, *(r.items for r in self.readings if r.items is not None)]
        skills = [*(r.skills for r in self.readings if r.skills is not None), self.known.skills]
        return Context(
            merge_rosters(rosters),
            _first_rows(skills, ["skill_id"], SKILLS),
            _first_rows(items[::-1], ["item_id", "skill_id"], ITEMS),
        )

    def _file(self, reading: Reading, evidence: pd.DataFrame) -> FileReading:
        findings = reading.findings
        aside = [findings.set_aside[row].as_dict() for row in sorted(findings.set_aside)]
        observed = reading.observations
        students = observed if observed is not None else reading.roster
        skills = observed if observed is not None else reading.skills
        return FileReading(
            findings.file,
            findings.sheet,
            reading.platform,
            len(reading.rows),
            aside,
            findings.notes,
            0 if students is None else int(students["student_id"].nunique()),
            0 if skills is None else int(skills["skill_id"].nunique()),
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


def _note_sheets(found: list[Recognised], unknown: list[Sheet]) -> None:
    """Name the sheets that were read and those that hold no table."""
    named = [known.table.findings.sheet for known in found if known.table.findings.sheet]
    other = [sheet.sheet or sheet.file for sheet in unknown]
    if not named and not other:
        return
    said = f"sheets read: {', '.join(named)}" if named else "read"
    said += f"; without a table and not read: {', '.join(other)}." if other else "."
    found[0].table.findings.note(said)


def finish_evidence(evidence: pd.DataFrame) -> pd.DataFrame:
    """Return evidence that meets its contract, ``classroom_id`` beside it."""
    return check_table(evidence, EVIDENCE, "the evidence") if len(evidence) else evidence


def merge_skills(skills: pd.DataFrame, items: pd.DataFrame, evidence: pd.DataFrame) -> pd.DataFrame:
    """Return the known skills and, under their own id, those that only items or evidence name."""
    used = pd.concat([items["skill_id"], pd.Series(evidence["skill_id"].unique(), dtype="str")])
    new = [skill for skill in used.dropna().unique() if skill not in set(skills["skill_id"])]
    if not new:
        return skills
    return pd.concat(
        [skills, pd.DataFrame({"skill_id": new, "name": new}, dtype="str")], ignore_index=True
    )


def _first_rows(tables: list[pd.DataFrame], key: list[str], contract) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    if not filled:
        return empty_table(contract)
    both = pd.concat(filled, ignore_index=True)
    return both.drop_duplicates(key).reset_index(drop=True)
