"""``coach doctor``: what keeps reports from being made, before they are missed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, OutOption, StoreOption, app, out, print_json
from analysis.settings import anchor, read_settings

TO_MEND = 1
PLANS = "plans"
"""What teachers decided, beside the store."""
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

    # As a run does: from where the settings are.
    folder = config.resolve().parent if config else Path.cwd()
    given = {"store": store and store.absolute(), "out": out_dir and out_dir.absolute()}
    settings = anchor(read_settings(config, **given), folder)
    file = config or Path("coach.toml")
    where = Places(
        config=file.resolve() if file.is_file() else None,
        store=settings.store,
        out=settings.out,
        notebooks=settings.notebooks,
        inbox=settings.run.inbox,
        private=(settings.store.parent / PLANS, settings.run.share_out),
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
