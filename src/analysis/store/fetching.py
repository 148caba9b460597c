"""A store on another machine, fetched into a folder here: only what is new."""

from __future__ import annotations

import json
from pathlib import Path

from analysis.errors import DataError
from analysis.files import write_whole
from analysis.remote import RemoteFolder, open_remote
from analysis.store.index import MARKER, files_of

CALIBRATIONS = "calibration"


def fetch_store(address: str, folder: Path) -> int:
    """Make a folder here the same store as one elsewhere.

    Parameters
    ----------
    address
        Of the folder the store is in; see :mod:`analysis.remote`.
    folder
        A store, or where one shall be.

    Returns
    -------
    int
        How many files were fetched. A table's name holds its digest, so one that is here
        is right; the index is put in place last.

    Raises
    ------
    DataError
        There is no store, or it changed while it was fetched.
    """
    with open_remote(address) as remote:
        marker = remote.read(MARKER)
        if marker is None:
            raise DataError(f"{address} holds no store.\nCorrect the address after --fetch-from.")
        tables = sorted(files_of(json.loads(marker)))
        wanted = [name for name in tables if not (folder / name).exists()]
        wanted += [f"{CALIBRATIONS}/{name}" for name in sorted(remote.names(CALIBRATIONS))]
        for name in wanted:
            _fetch(remote, name, folder)
    write_whole(folder / MARKER, marker)
    return len(wanted) + 1


def _fetch(remote: RemoteFolder, name: str, folder: Path) -> None:
    content = remote.read(*name.split("/"))
    if content is None:
        raise DataError(
            f"{remote.address} changed while it was fetched: {name} is gone.\n"
            "Run the command again."
        )
    write_whole(folder / name, content)
