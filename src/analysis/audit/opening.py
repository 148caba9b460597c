"""Any file for the leak scan, also those inside other files, within limits."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

MOST_BYTES = 100_000_000
"""Bytes a package may hold unpacked."""

MOST_MEMBERS = 20_000
"""Files a package may hold."""

MOST_RATIO = 200
"""How many times larger a member may get by unpacking."""

DEEPEST = 3
"""Packages inside packages that are opened."""


@dataclass(frozen=True)
class Opened:
    """One file, or a member of one.

    Parameters
    ----------
    name
        Relative path; members of a package are joined by ``!``.
    kind
        Lower-case ending that says what it is, without the dot.
    content
        Its bytes; ``None`` where it could not be opened within the limits.
    """

    name: str
    kind: str
    content: bytes | None


def open_all(name: str, content: bytes, depth: int = 0) -> Iterator[Opened]:
    """Give a file and everything inside it.

    A workbook is given as one file, of kind ``xlsx``; a ZIP and a GZ as their members.

    Examples
    --------
    >>> [one.kind for one in open_all("notes.txt", b"hello")]
    ['txt']
    """
    kind = kind_of(name, content)
    if kind == "zip" and depth < DEEPEST:
        yield from _members(name, content, depth)
    elif kind == "gz" and depth < DEEPEST:
        unpacked = _gunzip(content)
        if unpacked is None:
            yield Opened(name, kind, None)
        else:
            inner = PurePosixPath(name).name.removesuffix(".gz")
            yield from open_all(f"{name}!{inner}", unpacked, depth + 1)
    elif kind in {"zip", "gz"} or (kind == "xlsx" and open_package(content) is None):
        yield Opened(name, kind, None)
    else:
        yield Opened(name, kind, content)


def kind_of(name: str, content: bytes) -> str:
    """Return what a file is: by its first bytes where they tell, else by its ending.

    Examples
    --------
    >>> kind_of("page.htm", b""), kind_of("report.txt", b"%PDF-1.7"), kind_of("README", b"Hi")
    ('html', 'pdf', 'txt')
    """
    ending = PurePosixPath(name.split("!")[-1]).suffix.lower().removeprefix(".")
    if content.startswith(b"PK\x03\x04"):
        package = open_package(content)
        is_workbook = package is not None and "[Content_Types].xml" in package.namelist()
        return "xlsx" if is_workbook else "zip"
    signs = {b"\x1f\x8b": "gz", b"%PDF": "pdf", b"\x89PNG": "png", b"\xff\xd8\xff": "jpg",
             b"GIF8": "gif", b"PAR1": "parquet"}  # fmt: skip
    for sign, kind in signs.items():
        if content.startswith(sign):
            return kind
    if re.match(rb"\s*(?:<!doctype html|<html)", content[:300], re.IGNORECASE):
        return "html"
    return {"htm": "html", "": "txt", "xhtml": "html"}.get(ending, ending)


def open_package(content: bytes) -> zipfile.ZipFile | None:
    """Return a ZIP package whose sizes are within the limits, or none."""
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
        members = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None
    total = sum(member.file_size for member in members)
    steep = any(
        member.file_size > 100_000 and member.file_size > MOST_RATIO * (member.compress_size or 1)
        for member in members
    )
    too_much = len(members) > MOST_MEMBERS or total > MOST_BYTES or steep
    return None if too_much else package


def _members(name: str, content: bytes, depth: int) -> Iterator[Opened]:
    package = open_package(content)
    if package is None:
        yield Opened(name, "zip", None)
        return
    for member in package.infolist():
        if member.is_dir():
            continue
        inner = f"{name}!{member.filename}"
        try:
            yield from open_all(inner, package.read(member), depth + 1)
        except (RuntimeError, zipfile.BadZipFile, zlib.error, NotImplementedError, OSError):
            yield Opened(inner, kind_of(inner, b""), None)


def _gunzip(content: bytes) -> bytes | None:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        return None
    return None if len(unpacked) > MOST_BYTES else unpacked
