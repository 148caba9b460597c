"""Is a report still right? Everything it was made from, as digests, and what differs.

The rule is that of R's targets: a report is made again when, and only when, something it
was made from has changed. No table is read for it: the store keeps a digest of each.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from analysis.files import digest_of
from analysis.settings import PageParameters
from analysis.store.calibrations import calibration_in_force
from analysis.store.index import StoreIndex

DRAWS_AND_COMPUTES = [
    "pandas", "numpy", "scipy", "scikit-learn", "matplotlib", "babel", "jinja2", "nbconvert",
    "papermill",
]  # fmt: skip
"""Packages whose version can change a page."""

WORDS = {
    "parameters": "its parameters changed",
    "data": "its students' data changed",
    "plan": "the teacher's plan changed",
    "calibration": "the calibration, made from the data of all classrooms, changed",
    "notebook": "the notebook changed",
    "package": "the analysis package changed",
    "versions": "a library changed",
}

Key = dict[str, str]


def shared_key(index: StoreIndex, window: str, notebook: Path) -> Key:
    """Return the digests of what all reports of a window are made from.

    Parameters
    ----------
    index
        Its calibrations in force count: this window's, and those of the windows before,
        which reports look back on.
    window
        Assessment window.
    notebook
        Its source.
    """
    in_force = [calibration_in_force(index, one) for one in index.windows_until(window)]
    calibrations = [one.digest.encode() if one else b"" for one in in_force]
    source = notebook.read_bytes() if notebook.is_file() else b""
    return {
        "calibration": digest_of(*calibrations)[:16],
        "notebook": digest_of(source)[:16],
        "package": package_digest(),
        "versions": versions_digest(),
    }


def page_key(parameters: PageParameters, data: str, plan: str, shared: Key) -> Key:
    """Return the digests of everything one page is made from.

    Parameters
    ----------
    parameters
        Of the page.
    data
        Digest of the rows it shows: its classrooms', no other classroom's.
    plan
        Digest of what their teachers decided; empty where nothing was.
    shared
        Of :func:`shared_key`.

    Returns
    -------
    dict of str to str
        A digest for each name of :data:`WORDS`.
    """
    asked = parameters.model_dump(exclude={"data_dir"})
    return {
        "parameters": digest_of(json.dumps(asked, sort_keys=True).encode())[:16],
        "data": data[:16],
        "plan": plan[:16],
        **shared,
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
    named = [
        f"python=={python_version()}",
        *(f"{name}=={version(name)}" for name in DRAWS_AND_COMPUTES),
    ]
    return digest_of(*(name.encode() for name in named))[:16]
