"""The readers, in the order in which they are asked whether a header is theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from analysis.exports import (
    canvas,
    declared,
    forms,
    frameworks,
    gradebooks,
    oneroster,
    reference,
    scanned,
    screeners,
    tidy,
    voice,
    wide,
)
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
    own
        One of our own forms, typed by hand: rows that end early are refused.
    coded
        The reader takes the coded columns of a large file as they are.
    can_be_cut
        Tells from a header's names whether rows mean the same wherever they stand, so that
        a large file may be read in blocks.
    """

    key: str
    name: str
    recognises: Callable[[list[str]], bool]
    read: Callable[[Table, Context], Reading]
    first: int = 9
    preamble: bool = False
    own: bool = False
    coded: bool = False
    can_be_cut: Callable[[list[str]], bool] = lambda names: False


def _declare(key: str, given: Mapping[str, Any]) -> Platform:
    entry = dict(given)
    return Platform(
        key, entry["name"], partial(declared.recognise, entry), partial(declared.read, entry)
    )


def list_platforms(own: Mapping[str, Any] | None = None) -> list[Platform]:
    """Return the readers in their order; a platform declared in a column map goes first."""
    return PLATFORMS if own is None else [_declare("map", own), *PLATFORMS]


PLATFORMS: list[Platform] = [
    Platform(
        "canvas-gradebook", "Canvas gradebook", canvas.recognise_gradebook, canvas.read_gradebook
    ),
    Platform(
        "canvas-mastery", "Canvas Learning Mastery", canvas.recognise_mastery, canvas.read_mastery
    ),
    Platform(
        "canvas-outcomes", "Canvas Outcome Results", canvas.recognise_outcomes, canvas.read_outcomes
    ),
    Platform("canvas-quiz", "Canvas quiz analysis", canvas.recognise_quiz, canvas.read_quiz),
    Platform("microsoft-forms", "Microsoft Forms", forms.recognise_microsoft, forms.read_microsoft),
    Platform("google-forms", "Google Forms", forms.recognise_google, forms.read_google),
    Platform("illuminate", "Illuminate", scanned.recognise_illuminate, scanned.read_illuminate),
    Platform("zipgrade", "ZipGrade", scanned.recognise_zipgrade, scanned.read_zipgrade),
    Platform(
        "powerteacher",
        "PowerTeacher",
        gradebooks.recognise_powerteacher,
        gradebooks.read_powerteacher,
        preamble=True,
    ),
    Platform(
        "moodle-quiz", "Moodle quiz", gradebooks.recognise_moodle_quiz, gradebooks.read_moodle_quiz
    ),
    Platform(
        "moodle-gradebook",
        "Moodle gradebook",
        gradebooks.recognise_moodle_gradebook,
        gradebooks.read_moodle_gradebook,
    ),
    Platform("nwea-map", "NWEA MAP Growth", screeners.recognise_map, screeners.read_map),
    Platform("star", "Renaissance Star", screeners.recognise_star, screeners.read_star),
    *(_declare(key, entry) for key, entry in declared.declarations().items()),
    Platform("oneroster", "OneRoster", oneroster.recognise, oneroster.read, 0),
    Platform(
        "case-associations",
        "CASE associations",
        frameworks.recognise_associations,
        frameworks.read_associations,
        1,
    ),
    Platform("case", "CASE framework", frameworks.recognise_items, frameworks.read_items, 1),
    Platform(
        "case-document", "CASE document", frameworks.recognise_document, frameworks.read_nothing, 1
    ),
    Platform(
        "moodle-competencies",
        "Moodle competencies",
        frameworks.recognise_moodle,
        frameworks.read_moodle,
        1,
    ),
    Platform(
        "coherence-map",
        "Coherence Map standards",
        frameworks.recognise_coherence,
        frameworks.read_coherence,
        1,
    ),
    Platform(
        "prerequisites",
        "prerequisites",
        frameworks.recognise_prerequisites,
        frameworks.read_prerequisites,
        1,
    ),
    Platform(
        "related", "related standards", frameworks.recognise_related, frameworks.read_nothing, 1
    ),
    Platform("voice", voice.NAME, voice.recognise, voice.read),
    Platform("roster", "roster", reference.recognise_roster, reference.read_roster, 0, own=True),
    Platform(
        "tidy",
        "tidy table",
        tidy.recognise,
        tidy.read,
        own=True,
        coded=True,
        can_be_cut=tidy.can_be_cut,
    ),
    Platform("items", "items", reference.recognise_items, reference.read_items, 2, own=True),
    Platform("skills", "skills", reference.recognise_skills, reference.read_skills, 1, own=True),
    Platform(
        "q-matrix", "Q-matrix", reference.recognise_q_matrix, reference.read_q_matrix, 2, own=True
    ),
    Platform("tracker", "spreadsheet tracker", wide.recognise, wide.read, own=True),
]
"""Known exports first, own forms after them, the spreadsheet tracker last."""
