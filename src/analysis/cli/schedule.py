"""``coach schedule``: reports that make themselves."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli.app import ConfigOption, JsonOption, OutOption, app, err, out, print_json
from analysis.errors import UsageError
from analysis.settings import read_settings

if TYPE_CHECKING:
    from analysis.schedule import Job, Times


class Kind(StrEnum):
    """Who starts the command."""

    CRON = "cron"
    SYSTEMD = "systemd"
    WINDOWS = "windows"
    GITHUB = "github"


@app.command("schedule")
def schedule_command(
    kind: Annotated[Kind, typer.Argument(help="Who starts it.", show_default=False)],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND]...",
            help="The coach command to start, after --; default: run --config coach.toml.",
        ),
    ] = None,
    at: Annotated[str, typer.Option("--at", help="Time of day, by the local clock.")] = "05:30",
    days: Annotated[
        str, typer.Option("--days", help="Days, as in mon-fri, tue,thu or daily.")
    ] = "mon-fri",
    install: Annotated[
        bool, typer.Option("--install", help="Put it in place; without this it is only shown.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away again.")] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Folder to write the files into.", show_default=False),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="Tells several schedules apart.")
    ] = "coach-reports",
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone", help="For GitHub; default: this computer's.", show_default=False
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="With github: a workflow for the demo alone.")
    ] = False,
    as_json: JsonOption = False,
    out_dir: OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Write a schedule for cron, systemd, Windows or GitHub; with --install, put it in place."""
    from analysis.schedule import install as put_in_place
    from analysis.schedule import make_job, parse_times
    from analysis.schedule import remove as take_away

    if demo and kind is not Kind.GITHUB:
        raise UsageError("--demo is a workflow of GitHub's.\nUse coach schedule github --demo.")
    settings = read_settings(config, out=out_dir and out_dir.absolute())
    times = parse_times(at, days)
    # A run finds everything from where its settings are; another command, from here.
    folder = Path.cwd() if words or config is None else config.resolve().parent
    if words:
        _check_command(words[0])
    asked = words or ([] if demo or remove else _run_words(config))
    job = make_job(asked, times, out=folder / settings.out, name=name, folder=folder)
    zone = _zone(timezone) if kind is Kind.GITHUB and not remove else ""
    said: dict[str, Any] = {"name": name, "kind": kind.value}
    if remove:
        said["removed"] = take_away(kind.value, job)
        says = "It was taken away." if said["removed"] else "There was none."
    elif install:
        _warn(times, kind)
        says = said["installed"] = put_in_place(kind.value, job, zone=zone, demo=demo)
    else:
        _warn(times, kind)
        _show(kind, job, zone, demo, to, said, as_json)
        return
    if as_json:
        print_json(said)
    else:
        out.print(says, markup=False)


def _run_words(config: Path | None) -> list[str]:
    """Return the words that start the whole run with the settings in force here."""
    file = config or Path("coach.toml")
    if not file.is_file():
        raise UsageError(
            f"{file} is not there, and what runs by the clock takes its settings from a file.\n"
            "Write one, or say which command to start: coach schedule cron -- report --window W"
        )
    return ["run", "--config", str(file.resolve())]


def _check_command(command: str) -> None:
    """Refuse what would fail every night with nobody there to see it."""
    known = sorted(str(one.name) for one in app.registered_commands)
    if command not in known:
        raise UsageError(f"coach has no command {command!r}.\nIt has: {', '.join(known)}.")


def _zone(given: str | None) -> str:
    from analysis.schedule.clock import local_zone

    if zone := given or local_zone():
        return zone
    raise UsageError(
        "This computer's time zone has no name, and GitHub's clock is UTC.\n"
        "Say it: --timezone America/New_York"
    )


def _warn(times: Times, kind: Kind) -> None:
    if times.is_unsteady and kind is not Kind.GITHUB:
        err.print(
            f"{times.clock_words} is skipped or comes twice on the nights the clocks change; "
            "before 01:00 or from 04:00 on it does not.",
            markup=False,
        )


def _show(
    kind: Kind,
    job: Job,
    zone: str,
    demo: bool,
    to: Path | None,
    said: dict[str, Any],
    as_json: bool,
) -> None:
    from analysis.files import write_whole
    from analysis.schedule import files_of

    files = files_of(kind.value, job, zone=zone, demo=demo)
    if to:
        for file, content in files.items():
            write_whole(to / file, content)
        said["files"] = [str(to / file) for file in files]
    else:
        said["files"] = {file: _text_of(content) for file, content in files.items()}
    if as_json:
        print_json(said)
    elif to:
        for file in said["files"]:
            out.print(file, markup=False)
    else:
        for text in said["files"].values():
            sys.stdout.write(text + "\n")


def _text_of(content: bytes) -> str:
    is_utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return content.decode("utf-16" if is_utf16 else "utf-8").rstrip("\n")
