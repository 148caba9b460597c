"""Where plans are kept: one readable file a classroom and window, beside the store."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from analysis.errors import DataError, UsageError, join_faults
from analysis.files import digest_of, safe_name, write_whole
from analysis.plans.history import History
from analysis.plans.plan import Plan

FOLDER = "plans"
HEAD = """\
# What teacher and coach decided about this classroom's groups. The last [[versions]] is in
# force. You may change this file by hand; the reports follow it from their next run.
"""


def plan_file(store: Path, classroom_id: str, window: str) -> Path:
    """Return where a classroom's plan is kept: beside the store, which is safe to delete.

    Examples
    --------
    >>> plan_file(Path("data/store"), "7A", "fall").as_posix()
    'data/plans/7a-dedba776/fall-2dc46af1.toml'
    """
    return Path(store).parent / FOLDER / safe_name(classroom_id) / f"{safe_name(window)}.toml"


def read_plan(store: Path, classroom_id: str, window: str) -> History:
    """Return a classroom's plan with its versions; empty where nothing was decided.

    Parameters
    ----------
    store
        Folder of the store.
    classroom_id, window
        Whose plan, and for when.

    Raises
    ------
    DataError
        The file is no TOML, is another classroom's, or says what cannot be said; each fault
        is named by its place.
    """
    file = plan_file(store, classroom_id, window)
    if not file.is_file():
        return History(classroom_id=classroom_id, window=window)
    try:
        history = History(**tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{file} is not valid TOML: {error}\nCorrect that line.") from None
    except ValidationError as error:
        faults = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        mend = f"Correct {file}, or delete it to leave the groups to the method."
        raise DataError(f"The plan of classroom {classroom_id}: {join_faults(faults)}\n{mend}") \
            from None  # fmt: skip
    if (history.classroom_id, history.window) != (classroom_id, window):
        raise DataError(
            f"{file} is the plan of classroom {history.classroom_id} in {history.window}.\n"
            "Put it back where it belongs, or delete it."
        )
    return history


def save_plan(
    store: Path,
    known: History,
    plan: Plan,
    *,
    by: str,
    why: str,
    decided_on: datetime | None = None,
) -> History:
    """Add a version to a classroom's plan and put it in force.

    Parameters
    ----------
    store
        Folder of the store.
    known
        The history the decision was made on.
    plan
        What is decided.
    by, why
        Who, and why in a sentence.
    decided_on
        When; now, where it is not given.

    Returns
    -------
    History
        With the new version.

    Raises
    ------
    UsageError
        Nobody, or no reason, is named; or somebody has saved another version meanwhile.
    """
    by, why = by.strip(), why.strip()
    if not by or not why:
        raise UsageError("Say who decides and why, so that the next reader knows.")
    if read_plan(store, known.classroom_id, known.window) != known:
        raise UsageError(
            f"Somebody has changed the plan of classroom {known.classroom_id} meanwhile.\n"
            "Open the classroom again and decide on what is there now."
        )
    try:
        history = known.with_version(plan, by=by, why=why, decided_on=decided_on)
    except ValidationError as error:
        faults = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise UsageError(join_faults(faults)) from None
    content = history.model_dump(mode="python", exclude_defaults=True, exclude_none=True)
    file = plan_file(store, known.classroom_id, known.window)
    write_whole(file, HEAD + tomli_w.dumps(content, multiline_strings=False))
    return read_plan(store, known.classroom_id, known.window)


def plan_digest(store: Path, classroom_ids: Sequence[str], window: str) -> str:
    """Return a digest of what the plans of some classrooms say; empty where there is none."""
    contents = read_contents(store, classroom_ids, window)
    return digest_of(*(part for one in contents.items() for part in (one[0].encode(), one[1]))) \
        if contents else ""  # fmt: skip


def read_contents(store: Path, classroom_ids: Sequence[str], window: str) -> dict[str, bytes]:
    """Return the plans' files as they are, by classroom; only those that are there."""
    if not (Path(store).parent / FOLDER).is_dir():  # nobody has decided anything yet
        return {}
    files = {one: plan_file(store, one, window) for one in classroom_ids}
    return {one: file.read_bytes() for one, file in files.items() if file.is_file()}


def _place(loc: tuple[Any, ...]) -> str:
    """Return where in the file a fault is, counting versions and rows from 1."""
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in loc)
