"""A task for the Windows Task Scheduler, as the XML that ``schtasks /Create /XML`` takes.

Elements, their order and limits follow the schema published as MS-TSCH, section 2.5. The
file is UTF-16, as the Task Scheduler writes its own.
"""

from __future__ import annotations

import subprocess
from datetime import date, datetime
from xml.etree import ElementTree as ET

from analysis.errors import UsageError
from analysis.schedule.job import LONGEST_RUN_HOURS, Job

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
VERSION = "1.2"
LONGEST_PATH = 260
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
SETTINGS = {
    # A run that is still at work is left alone.
    "MultipleInstancesPolicy": "IgnoreNew",
    # Laptops: battery or not, and as soon as it can where the time was missed.
    "DisallowStartIfOnBatteries": "false",
    "StopIfGoingOnBatteries": "false",
    "AllowHardTerminate": "true",
    "StartWhenAvailable": "true",
    "RunOnlyIfNetworkAvailable": "false",
    "AllowStartOnDemand": "true",
    "Enabled": "true",
    "Hidden": "false",
    "RunOnlyIfIdle": "false",
    "WakeToRun": "false",
    "ExecutionTimeLimit": f"PT{LONGEST_RUN_HOURS}H",
    "Priority": "7",
}


def task_xml(job: Job, first_day: date) -> bytes:
    """Return the task as a file's content.

    Parameters
    ----------
    job
        With paths of the computer it will run on.
    first_day
        Day from which it counts.

    Raises
    ------
    UsageError
        A path is longer than the Task Scheduler takes.
    """
    for path in (job.command[0], job.folder):
        if len(path) > LONGEST_PATH:
            raise UsageError(
                f"{path} has {len(path)} signs and the Task Scheduler takes {LONGEST_PATH}.\n"
                "Move the folder to a shorter path."
            )
    task = ET.Element("Task", {"version": VERSION, "xmlns": NAMESPACE})
    about = ET.SubElement(task, "RegistrationInfo")
    ET.SubElement(about, "Description").text = "Coach's Notebook: reports from new exports."
    ET.SubElement(about, "URI").text = f"\\{job.name}"
    _add_trigger(task, job, first_day)
    principals = ET.SubElement(task, "Principals")
    principal = ET.SubElement(principals, "Principal", {"id": "Author"})
    # As the user who is logged on: no password is kept, no right of an administrator asked.
    ET.SubElement(principal, "LogonType").text = "InteractiveToken"
    ET.SubElement(principal, "RunLevel").text = "LeastPrivilege"
    settings = ET.SubElement(task, "Settings")
    for name, value in SETTINGS.items():
        ET.SubElement(settings, name).text = value
    _add_action(task, job)
    ET.indent(task)
    text = ET.tostring(task, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{text}\n'.encode("utf-16")


def _add_trigger(task: ET.Element, job: Job, first_day: date) -> None:
    trigger = ET.SubElement(ET.SubElement(task, "Triggers"), "CalendarTrigger")
    # Without a zone it is local time, which moves with the clocks.
    start = datetime.combine(first_day, job.times.at)
    ET.SubElement(trigger, "StartBoundary").text = start.isoformat()
    week = ET.SubElement(trigger, "ScheduleByWeek")
    ET.SubElement(week, "WeeksInterval").text = "1"
    days = ET.SubElement(week, "DaysOfWeek")
    for day in sorted(job.times.days):
        ET.SubElement(days, DAYS[day])


def _add_action(task: ET.Element, job: Job) -> None:
    action = ET.SubElement(ET.SubElement(task, "Actions", {"Context": "Author"}), "Exec")
    ET.SubElement(action, "Command").text = job.command[0]
    ET.SubElement(action, "Arguments").text = subprocess.list2cmdline(job.command[1:])
    # Never between quotes: the Task Scheduler would look for them in the name.
    ET.SubElement(action, "WorkingDirectory").text = job.folder
