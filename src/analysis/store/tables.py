"""Reading and saving the tables of a store."""

from __future__ import annotations

import copy
import io
from contextlib import suppress
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pandera.pandas import DataFrameSchema

from analysis.errors import DataError
from analysis.files import digest_of, locked, natural_key, write_json, write_whole
from analysis.rows import walk_parts
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

    def read_people(self) -> pd.DataFrame:
        """Return who is in which classroom, of all: ids and names, nothing else.

        Only the process that publishes may ask; one that makes a report may not.
        """
        columns = ["student_id", "classroom_id", "display_name", "teacher"]
        parts = ds.dataset(self.folder / "roster", format="parquet")
        people: pd.DataFrame = parts.to_table(columns=columns).to_pandas()
        return people

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
        evidence: pd.DataFrame | None = None,
        voice: pd.DataFrame | None = None,
        coach_only: pd.DataFrame | None = None,
    ) -> None:
        """Add tables to the store; a row with a known key takes the place of the old one.

        A student's evidence stands in every classroom the student is in, also when the
        second classroom is learnt of later. All of it is in force at once, or none.

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
                joined = self._save_roster(roster)
                self._save_evidence(evidence, joined)
                self._save_voice(voice, joined)
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

    def _save_roster(self, roster: pd.DataFrame | None) -> pd.DataFrame:
        """Save roster rows; return the (student, classroom) pairs that are new."""
        if roster is None or roster.empty:
            return empty_table(ROSTER)
        roster = check_table(roster, ROSTER, "the roster")
        known = self.read_roster()[ROSTER.unique]
        pairs = roster.merge(known, how="left", on=ROSTER.unique, indicator=True)
        for classroom_id, rows in walk_parts(roster, "classroom_id"):
            new = classroom_id not in self._index["classrooms"]
            old = None if new else self.roster_part(classroom_id)
            classroom = {"evidence": {}} if new else self._classroom(classroom_id)
            merged = self._merge(old, rows, ROSTER)
            classroom["roster"] = self._write(merged, "roster", classroom_id)
            classroom["coach_id"] = next(iter(merged["coach_id"].dropna()), None)
            classroom["about"] = {c: next(iter(merged[c].dropna()), None) for c in ABOUT}
            self._index["classrooms"][classroom_id] = classroom
        is_new = (pairs["_merge"] == "left_only").to_numpy()
        return pairs[list(known.columns)][is_new]

    def _save_evidence(self, evidence: pd.DataFrame | None, joined: pd.DataFrame) -> None:
        evidence = empty_table(EVIDENCE) if evidence is None else evidence
        evidence = check_table(evidence, EVIDENCE, "the evidence")[list(EVIDENCE.columns)]
        earlier = self._evidence_of(joined["student_id"])
        evidence = pd.concat([earlier, evidence]).drop_duplicates(EVIDENCE.unique, keep="last")
        placed = evidence.merge(
            self.read_roster()[ROSTER.unique], on="student_id", how="left", validate="m:m"
        )
        homeless = placed.loc[placed["classroom_id"].isna(), "student_id"].unique()
        if len(homeless):
            raise DataError.of_faults(
                "the evidence",
                [f"student {student_id} is on no roster" for student_id in homeless],
                "Import a roster with these students first, or correct their ids.",
            )
        for (classroom_id, window), rows in walk_parts(placed, ["classroom_id", "window"]):
            old = self.evidence_part(classroom_id, window)
            merged = self._merge(old, rows.drop(columns="classroom_id"), EVIDENCE)
            part = self._write(merged, "evidence", classroom_id, window)
            self._classroom(classroom_id)["evidence"][window] = part
        self._order_windows(evidence.groupby("window")["observed_on"].min())

    def _save_voice(self, voice: pd.DataFrame | None, joined: pd.DataFrame) -> None:
        """Save what students say in each of their classrooms; the later answer counts."""
        voice = empty_table(VOICE) if voice is None else check_table(voice, VOICE, "the voice form")
        earlier = [self.read_voice(one) for one in self.classroom_ids] if len(joined) else []
        moved = [part[part["student_id"].isin(joined["student_id"])] for part in earlier]
        every = pd.concat([*moved, voice[list(VOICE.columns)]], ignore_index=True)
        placed = every.merge(self.read_roster()[ROSTER.unique], on="student_id", how="inner")
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

    def _evidence_of(self, student_ids: pd.Series) -> pd.DataFrame:
        """Return what is already known of students who joined another classroom."""
        wanted = set(student_ids)
        known = [self.read_evidence(window) for window in self.windows] if wanted else []
        parts = [part[part["student_id"].isin(wanted)] for part in known]
        return pd.concat([empty_table(EVIDENCE), *parts], ignore_index=True)

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

    def _write(self, table: pd.DataFrame, *place: str) -> list[Any]:
        """Write a table to a file of its own; return its part for the index."""
        written = io.BytesIO()
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), written)
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
        tables = [_read_parquet(self._bytes_of(part)) for part in parts if part]
        if len(tables) == 1:
            return tables[0]
        return pd.concat(tables, ignore_index=True) if tables else empty_table(contract)

    def _bytes_of(self, part: Part) -> bytes:
        """Return a file's content, and only if it is what was saved."""
        file = self.folder / part.file
        content = file.read_bytes() if file.is_file() else b""
        if digest_of(content) != part.digest:
            raise DataError(
                f"{file} is missing or is not what was saved there.\n"
                "If an import has run meanwhile, try again; else import the exports again."
            )
        return content


def _read_parquet(content: bytes) -> pd.DataFrame:
    # A file of a few pages: threads, and the machinery for many files, only cost time.
    file = pq.ParquetFile(pa.BufferReader(content))
    table: pd.DataFrame = file.read(use_threads=False).to_pandas(use_threads=False)
    return table


def _day(moment: pd.Timestamp) -> str:
    return "" if pd.isna(moment) else moment.date().isoformat()
