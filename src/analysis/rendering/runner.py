"""Many classrooms' reports: what is stale is made, in parallel; one failure stops no other."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import nbformat

from analysis.district import open_calibration
from analysis.errors import UnknownError, UsageError
from analysis.files import locked, safe_name
from analysis.rendering.edition import (
    Edition,
    Entry,
    new_name,
    publish,
    read_current,
    remove_unfinished,
    staging_folder,
)
from analysis.rendering.execution import Limits
from analysis.rendering.parameters import check_declared
from analysis.rendering.pool import make_in_pool
from analysis.rendering.proof import Proof
from analysis.rendering.report import Task
from analysis.rendering.staleness import Key, report_key, why_stale
from analysis.settings import ReportParameters, Settings, check_parameters
from analysis.store import Store

NOTEBOOK = "classroom_report.ipynb"


@dataclass
class RunSummary:
    """What a run did, without student data."""

    window: str
    index: str | None = None
    edition: str | None = None
    rendered: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    without_evidence: list[str] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)


def render_reports(
    store: Store,
    settings: Settings,
    *,
    window: str,
    classroom_ids: list[str] | None = None,
    force: bool = False,
    on_plan: Callable[[int], None] = lambda n: None,
    on_done: Callable[[str], None] = lambda classroom_id: None,
) -> RunSummary:
    """Make the reports that are missing or no longer right, and publish an edition.

    Parameters
    ----------
    store
        Where the data are.
    settings
        Where the notebooks are and where to publish; group sizes; workers; time limit.
    window
        Assessment window.
    classroom_ids
        Which classrooms; ``None``: all with evidence in the window.
    force
        Make them also when nothing changed.
    on_plan, on_done
        Called with the number of reports to make, and after each with its classroom.

    Returns
    -------
    RunSummary
        A failed classroom is named in it and keeps its last good report.

    Raises
    ------
    DataError
        There is no such window or classroom, or nothing to calibrate on.
    UsageError
        The notebook does not declare what a report is made from.
    LockedError
        Another run is publishing here.
    """
    if window not in store.windows:
        raise UnknownError.of("window", window, store.windows, str(store.folder))
    known = store.classroom_ids
    for classroom_id in classroom_ids or []:
        if classroom_id not in known:
            raise UnknownError.of("classroom", classroom_id, known, str(store.folder))
    with locked(settings.out, "making reports"):
        remove_unfinished(settings.out)
        open_calibration(store, window)
        run = _Run(store, settings, window)
        run.plan(classroom_ids or known, force=force)
        on_plan(len(run.tasks))
        if run.tasks or run.lists_changed:
            run.make(on_done)
            run.publish()
        return run.summary


class _Run:
    """One run: its plan, its outcome."""

    def __init__(self, store: Store, settings: Settings, window: str):
        self.store = store
        self.settings = settings
        self.name = new_name()
        self.notebook = (settings.notebooks / NOTEBOOK).resolve()
        self.summary = RunSummary(window)
        self.tasks: dict[str, Task] = {}
        self.keys: dict[str, Key] = {}
        current = read_current(settings.out)
        # Another window's edition has other reports: nothing of it is carried over.
        self.current = current if current and current.window == window else Edition("", window)
        if self.current.name:
            self.summary.edition = self.current.name
            self.summary.index = str(settings.out / "current" / "index.html")

    @property
    def lists_changed(self) -> bool:
        """Whether the index would name other classrooms than it does."""
        listed = {c for c, entry in self.current.entries.items() if entry.file is None}
        return not set(self.summary.without_evidence) <= listed

    def plan(self, classroom_ids: list[str], *, force: bool) -> None:
        """Decide for each classroom whether its report is to be made, and why."""
        for classroom_id in classroom_ids:
            if self.summary.window not in self.store.windows_of(classroom_id):
                self.summary.without_evidence.append(classroom_id)
                continue
            parameters = self._parameters(classroom_id)
            key = report_key(parameters, self.store, self.notebook)
            made = self.current.entries.get(classroom_id)
            good = made is not None and made.file is not None and made.problem is None
            reasons = why_stale(made.key if good else None, key)
            if reasons or force:
                self.summary.reasons[classroom_id] = reasons or ["asked for"]
                self.keys[classroom_id] = key
                self.tasks[classroom_id] = self._task(parameters)
            else:
                self.summary.unchanged.append(classroom_id)
        if self.tasks:
            self._check_notebook()

    def make(self, on_done: Callable[[str], None]) -> None:
        """Make the planned reports in worker processes."""
        staging_folder(self.settings.out, self.name)
        workers = self.settings.workers or os.cpu_count() or 1
        for classroom_id, problem in make_in_pool(self.tasks, workers=workers):
            if problem is None:
                self.summary.rendered.append(classroom_id)
            else:
                self.summary.failed.append({"classroom_id": classroom_id, "problem": problem})
            on_done(classroom_id)

    def publish(self) -> None:
        """Publish what was made, with what is carried over."""
        problems = {one["classroom_id"]: one["problem"] for one in self.summary.failed}
        entries = dict(self.current.entries)
        for classroom_id in self.summary.rendered:
            page = self.tasks[classroom_id].page.name
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            entries[classroom_id] = self._entry(classroom_id, page, now, self.keys[classroom_id])
        for classroom_id in [*problems, *self.summary.without_evidence]:
            last = entries.get(classroom_id)
            problem = problems.get(classroom_id, "no evidence in this window")
            kept = (last.file, last.made_on, last.key) if last else (None, None, None)
            entries[classroom_id] = self._entry(classroom_id, *kept, problem=problem)
        staging_folder(self.settings.out, self.name)
        publish(self.settings.out, Edition(self.name, self.summary.window, entries))
        self.summary.edition = self.name
        self.summary.index = str(self.settings.out / "current" / "index.html")

    def _parameters(self, classroom_id: str) -> ReportParameters:
        return check_parameters(
            {
                "classroom_id": classroom_id,
                "window": self.summary.window,
                "data_dir": str(self.store.folder.resolve()),
                "min_size": self.settings.min_size,
                "max_size": self.settings.max_size,
                "n_groups": self.settings.n_groups,
                "language": self.settings.language,
            }
        )

    def _task(self, parameters: ReportParameters) -> Task:
        name = safe_name(parameters.classroom_id)
        out = self.settings.out.resolve()
        roster = self.store.read_roster(parameters.classroom_id)
        evidence = self.store.read_evidence(parameters.window, parameters.classroom_id)
        expected = Proof(
            classroom_id=parameters.classroom_id,
            window=parameters.window,
            n_students=len(roster),
            n_evidence=len(evidence),
            digest=self.store.digest(parameters.window, parameters.classroom_id),
        )
        return Task(
            notebook=self.notebook,
            parameters=parameters,
            expected=expected,
            executed=out / "runs" / self.name / f"{name}.ipynb",
            page=out / "editions" / f".making-{self.name}" / f"{name}.html",
            limits=Limits(
                cell_timeout=self.settings.cell_timeout,
                report_timeout=self.settings.report_timeout,
                memory=self.settings.report_memory,
            ),
        )

    def _entry(
        self,
        classroom_id: str,
        file: str | None,
        made_on: str | None,
        key: Key | None,
        problem: str | None = None,
    ) -> Entry:
        roster = self.store.read_roster(classroom_id)
        about = {
            column: next(iter(roster[column].dropna()), None)
            for column in ("teacher", "school", "grade")
        }
        return Entry(classroom_id, file, made_on, key, problem=problem, **about)

    def _check_notebook(self) -> None:
        if not self.notebook.is_file():
            raise UsageError(
                f"{self.notebook} is not there.\n"
                "Run the command in the project's folder, or set notebooks in coach.toml."
            )
        notebook = nbformat.read(self.notebook, as_version=4)
        check_declared(notebook, ReportParameters.model_fields, self.notebook.name)
