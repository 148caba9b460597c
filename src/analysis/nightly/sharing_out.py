"""Bundles made anew for everybody after a new edition; else what was shared stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from analysis.audit.auditing import MANIFEST, read_manifest
from analysis.classroom.handing import groups_to_share
from analysis.files import digest_of, write_json
from analysis.language import open_language
from analysis.nightly.pages import Pages
from analysis.settings import Settings
from analysis.sharing.circles import Circle
from analysis.sharing.planning import plan_recipients
from analysis.sharing.sending import send
from analysis.sharing.share import Shipment

STATE = "shared.json"


def share_out(settings: Settings, folder: Path, pages: Sequence[Pages]) -> dict[str, int]:
    """Make the bundles of each circle whose pages are others than when it was shared last.

    Parameters
    ----------
    settings
        Whom to share with, and where.
    folder
        Where it is remembered what was shared.
    pages
        Of this run, by kind.

    Returns
    -------
    dict of str to int
        Bundles made, by circle; circles for which nothing changed are left out.

    Raises
    ------
    AnalysisError
        As in :func:`analysis.sharing.sending.send`; the bundles before are still there.
    """
    out = settings.run.share_out
    _remove_unfinished(out)
    made: dict[str, int] = {}
    for name in settings.run.share_to:
        key = _key(settings, pages)
        if _is_shared(out / name, folder, name, key):
            continue
        circle = Circle(name)
        recipients, published = plan_recipients(settings, circle)
        shipment = Shipment(
            recipients,
            window=published.window,
            edition=published.name,
            out=out / name,
            language=open_language(settings.language),
        )
        send(settings, shipment, circle, {}, groups_to_share(settings, published.window))
        write_json(folder / STATE, _state(folder) | {name: key})
        made[name] = len(recipients)
    return made


def _key(settings: Settings, pages: Sequence[Pages]) -> str:
    """Return a digest of the editions that are shown; a page that changed makes a new one."""
    shown = [f"{one.kind} {one.edition}" for one in pages]
    return digest_of(*(text.encode() for text in [settings.language, *shown]))[:16]


def _is_shared(out: Path, folder: Path, name: str, key: str) -> bool:
    return _state(folder).get(name) == key and read_manifest(out / MANIFEST) is not None


def _state(folder: Path) -> dict[str, str]:
    try:
        told = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _remove_unfinished(out: Path) -> None:
    """Remove what a killed run left; it holds student records and is nobody's."""
    for left in out.glob(".sharing-*") if out.is_dir() else ():
        shutil.rmtree(left, ignore_errors=True)
