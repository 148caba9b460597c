"""Reports made at the same time, on the cores of this machine."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, as_completed
from concurrent.futures import TimeoutError as FutureTimeoutError
from multiprocessing import get_context, set_forkserver_preload
from multiprocessing.context import BaseContext
from typing import Any

from pebble import ProcessExpired, ProcessPool

from analysis.errors import AnalysisError, StoppedError
from analysis.rendering.task import Task
from analysis.rendering.warmth import KernelServer, can_fork

WORKERS_NEED = [
    "analysis.rendering.pool", "analysis.rendering.report", "analysis.rendering.engine",
    "nbconvert.filters.markdown_mistune",
]  # fmt: skip
SECONDS_OF_GRACE = 60
"""A notebook that takes too long is stopped by its own worker; one that still runs so
much later has a worker that hangs, and the worker is ended."""


def make_in_pool(
    tasks: Mapping[str, Task], *, workers: int, kernels: KernelServer
) -> Iterator[tuple[str, str | None]]:
    """Make reports in worker processes; give each when it is done.

    Parameters
    ----------
    tasks
        What to make, by page.
    workers
        How many processes.
    kernels
        Where their kernels come from.

    Yields
    ------
    tuple of str and (str or None)
        The page, and why it failed, in words without student data. A worker
        that dies takes no other report with it.
    """
    # What a worker has imported is no garbage: it is not looked through again and again.
    pool = ProcessPool(
        max_workers=max(1, min(workers, len(tasks))), context=_context(), initializer=gc.freeze
    )
    try:
        done: dict[Future[Any], str] = {
            pool.schedule(
                _make,
                args=[task, kernels.address],
                timeout=task.limits.report_timeout + SECONDS_OF_GRACE,
            ): page_id
            for page_id, task in tasks.items()
        }
        for future in as_completed(done):
            yield done[future], problem_of(future)
    finally:
        # When all went well nothing is left to stop; when not, nothing may go on.
        pool.stop()
        pool.join()


def _make(task: Task, server: str) -> None:
    # The run that hands out the tasks need not wait for what makes them.
    from analysis.rendering.report import make_report

    make_report(task, server)


def problem_of(future: Future[Any]) -> str | None:
    """Return why a report failed, in words without student data, or None."""
    try:
        future.result()
    except StoppedError:
        raise
    except AnalysisError as error:
        return str(error)
    except FutureTimeoutError:
        return "it took too long and did not stop by itself"
    except ProcessExpired:
        return "its process died"
    except OSError as error:
        return f"{error.strerror or 'a file could not be read or written'}"
    except Exception as error:  # our own bug in one report: the others go on, this one is named
        return f"{type(error).__name__} while rendering"
    return None


def _context() -> BaseContext:
    """Return how workers start: as forks of a process that has only imported, if possible.

    A fork of a process that has computed can hang.
    """
    if not can_fork():
        return get_context("spawn")
    set_forkserver_preload(WORKERS_NEED)
    return get_context("forkserver")
