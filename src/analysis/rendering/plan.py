"""What a run has to do: which reports, why, and what is already there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from analysis.files import digest_of, safe_name
from analysis.language import open_language
from analysis.plans.files import plan_digest
from analysis.rendering.edition import Edition
from analysis.rendering.kinds import CLASSROOMS, PageKind
from analysis.rendering.staging import Made
from analysis.rendering.staleness import Key, page_key, shared_key, why_stale
from analysis.rendering.task import Limits, Task
from analysis.settings import PageParameters, Settings
from analysis.store.index import StoreIndex


@dataclass(frozen=True)
class Order:
    """What a run is asked for.

    Parameters
    ----------
    window
        Assessment window.
    page_ids
        Which pages; ``None``: all.
    force
        Make reports also when nothing changed.
    only_failed
        Only pages that failed the last time.
    recalibrate
        Calibrate on everybody first, however little has changed.
    kind
        Of the pages.
    """

    window: str
    page_ids: list[str] | None = None
    force: bool = False
    only_failed: bool = False
    recalibrate: bool = False
    kind: PageKind = CLASSROOMS


@dataclass
class Plan:
    """Each page is in one of ``tasks``, ``made``, ``unchanged``, ``without_evidence``.

    Parameters
    ----------
    tasks
        Pages to make.
    reasons
        Why, for each of them.
    made
        Pages that a stopped run has left and that are right.
    unchanged
        Those that are published and right.
    without_evidence
        Those there is nothing to report on.
    gone
        Those of the current edition that the store does not know any more.
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
        self.kind = order.kind
        self.notebook = (settings.notebooks / self.kind.notebook).resolve()
        self._shared = shared_key(index, order.window, self.notebook)

    def plan(self, name: str, made: dict[str, Made]) -> Plan:
        """Decide for each page whether it is to be made, and why.

        Parameters
        ----------
        name
            Of the edition to make.
        made
            What a stopped run has left.

        Raises
        ------
        UnknownError
            There is no such window or page.
        """
        known = set(self.kind.page_ids(self.index))
        plan = Plan(gone=[one for one in self.current.entries if one not in known])
        for page_id in self._wanted():
            if self.kind.rows_of(self.index, self.order.window, page_id)[1] == 0:
                plan.without_evidence.append(page_id)
                continue
            key = self._key(page_id)
            reasons = self._reasons(page_id, key)
            if not reasons:
                plan.unchanged.append(page_id)
            elif self._is_right(made.get(page_id), key):
                plan.made[page_id] = made[page_id]
            else:
                plan.reasons[page_id] = reasons
                plan.tasks[page_id] = self._task(page_id, key, name)
        self._adopt_others(plan, {one: page for one, page in made.items() if one in known})
        return plan

    def _wanted(self) -> list[str]:
        for page_id in self.order.page_ids or []:
            self.kind.check(self.index, page_id)
        wanted = self.order.page_ids or self.kind.page_ids(self.index)
        if self.order.only_failed:
            failed = {one for one, entry in self.current.entries.items() if entry.failed}
            return [one for one in wanted if one in failed]
        return wanted

    def _reasons(self, page_id: str, key: Key) -> list[str]:
        entry = self.current.entries.get(page_id)
        if entry is not None and entry.failed:
            return ["it failed the last time"]
        last = None
        if entry is not None and entry.file and self.pages and (self.pages / entry.file).is_file():
            last = entry.key
        reasons = why_stale(last, key)
        return reasons or (["asked for"] if self.order.force else [])

    def _is_right(self, made: Made | None, key: Key) -> bool:
        return made is not None and made.key == key and not self.order.force

    def _adopt_others(self, plan: Plan, made: dict[str, Made]) -> None:
        """Take pages of a stopped run that nobody asked for now; they are right as well."""
        seen = {*plan.tasks, *plan.made, *plan.unchanged, *plan.without_evidence}
        for page_id in sorted(set(made) - seen):
            if made[page_id].key == self._key(page_id):
                plan.made[page_id] = made[page_id]

    def _parameters(self, page_id: str) -> PageParameters:
        return self.kind.parameters_of(self.index, self.order.window, page_id, self.settings)

    def _key(self, page_id: str) -> Key:
        parameters = self._parameters(page_id)
        data = self.kind.data_digest(self.index, page_id, parameters)
        classrooms = self.kind.classroom_ids(self.index, page_id)
        windows = self.index.windows_until(self.order.window)
        plans = [plan_digest(self.index.folder, classrooms, window) for window in windows]
        return page_key(parameters, data, digest_of(*map(str.encode, plans)), self._shared)

    def _task(self, page_id: str, key: Key, name: str) -> Task:
        parameters = self._parameters(page_id)
        language = open_language(parameters.language)
        file, out = safe_name(page_id), self.kind.published_in(self.settings).resolve()
        return Task(
            notebook=self.notebook,
            page_id=page_id,
            title=self.kind.title(page_id, self.order.window, language),
            parameters=parameters,
            key=key,
            expected=self.kind.expected(self.index, page_id, parameters),
            executed=out / "runs" / name / f"{file}.ipynb",
            page=out / "editions" / f".making-{name}" / f"{file}.html",
            limits=Limits(
                cell_timeout=self.settings.cell_timeout,
                report_timeout=self.settings.report_timeout,
                memory=self.settings.report_memory,
            ),
            classroom_ids=tuple(self.kind.classroom_ids(self.index, page_id)),
            sheet_title=self.kind.sheet_title(language),
        )
