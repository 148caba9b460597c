"""Passphrases that a person can read out and type: random words of one list."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Sequence

from analysis.sharing.wordlist import WORDS

N_WORDS = 7
"""Words of a passphrase. Seven of 1,024 are 70 bits: at a million guesses a second, each
600,000 rounds of SHA-256, half of them take 18 million years."""


def new_passphrase(choose: Callable[[Sequence[str]], str] = secrets.choice) -> str:
    """Return a passphrase of random words.

    Parameters
    ----------
    choose
        Picks one of the words; the system's own source of randomness by default.

    Examples
    --------
    >>> len(new_passphrase().split("-"))
    7
    """
    return "-".join(choose(WORDS) for _ in range(N_WORDS))


def normal_form(passphrase: str) -> str:
    """Return a passphrase as it is used: however it is typed, it is the same.

    Capitals, spaces for dashes and other Unicode forms of a letter make no difference.

    Examples
    --------
    >>> normal_form("  Apple  river–Stone ")
    'apple-river-stone'
    """
    plain = unicodedata.normalize("NFKC", passphrase).lower()
    for dash in "‐‑‒–—_,":
        plain = plain.replace(dash, "-")
    return "-".join(plain.replace("-", " ").split())
