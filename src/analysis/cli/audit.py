"""``coach audit``: leaks in anything rendered or shared."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, StoreOption, app, err, out, print_json
from analysis.settings import read_settings

LEAKS = 1
MOST_SHOWN = 40


@app.command("audit")
def audit_command(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)],
    aggregate: Annotated[
        bool,
        typer.Option("--aggregate", help="Pages are about nobody by name: also no small cells."),
    ] = False,
    smallest_cell: Annotated[
        int, typer.Option("--smallest-cell", min=2, help="Fewest students a count may be of.")
    ] = 10,
    as_json: JsonOption = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Look for leaks in anything rendered or shared; 0: none found, 1: some."""
    from analysis.audit.auditing import Auditor, accounts_here
    from analysis.audit.people import People
    from analysis.sharing.protection import lock_script_hash
    from analysis.store import Store

    known = Store(read_settings(config, store=store).store)
    auditor = Auditor(
        People(known.read_roster()) if known.exists else None,
        accounts_here(),
        frozenset({lock_script_hash()}),
        aggregate=aggregate,
        smallest_cell=smallest_cell,
    )
    found = [finding for path in paths for finding in auditor.audit_path(path)]
    if as_json:
        print_json({
            "students_looked_for": known.exists,
            "leaks": [asdict(one) | {"leak": one.leak.name.lower()} for one in found],
        })  # fmt: skip
    else:
        if not known.exists:
            err.print(f"{known.folder} has no roster: students were not looked for.", markup=False)
        for one in found[:MOST_SHOWN]:
            out.print(str(one), markup=False)
        if len(found) > MOST_SHOWN:
            out.print(f"and {len(found) - MOST_SHOWN} more; --json lists all")
        out.print(f"{len(found)} leaks found.")
    if found:
        raise typer.Exit(LEAKS)
