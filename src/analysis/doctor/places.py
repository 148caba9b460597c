"""Whether reports can be written where they should be, and read by nobody else."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from analysis.doctor.check import Check, good, look, must_mend

MEGABYTE = 2**20
LEAST_FREE = 200 * MEGABYTE
"""A run needs room for temporary files, however small its pages."""
EDITIONS_AHEAD = 10
"""Editions that should still fit: two school weeks in which nobody looks."""
README = "README.md"
"""Comes with the project and says nothing of anybody."""
MODES = os.name == "posix"
"""Whether a file's mode says who may read it; Windows keeps another list, not looked at."""


def check_notebooks(notebooks: Path) -> Check:
    """Look for the notebook that reports are made from."""
    if (notebooks / "classroom_report.ipynb").is_file():
        return good("notebooks", f"The notebooks are in {notebooks}.")
    return must_mend(
        "notebooks", f"{notebooks} has no classroom_report.ipynb.",
        "Set notebooks in coach.toml to the project's folder of that name.",
    )  # fmt: skip


def check_inbox(inbox: Path) -> Check:
    """Look for the folder that new exports are put in, which only ``coach run`` needs."""
    if not inbox.is_dir():
        return look(
            "inbox", f"{inbox} is not there; coach run takes new exports from it.",
            f"If you use coach run: mkdir -p {inbox}, and save exports there.",
        )  # fmt: skip
    if not os.access(inbox, os.R_OK | os.X_OK):
        return must_mend("inbox", f"{inbox} cannot be read.", f"chmod u+rx {inbox}")
    n = sum(path.is_file() for path in inbox.rglob("*"))
    return good("inbox", f"{n} files are in {inbox}.")


def check_disk(out: Path, store: Path) -> Check:
    """Look for room: for the next edition, and for those of the next weeks."""
    edition = _size_of(out / "current")
    tight = []
    for folder in (out, store):
        free = shutil.disk_usage(_nearest(folder)).free
        if free < LEAST_FREE + 2 * edition:
            return must_mend(
                "disk", f"{_megabytes(free)} are free for {folder}; an edition takes "
                f"{_megabytes(edition)}.",
                "Make room, or keep fewer editions: keep = 5 in coach.toml",
            )  # fmt: skip
        if free < LEAST_FREE + EDITIONS_AHEAD * edition:
            tight.append(f"{_megabytes(free)} for {folder}")
    if tight:
        return look(
            "disk", f"Free are {', '.join(tight)}: fewer than {EDITIONS_AHEAD} editions of "
            f"{_megabytes(edition)} fit.",
            "Make room soon, or keep fewer editions: keep = 5 in coach.toml",
        )  # fmt: skip
    return good("disk", f"{_megabytes(shutil.disk_usage(_nearest(out)).free)} are free.")


def check_permissions(folders: Iterable[Path], config: Path | None) -> Check:
    """Look who can read what is made, and who can change what is started."""
    there = [folder for folder in folders if folder.is_dir()]
    if blocked := [folder for folder in there if not os.access(folder, os.R_OK | os.W_OK)]:
        return must_mend(
            "permissions", f"You cannot write to {_join(blocked)}.",
            f"Give the folder to the account that runs coach: chown -R USER {_join(blocked)}",
        )  # fmt: skip
    if not MODES:
        return good("permissions", "Folders can be written; who else may read is set in Windows.")
    if config and config.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return must_mend(
            "permissions", f"Others can write to {config}, and it says what is started.",
            f"chmod go-w {config}",
        )  # fmt: skip
    foreign = [path for folder in there for path in _foreign(folder)]
    if foreign:
        return must_mend(
            "permissions", f"{len(foreign)} files or folders belong to another account, so they "
            f"cannot be replaced: {_join(foreign[:1])}.",
            f"Was coach once run with sudo? chown -R {os.geteuid()} {_join(there)}",
        )  # fmt: skip
    exposed = {folder: n for folder in there if (n := sum(1 for _ in _open_files(folder)))}
    if exposed:
        return must_mend(
            "permissions", f"Other accounts of this computer can open {sum(exposed.values())} "
            f"files in {_join(exposed)}.",
            f"chmod -R go-rwx {_join(exposed)}",
        )  # fmt: skip
    return good("permissions", "What is made here can be opened by your account alone.")


def _open_files(folder: Path) -> Iterator[Path]:
    """Give the files another account can reach and open; a closed folder closes all in it."""
    if not _is_open(folder):
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _open_files(path)
        elif path.name != README and _is_open(path):
            yield path


def _is_open(path: Path) -> bool:
    return not path.is_symlink() and bool(path.stat().st_mode & 0o077)


def _foreign(folder: Path) -> Iterator[Path]:
    """Give what another account owns, of the folder and what lies right in it."""
    mine = os.geteuid()
    return (path for path in (folder, *folder.iterdir()) if path.lstat().st_uid != mine)


def _size_of(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    files = [path for path in folder.resolve().rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there already."""
    folder = folder.absolute()
    return next(one for one in (folder, *folder.parents) if one.is_dir())


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.0f} MB"


def _join(paths: Iterable[Path]) -> str:
    return " ".join(map(str, paths))
