"""The pages of a run: made where they are out of date, audited as a whole, then published."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from analysis.audit.auditing import Auditor, accounts_here
from analysis.audit.people import People
from analysis.errors import join_faults
from analysis.nightly.causes import AuditError
from analysis.rendering.edition import current_folder
from analysis.rendering.kinds import kind_named
from analysis.rendering.orders import fill_order
from analysis.rendering.plan import Order
from analysis.settings import Settings
from analysis.store import Store

PHASES = ("report", "audit", "publish")


@dataclass
class Pages:
    """What became of the pages of one kind.

    Parameters
    ----------
    kind
        Its name.
    n_made, n_unchanged
        Pages made now (or by a run that was stopped), and those that were still right.
    failed
        Why a page could not be made, by its id; private.
    without_evidence
        Pages there is nothing to make from.
    n_audited, leaks
        Files looked through, and what was found.
    edition
        The edition that is shown afterwards.
    is_new
        Whether it was published now.
    phase
        What was being done last: one of :data:`PHASES`.
    error
        What stopped it; ``None`` where all went well.
    seconds
        By phase.
    """

    kind: str
    n_made: int = 0
    n_unchanged: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    without_evidence: list[str] = field(default_factory=list)
    n_audited: int = 0
    leaks: int = 0
    edition: str | None = None
    is_new: bool = False
    phase: str = PHASES[0]
    error: Exception | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def error_in(self, phase: str) -> Exception | None:
        """Return what stopped it in this phase, if anything did."""
        return self.error if self.phase == phase else None


def make_pages(settings: Settings, window: str, kind: str) -> Pages:
    """Make, audit and publish the pages of one kind; a fault is told, not raised.

    Parameters
    ----------
    settings
        Where everything is.
    window
        Assessment window to report on.
    kind
        Name of the kind of pages.
    """
    pages = Pages(kind)
    order = Order(window, kind=kind_named(kind))
    out = order.kind.published_in(settings)
    before = _shown(out)
    began = time.monotonic()

    def approve(staging: Path) -> None:
        nonlocal began
        began = _pass_on(pages, "audit", began)
        _audit(settings, staging, pages)
        began = _pass_on(pages, "publish", began)

    # What was imported here is not to be covered by another machine's store.
    own = settings.model_copy(update={"fetch_from": None, "engine": _engine(settings, kind)})
    try:
        summary = fill_order(own, order, approve=approve)
        pages.n_made = len(summary.rendered) + len(summary.resumed)
        pages.n_unchanged = len(summary.unchanged)
        pages.failed = {one["page_id"]: one["problem"] for one in summary.failed}
        pages.without_evidence = summary.without_evidence
    except Exception as error:
        pages.error = error
    pages.seconds[pages.phase] = time.monotonic() - began
    pages.edition = _shown(out)
    pages.is_new = pages.edition != before
    return pages


def _engine(settings: Settings, kind: str) -> str:
    # The log of visits lies on this machine, and so does what is kept for the coach alone.
    return "pool" if kind == "caseload" else settings.engine


def _pass_on(pages: Pages, phase: str, began: float) -> float:
    now = time.monotonic()
    pages.seconds[pages.phase] = now - began
    pages.phase = phase
    return now


def _audit(settings: Settings, staging: Path, pages: Pages) -> None:
    """Look through a whole edition before anybody sees it.

    Raises
    ------
    AuditError
        Something leaks; the message says where, never what.
    """
    auditor = Auditor(People(Store(settings.store).read_roster()), accounts_here())
    found = auditor.audit_path(staging)
    pages.n_audited = sum(1 for file in staging.rglob("*") if file.is_file())
    pages.leaks = len(found)
    if found:
        raise AuditError(
            f"The audit found {len(found)} leaks in the new pages. They were not published.\n"
            + join_faults(map(str, found))
        )


def _shown(out: Path) -> str | None:
    folder = current_folder(out)
    return folder.name if folder is not None else None
