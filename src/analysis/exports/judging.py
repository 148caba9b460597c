"""What the numbers of a score column mean: points of which maximum, or levels of which scale.

Every judgement that is not plain from the file is said in a note; what cannot be judged is
a fault that names the cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.exports.cells import WHY_REFUSED, Form, ScoreColumn, looks_like_date
from analysis.exports.findings import Findings, name_some
from analysis.exports.students import Students
from analysis.scales import find_scale, read_scale

MOST_EXTRA = 1.5
"""Share of the maximum up to which a score is extra credit; above, a typing error."""

SCORE_SHARE = 0.5
"""Share of a column's filled cells that must be scores for it to be a score column."""


def judge_item(
    column: ScoreColumn, name: str, rows: np.ndarray, findings: Findings, maximum: float | None
) -> dict[str, Any]:
    """Return the points of one item's column.

    Without a stated maximum it is the highest score seen, at least 1.
    """
    refuse_cells(column, column.forms - {Form.NUMBER, Form.OUT_OF}, name, rows, findings)
    points, out_of = column.numbers(), column.out_of()
    filled = ~np.isnan(points)
    if maximum is None:
        maximum = max(1.0, float(points[filled].max())) if filled.any() else 1.0
        if maximum > 1 and np.isnan(out_of[filled]).any():
            findings.note(
                f"item {name}: no points possible are given; the highest score, {maximum:g}, is "
                "taken. State it in the column points_possible of items.csv."
            )
    possible = np.where(np.isnan(out_of), maximum, out_of)
    return {"kind": "points", **_checked(points, possible, name, rows, findings)}


def judge_tracker(students: Students, places: list[int]) -> dict[int, dict[str, Any]]:
    """Return the values of each score column of a tracker, by place.

    Parameters
    ----------
    students
        The student rows.
    places
        Columns that may hold scores; a column of other text is set aside with a note.
    """
    table, findings = students.table, students.table.findings
    columns = {place: ScoreColumn(table.text(place)) for place in places}
    columns = _drop_text_columns(columns, table.names, findings)
    columns = _drop_columns_without_maximum(columns, students.possible, table.names, findings)
    _note_missing_codes(columns, findings)
    plain = [column for column in columns.values() if column.forms == {Form.NUMBER}]
    top = max((float(np.nanmax(column.numbers())) for column in plain), default=np.nan)
    judged = {}
    for place, column in columns.items():
        name = table.names[place]
        _note_date_name(name, findings)
        maximum = ScoreColumn(pd.Series([students.possible.get(place)], dtype="str")).numbers()[0]
        judged[place] = _judge_column(column, name, table.rows, findings, maximum, top)
    _note_scales(judged, table.names, findings)
    _note_commas(columns, table.names, findings)
    _note_constant(judged, table.names, findings)
    return judged


def refuse_cells(
    column: ScoreColumn,
    forms: set[Form],
    name: str,
    rows: np.ndarray,
    findings: Findings,
    otherwise: str = "{text} does not fit the other scores of the column",
) -> None:
    """Record a fault for each cell of the given forms; ``otherwise``: for one without its own."""
    for form in sorted(forms):
        why = WHY_REFUSED.get(form, otherwise)
        for place in np.flatnonzero(column.where(form))[:1000]:
            text = column.cells[column.codes[place]].text
            findings.fault(why.format(text=text), row=int(rows[place]), column=name)


def _judge_column(
    column: ScoreColumn, name: str, rows: np.ndarray, findings: Findings, maximum: float, top: float
) -> dict[str, Any]:
    forms = column.forms
    if not forms:
        return {"kind": "points", "points": column.numbers(), "points_possible": column.out_of()}
    if forms == {Form.WORD} or (forms == {Form.WORD, Form.NUMBER}):
        levels = _as_levels(column)
        if levels is not None:
            return levels
    if Form.TRUTH in forms and forms == {Form.TRUTH}:
        findings.fault(
            "holds TRUE/FALSE, which is not a score; export 1/0, points or levels",
            column=name,
            row=int(rows[np.flatnonzero(column.where(Form.TRUTH))[0]]),
        )
    bad = (
        forms
        - {Form.NUMBER, Form.PERCENT, Form.OUT_OF}
        - ({Form.TRUTH} if forms == {Form.TRUTH} else set())
    )
    refuse_cells(column, bad, name, rows, findings)
    good = forms & {Form.NUMBER, Form.PERCENT, Form.OUT_OF}
    if good == {Form.OUT_OF}:
        shown = name_some([c.text for c in column.cells if c.form == Form.OUT_OF][:2])
        findings.note(f"column {name}: scores are points out of points ({shown} …).")
        return _points(column, column.out_of(), name, rows, findings)
    if len(good) > 1 and not _percents_agree(column, good):
        findings.fault(
            f"mixes {' and '.join(sorted(good))}; write all scores in one way", column=name
        )
        return _points(column, np.full(len(rows), 1e9), name, rows, findings)
    if good == {Form.NUMBER} and np.isnan(maximum):
        return _judge_numbers(column, name, rows, findings, top)
    possible = np.full(len(rows), 100.0 if np.isnan(maximum) else maximum)
    return _points(column, possible, name, rows, findings)


def _judge_numbers(
    column: ScoreColumn, name: str, rows: np.ndarray, findings: Findings, top: float
) -> dict[str, Any]:
    """Judge plain numbers without a stated maximum, by their range beside the other columns."""
    numbers = column.numbers()
    seen = numbers[np.isfinite(numbers)]
    whole = bool(np.all(seen % 1 == 0))
    if seen.max(initial=0) <= 1:
        if top > 1 and not (whole and top <= 4):
            findings.note(
                f"column {name} is on a 0-1 scale beside columns that go to {top:g}: read as "
                "shares, 1 being all points."
            )
        return _points(column, np.ones(len(rows)), name, rows, findings)
    if seen.max() <= 4 and seen.min() >= 0 and np.all(seen * 2 % 1 == 0):
        if top > 4:
            findings.note(f"column {name} holds 0 to 4 beside columns that go to {top:g}.")
        return _rubric(column)
    if top <= 10:
        findings.note(
            f"column {name}: scores go to {seen.max():g} and no maximum is stated: read as points "
            f"of {top:g}. Add a row “Points Possible” if this is wrong."
        )
        return _points(column, np.full(len(rows), top), name, rows, findings)
    return _points(column, np.full(len(rows), 100.0), name, rows, findings)


def _rubric(column: ScoreColumn) -> dict[str, Any]:
    scale = read_scale("rubric-4")
    labels = [scale.read(f"{cell.number:g}") for cell in column.cells]
    return {"kind": "level", "level": _take(labels, column), "scale": scale.name}


def _as_levels(column: ScoreColumn) -> dict[str, Any] | None:
    words = [cell.text for cell in column.cells if cell.form in (Form.WORD, Form.NUMBER)]
    scale = find_scale(words)
    if scale is None:
        return None
    labels = [
        scale.read(cell.text) if cell.form in (Form.WORD, Form.NUMBER) else None
        for cell in column.cells
    ]
    return {"kind": "level", "level": _take(labels, column), "scale": scale.name}


def _take(labels: list[str | None], column: ScoreColumn) -> pd.Series:
    values = pd.Series([*labels, None], dtype="str").array
    return pd.Series(values.take(column.codes), index=column.index)


def _percents_agree(column: ScoreColumn, good: set[Form]) -> bool:
    """Tell whether ``85%`` and plain numbers in one column can only both be percent."""
    plain = [cell.number for cell in column.cells if cell.form == Form.NUMBER]
    return good == {Form.NUMBER, Form.PERCENT} and all(n > 1 or n == 0 for n in plain)


def _points(
    column: ScoreColumn, possible: np.ndarray, name: str, rows: np.ndarray, findings: Findings
) -> dict[str, Any]:
    return {"kind": "points", **_checked(column.numbers(), possible, name, rows, findings)}


def _checked(
    points: np.ndarray, possible: np.ndarray, name: str, rows: np.ndarray, findings: Findings
) -> dict[str, Any]:
    """Return points within 0 to possible: extra credit is capped and said, more is a fault."""
    points = points.copy()
    with np.errstate(invalid="ignore"):
        over = points > possible
        wrong = (points > possible * MOST_EXTRA) | (points < 0) | (possible <= 0)
    for place in np.flatnonzero(wrong)[:1000]:
        findings.fault(
            f"score {points[place]:g} is outside 0 to {possible[place]:g}",
            row=int(rows[place]),
            column=name,
        )
    for place in np.flatnonzero(over & ~wrong):
        findings.note(
            f"row {rows[place]}, column {name}: {points[place]:g} is over {possible[place]:g} "
            f"(extra credit); counted as {possible[place]:g}."
        )
    points[over] = possible[over]
    possible = np.where(np.isnan(points), np.nan, possible)
    return {"points": points, "points_possible": possible}


def _drop_text_columns(
    columns: dict[int, ScoreColumn], names: list[str], findings: Findings
) -> dict[int, ScoreColumn]:
    """Return the columns that hold scores; the others are named in notes."""
    kept: dict[int, ScoreColumn] = {}
    text, unnamed, empty = [], [], []
    for place, column in columns.items():
        filled = [cell for cell in column.cells if cell.form not in (Form.BLANK, Form.MISSING)]
        words = [cell for cell in filled if cell.form == Form.WORD]
        scores = len(filled) - len(words)
        as_levels = bool(words) and _as_levels(column) is not None
        if not column.cells:
            empty += [names[place]] if names[place] else []
        elif not names[place]:
            unnamed.append(str(place + 1))
        elif as_levels or not filled or scores >= SCORE_SHARE * len(filled):
            kept[place] = column
        else:
            text.append(names[place])
    for said, which in (
        ("columns that hold text, not scores, were set aside", text),
        ("columns without a name were set aside, name them to use them; column numbers", unnamed),
        ("columns without a single score", empty),
    ):
        if which:
            findings.note(f"{said}: {', '.join(which)}.")
    return kept


def _drop_columns_without_maximum(
    columns: dict[int, ScoreColumn], possible: dict[int, str], names: list[str], findings: Findings
) -> dict[int, ScoreColumn]:
    """Leave out number columns without a maximum where the sheet states it for the others."""
    stated = {place for place in columns if place in possible}
    if len(stated) < 2:
        return columns
    others = [
        place
        for place, column in columns.items()
        if place not in stated and column.forms & {Form.NUMBER, Form.PERCENT}
    ]
    if others:
        findings.note(
            "columns without points possible, where the others state them, were set aside: "
            f"{name_some([names[place] for place in others])}."
        )
    return {place: column for place, column in columns.items() if place not in others}


def _note_missing_codes(columns: dict[int, ScoreColumn], findings: Findings) -> None:
    totals: dict[str, int] = {}
    for column in columns.values():
        for code, count in column.missing_codes().items():
            totals[code] = totals.get(code, 0) + count
    if totals:
        said = ", ".join(f"{code} ({count})" for code, count in totals.items())
        findings.note(f"missing codes are read as not known, never as 0: {said}.")


def _note_date_name(name: str, findings: Findings) -> None:
    if looks_like_date(name):
        findings.note(
            f"the column {name} looks like a skill such as 1-2 that a spreadsheet turned into a "
            "date. Format the header as text, write the code again and import once more."
        )


def _note_scales(judged: dict[int, dict[str, Any]], names: list[str], findings: Findings) -> None:
    by_scale: dict[str, list[str]] = {}
    for place, values in judged.items():
        if "scale" in values:
            by_scale.setdefault(values["scale"], []).append(names[place])
    for name, which in by_scale.items():
        scale = read_scale(name)
        findings.note(
            f"levels on the scale “{scale.title}”, mastery from {scale.mastery}: "
            f"{name_some(which)}."
        )


def _note_commas(columns: dict[int, ScoreColumn], names: list[str], findings: Findings) -> None:
    with_comma = [
        names[place] for place, c in columns.items() if any(cell.comma for cell in c.cells)
    ]
    if with_comma:
        findings.note(f"decimal comma: 85,5 is read as 85.5 in {name_some(with_comma)}.")


def _note_constant(judged: dict[int, dict[str, Any]], names: list[str], findings: Findings) -> None:
    constant = []
    for place, values in judged.items():
        column = values.get("level", values.get("points"))
        seen = pd.Series(column).dropna()
        if len(seen) > 2 and len(set(seen)) == 1:
            constant.append(names[place])
    if constant:
        findings.note(
            f"no variation: everybody has the same score in {name_some(constant)}; it cannot "
            "tell students apart."
        )
