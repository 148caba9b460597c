"""The tables that flow through the house, each with its contract.

A step takes and returns plain DataFrames; what it may rely on is written here, once.
Ids are text, always. Counts are whole numbers, shares and probabilities lie in 0..1,
missing means *not known* and never zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera import dtypes
from pandera.engines import pandas_engine

from analysis.errors import DataError
from analysis.rows import walk_rows


class Kind(StrEnum):
    """What one row of evidence is: points of points possible, a score, or a level."""

    POINTS = "points"
    SCORE = "score"
    LEVEL = "level"


class Topic(StrEnum):
    """What a student says of themself."""

    INTERESTS = "interests"
    LEARN_BEST = "learn_best"
    WORKS_WITH = "works_with"
    GOAL = "goal"
    RATING = "rating"


@pandas_engine.Engine.register_dtype
@dtypes.immutable
class Text(pandas_engine.DataType):
    """pandas' own text, checked as a whole: pandera's looks at every cell on its own."""

    type = pd.StringDtype(na_value=np.nan)

    def coerce(self, data_container: Any) -> Any:
        """Return the cells as text; missing stays missing."""
        return data_container.astype(self.type)

    def check(self, pandera_dtype: dtypes.DataType, data_container: Any = None) -> bool:
        """Tell whether a column's type is this one."""
        return bool(getattr(pandera_dtype, "type", None) == self.type)


@dataclass(frozen=True)
class Rule:
    """What no known value of a column may be, and what to say of one that is.

    ``broken`` tells it of each value; a missing one breaks no rule.
    """

    broken: Callable[[pd.Series], pd.Series]
    fault: str


def _column(dtype: Any, *rules: Rule, nullable: bool = False) -> pa.Column:
    checks = [
        pa.Check(lambda values, rule=rule: ~rule.broken(values), error=rule.fault) for rule in rules
    ]
    return pa.Column(dtype, checks, nullable=nullable, metadata={"rules": rules})


EMPTY = Rule(lambda text: text == "", "is empty")
NO_SHARE = Rule(lambda number: (number < 0) | (number > 1), "is not in 0..1")
NEGATIVE = Rule(lambda number: number < 0, "is below 0")
NOT_POSITIVE = Rule(lambda number: number <= 0, "is not above 0")


def _none_of(values: type[StrEnum], fault: str) -> Rule:
    return Rule(lambda text: ~text.isin([str(value) for value in values]), fault)


def _text(*, nullable: bool = False) -> pa.Column:
    return _column(Text, *([] if nullable else [EMPTY]), nullable=nullable)


def _share(*, nullable: bool = False) -> pa.Column:
    return _column("float64", NO_SHARE, nullable=nullable)


def _number(*rules: Rule) -> pa.Column:
    return _column("float64", *rules, nullable=True)


def _table(name: str, columns: dict[str, Any], key: list[str]) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, name=name, unique=key, coerce=True, strict=False)


ROSTER = _table(
    "roster",
    {
        "student_id": _text(),
        "classroom_id": _text(),
        "teacher": _text(nullable=True),
        "coach_id": _text(nullable=True),
        "school": _text(nullable=True),
        "grade": _text(nullable=True),
        "display_name": _text(nullable=True),
    },
    key=["student_id", "classroom_id"],
)
"""Who is in which classroom; a student may be in several."""

COACH_ONLY = _table(
    "what is kept for the coach alone",
    {"student_id": _text(), "classroom_id": _text()},
    key=["student_id", "classroom_id"],
)
"""Columns of a roster that the coach asked to keep, as text: supports, demographics, the
teacher's years. They stand apart from the roster, which every report reads."""

SKILLS = _table(
    "skills",
    {
        "skill_id": _text(),
        "name": _text(),
        "subject": _text(nullable=True),
        "grade": _text(nullable=True),
        "i_can": _text(nullable=True),
        "parent_id": _text(nullable=True),
        "prerequisites": _text(nullable=True),
    },
    key=["skill_id"],
)
"""The framework. ``prerequisites``: ids of direct prerequisites, joined by ``;``."""

ITEMS = _table(
    "items",
    {
        "item_id": _text(),
        "skill_id": _text(),
        "points_possible": _number(NOT_POSITIVE),
    },
    key=["item_id", "skill_id"],
)
"""The Q-matrix, long: one row an item and a skill it asks for."""

EVIDENCE = _table(
    "evidence",
    {
        "student_id": _text(),
        "skill_id": _text(),
        "window": _text(),
        "source": _text(),
        "observation_id": _text(),
        "kind": _column("str", _none_of(Kind, "is no kind of evidence")),
        "points": _number(NEGATIVE),
        "points_possible": _number(NOT_POSITIVE),
        "score": _number(),
        "score_se": _number(NEGATIVE),
        "cut": _number(),
        "level": _text(nullable=True),
        "scale": _text(nullable=True),
        "observed_on": _column("datetime64[ns]", nullable=True),
    },
    key=["student_id", "skill_id", "window", "source", "observation_id"],
)
"""One observation of a student on a skill.

``observation_id`` is the item, or the score's or rating's own name. An item that asks
for several skills has one row a skill, all with the same points. Which of the value
columns is filled follows from ``kind``: points and points_possible (points, 0 <= points
<= points_possible) · score and cut (scale points) with score_se (standard error, same
unit, missing where the export gives none) · level (a word of ``scale``).
"""

MASTERY = _table(
    "mastery",
    {
        "student_id": _text(),
        "skill_id": _text(),
        "window": _text(),
        "mastery": _share(nullable=True),
        "low": _share(nullable=True),
        "high": _share(nullable=True),
        "n_items": _column("int64", NEGATIVE),
        "ready": _share(nullable=True),
    },
    key=["student_id", "skill_id", "window"],
)
"""What each student has shown. ``mastery``: probability that the student has the skill;
``low``, ``high``: its interval; ``n_items``: observations of this very skill; ``ready``:
probability that all direct prerequisites are held. Missing where nothing is known."""

GROUPS = _table(
    "groups",
    {
        "classroom_id": _text(),
        "window": _text(),
        "student_id": _text(),
        "group": _column("Int64", nullable=True),
        "focus_skill_id": _text(nullable=True),
        "need": _share(nullable=True),
        "ready": _share(nullable=True),
        "fit": _share(nullable=True),
        "alternative_group": _column("Int64", nullable=True),
    },
    key=["classroom_id", "window", "student_id"],
)
"""Who sits where. ``group``: 1, 2, …, missing for a student who is in no group; ``need``:
probability that the student lacks the focus skill; ``ready``: that the prerequisites are
held; ``fit``: share of posterior draws in which the student sits with this focus."""


VOICE = _table(
    "voice",
    {
        "student_id": _text(),
        "topic": _column("str", _none_of(Topic, "is no topic of the form")),
        "skill_id": _text(nullable=True),
        "answer": _text(),
        "rating": _share(nullable=True),
        "answered_on": _column("datetime64[ns]", nullable=True),
    },
    key=["student_id", "topic", "skill_id"],
)
"""What students say of themselves: one row a student, topic and, for a rating, skill.
``answer``: the student's own words; ``rating``: the place of a self-rating between *not yet*
(0) and *could teach it* (1), missing for other topics and where the words are no rating."""


def check_table(table: pd.DataFrame, contract: pa.DataFrameSchema, where: str) -> pd.DataFrame:
    """Return ``table`` with the contract's types, or say everything that is wrong with it.

    Parameters
    ----------
    table
        Any frame; columns of the contract that may be missing values and are absent are
        added as missing. Columns the contract does not know are kept.
    contract
        One of this module's contracts.
    where
        The file or place to name in an error.

    Returns
    -------
    pandas.DataFrame
        A new frame, the contract's columns first.

    Raises
    ------
    DataError
        Naming the table, and row, column and fault for each failure (five at most).

    Examples
    --------
    >>> check_table(pd.DataFrame({"item_id": ["i1"], "skill_id": ["s1"]}), ITEMS, "items.csv")
      item_id skill_id  points_possible
    0      i1       s1              NaN
    """
    if _meets(table, contract):
        return _in_order(table.reset_index(drop=True), contract)
    nullable = {name: None for name, column in contract.columns.items() if column.nullable}
    absent = {name: value for name, value in nullable.items() if name not in table.columns}
    complete = table.assign(**absent).reset_index(drop=True)
    try:
        checked = contract.validate(complete, lazy=True, inplace=True)
    except pa.errors.SchemaErrors as error:
        faults = [_describe_failure(failure) for failure in walk_rows(error.failure_cases)]
        raise DataError.of_faults(
            f"{where} is not a table of {contract.name}",
            list(dict.fromkeys(faults)),
            "Mend these in the file and import it again.",
        ) from None
    return _in_order(checked, contract)


def _meets(table: pd.DataFrame, contract: pa.DataFrameSchema) -> bool:
    """Tell quickly that a table has the types and keeps the rules of a contract.

    A report checks some thirty tables, nearly always right ones; to look for every fault in
    each took a fifth of its time. Where this says no, all faults are looked for and told.
    """
    given = dict(table.items())
    for name, column in contract.columns.items():
        values = given.get(name)
        if values is None or values.dtype != column.dtype.type:
            return False
        if not column.nullable and values.hasnans:
            return False
        if any(rule.broken(values).any() for rule in column.metadata["rules"]):
            return False
    return not table.duplicated(contract.unique).any()


def _in_order(table: pd.DataFrame, contract: pa.DataFrameSchema) -> pd.DataFrame:
    others = [name for name in table.columns if name not in contract.columns]
    wanted = [*contract.columns, *others]
    return table if wanted == list(table.columns) else table[wanted]


def empty_table(contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Return a frame of the contract's columns and types, without rows.

    Examples
    --------
    >>> list(empty_table(ITEMS).columns)
    ['item_id', 'skill_id', 'points_possible']
    """
    return contract.coerce_dtype(pd.DataFrame(columns=list(contract.columns)))


def _describe_failure(failure: Any) -> str:
    if failure.check == "column_in_dataframe":
        return f"the column {failure.failure_case} is missing"
    if failure.check == "multiple_fields_uniqueness":
        return f"row {failure.index + 1}: the key appears twice"
    row = "" if pd.isna(failure.index) else f"row {int(failure.index) + 1}, "
    check = "is missing" if failure.check == "not_nullable" else str(failure.check)
    shown = "" if failure.check == "not_nullable" else f" {failure.failure_case!r}"
    return f"{row}column {failure.column}:{shown} {check}"
