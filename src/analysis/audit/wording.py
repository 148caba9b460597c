"""Leaks that plain text gives away: paths, accounts, tracebacks, logs, keys, contacts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from analysis.audit.findings import Leak

_ROOTS = "home|Users|root|tmp|var|private|mnt|media|srv|opt|etc|usr|work|builds?|workspace"

SIGNS = {
    Leak.PATH: (
        r"[/\\]",
        # A slash that belongs to a path, not to "and/or", a date or a fraction.
        rf"(?<![\w/.])/(?:{_ROOTS})/[\w.~+-]+|(?<!\w)[A-Za-z]:\\(?!\s)[\w.~ -]+\\"
        r"|(?<![\w\\])\\\\[\w.-]+\\[\w$.-]+|\bfile://|(?<!\w)~/[\w.-]+/",
    ),
    Leak.TRACEBACK: (
        r"Traceback|--> |File \"|Error: |Exception: ",
        r"Traceback \(most recent call last\)|^-{3,}> ?\d+ |File \"[^\"]+\", line \d+"
        r"|\b[A-Z]\w*(?:Error|Exception): ",
    ),
    Leak.LOG: (
        r"Warning: |ipykernel|DEBUG|INFO|WARNING|ERROR|CRITICAL",
        r"\b\w+Warning: |\bipykernel_\d+|^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)[:\s]"
        r"|^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\n]{0,12}(?:DEBUG|INFO|WARNING|ERROR)\b",
    ),
    Leak.CONTACT: (
        r"@|\d{3}[ .)-]",
        r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"
        r"|(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"
        r"|(?<![\w(.-])\(?\d{3}\)?[ .-]\d{3}[.-]\d{4}(?![\w-])",
    ),
    Leak.SECRET: (
        r"(?:key|token|secret|passwor[dt]|passwd|passphrase)[\"']?\s*[=:]",
        r"\b(?:api[_-]?key|access[_-]?token|secret|passwor[dt]|passwd|passphrase)\b"
        r"[\"']?\s*[=:]\s*[\"']?[^\s\"'<]{4,}",
    ),
    Leak.CODE: (
        r"import |In ?\[|read_|^%",
        r"^(?:import [a-z_][\w.]*(?: as \w+)?|from [a-z_][\w.]* import \w.*|%\w+ .*)$"
        r"|\bIn ?\[\d+\]:|\bpd\.read_\w+\(",
    ),
}
"""What gives each kind of leak away: a sign that is quick to look for, and the whole."""

_FLAGS = {Leak.SECRET: re.MULTILINE | re.IGNORECASE}
PATTERNS = {
    leak: tuple(re.compile(one, _FLAGS.get(leak, re.MULTILINE)) for one in both)
    for leak, both in SIGNS.items()
}

ANSI = re.compile(r"\x1b\[[0-9;]*m")

COMMON_ACCOUNTS = frozenset(
    {"root", "user", "admin", "administrator", "coach", "teacher", "student", "school", "office",
     "runner", "build", "test", "local", "localhost", "guest", "home", "data", "work", "demo"}
)  # fmt: skip
"""Account names that are words of any page; they tell nothing."""

SHORTEST_ACCOUNT = 4


def leaks_in_text(text: str, accounts: Iterable[str] = ()) -> list[tuple[Leak, str]]:
    """Return kinds of leaks in a text, each once, with the line it is first in.

    Parameters
    ----------
    text
        As a person would read it: entities and escapes undone.
    accounts
        Names of accounts and computers to look for.

    Returns
    -------
    list of (Leak, str)
        The kind and ``line n``, n from 1.

    Examples
    --------
    >>> leaks_in_text("Made in /home/jsmith/reports")
    [(<Leak.PATH: 'a path of a computer'>, 'line 1')]
    >>> leaks_in_text("and/or 3/4, on 5/12/2026: about half of the root cases")
    []
    """
    text = ANSI.sub("", text) if "\x1b" in text else text
    found = []
    for leak, (sign, pattern) in PATTERNS.items():
        if sign.search(text) and (match := pattern.search(text)):
            found.append((leak, _line(text, match.start())))
    for account in telling(accounts):
        if match := re.search(rf"(?<!\w){re.escape(account)}(?!\w)", text, re.IGNORECASE):
            found.append((Leak.ACCOUNT, _line(text, match.start())))
            break
    return found


def telling(accounts: Iterable[str]) -> list[str]:
    """Return the account names that say whose computer it is.

    Examples
    --------
    >>> telling(["root", "jsmith42", "bo"])
    ['jsmith42']
    """
    named = {one for one in accounts if len(one) >= SHORTEST_ACCOUNT}
    return sorted(one for one in named if one.lower() not in COMMON_ACCOUNTS)


def _line(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"
