"""Opening a caseload: where its data are, and what was asked for."""

from __future__ import annotations

from pathlib import Path

from analysis.caseload.parts import Caseload
from analysis.district import open_store
from analysis.errors import UnknownError
from analysis.grouping import GroupRules
from analysis.language import open_language
from analysis.settings import CaseloadParameters, check_parameters


def open_caseload(
    coach_id: str | None = None,
    *,
    window: str,
    data_dir: str | Path = "data",
    visits: str | Path = "data/visits.csv",
    min_size: int = 3,
    max_size: int = 6,
    cycle_weeks: int = 4,
    smallest_cell: int = 10,
    language: str = "en",
) -> Caseload:
    """Open all classrooms of one coach for one window.

    Parameters
    ----------
    coach_id
        As in the roster; ``None``: the only one there is. ``all`` stands for classrooms
        without a coach.
    window
        Assessment window.
    data_dir
        A store, or a folder of exports.
    visits
        The coach's log; see :mod:`analysis.visits`. It need not be there.
    min_size, max_size
        Bounds on the students of a group, as in the classrooms' reports.
    cycle_weeks
        Weeks until groups are formed anew.
    smallest_cell
        Fewest students a figure about a subgroup may be about.
    language
        Of what is shown.

    Returns
    -------
    Caseload

    Raises
    ------
    UsageError
        A parameter is out of range.
    DataError
        There is no such coach, window or language, or the folder holds no data.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from analysis.simulation import simulate_district, write_district
    >>> with TemporaryDirectory() as folder:
    ...     exports = write_district(simulate_district(2), folder)
    ...     caseload = open_caseload("coach-01", window="2026-EOY", data_dir=folder)
    ...     caseload.priorities["classroom_id"].tolist()
    ['demo-3a', 'demo-4a']
    """
    store = open_store(Path(data_dir))
    coaches = store.coach_ids
    if coach_id is None and len(coaches) == 1:
        coach_id = coaches[0]
    if coach_id not in coaches:
        raise UnknownError.of("coach", str(coach_id), coaches, str(data_dir))
    if window not in store.windows:
        raise UnknownError.of("window", window, store.windows, str(data_dir))
    parameters = check_parameters(
        {
            "coach_id": coach_id,
            "window": window,
            "data_dir": str(data_dir),
            "visits": str(visits),
            "min_size": min_size,
            "max_size": max_size,
            "cycle_weeks": cycle_weeks,
            "smallest_cell": smallest_cell,
            "language": language,
        },
        model=CaseloadParameters,
    )
    rules = GroupRules(min_size=parameters.min_size, max_size=parameters.max_size)
    return Caseload(store, parameters, rules, open_language(language))
