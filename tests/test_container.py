"""The container file takes in what it needs and nothing of anybody, and does not run as root."""

from __future__ import annotations

import json
import re

from conftest import PROJECT


def instructions() -> list[tuple[str, str]]:
    text = (PROJECT / "Containerfile").read_text("utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def said(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


def copied() -> set[str]:
    """What is taken from the project."""
    own = [rest.split() for rest in said("COPY") if "--from" not in rest]
    return {source for *sources, _ in own for source in sources}


def let_in() -> list[str]:
    lines = (PROJECT / ".containerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return [rule.removeprefix("!") for rule in rules if rule.startswith("!")]


def test_what_is_copied_is_there():
    assert [source for source in copied() if not (PROJECT / source).exists()] == []
    assert "src" in copied()


def test_nothing_is_let_in_but_what_is_copied():
    assert {rule.removesuffix("/*.csv") for rule in let_in()} == copied()


def test_data_and_reports_cannot_get_in():
    assert [rule for rule in let_in() if rule.startswith(("data", "reports"))] == [
        "data/demo/*.csv"
    ]


def test_it_runs_coach_and_not_as_root():
    names = [name for name, _ in instructions()]
    after = names[len(names) - names[::-1].index("USER") :]
    assert said("USER")[-1] == "coach"
    assert not {"RUN", "COPY", "ADD"} & set(after)
    assert json.loads(said("ENTRYPOINT")[-1]) == ["coach"]
    assert json.loads(said("VOLUME")[-1]) == [said("WORKDIR")[-1]]


def test_what_is_installed_is_what_was_tested():
    install = [rest for rest in said("RUN") if "requirements.lock" in rest]
    assert len(install) == 1
    assert "--require-hashes" in install[0]
    assert [one for one in said("FROM") if not re.match(r"python:3\.\d+-slim\b", one)] == []
    assert said("ADD") == []
