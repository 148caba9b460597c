"""Many pages: what is stale is made, in parallel; one failure stops no other."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import UsageError
from analysis.files import locked, natural_key
from analysis.rendering.calibrating import Standing, calibrate_where_due
from analysis.rendering.edition import (
    MANIFEST,
    Edition,
    Entry,
    current_folder,
    read_edition,
)
from analysis.rendering.parameters import check_declared
from analysis.rendering.plan import Order, Plan, Planner
from analysis.rendering.publishing import publish, remove_editions
from analysis.rendering.staging import Staging
from analysis.rendering.task import Task
from analysis.rendering.warmth import KernelServer
from analysis.settings import Settings
from analysis.store.calibrations import calibrations_in_force, hold_calibrations
from analysis.store.index import StoreIndex

if TYPE_CHECKING:
    from analysis.rendering.strangers import Strangers

SECONDS_EACH = 1.5
"""What a report takes on one core of an ordinary computer, until a run has measured it."""

BEHIND = 10
"""How much later than others a thread's turn comes that is not waited for yet (``nice``)."""


@dataclass
class RunSummary:
    """What a run did, or would do, without student data."""

    window: str
    index: str | None = None
    edition: str | None = None
    rendered: list[str] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    without_evidence: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    calibration: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed_editions: list[str] = field(default_factory=list)
    removed_orphans: int = 0
    estimated_seconds: float = 0.0
    seconds: float = 0.0


def render_reports(
    index: StoreIndex,
    settings: Settings,
    order: Order,
    *,
    on_plan: Callable[[RunSummary], None] = lambda summary: None,
    on_done: Callable[[str], None] = lambda page_id: None,
    approve: Callable[[Path], None] = lambda staging: None,
) -> RunSummary:
    """Make the reports that are missing or no longer right, and publish an edition.

    Parameters
    ----------
    index
        Of the store that holds the data.
    settings
        Where the notebooks are and where to publish; group sizes; workers; limits.
    order
        What is asked for.
    on_plan, on_done
        Called with what will be done, and after each page with its id.
    approve
        Called with the folder of the whole edition before it is published; raises to forbid it.

    Returns
    -------
    RunSummary
        A failed page is named in it and the last good one is kept.

    Raises
    ------
    DataError
        There is no such window or page, or nothing to calibrate on.
    UsageError
        The notebook does not declare what a report is made from.
    LockedError
        Another run is publishing here, or is at work with the store's calibration.
    AnalysisError
        The edition could not be published.
    """
    began = time.monotonic()
    index.windows_until(order.window)
    out = order.kind.published_in(settings)
    with locked(out, "making reports"), hold_calibrations(index), KernelServer() as kernels:
        if not settings.scheduler and _is_work_likely(index, order, out):
            # It goes on beside the plan.
            kernels.start(calibrations_in_force(index, index.windows_until(order.window)))
        calibration = calibrate_where_due(index, settings, order)
        run = _Run(index, settings, order, Staging(out))
        run.summary.calibration = calibration
        on_plan(run.summary)
        run.make(on_done, kernels)
        run.publish_if_changed(approve)
        run.summary.removed_editions = remove_editions(out, keep=settings.keep)
    run.summary.seconds = round(time.monotonic() - began, 2)
    return run.summary


def plan_reports(index: StoreIndex, settings: Settings, order: Order) -> RunSummary:
    """Return what :func:`render_reports` would do, and change nothing."""
    index.windows_until(order.window)
    run = _Run(index, settings, order, Staging(order.kind.published_in(settings)))
    for window in index.windows_until(order.window):
        now = Standing.of(index, window)
        due = now.is_off_by(settings.most_changed)
        run.summary.calibration[window] = now.told | {"due": due}
    return run.summary


class _Run:
    """One run: its plan, its outcome."""

    def __init__(self, index: StoreIndex, settings: Settings, order: Order, staging: Staging):
        self.index = index
        self.settings = settings
        self.order = order
        self.staging = staging
        self.out = staging.out
        pages = current_folder(self.out)
        current = read_edition(pages)
        # Another window's edition has other reports: nothing of it is carried over.
        if current is None or current.window != order.window:
            current = Edition("", order.window)
        self.current = current
        self.plan = Planner(index, settings, order, self.current, pages).plan(
            staging.name, staging.made()
        )
        self.summary = self._begin_summary()
        self.seconds_each = self.current.seconds_each

    def make(self, on_done: Callable[[str], None], kernels: KernelServer) -> None:
        """Make the planned reports in worker processes."""
        ready = self.staging.prepare if self._has_work else self.staging.discard
        self.summary.removed_orphans = ready()
        if not self.plan.tasks:
            return
        _check_notebook(next(iter(self.plan.tasks.values())))
        began = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            # Everybody is looked up while the workers start.
            everybody = beside.submit(self._look_up_everybody)
            for page_id, failure in _make_all(self.plan.tasks, self.settings, kernels):
                task = self.plan.tasks[page_id]
                problem = failure or _strangers_on(task, everybody.result())
                if problem is None:
                    self.summary.rendered.append(page_id)
                else:
                    self.summary.failed.append({"page_id": page_id, "problem": problem})
                on_done(page_id)
        self.summary.rendered.sort(key=natural_key)
        self.summary.failed.sort(key=lambda one: natural_key(one["page_id"]))
        self.seconds_each = (time.monotonic() - began) / len(self.plan.tasks)

    def _look_up_everybody(self) -> Strangers:
        _give_way()
        # Loaded when there are pages to check: a run that makes none need not wait for it.
        from analysis.rendering.strangers import Strangers
        from analysis.store.parts import read_people

        everybody = Strangers(read_people(self.index))
        # What publishing needs is loaded here too, before it is waited for.
        import_module("analysis.rendering.blocks")
        return everybody

    def publish_if_changed(self, approve: Callable[[Path], None]) -> None:
        """Publish what was made with what is carried over, if there is anything new."""
        if not self._has_work:
            return
        entries = {one: e for one, e in self.current.entries.items() if one not in self.plan.gone}
        made = self.staging.made()
        for page_id in [*self.summary.rendered, *self.summary.resumed]:
            page = made[page_id]
            entries[page_id] = self._entry(
                page_id, file=page.file, made_on=page.made_on, key=page.key
            )
        problems = {one["page_id"]: one["problem"] for one in self.summary.failed}
        nothing = dict.fromkeys(self.summary.without_evidence, "no evidence in this window")
        for page_id, problem in {**problems, **nothing}.items():
            last = entries.get(page_id) or Entry(page_id, None, None, None)
            entries[page_id] = self._entry(
                page_id, file=last.file, made_on=last.made_on, key=last.key,
                problem=problem, failed=page_id in problems,
            )  # fmt: skip
        edition = Edition(
            self.staging.name, self.order.window, entries, self.seconds_each, self.order.kind.name
        )
        new = {made[c].file for c in [*self.summary.rendered, *self.summary.resumed]}
        publish(self.out, edition, self.staging.finish(new), approve)
        self._tell_edition(edition.name)

    @property
    def _has_work(self) -> bool:
        """Whether there is a page to make or take over, or the index names others."""
        listed = {one for one, entry in self.current.entries.items() if entry.file is None}
        unlisted = set(self.plan.without_evidence) - listed
        return bool(self.plan.tasks or self.plan.made or self.plan.gone or unlisted)

    def _begin_summary(self) -> RunSummary:
        plan: Plan = self.plan
        workers = min(self.settings.n_workers, max(1, len(plan.tasks)))
        each = self.current.seconds_each or SECONDS_EACH / workers
        self.summary = RunSummary(
            window=self.order.window,
            resumed=list(plan.made),
            unchanged=plan.unchanged,
            without_evidence=plan.without_evidence,
            gone=plan.gone,
            planned=list(plan.tasks),
            reasons=plan.reasons,
            estimated_seconds=round(each * len(plan.tasks), 1),
        )
        if self.current.name:
            self._tell_edition(self.current.name)
        return self.summary

    def _tell_edition(self, name: str) -> None:
        link = self.out / "current"
        shown = link if link.is_symlink() else current_folder(self.out) or link
        self.summary.edition = name
        self.summary.index = str(shown / "index.html")

    def _entry(self, page_id: str, **what: Any) -> Entry:
        return Entry(page_id=page_id, **(self.order.kind.about(self.index, page_id) | what))


def _strangers_on(task: Task, everybody: Strangers) -> str | None:
    """Take back a page that shows a student not its own; return why, or None.

    Looked for here and not in the worker, which must not know any other classroom.
    """
    from analysis.rendering.proof import WrongPageError
    from analysis.rendering.strangers import texts_beside

    try:
        page = task.page.read_text("utf-8")
        # A worker of a cluster may bring back a page without its notebook.
        executed = task.executed.read_text("utf-8") if task.executed.is_file() else ""
        beside = texts_beside(executed, page) if executed else ""
        everybody.check(f"{page}\n{beside}", task.page_id, task.classroom_ids)
        if task.sheet_title:
            everybody.check_sheets(task.page, task.classroom_ids)
    except WrongPageError as error:
        task.page.unlink()
        shutil.rmtree(task.page.with_suffix(""), ignore_errors=True)
        return str(error)
    return None


def _give_way() -> None:
    """Let the processes that make reports go before this thread, which is waited for later."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND)


def _is_work_likely(index: StoreIndex, order: Order, out: Path) -> bool:
    """Guess, before anything is looked at, whether there are pages to make."""
    shown = current_folder(out)
    manifest = shown / MANIFEST if shown else None
    if order.force or manifest is None or not manifest.is_file():
        return True
    return index.saved_at > manifest.stat().st_mtime


def _make_all(
    tasks: dict[str, Task], settings: Settings, kernels: KernelServer
) -> Iterator[tuple[str, str | None]]:
    """Make reports where the settings say."""
    if settings.uses_cluster:
        from analysis.rendering.cluster import make_on_cluster

        return make_on_cluster(
            tasks, workers=settings.n_workers, kernels=kernels, scheduler=settings.scheduler
        )
    from analysis.rendering.pool import make_in_pool

    return make_in_pool(tasks, workers=settings.n_workers, kernels=kernels)


def _check_notebook(task: Task) -> None:
    if not task.notebook.is_file():
        raise UsageError(
            f"{task.notebook} is not there.\n"
            "Run the command in the project's folder, or set notebooks in coach.toml."
        )
    try:
        notebook = json.loads(task.notebook.read_bytes())
    except ValueError:
        raise UsageError(
            f"{task.notebook} is not a notebook.\nTake back what was changed in it."
        ) from None
    check_declared(notebook, type(task.parameters).model_fields, task.notebook.name)
