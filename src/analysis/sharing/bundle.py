"""One recipient's bundle: index, pages, groups for other tools, and the manifest."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from analysis.audit.auditing import MADE_BY, MANIFEST
from analysis.language import Language, mark
from analysis.rendering.blocks import render_block
from analysis.sharing.pages import Page
from analysis.sharing.recipients import Recipient

INDEX = "index.html"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""Stands as the time of every file in a ZIP, so that the same content gives the same bytes."""


class Protection(StrEnum):
    """What a bundle is protected by."""

    PLAIN = "plain"
    PSEUDONYMS = "pseudonyms"
    PASSPHRASE = "passphrase"
    BOTH = "pseudonyms and passphrase"


UNNAMED = {Protection.PSEUDONYMS, Protection.BOTH}
"""Where no page may hold a student's name or id, not even for the recipient."""

SAID = {
    Protection.PLAIN: mark(
        "These files hold student records and are not protected: whoever has them can read "
        "them. They are for {name} alone. Keep them where nobody else can open them, and "
        "delete them when they are of no more use."
    ),
    Protection.PSEUDONYMS: mark(
        "Students stand here under other names. That protects them from strangers, not from "
        "somebody who knows the class: treat the files as student records. They are for {name} "
        "alone."
    ),
    Protection.PASSPHRASE: mark(
        "The passphrase protected these pages on their way to you. From here on it does not: "
        "what you save or print is open to whoever finds it. They are for {name} alone."
    ),
    Protection.BOTH: mark(
        "Students stand here under other names, and a passphrase protected these pages on their "
        "way to you. Somebody who knows the class may still recognise a student: treat what you "
        "save or print as student records. They are for {name} alone."
    ),
}
"""What the protection does and does not, on the first page of each bundle."""

TITLES = {
    "classroom": mark("Classroom {page}"),
    "caseload": mark("All classrooms of {page}"),
    "students": mark("Skills and next steps"),
    "families": mark("Letter to the family"),
}
"""What a page is called in the list, by its kind."""

FILE_WORDS = {
    "class-list.xlsx": mark("Class list (Excel)"),
    "class-list.csv": mark("Class list (CSV)"),
    "canvas-differentiation-tags.csv": mark("Differentiation tags (Canvas)"),
    "canvas-group-set.csv": mark("Group set (Canvas)"),
    "desk-cards.html": mark("Desk cards"),
}
"""What a file of the groups is called, in the order of the list."""


@dataclass(frozen=True)
class Bundle:
    """What one recipient gets.

    Parameters
    ----------
    recipient
        Who.
    files
        Content by name below the bundle.
    manifest
        Whose records each file holds, and its digest.
    start
        The file to open first.
    """

    recipient: Recipient
    files: dict[str, bytes]
    manifest: dict[str, Any]
    start: str

    @property
    def all_files(self) -> dict[str, bytes]:
        """The files and the manifest."""
        return self.files | {MANIFEST: to_json(self.manifest)}


def make_bundle(
    recipient: Recipient,
    *,
    window: str,
    edition: str,
    protection: Protection,
    language: Language,
    groups_of: Callable[[str], Mapping[str, bytes]],
) -> Bundle:
    """Return a recipient's bundle.

    Parameters
    ----------
    recipient
        Who, and which pages.
    window, edition
        Of the pages.
    protection
        Said on the index and in the manifest.
    language
        Of the index.
    groups_of
        Gives the files of a classroom's groups; called for classrooms' pages alone.
    """
    files: dict[str, bytes] = {}
    whose: dict[str, dict[str, list[str]]] = {}
    groups: dict[str, list[tuple[str, str]]] = {}
    for page in recipient.pages:
        own = {} if protection in UNNAMED else _whose(page, recipient)
        added = {page.shown_as: page.file.read_bytes()}
        if page.kind == "classroom":
            made = groups_of(page.page_id)
            groups[page.page_id] = _named(made, language)
            added |= made
        files |= added
        whose |= dict.fromkeys(added, own)
    alone = recipient.student_ids and len(files) == 1
    start = next(iter(files)) if alone else INDEX
    if start == INDEX:
        files[INDEX] = render_block(
            "share_index",
            language,
            recipient=recipient,
            window=window,
            protection=language.say(SAID[protection], name=recipient.name),
            titles={kind: language.say(title) for kind, title in TITLES.items()},
            files=groups if any(groups.values()) else {},
        ).html.encode()
        whose[INDEX] = {}
    manifest = {
        "made_by": MADE_BY,
        "recipient": recipient.name,
        "window": window,
        "edition": edition,
        "protection": protection.value,
        "files": {name: describe(files[name], **whose[name]) for name in sorted(files)},
    }
    return Bundle(recipient, files, manifest, start)


def describe(content: bytes, **whose: list[str]) -> dict[str, Any]:
    """Return a file's entry of a manifest: digest, size, whose records it holds."""
    return {"sha256": sha256(content).hexdigest(), "bytes": len(content)} | whose


def to_zip(files: Mapping[str, bytes]) -> bytes:
    """Return files as a ZIP, the same bytes for the same files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            package.writestr(member, files[name])
    return written.getvalue()


def to_json(content: dict[str, Any]) -> bytes:
    """Return JSON, the same bytes for the same content."""
    return (json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _named(files: Mapping[str, bytes], language: Language) -> list[tuple[str, str]]:
    """Return the files of a classroom's groups with what they are called."""
    by_end = {name.rsplit("/", 1)[-1]: name for name in files}
    return [
        (by_end[end], language.say(words)) for end, words in FILE_WORDS.items() if end in by_end
    ]


def _whose(page: Page, recipient: Recipient) -> dict[str, list[str]]:
    if page.kind == "classroom":
        return {"classrooms": [page.page_id]}
    if recipient.student_ids:
        return {"students": [page.page_id]}
    return {"classrooms": list(recipient.classroom_ids)}
