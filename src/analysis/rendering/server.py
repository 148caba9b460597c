r"""The kernel server: a process that has done the imports, and forks a kernel when asked.

A fresh Python spends seconds on importing pandas, matplotlib and this package before a
report's first line runs. This process imports them once, rehearses what is the same in all
reports (:mod:`analysis.rendering.rehearsal`) and computes nothing; a child of it knows no
more of any classroom than a fresh kernel, and is ready at once. Nothing of one report can reach
another: each kernel is a process of its own that ends with its report.

::

    python -m analysis.rendering.server LISTENER '{"for_reports": true, "read": [...]}'
               fd of a listening Unix socket; whether its kernels are reports' or a person's;
               calibrations to read
    client -> {"argv": [...], "env": {...}, "cwd": "..."}\n
    server -> the kernel's process id\n  ...  its exit code\n

A client that hangs up, dead or done, has its kernel killed. When standard input closes,
because the run that started the server is gone, everything is killed and the server ends.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import selectors
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any

PRELOADED = [
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "analysis.classroom",
    "analysis.rendering.kernel_app",
    # What the libraries above load when they are first used.
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "sqlite3",
    "tornado.platform.asyncio",
    "matplotlib.backends.backend_svg",
    "pandera.accessors.pandas_accessor",
    "pandera.api.geopandas.model",
    "pandera.backends.pandas.array",
    "pandera.backends.pandas.builtin_checks",
    "pandera.backends.pandas.builtin_hypotheses",
    "pandera.backends.pandas.register",
    "pandera.strategies.pandas_strategies",
    "narwhals.stable.v2._namespace",
    "narwhals._interchange.dataframe",
    "narwhals._pandas_like.namespace",
    "pandas.core.arrays.arrow.extension_types",
    "pandas.core.reshape.reshape",
    "pyarrow.acero",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
]
"""Modules, and nothing else, that every kernel starts with. None of them starts a thread
(a test looks), and none of them is ``pyplot``, which must meet IPython first."""

PUT_OFF = "scipy.stats"
"""Loaded when something is asked of it: scikit-learn names it first of all, a report asks it
nothing, and it is a sixth of the time that all imports take."""

LEFT_OUT = "hypothesis"
"""Not looked for while the others load: pandera would, for tables made up at random."""

NOT_FOR_REPORTS = ("debugpy",)
"""Nobody stops a report at a line: its kernels load no debugger."""

LONGEST_REQUEST = 8 * 1024 * 1024
SECONDS_TO_ASK = 10
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the lifeline closes; in a forked child, be the kernel that was asked for."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    asked = json.loads(sys.argv[2])
    # `python -m` put the working folder here; a kernel does so itself, in its own way.
    del sys.path[0]
    # As Python's manual has it for forks: to look for garbage would take a fifth of the time
    # of all imports, and leave holes that every kernel then copies.
    gc.disable()
    put_off(PUT_OFF)
    with left_out(LEFT_OUT, *(NOT_FOR_REPORTS if asked["for_reports"] else ())):
        for name in PRELOADED:
            # Names inside other packages may move; a kernel then loads them itself.
            with suppress(ImportError):
                import_module(name)
    with suppress(ImportError):
        import_module("analysis.rendering.rehearsal").rehearse(asked["read"])
    if asked["for_reports"]:
        import_module("analysis.rendering.kernel_app").make_shell()
    launcher()
    # Objects made so far are never collected: collecting would copy their pages.
    gc.freeze()
    gc.enable()
    request = _Server(listener).serve()
    if request is None:
        # There is nothing to save, and two thousand modules to take apart.
        os._exit(0)
    be_kernel(request)


@contextmanager
def left_out(*names: str) -> Iterator[None]:
    """Let nobody find these modules meanwhile; who loads them if they are there goes without."""
    names = tuple(name for name in names if name not in sys.modules)
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


def put_off(name: str) -> None:
    """Have a module load when one of its attributes is first asked for."""
    late = ModuleType(name)

    def load(attribute: str) -> Any:
        # A kernel asks every module there is for its file; that is no use of it.
        if attribute.startswith("__") and attribute != "__path__":
            raise AttributeError(attribute)
        if sys.modules.get(name) is late:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    late.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[name] = late


@cache
def launcher() -> str:
    """Return the file that an ordinary kernel is started with."""
    found = util.find_spec("ipykernel_launcher")
    return (found and found.origin) or ""


def be_kernel(request: dict[str, Any]) -> None:
    """Turn this process into the kernel of a request."""
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    # All children would otherwise draw the same "random" numbers.
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = [launcher(), *request["argv"]]
    # A report's was made before the fork.
    kernel = IPKernelApp.instance()
    kernel.parent_handle = os.getppid()
    kernel.initialize(request["argv"])  # type: ignore[no-untyped-call]
    kernel.start()  # type: ignore[no-untyped-call]


class _Server:
    """Forks on request; knows which connection waits for which kernel."""

    def __init__(self, listener: socket.socket):
        self.listener = listener
        self.lifeline = sys.stdin.fileno()
        self.kernels: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.wake, self._signalled = socket.socketpair()

    def serve(self) -> dict[str, Any] | None:
        """Return a request in a child, once; in the server, nothing at its end."""
        for end in (self.wake, self._signalled):
            end.setblocking(False)
        signal.set_wakeup_fd(self._signalled.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # A Ctrl-C is for the run; it closes the lifeline when it is ready to.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for source in (self.listener, self.lifeline, self.wake):
            self.selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.lifeline:
                    self._end()
                    return None
                if key.fileobj is self.wake:
                    self._reap()
                elif key.fileobj is self.listener:
                    request = self._answer()
                    if request is not None:
                        return request
                elif (waiting := self._waiting(key.fileobj)) is not None:
                    self._hang_up(waiting)

    def _answer(self) -> dict[str, Any] | None:
        """Fork for a client; return its request in the child."""
        client, _ = self.listener.accept()
        try:
            request = _read_request(client)
        except (OSError, ValueError):
            client.close()
            return None
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_child(client, server)
            return request
        self.kernels[pid] = client
        self.selector.register(client, selectors.EVENT_READ)
        with suppress(OSError):
            os.setpgid(pid, pid)
        with suppress(OSError):
            client.sendall(b"%d\n" % pid)
        return None

    def _become_child(self, client: socket.socket, server: int) -> None:
        """Let go of everything that is the server's; die with it."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.selector.close()
        for own in (client, self.listener, self.wake, self._signalled, *self.kernels.values()):
            own.close()
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), self.lifeline)
        # A group of its own, so that what a cell starts is killed with the kernel.
        with suppress(OSError):
            os.setpgid(0, 0)
        if sys.platform == "linux":
            # Also when a cell hangs in C code and no Python thread can notice.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            os._exit(1)

    def _reap(self) -> None:
        """Tell clients how their kernels ended."""
        with suppress(BlockingIOError):
            while self.wake.recv(4096):
                pass
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                client = self.kernels.pop(pid, None)
                if client is not None:
                    self.selector.unregister(client)
                    with suppress(OSError):
                        client.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
                    client.close()

    def _waiting(self, source: object) -> socket.socket | None:
        """Return the client of a kernel that lives, if it is one."""
        return next((one for one in self.kernels.values() if one is source), None)

    def _hang_up(self, client: socket.socket) -> None:
        """Kill the kernel of a client that has closed its connection."""
        self.selector.unregister(client)
        pid = next(pid for pid, one in self.kernels.items() if one is client)
        self.kernels.pop(pid)
        client.close()
        _kill_group(pid)

    def _end(self) -> None:
        for pid in self.kernels:
            _kill_group(pid)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _read_request(client: socket.socket) -> dict[str, Any]:
    client.settimeout(SECONDS_TO_ASK)
    received = b""
    while not received.endswith(b"\n"):
        part = client.recv(65536)
        if not part or len(received) > LONGEST_REQUEST:
            raise ValueError("the request ended early")
        received += part
    request: dict[str, Any] = json.loads(received)
    return request


if __name__ == "__main__":
    main()
