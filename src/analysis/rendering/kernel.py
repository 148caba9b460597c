"""The kernel of a report: forked from a server that has the imports done, or an ordinary one.

Jupyter starts a kernel through a *provisioner*. Ours asks the kernel server
(:mod:`analysis.rendering.server`) for a process; everything after that - messages,
timeouts, interrupts, errors - is Jupyter's own. Where a process cannot be forked
(Windows, macOS), where the kernel is not this Python's, or where the server is gone, the
kernel is started in the ordinary way; the report is the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, cast

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Int, Type, Unicode

from analysis.rendering.warmth import ALWAYS, NO_HISTORY, can_fork, own_server

LAUNCHER = "ipykernel_launcher"
SECONDS_TO_START = 60
"""Longest wait for the server's imports, which go on while the first client asks."""

MILLISECONDS_TO_RECONNECT = 5
SECONDS_BETWEEN_LOOKS = 0.002
LOOKS_AT_END = 100

WELCOME = "iopub_welcome"
"""What a kernel greets with who has begun to listen to its output; older ones do not greet."""


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel as a fork of a preloaded server, else as an ordinary process.

    Registered as ``coach-warm``: a kernel specification that names it under
    ``metadata.kernel_provisioner`` has warm kernels in JupyterLab and papermill too.
    """

    server = Unicode("", help="Address of a kernel server; empty: one of this process.").tag(
        config=True
    )
    working_folder = Unicode("", help="Where a kernel starts; empty: here.").tag(config=True)
    memory = Int(0, help="Most bytes of address space a kernel may take; 0: any.").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel; see :class:`jupyter_client.provisioning.KernelProvisionerBase`."""
        cmd = [*cmd, NO_HISTORY] if LAUNCHER in cmd else cmd
        kwargs["env"] = {**kwargs.get("env", os.environ), **ALWAYS}
        kwargs["cwd"] = self.working_folder or kwargs.get("cwd") or str(Path.cwd())
        forked = self._fork(cmd, kwargs)
        # It is used in the way of a process of Python's own.
        self.process = cast("subprocess.Popen[Any] | None", forked)
        if forked is None:
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            await super().launch_kernel(cmd, **kwargs, **quiet)
        else:
            self.pid = self.pgid = forked.pid
            self.cwd = kwargs["cwd"]
        if self.memory and self.pid is not None and sys.platform == "linux":
            _limit_memory(self.pid, self.memory)
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once, and wait until it is gone."""
        await super().kill(restart)
        # It takes a few milliseconds; Jupyter would look again after a hundred.
        for _ in range(LOOKS_AT_END):
            if await self.poll() is not None:
                break
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def _fork(self, cmd: list[str], kwargs: dict[str, Any]) -> ForkedKernel | None:
        if not can_fork() or LAUNCHER not in cmd or not Path(cmd[0]).samefile(sys.executable):
            return None
        request = {
            "argv": cmd[cmd.index(LAUNCHER) + 1 :],
            "env": dict(kwargs["env"]),
            "cwd": str(kwargs["cwd"]),
        }
        try:
            return ForkedKernel(self.server or own_server().address, request)
        except OSError:  # the server is gone; the report need not be
            return None


class ForkedKernel:
    """A kernel that is the server's child; used in the way of :class:`subprocess.Popen`.

    Parameters
    ----------
    address
        Of the kernel server.
    request
        What the server is asked for.

    Raises
    ------
    OSError
        The server does not answer.
    """

    stdin = stdout = stderr = None

    def __init__(self, address: str, request: dict[str, Any]):
        self.returncode: int | None = None
        self._server = socket.socket(socket.AF_UNIX)
        self._server.settimeout(SECONDS_TO_START)
        self._server.connect(address)
        self._server.sendall(json.dumps(request).encode() + b"\n")
        answer = _read_line(self._server)
        if not answer:
            raise ConnectionResetError("the kernel server hung up")
        self.pid = int(answer)
        self._server.settimeout(None)

    def poll(self) -> int | None:
        """Return the exit code, or none while the kernel lives."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                self._server.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
                self._end()
        return self.returncode

    def wait(self) -> int | None:
        """Wait for the kernel's end; return its exit code."""
        if self.returncode is None:
            self._end()
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Send the kernel a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """End the kernel at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)

    def _end(self) -> None:
        answer = _read_line(self._server)
        # A server that died took its kernels along.
        self.returncode = int(answer) if answer else -signal.SIGKILL
        self._server.close()


class ReportChannel(AsyncZMQSocketChannel):
    """A channel that asks once for a message, where Jupyter's first asks whether there is one."""

    async def get_msg(  # type: ignore[override]
        self, timeout: float | None = None
    ) -> dict[str, Any]:
        """Wait for a message; see :class:`jupyter_client.channels.AsyncZMQSocketChannel`."""
        return await (self._recv() if timeout is None else super().get_msg(timeout))


class ReportKernelClient(AsyncKernelClient):
    """A client that waits for what a kernel says, where Jupyter's waits for silence."""

    iopub_channel_class = Type(ReportChannel)

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        # The kernel's sockets are there in a moment: look for them more often.
        self.context.setsockopt(zmq.RECONNECT_IVL, MILLISECONDS_TO_RECONNECT)

    def start_channels(self, *channels: bool, **named: bool) -> None:
        """Open all channels but the heartbeat's: its process tells whether a kernel lives."""
        super().start_channels(*channels, **{**named, "hb": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its output is heard.

        Raises
        ------
        RuntimeError
            The kernel died, or did not answer in time.
        """
        end = time.monotonic() + (timeout or SECONDS_TO_START)
        while not await self._hears(self.kernel_info()):
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError("Kernel didn't respond in time")

    async def _hears(self, asked: str) -> bool:
        """Tell whether the answer to a request comes, and the kernel's output is heard.

        It is when the kernel greets on it, or says there that it is idle again. Both are
        missed where an older kernel spoke before it was listened to; then the question is
        asked again.
        """
        try:
            await _answer(self.shell_channel, asked, "kernel_info_reply", seconds=1)
            await _answer(self.iopub_channel, asked, "status", seconds=0.2, state="idle")
        except Empty:
            return False
        return True


async def _answer(
    channel: AsyncZMQSocketChannel, asked: str, kind: str, *, seconds: float, state: str = ""
) -> None:
    """Wait for a request's answer of a kind and a state, or for a greeting.

    Other messages are let go.

    Raises
    ------
    queue.Empty
        Nothing came for so many seconds.
    """
    while True:
        message = await channel.get_msg(timeout=seconds)
        ours = message["parent_header"].get("msg_id") == asked and message["msg_type"] == kind
        if message["msg_type"] == WELCOME:
            return
        if ours and message["content"].get("execution_state", "") == state:
            return


def kernel_manager_for(
    folder: str, *, working_folder: str, server: str, memory: int
) -> type[AsyncKernelManager]:
    """Return the class of manager that papermill shall start a report's kernel with.

    Parameters
    ----------
    folder
        A private folder of this kernel alone, for its sockets: over TCP other users of
        the machine could listen, and ports race when many kernels start at once.
    working_folder
        Where the kernel starts.
    server
        Address of the kernel server; empty: an ordinary kernel.
    memory
        Most bytes of address space; 0: any.
    """

    class ReportKernelManager(AsyncKernelManager):
        # Windows has no such sockets; there TCP stays.
        transport = "tcp" if sys.platform == "win32" else "ipc"
        ip = "127.0.0.1" if sys.platform == "win32" else f"{folder}/k"
        client_factory = Type(ReportKernelClient)

        def __init__(self, **kwargs: Any):
            super().__init__(**kwargs)
            kind = WarmProvisioner if server else OrdinaryProvisioner
            self.provisioner = kind(
                parent=self,
                kernel_id="report",
                kernel_spec=self.kernel_spec,
                working_folder=working_folder,
                server=server,
                memory=memory,
            )

    return ReportKernelManager


class OrdinaryProvisioner(WarmProvisioner):
    """Starts an ordinary kernel, with the environment and the limits of a warm one."""

    def _fork(self, cmd: list[str], kwargs: dict[str, Any]) -> None:
        return None


def _limit_memory(pid: int, n_bytes: int) -> None:
    import resource

    # It may have ended already; Jupyter will say so.
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_AS, (n_bytes, n_bytes))


def _read_line(connection: socket.socket) -> bytes:
    """Read up to the end of a line and not a byte of the next; nothing when hung up."""
    line = b""
    try:
        while not line.endswith(b"\n"):
            part = connection.recv(1)
            if not part:
                return b""
            line += part
    except ConnectionResetError:
        return b""
    return line
