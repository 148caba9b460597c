"""The store: everything imported, as Parquet, one partition a classroom.

::

    store.json                                  what is in force: each table's file and digest
    skills.<digest>.parquet  items.…            the framework and the Q-matrix
    coach_only.<digest>.parquet                 what was kept on request; no report reads it
    roster/<classroom>.<digest>.parquet         this classroom's students only
    evidence/<classroom>/<window>.<digest>.parquet
    voice/<classroom>.<digest>.parquet          what its students say of themselves
    calibration/<window>.<digest>.json          made from everybody, holds no student

A file is never changed: new rows make a new file, and ``store.json``, written last, puts
all of them in force at once. So a stopped import has changed nothing, a reader sees the
old tables or the new ones, and what a report was made from is known without reading it.
A report reads its own classroom's files and nothing of another's. The store is safe to
delete: importing the exports again makes the same one.

``index`` knows what is there and loads no table; ``tables`` reads and saves;
``calibrations`` knows which calibration is in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.store.index import StoreIndex
    from analysis.store.tables import Store

__all__ = ["Store", "StoreIndex"]


def __getattr__(name: str) -> object:
    # Tables take a second to import; a run that finds nothing to do never needs them.
    if name == "Store":
        from analysis.store.tables import Store

        return Store
    if name == "StoreIndex":
        from analysis.store.index import StoreIndex

        return StoreIndex
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
