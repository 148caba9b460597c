"""Running a notebook through papermill, in a process of its own."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from analysis.errors import AnalysisError
from analysis.files import make_private_folder

KERNEL = "python3"
CELL_TIMEOUT = 120
"""Seconds one cell may take."""


class NotebookFailedError(AnalysisError):
    """A notebook stopped before its end. The message names the cell's error, not its data."""


def execute_notebook(
    notebook: Path, parameters: dict, output: Path, *, cell_timeout: int = CELL_TIMEOUT
) -> NotebookNode:
    """Run a notebook with parameters; return it executed.

    Parameters
    ----------
    notebook
        What to run; it is run in its own folder.
    parameters
        Plain values by name, checked before (:mod:`analysis.rendering.parameters`).
    output
        Where the executed notebook is kept, also when it fails. It holds student data and
        paths: it belongs among the private runs, never beside a page.
    cell_timeout
        Seconds one cell may take.

    Raises
    ------
    NotebookFailedError
        A cell failed, took too long, or the kernel died.
    """
    # papermill takes most of a second to import; who only draws a block need not wait.
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    make_private_folder(output.parent)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            papermill.execute_notebook(
                str(notebook),
                str(output),
                parameters=parameters,
                kernel_name=KERNEL,
                cwd=str(notebook.parent),
                execution_timeout=cell_timeout,
                request_save_on_cell_execute=False,
                progress_bar=False,
                log_output=False,
            )
        except papermill.PapermillExecutionError as error:
            raise NotebookFailedError(_describe(error)) from None
        except CellTimeoutError:
            raise NotebookFailedError(f"a cell took more than {cell_timeout} seconds") from None
        except DeadKernelError:
            raise NotebookFailedError("the notebook's process died") from None
        finally:
            if output.is_file():
                output.chmod(0o600)
    return nbformat.read(output, as_version=4)


def _describe(error) -> str:
    """Name a failed cell's error; quote its text only where we wrote it, ids and all."""
    ours = {"DataError", "UnknownError", "UsageError", "LockedError", "AnalysisError"}
    if error.ename in ours:
        return str(error.evalue)
    return f"cell {error.exec_count} stopped with {error.ename}"
