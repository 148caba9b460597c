"""The edition being made, before anybody can see it; what a stopped run left in it.

::

    editions/.making-<name>/<page>.html
    editions/.making-<name>/made/<page>.json    what that page was made from, written last

A run that finds such a folder goes on with it: a page whose record says that it was made
from what is there now is not made again.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis.files import digest_of, make_private_folder, write_json
from analysis.rendering.edition import new_name, sheet_folder
from analysis.rendering.staleness import Key

MAKING = ".making-"
RECORDS = "made"


@dataclass(frozen=True)
class Made:
    """The record of one page.

    Parameters
    ----------
    page_id
        Whose page it is.
    file
        Its name.
    made_on
        UTC time.
    key
        What it was made from.
    digest
        Of the page.
    """

    page_id: str
    file: str
    made_on: str
    key: Key
    digest: str


class Staging:
    """The folder of an unfinished edition.

    Parameters
    ----------
    out
        Where editions are published. The caller holds its lock.
    """

    def __init__(self, out: Path):
        self.out = out
        left = sorted((out / "editions").glob(f"{MAKING}*"))
        # Only the newest can be gone on with; a run never leaves two.
        self.orphans = left[:-1]
        self.name = left[-1].name.removeprefix(MAKING) if left else new_name()

    @property
    def folder(self) -> Path:
        """Where the pages are made."""
        return self.out / "editions" / f"{MAKING}{self.name}"

    def prepare(self) -> int:
        """Make the folder, remove older ones; return how many were removed."""
        for orphan in self.orphans:
            shutil.rmtree(orphan)
        make_private_folder(self.folder)
        return len(self.orphans)

    def made(self) -> dict[str, Made]:
        """Return the whole pages that are there, by their ids."""
        found = {}
        for file in sorted((self.folder / RECORDS).glob("*.json")):
            record = Made(**json.loads(file.read_text(encoding="utf-8")))
            page = self.folder / record.file
            if page.is_file() and digest_of(page.read_bytes()) == record.digest:
                found[record.page_id] = record
        return found

    def finish(self, kept: set[str]) -> Path:
        """Leave nothing in the folder but these pages and their sheets; return the folder."""
        shutil.rmtree(self.folder / RECORDS, ignore_errors=True)
        folders = {sheet_folder(Path(name)).name for name in kept}
        for file in self.folder.iterdir():
            if file.is_dir() and file.name not in folders:
                shutil.rmtree(file)
            elif file.is_file() and file.name not in kept:
                file.unlink()
        return self.folder

    def discard(self) -> int:
        """Remove what stopped runs left, nothing of which is needed; return how many."""
        left = [*self.orphans, *([self.folder] if self.folder.is_dir() else [])]
        for folder in left:
            shutil.rmtree(folder)
        return len(left)


def write_record(page: Path, record: Made) -> None:
    """Write down what a page was made from, after the page is there."""
    write_json(page.parent / RECORDS / f"{page.stem}.json", asdict(record))
