"""The rows of a table, one at a time, and its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def walk_rows(table: pd.DataFrame) -> Iterator[Any]:
    """Give each row of a table as a named tuple, its label in ``Index``.

    Here cells lose their types: what a column holds is said and checked by the contracts of
    :mod:`analysis.tables`, which a type checker cannot read.

    Examples
    --------
    >>> import pandas as pd
    >>> [row.n * 2 for row in walk_rows(pd.DataFrame({"n": [1, 2]}))]
    [2, 4]
    """
    return iter(table.itertuples())


def walk_parts(
    table: pd.DataFrame, by: str | list[str], *, sort: bool = True
) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Give the rows of each value of a column (or of each pair, of two), with the value.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"room": ["b", "a", "b"], "n": [1, 2, 3]})
    >>> [(room, part["n"].tolist()) for room, part in walk_parts(table, "room")]
    [('a', [2]), ('b', [1, 3])]
    """
    return iter(table.groupby(by, sort=sort))
