"""Does a file hold a student? By id and by name, in any file, also inside other files."""

from __future__ import annotations

import html
import io
import json
import re
import unicodedata
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from analysis.audit.opening import open_all, open_package
from analysis.files import safe_name

_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


@dataclass(frozen=True)
class Marks:
    """What one student is known by.

    Parameters
    ----------
    student_id
        The id.
    names
        Names that are the student's alone, of two words or more: one word may be any word.
    """

    student_id: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, student_id: str, names: Collection[str], others: Collection[str]) -> Marks:
        """Return a student's marks, without names that others have too.

        Examples
        --------
        >>> Marks.of("0417", ["Ana Ruiz", "Ana"], others=["Bo Li"]).names
        ('Ana Ruiz', 'Ruiz Ana', 'Ruiz, Ana')
        """
        own = {name for name in names if len(name.split()) > 1 and name not in set(others)}
        turned = {
            joined
            for name in own
            for first, last in [(" ".join(name.split()[:-1]), name.split()[-1])]
            for joined in (f"{last}, {first}", f"{last} {first}")
        }
        return cls(student_id, tuple(sorted(own | turned - set(others))))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The id and the names, as they may be written."""
        return (self.student_id, *self.names)

    def is_in_text(self, text: str) -> bool:
        """Say whether a text names the student; a longer id or name is another's."""
        return any(one in text and pattern.search(text) for one, pattern in self._in_text)

    def is_in_bytes(self, content: bytes) -> bool:
        """Say whether bytes do, in any encoding a file of ours may have."""
        # Looking for the bytes alone is a hundred times as fast as the pattern.
        return any(one in content and pattern.search(content) for one, pattern in self._in_bytes)

    @cached_property
    def _in_text(self) -> list[tuple[str, re.Pattern[str]]]:
        spelt = {form for text in self.texts for form in _forms(text)}
        return [(one, re.compile(rf"(?<!\w){re.escape(one)}(?!\w)")) for one in sorted(spelt)]

    @cached_property
    def _in_bytes(self) -> list[tuple[bytes, re.Pattern[bytes]]]:
        spelt = {form for text in self.texts for form in _forms(text)}
        narrow = {one.encode("utf-8", "surrogatepass") for one in spelt}
        narrow |= {one.encode("cp1252") for one in spelt if _fits(one, "cp1252")}
        narrow.add(safe_name(self.student_id).encode())
        wide = {one.encode("utf-16-le", "surrogatepass") for one in spelt}
        return [(one, _alone(one, b"")) for one in sorted(narrow)] + [
            (one, _alone(one, b"\0")) for one in sorted(wide)
        ]


def holds(file: Path, marks: Marks) -> bool:
    """Say whether a file holds a student, by its name or by what is in it.

    Looked for in the bytes as they are, in the members of packages and workbooks, in the
    cells of Parquet files and in the streams of PDF files. Text drawn as pixels, or as the
    glyphs of a PDF, is not read.
    """
    named = marks.is_in_bytes(file.name.encode("utf-8", "surrogateescape"))
    return named or any(marks.is_in_bytes(part) for part in parts_of(file))


def parts_of(file: Path) -> Iterator[bytes]:
    """Give a file's bytes as they are, then all that is packed inside it."""
    content = file.read_bytes()
    yield content
    for one in open_all(file.name, content):
        if one.content is None:
            continue
        if one.content is not content and one.name != file.name:
            yield one.name.encode("utf-8", "surrogateescape")
            yield one.content
        if one.kind == "xlsx" and (package := open_package(one.content)):
            yield from (package.read(name) for name in package.namelist())
        elif one.kind == "parquet":
            yield _cells(one.content)
        elif one.kind == "pdf":
            yield from map(_inflate, _STREAM.findall(one.content))


def _cells(content: bytes) -> bytes:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    texts = (str(cell) for column in table.columns for cell in column.unique().to_pylist())
    return "\n".join(texts).encode("utf-8", "surrogatepass")


def _inflate(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def _forms(text: str) -> set[str]:
    """Return a text as it may be written: other Unicode forms, in HTML, in JSON."""
    forms = {text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))}
    forms |= {html.escape(form) for form in forms}
    forms |= {html.escape(form).replace("&#x27;", "&#39;") for form in forms}
    forms |= {json.dumps(form)[1:-1] for form in set(forms)}
    return forms - {""}


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _alone(spelt: bytes, high: bytes) -> re.Pattern[bytes]:
    """Return a pattern of bytes that are no part of a longer word."""
    letter = rb"[0-9A-Za-z]" + re.escape(high)
    return re.compile(rb"(?<!" + letter + rb")" + re.escape(spelt) + rb"(?!" + letter + rb")")
