"""Codes of standards inside the names that exports give to assignments and questions."""

from __future__ import annotations

import re

_CODE = re.compile(
    r"(?<![\w.])("
    r"(?:[A-Z]{2,6}\.)*(?:K|\d{1,2})\.[A-Z]{1,5}\.(?:[A-Z]{1,3}\.)?\d{1,2}(?:\.?[a-z])?"
    r"|HS[A-Z]-[A-Z]{1,5}\.(?:[A-Z]\.)?\d{1,2}(?:\.[a-z])?"  # HSA-REI.B.3
    r"|(?:K|\d{1,2})\.[A-Z]{2,5}\.\d{1,2}\.\d{1,2}"  # 3.PAFR.1.1, South Carolina 2023
    r"|(?:RL|RI|RF|W|SL|L|RH|RST|WHST)\.(?:K|\d{1,2}(?:-\d{1,2})?)\.\d{1,2}(?:\.?[a-z])?"  # RL.5.1
    r"|A\d\.[A-Z]{2,5}\.\d{1,2}"  # A1.ACE.1
    r")(?!\w|\.\w)"
)


def find_code(text: str) -> str | None:
    """Return the standard's code in a text, or None where there is none.

    Examples
    --------
    >>> find_code("Exit ticket 3.NF.A.1"), find_code("2. Place 3/4 on the line [3.NF.A.2]")
    ('3.NF.A.1', '3.NF.A.2')
    >>> find_code("3.PAFR.1.1 Patterns"), find_code("Quiz: Unit 5") is None
    ('3.PAFR.1.1', True)
    """
    found = _CODE.findall(text)
    return max(found, key=len) if found else None


def split_code(text: str) -> tuple[str, str]:
    """Return a skill's id and its name from a text that may begin with a code.

    Examples
    --------
    >>> split_code("3.NF.A.1 Unit fractions"), split_code("Number line")
    (('3.NF.A.1', 'Unit fractions'), ('Number line', 'Number line'))
    """
    code = find_code(text)
    if code is None:
        return text, text
    rest = text.replace(code, "", 1).strip(" -–:()[]")
    return code, rest or code
