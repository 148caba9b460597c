"""Every command and every block of code in the documents runs, word for word and in order.

Each document has a folder of its own: the project's notebooks, the demo, and a folder
``my-exports``, both cut down to a few invented classrooms so that it takes seconds. What
cannot run there is named in :data:`NOT_RUN` with the reason.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.cli import app
from conftest import PROJECT
from documents import Block, blocks_of, documents, short

pytestmark = pytest.mark.slow

NOT_RUN = {
    "make test": "this is one of the tests it runs",
    "make env": "the environment is the one these tests run in",
    "make docs": "tests/test_site.py builds the site",
    "coach lab": "a server that stays open; tests/test_lab.py uses it as a coach does",
    "sudo apt-get": "changes the machine; .ci/run installs the same packages",
    "conda": "no conda on a plain Debian; the environment is compared with pyproject.toml",
    "pip install pre-commit": "fetches from the network; tests/test_student_data.py runs the hooks",
    "pre-commit": "needs pre-commit; tests/test_student_data.py runs the hooks",
}
"""Beginnings of shell lines that are not run, and why."""

NO_SHELL = {
    "powershell": "no PowerShell on Debian; its coach commands are looked up instead",
    "text": "shows an address or what is printed; nothing to run",
    "csv": "written to the file that the text names",
    "toml": "written to the file that the text names, and read as TOML",
}
"""Languages of blocks that no shell runs, and why."""

ELSEWHERE = re.compile(r"# [\w/]+\.py, for \w+'s own environment\n")
"""How a block of Python begins that is for another program; it is only compiled."""

SECONDS = 600
"""After these a block hangs. No measure of speed: that depends on what else the machine does."""


def with_code() -> list[Path]:
    return [file for file in documents() if any(b.language for b in blocks_of(file))]


def not_run(command: str) -> str | None:
    """Return the entry of :data:`NOT_RUN` that a command falls under."""
    return next((start for start in NOT_RUN if command.startswith(start)), None)


def write_classroom(folder: Path, classroom_id: str, windows: dict[str, str], **renamed) -> None:
    """Write the demo's files with one classroom and some windows, under other names."""
    folder.mkdir(parents=True)
    demo = PROJECT / "data" / "demo"
    for name in ("skills.csv", "items.csv"):
        shutil.copy(demo / name, folder)
    tables = {"roster.csv": "roster.csv"}
    tables |= {f"responses-{old}.csv": f"responses-{new}.csv" for old, new in windows.items()}
    for name, new_name in tables.items():
        table = pd.read_csv(demo / name, dtype="str", keep_default_na=False)
        table = table[table["classroom_id"] == classroom_id].replace(renamed)
        if renamed and "window" in table:
            table = table.drop(columns="window")
        table.to_csv(folder / new_name, index=False)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Path:
    """What somebody has who has just got the project, but smaller."""
    folder = tmp_path_factory.mktemp("fresh") / "project"
    write_classroom(folder / "data" / "demo", "demo-4b", {"2026-EOY": "2026-EOY"})
    room = {"demo-3c": "room-12"}
    write_classroom(folder / "my-exports", "demo-3c", {"2026-BOY": "fall"}, **room)
    write_classroom(folder / "my-exports-winter", "demo-3c", {"2026-MOY": "winter"}, **room)
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks")
    shutil.copy(PROJECT / "Makefile", folder)
    for name in ("requirements.lock", "pyproject.toml"):
        (folder / name).touch()
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "coach").symlink_to(Path(sys.executable).with_name("coach"))
    (programs / "activate").write_text(f'export PATH="{programs}:$PATH"\n', encoding="utf-8")
    (folder / ".venv" / ".ready").touch()
    return folder


def run_in_shell(block: Block, folder: Path) -> None:
    """Run a block of shell lines as one script that stops at the first that fails."""
    lines = [line for line in block.commands if not_run(line) is None]
    programs = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{block.where}:\n{block.text}\n{done.stdout}\n{done.stderr}"


def run_here(block: Block, folder: Path) -> None:
    """Run a block in this process where it is our commands: Python need not start each time."""
    if not all(line.startswith("coach ") for line in block.commands):
        run_in_shell(block, folder)
        return
    for line in block.commands:
        if not_run(line) is None:
            done = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
            assert done.exit_code == 0, f"{block.where}: {line}\n{done.output}"


def follow(file: Path, folder: Path) -> None:
    """Do in a folder what a document says, from top to bottom."""
    names: dict = {}
    for block in blocks_of(file):
        if block.language == "sh":
            run_here(block, folder)
        elif block.language == "python":
            code = compile(block.text, block.where, "exec")
            if not ELSEWHERE.match(block.text):
                exec(code, names)
        elif block.name:
            (folder / block.name).write_text(block.text, encoding="utf-8")


@pytest.fixture(scope="session")
def after_trying(fresh) -> Path:
    """The folder of somebody who has followed the README's first block."""
    run_in_shell(blocks_of(PROJECT / "README.md")[0], fresh)
    return fresh


@pytest.fixture(scope="session")
def after_readme(after_trying, tmp_path_factory) -> Path:
    """The folder of somebody who has followed all of the README."""
    folder = tmp_path_factory.mktemp("after") / "project"
    shutil.copytree(after_trying, folder, symlinks=True)
    for block in blocks_of(PROJECT / "README.md")[1:]:
        run_in_shell(block, folder)
    return folder


def test_who_follows_the_readme_has_reports_of_the_demo_and_of_the_own_export(after_readme):
    editions = sorted((after_readme / "reports" / "editions").iterdir())
    pages = [[page.name.split("-")[0] for page in one.glob("*-*.html")] for one in editions]
    assert pages == [["demo"], ["room"]]
    assert (after_readme / "reports" / "caseload" / "current" / "index.html").exists()


@pytest.mark.parametrize("file", [f for f in with_code() if f.name != "README.md"], ids=short)
def test_what_a_document_says_can_be_done(file, request, tmp_path, monkeypatch):
    before = "after_trying" if file.name == "install.md" else "after_readme"
    folder = tmp_path / "project"
    shutil.copytree(request.getfixturevalue(before), folder, symlinks=True)
    monkeypatch.chdir(folder)
    follow(file, folder)


def test_every_block_says_what_it_is():
    known = {"sh", "python", *NO_SHELL}
    odd = [b.where for file in documents() for b in blocks_of(file) if b.language not in known]
    assert odd == []


@pytest.mark.parametrize("start", NOT_RUN)
def test_what_is_not_run_is_still_said_somewhere(start):
    said = {not_run(line) for file in documents() for b in blocks_of(file) for line in b.commands}
    assert start in said


def test_only_a_few_commands_are_not_run():
    lines = [line for f in documents() for b in blocks_of(f) if b.language == "sh"
             for line in b.commands]  # fmt: skip
    left_out = [line for line in lines if not_run(line)]
    assert len(left_out) <= len(lines) / 4, left_out


def test_python_that_is_only_compiled_is_for_another_program():
    compiled = [b.where for f in documents() for b in blocks_of(f) if ELSEWHERE.match(b.text)]
    assert {where.split(":")[0] for where in compiled} == {"docs/scheduling.md"}
    assert len(compiled) == 3


@pytest.mark.parametrize("file", with_code(), ids=short)
def test_settings_and_declarations_are_toml(file):
    for block in blocks_of(file):
        if block.language == "toml":
            assert tomllib.loads(block.text), block.where
