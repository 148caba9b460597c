"""What a leak scan finds: a kind of leak, where it is, and what to do; never what leaked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Leak(StrEnum):
    """Kinds of leaks; the value is said to the user."""

    STRANGER = "a student who does not belong here"
    FILE_NAME = "a student in a file name"
    PATH = "a path of a computer"
    ACCOUNT = "the name of an account or a computer"
    TRACEBACK = "a traceback"
    LOG = "a log line or a warning"
    NOTEBOOK = "notebook metadata"
    CODE = "code of a notebook"
    WIDGET = "a hidden widget"
    HIDDEN = "something hidden"
    CONTACT = "contact or identity data"
    SECRET = "a password or key"
    SCRIPT = "a script"
    REQUEST = "a request to somewhere else"
    FORM = "a form or an embedded page"
    NO_POLICY = "no content policy that forbids scripts and requests"
    FORMULA = "a cell that a spreadsheet would evaluate"
    SMALL_CELL = "a small cell"
    SOLVABLE_CELL = "a hidden cell that its total gives away"
    OPEN_FILE = "a file that others on this computer can read"
    CHANGED = "a file that is not what its manifest says"
    UNREADABLE = "a file that could not be looked into"


@dataclass(frozen=True, order=True)
class Finding:
    """One leak.

    Parameters
    ----------
    file
        Where; a file inside another is joined by ``!``. It is left out where it is the leak.
    leak
        Its kind.
    where
        In the file: an element, a cell, a line.
    """

    file: str
    leak: Leak
    where: str = ""

    def __str__(self) -> str:
        place = f", {self.where}" if self.where else ""
        return f"{self.file}: {self.leak.value}{place}"
