"""The part of a store that one page is made from, to be sent where the store is not.

A worker on another machine needs these classrooms' rows, the framework and the calibrations
in force; it gets them with its task and nothing else, so that no disk need be shared and
no other classroom's rows leave the machine that has them.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path

from analysis.files import safe_name, write_whole
from analysis.store.calibrations import calibration_in_force, calibration_path
from analysis.store.index import FORMAT, MARKER, StoreIndex, files_of

Slice = dict[str, bytes]
"""Contents of files by their name in the store."""


def cut_slice(index: StoreIndex, window: str, classroom_ids: Collection[str]) -> Slice:
    """Return the files a report of these classrooms reads, and an index of them alone.

    Parameters
    ----------
    index
        Of the whole store.
    window
        Assessment window; those before it come along.
    classroom_ids
        The classrooms.
    """
    content = index.only(classroom_ids) | {"format": FORMAT}
    windows = index.windows_until(window)
    content["windows"] = [[one, day] for one, day in content["windows"].items() if one in windows]
    cut = {name: (index.folder / name).read_bytes() for name in sorted(files_of(content))}
    for one in windows:
        in_force = calibration_in_force(index, one)
        if in_force is not None:
            own = {c: known for c, known in in_force.classrooms.items() if c in classroom_ids}
            file = calibration_path(index, in_force)
            cut[f"calibration/{file.name}"] = file.read_bytes()
            record = asdict(replace(in_force, classrooms=own))
            cut[f"calibration/{safe_name(one)}.json"] = json.dumps(record).encode()
    return cut | {MARKER: json.dumps(content).encode()}


def lay_slice(cut: Slice, folder: Path) -> None:
    """Write a slice into a folder, which then is a store."""
    for name, content in cut.items():
        write_whole(folder / name, content)
