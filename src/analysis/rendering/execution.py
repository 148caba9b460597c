"""Running a notebook through papermill, in a process of its own."""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL

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
    with warnings.catch_warnings(), _private_transport() as transport:
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
                **transport,
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


@contextmanager
def _private_transport() -> Iterator[dict]:
    """Give papermill a kernel that talks over sockets in a folder of its own.

    Not over TCP: other users of the machine could listen, and ports race when many
    kernels start at once. Where there are no such sockets, TCP stays.
    """
    if sys.platform == "win32":
        yield {}
        return
    from jupyter_client.manager import AsyncKernelManager

    # Socket paths may have 104 bytes at most, so the folder's name is short.
    with tempfile.TemporaryDirectory(prefix="nb") as folder:

        class PrivateKernelManager(AsyncKernelManager):
            transport = "ipc"
            ip = f"{folder}/k"

            async def _async_launch_kernel(self, kernel_cmd, **how):
                # What a kernel says on its own stderr is about itself, or student data
                # from a crash: neither belongs on a terminal or in a scheduler's mail.
                await super()._async_launch_kernel(kernel_cmd, stderr=DEVNULL, **how)

        yield {"kernel_manager_class": PrivateKernelManager}


def _describe(error) -> str:
    """Name a failed cell's error; quote its text only where we wrote it, ids and all."""
    ours = {"DataError", "UnknownError", "UsageError", "LockedError", "AnalysisError"}
    if error.ename in ours:
        return str(error.evalue)
    return f"cell {error.exec_count} stopped with {error.ename}"
