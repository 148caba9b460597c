"""An order from beginning to end: fetch the store, make the pages, print and deliver them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis.rendering.plan import Order
from analysis.rendering.runner import RunSummary, plan_reports, render_reports
from analysis.settings import Settings
from analysis.store.fetching import fetch_store
from analysis.store.index import StoreIndex


def fill_order(
    settings: Settings,
    order: Order,
    *,
    pdf: bool = False,
    on_plan: Callable[[RunSummary], None] = lambda summary: None,
    on_done: Callable[[str], None] = lambda page_id: None,
    approve: Callable[[Path], None] = lambda staging: None,
) -> RunSummary:
    """Make the pages that are ordered, where they are out of date, and publish them.

    Parameters
    ----------
    settings
        Where everything is; whether to fetch a store first and to deliver the edition.
    order
        What is asked for.
    pdf
        Also print each page.
    on_plan, on_done, approve
        As in :func:`analysis.rendering.runner.render_reports`.

    Raises
    ------
    AnalysisError
        As in :func:`~analysis.rendering.runner.render_reports`; or another machine cannot
        be reached.
    """
    fetch_where_asked(settings)
    summary = render_reports(
        StoreIndex(settings.store), settings, order,
        on_plan=on_plan, on_done=on_done, approve=approve,
    )  # fmt: skip
    if not summary.index:
        return summary
    folder = Path(summary.index).parent
    if pdf:
        from analysis.rendering.printing import print_edition

        print_edition(folder)
    # What is delivered are the teachers' pages; no other kind may take their place there.
    is_for_teachers = not order.kind.folder
    if settings.deliver_to and is_for_teachers:
        from analysis.rendering.delivery import deliver_edition

        deliver_edition(folder.resolve(), settings.deliver_to)
    return summary


def plan_order(settings: Settings, order: Order) -> RunSummary:
    """Return what :func:`fill_order` would do; nothing but the store is fetched."""
    fetch_where_asked(settings)
    return plan_reports(StoreIndex(settings.store), settings, order)


def fetch_where_asked(settings: Settings) -> None:
    """Fetch the store, where the settings say from where."""
    if settings.fetch_from:
        fetch_store(settings.fetch_from, settings.store)
