"""The notebooks keep to their measure, carry no outputs, and run top to bottom."""

from __future__ import annotations

import ast
import re

import nbformat
import pytest

from analysis.classroom import Classroom
from analysis.rendering.execution import execute_notebook
from analysis.rendering.parameters import declared_parameters
from conftest import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
MOST_CODE_CELLS = 15
MOST_CODE_LINES = 60
WORDS_A_CODE_LINE = 3

each_notebook = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)


def read(file):
    return nbformat.read(file, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_the_report_notebook_is_there():
    assert "classroom_report" in [file.stem for file in NOTEBOOKS]


@each_notebook
def test_it_is_valid_and_carries_no_outputs(file):
    notebook = read(file)
    nbformat.validate(notebook)
    assert [c.id for c in code_cells(notebook) if c.outputs or c.execution_count] == []
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata


@each_notebook
def test_it_is_short_and_mostly_prose(file):
    notebook = read(file)
    lines = [line for c in code_cells(notebook) for line in c.source.splitlines() if line.strip()]
    assert len(code_cells(notebook)) <= MOST_CODE_CELLS
    assert len(lines) <= MOST_CODE_LINES
    assert len(prose(notebook).split()) >= WORDS_A_CODE_LINE * len(lines)


@each_notebook
def test_the_parts_it_follows_are_there(file):
    followed = re.findall(r'\.follow\("(\w+)"\)', "".join(c.source for c in code_cells(read(file))))
    methods = [name if name.startswith("chart_") else f"show_{name}" for name in followed]
    assert [name for name in methods if not hasattr(Classroom, name)] == []


@each_notebook
def test_it_defines_nothing_and_hides_its_code(file):
    for cell in code_cells(read(file)):
        kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, kinds)]
        assert cell.metadata.jupyter.source_hidden


@each_notebook
def test_it_opens_with_a_question_and_ends_with_its_limits(file):
    notebook = read(file)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.splitlines()[0].endswith("?")
    headings = [line for line in prose(notebook).splitlines() if line.startswith("## ")]
    assert headings[-1] == "## What this cannot tell you"


@each_notebook
def test_every_parameter_has_its_help_beside_it(file):
    notebook = read(file)
    assert declared_parameters(notebook, file.name)
    cell = next(c for c in code_cells(notebook) if "parameters" in c.metadata.get("tags", []))
    assert all("# " in line for line in cell.source.splitlines())


@pytest.mark.slow
@each_notebook
def test_it_runs_top_to_bottom_on_the_demo(file, tmp_path):
    executed = execute_notebook(file, {}, tmp_path / "executed.ipynb")
    errors = [o for c in code_cells(executed) for o in c.outputs if o.output_type == "error"]
    warnings = [o for c in code_cells(executed) for o in c.outputs if o.get("name") == "stderr"]
    assert errors == []
    assert warnings == []
