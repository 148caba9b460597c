"""One report to make: what goes from the run to a worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.settings import PageParameters

if TYPE_CHECKING:  # a page's parts take long to import; a run that makes none need not wait
    from analysis.rendering.proof import Proof


@dataclass(frozen=True)
class Limits:
    """What a notebook may take; more makes it a failed one.

    Parameters
    ----------
    cell_timeout
        Seconds for one cell.
    report_timeout
        Seconds for all cells together.
    memory
        Megabytes of address space of its process, where the system can limit it
        (Linux); 0: any.
    """

    cell_timeout: int = 120
    report_timeout: int = 180
    memory: int = 0


@dataclass(frozen=True)
class Task:
    """One report to make.

    Parameters
    ----------
    notebook
        What to run.
    page_id, title
        Of the page.
    parameters
        What to run it with.
    expected
        What the page must say of itself.
    executed
        Where the executed notebook is kept.
    page
        Where the page goes.
    key
        What it is made from; see :mod:`analysis.rendering.staleness`.
    limits
        What the notebook may take.
    classroom_ids
        Classrooms whose rows it is made from, and whose students it may show.
    sheet_title
        Title of the pages made of single sheets; empty: there are none.
    """

    notebook: Path
    page_id: str
    title: str
    parameters: PageParameters
    expected: Proof
    executed: Path
    page: Path
    key: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    classroom_ids: tuple[str, ...] = ()
    sheet_title: str = ""
