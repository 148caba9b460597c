"""One student taken out of a text or a table, and nothing else changed."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from analysis.errors import DataError
from analysis.forgetting.traces import Marks

REMOVED = "(removed)"
"""Stands where a text named the student."""

FEWEST = {"together": 2, "apart": 2, "pairs": 2}
"""Students a list of lists must keep to mean anything."""

TABLES = {".csv": ",", ".tsv": "\t"}
TEXTS = {".toml", ".json", ".txt", ".md", ".log", ".yaml", ".yml", ".ini"}


def without_student(file: Path, marks: Marks) -> bytes:
    """Return a file's content without a student.

    A table loses the rows that name the student; TOML and JSON lose the entries; any other
    text loses the lines.

    Raises
    ------
    DataError
        The file cannot be read as what its name says.
    """
    encoding, text = _decode(file.read_bytes())
    try:
        if file.suffix.lower() in TABLES:
            edited = _rows_without(text, marks, TABLES[file.suffix.lower()])
        elif file.suffix.lower() == ".toml":
            edited = _head_of(text) + tomli_w.dumps(_prune(tomllib.loads(text), marks))
        elif file.suffix.lower() == ".json":
            edited = json.dumps(_prune(json.loads(text), marks), indent=1, ensure_ascii=False)
        else:
            edited = "".join(
                line for line in text.splitlines(keepends=True) if not marks.is_in_text(line)
            )
    except (ValueError, csv.Error) as error:
        raise DataError(f"{file} could not be read: {type(error).__name__}.") from None
    return edited.encode(encoding, "surrogateescape" if encoding == "cp1252" else "strict")


def _rows_without(text: str, marks: Marks, delimiter: str) -> str:
    """Return a table's text without the student's rows; all others keep their very bytes."""
    lines = list(io.StringIO(text, newline=""))
    sample = lines[0] if lines else ""
    used = ";" if sample.count(";") > sample.count(delimiter) else delimiter
    kept, at = [], 0
    reader = csv.reader(lines, delimiter=used)
    for row in reader:
        raw = "".join(lines[at : reader.line_num])
        at = reader.line_num
        cells = [" ".join(cell.split()) for cell in row]
        # A name may lie in two cells, last and first, in either order.
        joined = "\n".join([*cells, " ".join(cells), ", ".join(cells)])
        if not marks.is_in_text(joined) and not marks.is_in_text(raw):
            kept.append(raw)
    return "".join(kept)


def _prune(value: Any, marks: Marks, fewest: int = 1) -> Any:
    """Return a value without what is about the student."""
    if isinstance(value, dict):
        kept = {}
        for key, one in value.items():
            if marks.is_in_text(str(key)) or one == marks.student_id:
                continue
            pruned = _prune(one, marks, FEWEST.get(key, 1))
            if not (_is_hollow(pruned) and not _is_hollow(one)):
                kept[key] = pruned
        return kept
    if isinstance(value, list):
        return _prune_list(value, marks, fewest)
    if isinstance(value, str) and marks.is_in_text(value):
        return REMOVED
    return value


def _prune_list(values: list[Any], marks: Marks, fewest: int) -> list[Any]:
    kept = []
    for one in values:
        if isinstance(one, str) and marks.is_in_text(one):
            continue
        if isinstance(one, dict) and one.get("student_id") == marks.student_id:
            continue
        pruned = _prune(one, marks)
        if isinstance(one, list) and len(pruned) < max(fewest, min(len(one), 1)):
            continue
        # An entry that is about some students says nothing once none of them is left.
        if isinstance(one, dict) and one.get("students") and not pruned.get("students"):
            continue
        kept.append(pruned)
    return kept


def _is_hollow(value: object) -> bool:
    return isinstance(value, dict | list) and not value


def _head_of(text: str) -> str:
    """Return the comments a TOML file begins with; writing it anew would lose them."""
    head = []
    for line in text.splitlines(keepends=True):
        if not line.startswith("#"):
            break
        head.append(line)
    return "".join(head)


def _decode(content: bytes) -> tuple[str, str]:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", content.decode("utf-16")
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig", content.decode("utf-8-sig")
    try:
        return "utf-8", content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252", content.decode("cp1252", "surrogateescape")
