"""Whether somebody is there who can touch a control."""

from __future__ import annotations


def is_live() -> bool:
    """Say whether the running cell was sent by an editor such as JupyterLab.

    An editor sends the cell's id with its code; papermill and nbconvert send none. Where
    nothing is known the answer is no: a static view shows everything to everyone.

    Examples
    --------
    >>> is_live()
    False
    """
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return False
    parent = kernel.get_parent("shell") or {}
    return "cellId" in parent.get("metadata", {})
