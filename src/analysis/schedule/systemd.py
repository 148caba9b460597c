"""A service and a timer for systemd; installed for one user, without being root.

See the manual pages systemd.service, systemd.timer and systemd.exec. The protections that are set
need no right of root: where a user's manager cannot make one, it goes on without it. Others,
such as ``ProtectKernelModules``, would keep a user's service from starting at all.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from analysis.schedule.clock import DAYS, EVERY_DAY
from analysis.schedule.job import LOCKED, LONGEST_RUN_HOURS, Job

TEMPORARY = ("/tmp", "/var/tmp")
SERVICE = """\
# Written by coach schedule; `coach schedule systemd --remove` takes it away.
[Unit]
Description=Coach's Notebook: {name}

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart={command}
Environment={environment}
StandardOutput=append:{log}
StandardError=inherit
TimeoutStartSec={hours}h
# Another run at work is no failure.
SuccessExitStatus={locked}
Nice=10
# What is made is its owner's only, and nothing of the system can be changed.
UMask=0077
PrivateTmp={private_tmp}
NoNewPrivileges=yes
ProtectSystem=full
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
"""

TIMER = """\
# Written by coach schedule; `coach schedule systemd --remove` takes it away.
[Unit]
Description=Coach's Notebook: when {name} runs

[Timer]
OnCalendar={calendar}
# A run that was missed while the computer was off is made up for.
Persistent=true
AccuracySec=1min

[Install]
WantedBy=timers.target
"""


def service_unit(job: Job) -> str:
    """Return the text of the service."""
    return SERVICE.format(
        name=job.name,
        folder=_percent(job.folder),
        command=" ".join(_quoted(word, dollar="$$") for word in job.command),
        environment=" ".join(_quoted(f"{k}={v}") for k, v in job.environment.items()),
        log=_percent(job.log),
        hours=LONGEST_RUN_HOURS,
        locked=LOCKED,
        private_tmp="no" if _is_temporary(job) else "yes",
    )


def _is_temporary(job: Job) -> bool:
    """Return whether the job lies where a private folder for temporary files would hide it."""
    paths = [PurePosixPath(path) for path in (job.folder, job.out, job.command[0])]
    return any(path.is_relative_to(folder) for path in paths for folder in TEMPORARY)


def timer_unit(job: Job) -> str:
    """Return the text of the timer."""
    return TIMER.format(name=job.name, calendar=calendar(job))


def calendar(job: Job) -> str:
    """Return the times as systemd writes them, by the local clock.

    Examples
    --------
    >>> from analysis.schedule.clock import parse_times
    >>> calendar(Job("n", ("/c",), "/d", "/r", parse_times("05:30", "mon,wed")))
    'Mon,Wed *-*-* 05:30:00'
    """
    times = job.times
    days = [DAYS[day].capitalize() for day in sorted(times.days)]
    named = "" if times.days == EVERY_DAY else ",".join(days) + " "
    return f"{named}*-*-* {times.at:%H:%M:%S}"


def _quoted(word: str, dollar: str = "$") -> str:
    """Return a word between quotes; ``%`` and ``$`` would be replaced by systemd."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", dollar)
    return f'"{_percent(escaped)}"'


def _percent(text: str) -> str:
    return text.replace("%", "%%")
