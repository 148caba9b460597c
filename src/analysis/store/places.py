"""A store in places: so many whole classrooms at once that a place's rows fit in memory.

What reads a place needs neither the store's index nor its disk: a place names its files and
where they are, or brings them along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.remote import open_remote
from analysis.store.index import Part, StoreIndex
from analysis.store.tables import read_parts
from analysis.tables import EVIDENCE, ROSTER

ROWS_A_PLACE = 750_000
"""Rows of evidence read at once: under 1 GB of memory while they are text."""


@dataclass(frozen=True)
class Place:
    """Whole classrooms of a store, in one window.

    Attributes
    ----------
    address
        The store's folder, or its address elsewhere.
    roster, evidence
        The classrooms' files.
    content
        The files themselves by name, where a reader cannot reach the address.
    """

    address: str
    roster: list[Part]
    evidence: list[Part]
    content: dict[str, bytes] = field(default_factory=dict, repr=False)


def list_places(
    index: StoreIndex,
    window: str,
    *,
    address: str | None = None,
    with_content: bool = False,
    most_rows: int = ROWS_A_PLACE,
) -> list[Place]:
    """Return all classrooms with evidence in a window, in the order of their ids.

    Parameters
    ----------
    index
        Of the store.
    window
        Assessment window.
    address
        Where readers find the store; default: its folder.
    with_content
        Readers cannot reach it: each place brings its files along.
    most_rows
        Rows of evidence from which another place is begun.
    """
    index.windows_until(window)
    told = address or str(index.folder)
    places = []
    for classroom_ids in _in_batches(index, window, most_rows):
        roster = [index.roster_part(one) for one in classroom_ids]
        found = (index.evidence_part(one, window) for one in classroom_ids)
        evidence = [part for part in found if part]
        names = [part.file for part in [*roster, *evidence]] if with_content else []
        content = {name: (index.folder / name).read_bytes() for name in names}
        places.append(Place(told, roster, evidence, content))
    return places


def read_place(place: Place) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a place's evidence and roster; an observation in two classrooms comes once.

    Raises
    ------
    DataError
        A file is missing or was changed by something else.
    """
    if place.content or "://" not in place.address:
        evidence, roster = _read(place, _here(place))
    else:
        with open_remote(place.address) as folder:
            evidence, roster = _read(place, lambda name: folder.read(*name.split("/")) or b"")
    return evidence.drop_duplicates(EVIDENCE.unique, ignore_index=True), roster


def _read(place: Place, read: Callable[[str], bytes]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return (
        read_parts(place.evidence, EVIDENCE, read, place.address),
        read_parts(place.roster, ROSTER, read, place.address),
    )


def _here(place: Place) -> Callable[[str], bytes]:
    if place.content:
        return lambda name: place.content.get(name, b"")

    def read(name: str) -> bytes:
        file = Path(place.address) / name
        return file.read_bytes() if file.is_file() else b""

    return read


def _in_batches(index: StoreIndex, window: str, most_rows: int) -> Iterator[list[str]]:
    batch: list[str] = []
    rows = 0
    # Plain order, as classrooms are numbered where all evidence is one table.
    for classroom_id in sorted(index.classroom_ids):
        part = index.evidence_part(classroom_id, window)
        if part is None:
            continue
        batch.append(classroom_id)
        rows += part.rows
        if rows >= most_rows:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch
