"""Workflows for GitHub Actions: one for a machine of your own, one for the demo.

Student records never go to GitHub: not into the repository, not into an artifact, not into
the log of a run. So the workflow for real data starts the command on a machine of the
district's own, fetches nothing, uploads nothing and keeps what is said in a private file.
The workflow that uploads pages is the demo's, whose students are invented.
"""

from __future__ import annotations

from analysis.errors import UsageError
from analysis.schedule.clock import Times, changes_clocks
from analysis.schedule.job import LONGEST_RUN_HOURS, Job, shell_line

OWN_MACHINE = """\
# Written by coach schedule. Read docs/scheduling.md before you use it.
# - Only in a private repository: whoever can propose a change to a public one can run
#   commands on your machine.
# - Only on a machine of your own where Coach's Notebook is installed (self-hosted runner).
# - Nothing is fetched or uploaded, and what the run says stays in a file of that machine:
#   GitHub learns when it ran and whether it went well, and nothing about a student.
name: "{name}"

on:
  schedule:
    # {clock_note}
    - cron: "{cron}"
  workflow_dispatch:

permissions: {{}}

concurrency:
  group: "{name}"
  cancel-in-progress: false

jobs:
  reports:
    runs-on: [self-hosted, linux]
    timeout-minutes: {minutes}
    steps:
      - name: Make the reports
        shell: sh
        run: |
          {line}
"""

DEMO = """\
# Written by coach schedule: the reports of the demo, whose students are invented.
# Never point this one at real data. Its pages become an artifact of the run, which
# everybody who can read the repository can download.
name: "{name}-demo"

on:
  schedule:
    # {clock_note}
    - cron: "{cron}"
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: "{name}-demo"
  cancel-in-progress: false

jobs:
  demo:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - name: Make the demo's reports
        run: make reports
      - uses: actions/upload-artifact@v4
        with:
          name: demo-reports
          path: reports/editions/
          retention-days: 7
          if-no-files-found: error
"""


def own_machine_workflow(job: Job, zone: str) -> str:
    """Return the workflow that starts the job on a machine of one's own.

    Parameters
    ----------
    job
        With paths of that machine.
    zone
        Time zone of the job's times, as in ``America/New_York``.

    Raises
    ------
    UsageError
        There is no such time zone, or a path holds an expression of GitHub's.
    """
    line = shell_line(job)
    if "${{" in line:
        raise UsageError("A path holds ${{, which GitHub would replace.\nRename the folder.")
    return OWN_MACHINE.format(
        name=job.name, line=line, minutes=LONGEST_RUN_HOURS * 60, **_times(job.times, zone)
    )


def demo_workflow(name: str, times: Times, zone: str) -> str:
    """Return the workflow that makes the demo's reports on a machine of GitHub's.

    Raises
    ------
    UsageError
        There is no such time zone.
    """
    return DEMO.format(name=name, **_times(times, zone))


def _times(times: Times, zone: str) -> dict[str, str]:
    note = f"{times.clock_words} in {zone}, {times.days_in_words}; GitHub's clock is UTC"
    later = ", so an hour later by your clock in summer" if changes_clocks(zone) else ""
    return {"cron": times.in_utc(zone).cron_fields(), "clock_note": note + later + "."}
