"""Columns of a roster that are kept on request, for the coach alone.

Supports, demographics and years of teaching are dropped unless the coach names them. They
never enter the roster: a report's process reads that, and must not be able to show them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.errors import UsageError
from analysis.exports.coded import as_texts
from analysis.exports.names import is_sensitive, key_name
from analysis.exports.students import Students

KEY = ["student_id", "classroom_id"]


def check_keep(keep: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns to keep.

    Raises
    ------
    UsageError
        One of them is never stored, whoever asks.

    Examples
    --------
    >>> check_keep(["english_learner", " support_plan "])
    ('english_learner', 'support_plan')
    """
    names = tuple(dict.fromkeys(name.strip() for name in keep if name.strip()))
    never = [name for name in names if is_sensitive(name)]
    if never:
        raise UsageError(
            f"{', '.join(never)}: such columns are never stored.\n"
            "Take them out of what is to be kept."
        )
    return names


def find_kept(names: Sequence[str], keep: Sequence[str], taken: set[int]) -> dict[str, int]:
    """Return the places of the columns to keep, by the names they were asked for by.

    Examples
    --------
    >>> find_kept(["Student ID", "English Learner"], ["english_learner"], {0})
    {'english_learner': 1}
    """
    keys = {key_name(name): place for place, name in enumerate(names) if place not in taken}
    return {name: keys[key_name(name)] for name in keep if key_name(name) in keys}


def take_kept(students: Students, kept: dict[str, int]) -> pd.DataFrame:
    """Return the kept columns, one row a student and classroom, as text."""
    own = students.frame[KEY].assign(
        **{name: students.table.text(place) for name, place in kept.items()}
    )
    own = own[own["classroom_id"].notna()].apply(as_texts)
    return own.drop_duplicates(KEY, ignore_index=True)
