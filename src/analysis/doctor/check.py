"""What one look at the computer found, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How grave a finding is."""

    GOOD = "good"
    LOOK = "look"
    """Reports are made, but something is not as it should be."""
    MEND = "mend"
    """Reports are not made, or somebody else could read them."""


@dataclass(frozen=True)
class Check:
    """What one look found.

    Parameters
    ----------
    name
        What was looked at.
    state
        How grave it is.
    says
        What was found, in a sentence; never a student's name, id or answer.
    mend
        What to do; empty where all is well.
    """

    name: str
    state: State
    says: str
    mend: str = ""


def good(name: str, says: str) -> Check:
    """Return that all is well."""
    return Check(name, State.GOOD, says)


def look(name: str, says: str, mend: str) -> Check:
    """Return what somebody should look at."""
    return Check(name, State.LOOK, says, mend)


def must_mend(name: str, says: str, mend: str) -> Check:
    """Return what must be mended."""
    return Check(name, State.MEND, says, mend)
