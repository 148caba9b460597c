"""Which calibration is in force, and how much of its evidence has changed since.

One classroom's new scores hardly change what everybody's answers say about items. So a
calibration stays in force until a stated share of its evidence has changed, and until
then a changed classroom's report is the only one that is made again.

::

    calibration/<window>.<digest>.json   a calibration, named by its content
    calibration/<window>.json            the one in force, and what it was made from
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from analysis.files import digest_of, locked, make_private_folder, safe_name, write_json
from analysis.store.index import StoreIndex

MOST_CHANGED = 0.05
"""Share of its evidence that may change before a calibration is made anew. Had that share
been missing altogether, an item's standard errors would be a fortieth larger."""


@dataclass(frozen=True)
class InForce:
    """The calibration of a window that reports use now.

    Parameters
    ----------
    file
        Name of its file.
    digest
        Of its content.
    made_on
        Day it was made (UTC).
    framework
        Digest of skills and items it was made from.
    method
        Digest of the source of what made it.
    classrooms
        For each classroom it was made from: digest of roster and evidence, and the number
        of rows of evidence.
    """

    file: str
    digest: str
    made_on: str
    framework: str
    method: str
    classrooms: dict[str, list[Any]]


def calibration_in_force(index: StoreIndex, window: str) -> InForce | None:
    """Return the calibration of a window that is in force, or none."""
    record = _record(index, window)
    if not record.is_file():
        return None
    in_force = InForce(**json.loads(record.read_text(encoding="utf-8")))
    return in_force if (record.parent / in_force.file).is_file() else None


def calibration_path(index: StoreIndex, in_force: InForce) -> Path:
    """Return where a calibration is kept."""
    return _folder(index) / in_force.file


def calibrations_in_force(index: StoreIndex, windows: Iterable[str]) -> list[Path]:
    """Return the files of the calibrations of these windows that are in force."""
    known = (calibration_in_force(index, window) for window in windows)
    return [calibration_path(index, one).resolve() for one in known if one is not None]


def share_changed(index: StoreIndex, window: str, in_force: InForce) -> float:
    """Return the share (0 to 1) of evidence that changed since the calibration was made.

    Rows of classrooms whose roster or evidence is another, of new ones and of those gone,
    of all rows there were or are. One, when the framework or the method is another.
    """
    if in_force.framework != index.framework_digest() or in_force.method != method_digest():
        return 1.0
    now = _classrooms(index, window)
    then = in_force.classrooms
    changed = classrooms_changed(index, window, in_force)
    rows = {one: max(now.get(one, [0, 0])[1], then.get(one, [0, 0])[1]) for one in {*now, *then}}
    total = sum(rows.values())
    return sum(rows[one] for one in changed) / total if total else 1.0


def classrooms_changed(index: StoreIndex, window: str, in_force: InForce) -> set[str]:
    """Return the classrooms that have another roster or evidence than when it was made."""
    now, then = _classrooms(index, window), in_force.classrooms
    return {one for one in {*now, *then} if now.get(one) != then.get(one)}


def calibration_is_due(index: StoreIndex, window: str, most_changed: float = MOST_CHANGED) -> bool:
    """Say whether a window has no calibration or one whose evidence changed too much."""
    in_force = calibration_in_force(index, window)
    return in_force is None or share_changed(index, window, in_force) > most_changed


def calibration_knows(index: StoreIndex, window: str, in_force: InForce) -> bool:
    """Say whether a calibration knows every observation of its window.

    Only classrooms that changed since it was made are read.
    """
    # Loaded when something has changed: a run that finds nothing to do need not wait for it.
    from analysis.store.parts import read_joined, reader_of

    content = json.loads(calibration_path(index, in_force).read_text(encoding="utf-8"))
    known = {tuple(item) for item in content["items"]}
    changed = classrooms_changed(index, window, in_force) & set(index.classroom_ids)
    parts = [part for one in sorted(changed) if (part := index.evidence_part(one, window))]
    if not parts:
        return True
    columns = ["source", "observation_id"]
    rows = read_joined(parts, reader_of(index), str(index.folder), columns)
    return known.issuperset(zip(*(rows[name].to_pylist() for name in columns), strict=True))


def put_in_force(index: StoreIndex, window: str, made: Path) -> InForce:
    """Put a calibration that was just made in force; remove the window's older ones.

    Parameters
    ----------
    made
        Its file, which is renamed. The caller holds :func:`hold_calibrations`.
    """
    digest = digest_of(made.read_bytes())
    file = _folder(index) / f"{safe_name(window)}.{digest[:12]}.json"
    made.replace(file)
    in_force = InForce(
        file=file.name,
        digest=digest,
        made_on=datetime.now(UTC).date().isoformat(),
        framework=index.framework_digest(),
        method=method_digest(),
        classrooms=_classrooms(index, window),
    )
    write_json(_record(index, window), asdict(in_force))
    for other in file.parent.glob(f"{safe_name(window)}.*.json"):
        if other != file:
            other.unlink()
    return in_force


def keep_in_force(index: StoreIndex, window: str) -> None:
    """Say that a calibration holds for the rosters as they are now.

    For a copy of a store in which nothing but names has changed.
    """
    in_force = calibration_in_force(index, window)
    if in_force is not None:
        as_now = replace(in_force, classrooms=_classrooms(index, window))
        write_json(_record(index, window), asdict(as_now))


@cache
def method_digest() -> str:
    """Return a digest of the source that calibrates; a new version calibrates anew."""
    folder = Path(__file__).parents[1] / "mastery"
    return digest_of(*(file.read_bytes() for file in sorted(folder.glob("*.py"))))[:16]


@contextmanager
def hold_calibrations(index: StoreIndex) -> Iterator[Path]:
    """Let nobody else put a calibration in force meanwhile; give their folder.

    Raises
    ------
    LockedError
        Another run makes calibrations, or reports with those in force.
    """
    with locked(_folder(index), "at work with the calibration"):
        yield _folder(index)


def _classrooms(index: StoreIndex, window: str) -> dict[str, list[Any]]:
    parts = {one: index.evidence_part(one, window) for one in index.classroom_ids}
    return {
        one: [digest_of(index.roster_part(one).digest.encode(), part.digest.encode()), part.rows]
        for one, part in parts.items()
        if part
    }


def _folder(index: StoreIndex) -> Path:
    return make_private_folder(index.folder / "calibration")


def _record(index: StoreIndex, window: str) -> Path:
    return index.folder / "calibration" / f"{safe_name(window)}.json"
