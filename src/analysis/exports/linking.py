"""Observations of all files to the evidence table: windows, skills, classrooms, attempts."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import UsageError
from analysis.exports.attempts import resolve_across, resolve_attempts
from analysis.exports.coded import as_texts, factorize, list_texts
from analysis.exports.findings import NO_CLASSROOM, NO_ITEM, Findings, name_some
from analysis.exports.reading import Context, Reading, no_rows
from analysis.exports.windows import name_window
from analysis.tables import EVIDENCE, ROSTER

UNPLACED = "unassigned"
"""Classroom of students in a first import that names neither a roster nor classrooms."""


@dataclass(frozen=True)
class Linked:
    """Evidence and the roster it brought.

    ``student_ids`` are those of all evidence. For each reading ``used_rows`` are the rows of
    its observations (None where every row counts as used, because the file names classrooms
    or is no evidence), ``counts`` its students and skills.
    """

    evidence: pd.DataFrame
    roster: pd.DataFrame
    student_ids: set[str]
    used_rows: list[np.ndarray | None]
    counts: list[tuple[int, int]]
    notes: list[str]


def link(
    readings: Sequence[Reading], context: Context, *, window: str | None, attempts: str
) -> Linked:
    """Return the evidence of all readings; rows that cannot be placed are set aside in words."""
    rosters, parts = [context.roster], []
    for reading in readings:
        if reading.roster is not None and reading.observations is None:
            rosters.append(reading.roster)
    roster = merge_rosters(rosters)
    used_rows: list[np.ndarray | None] = []
    counts = []
    student_ids: set[str] = set()
    for reading in readings:
        observed = reading.observations
        if observed is None or observed.empty:
            if reading.roster is not None:
                roster = merge_rosters([roster, reading.roster])
            placed = observed is None or (reading.roster is not None and len(reading.roster) > 0)
            used_rows.append(None if placed else np.array([], dtype=int))
            counts.append(_count(reading))
            continue
        observed, roster = place_students(reading, observed, roster)
        observed = name_windows(reading, observed, window)
        observed = add_skills(reading, observed, context.items)
        parts.append(resolve_attempts(reading, observed, attempts))
        placed = reading.roster is not None and len(reading.roster) > 0
        used_rows.append(None if placed else observed["row"].unique())
        students, skills = (factorize(observed[name])[1] for name in ("student_id", "skill_id"))
        student_ids |= set(list_texts(students))
        counts.append((len(students), len(skills)))
    observing = [r for r in readings if r.observations is not None and len(r.observations)]
    parts, notes = resolve_across(observing, parts, attempts)
    return Linked(_to_evidence(parts), roster, student_ids, used_rows, counts, notes)


def _count(reading: Reading) -> tuple[int, int]:
    students, skills = (
        reading.voice if reading.roster is None else reading.roster,
        reading.skills if reading.skills is not None else reading.items,
    )
    return (
        0 if students is None else int(students["student_id"].nunique()),
        0 if skills is None else int(skills["skill_id"].nunique()),
    )


def merge_rosters(rosters: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one row a student and classroom; the first word on a column stays.

    Examples
    --------
    >>> a = pd.DataFrame({"student_id": ["s1"], "classroom_id": ["7A"], "grade": [None]})
    >>> merge_rosters([a, a.assign(grade="7")])["grade"].tolist()
    ['7']
    """
    filled = [roster for roster in rosters if len(roster)]
    if not filled:
        return no_rows("roster")
    both = pd.concat(filled, ignore_index=True)
    both = both.dropna(subset=["student_id", "classroom_id"])
    if both.duplicated(["student_id", "classroom_id"]).any():
        both = both.groupby(["student_id", "classroom_id"], sort=False, as_index=False).first()
    return both.reindex(columns=list(dict.fromkeys([*ROSTER.columns, *both.columns])))


def place_students(
    reading: Reading, observed: pd.DataFrame, roster: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the observations of students who have a classroom, and the roster they extend."""
    found = reading.roster if reading.roster is not None else roster.iloc[:0]
    if reading.vendor and len(roster) and len(found):
        found = _only_new(reading, found, roster)
    extended = merge_rosters([roster, found])
    if observed["classroom_id"].notna().all():
        return observed, extended
    known = set(extended["student_id"])
    placed = observed["student_id"].isin(known).to_numpy()
    if placed.all():
        return observed, extended
    strangers = observed.loc[~placed, "student_id"].dropna().unique().tolist()
    if not len(roster) and not len(found):
        reading.findings.note(
            f"names no classrooms and there is no roster yet: its {len(strangers)} students are "
            f"placed in the classroom “{UNPLACED}”. Import a roster (student_id, classroom_id)."
        )
        return observed, merge_rosters([extended, _unplaced(reading, strangers)])
    reading.findings.put_aside(
        observed.loc[~placed, "row"].unique(),
        NO_CLASSROOM,
        "Add the student to roster.csv, or a classroom to the row, and import again.",
    )
    return observed[placed], extended


def _only_new(reading: Reading, found: pd.DataFrame, roster: pd.DataFrame) -> pd.DataFrame:
    """Leave known students in their classrooms: a platform names sections its own way."""
    new = ~found["student_id"].isin(roster["student_id"]) | found["classroom_id"].isin(
        roster["classroom_id"]
    )
    if not new.all():
        rooms = found.loc[~new, "classroom_id"].unique()
        reading.findings.note(
            f"its sections ({name_some(rooms)}) were not taken as classrooms: these students' "
            "classrooms are known from the roster."
        )
    return found[new]


def _unplaced(reading: Reading, strangers: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame({"student_id": strangers, "classroom_id": UNPLACED}, dtype="str")
    names = reading.people
    if names is None:
        return frame
    return frame.merge(names.drop_duplicates("student_id"), on="student_id", how="left")


def name_windows(reading: Reading, observed: pd.DataFrame, window: str | None) -> pd.DataFrame:
    """Return observations that each have a window and a source.

    A window in a file of our own forms stays. A platform's own window stays where the file
    has several; where it has one, the window that was asked for takes its place.
    """
    told = observed["window"].dropna().unique().tolist()
    if reading.vendor and window is not None and len(told):
        if len(told) == 1:
            reading.findings.note(f"its window {told[0]} is stored as {window}, as you asked.")
            told, observed = [], observed.assign(window=None)
        else:
            reading.findings.note(
                f"holds several windows, kept as they are named there: {name_some(sorted(told))}; "
                f"--window {window} was not used for them."
            )
    lacking = observed["window"].isna().to_numpy()
    if lacking.any():
        given: Any = window
        if window is None:
            by_day = name_window(observed["observed_on"])
            _refuse_without_window(reading, by_day[lacking])
            given = by_day.array
        if told:
            given = np.where(lacking, given, observed["window"].to_numpy(dtype=object))
        observed = observed.assign(window=_repeated(given, len(observed)))
    stem = reading.findings.file.rsplit(".", 1)[0].replace("/", " ")
    if observed["source"].isna().all():
        return observed.assign(source=_repeated(reading.source or stem, len(observed)))
    if observed["source"].isna().any():
        return observed.assign(source=as_texts(observed["source"]).fillna(reading.source or stem))
    return observed


def _repeated(text: Any, n: int) -> Any:
    """Return one text for all rows, coded; anything else as it is."""
    if isinstance(text, str):
        return pd.Categorical.from_codes(np.zeros(n, dtype="int8"), pd.Index([text], dtype="str"))
    return pd.array(text, dtype="str")


def _refuse_without_window(reading: Reading, windows: pd.Series) -> None:
    if windows.isna().any():
        raise UsageError(
            f"{reading.findings.where}: says neither a window nor dates. Say which assessment "
            "window it is: --window 2026-BOY."
        )
    reading.findings.note(f"windows are told by the dates: {name_some(sorted(windows.unique()))}.")


def add_skills(reading: Reading, observed: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return one observation per skill an item asks for; items nobody mapped are set aside."""
    lacking = observed["skill_id"].isna().to_numpy()
    if not lacking.any():
        return observed
    skills = items[["item_id", "skill_id"]].drop_duplicates()
    unmapped = lacking & ~observed["item_id"].isin(skills["item_id"]).to_numpy()
    if unmapped.any():
        _say_unmapped(reading.findings, observed[unmapped])
        observed, lacking = observed[~unmapped], lacking[~unmapped]
    if not skills["item_id"].duplicated().any():
        told = as_texts(observed["item_id"]).map(skills.set_index("item_id")["skill_id"])
        return observed.assign(skill_id=as_texts(observed["skill_id"]).fillna(told.astype("str")))
    observed = observed.apply(as_texts)
    mapped = observed[lacking].drop(columns="skill_id").merge(skills, on="item_id", how="left")
    return pd.concat([observed[~lacking], mapped[observed.columns]], ignore_index=True)


def _say_unmapped(findings: Findings, lost: pd.DataFrame) -> None:
    items = lost["item_id"].dropna().unique()
    findings.note(
        f"{len(items)} items are in no Q-matrix, their answers are set aside: {name_some(items)}. "
        "Import items.csv (item_id, skill_id) with this file."
    )
    findings.put_aside(lost["row"].unique(), NO_ITEM, "Add the item to items.csv.")


def _to_evidence(parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [_written_out(part) for part in parts if len(part)]
    if not filled:
        none = no_rows("evidence")
        return none.assign(classroom_id=none["student_id"])
    return pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0]


def _written_out(part: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the evidence as plain text and numbers."""
    columns = {name: part[name].array for name in [*EVIDENCE.columns, "classroom_id"]}
    coded = {name: c for name, c in columns.items() if isinstance(c, pd.Categorical)}
    # The item is often the observation's name as well: the same codes, written out once.
    different = {id(codes): codes for codes in coded.values()}
    with ThreadPoolExecutor() as pool:  # Arrow does it without holding the interpreter
        texts = list(pool.map(as_texts, map(pd.Series, different.values())))
    once = {key: text.array for key, text in zip(different, texts, strict=True)}
    written = {name: once[id(codes)].copy() for name, codes in coded.items()}
    return pd.DataFrame(columns | written, copy=False)
