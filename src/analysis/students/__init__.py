"""The door of ``student_page``: each learner's own page, and the letter to the family."""

from __future__ import annotations

from analysis.students.pages import Sheet, StudentPages, open_students

__all__ = ["Sheet", "StudentPages", "open_students"]
