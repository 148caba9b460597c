"""``coach import``: read exports, say what was understood."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis.cli.app import ConfigOption, JsonOption, StoreOption, app, err, out, print_json
from analysis.errors import DataError
from analysis.settings import read_settings

MOST_NOTES_SHOWN = 8


@app.command("import")
def import_command(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)],
    window: Annotated[
        str | None, typer.Option("--window", help="Assessment window of files that name none.")
    ] = None,
    attempts: Annotated[
        str, typer.Option("--attempts", help="Of repeated answers: latest, best or all.")
    ] = "latest",
    item_map: Annotated[
        Path | None, typer.Option("--item-map", help="CSV: question,standard,answer,points.")
    ] = None,
    column_map: Annotated[
        Path | None, typer.Option("--map", help="TOML: which column is what.")
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option("--aliases", help="CSV: a vendor's skill names and skill ids.")
    ] = None,
    platform: Annotated[
        str | None, typer.Option("--platform", help="Where the files come from, if not seen.")
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep-subgroups",
            help="Roster columns to keep for the coach's page alone, with commas between.",
            show_default=False,
        ),
    ] = None,
    propose_map: Annotated[
        bool, typer.Option("--propose-map", help="Print a column map to mend; import nothing.")
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Read exports into the store; say what was understood and what was set aside."""
    settings = read_settings(config, store=store)
    if propose_map:
        from analysis.exports.column_map import propose_map as propose

        sys.stdout.write(propose(paths))
        return
    from analysis.district import import_exports
    from analysis.store import Store

    imported = import_exports(
        paths,
        Store(settings.store),
        window=window,
        attempts=attempts,
        item_map=item_map,
        column_map=column_map,
        aliases=aliases,
        platform=platform,
        keep=settings.keep_subgroups if keep is None else keep.split(","),
    )
    summary = imported.summary()
    if as_json:
        print_json(summary)
    else:
        _print_import(summary, settings.store)
    if summary["refused"]:
        raise typer.Exit(DataError.exit_code)


def _print_import(summary: dict[str, Any], store: Path) -> None:
    out.print(
        f"{summary['rows_read']} rows read, {summary['rows_used']} used, "
        f"{len(summary['rows_set_aside'])} set aside: "
        f"{summary['students']} students, {summary['skills']} skills in {store}"
    )
    for aside in summary["rows_set_aside"][:MOST_NOTES_SHOWN]:
        where = ", ".join(str(aside[part]) for part in ("file", "sheet") if aside.get(part))
        out.print(
            f"  set aside: {where}, row {aside['row']}: {aside['reason']} {aside['mend']}",
            markup=False,
        )
    _print_rest(len(summary["rows_set_aside"]))
    for note in summary["notes"][:MOST_NOTES_SHOWN]:
        out.print(f"  note: {note}", markup=False)
    _print_rest(len(summary["notes"]))
    for refused in summary["refused"]:
        err.print(refused["message"], markup=False)


def _print_rest(n: int) -> None:
    if n > MOST_NOTES_SHOWN:
        out.print(f"  and {n - MOST_NOTES_SHOWN} more; --json lists all")
