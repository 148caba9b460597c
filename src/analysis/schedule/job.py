"""What a schedule starts: the same command everywhere, without anything left to chance.

A scheduler starts a program with a bare environment, in another folder, and nobody looks
on. So every path is absolute, the environment is named, and what is said goes to a log
for its owner only.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from analysis.errors import UsageError
from analysis.schedule.clock import Times

NAME = "coach-reports"
LOG = "schedule.log"
SYSTEM_PATH = ["/usr/local/bin", "/usr/bin", "/bin"]
LONGEST_RUN_HOURS = 6
"""Hours after which a run is ended: it would be in the way of the next one."""
LOCKED = 4
"""Exit code when another run is at work: no failure of the schedule."""


@dataclass(frozen=True)
class Job:
    """A command with everything it needs, as text of the system it will run on.

    Parameters
    ----------
    name
        Tells schedules apart: lower-case letters, digits and dashes.
    command
        Program and words; the program's path is absolute.
    folder
        Working folder; relative paths of the settings start here.
    out
        Where reports are published; the log lies there.
    times
        When to start.
    environment
        Variables the command needs.
    """

    name: str
    command: tuple[str, ...]
    folder: str
    out: str
    times: Times
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise UsageError(
                f"--name {self.name}: not a name for a schedule.\n"
                "Use lower-case letters, digits and dashes, as in coach-reports."
            )
        texts = [*self.command, self.folder, self.out, *self.environment.values()]
        if broken := [text for text in texts if not text.isprintable()]:
            raise UsageError(
                f"{broken[0]!r} holds a sign that cannot stand in a schedule, such as a line end.\n"
                "Rename the folder or the file."
            )

    @property
    def log(self) -> str:
        """Path of the log, beside the reports."""
        is_windows = re.match(r"[A-Za-z]:\\", self.out)
        return str((PureWindowsPath if is_windows else PurePosixPath)(self.out) / LOG)


def make_job(
    words: Sequence[str],
    times: Times,
    *,
    out: Path,
    name: str = NAME,
    folder: Path | None = None,
) -> Job:
    """Return a job of this computer, run as the caller would run it now.

    Parameters
    ----------
    words
        What follows ``coach``, as in ``["run", "--config", "/home/ana/coach.toml"]``.
    times
        When to start.
    out
        Where reports are published.
    name
        Tells schedules apart.
    folder
        Working folder; ``None``: the present one.

    Raises
    ------
    UsageError
        The program is not installed beside this Python, or a path holds a line end.
    """
    return Job(
        name=name,
        command=(str(find_program()), *words),
        folder=str((folder or Path.cwd()).resolve()),
        out=str(out.resolve()),
        times=times,
        environment=_environment(),
    )


def find_program() -> Path:
    """Return the path of ``coach`` beside the Python that is running.

    Raises
    ------
    UsageError
        It is not there.
    """
    # Not resolved: the link inside an environment leads out of it.
    scripts = Path(sys.executable).absolute().parent
    found = shutil.which("coach", path=str(scripts))
    if found is None:
        raise UsageError(
            f"{scripts} has no program coach, which a schedule could start.\n"
            "Install the package there: pip install -e ."
        )
    return Path(found)


def _environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).absolute().parent)
    # The first is what the caller's own run uses; a scheduler would not know it.
    own = os.environ.get("PYTHONPATH", "")
    paths = os.pathsep.join(str(Path(one).resolve()) for one in own.split(os.pathsep) if one)
    return {
        "LANG": "C.UTF-8",
        "PATH": ":".join([scripts, *(one for one in SYSTEM_PATH if one != scripts)]),
    } | ({"PYTHONPATH": paths} if paths else {})


def shell_line(job: Job) -> str:
    """Return the job as one line for ``/bin/sh``, what it says added to the log.

    Examples
    --------
    >>> from analysis.schedule.clock import parse_times
    >>> job = Job("n", ("/opt/coach", "run"), "/data/Ms. Li", "/r", parse_times("5:30", "daily"))
    >>> shell_line(job)
    "cd '/data/Ms. Li' && umask 077 && mkdir -p /r && /opt/coach run >>/r/schedule.log 2>&1"
    """
    variables = [f"{name}={shlex.quote(value)}" for name, value in job.environment.items()]
    return (
        f"cd {shlex.quote(job.folder)} && umask 077 && mkdir -p {shlex.quote(job.out)} && "
        f"{' '.join([*variables, shlex.join(job.command)])} >>{shlex.quote(job.log)} 2>&1"
    )
