"""The rows of a table, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def walk_rows(table: pd.DataFrame) -> Iterator[Any]:
    """Give each row of a table as a named tuple, its label in ``Index``.

    The one place where cells lose their types: what a column holds is said and checked by
    the contracts of :mod:`analysis.tables`, which a type checker cannot read.

    Examples
    --------
    >>> import pandas as pd
    >>> [row.n * 2 for row in walk_rows(pd.DataFrame({"n": [1, 2]}))]
    [2, 4]
    """
    return iter(table.itertuples())
