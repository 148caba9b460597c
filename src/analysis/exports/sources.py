"""Files, folders and zips to files with bytes; what a file is, told by its first bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from analysis.errors import DataError, UsageError

LARGEST_FILE = 512 * 2**20
"""Bytes of one file or zip member; a district's year of answers is a tenth of it."""

LARGEST_RATIO = 100
"""Unpacked bytes per packed byte; honest exports pack 5 to 20 times."""

SMALL_UNPACKED = 16 * 2**20
"""Bytes up to which the ratio is not looked at: rows of formatted blanks pack 200 times."""

MOST_MEMBERS = 1000

READ_ENDINGS = {
    ".csv",
    ".tsv",
    ".txt",
    ".tab",
    ".xlsx",
    ".xlsm",
    ".xls",
    ".xlsb",
    ".ods",
    ".json",
    ".zip",
    ".htm",
    ".html",
}
"""Endings that are looked at in a folder or zip; others are named and left alone."""

_MAGIC = [
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "ole"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a Parquet file"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
]
_BLANKS = b" \t\r\n\x1a\x00\xef\xbb\xbf\xff\xfe"
_COMPRESSED = {"gzip", "bzip2", "xz", "zstd", "7z", "rar"}


@dataclass(frozen=True)
class Source:
    """One file: its name without the folder, and its bytes."""

    name: str
    data: bytes

    @property
    def ending(self) -> str:
        """The name's last part with its dot, in lower case."""
        return PurePosixPath(self.name).suffix.casefold()

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(self.name).stem


def list_files(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Return the files to read, and the names of those in folders that are left alone.

    Folders are searched to the bottom; hidden files and folders that hold a store are
    passed over.

    Raises
    ------
    UsageError
        A path does not exist.
    """
    found: list[Path] = []
    left: list[str] = []
    for path in map(Path, paths):
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder.")
        if path.is_dir():
            inside = sorted(_walk(path))
            found += [file for file in inside if file.suffix.casefold() in READ_ENDINGS]
            left += [file.name for file in inside if file.suffix.casefold() not in READ_ENDINGS]
        else:
            found.append(path)
    return list(dict.fromkeys(found)), left


def read_source(path: Path) -> Source:
    """Return a file's bytes, read once.

    Raises
    ------
    DataError
        It is empty, too large, or of a kind that holds no table.
    """
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise DataError(
            f"{path.name}: {size / 2**20:.0f} MB is more than the {LARGEST_FILE / 2**20:.0f} MB "
            "this program reads at once.\nSplit the file."
        )
    source = Source(path.name, path.read_bytes())
    refuse_unreadable(source)
    return source


def refuse_unreadable(source: Source) -> None:
    """Raise for files that hold no table: empty, compressed, pictures, programs, pickles."""
    if source.ending in {".pkl", ".pickle", ".joblib", ".rds", ".rdata", ".sav", ".npy", ".dta"}:
        raise DataError(
            f"{source.name}: files of the kind {source.ending} are not supported and never "
            "opened.\nExport the table as CSV or XLSX."
        )
    kind = kind_of(source.data)
    if kind in _COMPRESSED:
        raise DataError(
            f"{source.name}: is a {kind} compressed file, not a table.\nUnpack it and import what "
            "is inside."
        )
    if kind == "pickle" or kind.startswith(("a ", "an ")):
        raise DataError(f"{source.name}: is {kind}, not a table.\nExport the table as CSV or XLSX.")
    if not source.data[:4096].strip(_BLANKS) and not source.data.strip(_BLANKS):
        raise DataError(f"{source.name}: the file is empty.\nExport it again.")


def kind_of(data: bytes) -> str:
    r"""Return what the first bytes say: zip, ole, html, json, text or a word for others.

    Examples
    --------
    >>> kind_of(b"PK\x03\x04..."), kind_of(b"Student ID,3.NF.1")
    ('zip', 'text')
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<meta")) or b"<table" in head:
        return "html"
    if head.startswith((b"<?xml", b"<workbook")):
        return "an XML document"
    if head.startswith((b"{", b"[{", b"[\n")):
        return "json"
    return "text"


def open_zip(source: Source) -> zipfile.ZipFile:
    """Return a zip whose sizes have been checked before anything is unpacked.

    Raises
    ------
    DataError
        It is damaged, or unpacks to more than is reasonable.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(source.data))
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError):
        raise DataError(
            f"{source.name}: the file is damaged or was cut.\nExport it again."
        ) from None
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    if size > LARGEST_FILE or (size > SMALL_UNPACKED and size / packed > LARGEST_RATIO):
        raise DataError(
            f"{source.name}: would unpack to {size / 2**20:.0f} MB from {packed / 2**20:.1f} MB; "
            "that is no honest export.\nSave the table alone as CSV."
        )
    return archive


def read_member(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
    """Return a member's bytes, never more than it announced."""
    try:
        with archive.open(name) as member:
            return member.read(archive.getinfo(name).file_size + 1)
    except RuntimeError:
        raise DataError(f"{where}: is protected by a password.\nSave it without one.") from None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError):
        raise DataError(f"{where}: {name} is damaged.\nExport it again.") from None
    except Exception as error:
        if type(error).__module__ in {"zlib", "lzma", "_lzma"}:
            raise DataError(f"{where}: {name} is damaged.\nExport it again.") from None
        raise


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Tell whether a zip is an XLSX, XLSB or ODS workbook."""
    names = set(archive.namelist())
    return "[Content_Types].xml" in names or "content.xml" in names


def unpack(source: Source) -> list[Source]:
    """Return the readable files of a zip, its folders passed through; else the file itself.

    Raises
    ------
    DataError
        The zip is damaged, unpacks to too much, or holds nothing that can be read.
    """
    if kind_of(source.data) != "zip":
        return [source]
    archive = open_zip(source)
    if is_workbook(archive):
        return [source]
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > MOST_MEMBERS:
        raise DataError(
            f"{source.name}: holds {len(members)} files, more than {MOST_MEMBERS}.\n"
            "Unpack it and import the folder you need."
        )
    paths = {info.filename: PurePosixPath(info.filename) for info in members}
    chosen = [
        name
        for name, path in sorted(paths.items())
        if path.suffix.casefold() in READ_ENDINGS - {".zip"}
        and not any(part.startswith(("__MACOSX", "~$", "._")) for part in path.parts)
    ]
    if not chosen:
        raise DataError(f"{source.name}: holds no table.\nPut CSV or XLSX files into it.")
    return [Source(paths[name].name, read_member(archive, name, source.name)) for name in chosen]


def _walk(folder: Path) -> Iterator[Path]:
    if (folder / "store.json").exists():
        return
    for entry in folder.iterdir():
        if entry.name.startswith((".", "~$")) or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry
