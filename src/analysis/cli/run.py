"""``coach run``: everything that is due, unattended."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.app import JsonOption, app, out, print_json
from analysis.errors import UsageError
from analysis.settings import anchor, read_settings


@app.command("run")
def run_command(
    config: Annotated[
        Path, typer.Option("--config", help="Settings file; paths in it are relative to it.")
    ] = Path("coach.toml"),
    notify: Annotated[
        bool, typer.Option("--notify/--no-notify", help="Send the message [notify] asks for.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Read what is new in the inbox, make, audit, publish and share pages, and tell of it."""
    if not config.is_file():
        raise UsageError(
            f"{config} is not there.\nWrite one (docs/data/settings.md says what is in it), or "
            "name it with --config."
        )
    from analysis.nightly import run_night

    told = run_night(anchor(read_settings(config), config.resolve().parent), notified=notify)
    if as_json:
        print_json(told.summary)
    else:
        out.print(told.digest.text, markup=False, end="")
    if told.summary["exit_code"]:
        raise typer.Exit(told.summary["exit_code"])
