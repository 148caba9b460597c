"""Sharing: plan who gets what, make each bundle, audit it, then publish all of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.audit.auditing import MADE_BY, MANIFEST, Auditor, read_manifest
from analysis.audit.findings import Finding
from analysis.errors import AnalysisError, UsageError, join_faults
from analysis.files import OWNER_ONLY_FOLDER, make_private_folder, write_whole
from analysis.language import Language
from analysis.sharing.bundle import Bundle, Protection, describe, make_bundle, to_json, to_zip
from analysis.sharing.passphrases import new_passphrase
from analysis.sharing.protection import lock_script_hash, seal
from analysis.sharing.recipients import Recipient
from analysis.sharing.spreadsheets import to_csv

LIST = "recipients.csv"
LIST_COLUMNS = ["recipient", "file", "protection", "classrooms", "students", "pages", "notes"]


class LeakError(AnalysisError):
    """What was to be published would leak; nothing was published."""


@dataclass(frozen=True)
class Shipment:
    """What to share, and how.

    Parameters
    ----------
    recipients
        Who gets which pages.
    window, edition
        Of the pages.
    out
        Folder to publish in; a former share there is replaced.
    protection
        Of every bundle.
    packed
        Whether a bundle is one ZIP in place of a folder.
    language
        Of indexes and lock pages.
    """

    recipients: Sequence[Recipient]
    window: str
    edition: str
    out: Path
    protection: Protection = Protection.PLAIN
    packed: bool = False
    language: Language = field(default_factory=lambda: _english())

    @property
    def has_passphrase(self) -> bool:
        """Whether each bundle is one page behind a passphrase."""
        return self.protection in {Protection.PASSPHRASE, Protection.BOTH}

    def file_of(self, recipient: Recipient) -> str:
        """Return the name of a recipient's bundle."""
        ending = ".html" if self.has_passphrase else ".zip" if self.packed else ""
        return recipient.file + ending


def share(
    shipment: Shipment,
    auditor: Auditor,
    groups_of: Callable[[str], Mapping[str, bytes]],
    *,
    passphrases: Path | None = None,
) -> dict[str, str]:
    """Make every bundle, audit it, and publish all of them or none.

    Parameters
    ----------
    shipment
        What to share.
    auditor
        Knows everybody on the rosters.
    groups_of
        Gives the files of a classroom's groups.
    passphrases
        Where the passphrases are written; needed with them, and outside ``out``.

    Returns
    -------
    dict of str to str
        Each recipient's bundle, by the name of the recipient's file.

    Raises
    ------
    LeakError
        The audit found something; nothing was published.
    UsageError
        The folder holds something else, or the passphrases would lie beside the bundles.
    """
    check_folder(shipment.out)
    listed = None
    if shipment.has_passphrase:
        listed = check_outside(passphrases, shipment.out, "The passphrases")
    make_private_folder(shipment.out.parent)
    staging = Path(tempfile.mkdtemp(dir=shipment.out.parent, prefix=".sharing-"))
    staging.chmod(OWNER_ONLY_FOLDER)
    try:
        words = _write_bundles(shipment, auditor, groups_of, staging)
        if listed is not None:
            write_whole(listed, _passphrase_list(shipment, words))
        _put_in_place(staging, shipment.out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return {one.file: shipment.file_of(one) for one in shipment.recipients}


def check_folder(out: Path) -> None:
    """Stop before something that was not shared is overwritten.

    Raises
    ------
    UsageError
        The folder is there and holds something else than a former share.
    """
    if out.is_dir() and any(out.iterdir()) and read_manifest(out / MANIFEST) is None:
        raise UsageError(
            f"{out} holds other files.\nName a new or empty folder, or one shared to before."
        )


def check_outside(file: Path | None, out: Path, what: str) -> Path:
    """Return where a secret is written; stop before it lies beside what it protects.

    Raises
    ------
    UsageError
        The file is in the folder.
    """
    if file is None or file.resolve().is_relative_to(out.resolve()):
        raise UsageError(
            f"{what} must not lie in {out}, beside what they protect.\nName another place."
        )
    return file


def _write_bundles(
    shipment: Shipment,
    auditor: Auditor,
    groups_of: Callable[[str], Mapping[str, bytes]],
    staging: Path,
) -> dict[str, str]:
    """Write all bundles, their list and the manifest; return passphrases by file."""
    entries, words = {}, {}
    for recipient in shipment.recipients:
        bundle = make_bundle(
            recipient,
            window=shipment.window,
            edition=shipment.edition,
            protection=shipment.protection,
            language=shipment.language,
            groups_of=groups_of,
        )
        _audit(bundle, auditor)
        name = shipment.file_of(recipient)
        if shipment.has_passphrase:
            words[recipient.file] = new_passphrase()
            page = seal(
                bundle.files, words[recipient.file], start=bundle.start,
                language=shipment.language,
            )  # fmt: skip
            entries[name] = page.encode()
        elif shipment.packed:
            entries[name] = to_zip(bundle.all_files)
        else:
            for inner, content in bundle.all_files.items():
                write_whole(staging / name / inner, content)
    entries[LIST] = _recipient_list(shipment)
    for name, content in entries.items():
        write_whole(staging / name, content)
    write_whole(staging / MANIFEST, to_json(_manifest(shipment, entries)))
    allowed = auditor.allowing(lock_script_hash()) if shipment.has_passphrase else auditor
    _stop_at(allowed.audit_path(staging))
    return words


def _audit(bundle: Bundle, auditor: Auditor) -> None:
    """Look through a bundle before it is packed or sealed."""
    found = []
    for name, content in bundle.files.items():
        found += auditor.audit_bytes(name, content, bundle.manifest)
    _stop_at(found)


def _stop_at(found: list[Finding]) -> None:
    if found:
        raise LeakError(
            "The audit found leaks. Nothing was shared.\n"
            + join_faults(str(one) for one in sorted(set(found)))
            + "\nMake the reports again, then share; if it stays, tell those who run this."
        )


def _manifest(shipment: Shipment, entries: Mapping[str, bytes]) -> dict[str, Any]:
    everybody = sorted({one for who in shipment.recipients for one in who.classroom_ids})
    students = sorted({one for who in shipment.recipients for one in who.student_ids})
    whose = {shipment.file_of(one): _whose(one) for one in shipment.recipients}
    whose[LIST] = {"classrooms": everybody, "students": students}
    return {
        "made_by": MADE_BY,
        "window": shipment.window,
        "edition": shipment.edition,
        "protection": shipment.protection.value,
        "recipients": [shipment.file_of(one) for one in shipment.recipients],
        "files": {name: describe(entries[name], **whose[name]) for name in sorted(entries)},
    }


def _recipient_list(shipment: Shipment) -> bytes:
    rows = [
        [
            one.name,
            shipment.file_of(one),
            shipment.protection.value,
            " ".join(one.classroom_ids),
            " ".join(one.student_ids),
            str(len(one.pages)),
            "; ".join(one.notes),
        ]
        for one in shipment.recipients
    ]
    return to_csv(LIST_COLUMNS, rows, bom=True)


def _passphrase_list(shipment: Shipment, words: Mapping[str, str]) -> bytes:
    rows = [[one.name, shipment.file_of(one), words[one.file]] for one in shipment.recipients]
    return to_csv(["recipient", "file", "passphrase"], rows, bom=True)


def _whose(recipient: Recipient) -> dict[str, list[str]]:
    return {"classrooms": list(recipient.classroom_ids), "students": list(recipient.student_ids)}


def _put_in_place(staging: Path, out: Path) -> None:
    """Let the new share take the old one's place."""
    old = staging.with_name(f"{staging.name}-old")
    if out.exists():
        out.rename(old)
    try:
        staging.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _english() -> Language:
    from analysis.language import open_language

    return open_language()
