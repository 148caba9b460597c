"""The kernel server's life: started by the run that needs it, ended with it.

What the server does is in :mod:`analysis.rendering.server`; nothing here takes long to import.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

NO_HISTORY = "--HistoryManager.enabled=False"
"""A report's cells, which name a classroom, belong in no file of what was typed."""

INLINE = "module://matplotlib_inline.backend_inline"

ALWAYS = {
    # One report, one core: many reports at once are faster than one report on many cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_MAX_THREADS": "1",
    # The order of a set is the same in every kernel, warm or ordinary.
    "PYTHONHASHSEED": "0",
    # pyarrow's allocator would start a thread on import, and no fork may meet a thread.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Environment of every kernel of ours."""


def can_fork() -> bool:
    """Say whether kernels can be forked here; macOS has forks that crash its libraries."""
    return sys.platform not in {"win32", "darwin"} and hasattr(os, "fork")


class KernelServer:
    """A kernel server for a ``with``; leaving it ends the server and all its kernels.

    It is started when its address is first asked for, or before, with :meth:`start`.

    Parameters
    ----------
    for_reports
        Whether its kernels run reports, and go without what only a person needs
        (:mod:`analysis.rendering.kernel_app`).

    Examples
    --------
    >>> with KernelServer() as server:  # doctest: +SKIP
    ...     execute_notebook(notebook, parameters, output, server=server.address)
    """

    def __init__(self, *, for_reports: bool = True) -> None:
        self.for_reports = for_reports
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_asked = False

    def __enter__(self) -> KernelServer:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Where to ask for kernels; empty where they cannot be forked."""
        self.start()
        self._is_asked = True
        return self._socket

    @property
    def pid(self) -> int | None:
        """Process id of the server; none before it is started."""
        return self._process.pid if self._process else None

    def start(self, calibrations: Sequence[Path] = ()) -> None:
        """Have the server begin its imports, and do not wait for them.

        Parameters
        ----------
        calibrations
            Files it reads once, for all its kernels.
        """
        if self._process is not None or not can_fork():
            return
        # Socket paths may have 104 bytes at most, so the folder's name is short.
        self._folder = tempfile.TemporaryDirectory(prefix="nb", ignore_cleanup_errors=True)
        asked = {"for_reports": self.for_reports, "read": [str(file) for file in calibrations]}
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._socket)
            listener.listen(128)
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "analysis.rendering.server", str(listener.fileno())),
                    json.dumps(asked),
                ],
                stdin=subprocess.PIPE,
                # What a kernel writes outside its cells may hold data; it belongs in no log.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                env={"MPLBACKEND": INLINE, **os.environ, **ALWAYS},
            )

    def close(self) -> None:
        """End the server and its kernels."""
        if self._process is None or self._folder is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not self._is_asked:  # it has no kernels, and may be in the midst of its imports
            self._process.kill()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    @property
    def _socket(self) -> str:
        return f"{self._folder.name}/s" if self._folder else ""


@cache
def own_server(*, for_reports: bool = False) -> KernelServer:
    """Return this process's own server, started when it is first asked for.

    ``for_reports``: as of :class:`KernelServer`; a person may want to look for a fault.
    """
    return KernelServer(for_reports=for_reports)
