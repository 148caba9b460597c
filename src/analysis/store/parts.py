"""Reading a store's files as they are: without pandas, which takes longer to load."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import DataError
from analysis.files import digest_of
from analysis.store.index import Part, StoreIndex

PEOPLE = ["student_id", "classroom_id", "display_name", "teacher"]


def read_people(index: StoreIndex) -> dict[str, list[str | None]]:
    """Return who is in which classroom, of all: the columns :data:`PEOPLE`, nothing else.

    Only the process that publishes may ask; one that makes a report may not.

    Raises
    ------
    DataError
        A file of the store is missing or was changed by something else.
    """
    parts = [index.roster_part(one) for one in index.classroom_ids]
    people = read_joined(parts, reader_of(index), str(index.folder), PEOPLE)
    columns: dict[str, list[str | None]] = people.to_pydict()
    return columns


def reader_of(index: StoreIndex) -> Callable[[str], bytes]:
    """Return what reads a file of a store; nothing where it is not there."""

    def read(name: str) -> bytes:
        file = index.folder / name
        return file.read_bytes() if file.is_file() else b""

    return read


def read_joined(
    parts: Sequence[Part],
    read: Callable[[str], bytes],
    where: str,
    columns: list[str] | None = None,
) -> pa.Table:
    """Return the rows of some parts, and only if their files are what was saved.

    Parameters
    ----------
    parts
        Which; at least one.
    read
        Returns the content of a file of the store; nothing where it is not there.
    where
        The store, for messages.
    columns
        Default: all.

    Raises
    ------
    DataError
        A file is missing or was changed by something else.
    """
    tables = [read_table(_checked(read(part.file), part, where), columns) for part in parts]
    return pa.concat_tables(tables, promote_options="default")


def read_table(content: bytes, columns: list[str] | None = None) -> pa.Table:
    """Return the table in a file's content."""
    # A file of a few pages: threads, and the machinery for many files, only cost time.
    return pq.ParquetFile(pa.BufferReader(content)).read(columns=columns, use_threads=False)


def _checked(content: bytes, part: Part, where: str) -> bytes:
    if digest_of(content) != part.digest:
        raise DataError(
            f"{where}/{part.file} is missing or is not what was saved there.\n"
            "If an import has run meanwhile, try again; else import the exports again."
        )
    return content
