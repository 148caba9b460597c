"""Opening a classroom: where its data are, and what was asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

from analysis.classroom.parts import Classroom
from analysis.district import import_exports
from analysis.errors import UnknownError
from analysis.grouping import GroupRules
from analysis.language import open_language
from analysis.plans import read_plan
from analysis.settings import check_parameters
from analysis.store import Store

EXPORTS = {".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".json", ".zip"}
"""Endings of files that may be exports."""


def open_classroom(
    classroom_id: str,
    *,
    window: str,
    data_dir: str | Path = "data",
    min_size: int = 3,
    max_size: int = 6,
    n_groups: int | None = None,
    language: str = "en",
) -> Classroom:
    """Open one classroom for one window.

    Parameters
    ----------
    classroom_id
        As in the roster.
    window
        Assessment window.
    data_dir
        A store, or a folder of exports: then its store is in ``store`` inside it, made
        when it is missing or older than the exports.
    min_size, max_size
        Bounds on the students of a group; the teacher's plan, where it names some, comes first.
    n_groups
        How many groups; ``None`` leaves it to the method, or to the plan.
    language
        Of what is shown: ``en`` or ``es``.

    Returns
    -------
    Classroom

    Raises
    ------
    UsageError
        A parameter is out of range.
    DataError
        There is no such classroom, window or language, the folder holds no data, or the
        classroom's plan (:mod:`analysis.plans`) cannot be read.
    """
    parameters = check_parameters(
        {
            "classroom_id": classroom_id,
            "window": window,
            "data_dir": str(data_dir),
            "min_size": min_size,
            "max_size": max_size,
            "n_groups": n_groups,
            "language": language,
        }
    )
    store = open_store(Path(data_dir))
    if classroom_id not in store.classroom_ids:
        raise UnknownError.of("classroom", classroom_id, store.classroom_ids, str(data_dir))
    if window not in store.windows:
        raise UnknownError.of("window", window, store.windows, str(data_dir))
    rules = GroupRules(
        min_size=parameters.min_size, max_size=parameters.max_size, n_groups=parameters.n_groups
    )
    history = read_plan(store.folder, classroom_id, window)
    return Classroom(store, classroom_id, window, rules, open_language(language), history)


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
