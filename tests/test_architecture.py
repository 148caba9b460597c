"""The house, held up: imports go down, each heavy library has one door, nothing is unsafe."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import analysis
from conftest import PROJECT

PACKAGE = PROJECT / "src" / "analysis"

FLOORS = {
    "errors": 0, "language": 1, "files": 1, "remote": 1, "rows": 1, "crew": 1,
    "words": 2, "theme": 2,
    "tables": 2, "skills": 2, "settings": 2, "scales": 2, "readings": 2,
    "exports": 3, "mastery": 3, "grouping": 3, "privacy": 3, "store": 3, "simulation": 3,
    "district": 4, "plans": 4, "profiles": 4, "growth": 4, "progress": 4, "coaching": 4,
    "voice": 4, "charts": 4, "audit": 4,
    "priorities": 4, "visits": 4, "equity": 4,
    "rendering": 5, "sharing": 5, "forgetting": 5, "schedule": 5, "doctor": 5,
    "classroom": 6, "arrivals": 6, "students": 6, "caseload": 6, "explore": 6,
    # A run does what the commands do one after the other; so it is a door as they are.
    "nightly": 6,
    "cli": 6,
}  # fmt: skip
"""Ground 0-1, what is agreed 2, steps 3, what is made of them 4, pages 5, doors 6."""

MAY_IMPORT_BESIDE = {
    ("skills", "tables"), ("settings", "tables"), ("scales", "tables"),
    ("theme", "words"), ("coaching", "profiles"), ("explore", "classroom"),
    ("explore", "caseload"),
    # What was published is shared and forgotten; rendering knows neither.
    ("sharing", "rendering"), ("forgetting", "rendering"),
    # The doctor asks for a browser, and when a run was due.
    ("doctor", "rendering"), ("doctor", "schedule"),
    # The groups a notebook shows are the groups that are shared.
    ("cli", "classroom"),
    ("cli", "nightly"), ("nightly", "classroom"),
    ("progress", "growth"), ("students", "classroom"),
}  # fmt: skip
"""Imports allowed on one floor; steps and doors otherwise never import each other."""

DOORS = {
    "papermill": {"rendering"},
    "nbconvert": {"rendering"},
    "nbclient": {"rendering"},
    "jinja2": {"rendering"},
    "babel": {"language"},
    "pebble": {"rendering"},
    "distributed": {"rendering", "crew"},
    "matplotlib": {"charts", "theme"},
    "seaborn": {"charts", "theme"},
    "sklearn": {"mastery", "grouping"},
    # Privacy asks a linear program what a reader could work out.
    "scipy": {"mastery", "grouping", "privacy"},
    "python_calamine": {"exports"},
    "cryptography": {"sharing"},
    "xlsxwriter": {"sharing"},
    "typer": {"cli"},
    "rich": {"cli"},
    "fsspec": {"remote"},
}
"""The modules each library may be imported in."""

NEVER = {"pickle", "joblib", "shelve", "marshal"}
"""Readers that can run what they read."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def for_types_alone(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports_of(file: Path, *, that_run: bool = False) -> set[str]:
    names = set()
    body = [node for node in tree_of(file).body if not (that_run and for_types_alone(node))]
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_imported(file: Path) -> set[str]:
    parts = [name.split(".") for name in imports_of(file)]
    return {part[1] for part in parts if part[0] == "analysis" and len(part) > 1}


def short(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


def test_every_module_stands_on_a_floor():
    assert {room_of(file) for file in modules()} == {*FLOORS, "__init__"}


def test_imports_only_go_down():
    wrong = []
    for file in modules():
        room = room_of(file)
        for other in rooms_imported(file) - {room} if room != "__init__" else ():
            assert other in FLOORS, f"{short(file)} imports analysis.{other}, which is on no floor"
            if FLOORS[other] >= FLOORS[room] and (room, other) not in MAY_IMPORT_BESIDE:
                wrong.append(f"{short(file)} ({FLOORS[room]}) imports {other} ({FLOORS[other]})")
    assert wrong == []


def test_each_heavy_library_has_one_door():
    through_walls = [
        f"{short(file)}: {name}"
        for file in modules()
        for name in imports_of(file, that_run=True)
        if room_of(file) not in DOORS.get(name.split(".")[0], {room_of(file)})
    ]
    assert through_walls == []


def test_nothing_reads_what_could_run():
    calls = ("read_pickle", "allow_pickle=True", "yaml.load(", "eval(", "exec(")
    unsafe = [
        f"{short(file)}: {one}"
        for file in modules()
        for one in [
            *({name.split(".")[0] for name in imports_of(file)} & NEVER),
            *(call for call in calls if call in file.read_text("utf-8")),
        ]
    ]
    assert unsafe == []


def test_only_the_command_line_prints():
    printing = {
        short(file)
        for file in modules()
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
        if room_of(file) != "cli"
    }
    assert printing == set()


def test_the_package_names_at_most_twelve_things():
    assert len(analysis.__all__) <= 12
    for name in analysis.__all__:
        assert getattr(analysis, name).__module__.startswith("analysis.")


@pytest.mark.parametrize(
    "room", sorted(folder.parent.name for folder in PACKAGE.glob("*/__init__.py"))
)
def test_a_room_has_what_it_says_it_gives(room):
    module = importlib.import_module(f"analysis.{room}")
    assert [name for name in getattr(module, "__all__", []) if not hasattr(module, name)] == []


@pytest.mark.parametrize("name", analysis.__all__)
def test_each_public_name_shows_how_it_is_used(name):
    assert ">>>" in inspect.getdoc(getattr(analysis, name))


@pytest.mark.parametrize("module", ["analysis", "analysis.cli"])
def test_importing_the_package_or_its_commands_loads_no_heavy_library(module):
    heavy = {*DOORS, "pandas", "numpy", "pandera", "pyarrow", "networkx"} - {"typer", "rich"}
    script = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_making_pages_does_not_compile_the_grammar_of_web_addresses():
    script = (
        "import sys, analysis.rendering.report, analysis.rendering.engine, nbconvert.exporters; "
        "print('lark' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
