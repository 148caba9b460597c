"""What the documents say is true: commands exist, files are there, environments agree."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest
import yaml
from typer.testing import CliRunner

from conftest import PROJECT

DOCUMENTS = sorted(
    file for file in PROJECT.rglob("*.md") if not {".venv", "node_modules"} & set(file.parts)
)


def shell_commands() -> list[tuple[str, str]]:
    found = []
    for file in DOCUMENTS:
        for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", file.read_text("utf-8"), re.S):
            for line in block.splitlines():
                command = line.removeprefix("$ ").split("#")[0].strip()
                if command:
                    found.append((file.name, command))
    return found


def project() -> dict:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]


def test_there_are_commands_to_check():
    assert len(shell_commands()) >= 4


@pytest.mark.parametrize(("file", "command"), shell_commands())
def test_every_command_in_the_documents_exists(file, command):
    words = command.split()
    if words[0] == "make":
        targets = re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.M)
        assert words[1] in targets
    elif words[0].endswith("coach"):
        from analysis.cli import app

        shown = CliRunner().invoke(app, [words[1], "--help"])
        assert shown.exit_code == 0, f"{file}: coach {words[1]} does not exist"
        for option in re.findall(r"--[a-z-]+", command):
            assert option in shown.output, f"{file}: coach {words[1]} has no {option}"
    else:
        assert words[0] in {"git", "cd", "sudo", "source", "jupyter"}, command


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_links_inside_the_project_lead_somewhere(file):
    for target in re.findall(r"\]\(([^)#]+)\)", file.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (file.parent / target).exists(), f"{file.name}: {target}"


def test_the_conda_environment_agrees_with_the_project():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text("utf-8"))
    plain = [one for one in environment["dependencies"] if isinstance(one, str)]
    wanted = project()["dependencies"] + project()["optional-dependencies"]["lab"]
    wanted = {one.replace("matplotlib>=", "matplotlib-base>=") for one in wanted}
    assert set(plain) == wanted | {"python=3.11", "pip"}


def test_every_dependency_is_pinned_with_hashes():
    lock = (PROJECT / "requirements.lock").read_text("utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)==\S+.*\\$", lock, re.M))
    extras = project()["optional-dependencies"]
    for dependency in project()["dependencies"] + [
        one for group in extras.values() for one in group
    ]:
        assert re.split(r"[<>=\[]", dependency)[0] in pinned
    assert "--hash=sha256:" in lock
    assert "index-url" not in lock


def test_what_is_private_is_not_in_the_repository():
    listed = subprocess.run(
        ["git", "ls-files", "data", "reports"], cwd=PROJECT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    allowed = re.compile(r"data/README\.md|data/demo/[\w.-]+\.csv|reports/README\.md")
    assert [file for file in listed.stdout.split() if not allowed.fullmatch(file)] == []
