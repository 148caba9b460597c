"""i-Ready's placements beside the student's grade, where an export leaves the relative ones out."""

from __future__ import annotations

import re

import pandas as pd

from analysis.scales import read_scale

_GRADE = re.compile(r"\b(K|\d{1,2})\b", re.IGNORECASE)


def place_by_grade(placements: pd.Series, grades: pd.Series) -> pd.Series:
    """Return the relative placement a placement means for a student's grade.

    ``Grade 2`` is two grades below for a fourth grader; ``Early 4`` is early on grade level,
    ``Mid 4``, ``Late 4`` and any higher grade are mid or above. Missing where either is not told.

    Examples
    --------
    >>> placements = pd.Series(["Grade 2", "Early 4", "Late 4"])
    >>> place_by_grade(placements, pd.Series(["4", "4", "4"])).tolist()
    ['2 Grade Levels Below', 'Early On Grade Level', 'Mid or Above Grade Level']
    """
    levels = read_scale("iready").levels

    def place(placement: object, grade: object) -> str | None:
        placed, enrolled = _read_grade(placement), _read_grade(grade)
        if placed is None or enrolled is None:
            return None
        below = enrolled - placed
        if below > 0:
            return levels[max(0, 3 - below)]
        early = below == 0 and str(placement).casefold().startswith(("early", "emerging"))
        return levels[3] if early else levels[4]

    found = [place(*pair) for pair in zip(placements, grades, strict=True)]
    return pd.Series(found, index=placements.index, dtype="str")


def _read_grade(text: object) -> int | None:
    match = _GRADE.search(text) if isinstance(text, str) else None
    if match is None:
        return None
    return 0 if match.group(1).upper() == "K" else int(match.group(1))
