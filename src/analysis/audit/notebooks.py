"""A notebook as a leak scan sees it: metadata, parameters, code, logs, widgets."""

from __future__ import annotations

import json
from typing import Any

from analysis.audit.findings import Leak

PLAIN_METADATA = frozenset({"kernelspec", "language_info", "title"})
WIDGETS = ("application/vnd.jupyter.widget-state+json", "application/vnd.jupyter.widget-view+json")


def read_notebook(text: str) -> tuple[str, list[tuple[Leak, str]]]:
    """Return everything a notebook says, and what it should not hold when it is shared.

    Examples
    --------
    >>> read_notebook('{"cells": [], "metadata": {"papermill": {}}}')[1]
    [(<Leak.NOTEBOOK: 'notebook metadata'>, 'metadata.papermill')]
    """
    try:
        notebook = json.loads(text)
        cells, metadata = notebook["cells"], notebook.get("metadata", {})
    except (ValueError, KeyError, TypeError):
        return text, [(Leak.UNREADABLE, "not a notebook")]
    found = [
        (Leak.WIDGET if name == "widgets" else Leak.NOTEBOOK, f"metadata.{name}")
        for name in metadata
        if name not in PLAIN_METADATA
    ]
    for place, cell in enumerate(cells, 1):
        found += _leaks_in_cell(cell, f"cell {place}")
    return "\n".join(_strings(notebook)), found


def _leaks_in_cell(cell: dict[str, Any], where: str) -> list[tuple[Leak, str]]:
    found = []
    metadata = cell.get("metadata", {})
    if "papermill" in metadata or "injected-parameters" in metadata.get("tags", ()):
        found.append((Leak.NOTEBOOK, where))
    if cell.get("cell_type") == "code" and "".join(cell.get("source", "")).strip():
        found.append((Leak.CODE, where))
    for output in cell.get("outputs", ()):
        if output.get("output_type") == "error":
            found.append((Leak.TRACEBACK, where))
        if output.get("name") == "stderr":
            found.append((Leak.LOG, where))
        if any(kind in output.get("data", {}) for kind in WIDGETS):
            found.append((Leak.WIDGET, where))
    return found


def _strings(value: object) -> list[str]:
    """Return all keys and texts of a JSON value; lines of a cell are joined."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in [key, *_strings(one)]]
    if isinstance(value, list):
        if value and all(isinstance(one, str) for one in value):
            return ["".join(value) if any(one.endswith("\n") for one in value)
                    else "\n".join(value)]  # fmt: skip
        return [text for one in value for text in _strings(one)]
    return [] if value is None else [str(value)]
