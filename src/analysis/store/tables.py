"""Reading and saving the tables of a store."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandera.pandas import DataFrameSchema

from analysis.errors import DataError
from analysis.files import digest_of, locked, natural_key, write_json, write_whole
from analysis.rows import walk_parts
from analysis.store.cutting import Homes, cut_by
from analysis.store.index import (
    ABOUT,
    COACH_ONLY_TABLE,
    MARKER,
    Part,
    StoreIndex,
    empty_index,
    file_name,
    files_of,
)
from analysis.store.parts import read_joined, reader_of
from analysis.tables import (
    COACH_ONLY,
    EVIDENCE,
    ITEMS,
    ROSTER,
    SKILLS,
    VOICE,
    check_table,
    empty_table,
)

WRITERS = 4
"""Files written at once: most of the time goes into waiting for the disk."""

FILES_AT_ONCE = 256
"""Tables in memory at once while they wait to be written."""

EvidencePart = tuple[pd.DataFrame, Collection[str] | None]
"""Evidence, and the classrooms of which it is new; None: of all its students are in."""


class Store(StoreIndex):
    """A folder of Parquet files that meet the table contracts.

    Parameters
    ----------
    folder
        Where the store is, or will be once something is saved.
    """

    def read_skills(self) -> pd.DataFrame:
        """Return the skills table."""
        return self._read([self._framework_part("skills")], SKILLS)

    def read_items(self) -> pd.DataFrame:
        """Return the items table."""
        return self._read([self._framework_part("items")], ITEMS)

    def read_roster(self, classroom_id: str | None = None) -> pd.DataFrame:
        """Return the roster of one classroom, or of all."""
        wanted = self.classroom_ids if classroom_id is None else [classroom_id]
        return self._read([self.roster_part(one) for one in wanted], ROSTER)

    def read_coach_only(self) -> pd.DataFrame:
        """Return what was kept for the coach alone; nothing a classroom's report may ask for."""
        part = self._index.get(COACH_ONLY_TABLE)
        return self._read([Part(*part) if part else None], COACH_ONLY)

    def read_evidence(self, window: str, classroom_id: str | None = None) -> pd.DataFrame:
        """Return the evidence of one window, of one classroom or of all.

        An observation of a student in two classrooms comes once.

        Raises
        ------
        UnknownError
            The store has no such classroom or window.
        DataError
            A file of the store is missing or was changed by something else.
        """
        self._check_window(window)
        wanted = self.classroom_ids if classroom_id is None else [classroom_id]
        evidence = self._read([self.evidence_part(one, window) for one in wanted], EVIDENCE)
        if classroom_id is not None:
            return evidence
        return evidence.drop_duplicates(EVIDENCE.unique, ignore_index=True)

    def read_voice(self, classroom_id: str) -> pd.DataFrame:
        """Return what the students of one classroom say of themselves."""
        return self._read([self.voice_part(classroom_id)], VOICE)

    def save(
        self,
        *,
        roster: pd.DataFrame | None = None,
        skills: pd.DataFrame | None = None,
        items: pd.DataFrame | None = None,
        evidence: pd.DataFrame | Iterable[EvidencePart] | None = None,
        voice: pd.DataFrame | None = None,
        coach_only: pd.DataFrame | None = None,
    ) -> None:
        """Add tables to the store; a row with a known key takes the place of the old one.

        A student's evidence stands in every classroom the student is in, also when the
        second classroom is learnt of later. All of it is in force at once, or none.

        Parameters
        ----------
        roster, skills, items, voice, coach_only
            Tables of :mod:`analysis.tables`; ``None``: nothing new.
        evidence
            A table, or parts that are taken one after another, so that no more than one
            need be in memory.

        Raises
        ------
        DataError
            A table breaks its contract, or evidence is of a student on no roster.
        LockedError
            Another run is saving here.
        """
        with locked(self.folder, "saving"):
            self._content = None
            before = self._index if self.exists else empty_index()
            self._content = copy.deepcopy(before)
            try:
                self._save_framework("skills", skills, SKILLS)
                self._save_framework("items", items, ITEMS)
                pairs, joined = self._save_roster(roster)
                earlier = self._evidence_of(joined, pairs)
                parts = [(evidence, None)] if isinstance(evidence, pd.DataFrame) else evidence
                homes = Homes(pairs)
                for rows, classroom_ids in chain([(earlier, None)], parts or ()):
                    self._save_evidence(rows, homes, classroom_ids)
                self._save_voice(voice, joined, pairs)
                self._save_coach_only(coach_only)
                windows = [list(pair) for pair in self._content["windows"].items()]
                write_json(self.folder / MARKER, self._content | {"windows": windows})
                # A run that reads now still finds the files it began with.
                self._remove_files_but(files_of(before) | files_of(self._content))
            finally:
                self._content = None

    # -- writing ------------------------------------------------------------------------

    def _save_framework(
        self, name: str, rows: pd.DataFrame | None, contract: DataFrameSchema
    ) -> None:
        old = self._framework_part(name)
        if rows is None or (rows.empty and old):
            return
        self._index["framework"][name] = self._write(self._merge(old, rows, contract), name)

    def _save_roster(self, roster: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Save roster rows; return all pairs (student, classroom), and those that are new."""
        known = self.read_roster()[ROSTER.unique]
        if roster is None or roster.empty:
            return known, known.iloc[:0]
        roster = check_table(roster, ROSTER, "the roster")
        cut = cut_by(roster, ["classroom_id"], ROSTER.unique, list(roster.columns))
        merged = (self._merged_roster(place[0], new) for place, new in cut)
        for classroom_id, table, part in self._write_all("roster", merged):
            old = self._index["classrooms"].get(classroom_id, {"evidence": {}})
            told = {name: _first_told(table[name]) for name in ["coach_id", *ABOUT]}
            own = {"roster": part, "coach_id": told["coach_id"]}
            own["about"] = {name: told[name] for name in ABOUT}
            self._index["classrooms"][classroom_id] = old | own
        pairs = roster[ROSTER.unique].merge(known, how="left", on=ROSTER.unique, indicator=True)
        joined = pairs.loc[pairs["_merge"] == "left_only", ROSTER.unique]
        return pd.concat([known, joined], ignore_index=True), joined

    def _save_evidence(
        self, rows: pd.DataFrame, homes: Homes, classroom_ids: Collection[str] | None
    ) -> None:
        if rows.empty:
            return
        rows = check_table(rows, EVIDENCE, "the evidence")[list(EVIDENCE.columns)]
        pairs = homes.of(classroom_ids)
        strangers = rows.loc[~rows["student_id"].isin(pairs["student_id"]), "student_id"].unique()
        if len(homeless := homes.unknown(strangers)):
            raise DataError.of_faults(
                "the evidence",
                [f"student {student_id} is on no roster" for student_id in homeless],
                "Import a roster with these students first, or correct their ids.",
            )
        placed = rows.merge(pairs, on="student_id", validate="m:m")
        place = ["classroom_id", "window"]
        cut = cut_by(placed, place, EVIDENCE.unique, list(EVIDENCE.columns))
        merged = ((*place, self._over(self.evidence_part(*place), new)) for place, new in cut)
        for *place, _, part in self._write_all("evidence", merged):
            self._classroom(place[0])["evidence"][place[1]] = part
        self._order_windows(rows.groupby("window")["observed_on"].min())

    def _save_voice(
        self, voice: pd.DataFrame | None, joined: pd.DataFrame, pairs: pd.DataFrame
    ) -> None:
        """Save what students say in each of their classrooms; the later answer counts."""
        voice = empty_table(VOICE) if voice is None else check_table(voice, VOICE, "the voice form")
        told = [one for one in self.classroom_ids if self.voice_part(one)] if len(joined) else []
        earlier = [self.read_voice(one) for one in told]
        moved = [part[part["student_id"].isin(joined["student_id"])] for part in earlier]
        every = pd.concat([*moved, voice[list(VOICE.columns)]], ignore_index=True)
        if every.empty:
            return
        placed = every.merge(pairs, on="student_id", how="inner")
        for classroom_id, rows in walk_parts(placed, "classroom_id"):
            known = [self.read_voice(classroom_id), rows.drop(columns="classroom_id")]
            both = pd.concat([part for part in known if len(part)], ignore_index=True)
            both = both.sort_values("answered_on", na_position="first", kind="stable")
            merged = both.drop_duplicates(VOICE.unique, keep="last")
            merged = merged.sort_values(VOICE.unique, ignore_index=True)
            self._classroom(classroom_id)["voice"] = self._write(merged, "voice", classroom_id)

    def _save_coach_only(self, rows: pd.DataFrame | None) -> None:
        if rows is None or rows.empty:
            return
        old = self._index.get(COACH_ONLY_TABLE)
        merged = self._merge(Part(*old) if old else None, rows, COACH_ONLY)
        self._index[COACH_ONLY_TABLE] = self._write(merged, COACH_ONLY_TABLE)

    def _evidence_of(self, joined: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
        """Return what is already known of students who joined another classroom."""
        before = pairs.iloc[: len(pairs) - len(joined)]
        before = before[before["student_id"].isin(joined["student_id"])]
        parts = [
            self.evidence_part(classroom_id, window)
            for classroom_id in before["classroom_id"].unique()
            for window in self.windows
        ]
        known = self._read(parts, EVIDENCE)
        known = known[known["student_id"].isin(joined["student_id"])]
        return known.drop_duplicates(EVIDENCE.unique, ignore_index=True)

    def _order_windows(self, firsts: pd.Series) -> None:
        """Take up windows with the day of their first observation, and put them in order."""
        windows = self._index["windows"]
        for window, first in firsts.items():
            seen = [day for day in (windows.get(window), _day(first)) if day]
            windows[window] = min(seen, default="")
        in_order = sorted(windows.items(), key=lambda one: (one[1], natural_key(one[0])))
        self._index["windows"] = dict(in_order)

    def _merge(
        self, old: Part | None, rows: pd.DataFrame, contract: DataFrameSchema
    ) -> pd.DataFrame:
        """Return a part's rows with newer rows over them, in the order of their key."""
        known = [self._read([old], contract)] if old else []
        merged = pd.concat([*known, rows], ignore_index=True)
        merged = merged.drop_duplicates(contract.unique, keep="last")
        # Skills keep the order of the framework they came in; teachers know it by heart.
        if contract is SKILLS:
            return merged.reset_index(drop=True)
        return merged.sort_values(contract.unique, ignore_index=True)

    def _merged_roster(self, classroom_id: str, new: pa.Table) -> tuple[str, pa.Table]:
        known = classroom_id in self._index["classrooms"]
        old = self.roster_part(classroom_id) if known else None
        return classroom_id, self._over(old, new, ROSTER)

    def _over(
        self, old: Part | None, new: pa.Table, contract: DataFrameSchema = EVIDENCE
    ) -> pa.Table:
        """Return new rows over those a part has; where it has none, as they are."""
        if old is None:
            return new
        return _to_arrow(self._merge(old, new.to_pandas(), contract))

    def _write_all(self, name: str, tables: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
        """Write tables, each after the names of its place; give these with table and part."""
        tables = iter(tables)
        with ThreadPoolExecutor(WRITERS) as pool:
            while some := list(islice(tables, FILES_AT_ONCE)):
                parts = pool.map(lambda one: self._write(one[-1], name, *one[:-1]), some)
                yield from ((*one, part) for one, part in zip(some, parts, strict=True))

    def _write(self, table: pd.DataFrame | pa.Table, *place: str) -> list[Any]:
        """Write a table to a file of its own; return its part for the index."""
        table = _to_arrow(table) if isinstance(table, pd.DataFrame) else table
        written = io.BytesIO()
        pq.write_table(table, written)
        digest = digest_of(written.getvalue())
        name = file_name(*place, digest=digest)
        write_whole(self.folder / name, written.getvalue())
        return [name, digest, len(table)]

    def _remove_files_but(self, kept: set[str]) -> None:
        for file in self.folder.rglob("*.parquet"):
            if file.relative_to(self.folder).as_posix() not in kept:
                # Another system may hold it open; the next import removes it.
                with suppress(OSError):
                    file.unlink()

    # -- reading ------------------------------------------------------------------------

    def _framework_part(self, name: str) -> Part | None:
        part = self._index["framework"].get(name)
        return Part(*part) if part else None

    def _read(self, parts: list[Part | None], contract: DataFrameSchema) -> pd.DataFrame:
        there = [part for part in parts if part]
        return read_parts(there, contract, reader_of(self), str(self.folder))


def _day(moment: pd.Timestamp) -> str:
    return "" if pd.isna(moment) else moment.date().isoformat()


def read_parts(
    parts: Sequence[Part], contract: DataFrameSchema, read: Callable[[str], bytes], where: str
) -> pd.DataFrame:
    """Return the rows of some parts, and only if their files are what was saved.

    Parameters
    ----------
    parts
        Which; of many small ones the rows are joined before pandas sees them.
    contract
        Of the table.
    read
        Returns the content of a file of the store; nothing where it is not there.
    where
        The store, for messages.

    Raises
    ------
    DataError
        A file is missing or was changed by something else.
    """
    if not parts:
        return empty_table(contract)
    rows: pd.DataFrame = read_joined(parts, read, where).to_pandas(use_threads=False)
    return rows


def _to_arrow(table: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(table, preserve_index=False)


def _first_told(column: pa.ChunkedArray) -> str | None:
    told = column.drop_null()
    return told[0].as_py() if len(told) else None
