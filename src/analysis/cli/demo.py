"""``coach demo``: a simulated district's exports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, StoreOption, app, out, print_json
from analysis.settings import read_settings


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
        print_json(summary)
        return
    out.print(
        f"{summary['students']} invented students in {summary['classrooms']} classrooms: "
        f"{len(files)} files in {out_dir}"
    )
    out.print(f"Next: coach import {out_dir} --store {settings.store}")
