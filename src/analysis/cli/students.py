"""``coach students``: each learner's own page, and the letter to the family."""

from __future__ import annotations

from typing import Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, OutOption, StoreOption, app
from analysis.cli.report import run_order
from analysis.settings import read_settings


@app.command("students")
def students_command(
    window: Annotated[str, typer.Option("--window", help="Assessment window to report on.")],
    classroom_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLASSROOM]...", help="Classrooms; default: all."),
    ] = None,
    families: Annotated[
        bool, typer.Option("--families", help="Letters to families in place of students' pages.")
    ] = False,
    out_dir: OutOption = None,
    language: Annotated[
        str | None, typer.Option("--language", help="en or es.", show_default=False)
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also print each classroom's file.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also where nothing changed.")] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Only those that failed the last time.")
    ] = False,
    why: Annotated[bool, typer.Option("--why", help="Say why each page is made.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes at work.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a page for each student: one file a classroom to print, one a student to share."""
    from analysis.rendering.kinds import FAMILIES, STUDENTS
    from analysis.rendering.plan import Order

    settings = read_settings(config, store=store, out=out_dir, language=language, workers=workers)
    kind = FAMILIES if families else STUDENTS
    order = Order(window, classroom_ids or None, force, only_failed, kind=kind)
    run_order(settings, order, pdf=pdf, why=why, dry_run=dry_run, as_json=as_json)
