"""``coach forget``: one student everywhere, or what is older than the rule allows."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis.forgetting.student import Places, Touched

from analysis.cli.app import ConfigOption, JsonOption, OutOption, StoreOption, app, out, print_json
from analysis.errors import UsageError
from analysis.settings import read_settings

SOME_LEFT = 1


@app.command("forget")
def forget_command(
    student_id: Annotated[
        str | None, typer.Argument(metavar="[STUDENT]", help="Id of the student.")
    ] = None,
    keep_days: Annotated[
        int | None,
        typer.Option("--keep-days", min=0, help="Remove what is older.", show_default=False),
    ] = None,
    exports: Annotated[
        bool, typer.Option("--exports", help="Also from exports: tables and texts.")
    ] = False,
    delete_files: Annotated[
        bool, typer.Option("--delete-files", help="Delete workbooks and ZIPs with the student.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be touched, and touch nothing.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of exports and plans.", show_default=False),
    ] = None,
    out_dir: OutOption = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove one student from store, plans, runs and editions; or what is too old."""
    from analysis.forgetting.student import Places

    settings = read_settings(config, store=store, out=out_dir)
    places = Places(settings.store, data or settings.store.parent, settings.out)
    if keep_days is not None and student_id is None:
        _forget_older(keep_days, places, exports=exports, dry_run=dry_run, as_json=as_json)
        return
    if student_id is None or keep_days is not None:
        raise UsageError("Say whom to forget, or --keep-days and how many; not both.")
    from analysis.forgetting.student import forget_student

    touched = forget_student(
        student_id, places, exports=exports, delete_files=delete_files, dry_run=dry_run
    )
    if as_json:
        print_json(asdict(touched))
    else:
        _print_touched(touched, dry_run=dry_run)
    if touched.remaining and not dry_run:
        raise typer.Exit(SOME_LEFT)


def _forget_older(
    keep_days: int, places: Places, *, exports: bool, dry_run: bool, as_json: bool
) -> None:
    from analysis.forgetting.retention import forget_older

    expired = forget_older(keep_days, places, exports=exports, dry_run=dry_run)
    if as_json:
        print_json(asdict(expired))
        return
    would = "would be removed" if dry_run else "removed"
    out.print(
        f"Older than {keep_days} days, {would}: {len(expired.editions)} editions, "
        f"{len(expired.windows)} windows of the store, {len(expired.exports)} exports."
    )
    for what, why in expired.remaining.items():
        out.print(f"  still there: {what}: {why}", markup=False)


def _print_touched(touched: Touched, *, dry_run: bool) -> None:
    would = "Would be touched" if dry_run else "Touched"
    out.print(f"{would}: {touched.store_rows} rows of the store.")
    for folder, n in touched.editions.items():
        out.print(f"  {folder}: {n} pages withdrawn", markup=False)
    for file in touched.edited:
        out.print(f"  {file}: the student taken out", markup=False)
    for file in touched.deleted:
        out.print(f"  {file}: deleted", markup=False)
    for file, why in touched.remaining.items():
        out.print(f"  still holds the student: {file}: {why}", markup=False)
    if touched.editions and not dry_run:
        out.print("Next: coach report, to make the withdrawn pages again.")
    out.print("Copies that were sent or saved elsewhere are not reached.")
