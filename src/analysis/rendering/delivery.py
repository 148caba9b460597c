"""An edition put on another machine, as a folder of its own, shown by one last file.

::

    ADDRESS/current.html                 leads to the index of the newest
    ADDRESS/current.txt                  its name, written after all its pages
    ADDRESS/editions/<UTC time>/         as in the folder of reports
"""

from __future__ import annotations

from pathlib import Path

from analysis.remote import RemoteFolder, open_remote
from analysis.rendering.edition import MANIFEST, Edition, parse_edition
from analysis.rendering.index_page import leading_page

POINTER, DOOR = "current.txt", "current.html"


def deliver_edition(folder: Path, address: str) -> int:
    """Put an edition where an address says, and show it there.

    Parameters
    ----------
    folder
        Of the published edition.
    address
        Of the folder of reports; see :mod:`analysis.remote`.

    Returns
    -------
    int
        How many pages travelled. A page that the edition shown there has as well is
        copied over there.

    Raises
    ------
    AnalysisError
        The other machine cannot be written; it shows what it showed before.
    """
    edition = parse_edition((folder / MANIFEST).read_bytes())
    with open_remote(address) as remote:
        shown = _shown(remote)
        if shown is not None and shown.name == edition.name:
            return 0
        sent = 0
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            parts = file.relative_to(folder).parts
            if file.name == MANIFEST:
                continue
            there = remote.path("editions", shown.name, *parts) if shown is not None else ""
            if parts[-1] in _same(edition, shown) and remote.files.exists(there):
                remote.copy(there, "editions", edition.name, *parts)
            else:
                remote.write(file.read_bytes(), "editions", edition.name, *parts)
                sent += 1
        remote.write((folder / MANIFEST).read_bytes(), "editions", edition.name, MANIFEST)
        remote.write(leading_page(f"editions/{edition.name}/index.html").encode(), DOOR)
        remote.write(f"{edition.name}\n".encode(), POINTER)
    return sent


def _shown(remote: RemoteFolder) -> Edition | None:
    name = remote.read(POINTER)
    if name is None:
        return None
    manifest = remote.read("editions", name.decode().strip(), MANIFEST)
    return parse_edition(manifest) if manifest is not None else None


def _same(edition: Edition, shown: Edition | None) -> set[str]:
    """Return the pages of both editions that were made from the same."""
    if shown is None:
        return set()
    before = {entry.file: entry.key for entry in shown.entries.values()}
    return {
        one.file for one in edition.entries.values() if one.file and before.get(one.file) == one.key
    }
