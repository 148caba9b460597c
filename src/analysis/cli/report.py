"""``coach report``: the pages of an edition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from analysis.cli.app import (
    ConfigOption,
    JsonOption,
    OutOption,
    StoreOption,
    app,
    err,
    out,
    print_json,
)
from analysis.settings import Settings, read_settings

if TYPE_CHECKING:
    from analysis.rendering.plan import Order
    from analysis.rendering.runner import RunSummary

SOME_FAILED = 1


@app.command("report")
def report_command(
    window: Annotated[str, typer.Option("--window", help="Assessment window to report on.")],
    classroom_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CLASSROOM]...", help="Classrooms (with --caseload: coaches); default: all."
        ),
    ] = None,
    out_dir: OutOption = None,
    language: Annotated[
        str | None, typer.Option("--language", help="en or es.", show_default=False)
    ] = None,
    caseload: Annotated[
        bool,
        typer.Option("--caseload", help="The coach's page over all classrooms instead."),
    ] = False,
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
    fetch_from: Annotated[
        str | None,
        typer.Option("--fetch-from", help="A store elsewhere, s3://…", show_default=False),
    ] = None,
    deliver_to: Annotated[
        str | None,
        typer.Option("--deliver-to", help="Put the edition there too.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Render one HTML report for each classroom, and an index of them.

    With --caseload, one page for each coach, in a folder of its own.
    """
    from analysis.rendering.kinds import CASELOADS, CLASSROOMS
    from analysis.rendering.plan import Order

    # The log of visits lies on this machine, and so does what is kept for the coach alone.
    engine = "pool" if caseload else engine
    settings = read_settings(
        config, store=store, out=out_dir, workers=workers, language=language, keep=keep,
        engine=engine, scheduler=scheduler, fetch_from=fetch_from, deliver_to=deliver_to,
    )  # fmt: skip
    kind = CASELOADS if caseload else CLASSROOMS
    order = Order(window, classroom_ids or None, force, only_failed, recalibrate, kind)
    run_order(settings, order, pdf=pdf, why=why, dry_run=dry_run, as_json=as_json)


def run_order(
    settings: Settings,
    order: Order,
    *,
    pdf: bool = False,
    why: bool = False,
    dry_run: bool = False,
    as_json: bool = False,
) -> None:
    """Make the pages that are ordered, and say what was done.

    Raises
    ------
    typer.Exit
        Some pages failed.
    """
    from analysis.rendering.orders import fill_order, plan_order

    says_why = why and not as_json
    if dry_run:
        summary = plan_order(settings, order)
        if says_why:
            _print_reasons(summary)
    else:
        with _progress(shown=not as_json) as (count, on_done):

            def on_plan(plan: RunSummary) -> None:
                if says_why:
                    _print_reasons(plan)
                count(len(plan.planned))

            summary = fill_order(
                settings,
                order,
                pdf=pdf,
                on_plan=on_plan,
                on_done=on_done,
            )
    if as_json:
        print_json(asdict(summary))
    elif dry_run:
        _print_plan(summary)
    else:
        _print_reports(summary)
    if summary.failed:
        raise typer.Exit(SOME_FAILED)


@contextmanager
def _progress(*, shown: bool) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    columns = TextColumn("Reports"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=err, disable=not shown, transient=True) as progress:
        task = progress.add_task("reports", total=None)
        yield (
            lambda n: progress.update(task, total=n),
            lambda page_id: progress.advance(task),
        )


def _print_reasons(summary: RunSummary) -> None:
    for page_id, reasons in summary.reasons.items():
        out.print(f"{page_id}: {'; '.join(reasons)}", markup=False)


def _print_plan(summary: RunSummary) -> None:
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


def _print_calibration(summary: RunSummary) -> None:
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


def _print_reports(summary: RunSummary) -> None:
    for failure in summary.failed:
        out.print(f"Failed: {failure['page_id']}: {failure['problem']}", markup=False)
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
