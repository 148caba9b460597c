"""Observations put by until all files are read, and given out again in whole classrooms.

Few are kept in memory. Many go to a temporary folder of their owner's, a file a part: then
what a student did is found in one part, or in several, and only classrooms of which rows lie
in several parts are put together anew. No more than a part or a batch is ever in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.exports.coded import factorize

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
        self.largest = 0
        self._folder: tempfile.TemporaryDirectory | None = None
        self._parts: list[tuple[int, pd.DataFrame | Path, pd.Series]] = []

    def put(self, file: int, observed: pd.DataFrame) -> None:
        """Put a part of a file by."""
        codes, students = factorize(observed["student_id"])
        rows = pd.Series(np.bincount(codes, minlength=len(students)), index=students)
        self._parts.append((file, observed, rows))
        self.n_rows += len(observed)
        if self.n_rows > self.most_rows:
            self._parts = [(one, self._spill(part), n) for one, part, n in self._parts]

    def drop(self, file: int) -> None:
        """Forget a file: it is refused."""
        self.n_rows -= sum(int(rows.sum()) for one, _, rows in self._parts if one == file)
        self._parts = [part for part in self._parts if part[0] != file]

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
        try:
            if self._folder is None:
                yield from self._take_all()
            else:
                yield from self._take_batches(roster[["student_id", "classroom_id"]])
        finally:
            self.close()

    def close(self) -> None:
        """Forget everything."""
        self._parts = []
        if self._folder is not None:
            self._folder.cleanup()

    def _take_all(self) -> Iterator[Batch]:
        by_file: dict[int, list] = {}
        for file, part, _ in self._parts:
            by_file.setdefault(file, []).append(part)
        yield {file: _joined(parts) for file, parts in by_file.items()}, None

    def _take_batches(self, pairs: pd.DataFrame) -> Iterator[Batch]:
        told = _part_of_classrooms(pairs, [rows for *_, rows in self._parts])
        scattered = told.index[told < 0]
        batches = self._share_out(pairs[pairs["classroom_id"].isin(scattered)])
        aside = Holding(most_rows=0)
        for n, (file, part, _) in enumerate(self._parts):
            observed = pd.read_parquet(part)
            part.unlink()
            for number, students in enumerate(batches):
                mine = observed[_is_of(observed, students[0])]
                if len(mine):
                    aside.put_aside(number, file, mine)
            whole = set(told.index[told == n])
            if whole:
                students = pairs.loc[pairs["classroom_id"].isin(whole), "student_id"]
                mine = observed[_is_of(observed, pd.Index(students.unique()))]
                self.largest = max(self.largest, len(mine))
                yield {file: mine}, whole
        for number, (_, classroom_ids) in enumerate(batches):
            by_file = aside.take_aside(number)
            self.largest = max(self.largest, sum(map(len, by_file.values())))
            yield by_file, classroom_ids
        aside.close()

    def _share_out(self, pairs: pd.DataFrame) -> list[tuple[pd.Index, set[str]]]:
        """Return batches of classrooms, each with its students, by the rows they have."""
        if pairs.empty:
            return []
        rows = pd.concat([rows for *_, rows in self._parts]).groupby(level=0).sum()
        weight = pairs["student_id"].map(rows).fillna(0).groupby(pairs["classroom_id"]).sum()
        number = (weight.sort_index().cumsum() - 1).clip(lower=0) // max(self.most_rows, 1)
        shared = []
        for _, classrooms in number.groupby(number):
            own = set(classrooms.index)
            students = pairs.loc[pairs["classroom_id"].isin(own), "student_id"]
            shared.append((pd.Index(students.unique()), own))
        return shared

    def put_aside(self, number: int, file: int, observed: pd.DataFrame) -> None:
        """Put rows of one batch by."""
        self._parts.append((number, self._spill(observed), file))

    def take_aside(self, number: int) -> dict[int, pd.DataFrame]:
        """Return the rows of one batch by file."""
        by_file: dict[int, list] = {}
        for one, part, file in self._parts:
            if one == number:
                by_file.setdefault(file, []).append(pd.read_parquet(part))
        return {file: _joined(parts) for file, parts in by_file.items()}

    def _spill(self, part: pd.DataFrame | Path) -> Path:
        if isinstance(part, Path):
            return part
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="import")
        handle, name = tempfile.mkstemp(dir=self._folder.name, suffix=".parquet")
        with os.fdopen(handle, "wb") as file:
            pq.write_table(pa.Table.from_pandas(_tidied(part), preserve_index=False), file)
        return Path(name)


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
    return np.append(pd.Index(known).isin(students), False)[codes]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return parts[0] if len(parts) == 1 else pd.concat(map(_plain, parts), ignore_index=True)


def _plain(part: pd.DataFrame) -> pd.DataFrame:
    return part.astype({n: "str" for n, kind in part.dtypes.items() if kind == "category"})


def _tidied(part: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with no more categories than they use."""
    coded = [name for name, kind in part.dtypes.items() if kind == "category"]
    used = {name: part[name].cat.remove_unused_categories() for name in coded}
    return part.assign(**used)
