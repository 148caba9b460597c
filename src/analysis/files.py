"""Files with student data: written whole or not at all, for their owner only, safely named."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from analysis.errors import LockedError

OWNER_ONLY_FILE = 0o600
OWNER_ONLY_FOLDER = 0o700
LONGEST_NAME = 40
"""Characters of an id kept in a file name; the digest behind it tells ids apart."""


def safe_name(text: str) -> str:
    """Return a file name for any id: readable, short, and never the same for two ids.

    Lower-case letters, digits and dashes, then eight digits of the id's SHA-256. So
    ``../x`` stays inside its folder, ``7A`` and ``7a`` differ on every file system, and
    no name is reserved on Windows.

    Examples
    --------
    >>> safe_name("7A")
    '7a-dedba776'
    >>> safe_name("../../CON").startswith("con-")
    True
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME].strip("-")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{readable}-{digest}" if readable else digest


def natural_key(text: str) -> list[tuple[int, int | str]]:
    """Return a sort key that puts ``3.NF.2`` before ``3.NF.10``.

    Examples
    --------
    >>> sorted(["3.NF.10", "3.NF.2"], key=natural_key)
    ['3.NF.2', '3.NF.10']
    """
    return [
        (0, int(part)) if part.isdecimal() else (1, part.casefold())
        for part in re.split(r"(\d+)", str(text))
        if part
    ]


def make_private_folder(path: Path) -> Path:
    """Make a folder, and its missing parents, that only its owner can open."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
        path.chmod(OWNER_ONLY_FOLDER)
    return path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place when all went well.

    A reader sees the old file or the new one, never a part. The file is its owner's only.
    """
    make_private_folder(path.parent)
    # mkstemp makes the file owner-only before the first byte is in it.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=path.suffix)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(OWNER_ONLY_FILE)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one step; see :func:`whole_file`."""
    data = content.encode() if isinstance(content, str) else content
    with whole_file(path) as part:
        part.write_bytes(data)


def write_json(path: Path, content: object) -> None:
    """Write JSON in one step, the same bytes for the same content."""
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


@contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """Hold the folder for one run; the lock dies with the process that holds it.

    Raises
    ------
    LockedError
        Another run holds it.
    """
    lock = FileLock(make_private_folder(folder) / ".lock", timeout=0, mode=OWNER_ONLY_FILE)
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"Another run is {what} in {folder}.\nWait until it has ended, then try again."
        ) from None
    try:
        yield
    finally:
        lock.release()


def digest_of(*parts: bytes) -> str:
    """Return the SHA-256 of byte strings, each told apart from its neighbours.

    Examples
    --------
    >>> digest_of(b"ab", b"c") == digest_of(b"a", b"bc")
    False
    """
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()
