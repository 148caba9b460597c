"""Top and bottom coding: a share near 0 or 1 tells of each student of a group."""

from __future__ import annotations

from analysis.privacy.suppression import SMALLEST_CELL

ENDS = ((300, 0.01), (100, 0.02), (40, 0.05), (0, 0.10))
"""Share at which the ends are cut, by the students it is of: from 300 on at 1 %, from 100
at 2 %, from 40 at 5 %, below at 10 % (as the Utah Data Gateway and Delaware do)."""


def code_share(
    count: float, total: int, *, smallest: int = SMALLEST_CELL
) -> tuple[str, float] | None:
    """Return a share as it may be shown.

    Parameters
    ----------
    count
        Students it is true of (or expected to be), 0 to ``total``.
    total
        Students it is said of.
    smallest
        Fewest students a share may be about.

    Returns
    -------
    tuple of str and float, or None
        ``""``, ``"under"`` or ``"over"``, and the share (0 to 1, whole percent); ``None``
        where it is about too few.

    Examples
    --------
    >>> code_share(12, 40), code_share(40, 40), code_share(1, 400), code_share(5, 9)
    (('', 0.3), ('over', 0.95), ('under', 0.01), None)
    """
    if total < smallest:
        return None
    end = next(cut for least, cut in ENDS if total >= least)
    share = count / total
    if share < end:
        return "under", end
    if share > 1 - end:
        return "over", 1 - end
    return "", round(share, 2)
