"""What is in a store, and the digest of each part, without reading a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import DataError, UnknownError
from analysis.files import digest_of, natural_key, safe_name

FORMAT = 2
MARKER = "store.json"
COACH_ONLY_TABLE = "coach_only"
"""In no classroom's digest and no classroom's slice."""
NO_COACH = "all"
"""Stands for the coach where a roster names none: then all such classrooms are one caseload."""
ABOUT = ["teacher", "school", "grade"]
"""Columns of the roster that an index of reports shows."""


@dataclass(frozen=True)
class Part:
    """One table's file: its digest, which is also in its name, and its rows."""

    file: str
    digest: str
    rows: int


class StoreIndex:
    """What a store holds.

    Parameters
    ----------
    folder
        Where the store is, or will be once something is saved.

    Examples
    --------
    >>> StoreIndex(Path("nowhere")).exists
    False
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self._content: dict[str, Any] | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was saved here."""
        return (self.folder / MARKER).is_file()

    @property
    def is_current(self) -> bool:
        """Whether this version can read what was saved here."""
        return self.exists and self._read_marker().get("format") == FORMAT

    @property
    def saved_at(self) -> float:
        """When something was last saved here, in seconds since 1970."""
        return (self.folder / MARKER).stat().st_mtime

    @property
    def classroom_ids(self) -> list[str]:
        """Classrooms with a roster, in natural order."""
        return sorted(self._index["classrooms"], key=natural_key)

    @property
    def windows(self) -> list[str]:
        """Windows with evidence, in the order of their first observation, then by name."""
        return list(self._index["windows"])

    def windows_of(self, classroom_id: str) -> list[str]:
        """Return the windows in which this classroom has evidence."""
        evidence = self._classroom(classroom_id)["evidence"]
        return [window for window in self.windows if window in evidence]

    def windows_until(self, window: str) -> list[str]:
        """Return the windows up to this one, which a report of it may look back on."""
        self._check_window(window)
        return self.windows[: self.windows.index(window) + 1]

    def about(self, classroom_id: str) -> dict[str, str | None]:
        """Return the classroom's teacher, school and grade, missing where not known."""
        return dict(self._classroom(classroom_id)["about"])

    @property
    def coach_ids(self) -> list[str]:
        """Coaches of the classrooms, in natural order; ``all`` stands for those without one."""
        return sorted({self.coach_of(one) for one in self.classroom_ids}, key=natural_key)

    def coach_of(self, classroom_id: str) -> str:
        """Return the classroom's coach, or ``all`` where the roster names none."""
        return self._classroom(classroom_id).get("coach_id") or NO_COACH

    def classrooms_of(self, coach_id: str) -> list[str]:
        """Return the classrooms of one coach, in natural order."""
        return [one for one in self.classroom_ids if self.coach_of(one) == coach_id]

    def coach_only_digest(self) -> str:
        """Return the digest of what is kept for the coach alone; empty where nothing is."""
        part = self._index.get(COACH_ONLY_TABLE)
        return Part(*part).digest if part else ""

    def roster_part(self, classroom_id: str) -> Part:
        """Return the classroom's roster file."""
        return Part(*self._classroom(classroom_id)["roster"])

    def evidence_part(self, classroom_id: str, window: str) -> Part | None:
        """Return the classroom's evidence file of a window, or none."""
        part = self._classroom(classroom_id)["evidence"].get(window)
        return Part(*part) if part else None

    def voice_part(self, classroom_id: str) -> Part | None:
        """Return the classroom's file of what its students say, or none."""
        part = self._classroom(classroom_id).get("voice")
        return Part(*part) if part else None

    def framework_digest(self) -> str:
        """Return a digest of skills and items; it changes when, and only when, they do."""
        parts = sorted(self._index["framework"].items())
        return digest_of(*(part[1].encode() for _, part in parts))

    def digest(self, window: str, classroom_ids: Iterable[str] | None = None) -> str:
        """Return a digest of what a report of these classrooms reads; ``None``: of all.

        It changes when, and only when, a row of the roster, of the evidence up to this
        window, of what the students say of themselves, or of the framework changes.
        """
        wanted = self.classroom_ids if classroom_ids is None else classroom_ids
        windows = self.windows_until(window)
        parts = [self.framework_digest()]
        for one in wanted:
            parts.append(self.roster_part(one).digest)
            known = [self.evidence_part(one, each) for each in windows]
            parts += [part.digest if part else "" for part in known]
            said = self.voice_part(one)
            parts += [said.digest] if said else []
        return digest_of(*(part.encode() for part in parts))

    def only(self, classroom_ids: Iterable[str]) -> dict[str, Any]:
        """Return the index as if there were no other classrooms than these.

        Without what is kept for the coach alone.
        """
        own = {"classrooms": {one: self._classroom(one) for one in classroom_ids}}
        return {k: v for k, v in self._index.items() if k != COACH_ONLY_TABLE} | own

    @property
    def content(self) -> dict[str, Any]:
        """The whole index: tables by what they are of. It is not to be changed."""
        return self._index

    def forget_content(self) -> None:
        """Read the index anew the next time; something else has changed it."""
        self._content = None

    # -- reading ------------------------------------------------------------------------

    @property
    def _index(self) -> dict[str, Any]:
        if self._content is None:
            self._content = self._read_index()
        return self._content

    def _read_index(self) -> dict[str, Any]:
        if not self.exists:
            raise DataError(
                f"{self.folder} holds no store yet.\n"
                f"Import exports first: coach import FOLDER --store {self.folder}"
            )
        index = self._read_marker()
        if index.get("format") != FORMAT:
            raise DataError(
                f"{self.folder} was written by another version (format {index.get('format')}).\n"
                "Delete the folder and import the exports again."
            )
        return index | {"windows": dict(index["windows"])}

    def _read_marker(self) -> dict[str, Any]:
        marker: dict[str, Any] = json.loads((self.folder / MARKER).read_text(encoding="utf-8"))
        return marker

    def _classroom(self, classroom_id: str) -> dict[str, Any]:
        if classroom_id not in self._index["classrooms"]:
            raise UnknownError.of("classroom", classroom_id, self.classroom_ids, str(self.folder))
        classroom: dict[str, Any] = self._index["classrooms"][classroom_id]
        return classroom

    def _check_window(self, window: str) -> None:
        if window not in self._index["windows"]:
            raise UnknownError.of("window", window, self.windows, str(self.folder))


def empty_index() -> dict[str, Any]:
    """Return the index of a store in which nothing is saved yet."""
    return {"format": FORMAT, "framework": {}, "classrooms": {}, "windows": {}}


def files_of(index: dict[str, Any]) -> set[str]:
    """Return the names of all files that an index puts in force."""
    files = {part[0] for part in index["framework"].values()}
    if index.get(COACH_ONLY_TABLE):
        files.add(index[COACH_ONLY_TABLE][0])
    for classroom in index["classrooms"].values():
        files.add(classroom["roster"][0])
        files |= {part[0] for part in classroom["evidence"].values()}
        files |= {classroom["voice"][0]} if classroom.get("voice") else set()
    return files


def file_name(*place: str, digest: str) -> str:
    """Return the name of a table's file: where it belongs, and what is in it.

    Examples
    --------
    >>> file_name("roster", "7A", digest="0123456789abcdef")
    'roster/7a-dedba776.0123456789ab.parquet'
    """
    *folders, last = place
    safe = [folders[0], *map(safe_name, folders[1:]), safe_name(last)] if folders else [last]
    return "/".join(safe) + f".{digest[:12]}.parquet"


def renamed(file: str, *, digest: str) -> str:
    """Return the name of a file of the same place that holds something else.

    Examples
    --------
    >>> renamed("roster/7a-dedba776.0123456789ab.parquet", digest="abcdef0123456789")
    'roster/7a-dedba776.abcdef012345.parquet'
    """
    place = file.removesuffix(".parquet").rpartition(".")[0]
    return f"{place}.{digest[:12]}.parquet"
