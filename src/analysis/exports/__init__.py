"""Read what coaches have: platform exports, spreadsheets, rosters, standards.

:func:`read_exports` opens files, folders and zips, recognises each table by its header,
reads it, and returns tables that meet the contracts of :mod:`analysis.tables` together with
an account of every row: rows read = rows used + rows set aside.

Our own forms, as CSV or workbook, names of columns compared without case and signs:

tidy
    One row a student and item or skill: ``student_id``, ``item_id`` and/or ``skill_id``,
    and ``points`` with ``points_possible``, or ``score`` (``score_se``, ``cut``), or ``level``
    with ``scale``; may have ``classroom_id``, ``window``, ``observed_on``, ``source``.
wide
    A row a student: ``student_id``, may have ``classroom_id``, ``window``, ``observed_on``;
    then a column an item of the Q-matrix, or without one a column a skill.
reference files
    ``roster.csv`` (``student_id``, ``classroom_id``), ``skills.csv`` (``skill_id``, ``name``),
    ``items.csv`` (``item_id``, ``skill_id``, ``points_possible``) or a Q-matrix of 0 and 1
    whose first column is ``item``.
"""

from analysis.exports.file_reading import FileReading
from analysis.exports.importing import Import, pass_on_exports, read_exports
from analysis.exports.reading import Known

__all__ = ["FileReading", "Import", "Known", "pass_on_exports", "read_exports"]
