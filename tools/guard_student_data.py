"""Refuse to commit what may hold students' data: ``python tools/guard_student_data.py FILE ...``.

Three rules, from the surest to the vaguest. What lies in a private folder is refused. So is a kind
of file that students' data come in, unless ``tools/student_data_allowed.txt`` names it with a
reason. So is text with rows like a roster's. A message names file and line, and never what stands
there. It is a net below people's care, not in its place: a single name in prose passes.
"""

from __future__ import annotations

import csv
import re
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

PROJECT = Path(__file__).parents[1]
ALLOWED = PROJECT / "tools" / "student_data_allowed.txt"

PRIVATE = {"data": {"data/README.md", "data/demo/*.csv"}, "reports": {"reports/README.md"}}
"""Folders that hold students' data here, and the files in them that do not."""

KINDS = {
    "table": {".csv", ".tsv", ".parquet", ".feather", ".sav", ".dta", ".rds", ".sqlite", ".db"},
    "workbook": {".xlsx", ".xls", ".xlsm", ".ods", ".numbers"},
    "page": {".html", ".htm", ".pdf", ".docx"},
    "picture": {".png", ".jpg", ".jpeg", ".gif", ".webp", ".heic"},
    "archive": {".zip", ".7z", ".gz", ".tar"},
}

ROWS = 5
"""Rows from which a table in a text counts: an example of two invented students passes."""

DELIMITERS = ",\t;|"

STUDENT_COLUMN = re.compile(
    r"^(student|learner|pupil|sis|display|last|first|full|user|login|e-?mail|estudiante)?"
    r"[ _.-]*(id|no\.?|num(ber)?|name|last|first|e-?mail( address)?|login|nombre|apellidos?)$",
    re.IGNORECASE,
)
"""A heading of a column that says who a student is."""

SOMEBODY = re.compile(
    r"^\d{4,12}$"  # an id as districts give them
    r"|^[\w.+-]+@[\w-]+(\.[\w-]+)+$"  # an address
    r"|^[A-ZÀ-Þ][\w'’-]+,? [A-ZÀ-Þ][\w'’ .-]+$"  # a name of two words
)

NAME_AND_ID = re.compile(
    r"\b[A-ZÀ-Þ][a-zß-ÿ'’-]+,? [A-ZÀ-Þ][a-zß-ÿ'’-]+\b\W{1,6}\d{5,10}\b"
    r"|\b\d{5,10}\b\W{1,6}[A-ZÀ-Þ][a-zß-ÿ'’-]+,? [A-ZÀ-Þ][a-zß-ÿ'’-]+\b"
)
"""A person's name beside an id, whatever stands around them."""


def allowed_files() -> dict[str, str]:
    """Return the patterns of files that may be committed, and why."""
    lines = ALLOWED.read_text("utf-8").splitlines()
    pairs = (line.split("#", 1) for line in lines if line.strip() and not line.startswith("#"))
    return {pattern.strip(): reason.strip() for pattern, reason in pairs}


def refused_by_name(file: str, allowed: dict[str, str]) -> str | None:
    """Return why a file may not be committed whatever it holds, or nothing.

    Parameters
    ----------
    file
        From the project's folder, with ``/``.
    allowed
        Patterns that may, as :func:`allowed_files` returns them.

    Examples
    --------
    >>> refused_by_name("data/raw/notes.txt", {})
    'data/ holds student data; it stays out of the history'
    >>> refused_by_name("data/demo/roster.csv", {})
    """
    path = PurePosixPath(file)
    inside = PRIVATE.get(path.parts[0]) if len(path.parts) > 1 else None
    if inside is not None:
        if any(fnmatch(file, pattern) for pattern in inside):
            return None
        return f"{path.parts[0]}/ holds student data; it stays out of the history"
    if any(fnmatch(file, pattern) for pattern in allowed):
        return None
    for kind, suffixes in KINDS.items():
        if path.suffix.lower() in suffixes:
            return f"a {kind} may hold student data; if it is invented, name it in {ALLOWED.name}"
    return None


def roster_line(text: str) -> int | None:
    r"""Return the number of the line where a text begins to look like a roster, or nothing.

    Examples
    --------
    >>> rows = "".join(f"{10231 + n},Ana,7A\n" for n in range(5))
    >>> roster_line("Notes\nstudent_id,first name,room\n" + rows)
    2
    >>> roster_line("student_id,first name,room\n10231,Ana,7A\n")
    """
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        for delimiter in DELIMITERS:
            if _is_roster(lines[number - 1 : number + 3 * ROWS], line, delimiter):
                return number
    named = [number for number, line in enumerate(lines, 1) if NAME_AND_ID.search(line)]
    for first, last in zip(named, named[ROWS - 1 :], strict=False):
        if last - first < 3 * ROWS:
            return first
    return None


def _is_roster(lines: list[str], heading: str, delimiter: str) -> bool:
    columns = _cells(heading, delimiter)
    who = [place for place, name in enumerate(columns) if STUDENT_COLUMN.match(name)]
    if len(columns) < 2 or not who:
        return False
    rows = [cells for line in lines[1:] if len(cells := _cells(line, delimiter)) == len(columns)]
    people = {row[place] for row in rows for place in who if SOMEBODY.match(row[place])}
    return len(people) >= ROWS


def _cells(line: str, delimiter: str) -> list[str]:
    line = line.strip().strip("|")
    # A name such as "Ruiz, Ana" is one cell.
    cells = next(csv.reader([line], delimiter=delimiter), []) if '"' in line else None
    return [cell.strip(" \"'") for cell in cells or line.split(delimiter)]


def faults_of(file: Path, allowed: dict[str, str], project: Path = PROJECT) -> list[str]:
    """Return what speaks against committing a file; each message names where, never what."""
    name = file.resolve().relative_to(project).as_posix()
    refused = refused_by_name(name, allowed)
    if refused:
        return [f"{name}: {refused}"]
    if fnmatch(name, "data/demo/*.csv") or any(fnmatch(name, pattern) for pattern in allowed):
        return []
    try:
        line = roster_line(file.read_text("utf-8"))
    except UnicodeDecodeError:
        return [f"{name}: not a text; if it is needed, name it in {ALLOWED.name}"]
    return [] if line is None else [f"{name}, line {line}: looks like a roster of students"]


def main(files: list[str], project: Path = PROJECT) -> int:
    """Check files of the project by name; return 1 where one is refused."""
    allowed = allowed_files()
    there = [Path(file) for file in files if Path(file).is_file()]
    faults = [fault for file in there for fault in faults_of(file, allowed, project)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print("Not committed. Take these out: git restore --staged FILE", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
