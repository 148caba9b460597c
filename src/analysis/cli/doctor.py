"""``coach doctor``: what keeps reports from being made, before they are missed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, OutOption, StoreOption, app, out, print_json
from analysis.settings import read_settings

TO_MEND = 1
MARKS = {"good": "well ", "look": "look ", "mend": "MEND "}


@app.command("doctor")
def doctor_command(
    stale_after: Annotated[
        int,
        typer.Option("--stale-after", min=1, help="Days without anything new worth a look."),
    ] = 45,
    as_json: JsonOption = False,
    store: StoreOption = None,
    out_dir: OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Look at what reports need, and say how to mend it; 0: nothing to mend, 1: something."""
    from analysis.doctor import Places, State, examine

    settings = read_settings(config, store=store, out=out_dir)
    file = config or Path("coach.toml")
    # As a run does: from where the settings are.
    folder = config.resolve().parent if config else Path.cwd()
    where = Places(
        config=file.resolve() if file.is_file() else None,
        store=folder / settings.store,
        out=folder / settings.out,
        notebooks=folder / settings.notebooks,
        private=((folder / settings.store).parent / "plans",),
    )
    checks = examine(where, stale_after=stale_after)
    n = {state: sum(check.state is state for check in checks) for state in State}
    if as_json:
        print_json({"to_mend": n[State.MEND], "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            out.print(f"{MARKS[check.state]} {check.name}: {check.says}", markup=False)
            if check.mend:
                out.print(f"       {check.mend}", markup=False)
        out.print(f"{n[State.GOOD]} well, {n[State.LOOK]} to look at, {n[State.MEND]} to mend.")
    if n[State.MEND]:
        raise typer.Exit(TO_MEND)
