"""Whether the programs are there: Python, packages as they were tested, fonts, a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from analysis.doctor.check import Check, good, look, must_mend

OLDEST_PYTHON = (3, 11)
PROJECT = Path(__file__).parents[3]
"""The project's folder where the package was not copied elsewhere."""
DISTRIBUTION = "coachs-notebook"
MOST_NAMED = 5
INSTALL = "In the project's folder: pip install -e ."
INSTALL_LOCKED = "In the project's folder: pip install --require-hashes -r requirements.lock"
SCRIPTS = {"Chinese": "zh", "Arabic": "ar", "Hindi": "hi", "emoji": "und-zsye"}
"""Scripts that names come in and that a bare computer has no font for, as fontconfig says them."""


def check_python(running: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Look at the Python that runs this."""
    shown = ".".join(map(str, running))
    if running < OLDEST_PYTHON:
        return must_mend(
            "python", f"Python is {shown}; 3.11 or newer is needed.",
            "Make the environment anew with a newer Python: make PYTHON=python3.12 env",
        )  # fmt: skip
    return good("python", f"Python {shown} at {sys.executable}.")


def check_packages(wanted: Iterable[str] | None = None, lock: str | None = None) -> Check:
    """Look whether packages are there, as new as needed, and those that were tested.

    Parameters
    ----------
    wanted
        Requirements, as in ``pandas>=3.0``; ``None``: the project's own.
    lock
        Text of the list of tested versions; ``None``: the project's own, where it is there.
    """
    wanted = project_requirements() if wanted is None else wanted
    faults = [fault for one in wanted if (fault := _fault_of(one))]
    if faults:
        return must_mend("packages", f"{_few(faults)}.", INSTALL)
    file = PROJECT / "requirements.lock"
    lock = (file.read_text(encoding="utf-8") if file.is_file() else "") if lock is None else lock
    others = sorted(_others_than(lock))
    if others:
        return look(
            "packages",
            f"All packages are there, but not as they were tested: {_few(others)}.",
            f"Nothing has to be wrong. To have what was tested: {INSTALL_LOCKED}",
        )
    return good("packages", "All packages are there" + (", as they were tested." if lock else "."))


def project_requirements() -> list[str]:
    """Return what the package needs, from the project or from what was installed."""
    file = PROJECT / "pyproject.toml"
    if file.is_file():
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        return [str(one) for one in project["dependencies"]]
    try:
        return [one for one in requires(DISTRIBUTION) or [] if "extra ==" not in one]
    except PackageNotFoundError:
        return []


def _fault_of(wanted: str) -> str | None:
    requirement = Requirement(wanted)
    if requirement.marker and not requirement.marker.evaluate():
        return None
    found = _version(requirement.name)
    if found is None:
        return f"{requirement.name} is missing"
    if found not in requirement.specifier:
        return f"{requirement.name} is {found} and must be {requirement.specifier}"
    return None


def _others_than(lock: str) -> Iterable[str]:
    """Give the packages that are here in another version than the tested one."""
    for line in re.findall(r"^([A-Za-z0-9][^\\\n]*?)\s*\\?$", lock, re.M):
        try:
            pinned = Requirement(line)
        except InvalidRequirement:
            continue
        if pinned.marker and not pinned.marker.evaluate():
            continue
        found = _version(pinned.name)
        if found is not None and found not in pinned.specifier:
            yield f"{pinned.name} is {found}, tested was {str(pinned.specifier).lstrip('=')}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _few(faults: list[str]) -> str:
    more = f" and {len(faults) - MOST_NAMED} more" if len(faults) > MOST_NAMED else ""
    return ", ".join(faults[:MOST_NAMED]) + more


def check_fonts() -> Check:
    """Look for fonts: for charts, and for names in other scripts when pages are printed."""
    from analysis.theme import first_font

    font = first_font()
    if font is None:
        return must_mend(
            "fonts", "None of the fonts of our charts is here.",
            "Install one; on Debian: apt-get install fonts-dejavu-core",
        )  # fmt: skip
    found = shutil.which("fc-list")
    if found is None:
        return good("fonts", f"Charts are drawn in {font}.")
    without = [script for script, code in SCRIPTS.items() if not _has_font_for(found, code)]
    if without:
        return look(
            "fonts",
            f"Charts are drawn in {font}. On a PDF made here, names in these scripts would be "
            f"boxes: {', '.join(without)}.",
            "If you print such names; on Debian: apt-get install fonts-noto-core fonts-noto-cjk "
            "fonts-noto-color-emoji. Pages themselves are not touched: each reader's own "
            "computer draws them.",
        )
    return good("fonts", f"Charts are drawn in {font}; there are fonts for names in many scripts.")


def _has_font_for(fc_list: str, code: str) -> bool:
    done = subprocess.run(
        [fc_list, f":lang={code}"], capture_output=True, text=True, timeout=30, check=False
    )
    return bool(done.stdout.strip())


def check_browser() -> Check:
    """Look for a browser, which only PDFs need."""
    from analysis.errors import UsageError
    from analysis.rendering.printing import find_browser

    try:
        return good("browser", f"PDFs are printed by {find_browser()}.")
    except UsageError:
        return look(
            "browser", "There is no Chromium or Chrome; only --pdf needs one.",
            "If you want PDFs; on Debian: apt-get install chromium",
        )  # fmt: skip
