"""When a schedule starts its command: a time of day and days of the week, by the local clock.

Cron, systemd and Windows keep local time and move with it when the clocks change; GitHub
knows UTC alone. An hour that is skipped or comes twice on those two nights is best avoided.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analysis.errors import UsageError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
UNSTEADY_HOURS = range(1, 4)
"""Hours that are skipped or repeated where clocks change: at 1, 2 or 3 o'clock everywhere
in North America and Europe."""


@dataclass(frozen=True)
class Times:
    """When to start.

    Parameters
    ----------
    at
        Time of day, to the minute.
    days
        Days of the week, 0 (Monday) to 6 (Sunday); at least one.

    Examples
    --------
    >>> parse_times("05:30", "mon-fri").days_in_words
    'mon-fri'
    """

    at: time
    days: frozenset[int]

    @property
    def days_in_words(self) -> str:
        """The days as they may be given again: ``mon-fri``, ``tue,thu`` or ``daily``."""
        if self.days == EVERY_DAY:
            return "daily"
        return _runs(self.days, DAYS)

    @property
    def clock_words(self) -> str:
        """The time of day: ``05:30``."""
        return f"{self.at:%H:%M}"

    @property
    def is_unsteady(self) -> bool:
        """Whether the time is skipped or comes twice on a night when clocks change."""
        return self.at.hour in UNSTEADY_HOURS

    def cron_fields(self) -> str:
        """Return the five fields of a crontab line.

        Examples
        --------
        >>> parse_times("05:30", "mon-fri").cron_fields()
        '30 5 * * 1-5'
        >>> parse_times("18:05", "sat,sun").cron_fields()
        '5 18 * * 6,0'
        """
        named = [str((day + 1) % 7) for day in range(7)]
        days = "*" if self.days == EVERY_DAY else _runs(self.days, named)
        return f"{self.at.minute} {self.at.hour} * * {days}"

    def due_before(self, now: datetime) -> datetime:
        """Return the last time it was due, by the local clock, not after ``now``.

        Examples
        --------
        >>> monday_at_five = datetime(2026, 11, 23, 5, 0)
        >>> parse_times("05:30", "mon-fri").due_before(monday_at_five).isoformat()
        '2026-11-20T05:30:00'
        """
        for back in range(8):
            day = now.date() - timedelta(days=back)
            due = datetime.combine(day, self.at)
            if day.weekday() in self.days and due <= now:
                return due
        raise AssertionError("eight days hold every day of the week")

    def in_utc(self, zone: str) -> Times:
        """Return the same moment of a winter's day in UTC, where days may shift.

        Raises
        ------
        UsageError
            There is no such time zone.

        Examples
        --------
        >>> parse_times("20:00", "mon-fri").in_utc("America/New_York").cron_fields()
        '0 1 * * 2-6'
        """
        offset = standard_offset(zone)
        # Any date will do: a whole week is looked at as one circle.
        moment = datetime.combine(date(2026, 1, 5), self.at) - offset
        shift = (moment.date() - date(2026, 1, 5)).days
        return Times(moment.time(), frozenset((day + shift) % 7 for day in self.days))


def parse_times(at: str, days: str) -> Times:
    """Return the times meant by ``05:30`` and ``mon-fri``, ``tue,thu`` or ``daily``.

    Raises
    ------
    UsageError
        One of them is no time or no days.

    Examples
    --------
    >>> sorted(parse_times("6:05", "fri-mon").days)
    [0, 4, 5, 6]
    """
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", at.strip())
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise UsageError(f"--at {at}: not a time of day.\nGive hours and minutes, as in 05:30.")
    return Times(time(int(match[1]), int(match[2])), _parse_days(days))


def _parse_days(days: str) -> frozenset[int]:
    found: set[int] = set()
    for part in days.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if part == "daily":
            found |= EVERY_DAY
        elif first in DAYS and (last in DAYS if dash else True):
            start = DAYS.index(first)
            length = (DAYS.index(last) - start) % 7 if dash else 0
            found |= {(start + step) % 7 for step in range(length + 1)}
        else:
            raise UsageError(
                f"--days {days}: {part!r} is no day.\nGive days as in mon-fri, tue,thu or daily."
            )
    return frozenset(found)


def _runs(days: frozenset[int], named: Sequence[str] | Mapping[int, str]) -> str:
    """Return days with three or more in a row as first-last."""
    parts, ordered = [], sorted(days)
    while ordered:
        run = [ordered.pop(0)]
        while ordered and ordered[0] == run[-1] + 1:
            run.append(ordered.pop(0))
        # Cron counts Sunday as 0: a run up to Sunday is written out.
        if len(run) > 2 and run[-1] < 6:
            parts.append(f"{named[run[0]]}-{named[run[-1]]}")
        else:
            parts += [named[day] for day in run]
    return ",".join(parts)


def standard_offset(zone: str) -> timedelta:
    """Return how far a zone's clocks are ahead of UTC in winter.

    Raises
    ------
    UsageError
        There is no such time zone.

    Examples
    --------
    >>> standard_offset("America/Chicago") / timedelta(hours=1)
    -6.0
    """
    return min(_offsets(zone))


def changes_clocks(zone: str) -> bool:
    """Return whether a zone's clocks are changed in the year."""
    return len(set(_offsets(zone))) > 1


def _offsets(zone: str) -> list[timedelta]:
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"There is no time zone {zone!r}.\nGive it as in --timezone America/New_York."
        ) from None
    year = datetime.now(UTC).year
    return [datetime(year, month, 15, tzinfo=known).utcoffset() or timedelta() for month in (1, 7)]


def local_zone() -> str | None:
    """Return the name of this computer's time zone, or none where it has no name."""
    if name := os.environ.get("TZ", "").lstrip(":"):
        return name
    linked = Path("/etc/localtime")
    if linked.is_symlink():
        _, found, name = str(linked.resolve()).partition("zoneinfo/")
        return name if found else None
    return None
