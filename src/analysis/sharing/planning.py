"""Who gets what of what is published now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from analysis.errors import UnknownError, UsageError
from analysis.rendering.edition import sheet_file
from analysis.rendering.kinds import kind_named
from analysis.settings import Settings
from analysis.sharing.circles import Circle
from analysis.sharing.pages import Page, Published, data_digest_of, read_published
from analysis.sharing.recipients import (
    Recipient,
    find_coaches,
    find_families,
    find_teachers,
    only,
)
from analysis.store import Store, StoreIndex

COMMAND = "coach report --window WINDOW"
FAMILY_KINDS = ["families", "students"]
"""Kinds of pages of which a family gets the own student's sheet."""


def plan_recipients(
    settings: Settings, to: Circle, classroom_ids: Sequence[str] = ()
) -> tuple[list[Recipient], Published]:
    """Return who gets what, and the edition it is of.

    Parameters
    ----------
    settings
        Where the store is and where pages are published.
    to
        Whom to share with.
    classroom_ids
        Only of these classrooms; all where none is named.

    Raises
    ------
    UnknownError
        The store has no such classroom.
    UsageError
        Nothing is published that could be shared.
    """
    roster = Store(settings.store).read_roster()
    known = sorted(set(roster["classroom_id"]))
    for one in classroom_ids:
        if one not in known:
            raise UnknownError.of("classroom", one, known, str(settings.store))
    if to is Circle.FAMILIES:
        wanted = roster[roster["classroom_id"].isin(classroom_ids or known)]
        published = _first_published(settings, FAMILY_KINDS)
        found = find_families(_sheets(settings, wanted, published.window), wanted)
    else:
        published = _published(settings, "classroom")
        if to is Circle.TEACHERS:
            found = find_teachers(roster, published.pages)
        else:
            digests = _published_or_none(settings, "caseload", published.window)
            found = find_coaches(roster, published.pages, digests.pages if digests else {})
        found = only(found, classroom_ids)
    if not found:
        raise UsageError("None of these has a page to share.\nMake the reports first.")
    return found, published


def check_fresh(settings: Settings, page: Page, window: str) -> None:
    """Stop when a published page is of other data than the store has now.

    Groups for other tools are worked out from the store, and must be those of the page.

    Raises
    ------
    UsageError
        Naming the page.
    """
    kind, index = kind_named(page.kind), StoreIndex(settings.store)
    parameters = kind.parameters_of(index, window, page.page_id, settings)
    if kind.expected(index, page.page_id, parameters).digest != data_digest_of(page):
        raise UsageError(
            f"The page of {page.page_id} was made from other data than the store has now.\n"
            f"Make the reports again: {COMMAND}. Or share without groups: --no-groups."
        )


def _sheets(settings: Settings, roster: pd.DataFrame, window: str) -> dict[str, list[Page]]:
    """Return each student's own pages: the sheets beside the page of all."""
    found: dict[str, list[Page]] = {}
    for kind in FAMILY_KINDS:
        published = _published_or_none(settings, kind, window)
        if published is None:
            continue
        rows = roster[["student_id", "classroom_id"]].drop_duplicates("student_id")
        for student_id, classroom_id in rows.itertuples(index=False):
            page = published.pages.get(classroom_id)
            if page is None:
                continue
            sheet = sheet_file(page.file, student_id)
            if sheet.is_file():
                own = replace(page, page_id=student_id, file=sheet, name=f"{kind}.html")
                found.setdefault(student_id, []).append(own)
    return found


def _first_published(settings: Settings, kinds: Sequence[str]) -> Published:
    for kind in kinds:
        published = _published_or_none(settings, kind)
        if published is not None:
            return published
    raise UsageError(f"{settings.out} shows no pages for students and families.\nMake them first.")


def _published_or_none(
    settings: Settings, kind: str, window: str | None = None
) -> Published | None:
    try:
        published = _published(settings, kind)
    except (UnknownError, UsageError):
        return None
    return published if window in (None, published.window) else None


def _published(settings: Settings, kind: str) -> Published:
    return read_published(kind_named(kind).published_in(settings), kind, COMMAND)
