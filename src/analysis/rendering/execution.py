"""Running a notebook through papermill, in a process of its own."""

from __future__ import annotations

import json
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from analysis.files import whole_file
from analysis.rendering.notebooks import NotebookNode, nbformat
from analysis.rendering.task import Limits

KERNEL = "python3"
OUR_ERRORS = {
    "DataError", "UnknownError", "UsageError", "LockedError", "AnalysisError",
}  # fmt: skip
"""Errors whose text we wrote ourselves: ids, never names."""

MEGABYTE = 2**20


class NotebookFailedError(AnalysisError):
    """A notebook stopped before its end. The message names the cell's error, not its data."""


def execute_notebook(
    notebook: Path,
    parameters: dict[str, Any],
    output: Path,
    *,
    limits: Limits | None = None,
    server: str = "",
) -> NotebookNode:
    """Run a notebook with parameters; return it executed.

    The same notebook and parameters give the same bytes, whichever kernel ran them.

    Parameters
    ----------
    notebook
        What to run; it is run in its own folder.
    parameters
        Plain values by name, checked before (:mod:`analysis.rendering.parameters`).
    output
        Where the executed notebook is kept, also when a cell fails. It holds student data
        and paths: it belongs among the private runs, never beside a page.
    limits
        Of time and memory.
    server
        Address of a kernel server (:class:`analysis.rendering.warmth.KernelServer`);
        empty: an ordinary kernel.

    Raises
    ------
    NotebookFailedError
        A cell failed or took too long, or the kernel died.
    """
    # papermill takes most of a second to import; who only draws a block need not wait.
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.execute import raise_for_execution_errors

    from analysis.rendering.engine import ENGINE

    limits = limits or Limits()
    logging.getLogger("papermill").setLevel(logging.ERROR)
    failure = None
    with (
        whole_file(output) as part,
        warnings.catch_warnings(),
        _kernel(notebook, limits, server) as kernel,
    ):
        warnings.simplefilter("ignore")
        try:
            prepared = papermill.execute_notebook(
                str(notebook),
                str(part),
                parameters=parameters,
                engine_name=ENGINE,
                kernel_name=KERNEL,
                prepare_only=True,
            )
            executed: NotebookNode = papermill_engines.execute_notebook_with_engine(
                ENGINE,
                prepared,
                KERNEL,
                timeout_func=_time_left(limits),
                progress_bar=False,
                record_timing=False,
                # A kernel sends what is printed in pieces, cut where the clock says.
                coalesce_streams=True,
                # A report is complete or it is not; nothing is to be said goodbye to.
                shutdown_kernel="immediate",
                **kernel,
            )
            raise_for_execution_errors(executed, str(part))
            normalise(executed, notebook)
            nbformat.validate(executed)
            # papermill would write it in lines for people, which takes ten times as long.
            part.write_text(json.dumps(executed, ensure_ascii=False, sort_keys=True), "utf-8")
        except papermill.PapermillExecutionError as error:
            failure = _describe(error)  # papermill has written the notebook with its banner
        except CellTimeoutError:
            raise NotebookFailedError(_describe_timeout(limits)) from None
        except DeadKernelError:
            raise NotebookFailedError("the notebook's process died") from None
    if failure:
        raise NotebookFailedError(failure)
    return executed


def normalise(executed: NotebookNode, source: Path) -> None:
    """Take out of an executed notebook what differs from run to run: times, random ids.

    Parameters
    ----------
    executed
        Changed in place; papermill has just made it.
    source
        The notebook it was made from; cells keep the ids they have there.
    """
    known = {cell.get("id") for cell in json.loads(source.read_bytes())["cells"]}
    executed.metadata.pop("papermill", None)
    for place, cell in enumerate(executed.cells):
        for record in ("papermill", "execution"):
            cell.metadata.pop(record, None)
        if cell.get("id") not in known:
            cell["id"] = f"added-{place}"


@contextmanager
def _kernel(notebook: Path, limits: Limits, server: str) -> Iterator[dict[str, Any]]:
    """Give papermill the kernel manager of a report, with a private folder while it runs.

    The kernel starts in the notebook's folder. papermill would move the whole process
    there, and with it every other report made in it.
    """
    from analysis.rendering.kernel import kernel_manager_for

    # Socket paths may have 104 bytes at most, so the folder's name is short.
    with tempfile.TemporaryDirectory(prefix="nb", ignore_cleanup_errors=True) as folder:
        manager = kernel_manager_for(
            folder,
            working_folder=str(notebook.resolve().parent),
            server=server,
            memory=limits.memory * MEGABYTE,
        )
        yield {"kernel_manager_class": manager}


def _time_left(limits: Limits) -> Callable[[NotebookNode], float]:
    """Return how long a cell may take: its own limit, or what is left for the report."""
    end = time.monotonic() + limits.report_timeout
    return lambda cell: min(limits.cell_timeout, max(0.1, end - time.monotonic()))


def _describe_timeout(limits: Limits) -> str:
    return (
        f"a cell took more than {limits.cell_timeout} seconds, "
        f"or all cells more than {limits.report_timeout}"
    )


def _describe(error: Any) -> str:
    """Name a failed cell's error; quote its text only where we wrote it, ids and all."""
    if error.ename in OUR_ERRORS:
        return str(error.evalue)
    return f"cell {error.exec_count} stopped with {error.ename}"
