"""What is given to a notebook is what it declares, or nothing runs.

papermill only warns of a name it does not know and goes on with the notebook's default:
another classroom's report under this classroom's title.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from analysis.errors import UnknownError, UsageError

TAG = "parameters"


Notebook = Mapping[str, Any]
"""A notebook's content, as nbformat or as plain JSON reads it."""


def declared_parameters(notebook: Notebook, where: str) -> list[str]:
    """Return the names the notebook's parameters cell assigns, in order.

    Raises
    ------
    UsageError
        The notebook has no cell tagged ``parameters``, or more than one.
    """
    cells = [
        cell
        for cell in notebook.get("cells", [])
        if cell["cell_type"] == "code" and TAG in cell["metadata"].get("tags", [])
    ]
    if len(cells) != 1:
        raise UsageError(
            f"{where} has {len(cells)} cells tagged {TAG!r}; a report's notebook has one."
        )
    names = []
    for statement in ast.parse("".join(cells[0]["source"])).body:
        if isinstance(statement, ast.Assign):
            names += [target.id for target in statement.targets if isinstance(target, ast.Name)]
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.append(statement.target.id)
    return names


def check_declared(notebook: Notebook, given: dict[str, Any], where: str) -> None:
    """Stop when a parameter is given that the notebook does not declare.

    Raises
    ------
    UnknownError
        Naming the parameter and the one it may have meant.
    """
    declared = declared_parameters(notebook, where)
    for name in given:
        if name not in declared:
            raise UnknownError.of("parameter", name, declared, where)
