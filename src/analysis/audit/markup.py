"""A page as a leak scan sees it: what it says, what it hides, what it would run or ask for."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes

from analysis.audit.findings import Leak

EMBEDS = frozenset({"iframe", "frame", "object", "embed", "form", "applet", "portal"})
PLAYS = frozenset({"audio", "video", "source", "track", "base", "link"})
CHOICES = frozenset({"template", "datalist", "select"})
TOLD = frozenset({"img", "meta", "script", "input"})
LINKS = frozenset({"href", "xlink:href", "action", "formaction"})
LOADS = frozenset({"src", "srcset", "poster", "data", "background", "ping", "manifest"})
EMPTY = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta",
                   "source", "track", "wbr"})  # fmt: skip
WORDLESS = frozenset({"class", "id", "style", "scope", "colspan", "rowspan", "tabindex", "width",
                      "height", "d", "points", "transform", "viewbox", "x", "y"})  # fmt: skip
"""Attributes that hold no words."""

SEALED = "sealed"
"""Id of the element that holds a protected page's ciphertext."""

_OUTSIDE_CSS = re.compile(r"@import|url\(\s*[\"']?(?!data:image/|#)", re.IGNORECASE)
_HIDES = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.I)
_RUNS = ("javascript:", "vbscript:", "data:text", "data:image/svg", "data:application")
_CSS_WORDS = re.compile(r"/\*.*?\*/|content\s*:\s*(?:\"[^\"]*\"|'[^']*')", re.DOTALL)
_WIDGET = re.compile(r"vnd\.jupyter\.widget|jupyter-widgets|widget-subarea")
_PICTURE = re.compile(r"data:image/[\w.+-]+;base64,([A-Za-z0-9+/=]+)")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


@dataclass
class Seen:
    """What one page holds.

    Parameters
    ----------
    text
        All that a reader, a screen reader or a look at the source would find.
    pictures
        Media type and bytes of each picture inside the page.
    proof
        What the page says of itself: its ``data-`` attributes beside ``data-proof``.
    alts
        What each picture says to those who do not see it; empty where nothing.
    policies
        Content policies, in order.
    leaks
        What it should not hold, and where.
    """

    text: str = ""
    pictures: list[tuple[str, bytes]] = field(default_factory=list)
    proof: dict[str, str] = field(default_factory=dict)
    alts: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    leaks: list[tuple[Leak, str]] = field(default_factory=list)


def read_markup(page: str, scripts: Collection[str] = ()) -> Seen:
    """Return what a page holds.

    Parameters
    ----------
    page
        HTML or SVG.
    scripts
        Content-policy hashes (``sha256-…``) of the scripts that may be in it.

    Examples
    --------
    >>> [leak.name for leak, where in read_markup("<p onclick='x()'>Hello</p>").leaks]
    ['SCRIPT', 'NO_POLICY']
    """
    reader = _Reader(scripts)
    reader.feed(page)
    reader.close()
    is_page = not page.lstrip()[:200].lower().startswith(("<svg", "<?xml"))
    if is_page and not reader.has_policy:
        reader.seen.leaks.append((Leak.NO_POLICY, "<head>"))
    reader.seen.text = "\n".join(reader.said)
    return reader.seen


def forbids_enough(policy: str, scripts: Collection[str] = ()) -> bool:
    """Say whether a content policy allows no request and no script but the known ones.

    Examples
    --------
    >>> forbids_enough("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    True
    >>> forbids_enough("default-src 'none'; script-src 'unsafe-inline'")
    False
    """
    parts = [part.split() for part in policy.split(";") if part.strip()]
    rules = {name.lower(): set(values) for name, *values in parts}
    if rules.pop("default-src", None) != {"'none'"}:
        return False
    allowed = {f"'{one}'" for one in scripts} | {"'none'"}
    rules_of_style = rules.pop("style-src", set())
    if not rules.pop("script-src", set()) <= allowed or not rules_of_style <= {"'unsafe-inline'"}:
        return False
    return all(values <= {"'none'", "data:"} for values in rules.values())


def take_pictures_out(text: str) -> tuple[str, list[bytes]]:
    """Return a text without the pictures that stand in it as Base64, and each one's bytes.

    What cannot be decoded stays in the text.

    Examples
    --------
    >>> take_pictures_out('<img src="data:image/svg+xml;base64,PHN2Zy8+">')
    ('<img src="">', [b'<svg/>'])
    """
    pictures = []

    def take(found: re.Match[str]) -> str:
        try:
            pictures.append(base64.b64decode(found[1]))
        except binascii.Error:
            return found[0]
        return ""

    return _PICTURE.sub(take, text), pictures


class _Reader(HTMLParser):
    def __init__(self, scripts: Collection[str]):
        super().__init__(convert_charrefs=True)
        self.seen = Seen()
        self.said: list[str] = []
        self.has_policy = False
        self._scripts = set(scripts)
        self._inside: list[tuple[str, str]] = []

    def note(self, leak: Leak, *what: str) -> None:
        """Write down a leak, the line of the page and what it is."""
        where = " ".join(what).replace(" ,", ",")
        self.seen.leaks.append((leak, f"line {self.getpos()[0]}, {where}"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        state = tag if tag in {"script", "style"} else ""
        if tag in CHOICES:
            state = "hidden"
        if attrs:
            given = {name: value or "" for name, value in attrs}
            state = state or _state_of(given)
            if "data-proof" in given:
                self._keep_proof(given)
            for name, value in given.items():
                if name not in WORDLESS:
                    self._check_attribute(tag, name, value)
                elif name == "style" and _OUTSIDE_CSS.search(value):
                    self.note(Leak.REQUEST, f"<{tag}> style")
            if tag in TOLD:
                self._check_told(tag, given)
        if tag in EMBEDS:
            self.note(Leak.FORM, f"<{tag}>")
        elif tag in PLAYS:
            self.note(Leak.REQUEST, f"<{tag}>")
        if tag in EMPTY:
            return
        if state:
            self._inside.append((tag, state))
        elif self._inside:
            # Tags of one name inside a part that counts, so that its end is found.
            self._inside.append((tag, self._inside[-1][1]))

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._inside) - 1, -1, -1):
            if self._inside[place][0] == tag:
                del self._inside[place:]
                return

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.said.append(data)
        elif data.strip():
            self._handle_inside(data, self._inside[-1][1])

    def handle_comment(self, data: str) -> None:
        self.said.append(data)
        if data.strip():
            self.note(Leak.HIDDEN, "a comment")

    def _handle_inside(self, data: str, state: str) -> None:
        """Take in text of a part that is not simply shown."""
        if state == "script":
            if self._is_known(data):
                return
            self.note(Leak.SCRIPT, "<script>")
        elif state == "style":
            if _OUTSIDE_CSS.search(data):
                self.note(Leak.REQUEST, "<style>")
            self.said += _CSS_WORDS.findall(data)
            return
        elif state == "sealed" and _BASE64.fullmatch(data):
            return
        else:
            self.note(Leak.HIDDEN, "a part that is not shown")
        self.said.append(data)

    def _keep_proof(self, given: dict[str, str]) -> None:
        told = {name.removeprefix("data-"): value for name, value in given.items()}
        self.seen.proof |= {name.replace("-", "_"): value for name, value in told.items()}

    def _check_told(self, tag: str, given: dict[str, str]) -> None:
        if tag == "img":
            self.seen.alts.append(given.get("alt", "").strip())
        elif tag == "meta":
            self._check_meta(given)
        elif tag == "script" and _WIDGET.search(given.get("type", "")):
            self.note(Leak.WIDGET, "<script>")
        elif tag == "input" and given.get("type", "").lower() == "hidden":
            self.note(Leak.HIDDEN, "<input>")

    def _check_meta(self, given: dict[str, str]) -> None:
        kind, content = given.get("http-equiv", "").lower(), given.get("content", "")
        if kind == "refresh" and re.search(r"url\s*=\s*[\"']?(?:\w+:|//)", content, re.I):
            self.note(Leak.REQUEST, "<meta>")
        if kind == "content-security-policy":
            self.seen.policies.append(content)
            self.has_policy = self.has_policy or forbids_enough(content, self._scripts)

    def _check_attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on"):
            self.note(Leak.SCRIPT, f"<{tag}> {name}")
        elif name in LINKS:
            self._check_link(tag, _plain(value))
        elif name in LOADS and not (name == "data" and tag != "object"):
            if _plain(value).startswith("data:image/"):
                self._keep_picture(value)
                return
            self.note(Leak.SCRIPT if tag == "script" else Leak.REQUEST, f"<{tag}> {name}")
        if _WIDGET.search(value[:400]) and tag != "script":
            self.note(Leak.WIDGET, f"<{tag}>")
        if value:
            self.said.append(value)

    def _check_link(self, tag: str, plain: str) -> None:
        if plain.startswith(_RUNS):
            self.note(Leak.SCRIPT, f"<{tag}> href")
        elif tag in {"use", "image", "feimage"} and not plain.startswith(("#", "data:image/")):
            self.note(Leak.REQUEST, f"<{tag}> href")

    def _is_known(self, code: str) -> bool:
        hashed = base64.b64encode(sha256(code.encode()).digest()).decode()
        return f"sha256-{hashed}" in self._scripts

    def _keep_picture(self, value: str) -> None:
        head, _, body = value.strip().partition(",")
        try:
            content = (
                base64.b64decode(body, validate=False)
                if head.lower().endswith(";base64")
                else unquote_to_bytes(body)
            )
        except binascii.Error:
            self.note(Leak.UNREADABLE, "a picture")
            return
        self.seen.pictures.append((head.removeprefix("data:").split(";")[0].lower(), content))


def _state_of(given: dict[str, str]) -> str:
    """Return what is to be thought of a part by its attributes: sealed, hidden, or nothing."""
    if given.get("id") == SEALED:
        return "sealed"
    return "hidden" if "hidden" in given or _HIDES.search(given.get("style", "")) else ""


def _plain(value: str) -> str:
    return re.sub(r"[\s\x00-\x1f]", "", value[:200]).lower()
