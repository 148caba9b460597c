"""A leak scan of one file, a folder or a bundle."""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from html import unescape
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.audit.cells import SMALLEST_CELL, small_cells
from analysis.audit.findings import Finding, Leak
from analysis.audit.markup import read_markup
from analysis.audit.notebooks import read_notebook
from analysis.audit.opening import Opened, open_all, open_package
from analysis.audit.people import NOBODY, Audience, People
from analysis.audit.pictures import texts_in_picture
from analysis.audit.sheets import leaks_in_csv, read_workbook
from analysis.audit.wording import leaks_in_text
from analysis.errors import UsageError

MANIFEST = "manifest.json"
MADE_BY = "coach share"
UTF_16 = {b"\xff\xfe", b"\xfe\xff"}
PICTURES = {"png", "jpg", "jpeg", "gif", "webp"}
PRIVATE = {"runs", ".lock"}
"""Beside editions, and never shared: executed notebooks and the lock."""


@dataclass(frozen=True)
class Auditor:
    """Looks through files.

    Parameters
    ----------
    people
        Everybody on the rosters; ``None``: students cannot be looked for.
    accounts
        Names of accounts and computers to look for.
    scripts
        Content-policy hashes of the scripts that may be in a page.
    aggregate
        Whether every page is one of sums, about nobody by name.
    smallest_cell
        Fewest students a count on such a page may be of.
    """

    people: People | None = None
    accounts: tuple[str, ...] = ()
    scripts: frozenset[str] = frozenset()
    aggregate: bool = False
    smallest_cell: int = SMALLEST_CELL

    def allowing(self, *scripts: str) -> Auditor:
        """Return the same auditor that also knows these scripts."""
        return replace(self, scripts=self.scripts | set(scripts))

    def audit_path(self, path: Path) -> list[Finding]:
        """Return the leaks in a file, or in all files of a folder, each once, in order.

        Raises
        ------
        UsageError
            There is nothing at the path.
        """
        if not path.exists():
            raise UsageError(f"{path} is not there.\nCorrect the path.")
        found: list[Finding] = []
        root = path if path.is_dir() else path.parent
        for file in _files(path):
            name = file.relative_to(root).as_posix()
            found += self._check_mode(file, name)
            folder, manifest = _manifest_above(file, root)
            own = file.relative_to(folder).as_posix()
            found += self.audit_bytes(own, file.read_bytes(), manifest, shown=name)
        return sorted(set(found))

    def audit_bytes(
        self,
        name: str,
        content: bytes,
        manifest: dict[str, Any] | None = None,
        shown: str | None = None,
    ) -> list[Finding]:
        """Return the leaks in one file, and in the files inside it.

        Parameters
        ----------
        name
            Relative to the bundle the file is in.
        content
            Its bytes.
        manifest
            Of that bundle, which says whose it is.
        shown
            Name to say in a finding, where it is another.
        """
        shown = shown or name
        whole = Opened(name, "", content)
        audience, found = _audience_of(whole, shown, manifest)
        inner = _manifest_inside(content)
        for one in open_all(name, content):
            said = shown + one.name.removeprefix(name)
            found += self._check_name(said)
            whose = audience
            if inner is not None and one.name != name:
                member = replace(one, name=one.name.removeprefix(f"{name}!"))
                whose, faults = _audience_of(member, said, inner)
                found += faults
            found += self._look_into(replace(one, name=said), whose)
        return found

    def audit_page(self, page: str, audience: Audience, name: str = "page") -> list[Finding]:
        """Return the leaks in a page that these people may read.

        Parameters
        ----------
        page
            HTML.
        audience
            Whose records it may hold.
        name
            To say in a finding.
        """
        seen = read_markup(page, self.scripts)
        found = [Finding(name, leak, where) for leak, where in seen.leaks]
        found += self._check_text(seen.text, audience, name)
        for place, (kind, content) in enumerate(seen.pictures, 1):
            found += self._check_picture(kind, content, audience, f"{name}, picture {place}")
        if self.aggregate or seen.proof.get("kind") == "aggregate":
            cells = small_cells(page, self.smallest_cell)
            found += [Finding(name, leak, where) for leak, where in cells]
        return found

    # -- one file -----------------------------------------------------------------------

    def _look_into(self, one: Opened, audience: Audience | None) -> list[Finding]:
        if one.content is None:
            return [Finding(one.name, Leak.UNREADABLE)]
        if one.kind in PICTURES:
            return self._check_picture(one.kind, one.content, audience or NOBODY, one.name)
        if one.kind == "pdf":
            text = _outside_streams(one.content)
            found = self._check_text(text, audience or NOBODY, one.name)
            return [one for one in found if one.leak in {Leak.STRANGER, Leak.PATH, Leak.ACCOUNT}]
        if b"\0" in one.content[:4096] and one.content[:2] not in UTF_16 | {b"PK"}:
            return [Finding(one.name, Leak.UNREADABLE)]
        if one.kind == "xlsx":
            package = open_package(one.content)
            if package is None:
                return [Finding(one.name, Leak.UNREADABLE)]
            text, leaks = read_workbook(package)
            found = [Finding(one.name, leak, where) for leak, where in leaks]
            return found + self._check_text(text, audience or NOBODY, one.name)
        text = _decode(one.content)
        if one.kind in {"html", "svg"}:
            return self.audit_page(text, audience or self._own_audience(text), one.name)
        if one.kind == "ipynb":
            text, leaks = read_notebook(text)
            found = [Finding(one.name, leak, where) for leak, where in leaks]
            return found + self._check_text(text, audience or NOBODY, one.name)
        found = []
        if one.kind in {"csv", "tsv"}:
            leaks = leaks_in_csv(text, "\t" if one.kind == "tsv" else ",")
            found = [Finding(one.name, leak, where) for leak, where in leaks]
        if one.kind == "json":
            text = _unescape_json(text)
        return found + self._check_text(text, audience or NOBODY, one.name)

    def _check_text(self, text: str, audience: Audience, name: str) -> list[Finding]:
        found = []
        if self.people is not None:
            # Text that was escaped twice is read like text that was escaped once.
            strangers = self.people.strangers_in(unescape(text), audience)
            if strangers:
                found.append(Finding(name, Leak.STRANGER, f"{len(strangers)} of them"))
            text = self.people.without_own(text, audience)
        leaks = leaks_in_text(text, self.accounts)
        return found + [Finding(name, leak, where) for leak, where in leaks]

    def _check_picture(
        self, kind: str, content: bytes, audience: Audience, name: str
    ) -> list[Finding]:
        if "svg" in kind:
            return self.audit_page(_decode(content), audience, name)
        return [
            finding
            for text in texts_in_picture(content)
            for finding in self._check_text(text, audience, name)
            if finding.leak is Leak.STRANGER or content.startswith(b"\x89PNG")
        ]

    def _check_name(self, name: str) -> list[Finding]:
        """Look for a student in a file's own name, which is then not said."""
        if self.people is None:
            return []
        said = re.sub(r"[^\w]+|_", " ", name)
        spelt = f"{said}\n{said.title()}\n{name}"
        if not self.people.strangers_in(spelt, NOBODY):
            return []
        folder = PurePosixPath(name.split("!")[0]).parent.as_posix()
        where = "" if self.people.strangers_in(folder.title(), NOBODY) else folder
        return [Finding(f"{where}/(a file)", Leak.FILE_NAME)]

    def _check_mode(self, file: Path, name: str) -> list[Finding]:
        if os.name != "posix" or not file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return []
        return [Finding(name, Leak.OPEN_FILE)]

    # -- whose it is --------------------------------------------------------------------

    def _own_audience(self, page: str) -> Audience:
        """Return whose page it is by what it says of itself."""
        proof = _PROOF.search(page)
        if proof is None:
            sheets = {unescape(one) for one in _SHEET.findall(page)}
            return Audience.of(students=sheets if len(sheets) == 1 else ())
        told = dict(_GIVEN.findall(proof[0]))
        page_id = unescape(told.get("page-id", ""))
        if told.get("kind") == "caseload" and self.people is not None:
            return Audience.of(classrooms=self.people.classrooms_of_coach(page_id))
        return Audience.of(classrooms=[page_id])


def _audience_of(
    one: Opened, shown: str, manifest: dict[str, Any] | None
) -> tuple[Audience | None, list[Finding]]:
    """Return whose records a file may hold, where its bundle tells, and what is amiss."""
    if manifest is None or one.name == MANIFEST:
        return _audience_of_all(manifest), []
    about = manifest["files"].get(one.name)
    if about is None:
        return NOBODY, [Finding(shown, Leak.CHANGED, "not in the manifest")]
    audience = Audience.of(
        classrooms=about.get("classrooms", ()), students=about.get("students", ())
    )
    same = about.get("sha256") == sha256(one.content or b"").hexdigest()
    return audience, [] if same else [Finding(shown, Leak.CHANGED)]


def _audience_of_all(manifest: dict[str, Any] | None) -> Audience | None:
    """Return whose records the files of a manifest hold together."""
    if manifest is None:
        return None
    files = manifest["files"].values()
    return Audience.of(
        classrooms=[one for about in files for one in about.get("classrooms", ())],
        students=[one for about in files for one in about.get("students", ())],
    )


_PROOF = re.compile(r"<[^<>]*\bdata-proof=[^<>]*>")
_SHEET = re.compile(r"<[^<>]*\bdata-student-id=\"([^\"]*)\"")
_GIVEN = re.compile(r"\bdata-([\w-]+)=\"([^\"]*)\"")


def accounts_here() -> tuple[str, ...]:
    """Return the names of this account and this computer, where the system tells."""
    named = {Path.home().name, socket.gethostname()}
    with suppress(OSError, KeyError, ImportError):  # an account without a name
        named.add(getpass.getuser())
    return tuple(sorted(named - {""}))


def _files(path: Path) -> Iterator[Path]:
    """Give all files below a path; what is private beside editions is never shared."""
    if path.is_file():
        yield path
        return
    has_editions = (path / "editions").is_dir()
    for one in sorted(path.iterdir()):
        if has_editions and (one.name in PRIVATE or one.is_symlink()):
            continue
        if one.is_dir():
            if not one.name.startswith(".making-"):
                yield from _files(one)
        elif one.is_file() and one.name != ".lock":
            yield one


def read_manifest(file: Path) -> dict[str, Any] | None:
    """Return a bundle's manifest, or none where the file is not one."""
    return _as_manifest(file.read_bytes()) if file.is_file() else None


def _manifest_above(file: Path, root: Path) -> tuple[Path, dict[str, Any] | None]:
    """Return the nearest folder up to ``root`` that is a bundle, and its manifest."""
    for folder in file.parents:
        if (manifest := read_manifest(folder / MANIFEST)) is not None:
            return folder, manifest
        if folder == root:
            break
    return root, None


def _manifest_inside(content: bytes) -> dict[str, Any] | None:
    package = open_package(content) if content.startswith(b"PK\x03\x04") else None
    if package is None or MANIFEST not in package.namelist():
        return None
    return _as_manifest(package.read(MANIFEST))


def _as_manifest(content: bytes) -> dict[str, Any] | None:
    try:
        manifest = json.loads(content)
    except ValueError:
        return None
    is_ours = isinstance(manifest, dict) and manifest.get("made_by") == MADE_BY
    return manifest if is_ours and isinstance(manifest.get("files"), dict) else None


def _outside_streams(content: bytes) -> str:
    """Return what a PDF says outside its packed streams: title, words for pictures, links."""
    plain = re.sub(rb"stream\r?\n.*?endstream", b"", content, flags=re.DOTALL)
    said = [plain.decode("latin-1")]
    for written in re.findall(rb"<(?:FEFF|feff)([0-9A-Fa-f]*)>", plain):
        said.append(
            bytes.fromhex(written.decode()[: len(written) // 4 * 4]).decode("utf-16-be", "replace")
        )
    return "\n".join(said)


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if content[:2] in UTF_16 else ""):
        try:
            if encoding:
                return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("cp1252", "replace")


def _unescape_json(text: str) -> str:
    """Return a JSON text with its Unicode escapes undone, or what cannot be read as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text
