"""What is done once for everybody: importing exports, and calibrating on all students.

One classroom of 20 students cannot tell a slip from a lucky guess; the whole district
can. The calibration holds items and skills only, so that a classroom's report may read
it without seeing another classroom's students.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.errors import DataError
from analysis.exports import Import, Known, read_exports
from analysis.files import locked, make_private_folder
from analysis.mastery import Calibration, calibrate
from analysis.skills import SkillFramework
from analysis.store import Store

RANDOM_STATE = 0


def import_exports(paths: Sequence[Path], store: Store, **how) -> Import:
    """Read exports and save what they hold in the store.

    Parameters
    ----------
    paths
        Files and folders.
    store
        Where to save; what it already knows (roster, skills, items) helps the reading.
    **how
        As in :func:`analysis.exports.read_exports`.

    Returns
    -------
    Import
        What was read, set aside and noted.

    Raises
    ------
    DataError
        Nothing could be used; the store is as it was.
    """
    known = Known(store.read_roster(), store.read_skills(), store.read_items()) if store.exists \
        else None  # fmt: skip
    imported = read_exports(paths, known=known, **how)
    store.save(
        roster=imported.roster,
        skills=imported.skills,
        items=imported.items,
        evidence=imported.evidence,
    )
    return imported


def open_framework(store: Store, language: str = "en") -> SkillFramework:
    """Return the store's skills as a framework, its texts in a language where it has them."""
    return SkillFramework(store.read_skills(), f"{store.folder}, skills").in_language(language)


def open_calibration(store: Store, window: str) -> Calibration:
    """Return the calibration of a window, made now if there is none for these data.

    Raises
    ------
    DataError
        The window has no evidence to calibrate on.
    """
    file = calibration_file(store, window)
    if not file.is_file():
        with locked(make_private_folder(file.parent), "calibrating"):
            if not file.is_file():
                _calibrate(store, window).save(file)
                _remove_older(file)
    return Calibration.load(file)


def calibration_file(store: Store, window: str) -> Path:
    """Return the calibration's file; its name carries the digest of the data behind it."""
    return store.calibration_file(window, store.digest(window)[:12])


def _remove_older(file: Path) -> None:
    window = file.name.split(".")[0]
    for other in file.parent.glob(f"{window}.*.json"):
        if other != file:
            other.unlink()


def _calibrate(store: Store, window: str) -> Calibration:
    evidence = store.read_evidence(window)
    if evidence.empty:
        raise DataError(f"{store.folder} has no evidence in window {window!r}.")
    edges = list(open_framework(store).graph.edges)
    return calibrate(
        evidence,
        store.read_roster(),
        prerequisites=edges,
        window=window,
        random_state=RANDOM_STATE,
    )
