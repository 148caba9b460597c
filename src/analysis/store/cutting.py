"""Rows of many classrooms at once: placed, put in order once, cut where a classroom ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa


class Homes:
    """Which students are in which classroom, looked up for a few classrooms at a time.

    Parameters
    ----------
    pairs
        All pairs of student_id and classroom_id.

    Examples
    --------
    >>> pairs = pd.DataFrame({"student_id": ["1", "2", "1"], "classroom_id": ["a", "a", "b"]})
    >>> homes = Homes(pairs.astype("str"))
    >>> homes.of({"b"})["student_id"].tolist(), homes.unknown(["2", "3"])
    (['1'], ['3'])
    """

    def __init__(self, pairs: pd.DataFrame):
        self.pairs = pairs

    @cached_property
    def _rows_of(self) -> dict[str, np.ndarray]:
        found = self.pairs.groupby("classroom_id").indices
        return {str(one): np.asarray(rows) for one, rows in found.items()}

    @cached_property
    def _students(self) -> set[str]:
        return set(self.pairs["student_id"])

    def of(self, classroom_ids: Collection[str] | None) -> pd.DataFrame:
        """Return the pairs of some classrooms, or all."""
        if classroom_ids is None:
            return self.pairs
        found = [self._rows_of[one] for one in sorted(classroom_ids) if one in self._rows_of]
        return self.pairs.take(np.concatenate(found)) if found else self.pairs.iloc[:0]

    def unknown(self, student_ids: Iterable[str]) -> list[str]:
        """Return those students that are in no classroom at all."""
        return [one for one in student_ids if one not in self._students]


def cut_by(
    rows: pd.DataFrame, place: Sequence[str], key: Sequence[str], keep: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], pa.Table]]:
    """Yield each place's rows, in the order of their key, ready to be written.

    Parameters
    ----------
    rows
        With the columns of ``place`` and ``key``, none of them missing anywhere.
    place
        Columns that say where a row belongs, as classroom and window.
    key
        Columns that tell rows of one place apart; of equal rows the last stays.
    keep
        Columns to write.

    Yields
    ------
    tuple of tuple of str and pyarrow.Table
        The place, in order, and its rows: the same bytes in a file as if it had been alone.

    Examples
    --------
    >>> rows = pd.DataFrame({"room": ["b", "a", "b"], "id": ["2", "1", "1"]}, dtype="str")
    >>> [(place, part["id"].to_pylist()) for place, part in cut_by(rows, ["room"], ["id"], ["id"])]
    [(('a',), ['1']), (('b',), ['1', '2'])]
    """
    if rows.empty:
        return
    columns = list(dict.fromkeys([*place, *key]))
    ranks = np.array([pd.factorize(rows[name], sort=True)[0] for name in columns])
    order = np.lexsort(ranks[::-1])
    ranks = ranks[:, order]
    is_last = np.append((ranks[:, 1:] != ranks[:, :-1]).any(axis=0), True)
    order, ranks = order[is_last], ranks[: len(place), is_last]
    table = pa.Table.from_pandas(rows[list(keep)].take(order), preserve_index=False)
    starts = np.append(0, np.flatnonzero((ranks[:, 1:] != ranks[:, :-1]).any(axis=0)) + 1)
    names = rows[list(place)].take(order[starts]).itertuples(index=False, name=None)
    for name, start, end in zip(names, starts, [*starts[1:], len(order)], strict=True):
        yield name, table.slice(start, end - start)
