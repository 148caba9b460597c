"""``coach editions`` and ``coach rollback``: what is published."""

from __future__ import annotations

from typing import Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, OutOption, app, out, print_json
from analysis.settings import read_settings


@app.command("editions")
def editions_command(
    out_dir: OutOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """List the published editions, oldest first."""
    from analysis.rendering.edition import current_folder, list_editions, read_edition

    folder = read_settings(config, out=out_dir).out
    shown = current_folder(folder)
    read = [read_edition(folder / "editions" / name) for name in list_editions(folder)]
    listed = [
        {
            "edition": edition.name,
            "window": edition.window,
            "reports": sum(entry.file is not None for entry in edition.entries.values()),
            "failed": sum(entry.failed for entry in edition.entries.values()),
            "current": shown is not None and shown.name == edition.name,
        }
        for edition in read
        if edition is not None
    ]
    if as_json:
        print_json(listed)
        return
    for one in listed:
        mark = "  <- current" if one["current"] else ""
        out.print(
            f"{one['edition']}  {one['window']}: {one['reports']} reports, "
            f"{one['failed']} failed{mark}",
            markup=False,
        )
    if not listed:
        out.print(f"{folder} has no edition yet.", markup=False)


@app.command("rollback")
def rollback_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[EDITION]", help="Default: the one before.", show_default=False),
    ] = None,
    out_dir: OutOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show an earlier edition again."""
    from analysis.files import locked
    from analysis.rendering.publishing import roll_back

    folder = read_settings(config, out=out_dir).out
    with locked(folder, "making reports"):
        shown = roll_back(folder, name)
    if as_json:
        print_json({"edition": shown})
    else:
        out.print(f"The reports of {shown} are shown again.", markup=False)
