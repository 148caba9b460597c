"""Rows of many classrooms at once: put in order once, and cut where a classroom ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa


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
