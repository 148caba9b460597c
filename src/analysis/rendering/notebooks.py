"""nbformat, without what takes longest to import in it and is not used.

Other modules take it from here, so that it comes first this way in every process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _left_out(name: str) -> Iterator[None]:
    """Have a package look as if it were not installed, where it is not loaded yet."""
    is_new = name not in sys.modules
    if is_new:
        # None is Python's own word for a module that cannot be imported.
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if is_new:
            del sys.modules[name]


# jsonschema asks for the grammar of international web addresses, which is compiled anew on
# each import: 1.7 of 1.9 seconds. It is optional there, and no notebook is checked for it.
with _left_out("rfc3987_syntax"):
    import nbformat

NotebookNode = nbformat.NotebookNode

__all__ = ["NotebookNode", "nbformat"]
