"""A shipment sent: where it may go, whose pages are made anew first, what goes with it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from analysis.audit.auditing import Auditor, accounts_here
from analysis.audit.people import People
from analysis.files import write_whole
from analysis.settings import Settings
from analysis.sharing.circles import Circle
from analysis.sharing.planning import check_fresh, plan_recipients
from analysis.sharing.pseudonyms import pseudonym_list, read_key, render_under_pseudonyms
from analysis.sharing.share import Shipment, check_folder, check_outside, share
from analysis.sharing.spreadsheets import to_csv
from analysis.store import Store


def send(
    settings: Settings,
    shipment: Shipment,
    to: Circle,
    kept: Mapping[str, Path],
    groups_of: Callable[[str], Mapping[str, bytes]] | None = None,
) -> dict[str, str]:
    """Write the bundles; under pseudonyms, their pages are made anew first.

    Parameters
    ----------
    settings
        Where the store is.
    shipment
        Who gets what.
    to
        Whom it is for.
    kept
        Files that stay here: ``passphrases``; ``key`` and ``who is who`` of pseudonyms.
    groups_of
        Gives the files of a classroom's groups; ``None``: none go along.

    Returns
    -------
    dict of str to str
        Each recipient's bundle.

    Raises
    ------
    AnalysisError
        As in :func:`analysis.sharing.share.share`; or a page is older than the store.
    """
    store = Store(settings.store)
    auditor = Auditor(People(store.read_roster()), accounts_here())
    for what, file in kept.items():
        check_outside(file, shipment.out, f"The {what}")
    check_folder(shipment.out)
    if "key" not in kept:
        if groups_of is not None:
            _check_fresh(settings, shipment)
        given = groups_of or _no_groups
        return share(shipment, auditor, given, passphrases=kept.get("passphrases"))
    with tempfile.TemporaryDirectory() as folder:
        own = _under_pseudonyms(settings, shipment, to, kept, store, Path(folder))
        # Tools that import groups need real ids, which stay at home.
        return share(own, auditor, _no_groups, passphrases=kept.get("passphrases"))


def _under_pseudonyms(
    settings: Settings,
    shipment: Shipment,
    to: Circle,
    kept: Mapping[str, Path],
    store: Store,
    folder: Path,
) -> Shipment:
    """Return the same shipment with pages that were made under pseudonyms."""
    key = read_key(kept["key"])
    wanted = sorted({
        page.page_id for one in shipment.recipients for page in one.pages
        if page.kind == "classroom"
    })  # fmt: skip
    own = render_under_pseudonyms(settings, shipment.window, wanted, key, folder)
    recipients, _ = plan_recipients(own, to, wanted)
    columns = ["pseudonym", "classroom_id", "student_id", "display_name"]
    listed = to_csv(columns, pseudonym_list(store.read_roster(), key), bom=True)
    write_whole(kept["who is who"], listed)
    return replace(shipment, recipients=recipients)


def _check_fresh(settings: Settings, shipment: Shipment) -> None:
    for one in shipment.recipients:
        for page in one.pages:
            if page.kind == "classroom":
                check_fresh(settings, page, shipment.window)


def _no_groups(classroom_id: str) -> Mapping[str, bytes]:
    return {}
