"""A workbook's sheets together: which hold classrooms, which are read, which are left out."""

from __future__ import annotations

import pandas as pd

from analysis.exports.header import Recognised
from analysis.exports.table import Sheet


def sheets_as_classrooms(found: list[Recognised]) -> list[Recognised]:
    """Take the sheets' names as classrooms where a workbook has a tracker a classroom."""
    trackers = [
        known
        for known in found
        if known.platform.key == "tracker" and known.table.role("student_id") is not None
    ]
    if len(trackers) < 2 or any(known.table.role("classroom_id") is not None for known in found):
        return found
    named = []
    for known in found:
        if known in trackers:
            table = known.table
            rooms = pd.Series(table.findings.sheet, index=table.cells.index, dtype="str")
            table = table.put(len(table.names), rooms, "Classroom")
            table.findings.note("no column with the classroom: the sheet's name is taken as it.")
            known = Recognised(table, known.platform)
        named.append(known)
    return named


def leave_odd_sheets(found: list[Recognised]) -> tuple[list[Recognised], list[Sheet]]:
    """Leave out a workbook's sheets without ids and classrooms where another sheet has them."""

    def placed(known: Recognised) -> bool:
        own = known.platform.key != "tracker"
        return own or (known.table.role("classroom_id") is not None)

    if len(found) < 2 or not any(placed(known) for known in found):
        return found, []
    return [k for k in found if placed(k)], [k.table.sheet for k in found if not placed(k)]


def note_sheets(found: list[Recognised], unread: list[Sheet]) -> None:
    """Name the sheets that were read and those that hold no table."""
    named = [known.table.findings.sheet for known in found if known.table.findings.sheet]
    other = [sheet.sheet or sheet.file for sheet in unread]
    if not named and not other:
        return
    said = f"sheets read: {', '.join(named)}" if named else "read"
    said += f"; without a table of students and not read: {', '.join(other)}." if other else "."
    found[0].table.findings.note(said)
