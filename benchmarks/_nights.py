"""Exports that arrive night after night, in several forms, and what can go wrong with them."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import random
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from analysis.simulation import WINDOWS, simulate_district

FAULTS = ["corrupt", "missing", "late", "half", "full", "killed", "clock", "overlap",
          "again", "corrected"]  # fmt: skip
PARTS = 5
"""Deliveries of one classroom in one window."""


@dataclass(frozen=True)
class Delivery:
    """One file as it should arrive.

    ``rows`` holds what is in it: student_id, item_id, points, window.
    """

    classroom: str
    name: str
    content: bytes
    rows: pd.DataFrame


class Exports:
    """What four classrooms export over 30 nights: each every second night, in its own form."""

    def __init__(self, seed: int):
        self.district = simulate_district(4, random_state=seed)
        self.possible = self.district.items.groupby("item_id")["points_possible"].first()
        self.classrooms = sorted(self.district.roster["classroom_id"].unique())
        self.forms = dict(zip(self.classrooms, ["csv", "xlsx", "tidy", "zip"], strict=True))

    def reference_files(self) -> dict[str, bytes]:
        """Return roster, skills and items, which come on the first night."""
        tables = {
            "roster": self.district.roster, "skills": self.district.skills,
            "items": self.district.items,
        }  # fmt: skip
        return {f"{name}.csv": table.to_csv(index=False).encode() for name, table in tables.items()}

    def due(self, night: int) -> list[Delivery]:
        """Return what should arrive on a night, from 0 on."""
        step = night // 2
        if step >= PARTS * len(WINDOWS):
            return []
        window, part = WINDOWS[step // PARTS], step % PARTS
        wanted = [one for n, one in enumerate(self.classrooms) if n % 2 == night % 2]
        return [self.make(one, window, part) for one in wanted]

    def make(self, classroom: str, window: str, part: int, turned: bool = False) -> Delivery:
        """Make one delivery; ``turned``: one answer is another than before."""
        wide = self.district.responses[window]
        wide = wide[wide["classroom_id"] == classroom]
        asked = [one for one in wide.columns[4:] if wide[one].notna().any()]
        wide = wide[[*wide.columns[:4], *asked[part::PARTS]]].reset_index(drop=True)
        if turned:
            column = wide.columns[4]
            place = wide[column].first_valid_index()
            wide.loc[place, column] = self.possible[column] - wide.loc[place, column]
        long = wide.melt(list(wide.columns[:4]), var_name="item_id", value_name="points")
        long = long.dropna(subset="points")
        long["points_possible"] = long["item_id"].map(self.possible)
        form = self.forms[classroom]
        ending = {"csv": "csv", "xlsx": "xlsx", "tidy": "csv", "zip": "zip"}[form]
        name = f"{classroom}/{window}-{part}.{ending}"
        rows = long[["student_id", "item_id", "points", "window"]]
        return Delivery(classroom, name, _written(form, name, wide, long), rows)


def _written(form: str, name: str, wide: pd.DataFrame, long: pd.DataFrame) -> bytes:
    if form == "tidy":
        return long.to_csv(index=False, sep=";").encode("utf-16")
    if form == "xlsx":
        book = io.BytesIO()
        wide.to_excel(book, index=False, engine="xlsxwriter")
        return book.getvalue()
    text = wide.to_csv(index=False, lineterminator="\r\n", sep="\t" if form == "zip" else ",")
    if form == "csv":
        return text.encode("utf-8-sig")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(Path(name).stem + "-export.tsv", text)
    return packed.getvalue()


def spoil(delivery: Delivery, choice: int) -> bytes:
    """Return a file's content as it comes out of trouble."""
    if choice == 0:
        return b""
    if choice == 1:
        return b"\x1f\x8b\x08\x00" + delivery.content
    if delivery.name.endswith((".xlsx", ".zip")):
        return delivery.content[: len(delivery.content) // 2]
    encoding = "utf-16" if delivery.content[:2] == b"\xff\xfe" else "utf-8-sig"
    lines = delivery.content.decode(encoding).splitlines()
    separator = ";" if ";" in lines[0] else ","
    cut = separator.join(lines[-1].split(separator)[:2])
    return "\r\n".join([*lines[:-1], cut]).encode(encoding)


@contextlib.contextmanager
def own_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Give a folder a small disk of its own where this account may; tell whether it has one."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
    try:
        has_one = subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except OSError:
        has_one = False
    try:
        yield has_one
    finally:
        if has_one:
            subprocess.run(["umount", "-l", str(folder)], check=False)


@contextlib.contextmanager
def full_disk(folder: Path, left: int) -> Iterator[None]:
    """Fill a folder's disk but for some bytes."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(2**20))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(max(0, file.tell() - left))
    try:
        yield
    finally:
        ballast.unlink()


def put(inbox: Path, name: str, content: bytes, changed_at: datetime) -> None:
    """Deliver a file, dated as the sender's clock has it."""
    file = inbox / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (changed_at.timestamp(),) * 2)


def plan_faults(nights: int, rng: random.Random) -> list[list[str]]:
    """Return the faults of each night: every kind in turn, then at random; some nights none."""
    every = list(FAULTS)
    rng.shuffle(every)
    plan = []
    for night in range(nights):
        if night == 0:
            plan.append([])
        elif every:
            plan.append([every.pop(), *([every.pop()] if every and rng.random() < 0.4 else [])])
        else:
            plan.append(rng.sample(FAULTS, rng.choice([0, 1, 1, 2, 2, 3])))
    return [_possible_together(faults) for faults in plan]


def _possible_together(faults: list[str]) -> list[str]:
    """Return faults of one night of which at most one says how the run itself goes."""
    ways = [one for one in faults if one in {"full", "killed", "overlap"}]
    return [one for one in faults if one not in ways[1:]]
