"""One import from paths to tables: open, recognise, read, link, and say what happened."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.exports.attempts import check_rule
from analysis.exports.column_map import ColumnMap, read_map
from analysis.exports.file_reading import FileReading
from analysis.exports.holding import MOST_IN_MEMORY, Holding
from analysis.exports.job import Job
from analysis.exports.keeping import check_keep
from analysis.exports.reading import Known, no_rows
from analysis.exports.skills import read_aliases
from analysis.exports.sources import list_files

EvidencePart = tuple[pd.DataFrame, set[str] | None]


@dataclass(frozen=True)
class Import:
    """What an import brought: tables that meet their contracts, and an account of every row.

    Attributes
    ----------
    roster, skills, items, evidence, voice
        Tables of :mod:`analysis.tables`, possibly empty. Evidence has one more column,
        ``classroom_id``: where the row was observed, missing where the file does not say.
    coach_only
        A table of :data:`analysis.tables.COACH_ONLY`: what was asked to be kept.
    files
        One entry a table that was read.
    n_students, n_skills
        Students and skills these files name; the tables also hold what was known before.
    refused
        File and message of each file that could not be used.
    notes
        What concerns the import as a whole.
    """

    roster: pd.DataFrame
    skills: pd.DataFrame
    items: pd.DataFrame
    evidence: pd.DataFrame
    voice: pd.DataFrame
    coach_only: pd.DataFrame
    files: list[FileReading]
    n_students: int = 0
    n_skills: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
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
            "students": self.n_students,
            "skills": self.n_skills,
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
    keep: Sequence[str] = (),
    root: Path | None = None,
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
        A saved TOML map of a file nobody recognises; see
        :mod:`analysis.exports.column_map`.
    aliases
        CSV ``alias, skill_id``: a vendor's skill names to ours.
    platform
        Key of the reader to use instead of recognising the file.
    keep
        Columns of a roster (supports, demographics, years of teaching) to keep for the
        coach's own page; without a name they are dropped.
    root
        Folder below which a file is named by its path, ``7A/scores.csv``, whatever else is
        read with it; without it a folder is named only where two files share a name.

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
    parts: list[pd.DataFrame] = []

    def keep_all(*, evidence: Iterable[EvidencePart], **tables: pd.DataFrame) -> None:
        parts.extend(rows for rows, _ in evidence)

    imported = pass_on_exports(
        paths,
        keep_all,
        window=window,
        attempts=attempts,
        known=known,
        item_map=item_map,
        column_map=column_map,
        aliases=aliases,
        platform=platform,
        keep=keep,
        root=root,
        most_rows=sys.maxsize,
    )
    return replace(imported, evidence=pd.concat(parts, ignore_index=True))


def pass_on_exports(
    paths: Sequence[Path],
    take: Callable[..., None],
    *,
    window: str | None = None,
    attempts: str = "latest",
    known: Known | None = None,
    item_map: Path | None = None,
    column_map: Path | None = None,
    aliases: Path | None = None,
    platform: str | None = None,
    keep: Sequence[str] = (),
    root: Path | None = None,
    most_rows: int = MOST_IN_MEMORY,
) -> Import:
    """Read exports of any size and pass on what they hold, the evidence in parts.

    Parameters
    ----------
    paths, window, attempts, known, item_map, column_map, aliases, platform, keep, root
        As in :func:`read_exports`. A text file over 32 MB, and any after so much was read,
        is read in blocks if it is of the tidy form and each row says its classroom, its
        skill and, of points, how many were possible.
    take
        Called once, with the tables of an :class:`Import` by name. ``evidence`` yields
        pairs: rows, and the classrooms of which they are all there is; ``None``: of all.
    most_rows
        Rows of evidence to keep in memory; more go through a temporary folder.

    Returns
    -------
    Import
        The account, without the evidence: that was passed on.

    Raises
    ------
    DataError, UsageError
        As :func:`read_exports`.
    """
    check_rule(attempts)
    holding = Holding(most_rows)
    job = Job(
        known or Known(),
        window=window,
        attempts=attempts,
        platform=platform,
        column_map=read_map(column_map) if column_map else ColumnMap(),
        aliases=read_aliases(aliases) if aliases else None,
        keep=check_keep(keep),
        holding=holding,
    )
    try:
        _open_all(job, paths, item_map, root)
        tables = job.read()
        take(**tables, evidence=job.evidence())
    finally:
        holding.close()
    told: dict[str, Any] = {**tables, "evidence": no_rows("evidence"), **job.account()}
    return Import(**told)


def _open_all(job: Job, paths: Sequence[Path], item_map: Path | None, root: Path | None) -> None:
    files, left = list_files(paths)
    named = Counter(path.name for path in files)
    for path in files:
        name = f"{path.parent.name}/{path.name}" if named[path.name] > 1 else None
        if root is not None:
            name = path.relative_to(root).as_posix()
        job.open(path, inside=path not in set(map(Path, paths)), name=name)
    if item_map:
        job.open(item_map)
    job.note_left(left)
