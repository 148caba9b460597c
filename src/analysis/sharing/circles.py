"""Whom pages are shared with; of itself, so that the command line need load no table."""

from __future__ import annotations

from enum import StrEnum


class Circle(StrEnum):
    """Whom pages are shared with."""

    TEACHERS = "teachers"
    COACH = "coach"
    FAMILIES = "families"
