"""Reports that make themselves: what each system needs to start the command by the clock.

::

    clock        when: 05:30, mon-fri; when it was due last; the same in UTC
    job          what is started: program, words, folder, log, environment
    cron         a line between two marks of the crontab
    systemd      a service and a timer
    windows      a task for the Task Scheduler
    github       a workflow; for the demo, or for a machine of your own
    installing   puts one of them in place, takes it away again
    record       what was installed, so that `coach doctor` knows when a run was due
"""

from analysis.schedule.clock import Times, parse_times
from analysis.schedule.installing import KINDS, files_of, install, remove
from analysis.schedule.job import Job, make_job
from analysis.schedule.record import read_records

__all__ = [
    "KINDS", "Job", "Times", "files_of", "install", "make_job", "parse_times", "read_records",
    "remove",
]  # fmt: skip
