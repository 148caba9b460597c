"""What JupyterLab writes to disk: the notebook as it is in the project, without anybody in it."""

from __future__ import annotations

from typing import Any


def strip_outputs(model: dict[str, Any], **_: object) -> None:
    """Take outputs and widget state out of a notebook that is being saved.

    Parameters
    ----------
    model
        Of Jupyter's contents manager; changed in place, as its ``pre_save_hook`` does.

    Examples
    --------
    >>> cell = {"cell_type": "code", "outputs": ["Ana"], "execution_count": 3, "metadata": {}}
    >>> model = {"type": "notebook", "content": {"cells": [cell], "metadata": {"widgets": {}}}}
    >>> strip_outputs(model)
    >>> cell["outputs"], model["content"]["metadata"]
    ([], {})
    """
    if model.get("type") != "notebook" or not model.get("content"):
        return
    model["content"]["metadata"].pop("widgets", None)
    for cell in model["content"]["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
