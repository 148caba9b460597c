"""``coach lab``: the notebooks in JupyterLab, on this computer only."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.app import ConfigOption, OutOption, StoreOption, app
from analysis.errors import UnknownError, UsageError
from analysis.settings import Settings, read_settings

FIRST = "00_start_here"
SHARE = Path(__file__).parents[1] / "explore" / "share"
"""Where our kernel specification is, the ordinary kernel with plain errors, and what we
set in JupyterLab: no news."""

SERVER = [
    "--ServerApp.ip=127.0.0.1",
    # No request leaves this computer.
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
    # A saved notebook holds nobody's name.
    "--FileContentsManager.pre_save_hook=analysis.explore.saving.strip_outputs",
]

PRIVATE = ["--KernelManager.transport=ipc"]
"""Kernels talk through files of this user, not through ports, where the system can."""

LONGEST_FILE = "/kernel-00000000-0000-0000-0000-000000000000-ipc-5"
"""Of those files' names; a socket's whole path has to be short."""


@app.command("lab")
def lab_command(
    notebook: Annotated[
        str, typer.Argument(help="Notebook to open first.", metavar="[NOTEBOOK]")
    ] = FIRST,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")
    ] = True,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to use.")] = 8888,
    store: StoreOption = None,
    out_dir: OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Open the notebooks in JupyterLab."""
    settings = read_settings(config, store=store, out=out_dir)
    command = lab_command_line(settings, notebook, browser=browser, port=port)
    run_server(command, lab_environment(settings))


def lab_command_line(settings: Settings, notebook: str, *, browser: bool, port: int) -> list[str]:
    """Return the command that starts JupyterLab at a notebook.

    Raises
    ------
    UnknownError
        There is no such notebook; the ones there are are named.
    UsageError
        JupyterLab is not installed, or the notebooks are not there.
    """
    if find_spec("jupyterlab") is None or find_spec("ipywidgets") is None:
        raise UsageError("JupyterLab is not installed.\nInstall it: pip install -e .[lab]")
    folder = settings.notebooks.resolve()
    known = sorted(file.stem for file in folder.glob("*.ipynb"))
    if not known:
        raise UsageError(
            f"{settings.notebooks} holds no notebooks.\n"
            "Run the command in the project's folder, or set notebooks in coach.toml."
        )
    wanted = Path(notebook).stem
    if wanted not in known:
        raise UnknownError.of("notebook", notebook, known, str(settings.notebooks))
    address = f"/lab/tree/{folder.name}/{wanted}.ipynb"
    return [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.parent}",
        f"--LabApp.default_url={address}", f"--ServerApp.port={port}",
        f"--ServerApp.open_browser={browser}", *SERVER, *(PRIVATE if _sockets_fit() else []),
    ]  # fmt: skip


def _sockets_fit() -> bool:
    """Say whether kernels can be reached through files in Jupyter's folder for them."""
    if os.name != "posix":
        return False
    import zmq
    from jupyter_core.paths import jupyter_runtime_dir

    return len(os.fsencode(jupyter_runtime_dir() + LONGEST_FILE)) <= zmq.IPC_PATH_MAX_LEN


def lab_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of JupyterLab and its kernels: our settings, our kernel."""
    return os.environ | {
        "COACH_STORE": str(settings.store.resolve()),
        "COACH_OUT": str(settings.out.resolve()),
        "COACH_NOTEBOOKS": str(settings.notebooks.resolve()),
        "COACH_LAB_ROOT": str(settings.notebooks.resolve().parent),
        "JUPYTER_PATH": _first(SHARE, "JUPYTER_PATH"),
        "JUPYTER_CONFIG_PATH": _first(SHARE / "config", "JUPYTER_CONFIG_PATH"),
    }


def _first(folder: Path, variable: str) -> str:
    """Return a search path with our folder before those a variable names."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get(variable)])])


def run_server(command: list[str], environment: dict[str, str]) -> None:
    """Become the server: its own questions, signals and exit code are the user's."""
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(command[0], command, environment)
    raise typer.Exit(subprocess.call(command, env=environment))
