"""What all commands share: the application, their common options, how they say things."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

app = typer.Typer(
    help="Groups of students who need the same next skill, and a report for every teacher.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

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


def print_json(summary: dict[str, Any] | list[Any]) -> None:
    """Print what a program reads."""
    sys.stdout.write(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
