"""The readers, in the order in which they are asked whether a header is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.exports import reference, tidy, wide
from analysis.exports.reading import Context, Reading
from analysis.exports.table import Table


@dataclass(frozen=True)
class Platform:
    """One kind of file.

    Attributes
    ----------
    key
        Its short name, as ``--platform`` takes it.
    name
        Its name in words, as the summary says it.
    recognises
        Tells from a line's cells whether it is this platform's header.
    read
        Returns what the table says.
    preamble
        Lines above the header belong to the format.
    first
        Reference files are read before the others.
    """

    key: str
    name: str
    recognises: Callable[[list[str]], bool]
    read: Callable[[Table, Context], Reading]
    first: int = 9
    preamble: bool = False


PLATFORMS: list[Platform] = [
    Platform("roster", "roster", reference.recognise_roster, reference.read_roster, 0),
    Platform("tidy", "tidy table", tidy.recognise, tidy.read),
    Platform("items", "items", reference.recognise_items, reference.read_items, 2),
    Platform("skills", "skills", reference.recognise_skills, reference.read_skills, 1),
    Platform("q-matrix", "Q-matrix", reference.recognise_q_matrix, reference.read_q_matrix, 2),
    Platform("tracker", "spreadsheet tracker", wide.recognise, wide.read),
]
"""Known exports first, own forms after them, the spreadsheet tracker last."""
