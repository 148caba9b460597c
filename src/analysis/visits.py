"""The coach's log of visits: a plain CSV file, and whether each cycle's goal was met.

A line is a visit. A line that names a skill and a target opens a coaching cycle: that many
students of the classroom hold the skill by a day. Whether they do is told by the evidence of
the windows before and after, with what it leaves open, and by the coach's own words beside it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import DataError, UsageError
from analysis.files import locked, write_whole
from analysis.language import mark

COLUMNS = [
    "date", "classroom_id", "teacher", "goal", "skill_id", "baseline", "target", "due",
    "next_step", "result",
]  # fmt: skip
"""In the order of the file. ``baseline`` and ``target`` count students; ``date`` and ``due``
are days as 2026-09-14; ``skill_id`` is empty where the goal is not about a skill."""

MADE_TEXT = r"^'([=+\-@\t\r])"
"""How a cell that a spreadsheet would compute is written; read back without the mark."""

DAYS = ["date", "due"]
COUNTS = ["baseline", "target"]

SURE = 0.9
"""Probability from which a goal is said to be met, and below 1 less it, not met."""


class Outcome(StrEnum):
    """What the evidence says of a cycle's goal."""

    MET = mark("met")
    NOT_MET = mark("not met")
    OPEN = mark("cannot be said yet")
    RUNNING = mark("still running")


def read_visits(file: str | Path) -> pd.DataFrame:
    r"""Return the log, oldest visit first; a missing file is an empty log.

    Parameters
    ----------
    file
        A CSV with the columns of :data:`COLUMNS`; others are ignored, missing ones empty.

    Returns
    -------
    pandas.DataFrame
        Days as dates, counts as Int64, everything else text; missing where empty.

    Raises
    ------
    DataError
        A line has no classroom, or no day or number where one must be; all are named.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "visits.csv"
    >>> _ = file.write_text("date,classroom_id,skill_id,target\n2026-09-14,4a,3.MU.2,12\n")
    >>> read_visits(file)[["classroom_id", "target"]].to_dict("records")
    [{'classroom_id': '4a', 'target': 12}]
    """
    file = Path(file)
    if not file.is_file():
        return _typed(pd.DataFrame(columns=COLUMNS, dtype="str"), [])
    text = file.read_text(encoding="utf-8-sig")
    rows = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False, na_values=[""])
    rows = rows.rename(columns=lambda name: str(name).strip().casefold())
    faults: list[str] = []
    log = _typed(rows.reindex(columns=COLUMNS), faults)
    for place in np.flatnonzero(log["classroom_id"].isna()):
        faults.append(f"row {place + 2}: there is no classroom_id")
    if faults:
        raise DataError.of_faults(str(file), faults, "Correct these cells; days as 2026-09-14.")
    return log.sort_values(["date", "classroom_id"], kind="stable", ignore_index=True)


def add_visit(file: str | Path, visit: Mapping[str, object]) -> None:
    """Add a line to the log; the lines that are there stay as they are.

    Parameters
    ----------
    file
        Made, for its owner only, where it is missing.
    visit
        Values by the names of :data:`COLUMNS`; ``date`` and ``classroom_id`` must be there.

    Raises
    ------
    UsageError
        A name is unknown or one of the two is missing.
    DataError
        The log that is there cannot be read, or a value is no day or number.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "visits.csv"
    >>> add_visit(file, {"date": date(2026, 9, 14), "classroom_id": "007", "goal": "more talk"})
    >>> read_visits(file)["classroom_id"].tolist()
    ['007']
    """
    file = Path(file)
    unknown = sorted(set(visit) - set(COLUMNS))
    missing = [name for name in ("date", "classroom_id") if not visit.get(name)]
    if unknown or missing:
        raise UsageError(
            f"A visit has the columns {', '.join(COLUMNS)}; unknown: {', '.join(unknown) or '-'}, "
            f"missing: {', '.join(missing) or '-'}."
        )
    with locked(file.parent, "writing the log of visits"):
        known = read_visits(file)
        line = {name: "" if visit.get(name) is None else str(visit[name]) for name in COLUMNS}
        faults: list[str] = []
        added = _typed(pd.DataFrame([line], dtype="str").replace("", None), faults)
        if faults:
            raise DataError.of_faults("the visit", faults, "Give days as 2026-09-14.")
        write_whole(file, _as_csv(pd.concat([known, added], ignore_index=True)))


def list_cycles(visits: pd.DataFrame) -> pd.DataFrame:
    """Return the visits that opened a cycle: with a skill and a target."""
    opened = visits["skill_id"].notna() & visits["target"].notna()
    return visits[opened].reset_index(drop=True)


def judge_cycle(
    target: int, before: pd.Series | None, after: pd.Series | None, *, ended: bool
) -> dict[str, Any]:
    """Return how many students hold the skill before and after a cycle, and whether it was met.

    Parameters
    ----------
    target
        Students who are to hold the skill.
    before, after
        Mastery of the skill (0 to 1), one student a row, in the last window before the
        visit and the first one that ends on or after the day it was due; ``None``: none.
    ended
        Whether there is such a window.

    Returns
    -------
    dict
        ``before`` and ``after`` (expected students who hold it, missing where not
        measured), ``low`` and ``high`` (90 % interval of ``after``), ``chance`` (that at
        least ``target`` hold it) and ``outcome``.

    Examples
    --------
    >>> after = pd.Series([0.99] * 12 + [0.05] * 8)
    >>> judge_cycle(10, pd.Series([0.1] * 20), after, ended=True)["outcome"]
    <Outcome.MET: 'met'>
    """
    judged = {
        "before": np.nan if before is None else float(before.sum()),
        "after": np.nan, "low": np.nan, "high": np.nan, "chance": np.nan,
        "outcome": Outcome.RUNNING,
    }  # fmt: skip
    if not ended or after is None:
        return judged if not ended else judged | {"outcome": Outcome.OPEN}
    chances = chance_of_each_count(after.dropna().to_numpy())
    reached = chances.cumsum()
    chance = float(chances[min(target, len(chances)) :].sum())
    met = Outcome.MET if chance >= SURE else Outcome.NOT_MET if chance <= 1 - SURE else Outcome.OPEN
    return judged | {
        "after": float(after.sum()),
        "low": int(np.searchsorted(reached, 0.05)),
        "high": int(np.searchsorted(reached, 0.95)),
        "chance": chance,
        "outcome": met,
    }


def chance_of_each_count(mastery: np.ndarray) -> np.ndarray:
    """Return the probability that 0, 1, 2, … of the students hold a skill.

    Examples
    --------
    >>> chance_of_each_count(np.array([0.5, 0.5])).tolist()
    [0.25, 0.5, 0.25]
    """
    chances = np.ones(1)
    for one in mastery:
        chances = np.convolve(chances, [1 - one, one])
    return chances


def _typed(rows: pd.DataFrame, faults: list[str]) -> pd.DataFrame:
    """Return rows with days and counts read, and add to ``faults`` what is neither."""
    typed = rows.apply(lambda column: column.astype("str").str.strip())
    typed = typed.mask(typed.eq("") | rows.isna())
    typed = typed.replace(MADE_TEXT, r"\1", regex=True)
    columns = {}
    for name in COLUMNS:
        if name in DAYS:
            values = pd.to_datetime(typed[name], format="%Y-%m-%d", errors="coerce")
        elif name in COUNTS:
            values = pd.to_numeric(typed[name], errors="coerce")
            values = values.where(values.ge(0) & values.mod(1).eq(0)).astype("Int64")
        else:
            values = typed[name].astype("str")
        wrong = values.isna() & typed[name].notna()
        wrong |= typed[name].isna() if name == "date" else False
        kind = "day" if name in DAYS else "number of students"
        faults += [
            f"row {place + 2}, column {name}: {typed[name].iloc[place]!r} is no {kind}"
            for place in np.flatnonzero(wrong)
        ]
        columns[name] = values
    return pd.DataFrame(columns)


def _as_csv(log: pd.DataFrame) -> str:
    """Return the log as text; a cell a spreadsheet would compute is made text."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in log.itertuples(index=False):
        writer.writerow([_cell(value) for value in row])
    return lines.getvalue()


def _cell(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, pd.Timestamp | date):
        return value.strftime("%Y-%m-%d")
    text = str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
