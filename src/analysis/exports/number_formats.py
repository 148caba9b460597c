"""Number formats of a workbook: what a spreadsheet shows for a stored number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

DIGITS_KEPT = 15
"""Digits a spreadsheet keeps of a number; the rest it replaces by zeros."""

_BUILT_IN = {
    9: "0%",
    10: "0.00%",
    14: "m/d/yyyy",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    22: "m/d/yyyy h:mm",
}
_BUILT_IN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_LITERALS = re.compile(r'"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]|_.|\*.', re.IGNORECASE)


@dataclass(frozen=True)
class NumberFormat:
    """One format: its code, and whether it shows dates."""

    code: str = "General"
    is_date: bool = False
    epoch_1904: bool = False

    def show(self, value: str) -> tuple[str, str | None]:
        """Return a stored number as it is shown, and a fact about it.

        Examples
        --------
        >>> NumberFormat("00000").show("1001")
        ('01001', 'zeros')
        >>> NumberFormat("0%").show("0.85")
        ('85%', None)
        >>> NumberFormat("m/d/yyyy", is_date=True).show("46297")
        ('2026-10-02', 'date')
        """
        try:
            number = float(value)
        except ValueError:
            return value, None
        if not math.isfinite(number):
            return value, None
        if self.is_date:
            return self._date(number, value)
        if "%" in _LITERALS.sub("", self.code):
            return f"{round(number * 100, 10):g}%", None
        text = plain(number, value)
        zeros = re.fullmatch(r"0{2,}", self.code.split(";")[0])
        if zeros and text.isdecimal() and len(text) < len(zeros.group()):
            return text.zfill(len(zeros.group())), "zeros"
        many = len(text.lstrip("-")) > DIGITS_KEPT and text.lstrip("-").isdecimal()
        return text, "digits" if many else None

    def _date(self, number: float, value: str) -> tuple[str, str | None]:
        start = datetime(1904, 1, 1) if self.epoch_1904 else datetime(1899, 12, 30)
        try:
            day = start + timedelta(days=number)
        except OverflowError:
            return value, None
        return f"{day:%Y-%m-%d}", "date"


def plain(number: float, value: str) -> str:
    """Return a number without the accidents of floating point.

    Examples
    --------
    >>> plain(1001.0, "1001.0"), plain(0.1, "0.10000000000000001")
    ('1001', '0.1')
    """
    if number.is_integer() and abs(number) < 1e18:
        return str(int(number))
    return repr(number)


def read_formats(data: bytes, epoch_1904: bool, parse: Callable[..., None]) -> list[NumberFormat]:
    """Return the format of each cell style of a workbook's ``styles.xml``."""
    codes: dict[int, str] = {}
    numbers: list[int] = []
    inside: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        inside.append(tag)
        if tag == "numFmt" and "dxf" not in inside:
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "General")
        elif tag == "xf" and "cellXfs" in inside:
            numbers.append(int(attributes.get("numFmtId", "0")))

    def end(tag: str) -> None:
        inside.pop()

    if data:
        parse(data, start, end, lambda text: None)
    formats = [_format(number, codes, epoch_1904) for number in numbers]
    return formats or [NumberFormat()]


def _format(number: int, codes: dict[int, str], epoch_1904: bool) -> NumberFormat:
    code = codes.get(number, _BUILT_IN.get(number, "General"))
    shown = _LITERALS.sub("", code)
    dated = bool(re.search(r"[ymdhs]", shown, re.IGNORECASE)) and "general" not in shown.casefold()
    is_date = dated if number in codes else number in _BUILT_IN_DATES
    return NumberFormat(code, is_date, epoch_1904)
