"""What welcomes a newcomer to the repository is there, can be read by machines, and is true."""

from __future__ import annotations

import os
import re
import tomllib

import pytest
import yaml

from conftest import PROJECT

GITHUB = PROJECT / ".github"
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def project() -> dict:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]


def read(file) -> dict:
    # In YAML 1.1 a bare `on` is true; as text it is the key that is meant.
    return yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)


def test_the_citation_agrees_with_the_project():
    cited = read(PROJECT / "CITATION.cff")
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    assert cited["version"] == project()["version"]
    assert cited["license"] == project()["license"]
    assert set(cited["keywords"]) >= {"education", "instructional coaching", "jupyter"}


def test_the_changelog_keeps_to_its_layout():
    text = (PROJECT / "CHANGELOG.md").read_text("utf-8")
    releases = re.findall(r"^## (.+)$", text, re.M)
    assert releases[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", one) for one in releases[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.M)) <= kinds


def test_the_workflow_does_what_ci_does_with_every_python_that_is_promised():
    workflow = read(GITHUB / "workflows" / "tests.yml")
    job = workflow["jobs"]["tests"]
    assert set(workflow["on"]) == {"push", "pull_request"}
    assert workflow["permissions"] == {"contents": "read"}
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert job["strategy"]["matrix"]["python"][0] == project()["requires-python"].strip(">=")
    assert "${{ matrix.python }}" in job["container"]
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs[-1] == ".ci/run"
    assert not any("pytest" in run or "ruff" in run for run in runs)
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.stem)
def test_every_form_warns_of_student_data_and_asks_to_confirm(file):
    form = read(file)
    assert {"name", "description", "body"} <= set(form)
    first, *others = form["body"]
    assert first["type"] == "markdown"
    assert "Never attach student data" in first["attributes"]["value"]
    last = others[-1]
    assert last["type"] == "checkboxes"
    assert last["attributes"]["options"][0]["required"] == "true"
    names = [part["id"] for part in others]
    assert len(names) == len(set(names))
    assert all(part["attributes"]["label"] for part in others)


def test_there_is_no_way_round_the_forms():
    assert len(FORMS) >= 3
    assert read(GITHUB / "ISSUE_TEMPLATE" / "config.yml") == {"blank_issues_enabled": "false"}


def test_a_pull_request_is_warned_too():
    text = (GITHUB / "PULL_REQUEST_TEMPLATE.md").read_text("utf-8")
    assert "Never attach student data" in text
    assert "changelog" in text


def test_the_readme_shows_no_badge():
    # A badge says what somebody else measured; none of it is true before it is published.
    text = (PROJECT / "README.md").read_text("utf-8")
    assert re.findall(r"!\[[^\]]*\]\(https?:", text) == []
