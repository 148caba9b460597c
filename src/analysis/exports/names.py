"""What a column or a row is, told by its name: roles, sensitive columns, no students."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

MISSING_LINE = re.compile(r"\s+")
_CODE = re.compile(r"^[A-Za-z0-9]{1,6}[.-][A-Za-z0-9]+[.-]?[A-Za-z0-9.-]*$")


def clean_name(name: str) -> str:
    r"""Return a column's name without the accidents of typing it.

    Examples
    --------
    >>> clean_name("  Class\u00a0 room ")
    'Class room'
    """
    if isinstance(name, str) and name.isprintable() and "  " not in name and name.strip() == name:
        return name
    return MISSING_LINE.sub(" ", str(name).replace("\u00a0", " ").replace("\ufeff", "")).strip()


def plain_name(name: str) -> str:
    """Return a column's name in lower case with one space for all signs.

    Examples
    --------
    >>> plain_name("Class(es)"), plain_name("StudentFirstName"), plain_name("student_id")
    ('class es', 'student first name', 'student id')
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", clean_name(name))
    return re.sub(r"[\W_]+", " ", parted).strip().casefold()


@lru_cache(maxsize=8192)
def key_name(name: str) -> str:
    """Return what two names must share to be one column: letters, digits, ``#`` and ``%``.

    Examples
    --------
    >>> key_name("Student ID") == key_name(" student_id")
    True
    """
    return re.sub(r"[^\w#%]|_", "", clean_name(name)).casefold()


@cache
def name_rules() -> dict[str, Any]:
    """Return the shipped rules on names, ``columns.toml``."""
    text = files("analysis.exports").joinpath("columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def role_names(role: str) -> tuple[str, ...]:
    """Return the names a role goes by, in order of preference."""
    return tuple(key_name(name) for name in name_rules()["roles"][role])


def find_role(names: Sequence[str], role: str, taken: Iterable[int] = ()) -> int | None:
    """Return the place of the column that plays a role, or None.

    Examples
    --------
    >>> find_role(["Name", "Student ID"], "student_id")
    1
    """
    keys = [key_name(name) for name in names]
    for wanted in role_names(role):
        for place, key in enumerate(keys):
            if key == wanted and place not in set(taken):
                return place
    return None


def find_roles(names: Sequence[str], roles: Iterable[str]) -> dict[str, int]:
    """Return which column plays which role; a column plays one role at most."""
    found: dict[str, int] = {}
    for role in roles:
        place = find_role(names, role, found.values())
        if place is not None:
            found[role] = place
    return found


def is_sensitive(name: str) -> bool:
    """Tell whether a column must never be stored.

    Examples
    --------
    >>> [is_sensitive(name) for name in ("SSN", "Date of Birth", "3.NF.1")]
    [True, True, False]
    """
    return _matches(name, "sensitive")


def is_demographic(name: str) -> bool:
    """Tell whether a column holds supports or demographics."""
    return _matches(name, "demographic")


def is_derived(name: str) -> bool:
    """Tell whether a column of a tracker is a total, a rank or bookkeeping."""
    return _matches(name, "derived")


def kind_of_row(text: str) -> str | None:
    """Return what a row is that is no student: totals, possible, test_students, footer.

    Examples
    --------
    >>> kind_of_row("Class Average"), kind_of_row("Ana Lopez")
    ('totals', None)
    """
    said = clean_name(text)
    if said.isdecimal():
        return None
    patterns: dict[str, str] = name_rules()["no_student"]
    kinds = (kind for kind, one in patterns.items() if said and re.search(one, said, re.IGNORECASE))
    return next(kinds, None)


@cache
def _matches(name: str, rule: str) -> bool:
    if _CODE.match(clean_name(name)):
        return False
    said = plain_name(name)
    return any(re.search(pattern, said) for pattern in name_rules()[rule]["patterns"])
