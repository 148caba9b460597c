"""Observations put by until all files are read, and given out again in whole classrooms.

Few are kept in memory. Many go to a temporary folder of their owner's, a file a part: then
what a student did is found in one part, or in several, and only classrooms of which rows lie
in several parts are put together anew. No more than a part or a batch is ever in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.exports.coded import factorize
from analysis.rows import walk_parts

MOST_IN_MEMORY = 1_500_000
"""Rows kept in memory, and rows of a batch; 1 GB when they are written out as text."""

Batch = tuple[dict[int, pd.DataFrame], set[str] | None]
"""Observations by the file they are from, and whose classrooms they are; None: everybody's."""


class Holding:
    """Observations by file and part.

    Parameters
    ----------
    most_rows
        Rows to keep in memory.
    """

    def __init__(self, most_rows: int = MOST_IN_MEMORY):
        self.most_rows = most_rows
        self.n_rows = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._parts: list[_Part] = []

    def put(self, file: int, observed: pd.DataFrame) -> None:
        """Put a part of a file by."""
        codes, students = factorize(observed["student_id"])
        rows = pd.Series(np.bincount(codes, minlength=len(students)), index=students)
        self._parts.append(_Part(file, observed, rows))
        self.n_rows += len(observed)
        if self.n_rows > self.most_rows:
            self._parts = [replace(part, rows=self._spill(part.rows)) for part in self._parts]

    def drop(self, file: int) -> None:
        """Forget a file: it is refused."""
        self.n_rows -= sum(int(part.n_rows.sum()) for part in self._parts if part.file == file)
        self._parts = [part for part in self._parts if part.file != file]

    def take(self, roster: pd.DataFrame) -> Iterator[Batch]:
        """Yield everything, whole classrooms together.

        Parameters
        ----------
        roster
            All pairs of student_id and classroom_id.

        Yields
        ------
        Batch
            All observations of the students of these classrooms. A student of several
            classrooms may come again with another of them.
        """
        if self._folder is None or not self._parts:
            by_file: dict[int, list[pd.DataFrame]] = {}
            for part in self._parts:
                by_file.setdefault(part.file, []).append(_read(part.rows))
            yield {file: _joined(parts) for file, parts in by_file.items()}, None
        else:
            yield from self._take_batches(roster[["student_id", "classroom_id"]])

    def close(self) -> None:
        """Forget everything."""
        self._parts = []
        if self._folder is not None:
            self._folder.cleanup()

    def _take_batches(self, pairs: pd.DataFrame) -> Iterator[Batch]:
        told = _part_of_classrooms(pairs, [part.n_rows for part in self._parts])
        batches = self._share_out(pairs[pairs["classroom_id"].isin(told.index[told < 0])])
        aside: list[dict[int, list[Path]]] = [{} for _ in batches]
        # Whose classrooms are whole in which part, told once: a part looks at its own alone.
        part_of = pairs["classroom_id"].map(told)
        whole_in = dict(walk_parts(pairs.assign(part=part_of)[part_of >= 0], "part"))
        for n, part in enumerate(self._parts):
            observed = _read(part.rows)
            for kept, (students, _) in zip(aside, batches, strict=True):
                mine = observed[_is_of(observed, students)]
                if len(mine):
                    kept.setdefault(part.file, []).append(self._spill(mine))
            if n in whole_in:
                own = whole_in.pop(n)
                mine = observed[_is_of(observed, pd.Index(own["student_id"].unique()))]
                yield {part.file: mine}, set(own["classroom_id"])
        for kept, (_, classroom_ids) in zip(aside, batches, strict=True):
            yield (
                {file: _joined([*map(_read, parts)]) for file, parts in kept.items()},
                classroom_ids,
            )

    def _share_out(self, pairs: pd.DataFrame) -> list[tuple[pd.Index, set[str]]]:
        """Return batches of classrooms, each with its students, by the rows they have."""
        if pairs.empty:
            return []
        rows = pd.concat([part.n_rows for part in self._parts]).groupby(level=0).sum()
        weight = pairs["student_id"].map(rows).fillna(0).groupby(pairs["classroom_id"]).sum()
        number = (weight.sort_index().cumsum() - 1).clip(lower=0) // max(self.most_rows, 1)
        shared = []
        for _, classrooms in number.groupby(number):
            own = set(classrooms.index)
            students = pairs.loc[pairs["classroom_id"].isin(own), "student_id"]
            shared.append((pd.Index(students.unique()), own))
        return shared

    def _spill(self, rows: pd.DataFrame | Path) -> Path:
        """Put rows into a file; it and its folder are their owner's alone."""
        if isinstance(rows, Path):
            return rows
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="import")
        handle, name = tempfile.mkstemp(dir=self._folder.name, suffix=".parquet")
        with os.fdopen(handle, "wb") as file:
            pq.write_table(pa.Table.from_pandas(_tidied(rows), preserve_index=False), file)
        return Path(name)


@dataclass(frozen=True)
class _Part:
    """Rows of one file, or where they are; and how many each student has."""

    file: int
    rows: pd.DataFrame | Path
    n_rows: pd.Series


def _read(rows: pd.DataFrame | Path) -> pd.DataFrame:
    return pd.read_parquet(rows) if isinstance(rows, Path) else rows


def _part_of_classrooms(pairs: pd.DataFrame, rows: list[pd.Series]) -> pd.Series:
    """Return the part that holds all rows of a classroom, by classroom; -1 for several."""
    seen = pd.concat([pd.Series(n, index=own.index) for n, own in enumerate(rows)])
    first, last = seen.groupby(level=0).min(), seen.groupby(level=0).max()
    first, last = (pairs["student_id"].map(one) for one in (first, last))
    classroom = pairs["classroom_id"]
    first, last = first.groupby(classroom).min(), last.groupby(classroom).max()
    told = first.where(first == last, -1)
    return told[first.notna()].astype(int)


def _is_of(observed: pd.DataFrame, students: pd.Index) -> np.ndarray:
    codes, known = factorize(observed["student_id"])
    of_them: np.ndarray = np.append(known.isin(students), False)[codes]
    return of_them


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return parts[0] if len(parts) == 1 else pd.concat(map(_plain, parts), ignore_index=True)


def _plain(part: pd.DataFrame) -> pd.DataFrame:
    return part.astype({n: "str" for n, kind in part.dtypes.items() if kind == "category"})


def _tidied(part: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with no more categories than they use."""
    coded = [str(name) for name, kind in part.dtypes.items() if kind == "category"]
    used = {name: part[name].cat.remove_unused_categories() for name in coded}
    return part.assign(**used)
