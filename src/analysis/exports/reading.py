"""What passes between the parts of an import: what is known before, what one table gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from analysis.exports.findings import Findings
from analysis.tables import EVIDENCE, ITEMS, ROSTER, SKILLS, VOICE, empty_table

OBSERVATION_COLUMNS = [
    "row",
    "student_id",
    "classroom_id",
    "item_id",
    "skill_id",
    "window",
    "source",
    "observation_id",
    "kind",
    "points",
    "points_possible",
    "score",
    "score_se",
    "cut",
    "level",
    "scale",
    "observed_on",
    "attempt",
]
"""Columns of what a reader returns, one row an observation.

Either ``item_id`` (its skills follow from the Q-matrix) or ``skill_id`` is filled; ``row``
is the sheet row it came from; ``classroom_id``, ``window``, ``source`` may be missing.
"""

_NUMBERS = {"points", "points_possible", "score", "score_se", "cut", "attempt"}


@cache
def no_rows(name: str) -> pd.DataFrame:
    """Return an empty table of a contract's name; nobody changes it."""
    contracts = {
        "roster": ROSTER, "skills": SKILLS, "items": ITEMS, "evidence": EVIDENCE, "voice": VOICE,
    }  # fmt: skip
    return empty_table(contracts[name])


@dataclass(frozen=True)
class Known:
    """The tables a store already holds; each may be empty."""

    roster: pd.DataFrame = field(default_factory=lambda: no_rows("roster"))
    skills: pd.DataFrame = field(default_factory=lambda: no_rows("skills"))
    items: pd.DataFrame = field(default_factory=lambda: no_rows("items"))


@dataclass(frozen=True)
class Context:
    """What a reader may rely on.

    Attributes
    ----------
    roster, skills, items
        Everything known before this table is read: the store and the files read first.
    item_map
        ``item_id, skill_id, points_possible, answer`` of an item-level export.
    roles
        A column map's answers, column name -> role, for a file nobody recognises.
    keep
        Roster columns to keep for the coach alone, by name.
    """

    roster: pd.DataFrame
    skills: pd.DataFrame
    items: pd.DataFrame
    item_map: pd.DataFrame | None = None
    roles: dict[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()


@dataclass
class Reading:
    """What one table gave.

    Attributes
    ----------
    platform
        What the file was recognised as, in words.
    rows
        The sheet rows that were read; each ends up used or set aside.
    observations
        Columns of :data:`OBSERVATION_COLUMNS`.
    roster, skills, items
        What the table says of students, skills and items, or None.
    people
        ``student_id, display_name`` of students without a classroom.
    raw
        A table that means something beside others alone, and its name (OneRoster).
    voice
        A table of :data:`analysis.tables.VOICE`: what students say of themselves.
    links
        ``origin, kind, destination`` between skills: ``child of``, ``precedes``.
    source
        Name of the assessment, where it is not the file's.
    vendor
        The platform names classrooms its own way: a known roster goes before.
    coach_only
        A table of :data:`analysis.tables.COACH_ONLY`: what was asked to be kept.
    """

    platform: str
    findings: Findings
    rows: np.ndarray
    observations: pd.DataFrame | None = None
    roster: pd.DataFrame | None = None
    skills: pd.DataFrame | None = None
    items: pd.DataFrame | None = None
    item_map: pd.DataFrame | None = None
    people: pd.DataFrame | None = None
    raw: tuple[str, pd.DataFrame] | None = None
    links: pd.DataFrame | None = None
    voice: pd.DataFrame | None = None
    source: str | None = None
    vendor: bool = True
    coach_only: pd.DataFrame | None = None


def build_observations(index: pd.Index, **columns: Any) -> pd.DataFrame:
    """Return observations with the given columns; the others are missing.

    Parameters
    ----------
    index
        Sheet row numbers, one per observation.
    columns
        Series aligned with ``index``, arrays of its length, or single values.
    """
    frame: dict[str, Any] = {"row": np.asarray(index)}
    for name in OBSERVATION_COLUMNS[1:]:
        value = columns.get(name)
        value = value.array if isinstance(value, pd.Series) else value
        if value is None:
            value = _missing(name, len(index))
        elif isinstance(value, str):
            value = pd.Categorical.from_codes(
                np.zeros(len(index), dtype="int8"), pd.Index([value], dtype="str")
            )
        frame[name] = value
    return pd.DataFrame(frame, copy=False)


def _missing(name: str, n: int) -> np.ndarray | pd.Categorical:
    # One missing value seen n times: a column of them need not be written to memory.
    if name == "observed_on":
        return np.broadcast_to(np.datetime64("NaT", "ns"), n)
    if name in _NUMBERS:
        return np.broadcast_to(np.nan, n)
    return pd.Categorical.from_codes(np.full(n, -1, dtype="int8"), pd.Index([], dtype="str"))
