"""The guard against student data: it stops what it should, and lets work go on."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from conftest import PROJECT
from guard_large_files import MOST_BYTES
from guard_student_data import (
    allowed_files,
    faults_of,
    main,
    refused_by_name,
    roster_line,
)

ROSTER = """\
Student Name,Student ID,Section,Quiz 1
"Ruiz, Ana",1004417,7A,4
"Li, Bo",1004418,7A,2
"Haddad, Noor",1004419,7A,
"Park, Kim",1004420,7A,5
"Okafor, Chidi",1004421,7A,3
"""

LOOKS_LIKE_STUDENTS = {
    "a_gradebook": ROSTER,
    "a_roster_with_semicolons": ROSTER.replace('"', "").replace(", ", " ").replace(",", ";"),
    "cells_copied_from_a_spreadsheet": (
        "Last Name\tFirst Name\tScore\n"
        + "".join(f"Ruiz-{n}, Ana B\tAna\t{n}\n" for n in "abcde")
    ),
    "a_table_in_prose": (
        "The groups were wrong:\n\n| student_id | score |\n|---|---|\n"
        + "".join(f"| {20417 + n} | {n} |\n" for n in range(6))
    ),
    "addresses_of_a_form": "Email Address,Score\n"
    + "".join(f"ana.ruiz{n}@students.example.org,4\n" for n in range(5)),
    "names_beside_ids_in_a_log": "".join(
        f"row {n}: {name} (1004{n}17) has no answers\n"
        for n, name in enumerate(["Ana Ruiz", "Bo Li", "Noor Haddad", "Kim Park", "Chidi Okafor"])
    ),
    "a_list_of_ids_in_a_test": 'CLASS = [\n'
    + "".join(f'    ("00{n}4417", "Ana Ruiz"),\n' for n in range(5))
    + "]\n",
    "in_spanish": "Nombre,Grupo\n"
    + "".join(f"{who},7A\n" for who in ["Ana Ruiz", "Bo Peña", "Luz Vega", "Iván Cruz", "Eva Sol"]),
}  # fmt: skip

LOOKS_HARMLESS = {
    "an_example_of_two_invented_students": "\n".join(ROSTER.splitlines()[:3]),
    "prose_with_a_name": "Thanks to Ana Ruiz, who found this in 2026-10-04.\n" * 9,
    "a_contract_of_columns": "| student_id | text | no |\n" * 9,
    "code": "student_id, name = row\nfor student_id, name in rows:\n    seen.add(student_id)\n" * 5,
    "measurements": "students,seconds\n" + "400,12\n" * 9,
    "tests_with_short_ids": "| student_id | item_id |\n" + "| s1 | i1 |\n| s2 | i1 |\n" * 6,
    "a_table_of_skills": "| name | id |\n"
    + "".join(f"| Halves {n} | 4.NF.{n} |\n" for n in "123456"),
}  # fmt: skip


@pytest.mark.parametrize("text", LOOKS_LIKE_STUDENTS.values(), ids=LOOKS_LIKE_STUDENTS)
def test_text_with_rows_of_a_roster_is_found(text):
    assert roster_line(text) is not None


@pytest.mark.parametrize("text", LOOKS_HARMLESS.values(), ids=LOOKS_HARMLESS)
def test_other_text_is_left_alone(text):
    assert roster_line(text) is None


@pytest.mark.parametrize(
    "file",
    ["data/raw/fall.csv", "data/notes.txt", "data/demo/store/a.parquet", "reports/current/7a.html",
     "export.CSV", "docs/class.xlsx", "tests/gradebook.ods", "docs/pictures/mine.png",
     "notebooks/out.pdf", "everything.zip", "src/analysis/simulation/class.xlsx"],
)  # fmt: skip
def test_a_file_that_may_hold_student_data_is_refused(file):
    assert refused_by_name(file, allowed_files())


@pytest.mark.parametrize(
    "file",
    ["data/README.md", "data/demo/roster.csv", "reports/README.md", "docs/pictures/report.png",
     "src/analysis/simulation/names.csv", "benchmarks/results/mastery-real.csv", "README.md",
     "src/analysis/exports/platforms.toml", "notebooks/00_start_here.ipynb"],
)  # fmt: skip
def test_a_file_of_the_project_is_not_refused(file):
    assert refused_by_name(file, allowed_files()) is None


def test_a_message_says_where_and_never_what(tmp_path, capsys):
    file = tmp_path / "our-class.md"
    file.write_text("# Our class\n\n" + ROSTER, encoding="utf-8")
    assert main([str(file)], tmp_path) == 1
    assert capsys.readouterr().err.splitlines() == [
        "our-class.md, line 3: looks like a roster of students",
        "Not committed. Take these out: git restore --staged FILE",
    ]


def test_every_exception_has_a_reason_and_is_still_needed():
    for pattern, reason in allowed_files().items():
        assert len(reason.split()) >= 1, pattern
        files = list(PROJECT.glob(pattern))
        assert files, pattern
        assert any(faults_of(file, {}) for file in files), f"{pattern} needs no exception"


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [file for file in listed.stdout.splitlines() if (PROJECT / file).is_file()]


def hooks() -> list[dict]:
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"], "nothing may be fetched"
    return config["repos"][0]["hooks"]


@pytest.mark.parametrize("guard", [hook for hook in hooks() if "guard" in hook["entry"]],
                         ids=lambda hook: hook["id"])  # fmt: skip
def test_what_is_in_the_project_passes_its_own_guards(guard):
    command = guard["entry"].split()
    assert command[0] == "python"
    done = subprocess.run(
        [sys.executable, *command[1:], *tracked_files()],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("hook", [hook for hook in hooks() if hook["id"] != "student-data"],
                         ids=lambda hook: hook["id"])  # fmt: skip
def test_a_hook_stops_a_commit_that_should_not_be(hook, tmp_path):
    bad = {
        "large-files": ("large.txt", "x" * (MOST_BYTES + 1)),
        "nbstripout": ("run.ipynb", EXECUTED),
        "ruff-check": ("wrong.py", "import nothing_used\nundefined_name\n"),
        "ruff-format": ("ugly.py", "x = [ 1,2 ]\n"),
    }
    name, text = bad[hook["id"]]
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, *hook["entry"].split()[1:], str(file)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    # pre-commit stops where a hook fails, and where it has mended a file.
    assert done.returncode != 0 or file.read_text("utf-8") != text


EXECUTED = """{"cells": [{"cell_type": "code", "execution_count": 1, "id": "a", "metadata": {},
"outputs": [{"name": "stdout", "output_type": "stream", "text": ["Ana Ruiz"]}],
"source": ["print()"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
"""
