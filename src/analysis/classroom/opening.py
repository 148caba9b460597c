"""Opening a classroom: where its data are, and what was asked for."""

from __future__ import annotations

from pathlib import Path

from analysis.classroom.looks import Classroom
from analysis.coaching import CYCLE_WEEKS
from analysis.district import open_store
from analysis.errors import UnknownError
from analysis.grouping import GroupRules
from analysis.language import open_language
from analysis.plans import read_plan
from analysis.settings import ReportParameters, check_parameters
from analysis.store import Store
from analysis.voice import find_partners


def open_classroom(
    classroom_id: str,
    *,
    window: str,
    data_dir: str | Path = "data",
    min_size: int = 3,
    max_size: int = 6,
    n_groups: int | None = None,
    use_wishes: bool = False,
    language: str = "en",
    cycle_weeks: int = CYCLE_WEEKS,
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
    use_wishes
        Whether it counts a little whom students say they work well with.
    language
        Of what is shown: ``en`` or ``es``.
    cycle_weeks
        Weeks until the groups are formed anew, 1 to 12.

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

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from analysis.simulation import simulate_district, write_district
    >>> with TemporaryDirectory() as folder:
    ...     exports = write_district(simulate_district(2), folder)
    ...     classroom = open_classroom("demo-3a", window="2026-EOY", data_dir=folder)
    ...     groups = [(group.size, group.focus_name) for group in classroom.profiles]
    >>> groups[0]
    (6, 'Subtract two-digit numbers with regrouping')
    """
    parameters = check_parameters(
        {
            "classroom_id": classroom_id,
            "window": window,
            "data_dir": str(data_dir),
            "min_size": min_size,
            "max_size": max_size,
            "n_groups": n_groups,
            "use_wishes": use_wishes,
            "language": language,
            "cycle_weeks": cycle_weeks,
        },
        model=ReportParameters,
    )
    store = open_store(Path(data_dir))
    if classroom_id not in store.classroom_ids:
        raise UnknownError.of("classroom", classroom_id, store.classroom_ids, str(data_dir))
    if window not in store.windows:
        raise UnknownError.of("window", window, store.windows, str(data_dir))
    rules = GroupRules(
        min_size=parameters.min_size,
        max_size=parameters.max_size,
        n_groups=parameters.n_groups,
        wishes=_wishes(store, classroom_id) if parameters.use_wishes else (),
    )
    return Classroom(
        store,
        classroom_id,
        window,
        rules,
        open_language(language),
        read_plan(store.folder, classroom_id, window),
        cycle_weeks=parameters.cycle_weeks,
    )


def _wishes(store: Store, classroom_id: str) -> list[tuple[str, str]]:
    """Return pairs of classmates of whom one says to work well with the other."""
    partners = find_partners(store.read_voice(classroom_id), store.read_roster(classroom_id))
    return sorted({tuple(sorted(pair)) for pair in partners.itertuples(index=False)})
