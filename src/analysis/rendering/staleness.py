"""Is a report still right? Everything it was made from, as digests, and what differs.

The rule is that of R's targets: a report is made again when, and only when, something it
was made from has changed.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from pathlib import Path

from analysis.district import calibration_file
from analysis.files import digest_of
from analysis.settings import ReportParameters
from analysis.store import Store

DRAWS_AND_COMPUTES = [
    "pandas", "numpy", "scipy", "scikit-learn", "matplotlib", "jinja2", "nbconvert", "papermill",
]  # fmt: skip
"""Packages whose version can change a page."""

WORDS = {
    "parameters": "its parameters changed",
    "data": "its students' data changed",
    "calibration": "the data of all classrooms, on which numbers are calibrated, changed",
    "notebook": "the notebook changed",
    "package": "the analysis package changed",
    "versions": "a library changed",
}

Key = dict[str, str]


def report_key(parameters: ReportParameters, store: Store, notebook: Path) -> Key:
    """Return the digests of everything a report is made from.

    Parameters
    ----------
    parameters
        Of the report.
    store
        Its classroom's rows count, and the calibration it uses; no other classroom's.
    notebook
        Its source.

    Returns
    -------
    dict of str to str
        A digest for each name of :data:`WORDS`.
    """
    asked = parameters.model_dump(exclude={"data_dir"})
    window = parameters.window
    return {
        "parameters": digest_of(json.dumps(asked, sort_keys=True).encode())[:16],
        "data": store.digest(window, parameters.classroom_id)[:16],
        "calibration": calibration_file(store, window).name.split(".")[-2],
        "notebook": digest_of(notebook.read_bytes())[:16],
        "package": package_digest(),
        "versions": versions_digest(),
    }


def why_stale(made: Key | None, now: Key) -> list[str]:
    """Return the reasons to make a report again; none when it is still right.

    Examples
    --------
    >>> why_stale({"data": "1", "notebook": "a"}, {"data": "2", "notebook": "a"})
    ["its students' data changed"]
    >>> why_stale(None, {"data": "2"})
    ['there is no report yet']
    """
    if made is None:
        return ["there is no report yet"]
    return [WORDS[part] for part, digest in now.items() if made.get(part) != digest]


@cache
def package_digest() -> str:
    """Return the digest of this package's source and templates."""
    package = Path(__file__).parents[1]
    kinds = {".py", ".j2", ".json", ".toml", ".po"}
    files = sorted(file for file in package.rglob("*") if file.suffix in kinds)
    parts = [part for f in files for part in (str(f.relative_to(package)).encode(), f.read_bytes())]
    return digest_of(*parts)[:16]


@cache
def versions_digest() -> str:
    """Return the digest of the versions of what draws and computes."""
    return digest_of(*(f"{name}=={version(name)}".encode() for name in DRAWS_AND_COMPUTES))[:16]
