"""``coach visit``: a line in the coach's log."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, app, out, print_json
from analysis.settings import read_settings


@app.command("visit")
def visit_command(
    classroom_id: Annotated[str, typer.Argument(metavar="CLASSROOM", help="Who was visited.")],
    goal: Annotated[str | None, typer.Option("--goal", help="In a few words.")] = None,
    skill: Annotated[
        str | None, typer.Option("--skill", help="Skill of a cycle's goal, by its id.")
    ] = None,
    target: Annotated[
        int | None, typer.Option("--target", min=1, help="Students who are to hold it then.")
    ] = None,
    due: Annotated[
        datetime | None,
        typer.Option("--due", formats=["%Y-%m-%d"], help="Last day of the cycle."),
    ] = None,
    next_step: Annotated[str | None, typer.Option("--next", help="What you agreed on.")] = None,
    result: Annotated[str | None, typer.Option("--result", help="What came of it.")] = None,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Default: today.")
    ] = None,
    log: Annotated[Path | None, typer.Option("--log", help="The log.", show_default=False)] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Add a visit to the log, a plain CSV file; a skill and a target open a coaching cycle."""
    from analysis.visits import add_visit, read_visits

    file = log or read_settings(config).visits
    visit = {
        "date": on.date() if on else date.today(),
        "classroom_id": classroom_id,
        "goal": goal,
        "skill_id": skill,
        "target": target,
        "due": due.date() if due else None,
        "next_step": next_step,
        "result": result,
    }
    add_visit(file, visit)
    summary = {"log": str(file), "visits": len(read_visits(file))}
    if as_json:
        print_json(summary)
    else:
        out.print(f"{summary['visits']} visits in {file}", markup=False)
