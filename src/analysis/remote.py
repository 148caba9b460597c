"""Folders on other machines, by address: ``s3://…``, ``sftp://…``, ``file://…``.

fsspec opens them all in one way; each kind of address may need a package of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from analysis.errors import AnalysisError, UsageError


@dataclass(frozen=True)
class RemoteFolder:
    """A folder behind an address.

    Parameters
    ----------
    files
        fsspec's file system.
    root
        The folder's path in it.
    address
        As it was given, for messages.
    """

    files: Any
    root: str
    address: str

    def path(self, *parts: str) -> str:
        """Return the path of something in the folder."""
        return "/".join([self.root.rstrip("/"), *parts])

    def names(self, *parts: str) -> set[str]:
        """Return the names of what lies in a folder of it; none where it is not there."""
        folder = self.path(*parts)
        self.files.invalidate_cache()
        if not self.files.exists(folder):
            return set()
        return {path.rstrip("/").rsplit("/", 1)[-1] for path in self.files.ls(folder, detail=False)}

    def read(self, *parts: str) -> bytes | None:
        """Return the content of a file, or none where it is not there."""
        try:
            content: bytes = self.files.cat_file(self.path(*parts))
        except FileNotFoundError:
            return None
        return content

    def write(self, content: bytes, *parts: str) -> None:
        """Write a file; a store of objects shows it whole or not at all."""
        self.files.pipe_file(self._ready(*parts), content)

    def copy(self, path: str, *parts: str) -> None:
        """Copy a file there, without fetching it."""
        self.files.copy(path, self._ready(*parts))

    def _ready(self, *parts: str) -> str:
        path = self.path(*parts)
        self.files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        return path


@contextmanager
def open_remote(address: str) -> Iterator[RemoteFolder]:
    """Give the folder behind an address.

    Raises
    ------
    UsageError
        The address is of no known kind, or the package it needs is not installed.
    AnalysisError
        The other machine does not answer, refuses, or has no room.

    Examples
    --------
    >>> with open_remote("memory://reports") as folder:
    ...     folder.write(b"Hello", "current.txt")
    ...     folder.read("current.txt"), folder.names()
    (b'Hello', {'current.txt'})
    """
    from fsspec.core import url_to_fs

    try:
        files, root = url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{address} cannot be opened: {error}\n"
            "Correct the address, or install the package for it (s3fs for s3://)."
        ) from None
    try:
        yield RemoteFolder(files, root, address)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise AnalysisError(
            f"{address} could not be read or written: {why}.\n"
            "Check the address, the key and the connection, then run the command again."
        ) from None
