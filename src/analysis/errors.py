"""What can go wrong, in words a coach can act on.

::

    AnalysisError            something a user can mend; shown without a traceback
    ├── UsageError     (2)   the command or the settings ask for what cannot be
    ├── DataError      (3)   a file or a table is not what it must be
    │   └── UnknownError     an id or a name that is not in the data
    ├── LockedError    (4)   another run holds the lock
    └── StoppedError   (5)   the run was asked to stop

The number is the exit code of the command line. Any other exception is our own bug
and keeps its traceback. Messages name ids, rows and columns, never a student's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MOST_FAULTS_SHOWN = 5
"""Faults listed in one message; the rest are counted."""


class AnalysisError(Exception):
    """Something a user can mend; JupyterLab shows its message alone.

    Examples
    --------
    >>> from analysis import open_classroom
    >>> try:
    ...     open_classroom("4a", window="fall", data_dir="no folder")
    ... except AnalysisError as error:
    ...     print(type(error).__name__, error.exit_code)
    DataError 3
    """

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """Give IPython one plain sentence in place of the traceback."""
        return [str(self)]


class UsageError(AnalysisError):
    """The command or the settings ask for something that cannot be done."""

    exit_code = 2


class DataError(AnalysisError, ValueError):
    """A file or a table is not what it must be."""

    exit_code = 3

    @classmethod
    def of_faults(cls, where: str, faults: Iterable[str], mend: str) -> DataError:
        """List at most five faults of one place together, and how to mend them."""
        return cls(f"{where}: {join_faults(faults)}\n{mend}")


class UnknownError(DataError):
    """An id or a name is not in the data; the nearest known ones are proposed."""

    @classmethod
    def of(cls, kind: str, value: str, known: Sequence[str], where: str) -> UnknownError:
        """Say that ``value`` is no ``kind`` of ``where`` and what it may have meant."""
        meant = get_close_matches(value, known, n=1, cutoff=0.6)
        hint = f" Did you mean {meant[0]!r}?" if meant else ""
        shown = ", ".join(sorted(known)[:MOST_FAULTS_SHOWN]) or "none"
        more = f" and {len(known) - MOST_FAULTS_SHOWN} more" if len(known) > 5 else ""
        return cls(f"{where} has no {kind} {value!r}.{hint} It has: {shown}{more}.")


class LockedError(AnalysisError):
    """Another run is at work on the same folder."""

    exit_code = 4


class StoppedError(AnalysisError):
    """The run was asked to stop and left everything whole."""

    exit_code = 5


def join_faults(faults: Iterable[str]) -> str:
    """Return at most five faults, one a line, and the count of the others.

    Examples
    --------
    >>> print(join_faults(["row 2: score 7 is over 5 points"]))
    row 2: score 7 is over 5 points
    """
    faults = list(faults)
    shown = "\n".join(faults[:MOST_FAULTS_SHOWN])
    left = len(faults) - MOST_FAULTS_SHOWN
    return f"{shown}\nand {left} more" if left > 0 else shown
