"""Dates as exports write them."""

from __future__ import annotations

import re

import pandas as pd
from pandas.api.typing import NaTType

from analysis.exports.coded import codes_of

_ZONE = re.compile(
    r"\s*(?:GMT|UTC|EST|EDT|CST|CDT|MST|MDT|PST|PDT|Z)?\s*(?:[+-]\d{1,2}(?::?\d{2})?)?$"
)
_FORMATS = [
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%d %B %Y",
    "%A, %d %B %Y",
    "%B %d, %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%m.%d.%Y",
]
_DATE_PART = re.compile(
    r"^(.*?(?:\d{4}|\d[/.-]\d{1,2}[/.-]\d{2}|\d{8}))(?:[T ,]+(?:at )?\d{1,2}:\d{2}.*)?$"
)


def read_dates(texts: pd.Series) -> pd.Series:
    """Return the days that texts name; what is no date is missing.

    A day is read as it is written: the time of day and its zone are left out. ``10/2/2026``
    is October 2nd, as in the exports of United States platforms.

    Examples
    --------
    >>> read_dates(pd.Series(["10/2/2026 9:00 AM", "2026-10-02T14:00:00Z", "--"])).dt.strftime(
    ...     "%Y-%m-%d").tolist()
    ['2026-10-02', '2026-10-02', nan]
    """
    codes, unique = codes_of(texts)
    days = pd.Series([_read_date(text) for text in unique] + [pd.NaT], dtype="datetime64[ns]")
    return pd.Series(days.array.take(codes), index=texts.index)


def _read_date(text: str) -> pd.Timestamp | NaTType:
    said = re.sub(r"\s+", " ", str(text)).strip()
    match = _DATE_PART.match(said)
    day = match.group(1) if match else said
    for form in _FORMATS:
        found = pd.to_datetime(day, format=form, errors="coerce")
        if not pd.isna(found):
            return found
    return pd.NaT
