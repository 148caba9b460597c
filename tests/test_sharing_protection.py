"""A page behind a passphrase: opened by other code than ours, and refused when touched."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from analysis.errors import UsageError
from analysis.language import open_language
from analysis.sharing.protection import BLOCK, END, ROUNDS, lock_script, seal, unseal

FILES = {"index.html": "<h1>Ana Ruiz, ñ</h1>".encode(), "groups/a.csv": b"1,2\r\n"}
WORDS = "apple-river-stone-lamp-nine-fox-hat"
SALT, NONCE = bytes(range(16)), bytes(range(12))


@pytest.fixture(scope="module")
def page() -> str:
    return seal(FILES, WORDS, start="index.html", salt=SALT, nonce=NONCE)


# -- AES-256-GCM written out from FIPS 197 and SP 800-38D, to check ours against ----------


def _sbox() -> list[int]:
    box, p, q = [0] * 256, 1, 1
    while True:
        p ^= (p << 1) ^ (0x11B if p & 0x80 else 0)
        p &= 0xFF
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        turned = [((q << n) | (q >> (8 - n))) & 0xFF for n in (0, 1, 2, 3, 4)]
        box[p] = turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63
        if p == 1:
            box[0] = 0x63
            return box


SBOX = _sbox()


def _double(b: int) -> int:
    return ((b << 1) ^ 0x1B) & 0xFF if b & 0x80 else b << 1


def _round_keys(key: bytes) -> list[bytes]:
    words, rcon = [key[i : i + 4] for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        last = words[-1]
        if i % 8 == 0:
            last = bytes(SBOX[b] for b in last[1:] + last[:1])
            last = bytes([last[0] ^ rcon]) + last[1:]
            rcon = _double(rcon)
        elif i % 8 == 4:
            last = bytes(SBOX[b] for b in last)
        words.append(bytes(a ^ b for a, b in zip(words[i - 8], last, strict=True)))
    return [b"".join(words[i : i + 4]) for i in range(0, 60, 4)]


def _encrypt_block(block: bytes, keys: list[bytes]) -> bytes:
    state = bytes(a ^ b for a, b in zip(block, keys[0], strict=True))
    for n, key in enumerate(keys[1:], 1):
        state = bytes(SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16))
        if n < 14:
            mixed = []
            for c in range(0, 16, 4):
                a = state[c : c + 4]
                whole = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += [a[i] ^ whole ^ _double(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
            state = bytes(mixed)
        state = bytes(a ^ b for a, b in zip(state, key, strict=True))
    return state


def _ghash(h: int, data: bytes) -> int:
    total = 0
    for at in range(0, len(data), 16):
        total ^= int.from_bytes(data[at : at + 16].ljust(16, b"\0"), "big")
        product, v = 0, h
        for bit in range(127, -1, -1):
            if total >> bit & 1:
                product ^= v
            v = (v >> 1) ^ (0xE1 << 120 if v & 1 else 0)
        total = product
    return total


def gcm_open(key: bytes, nonce: bytes, sealed: bytes, header: bytes) -> bytes:
    """Return what was sealed; AssertionError where the tag is another."""
    keys, (body, tag) = _round_keys(key), (sealed[:-16], sealed[-16:])
    h = int.from_bytes(_encrypt_block(bytes(16), keys), "big")
    padded = b"".join(one + bytes(-len(one) % 16) for one in (header, body))
    lengths = (8 * len(header)).to_bytes(8, "big") + (8 * len(body)).to_bytes(8, "big")
    first = int.from_bytes(_encrypt_block(nonce + b"\0\0\0\1", keys), "big")
    assert (_ghash(h, padded + lengths) ^ first).to_bytes(16, "big") == tag
    stream = b"".join(
        _encrypt_block(nonce + n.to_bytes(4, "big"), keys) for n in range(2, len(body) // 16 + 3)
    )
    return bytes(a ^ b for a, b in zip(body, stream, strict=False))


def test_the_code_to_check_against_opens_a_published_vector():
    # NIST's GCM test case 16, as given in McGrew and Viega's submission.
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    sealed = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    header = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    opened = gcm_open(key, bytes.fromhex("cafebabefacedbaddecaf888"), sealed, header)
    assert opened.hex() == (
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )


def test_independent_code_opens_a_sealed_page(page):
    header = re.search(r'data-header="([^"]+)"', page)[1]
    name, rounds, salt, nonce = header.split(";")
    assert (name, int(rounds)) == ("coach-notebook-1", 600_000)
    key = hashlib.pbkdf2_hmac("sha256", WORDS.encode(), base64.b64decode(salt), int(rounds))
    sealed = base64.b64decode(re.search(r'id="sealed" hidden>([^<]+)<', page)[1])
    opened = gcm_open(key, base64.b64decode(nonce), sealed, header.encode())
    packed = json.loads(opened)
    assert packed["start"] == "index.html"
    assert {n: base64.b64decode(c) for n, c in packed["files"].items()} == FILES
    assert len(opened) % BLOCK == 0


VECTOR = "04802ceff0ac56771e85c4b1a23159cf"
"""Of the sealed page; what it holds is checked by the independent code above."""


def test_the_sealed_vector_stays_the_same(page):
    # Pages sealed by an older version must open in a newer one.
    sealed = re.search(r'id="sealed" hidden>([^<]+)<', page)[1]
    assert hashlib.sha256(sealed.encode()).hexdigest()[:32] == VECTOR


def test_ours_opens_what_ours_seals_however_it_is_typed(page):
    assert unseal(page, "Apple River stone lamp NINE fox – hat") == FILES


def test_every_page_has_its_own_salt_and_nonce():
    headers = {
        re.search(r'data-header="([^"]+)"', seal(FILES, WORDS, start="index.html"))[1]
        for _ in range(2)
    }
    assert len(headers) == 2


def _other_letter(page: str, at: int) -> str:
    return page[:at] + ("B" if page[at] == "A" else "A") + page[at + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda page: page.replace(f";{ROUNDS};", ";1000;"),
        lambda page: _other_letter(page, page.index(">", page.index('id="sealed"')) + 9),
        lambda page: _other_letter(page, page.index(base64.b64encode(NONCE).decode())),
        lambda page: page[: len(page) // 2],
    ],
    ids=["fewer rounds", "another bit", "another nonce", "cut"],
)
def test_a_page_that_was_touched_is_refused(page, spoil):
    with pytest.raises(UsageError, match="does not open this page"):
        unseal(spoil(page), WORDS)


@pytest.mark.parametrize("typed", ["apple-river-stone", "", WORDS + "x"])
def test_a_wrong_passphrase_is_refused(page, typed):
    with pytest.raises(UsageError, match="does not open this page"):
        unseal(page, typed)


def test_an_empty_passphrase_seals_nothing():
    with pytest.raises(UsageError, match="at least one word"):
        seal(FILES, " - ", start="index.html")


def test_nothing_of_the_content_stands_outside_the_seal(page):
    outside = re.sub(r'id="sealed" hidden>[^<]+<', "", page)
    assert "Ana" not in outside
    assert "index.html" not in outside.replace(lock_script(), "")
    assert "<title>Protected pages</title>" in outside


def test_the_size_tells_less_than_the_content():
    small, larger = (seal({"a.html": bytes(n)}, WORDS, start="a.html") for n in (10, 9000))
    assert len(small) == len(larger)


def test_the_page_is_whole_when_its_last_mark_is_there(page):
    assert page.index("<script>") < page.index('id="sealed"') < page.index(f'<i id="{END}">')


def test_the_lock_page_speaks_the_language_of_the_bundle():
    page = seal(FILES, WORDS, start="index.html", language=open_language("es"))
    assert '<html lang="es">' in page
    assert "Frase de acceso" in page
