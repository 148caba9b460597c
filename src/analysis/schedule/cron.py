"""A line for cron, between two marks of the crontab; every other line stays as it is.

Cron starts a command with ``/bin/sh`` and takes a ``%`` for the end of a line unless a
backslash stands before it (crontab(5)).
"""

from __future__ import annotations

from analysis.errors import UsageError
from analysis.schedule.job import Job, shell_line

LONGEST_COMMAND = 998
"""Signs a command may have: Debian's cron refuses a crontab with a longer one."""


def cron_line(job: Job) -> str:
    r"""Return the line of the crontab.

    Raises
    ------
    UsageError
        It would be longer than cron takes.

    Examples
    --------
    >>> from analysis.schedule.clock import parse_times
    >>> job = Job("n", ("/opt/coach", "run"), "/50%", "/r", parse_times("5:30", "mon-fri"))
    >>> print(cron_line(job))
    30 5 * * 1-5 cd /50\% && umask 077 && mkdir -p /r && /opt/coach run >>/r/schedule.log 2>&1
    """
    command = _escape_percent(shell_line(job))
    if len(command.encode()) > LONGEST_COMMAND:
        raise UsageError(
            f"The command is {len(command.encode())} signs long and cron takes "
            f"{LONGEST_COMMAND}.\nMove the folder to a shorter path, or use systemd."
        )
    return f"{job.times.cron_fields()} {command}"


def _escape_percent(line: str) -> str:
    # A backslash of the path itself is parted from the sign, or cron would take it away.
    # Such a path stands between single quotes, where two more quotes say nothing.
    return line.replace("\\%", "\\''%").replace("%", "\\%")


def with_job(crontab: str, job: Job) -> str:
    r"""Return the crontab with the job in it, once, in its old place or at the end.

    Raises
    ------
    UsageError
        A mark of ours has lost its partner; see :func:`without_job`.

    Examples
    --------
    >>> from analysis.schedule.clock import parse_times
    >>> job = Job("n", ("/opt/coach", "run"), "/d", "/r", parse_times("5:30", "daily"))
    >>> once = with_job("0 1 * * * /opt/other\n", job)
    >>> with_job(once, job) == once
    True
    """
    block = [_begin(job.name), cron_line(job), _end(job.name)]
    before, after = _parts(crontab, job.name)
    lines = [*before, *block, *after]
    return "".join(line + "\n" for line in lines)


def without_job(crontab: str, name: str) -> str:
    """Return the crontab without the job; the same text where there is none.

    Raises
    ------
    UsageError
        A mark of ours has lost its partner: what lies between cannot be told.
    """
    if not holds_job(crontab, name):
        return crontab
    before, after = _parts(crontab, name)
    return "".join(line + "\n" for line in [*before, *after])


def holds_job(crontab: str, name: str) -> bool:
    """Return whether the crontab has the job."""
    return _begin(name) in crontab.split("\n")


def _begin(name: str) -> str:
    return f"# >>> {name}: written by coach schedule, replaced as a whole >>>"


def _end(name: str) -> str:
    return f"# <<< {name} <<<"


def _parts(crontab: str, name: str) -> tuple[list[str], list[str]]:
    """Return the lines before and after the job's block; all before where there is none."""
    lines = crontab.removesuffix("\n").split("\n") if crontab else []
    marks = [line for line in lines if line in (_begin(name), _end(name))]
    if marks != [_begin(name), _end(name)][: len(marks)] or len(marks) == 1:
        raise UsageError(
            f"The marks of {name} in the crontab do not come as one pair: a line was lost.\n"
            "Delete what is left of them with crontab -e, then try again."
        )
    if not marks:
        return lines, []
    return lines[: lines.index(_begin(name))], lines[lines.index(_end(name)) + 1 :]
