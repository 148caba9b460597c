"""The door a notebook opens: one classroom in one window, from its data to its report."""

from __future__ import annotations

from analysis.classroom.opening import Classroom, open_classroom

__all__ = ["Classroom", "open_classroom"]
