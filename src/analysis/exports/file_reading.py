"""What became of one table of one file, for the summary of an import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FileReading:
    """What became of one table of one file.

    Attributes
    ----------
    file, sheet
        Its name without the folder; the sheet of a workbook.
    platform
        What it was recognised as.
    rows_read, rows_used
        Counts; every row that was read and not used is in ``rows_set_aside``.
    """

    file: str
    sheet: str | None
    platform: str
    rows_read: int
    rows_set_aside: list[dict[str, Any]]
    notes: list[str]
    students: int
    skills: int

    @property
    def rows_used(self) -> int:
        """Rows that were read and not set aside."""
        return self.rows_read - len(self.rows_set_aside)

    def summary(self) -> dict[str, Any]:
        """Return the file's part of the summary."""
        return {
            "file": self.file,
            **({"sheet": self.sheet} if self.sheet else {}),
            "platform": self.platform,
            "rows_read": self.rows_read,
            "rows_used": self.rows_used,
            "rows_set_aside": self.rows_set_aside,
            "students": self.students,
            "skills": self.skills,
            "notes": self.notes,
        }
