"""The command line: ``coach import``, ``coach report``, ``coach lab``, ``coach demo``.

Exit codes: 0 all good · 1 some classrooms failed · 2 usage · 3 bad data · 4 another run
holds the lock · 5 stopped.
"""

from __future__ import annotations

import signal
import sys

from analysis.cli import (
    audit,
    demo,
    doctor,
    editions,
    forget,
    importing,
    lab,
    report,
    run,
    schedule,
    share,
    students,
    visit,
)
from analysis.cli.app import app, err
from analysis.errors import AnalysisError, StoppedError

COMMANDS = (
    *(demo, importing, lab, report, students, editions, share, audit),
    *(run, schedule, doctor, forget, visit),
)
"""In the order of the help; each module adds its command to the application."""


def main() -> None:
    """Run the command line; an error a user can mend is one plain message and a code."""
    for asked_to_stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked_to_stop, _stop)
    try:
        app()
    except AnalysisError as error:
        err.print(str(error), markup=False)
        sys.exit(error.exit_code)


def _stop(signum: int, frame: object) -> None:
    raise StoppedError("Stopped. Nothing half-made was published.")
