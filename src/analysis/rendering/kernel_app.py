"""A report's kernel: ipykernel's own, without what only a person at a notebook needs.

It is made in two steps. Before the fork, what is the same in every kernel: its settings and
its shell (:func:`make_shell`). After it, what is a kernel's own: its channels.

A person looks on while a cell runs, stops it, asks something meanwhile; for that ipykernel
hands each message from thread to thread. A report's cells run one after the other, and are
looked at when they have ended: its kernel hears and says everything in its main thread.
"""

from __future__ import annotations

import gc
import re
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import zmq
from ipykernel import kernelapp
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from IPython.core.application import BaseIPythonApplication
from tornado.ioloop import IOLoop
from traitlets import Type, Unicode
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigString

from analysis.rendering.warmth import NO_HISTORY

OPTION = re.compile(r"^--(\w+)\.(\w+)=(.*)$", re.MULTILINE)

OBJECTS_BETWEEN_COLLECTIONS = 10_000
"""Python's own 700 suit a process that lives for hours; a report's ends in seconds."""

MADE_BEFORE = {"parent", "log", "profile_dir", "user_ns"}
"""What ipykernel gives a kernel that is no channel."""


class ReportKernel(IPythonKernel):
    """A kernel that is made before its channels are."""

    _supports_kernel_subshells = False

    @classmethod
    def instance(cls, *given: Any, **named: Any) -> ReportKernel:
        """Make the kernel or, when it was made before, hand it its channels."""
        was_made = cls.initialized()
        kernel: ReportKernel = super().instance(*given, **named)
        if was_made:
            kernel.take_channels(**named)
        return kernel

    def take_channels(self, **given: Any) -> None:
        """Take what is a kernel's own, in the places where ipykernel keeps it."""
        for name in given.keys() - MADE_BEFORE:
            setattr(self, name, given[name])
        self._stdout, self._stderr = sys.stdout, sys.stderr
        shell: Any = self.shell
        for shows in (shell.displayhook, shell.display_pub):
            shows.session, shows.pub_socket = self.session, self.iopub_socket
        shell.init_environment()

    def _publish_execute_input(self, *_: Any) -> None:
        """Leave unsaid which cell it is asked to run: nobody else listens."""

    def _publish_status(self, status: str, *how: Any, **named: Any) -> None:
        """Say that it is ready for more, and not that it has begun."""
        if status != "busy":
            super()._publish_status(status, *how, **named)

    def start(self) -> None:
        """Begin to listen; see :class:`ipykernel.kernelbase.Kernel`."""
        super().start()
        # ipykernel asks this, and nothing else of it, before a cell that awaits.
        self.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())


class SaidAtOnce(IOPubThread):
    """What a kernel says is sent by the thread that says it, and handed to no other."""

    def __init__(self, *given: Any, **named: Any):
        self._sending = threading.RLock()
        super().__init__(*given, **named)

    @property
    def io_loop(self) -> IOLoop:
        """The main thread's."""
        return IOLoop.current()

    @io_loop.setter
    def io_loop(self, own: IOLoop) -> None:
        own.close()

    def start(self) -> None:
        """Start nothing."""

    def schedule(self, f: Callable[[], Any]) -> None:
        """Do what a thread of its own would have done."""
        with self._sending:
            f()

    def pass_on(self) -> None:
        """Say what a process has said that a cell has forked."""
        is_main = threading.current_thread() is threading.main_thread()
        is_open = is_main and self._pipe_flag and self._is_master_process()
        if is_open and int(self._pipe_in.socket.get(zmq.EVENTS)) & zmq.POLLIN:
            self._pipe_in.flush(zmq.POLLIN)


class PrintedStream(OutStream):
    """Holds what is printed until the cell has ended, or asks to flush it."""

    def flush(self) -> None:
        """Send what is held."""
        super().flush()
        if self.pub_thread is not None:
            self.pub_thread.pass_on()

    def _schedule_flush(self) -> None:
        pass


class ReportKernelApp(kernelapp.IPKernelApp):
    """Starts a report's kernel; all that is not said here is done as ipykernel does it."""

    kernel_class = Type(ReportKernel, klass=IPythonKernel)
    outstream_class = Unicode(f"{__name__}.PrintedStream")

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        """Take a kernel's options; see :class:`traitlets.config.Application`.

        To make a parser of all there are is a fifth of a kernel's start.
        """
        match argv:
            case ["-f", connection_file, *rest] if all(map(OPTION.fullmatch, rest)):
                config = Config(IPKernelApp=Config(connection_file=connection_file))
                for kind, name, value in OPTION.findall("\n".join(rest)):
                    config[kind][name] = DeferredConfigString(value)
                self.argv, self.extra_args, self.cli_config = argv, [], config
                self.update_config(config)
            case _:
                super().parse_command_line(argv)

    def init_control(self, context: zmq.Context[Any]) -> None:
        """Make the control channel, and no thread to hand the shell's messages on."""
        super().init_control(context)
        self.shell_channel_thread.io_loop.close()
        self.shell_channel_thread = None

    def init_iopub(self, context: zmq.Context[Any]) -> None:
        """Make the channel for what is said."""
        # It is asked for by its name; this process makes no other kernel.
        kernelapp.IOPubThread = SaidAtOnce  # type: ignore[attr-defined]
        super().init_iopub(context)

    def init_heartbeat(self) -> None:
        """Have none: whether a report's kernel lives is asked of its process."""

    def init_code(self) -> None:
        """Run a person's own startup files, as IPython does.

        It also notes all modules there are, for ``%reset``: to look at two thousand names is to
        copy the memory around them, a fifth of what a kernel copies before its first cell.
        """
        self._run_startup_files()
        self._run_exec_lines()
        self._run_exec_files()
        shell: Any = self.shell
        if self.hide_initial_ns:
            shell.user_ns_hidden.update(shell.user_ns)


def make_shell() -> None:
    """Make, in the process that will be forked, what is the same in all its kernels."""
    app = ReportKernelApp.instance()
    # Its connection file is named after the fork.
    BaseIPythonApplication.initialize(app, ["-f", "", NO_HISTORY])
    # What it would say for its developers is put together for each message, and never shown.
    app.log.setLevel(app.log_level)
    ReportKernel.instance(parent=app, log=app.log, profile_dir=app.profile_dir)
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
