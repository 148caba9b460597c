"""Taking rows out of a store: one student's, or whole windows, and at once.

Unlike saving, which leaves the files it replaces to those who read now, removing deletes
every file that is no longer in force before it returns.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.files import digest_of, locked, safe_name, write_json, write_whole
from analysis.store.index import MARKER, Part, StoreIndex, files_of, renamed


def remove_student(store: StoreIndex, student_id: str) -> int:
    """Remove every row of a student; return how many there were.

    A classroom or a window that is empty then is gone.

    Raises
    ------
    LockedError
        Another run is saving there.
    """
    with _removing(store) as index:
        return _remove_from(index, store, student_id)


def count_rows(store: StoreIndex, student_id: str) -> int:
    """Return how many rows :func:`remove_student` would remove."""
    files = [store.folder / name for name in files_of(store.content)]
    tables = (pd.read_parquet(file) for file in files)
    return sum(
        int((one["student_id"] == student_id).sum()) for one in tables if "student_id" in one
    )


def remove_windows(store: StoreIndex, windows: Sequence[str]) -> None:
    """Remove all evidence of some windows, and their calibrations.

    Raises
    ------
    LockedError
        Another run is saving there.
    """
    with _removing(store) as index:
        for classroom in index["classrooms"].values():
            kept = {one: part for one, part in classroom["evidence"].items() if one not in windows}
            classroom["evidence"] = kept
    for window in windows:
        for file in (store.folder / "calibration").glob(f"{safe_name(window)}.*"):
            file.unlink()


@contextmanager
def _removing(store: StoreIndex) -> Iterator[dict[str, Any]]:
    """Give the index to take from; then leave no table that it does not name."""
    with locked(store.folder, "removing"):
        # What is in force now, whatever this object has read before.
        index = copy.deepcopy(StoreIndex(store.folder).content)
        yield index
        in_use = {one for c in index["classrooms"].values() for one in c["evidence"]}
        index["windows"] = [[one, day] for one, day in index["windows"].items() if one in in_use]
        write_json(store.folder / MARKER, index)
        kept = files_of(index)
        for file in store.folder.rglob("*.parquet"):
            if file.relative_to(store.folder).as_posix() not in kept:
                file.unlink()
        store.forget_content()


def _remove_from(node: dict[str, Any], store: StoreIndex, student_id: str) -> int:
    """Remove a student from every table below a part of the index; return the rows."""
    removed = 0
    for name, one in list(node.items()):
        if isinstance(one, dict):
            removed += _remove_from(one, store, student_id)
            # Without a roster there is no classroom.
            if "about" in one and "roster" not in one:
                del node[name]
        elif _is_part(one):
            new, n = _without(Part(*one), store, student_id)
            removed += n
            if new is None:
                del node[name]
            else:
                node[name] = new
    return removed


def _without(part: Part, store: StoreIndex, student_id: str) -> tuple[list[Any] | None, int]:
    """Write a table without a student; return its new part, none where it is empty."""
    table = pd.read_parquet(io.BytesIO((store.folder / part.file).read_bytes()))
    if "student_id" not in table or not (table["student_id"] == student_id).any():
        return [part.file, part.digest, part.rows], 0
    kept = table[table["student_id"] != student_id]
    n = len(table) - len(kept)
    if kept.empty:
        return None, n
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(kept, preserve_index=False), written)
    digest = digest_of(written.getvalue())
    name = renamed(part.file, digest=digest)
    write_whole(store.folder / name, written.getvalue())
    return [name, digest, len(kept)], n


def _is_part(value: object) -> bool:
    """Say whether a value of the index is a table: its file, digest and rows."""
    return isinstance(value, list) and len(value) == 3 and str(value[0]).endswith(".parquet")
