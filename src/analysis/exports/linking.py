"""Observations of all files to the evidence table: windows, skills, classrooms, attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import UsageError
from analysis.exports.attempts import (
    RULES,
    Repeats,
    name_observations,
    resolve_across,
    resolve_attempts,
)
from analysis.exports.coded import as_texts, factorize, list_texts
from analysis.exports.findings import NO_CLASSROOM, NO_ITEM, Findings, name_some
from analysis.exports.holding import Holding
from analysis.exports.reading import Reading, no_rows
from analysis.exports.windows import name_window
from analysis.tables import EVIDENCE, ROSTER

UNPLACED = "unassigned"
"""Classroom of students in a first import that names neither a roster nor classrooms."""


class Linker:
    """Places observations file by file, and gives them out as evidence when all are there.

    Parameters
    ----------
    roster
        Of the store and of the roster files.
    window, attempts
        As in :func:`analysis.exports.read_exports`.
    holding
        Where observations are put by.
    """

    def __init__(
        self, roster: pd.DataFrame, *, window: str | None, attempts: str, holding: Holding
    ):
        self.window, self.attempts, self.holding = window, attempts, holding
        self.findings: dict[int, Findings] = {}
        self.students: set[str] = set()
        self.skills: dict[str, None] = {}
        self.lost: set[str] = set()
        self.n_lost = 0
        self._rosters = [roster]

    @property
    def roster(self) -> pd.DataFrame:
        """All students and classrooms that are known by now."""
        self._rosters = [merge_rosters(self._rosters)]
        return self._rosters[0]

    def add(self, file: int, reading: Reading, items: pd.DataFrame) -> Placed:
        """Place what one file, or a part of it, says of students; put it by."""
        observed, found = reading.observations, reading.roster
        if observed is None or observed.empty:
            self._rosters += [] if found is None else [found]
            placed = observed is None or (found is not None and len(found) > 0)
            return Placed(None if placed else np.array([], dtype=int), *_named(reading))
        if reading.vendor or not observed["classroom_id"].notna().all():
            observed, roster = place_students(reading, observed, self.roster)
            self._rosters = [roster]
        else:
            self._rosters += [] if found is None else [found]
        observed = name_windows(reading, observed, self.window)
        observed = name_observations(add_skills(reading, observed, items))
        self.findings[file] = reading.findings
        self.holding.put(file, observed)
        placed = found is not None and len(found) > 0
        used = None if placed else observed["row"].unique()
        names = (factorize(observed[name])[1] for name in ("student_id", "skill_id"))
        students, skills = (dict.fromkeys(list_texts(one)) for one in names)
        return Placed(used, set(students), skills)

    def attempt(self, file: int) -> Callable[[], None]:
        """Return what forgets a file again, should a later part of it be of no use."""
        rosters = list(self._rosters)

        def forget() -> None:
            self.holding.drop(file)
            self.findings.pop(file, None)
            self._rosters = rosters

        return forget

    def count(self, placed: Placed) -> None:
        """Take up a file that is read to its end."""
        self.students |= placed.observed
        self.skills |= placed.skills

    def evidence(self) -> Iterator[tuple[pd.DataFrame, set[str] | None]]:
        """Yield evidence, each observation once, and the classrooms it is all of."""
        repeats = {file: Repeats() for file in self.findings}
        for by_file, classroom_ids in self.holding.take(self.roster):
            files = sorted(by_file)
            parts = [
                resolve_attempts(self.findings[n], by_file[n], self.attempts, repeats[n])
                for n in files
            ]
            told = [self.findings[n] for n in files]
            parts, lost = resolve_across(told, parts, self.attempts)
            self.n_lost += int((~lost.isin(self.lost)).sum())
            self.lost |= set(lost)
            yield _to_evidence(parts), classroom_ids
        for n, found in repeats.items():
            found.say(self.findings[n], self.attempts)

    def notes(self) -> list[str]:
        """Return what concerns several files; complete when all evidence was taken."""
        if not self.n_lost:
            return []
        return [
            f"{self.n_lost} observations are in several files; rule “{self.attempts}”: "
            f"{RULES[self.attempts]}."
        ]


@dataclass(frozen=True)
class Placed:
    """What one file said.

    ``used_rows``: of its observations, None where every row counts as used, because the file
    names classrooms or is no evidence. ``students`` and ``skills``: those it names, in order.
    ``is_evidence``: they are those of observations.
    """

    used_rows: np.ndarray | None
    students: set[str]
    skills: dict[str, None]
    is_evidence: bool = True

    @property
    def observed(self) -> set[str]:
        """Students with observations."""
        return self.students if self.is_evidence else set()

    def __or__(self, more: Placed) -> Placed:
        """Return both parts of one file as one."""
        return Placed(None, self.students | more.students, self.skills | more.skills)


def _named(reading: Reading) -> tuple[set[str], dict[str, None], bool]:
    students, skills = (
        reading.voice if reading.roster is None else reading.roster,
        reading.skills if reading.skills is not None else reading.items,
    )
    return (
        set() if students is None else set(list_texts(students["student_id"].dropna())),
        {} if skills is None else dict.fromkeys(list_texts(skills["skill_id"].dropna())),
        False,
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
