"""What is written in a score's cell: each different text is understood once, in full.

A column of a million cells holds a few hundred different texts, so the grammar below is
plain Python and still fast.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from analysis.exports.coded import factorize
from analysis.scales import is_missing_word


class Form(StrEnum):
    """How a cell is written."""

    BLANK = "blank"
    MISSING = "missing code"
    NUMBER = "number"
    PERCENT = "percent"
    OUT_OF = "points out of points"
    TRUTH = "TRUE/FALSE"
    ERROR = "spreadsheet error"
    DATE = "date"
    RANGE = "range"
    THOUSANDS = "number with a thousands comma"
    INFINITE = "infinite number"
    WORD = "word"


WHY_REFUSED = {
    Form.TRUTH: "{text} is not a score; export numbers or levels",
    Form.ERROR: "{text} is a spreadsheet error, not a score",
    Form.DATE: "{text} is a date; a score such as 1/2 or 1-2 was probably turned into one",
    Form.RANGE: "{text} is a range, not one score",
    Form.THOUSANDS: "{text} may be a thousand or a decimal comma",
    Form.INFINITE: "{text} is not a finite number",
    Form.WORD: "{text} is not a number",
}

_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
_DATES = re.compile(
    rf"^(\d{{1,4}}[- /]{_MONTH}\.?([- /,]+\d{{1,4}})?|{_MONTH}\.?[- /]\d{{1,4}}(,? \d{{4}})?"
    r"|\d{1,2}[/.-]\d{1,2}[/.-](\d{2}|\d{4})|\d{4}-\d{1,2}-\d{1,2})([ T]\d.*)?$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$", re.IGNORECASE)
_COMMA = re.compile(r"^[+-]?\d+,\d+$")
_THOUSANDS = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
_OUT_OF = re.compile(r"^(\d+(?:[.,]\d+)?)\s*(?:/|out of|of)\s*(\d+(?:[.,]\d+)?)$", re.IGNORECASE)
_RANGE = re.compile(r"^\d+(\.\d+)?\s*(-|–|to)\s*\d+(\.\d+)?$")
_ERROR = re.compile(
    r"^#(REF|DIV/0|N/A|VALUE|NAME|NUM|NULL|SPILL|CALC|GETTING_DATA|ERROR)[!?]?$", re.I
)
_INFINITE = re.compile(r"^[+-]?(inf|infinity|∞)$", re.IGNORECASE)
_TRUTHS = {"true", "false"}


@dataclass(frozen=True)
class Cell:
    """One text, understood: its form, its number, and what it is out of."""

    text: str
    form: Form
    number: float = math.nan
    out_of: float = math.nan
    comma: bool = False


def read_cell(text: str | None) -> Cell:
    """Return what a cell says.

    Examples
    --------
    >>> read_cell("85%").form, read_cell("17/20").out_of, read_cell("EX").form
    (<Form.PERCENT: 'percent'>, 20.0, <Form.MISSING: 'missing code'>)
    >>> read_cell("2-Jan").form, read_cell("1,000").form
    (<Form.DATE: 'date'>, <Form.THOUSANDS: 'number with a thousands comma'>)
    """
    if text is None or text != text:
        return Cell("", Form.BLANK)
    said = str(text).strip().replace("\u2212", "-").replace("\u00a0", " ")
    if not said:
        return Cell("", Form.BLANK)
    if is_missing_word(said):
        return Cell(said, Form.MISSING)
    return _read_number(said) or Cell(said, _form_of_words(said))


def _read_number(said: str) -> Cell | None:
    if _THOUSANDS.match(said):
        return Cell(said, Form.THOUSANDS)
    if _NUMBER.match(said):
        number = float(said)
        return Cell(said, Form.NUMBER if math.isfinite(number) else Form.INFINITE, number)
    if _COMMA.match(said):
        return Cell(said, Form.NUMBER, float(said.replace(",", ".")), comma=True)
    percent = said.removesuffix("%").strip()
    if percent != said and (_NUMBER.match(percent) or _COMMA.match(percent)):
        comma = "," in percent
        return Cell(said, Form.PERCENT, float(percent.replace(",", ".")), 100.0, comma=comma)
    out_of = _OUT_OF.match(said)
    if out_of:
        earned, possible = (float(part.replace(",", ".")) for part in out_of.groups())
        return Cell(said, Form.OUT_OF, earned, possible)
    return None


def _form_of_words(said: str) -> Form:
    if said.casefold() in _TRUTHS:
        return Form.TRUTH
    for pattern, form in (
        (_ERROR, Form.ERROR),
        (_DATES, Form.DATE),
        (_RANGE, Form.RANGE),
        (_INFINITE, Form.INFINITE),
    ):
        if pattern.match(said):
            return form
    return Form.WORD


def looks_like_date(text: str) -> bool:
    """Tell whether a text is written as a date.

    Examples
    --------
    >>> looks_like_date("2-Jan"), looks_like_date("3.NF.1")
    (True, False)
    """
    return bool(_DATES.match(text))


class ScoreColumn:
    """The cells of one column, understood.

    Parameters
    ----------
    texts
        Text cells; missing is blank. The index is kept.

    Attributes
    ----------
    cells
        The different cells; ``codes`` says which stands where (-1 blank).
    """

    def __init__(self, texts: pd.Series):
        self.index = texts.index
        self.codes, unique = factorize(texts)
        self.cells = [read_cell(text) for text in np.asarray(unique, dtype=object)]

    @property
    def forms(self) -> set[Form]:
        """The forms that occur, blanks and missing codes aside."""
        return {cell.form for cell in self.cells} - {Form.BLANK, Form.MISSING}

    def numbers(self) -> np.ndarray:
        """Return the numbers; missing where a cell holds none."""
        return self.take([cell.number for cell in self.cells])

    def out_of(self) -> np.ndarray:
        """Return what each score is out of, where its cell says so."""
        return self.take([cell.out_of for cell in self.cells])

    def where(self, form: Form) -> np.ndarray:
        """Return where a form stands, as booleans."""
        if form == Form.BLANK:
            return self.is_one_of([cell.form == form for cell in self.cells]) | (self.codes < 0)
        return self.is_one_of([cell.form == form for cell in self.cells])

    def is_one_of(self, chosen: list[bool]) -> np.ndarray:
        """Return where one of the chosen different cells stands."""
        return np.append(np.asarray(chosen, dtype=bool), False).take(self.codes)

    def missing_codes(self) -> dict[str, int]:
        """Return each missing code with its count, the commonest first."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.cells))
        found = {
            cell.text: int(count)
            for cell, count in zip(self.cells, counts, strict=True)
            if cell.form == Form.MISSING
        }
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    def take(self, values: list[float]) -> np.ndarray:
        """Return a number per row from one per different cell."""
        if not values:
            return np.broadcast_to(np.nan, len(self.codes))
        return np.append(np.asarray(values, dtype="float64"), np.nan).take(self.codes)


def read_numbers(texts: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return a plain numeric column's numbers, and where a cell holds none it should.

    Examples
    --------
    >>> read_numbers(pd.Series(["1.5", "--", "x", None], dtype="str"))
    (array([1.5, nan, nan, nan]), array([False, False,  True, False]))
    """
    column = ScoreColumn(texts)
    good = [cell.form in (Form.NUMBER, Form.BLANK, Form.MISSING) for cell in column.cells]
    kept = [cell.number if ok else math.nan for cell, ok in zip(column.cells, good, strict=True)]
    numbers = column.take(kept)
    return numbers, ~np.append(np.asarray(good, dtype=bool), True)[column.codes]
