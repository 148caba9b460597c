"""Collects observations column by column and builds them at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.exports.dates import read_dates
from analysis.exports.reading import OBSERVATION_COLUMNS, Reading, build_observations
from analysis.exports.students import Students

MEND = "Mend these in the file, or export it again, and import it."


def finish_reading(
    platform: str,
    rows: np.ndarray,
    students: Students,
    collector: Collector,
    skills: pd.DataFrame | None = None,
) -> Reading:
    """Return what was collected, or refuse the file for the faults that were found.

    Raises
    ------
    DataError
        Cells cannot be used; each is named by row and column.
    """
    findings = students.table.findings
    findings.refuse_faults(MEND)
    return Reading(
        platform,
        findings,
        rows,
        collector.build(),
        roster=students.roster,
        skills=skills,
        people=students.people,
    )


class Collector:
    """Observations of the students of a table.

    Parameters
    ----------
    students
        The student rows; each observation takes its student, classroom, window, source and
        date from its row.
    **given
        Columns that differ from the table's own: a Series aligned with the students' rows,
        or one value for all.

    Examples
    --------
    >>> Collector.add.__name__
    'add'
    """

    def __init__(self, students: Students, **given: Any):
        self.base = {
            "row": students.table.rows,
            "student_id": students.frame["student_id"],
            "classroom_id": students.frame["classroom_id"],
            "window": students.text("window"),
            "source": students.text("source"),
            "observed_on": read_dates(students.text("observed_on")),
        } | given
        self.n = len(students.table.cells)
        self.wheres: list[np.ndarray] = []
        self.values: list[dict[str, Any]] = []

    def add(self, where: np.ndarray, **values: Any) -> None:
        """Add one observation for each row where ``where`` is true.

        Values are arrays or Series over all rows, or one value for all of them.
        """
        where = np.flatnonzero(where)
        if len(where):
            self.wheres.append(where)
            self.values.append(values)

    def build(self) -> pd.DataFrame:
        """Return all observations, in the order in which they were added."""
        if not self.wheres:
            return build_observations(pd.Index([]))
        taken = np.concatenate(self.wheres)
        columns = {name: self._taken(value, taken) for name, value in self.base.items()}
        own = {name for values in self.values for name in values}
        columns |= {name: self._joined(name) for name in own}
        rows = columns.pop("row")
        known = {name: value for name, value in columns.items() if name in OBSERVATION_COLUMNS}
        return build_observations(pd.Index(rows), **known)

    def _taken(self, value: Any, taken: np.ndarray) -> Any:
        if isinstance(value, pd.Series):
            return value.array.take(taken)
        if isinstance(value, np.ndarray):
            return value[taken]
        return value

    def _joined(self, name: str) -> Any:
        parts = [values.get(name) for values in self.values]
        counts = [len(where) for where in self.wheres]
        if all(part is None or isinstance(part, (str, float, int)) for part in parts):
            numeric = any(isinstance(part, (float, int)) for part in parts)
            codes, unique = pd.factorize(pd.Series(parts, dtype="float64" if numeric else "str"))
            dtype = "float64" if numeric else "str"
            whole = pd.Series([*unique, None], dtype=dtype).array
            return whole.take(np.repeat(np.where(codes < 0, len(unique), codes), counts))
        pieces = []
        for part, where in zip(parts, self.wheres, strict=True):
            if isinstance(part, pd.Series):
                pieces.append(part.iloc[where])
            elif isinstance(part, np.ndarray):
                pieces.append(pd.Series(part[where]))
            else:
                pieces.append(pd.Series([part] * len(where)))
        return pd.concat([piece for piece in pieces if len(piece)], ignore_index=True).array
