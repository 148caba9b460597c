"""One page that opens with a passphrase: pages and files sealed inside it.

The content is sealed with AES-256-GCM under a key that PBKDF2-SHA256 makes from the
passphrase in 600,000 rounds; the page opens it with the browser's own WebCrypto, from
disk, without a network. A fresh salt and nonce belong to each page, so two pages sealed
with one passphrase share nothing. The rounds, salt and nonce stand in a header that the
seal covers.

What this does: whoever finds or intercepts the file reads nothing. What it does not:
whoever has opened it can save, print and pass on what is shown; nothing can be taken back.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from analysis.errors import UsageError
from analysis.language import Language, open_language
from analysis.rendering.blocks import TEMPLATES, render_block, stylesheet
from analysis.sharing.passphrases import normal_form

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROUNDS = 600_000
"""Of PBKDF2-SHA256; OWASP's figure."""

SALT_BYTES = 16
NONCE_BYTES = 12
BLOCK = 16_384
"""Bytes to whose multiple the content is padded, so that its size tells less."""

FORMAT = "coach-notebook-1"
END = "sealed-end"


def seal(
    files: Mapping[str, bytes],
    passphrase: str,
    *,
    start: str,
    language: Language | None = None,
    salt: bytes | None = None,
    nonce: bytes | None = None,
) -> str:
    """Return a page that shows files once the passphrase is typed.

    Parameters
    ----------
    files
        Content by name. Pages end in ``.html``; others are offered to be saved.
    passphrase
        As made by :func:`analysis.sharing.passphrases.new_passphrase`.
    start
        Name of the page shown first.
    language
        Of the lock page; English by default.
    salt, nonce
        Fixed ones for tests alone; random by default.

    Raises
    ------
    UsageError
        The passphrase is empty.
    """
    if not normal_form(passphrase):
        raise UsageError("A passphrase must have at least one word.")
    language = language or open_language()
    salt = salt or secrets.token_bytes(SALT_BYTES)
    nonce = nonce or secrets.token_bytes(NONCE_BYTES)
    header = ";".join([FORMAT, str(ROUNDS), _text(salt), _text(nonce)])
    sealed = _cipher(passphrase, salt).encrypt(nonce, _pack(files, start), header.encode())
    return render_block(
        "lock",
        language,
        lock_policy=_policy(),
        lock_style=stylesheet(),
        script=lock_script(),
        header=header,
        sealed=_text(sealed),
        end=END,
    ).html


def unseal(page: str, passphrase: str) -> dict[str, bytes]:
    """Return the files of a sealed page.

    Raises
    ------
    UsageError
        The passphrase is another, or the page was changed or cut.
    """
    from cryptography.exceptions import InvalidTag

    try:
        header = _between(page, 'data-header="', '"')
        _, _, salt, nonce = header.split(";")
        sealed = base64.b64decode(_between(page, 'id="sealed" hidden>', "<"))
        cipher = _cipher(passphrase, base64.b64decode(salt))
        packed = cipher.decrypt(base64.b64decode(nonce), sealed, header.encode())
    except (ValueError, InvalidTag):
        raise UsageError(
            "The passphrase does not open this page, or the file is damaged.\n"
            "Check each word; if they are right, ask for the file again."
        ) from None
    files = json.loads(packed)["files"]
    return {name: base64.b64decode(content) for name, content in files.items()}


@cache
def lock_script() -> str:
    """Return the one script of ours: it opens a sealed page and does nothing else."""
    return (TEMPLATES / "lock.js").read_text(encoding="utf-8")


@cache
def lock_script_hash() -> str:
    """Return the script's hash as a content policy names it."""
    digest = sha256(lock_script().encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _policy() -> str:
    """Return what the lock page may do: show itself and run this one script."""
    return (
        f"default-src 'none'; script-src '{lock_script_hash()}'; img-src data:; "
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    derive = PBKDF2HMAC(algorithm=SHA256(), length=32, salt=salt, iterations=ROUNDS)
    return AESGCM(derive.derive(normal_form(passphrase).encode()))


def _pack(files: Mapping[str, bytes], start: str) -> bytes:
    """Return files as JSON, padded with spaces, which JSON ignores."""
    encoded = {name: _text(content) for name, content in files.items()}
    packed = json.dumps({"start": start, "files": encoded}).encode()
    return packed + b" " * (-len(packed) % BLOCK)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _between(page: str, before: str, after: str) -> str:
    return page.split(before, 1)[1].split(after, 1)[0] if before in page else ""
