"""What a run has to do: which reports, why, and what is already there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from analysis.errors import UnknownError
from analysis.files import safe_name
from analysis.rendering.edition import Edition
from analysis.rendering.staging import Made
from analysis.rendering.staleness import Key, report_key, shared_key, why_stale
from analysis.rendering.task import Limits, Task
from analysis.settings import ReportParameters, Settings, check_parameters
from analysis.store.index import StoreIndex

NOTEBOOK = "classroom_report.ipynb"


@dataclass(frozen=True)
class Order:
    """What a run is asked for.

    Parameters
    ----------
    window
        Assessment window.
    classroom_ids
        Which classrooms; ``None``: all.
    force
        Make reports also when nothing changed.
    only_failed
        Only classrooms whose report failed the last time.
    recalibrate
        Calibrate on everybody first, however little has changed.
    """

    window: str
    classroom_ids: list[str] | None = None
    force: bool = False
    only_failed: bool = False
    recalibrate: bool = False


@dataclass
class Plan:
    """Each classroom is in one of ``tasks``, ``made``, ``unchanged``, ``without_evidence``.

    Parameters
    ----------
    tasks
        Reports to make.
    reasons
        Why, for each of them.
    made
        Pages that a stopped run has left and that are right.
    unchanged
        Classrooms whose published page is right.
    without_evidence
        Classrooms there is nothing to report on.
    gone
        Classrooms of the current edition that the store does not know any more.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    without_evidence: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Planner:
    """Plans a run.

    Parameters
    ----------
    index
        Of the store.
    settings
        Group sizes, limits, folders.
    order
        What the run is asked for.
    current
        The edition that is shown, if it is of the same window.
    pages
        Its folder, or none.
    """

    def __init__(
        self,
        index: StoreIndex,
        settings: Settings,
        order: Order,
        current: Edition,
        pages: Path | None,
    ):
        self.index = index
        self.settings = settings
        self.order = order
        self.current = current
        self.pages = pages
        self.notebook = (settings.notebooks / NOTEBOOK).resolve()
        self._shared = shared_key(index, order.window, self.notebook)
        self._data_dir = str(index.folder.resolve())

    def plan(self, name: str, made: dict[str, Made]) -> Plan:
        """Decide for each classroom whether its report is to be made, and why.

        Parameters
        ----------
        name
            Of the edition to make.
        made
            What a stopped run has left.

        Raises
        ------
        UnknownError
            There is no such window or classroom.
        """
        known = set(self.index.classroom_ids)
        plan = Plan(gone=[one for one in self.current.entries if one not in known])
        for classroom_id in self._wanted():
            if self.index.evidence_part(classroom_id, self.order.window) is None:
                plan.without_evidence.append(classroom_id)
                continue
            parameters = self._parameters(classroom_id)
            key = report_key(parameters, self.index, self._shared)
            reasons = self._reasons(classroom_id, key)
            if not reasons:
                plan.unchanged.append(classroom_id)
            elif self._is_right(made.get(classroom_id), key):
                plan.made[classroom_id] = made[classroom_id]
            else:
                plan.reasons[classroom_id] = reasons
                plan.tasks[classroom_id] = self._task(parameters, key, name)
        self._adopt_others(plan, {one: page for one, page in made.items() if one in known})
        return plan

    def _wanted(self) -> list[str]:
        known = self.index.classroom_ids
        for classroom_id in self.order.classroom_ids or []:
            if classroom_id not in known:
                raise UnknownError.of("classroom", classroom_id, known, str(self.index.folder))
        wanted = self.order.classroom_ids or known
        if self.order.only_failed:
            failed = {one for one, entry in self.current.entries.items() if entry.failed}
            return [one for one in wanted if one in failed]
        return wanted

    def _reasons(self, classroom_id: str, key: Key) -> list[str]:
        entry = self.current.entries.get(classroom_id)
        if entry is not None and entry.failed:
            return ["it failed the last time"]
        there = entry is not None and entry.file and (self.pages / entry.file).is_file()
        reasons = why_stale(entry.key if there else None, key)
        return reasons or (["asked for"] if self.order.force else [])

    def _is_right(self, made: Made | None, key: Key) -> bool:
        return made is not None and made.key == key and not self.order.force

    def _adopt_others(self, plan: Plan, made: dict[str, Made]) -> None:
        """Take pages of a stopped run that nobody asked for now; they are right as well."""
        seen = {*plan.tasks, *plan.made, *plan.unchanged, *plan.without_evidence}
        for classroom_id in sorted(set(made) - seen):
            key = report_key(self._parameters(classroom_id), self.index, self._shared)
            if made[classroom_id].key == key:
                plan.made[classroom_id] = made[classroom_id]

    def _parameters(self, classroom_id: str) -> ReportParameters:
        return check_parameters(
            {
                "classroom_id": classroom_id,
                "window": self.order.window,
                "data_dir": self._data_dir,
                "min_size": self.settings.min_size,
                "max_size": self.settings.max_size,
                "n_groups": self.settings.n_groups,
                "language": self.settings.language,
            }
        )

    def _task(self, parameters: ReportParameters, key: Key, name: str) -> Task:
        from analysis.rendering.proof import Proof

        classroom_id, window = parameters.classroom_id, parameters.window
        file, out = safe_name(classroom_id), self.settings.out.resolve()
        return Task(
            notebook=self.notebook,
            parameters=parameters,
            key=key,
            expected=Proof(
                classroom_id=classroom_id,
                window=window,
                n_students=self.index.roster_part(classroom_id).rows,
                n_evidence=self.index.evidence_part(classroom_id, window).rows,
                digest=self.index.digest(window, classroom_id),
                language=parameters.language,
            ),
            executed=out / "runs" / name / f"{file}.ipynb",
            page=out / "editions" / f".making-{name}" / f"{file}.html",
            limits=Limits(
                cell_timeout=self.settings.cell_timeout,
                report_timeout=self.settings.report_timeout,
                memory=self.settings.report_memory,
            ),
        )
