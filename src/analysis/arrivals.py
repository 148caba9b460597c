"""What an export holds, before anything is stored: the door of ``01_check_export``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.exports import Import, read_exports
from analysis.rendering.blocks import Block, render_block

FEW_ITEMS = 3
"""Items below which a skill tells little: one slip or lucky guess turns it round."""

MOST_ROWS = 40
"""Rows of a table to look at; the rest are counted."""


def open_arrivals(*paths: str | Path, window: str | None = None) -> Arrivals:
    """Read exports and store nothing.

    Parameters
    ----------
    *paths
        Files and folders.
    window
        Assessment window of files that name none.

    Returns
    -------
    Arrivals

    Raises
    ------
    DataError
        Nothing in the files could be used.

    Examples
    --------
    >>> arrivals = open_arrivals("data/demo/roster.csv")
    >>> arrivals.imported.roster["classroom_id"].nunique()
    20
    """
    return Arrivals(read_exports([Path(path) for path in paths], window=window))


class Arrivals:
    """What was read from exports; made by :func:`open_arrivals`.

    Parameters
    ----------
    imported
        What :func:`analysis.exports.read_exports` returned.
    """

    def __init__(self, imported: Import):
        self.imported = imported

    @cached_property
    def answers(self) -> pd.DataFrame:
        """One row an answer, with its student's classroom where the roster tells it."""
        homes = self.imported.roster[["student_id", "classroom_id"]]
        answers = self.imported.evidence.drop(columns="classroom_id", errors="ignore")
        return answers.merge(homes, on="student_id", how="left")

    def show_files(self) -> Block:
        """Show what each file is, and the balance of its rows."""
        files = self.imported.summary()["files"]
        rows = [
            (f["file"], f["platform"], f["rows_read"], f["rows_used"], len(f["rows_set_aside"]))
            for f in files
        ]
        columns = ["File", "Recognised as", "Rows read", "Used", "Set aside"]
        return _table("Files", columns, rows, "No file was read.")

    def show_set_aside(self) -> Block:
        """List the rows that were set aside, and how to mend them."""
        rows = [
            (aside["file"], aside["row"], aside["reason"], aside["mend"])
            for aside in self.imported.summary()["rows_set_aside"]
        ]
        return _table(
            "Rows set aside", ["File", "Row", "Why", "Mend"], rows, "None: all were used."
        )

    def show_notes(self) -> Block:
        """List what was understood in a way worth knowing."""
        notes = [(note,) for note in self.imported.summary()["notes"]]
        return _table("Notes", ["Note"], notes, "Nothing to note.")

    def show_classrooms(self) -> Block:
        """Show students with answers by classroom and window."""
        students = self.imported.roster.groupby("classroom_id")["student_id"].nunique()
        seen = self.answers.groupby(["classroom_id", "window"])["student_id"].nunique()
        wide = seen.unstack(fill_value=0).reindex(students.index, fill_value=0)
        rows = [(one, students[one], *wide.loc[one]) for one in students.index]
        columns = ["Classroom", "Students", *[f"With answers, {window}" for window in wide.columns]]
        return _table("Students with answers", columns, rows, "No classroom is known.")

    def show_silent(self) -> Block:
        """List students without any answer."""
        heard = set(self.imported.evidence["student_id"])
        silent = self.imported.roster[~self.imported.roster["student_id"].isin(heard)]
        rows = silent[["student_id", "classroom_id"]].itertuples(index=False)
        return _table(
            "Students without an answer", ["Student", "Classroom"], rows, "Every student has some."
        )

    def show_thin_skills(self) -> Block:
        """List skills with few items in a window."""
        items = self.imported.evidence.groupby(["skill_id", "window"])["observation_id"].nunique()
        few = items[items < FEW_ITEMS].reset_index()
        return _table(
            f"Skills with fewer than {FEW_ITEMS} items",
            ["Skill", "Window", "Items"],
            few.itertuples(index=False),
            f"Every skill has {FEW_ITEMS} items or more.",
        )


def _table(caption: str, columns: list[str], rows: Iterable[tuple[Any, ...]], empty: str) -> Block:
    rows = list(rows)
    if len(rows) > MOST_ROWS:
        caption = f"{caption} (the first {MOST_ROWS} of {len(rows):,})"
    return render_block(
        "table", caption=caption, columns=columns, rows=rows[:MOST_ROWS], empty=empty
    )
