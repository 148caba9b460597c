"""The command line: ``coach import``, ``coach report``, ``coach demo``.

Exit codes: 0 all good · 1 some classrooms failed · 2 usage · 3 bad data · 4 another run
holds the lock · 5 stopped.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from analysis.errors import AnalysisError, DataError, StoppedError
from analysis.settings import read_settings

app = typer.Typer(
    help="Groups of students who need the same next skill, and a report for every teacher.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

SOME_FAILED = 1
MOST_NOTES_SHOWN = 8

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="Folder of the imported data.", show_default=False)
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file.", show_default=False)
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder to publish in.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


@app.command("demo")
def demo_command(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder to write the files to.")],
    classrooms: Annotated[int, typer.Option("--classrooms", min=1, help="How many.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another district.")] = 2026,
    as_json: JsonOption = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Write a simulated district's exports: invented students, known truth."""
    from analysis.simulation import simulate_district, write_district

    settings = read_settings(config, store=store)
    district = simulate_district(classrooms, random_state=seed)
    files = write_district(district, out_dir)
    summary = {
        "out": str(out_dir),
        "files": [file.name for file in files],
        "classrooms": district.roster["classroom_id"].nunique(),
        "students": district.roster["student_id"].nunique(),
    }
    if as_json:
        _print_json(summary)
        return
    out.print(
        f"{summary['students']} invented students in {summary['classrooms']} classrooms: "
        f"{len(files)} files in {out_dir}"
    )
    out.print(f"Next: coach import {out_dir} --store {settings.store}")


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

        sys.stdout.write("".join(propose(path) for path in paths))
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
    )
    summary = imported.summary()
    if as_json:
        _print_json(summary)
    else:
        _print_import(summary, settings.store)
    if summary["refused"]:
        raise typer.Exit(DataError.exit_code)


@app.command("report")
def report_command(
    window: Annotated[str, typer.Option("--window", help="Assessment window to report on.")],
    classroom_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLASSROOM]...", help="Classrooms; default: all."),
    ] = None,
    out_dir: OutOption = None,
    language: Annotated[
        str | None, typer.Option("--language", help="en or es.", show_default=False)
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also print each page as a PDF.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also where nothing changed.")] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Only those that failed the last time.")
    ] = False,
    recalibrate: Annotated[
        bool, typer.Option("--recalibrate", help="Calibrate on everybody first.")
    ] = False,
    why: Annotated[bool, typer.Option("--why", help="Say why each report is made.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    keep: Annotated[
        int | None, typer.Option("--keep", min=0, help="Editions to keep.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes at work.", show_default=False)
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="pool or dask.", show_default=False)
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="A Dask cluster, tcp://…", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Render one HTML report for each classroom, and an index of them."""
    from analysis.rendering.plan import Order
    from analysis.rendering.runner import plan_reports, render_reports
    from analysis.store import StoreIndex

    settings = read_settings(
        config, store=store, out=out_dir, workers=workers, language=language, keep=keep,
        engine=engine, scheduler=scheduler,
    )  # fmt: skip
    order = Order(window, classroom_ids or None, force, only_failed, recalibrate)
    index = StoreIndex(settings.store)
    say_plan = _print_reasons if why and not as_json else lambda summary: None
    if dry_run:
        summary = plan_reports(index, settings, order)
        say_plan(summary)
    else:
        with _progress(shown=not as_json) as (on_plan, on_done):
            summary = render_reports(
                index,
                settings,
                order,
                on_plan=lambda plan: (say_plan(plan), on_plan(len(plan.planned))),
                on_done=on_done,
            )
        if pdf and summary.index:
            from analysis.rendering.printing import print_edition

            print_edition(Path(summary.index).parent)
    if as_json:
        _print_json(asdict(summary))
    elif dry_run:
        _print_plan(summary)
    else:
        _print_reports(summary)
    if summary.failed:
        raise typer.Exit(SOME_FAILED)


@app.command("editions")
def editions_command(
    out_dir: OutOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """List the published editions, oldest first."""
    from analysis.rendering.edition import current_folder, list_editions, read_edition

    folder = read_settings(config, out=out_dir).out
    shown = current_folder(folder)
    editions = [read_edition(folder / "editions" / name) for name in list_editions(folder)]
    listed = [
        {
            "edition": edition.name,
            "window": edition.window,
            "reports": sum(entry.file is not None for entry in edition.entries.values()),
            "failed": sum(entry.failed for entry in edition.entries.values()),
            "current": shown is not None and shown.name == edition.name,
        }
        for edition in editions
    ]
    if as_json:
        _print_json(listed)
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
    from analysis.rendering.edition import roll_back

    folder = read_settings(config, out=out_dir).out
    with locked(folder, "making reports"):
        shown = roll_back(folder, name)
    if as_json:
        _print_json({"edition": shown})
    else:
        out.print(f"The reports of {shown} are shown again.", markup=False)


def main() -> None:
    """Run the command line; an error a user can mend is one plain message and a code."""
    for asked_to_stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked_to_stop, _stop)
    try:
        app()
    except AnalysisError as error:
        err.print(str(error), markup=False)
        sys.exit(error.exit_code)


def _stop(signum: int, frame: object) -> None:
    raise StoppedError("Stopped. Nothing half-made was published.")


@contextmanager
def _progress(*, shown: bool) -> Iterator[tuple]:
    columns = TextColumn("Reports"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=err, disable=not shown, transient=True) as progress:
        task = progress.add_task("reports", total=None)
        yield (
            lambda n: progress.update(task, total=n),
            lambda classroom_id: progress.advance(task),
        )


def _print_json(summary: dict) -> None:
    sys.stdout.write(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")


def _print_import(summary: dict, store: Path) -> None:
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


def _print_reasons(summary) -> None:
    for classroom_id, reasons in summary.reasons.items():
        out.print(f"{classroom_id}: {'; '.join(reasons)}", markup=False)


def _print_plan(summary) -> None:
    out.print(
        f"{len(summary.planned)} reports to make, {len(summary.resumed)} made by a stopped run, "
        f"{len(summary.unchanged)} unchanged. About {_duration(summary.estimated_seconds)}."
    )
    for window, told in summary.calibration.items():
        if told["due"]:
            out.print(
                f"{window} will be calibrated anew first: {told['share_changed']:.1%} of its "
                "evidence changed. All its reports may then change.",
                markup=False,
            )


def _print_calibration(summary) -> None:
    told = summary.calibration[summary.window]
    if told["renewed"]:
        out.print(f"Calibrated on all classrooms of {summary.window}.", markup=False)
    else:
        out.print(
            f"Calibration of {told['made_on']} in force; {told['share_changed']:.1%} of its "
            "evidence changed since.",
            markup=False,
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _print_reports(summary) -> None:
    for failure in summary.failed:
        out.print(f"Failed: {failure['classroom_id']}: {failure['problem']}", markup=False)
    if summary.without_evidence:
        named = ", ".join(summary.without_evidence)
        out.print(f"No evidence in {summary.window}: {named}", markup=False)
    resumed = f"{len(summary.resumed)} made by a stopped run, " if summary.resumed else ""
    out.print(
        f"{len(summary.rendered)} reports made, {resumed}{len(summary.unchanged)} unchanged, "
        f"{len(summary.failed)} failed."
    )
    _print_calibration(summary)
    if summary.removed_orphans:
        out.print(f"Unfinished editions of stopped runs removed: {summary.removed_orphans}.")
    if summary.removed_editions:
        out.print(f"Old editions removed: {', '.join(summary.removed_editions)}.", markup=False)
    if summary.index:
        out.print(f"Index: {summary.index}", markup=False)
