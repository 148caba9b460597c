"""Who changed group since the pages before, and whose data are missing: counts, no names.

::

    reports/runs/nights/groups/<classroom>.json   private: the skill each student's group works
                                                  on, as on the page that is shown
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from analysis.classroom.handing import open_as_published
from analysis.files import natural_key, safe_name, write_json
from analysis.rendering.edition import Edition, current_folder, read_edition
from analysis.settings import Settings
from analysis.store import StoreIndex

MOST_COMPARED = 500
"""Classrooms with new pages up to which groups are compared: forming the groups once more
takes 0.15 to 0.28 CPU seconds a classroom (six of the demo district's, 18 to 23 students), so
these about two minutes; and nobody reads a list of a thousand."""


@dataclass(frozen=True)
class Moved:
    """Students of one classroom who work on another skill than before.

    Parameters
    ----------
    classroom_id
        Which classroom.
    n_moved, n_students
        Of those who were on both pages.
    """

    classroom_id: str
    n_moved: int
    n_students: int


@dataclass(frozen=True)
class Compared:
    """What came of comparing.

    Parameters
    ----------
    moved
        Classrooms in which anybody changed group.
    n_compared
        Classrooms whose new page could be compared with the one before.
    is_whole
        Whether all new pages were looked at.
    """

    moved: list[Moved] = field(default_factory=list)
    n_compared: int = 0
    is_whole: bool = True


@dataclass(frozen=True)
class Missing:
    """Students of one classroom without any evidence in a window."""

    classroom_id: str
    n_missing: int
    n_students: int

    @property
    def is_all(self) -> bool:
        """Whether there is nothing of the whole classroom."""
        return self.n_missing == self.n_students


def compare_groups(settings: Settings, folder: Path) -> Compared | None:
    """Compare the groups of pages that are shown with those of the pages before.

    Parameters
    ----------
    settings
        Where the store and the pages are.
    folder
        Where what was shown is remembered.

    Returns
    -------
    Compared or None
        ``None``: no page has changed since the last time.
    """
    edition = read_edition(current_folder(settings.out))
    if edition is None:
        return None
    changed = [one for one in _shown(edition) if _key_of(folder, one) != edition.entries[one].key]
    if not changed:
        return None
    moved, n_compared = [], 0
    for classroom_id in changed[:MOST_COMPARED]:
        before = _read(folder, classroom_id)
        now = _focus_of(settings, classroom_id, edition.window)
        _write(folder, classroom_id, edition, now)
        if "focus" not in before:
            continue
        n_compared += 1
        both = before["focus"].keys() & now.keys()
        n_moved = sum(before["focus"][one] != now[one] for one in both)
        if n_moved:
            moved.append(Moved(classroom_id, n_moved, len(both)))
    return Compared(moved, n_compared, len(changed) <= MOST_COMPARED)


def find_missing(index: StoreIndex, window: str) -> list[Missing]:
    """Return the classrooms in which students have no evidence in a window.

    Only ids are read. Classrooms without any come first, then in natural order.

    Raises
    ------
    DataError
        The store has no such window.
    """
    index.windows_until(window)
    found = []
    for classroom_id in index.classroom_ids:
        everybody = _students(index.folder / index.roster_part(classroom_id).file)
        part = index.evidence_part(classroom_id, window)
        heard = _students(index.folder / part.file) if part else set()
        if silent := everybody - heard:
            found.append(Missing(classroom_id, len(silent), len(everybody)))
    return sorted(found, key=lambda one: (not one.is_all, natural_key(one.classroom_id)))


def _students(file: Path) -> set[str]:
    return set(pq.read_table(file, columns=["student_id"])["student_id"].unique().to_pylist())


def _shown(edition: Edition) -> list[str]:
    return [one for one, entry in edition.entries.items() if entry.file]


def _focus_of(settings: Settings, classroom_id: str, window: str) -> dict[str, str | None]:
    groups = open_as_published(settings, classroom_id, window).grouping.groups
    skills = groups["focus_skill_id"].astype(object).where(groups["focus_skill_id"].notna(), None)
    return dict(zip(groups["student_id"], pd.Series(skills), strict=True))


def _key_of(folder: Path, classroom_id: str) -> dict[str, Any] | None:
    return _read(folder, classroom_id).get("key")


def _read(folder: Path, classroom_id: str) -> dict[str, Any]:
    try:
        told = json.loads(_file(folder, classroom_id).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(
    folder: Path, classroom_id: str, edition: Edition, focus: Mapping[str, str | None]
) -> None:
    told = {"window": edition.window, "key": edition.entries[classroom_id].key, "focus": focus}
    write_json(_file(folder, classroom_id), told)


def _file(folder: Path, classroom_id: str) -> Path:
    return folder / "groups" / f"{safe_name(classroom_id)}.json"
