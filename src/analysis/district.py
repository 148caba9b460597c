"""What is done once for everybody: importing exports, and calibrating on all students.

One classroom of 20 students cannot tell a slip from a lucky guess; the whole district
can. The calibration holds items and skills only, so that a classroom's report may read
it without seeing another classroom's students.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.crew import Crew, Here
from analysis.errors import DataError, LockedError
from analysis.files import safe_name
from analysis.grouping import Grouping, GroupRules, group_classroom, read_classroom
from analysis.grouping.evidence import Classroom
from analysis.mastery import (
    Answers,
    Calibration,
    Gathered,
    calibrate_gathered,
    draw_profiles,
    gather,
    measure_mastery,
    read_answers,
    read_levels,
)
from analysis.skills import SkillFramework
from analysis.store import Store
from analysis.store.calibrations import (
    MOST_CHANGED,
    InForce,
    calibration_in_force,
    calibration_is_due,
    calibration_path,
    hold_calibrations,
    method_digest,
    put_in_force,
)
from analysis.store.places import ROWS_A_PLACE, Place, list_places, read_place

if TYPE_CHECKING:
    from analysis.exports import Import, Known

RANDOM_STATE = 0
HERE = Here()
N_DRAWS = 200
"""Posterior draws behind a certainty: its standard error is then at most 0.035."""


SECONDS_TO_CALIBRATE = 60
"""Longest wait for a calibration that another run is making."""

SECONDS_BETWEEN_LOOKS = 0.2

EXPORTS = {".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".json", ".zip"}
"""Endings of files that may be exports."""


def open_store(data_dir: Path) -> Store:
    """Return the store in a folder; one beside exports is made anew when they are newer.

    Such a store holds nothing that is not in the exports, so one that another version
    wrote is made anew as well.
    """
    store = Store(data_dir)
    if store.exists:
        return store
    store = Store(data_dir / "store")
    exports = [file for file in data_dir.glob("*.*") if file.suffix.lower() in EXPORTS]
    newest = max((file.stat().st_mtime for file in exports), default=0)
    if exports and not (store.is_current and store.saved_at >= newest):
        shutil.rmtree(store.folder, ignore_errors=True)
        import_exports([data_dir], store)
    return store


def import_exports(paths: Sequence[Path], store: Store, **how: Any) -> Import:
    """Read exports and save what they hold in the store.

    Parameters
    ----------
    paths
        Files and folders.
    store
        Where to save; what it already knows (roster, skills, items) helps the reading.
    **how
        As in :func:`analysis.exports.pass_on_exports`.

    Returns
    -------
    Import
        What was read, set aside and noted; the evidence is in the store alone.

    Raises
    ------
    DataError
        Nothing could be used; the store is as it was.
    """
    # A report never reads exports, and need not wait for all their readers.
    from analysis.exports import pass_on_exports

    return pass_on_exports(paths, store.save, known=known_to(store), **how)


def known_to(store: Store) -> Known:
    """Return what a store already knows, which helps to read what comes."""
    from analysis.exports import Known

    if not store.exists:
        return Known()
    return Known(store.read_roster(), store.read_skills(), store.read_items())


def group_plainly(
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    calibration: Calibration,
    framework: SkillFramework,
    *,
    classroom_id: str,
    rules: GroupRules,
) -> tuple[pd.DataFrame, Grouping]:
    """Return a classroom's mastery and the groups that come out before a teacher changes them.

    Parameters
    ----------
    evidence, roster
        Of this classroom alone.
    calibration
        Of the window.
    framework
        The district's skills.
    classroom_id
        Which classroom.
    rules
        The teacher's rules.

    Returns
    -------
    mastery : pandas.DataFrame
        A table of :data:`analysis.tables.MASTERY`.
    grouping : Grouping
    """
    answers = read_answers(evidence, roster, calibration)
    mastery = measure_mastery(evidence, roster, calibration, answers=answers)
    grouping = group_classroom(
        read_for_groups(mastery, answers, evidence, roster, calibration, framework, classroom_id),
        classroom_id=classroom_id,
        window=calibration.window,
        rules=rules,
        supports_skill_groups=bool(calibration.supports_skill_groups),
        random_state=RANDOM_STATE,
    )
    return mastery, grouping


def read_for_groups(
    mastery: pd.DataFrame,
    answers: Answers,
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    calibration: Calibration,
    framework: SkillFramework,
    classroom_id: str,
) -> Classroom:
    """Return a classroom's evidence as groups are formed from it, whatever the rules.

    ``mastery``, ``answers``: what was measured and read of it already; the rest as in
    :func:`group_plainly`.
    """
    draws, levels = (
        read(
            evidence,
            roster,
            calibration,
            n_draws=N_DRAWS,
            random_state=RANDOM_STATE,
            answers=answers,
        )
        for read in (draw_profiles, read_levels)
    )
    return read_classroom(
        mastery,
        roster,
        classroom_id,
        calibration.window,
        prerequisites=list(framework.graph.edges),
        draws=draws,
        levels=levels,
        random_state=RANDOM_STATE,
    )


def open_framework(store: Store, language: str = "en") -> SkillFramework:
    """Return the store's skills as a framework, its texts in a language where it has them."""
    return SkillFramework(store.read_skills(), f"{store.folder}, skills").in_language(language)


def open_calibration(store: Store, window: str) -> Calibration:
    """Return the calibration of a window that is in force, renewed first if it is due.

    While another run holds it, because it makes reports with it, it stays as it is. One that
    is being made for the first time, or for a new version, is waited for.

    Raises
    ------
    DataError
        The window has no evidence to calibrate on.
        Or another version made the one in force, and after a minute none is made anew.
    LockedError
        There is none yet, and another run is still making it after a minute.
    """
    end = time.monotonic() + SECONDS_TO_CALIBRATE
    while True:
        try:
            with hold_calibrations(store):
                return Calibration.load(calibration_path(store, renew_calibration(store, window)))
        except LockedError:
            last = calibration_in_force(store, window)
            is_late = time.monotonic() > end
            if last is None and is_late:
                raise
            if last is not None and (is_late or last.method == method_digest()):
                return Calibration.load(calibration_path(store, last))
        time.sleep(SECONDS_BETWEEN_LOOKS)


def renew_calibration(
    store: Store,
    window: str,
    *,
    most_changed: float = MOST_CHANGED,
    always: bool = False,
    crew: Crew = HERE,
    address: str | None = None,
    shared_disk: bool = True,
) -> InForce:
    """Calibrate on everybody where that is due; return what is in force then.

    Parameters
    ----------
    store, window
        What to calibrate on. The caller holds
        :func:`analysis.store.calibrations.hold_calibrations`.
    most_changed
        Share of the evidence (0 to 1) that may have changed since the last time.
    always
        Calibrate whatever has changed.
    crew
        Who reads the evidence and works on it; the calibration is the same, bit for bit.
    address
        Where the crew finds the store, if not in its folder.
    shared_disk
        The crew can reach that; otherwise it is sent what it needs.

    Raises
    ------
    DataError
        The window has no evidence to calibrate on.
    """
    last = calibration_in_force(store, window)
    if last is not None and not always and not calibration_is_due(store, window, most_changed):
        return last
    made = store.folder / "calibration" / f".making-{safe_name(window)}.json"
    places = list_places(
        store, window, address=address, with_content=not shared_disk, most_rows=ROWS_A_PLACE
    )
    _calibrate(store, window, places, crew).save(made)
    return put_in_force(store, window, made)


def _calibrate(store: Store, window: str, places: list[Place], crew: Crew) -> Calibration:
    if not places:
        raise DataError(f"{store.folder} has no evidence in window {window!r}.")
    return calibrate_gathered(
        crew,
        crew.keep(_gather_place, places, window),
        prerequisites=list(open_framework(store).graph.edges),
        window=window,
        random_state=RANDOM_STATE,
    )


def _gather_place(place: Place, window: str) -> Gathered:
    """Read one place of a store; a worker does, wherever it is."""
    return gather(*read_place(place), window)
