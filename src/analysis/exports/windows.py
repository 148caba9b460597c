"""Names of assessment windows: BOY, MOY, EOY of a school year."""

from __future__ import annotations

import re

import pandas as pd

SEASONS = {
    "fall": "BOY",
    "autumn": "BOY",
    "boy": "BOY",
    "beginning": "BOY",
    "winter": "MOY",
    "moy": "MOY",
    "middle": "MOY",
    "spring": "EOY",
    "eoy": "EOY",
    "end": "EOY",
    "summer": "EOY",
}
"""First word of a vendor's window -> ours."""

_YEARS = re.compile(r"\b(20\d\d)\s*[-/–]\s*(20\d\d|\d\d)\b")


def read_window(season: str | None, year: str | None = None) -> str | None:
    """Return a vendor's window in our words, or as it is where it is none of ours.

    Examples
    --------
    >>> read_window("Winter (November 16 - March 1)", "2025-2026")
    '2025-2026 MOY'
    >>> read_window("Fall 2021-2022")
    '2021-2022 BOY'
    >>> read_window("Spring 2024")
    '2023-2024 EOY'
    >>> read_window("Unit 3")
    'Unit 3'
    """
    if not isinstance(season, str):
        return None
    words = re.findall(r"[a-z]+", season.casefold())
    ours = next((SEASONS[word] for word in words if word in SEASONS), None)
    years = _YEARS.search(season) or (_YEARS.search(year) if isinstance(year, str) else None)
    if ours is None:
        return season
    single = re.search(r"\b(20\d\d)\b", season)
    if not years and single:
        first = int(single.group(1)) - (ours != "BOY")
        return f"{first}-{first + 1} {ours}"
    if not years:
        return f"{year} {ours}" if isinstance(year, str) and year else ours
    first = int(years.group(1))
    return f"{first}-{first + 1} {ours}"


def read_windows(seasons: pd.Series, years: pd.Series | None = None) -> pd.Series:
    """Return each row's window; see :func:`read_window`."""
    if years is None:
        years = pd.Series([None] * len(seasons), index=seasons.index)
    pairs = {pair: read_window(*pair) for pair in set(zip(seasons, years, strict=True))}
    named = [pairs[pair] for pair in zip(seasons, years, strict=True)]
    return pd.Series(named, index=seasons.index, dtype="str")


def name_window(days: pd.Series) -> pd.Series:
    """Return the window a day lies in; missing where the day is.

    BOY from July to November 15, MOY to March 1, EOY to June, as i-Ready cuts the year.

    Examples
    --------
    >>> name_window(pd.Series(pd.to_datetime(["2026-10-02", "2027-01-14"]))).tolist()
    ['2026-2027 BOY', '2026-2027 MOY']
    """
    month_day = days.dt.month * 100 + days.dt.day
    start = days.dt.year.where(days.dt.month >= 7, days.dt.year - 1)
    season = pd.Series("EOY", index=days.index, dtype="str")
    season = season.mask((month_day <= 301) | (month_day >= 1116), "MOY")
    season = season.mask((month_day >= 701) & (month_day <= 1115), "BOY")
    years = start.astype("Int64").astype("str") + "-" + (start + 1).astype("Int64").astype("str")
    named: pd.Series = years + " " + season
    return named.where(days.notna())
