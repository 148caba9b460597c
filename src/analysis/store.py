"""The store: everything imported, as Parquet, one partition a classroom.

::

    store.json                         format; classroom ids and windows -> names of their files
    skills.parquet  items.parquet      the framework and the Q-matrix
    roster/<classroom>.parquet         this classroom's students only
    evidence/<classroom>/<window>.parquet
    calibration/<window>.<digest>.json made from everybody, holds no student

A report reads its own classroom's files and nothing of another's. The store is safe to
delete: importing the exports again makes the same one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandera.pandas import DataFrameSchema

from analysis.errors import DataError, UnknownError
from analysis.files import digest_of, locked, safe_name, whole_file, write_json
from analysis.skills import natural_key
from analysis.tables import EVIDENCE, ITEMS, ROSTER, SKILLS, check_table, empty_table

FORMAT = 1
MARKER = "store.json"


class Store:
    """A folder of Parquet files that meet the table contracts.

    Parameters
    ----------
    folder
        Where the store is, or will be once something is saved.

    Examples
    --------
    >>> Store(Path("nowhere")).exists
    False
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self._index_read: dict | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was saved here."""
        return (self.folder / MARKER).is_file()

    @property
    def saved_at(self) -> float:
        """When something was last saved here, in seconds since 1970."""
        return (self.folder / MARKER).stat().st_mtime

    @property
    def classroom_ids(self) -> list[str]:
        """Classrooms with a roster, in natural order."""
        return sorted(self._index["classrooms"], key=natural_key)

    @property
    def windows(self) -> list[str]:
        """Windows with evidence, in the order of their first observation, then by name."""
        return list(self._index["windows"])

    def windows_of(self, classroom_id: str) -> list[str]:
        """Return the windows in which this classroom has evidence."""
        return [w for w in self.windows if self._evidence_file(classroom_id, w).is_file()]

    def read_skills(self) -> pd.DataFrame:
        """Return the skills table."""
        return self._read(self.folder / "skills.parquet", SKILLS)

    def read_items(self) -> pd.DataFrame:
        """Return the items table."""
        return self._read(self.folder / "items.parquet", ITEMS)

    def read_roster(self, classroom_id: str | None = None) -> pd.DataFrame:
        """Return the roster of one classroom, or of all."""
        wanted = self.classroom_ids if classroom_id is None else [self._known(classroom_id)]
        return self._read_parts([self._roster_file(one) for one in wanted], ROSTER)

    def read_evidence(self, window: str, classroom_id: str | None = None) -> pd.DataFrame:
        """Return the evidence of one window, of one classroom or of all.

        An observation of a student in two classrooms comes once.

        Raises
        ------
        UnknownError
            The store has no such classroom or window.
        """
        if window not in self.windows:
            raise UnknownError.of("window", window, self.windows, str(self.folder))
        wanted = self.classroom_ids if classroom_id is None else [self._known(classroom_id)]
        evidence = self._read_parts([self._evidence_file(one, window) for one in wanted], EVIDENCE)
        return evidence.drop_duplicates(EVIDENCE.unique, ignore_index=True)

    def calibration_file(self, window: str, digest: str) -> Path:
        """Return where the calibration of a window, made from data of this digest, is kept."""
        return self.folder / "calibration" / f"{safe_name(window)}.{digest}.json"

    def digest(self, window: str, classroom_id: str | None = None) -> str:
        """Return a digest of what a report of this classroom reads, or of all evidence.

        It changes when, and only when, one of those rows or the framework changes.
        """
        wanted = self.classroom_ids if classroom_id is None else [self._known(classroom_id)]
        files = [self.folder / "skills.parquet", self.folder / "items.parquet"]
        for one in wanted:
            files += [self._roster_file(one), self._evidence_file(one, window)]
        return digest_of(*(file.read_bytes() if file.is_file() else b"" for file in files))

    def save(
        self,
        *,
        roster: pd.DataFrame | None = None,
        skills: pd.DataFrame | None = None,
        items: pd.DataFrame | None = None,
        evidence: pd.DataFrame | None = None,
    ) -> None:
        """Add tables to the store; a row with a known key takes the place of the old one.

        A student's evidence stands in every classroom the student is in, also when the
        second classroom is learnt of later.

        Raises
        ------
        DataError
            A table breaks its contract, or evidence is of a student on no roster.
        LockedError
            Another run is saving here.
        """
        with locked(self.folder, "saving"):
            self._merge_file(self.folder / "skills.parquet", skills, SKILLS)
            self._merge_file(self.folder / "items.parquet", items, ITEMS)
            joined = self._save_roster(roster)
            self._save_evidence(evidence, joined)
            self._write_index()

    # -- writing ------------------------------------------------------------------------

    def _save_roster(self, roster: pd.DataFrame | None) -> pd.DataFrame:
        """Save roster rows; return the (student, classroom) pairs that are new."""
        if roster is None or roster.empty:
            return empty_table(ROSTER)
        roster = check_table(roster, ROSTER, "the roster")
        known = self.read_roster() if self.exists else empty_table(ROSTER)
        pairs = roster.merge(known[ROSTER.unique], how="left", on=ROSTER.unique, indicator=True)
        for classroom_id, rows in roster.groupby("classroom_id", sort=True):
            self._merge_file(self._roster_file(classroom_id), rows, ROSTER)
        self._write_index(roster["classroom_id"])
        return pairs.loc[pairs["_merge"] == "left_only", ROSTER.unique]

    def _save_evidence(self, evidence: pd.DataFrame | None, joined: pd.DataFrame) -> None:
        evidence = empty_table(EVIDENCE) if evidence is None else evidence
        evidence = check_table(evidence, EVIDENCE, "the evidence")[list(EVIDENCE.columns)]
        earlier = self._evidence_of(joined["student_id"]) if self.windows else evidence.iloc[:0]
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
        for (classroom_id, window), rows in placed.groupby(["classroom_id", "window"], sort=True):
            file = self._evidence_file(classroom_id, window)
            self._merge_file(file, rows.drop(columns="classroom_id"), EVIDENCE)
        firsts = evidence.groupby("window")["observed_on"].min()
        self._write_index(windows=firsts)

    def _evidence_of(self, student_ids: pd.Series) -> pd.DataFrame:
        """Return what is already known of students who joined another classroom."""
        wanted = set(student_ids)
        known = [self.read_evidence(window) for window in self.windows] if wanted else []
        parts = [part[part["student_id"].isin(wanted)] for part in known]
        return pd.concat([empty_table(EVIDENCE), *parts], ignore_index=True)

    def _merge_file(self, file: Path, rows: pd.DataFrame | None, contract: DataFrameSchema) -> None:
        """Write rows into a file, in the order of their key, newer rows over older ones."""
        if rows is None or (rows.empty and file.is_file()):
            return
        old = [pd.read_parquet(file)] if file.is_file() else []
        merged = pd.concat([*old, rows], ignore_index=True)
        merged = merged.drop_duplicates(contract.unique, keep="last")
        # Skills keep the order of the framework they came in; teachers know it by heart.
        if contract is not SKILLS:
            merged = merged.sort_values(contract.unique, ignore_index=True)
        with whole_file(file) as part:
            pq.write_table(pa.Table.from_pandas(merged, preserve_index=False), part)

    def _write_index(self, classrooms=(), windows: pd.Series | None = None) -> None:
        index = self._index if self.exists else {"format": FORMAT, "classrooms": {}, "windows": {}}
        index["classrooms"] |= {one: safe_name(one) for one in classrooms}
        for window, first in (windows if windows is not None else pd.Series()).items():
            seen = [d for d in (index["windows"].get(window), _day(first)) if d]
            index["windows"][window] = min(seen, default="")
        order = sorted(index["windows"].items(), key=lambda one: (one[1], natural_key(one[0])))
        index["windows"] = [list(pair) for pair in order]
        write_json(self.folder / MARKER, index)
        self._index_read = None

    # -- reading ------------------------------------------------------------------------

    @property
    def _index(self) -> dict:
        if self._index_read is None:
            self._index_read = self._read_index()
        return self._index_read

    def _read_index(self) -> dict:
        if not self.exists:
            raise DataError(
                f"{self.folder} holds no store yet.\n"
                f"Import exports first: coach import FOLDER --store {self.folder}"
            )
        index = json.loads((self.folder / MARKER).read_text(encoding="utf-8"))
        if index.get("format") != FORMAT:
            raise DataError(
                f"{self.folder} was written by another version (format {index.get('format')}).\n"
                "Delete the folder and import the exports again."
            )
        return index | {"windows": dict(index["windows"])}

    def _known(self, classroom_id: str) -> str:
        if classroom_id not in self._index["classrooms"]:
            raise UnknownError.of("classroom", classroom_id, self.classroom_ids, str(self.folder))
        return classroom_id

    def _roster_file(self, classroom_id: str) -> Path:
        return self.folder / "roster" / f"{safe_name(classroom_id)}.parquet"

    def _evidence_file(self, classroom_id: str, window: str) -> Path:
        return self.folder / "evidence" / safe_name(classroom_id) / f"{safe_name(window)}.parquet"

    def _read_parts(self, files: list[Path], contract: DataFrameSchema) -> pd.DataFrame:
        parts = [pd.read_parquet(file) for file in files if file.is_file()]
        return pd.concat(parts, ignore_index=True) if parts else empty_table(contract)

    def _read(self, file: Path, contract: DataFrameSchema) -> pd.DataFrame:
        return self._read_parts([file], contract)


def _day(moment: pd.Timestamp) -> str:
    return "" if pd.isna(moment) else moment.date().isoformat()
