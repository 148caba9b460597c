"""Why something failed, in words that hold no student data: for log, summary and digest.

A message of ours may quote what stands in a file. It goes to ``details.txt``, which stays
private; what leaves the computer names the kind of trouble alone.
"""

from __future__ import annotations

import errno
import os
import traceback
from enum import StrEnum

from analysis.errors import AnalysisError, DataError, LockedError, StoppedError, UsageError
from analysis.language import mark


class Cause(StrEnum):
    """Kinds of trouble; the value is said in the log and, in its language, in the digest."""

    FULL = mark("the disk is full")
    FORBIDDEN = mark("a file or folder may not be opened")
    DISK = mark("a file or folder could not be read or written")
    LOCKED = mark("another command was at work")
    STOPPED = mark("the run was asked to stop")
    SETTINGS = mark("a setting in coach.toml asks for what cannot be")
    DATA = mark("the data are not what they must be")
    LEAK = mark("the audit found what must not be on a page")
    OTHER = mark("something else went wrong")


class AuditError(AnalysisError):
    """The audit found leaks; the edition was not published."""


_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_FULL_WORDS = tuple(os.strerror(one) for one in sorted(_FULL))


def cause_of(error: BaseException) -> Cause:
    """Return the kind of trouble an exception stands for.

    Examples
    --------
    >>> cause_of(OSError(errno.ENOSPC, "No space left on device")).value
    'the disk is full'
    """
    kinds = {
        StoppedError: Cause.STOPPED,
        LockedError: Cause.LOCKED,
        AuditError: Cause.LEAK,
        PermissionError: Cause.FORBIDDEN,
    }
    if is_full(error):
        return Cause.FULL
    for kind, cause in kinds.items():
        if isinstance(error, kind):
            return cause
    if isinstance(error, UsageError):
        return Cause.SETTINGS
    if isinstance(error, DataError):
        return Cause.DATA
    return Cause.DISK if isinstance(error, OSError) else Cause.OTHER


def is_full(error: BaseException) -> bool:
    """Whether there was no room, also where another error says so in its words."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return says_full(str(error))


def says_full(text: str) -> bool:
    """Whether a message says that there was no room."""
    return any(words in text for words in _FULL_WORDS)


def exit_code_of(error: BaseException) -> int:
    """Return what an exception adds to a run's exit code."""
    return error.exit_code if isinstance(error, AnalysisError) else 1


def tell(error: BaseException) -> str:
    """Return the whole of an error, for the private details alone."""
    if isinstance(error, AnalysisError):
        return str(error)
    return "".join(traceback.format_exception(error))


GRAVEST_FIRST = (5, 2, 4, 3, 1)
"""Exit codes: stopped; settings to mend; another command at work; bad data; some failed."""


def gravest(codes: list[int]) -> int:
    """Return the gravest of some exit codes.

    Examples
    --------
    >>> gravest([0, 1, 3]), gravest([])
    (3, 0)
    """
    return next((code for code in GRAVEST_FIRST if code in codes), 0)


_REASONS = {
    "the file is empty": mark("it is empty"),
    " fields, the header has ": mark("it is damaged or was cut short"),
    "damaged": mark("it is damaged or was cut short"),
    "protected by a password": mark("it is protected by a password"),
    "neither a window nor dates": mark("it names no assessment window and no dates"),
    "changed while it was read": mark("it was still being copied"),
    "cannot be opened by the account": mark("it may not be opened"),
    "no header of a known export": mark("its columns are not those of a known export"),
    "compressed file": mark("it is no table"),
    "not a table": mark("it is no table"),
    "without a table": mark("it is no table"),
    "holds no table": mark("it is no table"),
}
_OTHER_REASON = mark("something in it cannot be used")


def reason_of(message: str) -> str:
    """Return why a file was refused, without a word of what is in it.

    Examples
    --------
    >>> reason_of("scores.xlsx: the file is damaged or was cut.")
    'it is damaged or was cut short'
    >>> reason_of("scores.csv, row 6: score 8500 is over 100")
    'something in it cannot be used'
    """
    # What stands after the first line may be the file's own words.
    first = message.split("\n", 1)[0]
    return next((said for words, said in _REASONS.items() if words in first), _OTHER_REASON)
