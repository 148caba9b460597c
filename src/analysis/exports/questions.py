"""Which skill a question asks for, and which answer is right, where an export does not say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.exports.codes import find_code
from analysis.exports.findings import Findings, name_some
from analysis.exports.names import key_name
from analysis.exports.reading import Context

_MARKS = re.compile(r"^(?:q(?:uestion)?\.?\s*)?(\d+)\b[.:)]?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """One question: its name, its skills, its points and the right answer, where known."""

    name: str
    skills: tuple[str, ...]
    possible: float
    answer: str | None = None


def find_questions(
    names: list[str], context: Context, findings: Findings, *, prefix: str = ""
) -> dict[str, Question]:
    """Return what is known of each question.

    The item map goes first, then the Q-matrix, then a code in the question's own text.
    A question that nothing maps is its own skill, and a note says so.

    Parameters
    ----------
    names
        The questions as the export heads them.
    prefix
        Set before a question that is its own skill, so that two quizzes' first questions
        stay apart.
    """
    listed = _listed(context)
    found: dict[str, Question] = {}
    alone = []
    for name in names:
        rows = next((listed[key] for key in _keys(name) if key in listed), None)
        code = find_code(name)
        if rows is not None:
            possible = rows["points_possible"].dropna()
            answers = rows["answer"].dropna() if "answer" in rows else rows["skill_id"].iloc[:0]
            found[name] = Question(
                name,
                tuple(dict.fromkeys(rows["skill_id"])),
                float(possible.iloc[0]) if len(possible) else np.nan,
                str(answers.iloc[0]) if len(answers) else None,
            )
        elif code:
            found[name] = Question(name, (code,), np.nan)
        else:
            found[name] = Question(name, (f"{prefix}{name}",), np.nan)
            alone.append(name)
    if alone:
        findings.note(
            f"{len(alone)} questions name no standard ({name_some(alone)}): each stands for its "
            "own skill. Give an item map (question, standard, answer, points) with --item-map."
        )
    _note_unused(context, found, findings)
    return found


def derive_key(
    answers: pd.DataFrame, full: np.ndarray, totals: np.ndarray, findings: Findings
) -> dict[int, str] | None:
    """Return the right answers as students with full points gave them, or None.

    Parameters
    ----------
    answers
        A row a student, a column a question.
    full
        Which students have full points.
    totals
        Points of each student; with the derived key every student's count of right answers
        must agree with them, otherwise the key is not trusted.
    """
    if not full.any():
        return None
    key: dict[Any, str] = {
        place: answers.loc[full, place].str.casefold().mode().iloc[0]
        for place in answers.columns
        if answers.loc[full, place].notna().any()
    }
    right = sum(
        (answers[place].str.casefold() == answer).to_numpy(dtype=bool, na_value=False).astype(float)
        for place, answer in key.items()
    )
    known = ~np.isnan(totals)
    if len(key) < answers.shape[1] or not np.allclose(right[known], totals[known]):
        return None
    findings.note(
        "the export holds answers without points; the answers of students with full points are "
        "the key, and every student's total agrees with it."
    )
    return key


def is_right(given: pd.Series, answer: str) -> np.ndarray:
    """Return which answers are right; ``A,B`` or ``A|B`` in a key allows either."""
    allowed = {part.strip().casefold() for part in re.split(r"[|;,/]", answer)} | {
        answer.casefold()
    }
    return given.str.strip().str.casefold().isin(allowed).to_numpy(dtype=bool, na_value=False)


def _listed(context: Context) -> dict[str, pd.DataFrame]:
    tables = [
        table for table in (context.items, context.item_map) if table is not None and len(table)
    ]
    listed: dict[str, pd.DataFrame] = {}
    for table in tables:
        for item, rows in table.groupby("item_id", sort=False):
            for key in _keys(str(item)):
                listed[key] = rows
    return listed


def _keys(name: str) -> list[str]:
    """Return the keys under which a question may stand in an item map, the surest first."""
    number = _MARKS.match(name)
    return [key_name(name), *([f"#{int(number.group(1))}"] if number else [])]


def _note_unused(context: Context, found: dict[str, Question], findings: Findings) -> None:
    if context.item_map is None:
        return
    used = {key for name in found for key in _keys(name)}
    unused = [
        item for item in context.item_map["item_id"].unique() if not used & set(_keys(str(item)))
    ]
    if unused:
        findings.note(f"questions of the item map that are not in the file: {name_some(unused)}.")
