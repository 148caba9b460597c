"""What the documents say is true: commands exist, files are there, environments agree."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import tomllib

import nbformat
import pytest
import yaml
from jupyter_client.kernelspec import find_kernel_specs
from markdown.extensions.toc import slugify
from pydantic import BaseModel
from typer.main import get_command

from analysis import errors
from analysis.cli import app
from analysis.settings import NotifySettings, RunSettings, Settings
from conftest import PROJECT
from documents import FENCE, blocks_of, documents, short

each_document = pytest.mark.parametrize("file", documents(), ids=short)

LINK = re.compile(r"(?<!`)\[[^\]]+\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def options_of() -> dict[str, set[str]]:
    """The options of every command of ours."""
    commands = get_command(app).commands
    return {
        name: {"--help", *(opt for one in command.params for opt in one.opts + one.secondary_opts)}
        for name, command in commands.items()
    }


def prose_of(file) -> str:
    return FENCE.sub("", file.read_text("utf-8"))


def shell_lines(file) -> list[str]:
    """Every line of shell a document shows, also of shells that these tests do not have."""
    lines = [line for block in blocks_of(file) if block.language in {"sh", "powershell"}
             for line in block.commands]  # fmt: skip
    return [line.replace(".venv\\Scripts\\", "") for line in lines]


def project() -> dict:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]


def test_there_are_documents_and_commands_to_check():
    names = {short(file) for file in documents()}
    assert {"README.md", "data/README.md", "docs/install.md", "SECURITY.md"} <= names
    assert len(list(itertools.chain.from_iterable(map(shell_lines, documents())))) >= 40


@each_document
def test_every_command_that_is_shown_exists(file):
    for line in shell_lines(file):
        words = line.split()
        if words[0] == "make":
            targets = re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.M)
            assert words[1] in targets, line
        elif words[0] == "coach" and words[1] != "--help":
            known = options_of()
            assert words[1] in known, line
            assert set(re.findall(r"--[a-z-]+", line)) <= known[words[1]], line
        else:
            programs = {"git", "sudo", "source", "conda", "pip", "pre-commit", "py", "python",
                        "coach"}  # fmt: skip
            assert words[0] in programs, line


@each_document
def test_every_command_and_option_in_the_prose_exists(file):
    known = options_of()
    of_others = {"--all-files", "--user", "--userns", "--build-arg"}
    options = set.union(of_others, *known.values())
    for said in re.findall(r"`([^`\n]+)`", prose_of(file)):
        words = said.split()
        if words[0] == "coach" and len(words) > 1 and words[1].islower():
            # After two dashes stands a command of its own.
            for part in said.removeprefix("coach ").split(" -- "):
                name, *given = part.split()
                assert set(re.findall(r"--[a-z-]+", " ".join(given))) <= known[name], said
        elif re.match("--[a-z]", words[0]):
            assert words[0] in options, said


def test_every_command_of_ours_is_in_some_document():
    told = "\n".join(file.read_text("utf-8") for file in documents())
    assert [name for name in options_of() if f"coach {name}" not in told] == []


@each_document
def test_links_inside_the_project_lead_somewhere(file):
    for link in LINK.findall(prose_of(file)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        there = (file.parent / target).resolve() if target else file
        assert there.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", prose_of(there), re.M)
            assert anchor in {slugify(heading, "-") for heading in headings}, link


def as_told(default) -> str:
    """How the documents write a setting's default."""
    if isinstance(default, list):
        return ", ".join(default) or "none"
    return {None: "unset", True: "true", False: "false"}.get(default, str(default))


@pytest.mark.parametrize(
    ("heading", "model"),
    [("## Settings", Settings), ("### `[run]`", RunSettings), ("### `[notify]`", NotifySettings)],
)
def test_the_settings_that_are_described_are_those_there_are(heading, model):
    text = (PROJECT / "docs" / "data" / "settings.md").read_text("utf-8")
    table = text.split(f"\n{heading}")[1].split("| setting | default |")[1].split("\n\n")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", table, re.M))
    there = {
        name: as_told(field.default)
        for name, field in model.model_fields.items()
        if not isinstance(field.default, BaseModel)
    }
    assert {name: default.replace("`", "") for name, default in told.items()} == there


def test_the_exit_codes_that_are_described_are_those_there_are():
    text = (PROJECT / "docs" / "data" / "settings.md").read_text("utf-8")
    table = text.split("| code | means |")[1].split("\n\n")[0]
    classes = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = {one.exit_code for one in classes if issubclass(one, errors.AnalysisError)}
    assert {int(code) for code in re.findall(r"^\| (\d) \|", table, re.M)} == {0, *codes}


def test_every_room_that_is_described_is_there():
    text = (PROJECT / "docs" / "developers" / "house.md").read_text("utf-8")
    table = text.split("| floor | rooms |")[1].split("\n\n")[0]
    rooms = re.findall(r"`(\w+)`", table)
    package = PROJECT / "src" / "analysis"
    assert len(rooms) >= 25
    assert [
        r for r in rooms if not ((package / r).is_dir() or (package / f"{r}.py").exists())
    ] == []


def test_the_conda_environment_agrees_with_the_project():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text("utf-8"))
    plain = [one for one in environment["dependencies"] if isinstance(one, str)]
    wanted = project()["dependencies"] + project()["optional-dependencies"]["lab"]
    wanted = {one.replace("matplotlib>=", "matplotlib-base>=") for one in wanted}
    assert set(plain) == wanted | {"python=3.11", "pip"}
    assert environment["dependencies"][-1] == {"pip": ["-e ."]}
    assert environment["channels"] == ["conda-forge", "nodefaults"]


def test_binder_finds_the_environment_and_makes_the_demo():
    # repo2docker reads one place only: a folder of its own would hide environment.yml.
    hiding = ["binder", ".binder", "Dockerfile", "runtime.txt", "requirements.txt", "setup.py"]
    assert [name for name in hiding if (PROJECT / name).exists()] == []
    after = PROJECT / "postBuild"
    assert os.access(after, os.X_OK)
    lines = [line for line in after.read_text("utf-8").splitlines() if line.startswith("coach")]
    makefile = (PROJECT / "Makefile").read_text("utf-8").replace("$(DEMO)", "data/demo")
    recipe = makefile.split("\nreports:")[1].split("\n\n")[0]
    assert lines == [line.strip().replace("$(COACH)", "coach") for line in recipe.splitlines()[1:]]


@pytest.mark.slow
def test_every_notebook_names_a_kernel_that_any_jupyter_finds():
    found = find_kernel_specs()
    notebooks = [nbformat.read(file, as_version=4) for file in PROJECT.glob("notebooks/*.ipynb")]
    assert (
        {notebook.metadata.kernelspec.name for notebook in notebooks} == {"python3"} <= set(found)
    )


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
