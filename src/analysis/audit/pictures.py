"""What is written inside a picture, beside its pixels."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from html import unescape

PNG = b"\x89PNG\r\n\x1a\n"
MOST_TEXT = 1_000_000
"""Bytes of unpacked text of one picture that are looked at."""

DECIMALS = re.compile(r"(?<=\d)\.\d+")
"""Of a drawing's coordinates. Their digits are no id; many a student's id would be among them."""


def texts_in_picture(content: bytes) -> list[str]:
    """Return the texts inside a PNG or an SVG, or what is readable in any other picture.

    Text that is drawn as pixels is not read, nor are an SVG's decimals.

    Examples
    --------
    >>> texts_in_picture(b'<svg><path d="M 9.004 7"/><text>12</text></svg>')
    ['<svg><path d="M 9 7"/><text>12</text></svg>']
    >>> texts_in_picture(b"GIF89a..a comment of Ana Ruiz..")
    ['GIF89a..a comment of Ana Ruiz..']
    """
    if content.startswith(PNG):
        return [text for kind, data in _chunks(content) for text in _text_of(kind, data)]
    if content[:300].lstrip()[:5].lower() in {b"<?xml", b"<svg ", b"<svg>"}:
        return [unescape(DECIMALS.sub("", content.decode("utf-8", "replace")))]
    return [found.decode("latin-1") for found in re.findall(rb"[\x20-\x7e\xa0-\xff]{8,}", content)]


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(PNG)
    while at + 8 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length
    if at < len(content):
        yield b"tEXt", content[at:]


def _text_of(kind: bytes, data: bytes) -> list[str]:
    if kind == b"tEXt":
        return [data.replace(b"\0", b" ").decode("latin-1")]
    if kind == b"zTXt":
        word, _, packed = data.partition(b"\0")
        return [f"{word.decode('latin-1')} {_unpack(packed[1:]).decode('latin-1')}"]
    if kind == b"iTXt":
        word, _, rest = data.partition(b"\0")
        # After the two flags: the language, the word in that language, then the text.
        text = rest[2:].split(b"\0", 2)[-1]
        said = _unpack(text) if rest[:1] == b"\1" else text
        return [f"{word.decode('latin-1')} {said.decode('utf-8', 'replace')}"]
    if kind == b"eXIf":
        return [data.decode("latin-1")]
    return []


def _unpack(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MOST_TEXT)
    except zlib.error:
        return b""
