"""Reports made on many machines: the same task, on a Dask cluster.

A task carries its notebook and its classrooms' slice of the store, and brings back the
page; so workers need this package installed and nothing else - no shared disk, no
database, and no other classroom's data.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from analysis.crew import RETRIES, open_cluster
from analysis.errors import AnalysisError
from analysis.files import write_whole
from analysis.plans.files import plan_file, read_contents
from analysis.rendering.pool import problem_of
from analysis.rendering.report import keep_page, render_page
from analysis.rendering.task import Task
from analysis.rendering.warmth import KernelServer, own_server
from analysis.store.index import StoreIndex
from analysis.store.slices import Slice, cut_slice, lay_slice

TASKS_A_WORKER = 2
"""Tasks under way for each worker: one at work and one waiting. More would only pile up
pages and slices in memory."""

Plans = dict[tuple[str, str], bytes]
"""Contents of plans by classroom and window."""


@dataclass(frozen=True)
class Answer:
    """What comes back from a worker: a page, or why there is none.

    Parameters
    ----------
    page
        The proven page.
    executed
        The executed notebook, where there is one.
    problem
        Why the report failed, in words without student data.
    """

    page: str | None = None
    executed: bytes | None = None
    problem: str | None = None


def make_on_cluster(
    tasks: Mapping[str, Task],
    *,
    workers: int,
    kernels: KernelServer,
    scheduler: str | None = None,
) -> Iterator[tuple[str, str | None]]:
    """Make reports on a Dask cluster; give each when it is done.

    Parameters
    ----------
    tasks
        What to make, by page.
    workers
        How many processes, where the cluster is started here.
    kernels
        Where their kernels come from, where the cluster is started here.
    scheduler
        Address of a running cluster; ``None``: one on this machine, for this run.

    Yields
    ------
    tuple of str and (str or None)
        The page, and why it failed. A worker that is lost loses no report:
        another one makes it.

    Raises
    ------
    UsageError
        Dask is not installed, or the scheduler does not answer.
    """
    # Workers elsewhere have servers of their own.
    server = "" if scheduler else kernels.address
    with open_cluster(workers, scheduler) as client:
        from distributed import as_completed

        threads = sum(client.nthreads().values())
        waiting = iter(tasks.items())
        of = {}

        def submit(n: int) -> list[Any]:
            futures = []
            for page_id, task in islice(waiting, n):
                cut = cut_slice(_index_of(task), task.parameters.window, task.classroom_ids)
                future = client.submit(
                    answer, task, task.notebook.read_bytes(), cut, _plans_of(task), server,
                    pure=False, retries=RETRIES,
                )  # fmt: skip
                of[future.key] = page_id
                futures.append(future)
            return futures

        done = as_completed(submit(TASKS_A_WORKER * max(1, threads)))
        for future in done:
            page_id = of.pop(future.key)
            problem = problem_of(future)
            yield page_id, problem or _take(tasks[page_id], future.result())
            for new in submit(1):
                done.add(new)


def answer(task: Task, notebook: bytes, cut: Slice, plans: Plans, server: str) -> Answer:
    """Make one report on a worker, in a folder of its own that goes with it."""
    with tempfile.TemporaryDirectory(prefix="report") as name:
        folder = Path(name)
        lay_slice(cut, folder / "store")
        for (classroom_id, window), plan in plans.items():
            write_whole(plan_file(folder / "store", classroom_id, window), plan)
        write_whole(folder / task.notebook.name, notebook)
        here = replace(
            task,
            notebook=folder / task.notebook.name,
            parameters=task.parameters.model_copy(update={"data_dir": str(folder / "store")}),
            executed=folder / "executed.ipynb",
        )
        try:
            page = render_page(here, server or own_server(for_reports=True).address)
        except AnalysisError as error:
            # The same data would fail again: an answer, not an error to be retried.
            return Answer(problem=str(error), executed=_content(here.executed))
        return Answer(page=page, executed=_content(here.executed))


def _index_of(task: Task) -> StoreIndex:
    return StoreIndex(Path(task.parameters.data_dir))


def _plans_of(task: Task) -> Plans:
    """Return the plans a page follows: of its window, and of those it looks back on."""
    store = Path(task.parameters.data_dir)
    return {
        (classroom_id, window): plan
        for window in _index_of(task).windows_until(task.parameters.window)
        for classroom_id, plan in read_contents(store, task.classroom_ids, window).items()
    }


def _take(task: Task, given: Answer) -> str | None:
    """Put what a worker sends where the edition is made; return its problem."""
    if given.executed is not None:
        write_whole(task.executed, given.executed)
    if given.page is not None:
        try:
            keep_page(task, given.page)
        except AnalysisError as error:
            return str(error)
    return given.problem


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
