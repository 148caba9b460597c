"""The door a notebook opens: one classroom in one window, from its data to its report."""

from __future__ import annotations

from analysis.classroom.looks import Classroom
from analysis.classroom.opening import open_classroom

__all__ = ["Classroom", "open_classroom"]
