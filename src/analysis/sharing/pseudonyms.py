"""Other names for students: keyed, stable, and never on the page beside the real ones.

A pseudonym is an HMAC-SHA256 of the id under a key that stays with the coach: without the
key nobody can test a roster of ids against it. The same key gives a student the same
pseudonym each time, so that pages of two windows can be compared.

Pages are made anew from a copy of the store in which the names have been replaced; what
makes them never holds a name. Ids stay inside, so that the groups are the same.
"""

from __future__ import annotations

import hmac
import secrets
import shutil
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import pandas as pd

from analysis.errors import AnalysisError, DataError
from analysis.files import make_private_folder, write_whole
from analysis.settings import Settings
from analysis.store import Store
from analysis.store.calibrations import keep_in_force

KEY_BYTES = 32
LETTERS = "ACDEFGHJKLMNPQRTUVWXYZ2346789"
"""Letters of a pseudonym; none is easily taken for another."""

LENGTH = 5
"""Letters of a pseudonym: 20 million of them, so that two of 400 students rarely meet."""


def read_key(file: Path) -> bytes:
    """Return the key in a file; one is made where there is none.

    Raises
    ------
    DataError
        The file holds no key.
    """
    if not file.is_file():
        write_whole(file, secrets.token_hex(KEY_BYTES) + "\n")
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise DataError(f"{file} holds no key.\nName the right file, or one that is not there yet.")
    return key


def name_students(student_ids: Iterable[str], key: bytes) -> dict[str, str]:
    """Return a pseudonym for each student, no two the same.

    Parameters
    ----------
    student_ids
        Of all students, so that a meeting of two is settled the same way each time.
    key
        As :func:`read_key` returns it.

    Examples
    --------
    >>> named = name_students(["0417", "0418"], bytes(32))
    >>> named == name_students(["0418", "0417"], bytes(32))
    True
    >>> named["0417"]
    'Student ...'
    """
    named: dict[str, str] = {}
    taken: set[str] = set()
    for student_id in sorted(set(student_ids)):
        n = 0
        while (code := _code(student_id, key, n)) in taken:
            n += 1
        taken.add(code)
        named[student_id] = f"Student {code}"
    return named


def pseudonymous_store(store: Store, key: bytes, folder: Path) -> Store:
    """Return a copy of a store in which students have other names.

    Parameters
    ----------
    store
        With the real names.
    key
        Of the pseudonyms.
    folder
        Where the copy is made.
    """
    make_private_folder(folder.parent)
    shutil.copytree(store.folder, folder, ignore=shutil.ignore_patterns(".lock"))
    copy = Store(folder)
    roster = copy.read_roster()
    named = name_students(roster["student_id"], key)
    copy.save(roster=roster.assign(display_name=roster["student_id"].map(named)))
    # The calibration knows no name; it is in force for the same answers under other ones.
    for window in copy.windows:
        keep_in_force(copy, window)
    _remove_real_names(copy)
    return copy


def render_under_pseudonyms(
    settings: Settings, window: str, classroom_ids: Sequence[str], key: bytes, folder: Path
) -> Settings:
    """Make classrooms' reports anew from a pseudonymous copy of the store.

    Parameters
    ----------
    settings
        Where the store is; group sizes and limits.
    window, classroom_ids
        Which reports.
    key
        Of the pseudonyms.
    folder
        Where the copy and its reports are made; the caller deletes it.

    Returns
    -------
    Settings
        Of the copy and its reports.

    Raises
    ------
    AnalysisError
        A report could not be made.
    """
    from analysis.rendering.plan import Order
    from analysis.rendering.runner import render_reports

    copy = pseudonymous_store(Store(settings.store), key, folder / "store")
    own = settings.model_copy(update={"store": copy.folder, "out": folder / "reports"})
    summary = render_reports(copy, own, Order(window, list(classroom_ids)))
    if summary.failed:
        raise AnalysisError(
            f"{len(summary.failed)} reports could not be made under pseudonyms. "
            "Nothing was shared.\nRun coach report and see which fail."
        )
    return own


def pseudonym_list(roster: pd.DataFrame, key: bytes) -> list[list[str]]:
    """Return who is who: pseudonym, classroom, id and name, for the coach alone."""
    named = name_students(roster["student_id"], key)
    rows = roster.fillna({"display_name": ""})
    listed = zip(rows["student_id"], rows["classroom_id"], rows["display_name"], strict=True)
    return sorted([named[one], classroom, one, name] for one, classroom, name in listed)


def _code(student_id: str, key: bytes, n: int) -> str:
    digest = hmac.new(key, f"{n}\0{student_id}".encode(), sha256).digest()
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return "".join(letters)


def _remove_real_names(copy: Store) -> None:
    """Delete the files that saving has left to those who read meanwhile."""
    from analysis.store.removing import remove_windows

    remove_windows(copy, [])
