"""Columns of text, plain or coded: what is said of a text is said once for all its rows.

The columns of a large file are coded (categorical); those of a small one are plain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.exports.names import clean_name

# The stubs do not know that the type reads Arrow.
_TEXT: Any = pd.StringDtype(na_value=np.nan)
_NO_NAMES = pd.Index([], dtype="str")


def trim(texts: pd.Series) -> pd.Series:
    """Return texts without surrounding space; empty ones are missing. Coded texts stay coded.

    Examples
    --------
    >>> trim(pd.Series([" a ", "  ", None], dtype="str")).tolist()
    ['a', nan, nan]
    """
    coded = isinstance(texts.dtype, pd.CategoricalDtype)
    if coded and _are_clean(list_texts(texts.cat.categories)):
        return texts
    codes, unique = factorize(texts)
    cleaned = [clean_name(text) or None for text in list_texts(unique)]
    return take_texts(cleaned, codes, texts)


def list_texts(texts: pd.Index | pd.Series | pd.Categorical) -> list[str]:
    """Return texts as a plain list; many times quicker than walking over an Arrow array."""
    return list(np.asarray(texts, dtype=object))


def _are_clean(texts: list[str]) -> bool:
    """Tell whether no text has surrounding or doubled space, all looked at as one."""
    mark = "¦"
    joined = mark + mark.join(texts) + mark
    stray = (mark + mark, " " + mark, mark + " ", "  ")
    return joined.isprintable() and not any(pair in joined for pair in stray)


def take_texts(unique: Sequence[str | None], codes: np.ndarray, like: pd.Series) -> pd.Series:
    """Return the texts that ``codes`` stand for, coded and indexed as ``like``; -1 is missing."""
    if isinstance(like.dtype, pd.CategoricalDtype):
        merged, texts = pd.factorize(pd.Series([*unique], dtype="str"))
        coded = pd.Categorical.from_codes(np.append(merged, -1)[codes], texts, validate=False)
        return pd.Series(coded, index=like.index)
    values = pd.Series([*unique, None], dtype="str").array
    return pd.Series(values.take(codes), index=like.index)


def no_texts(index: pd.Index, *, coded: bool = False) -> pd.Series:
    """Return missing texts."""
    if coded:
        none = pd.Categorical.from_codes(np.full(len(index), -1, dtype="int8"), _NO_NAMES)
        return pd.Series(none, index=index)
    return pd.Series(_TEXT.__from_arrow__(pa.nulls(len(index), pa.large_string())), index=index)


def as_texts(texts: pd.Series) -> pd.Series:
    """Return coded texts as plain ones; plain ones as they are."""
    if not isinstance(texts.dtype, pd.CategoricalDtype):
        return texts
    names, codes = texts.cat.categories, texts.cat.codes.to_numpy()
    if len(names) == 0:
        return no_texts(texts.index)
    if len(names) == 1 and codes.min(initial=0) == 0:
        same = pa.repeat(pa.scalar(names[0], pa.large_string()), len(codes))
        return pd.Series(_TEXT.__from_arrow__(same), index=texts.index)
    values = pd.Series(names, dtype="str").array
    taken = values.take(codes, allow_fill=bool(codes.min(initial=0) < 0))
    return pd.Series(taken, index=texts.index)


def key_codes(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return one whole number per row, the same where all the columns agree.

    Examples
    --------
    >>> key_codes(pd.DataFrame({"a": ["x", "y", "x"], "b": ["1", "1", "1"]}), ["a", "b"]).tolist()
    [1, 2, 1]
    """
    codes = np.zeros(len(frame), dtype="int64")
    most = 0
    for column in columns:
        part, unique = codes_of(frame[column])
        if len(unique) <= 1 and not (part < 0).any():
            continue
        if most > (2**62) // (len(unique) + 1):
            codes = pd.factorize(codes)[0].astype("int64")
            most = len(codes)
        codes *= len(unique) + 1
        codes += part
        codes += 1
        most = (most + 1) * (len(unique) + 1)
    return codes


def codes_of(texts: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return texts and which of them stands where, -1 for missing; some may stand nowhere."""
    if isinstance(texts.dtype, pd.CategoricalDtype):
        return texts.cat.codes.to_numpy(), texts.cat.categories
    return pd.factorize(texts)


def factorize(texts: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return the different texts and which of them stands where, -1 for missing.

    As :func:`pandas.factorize`, which would look at every row of a coded column again.

    Examples
    --------
    >>> codes, unique = factorize(pd.Series(["a", None, "b"], dtype="category")[1:])
    >>> codes.tolist(), unique.tolist()
    ([-1, 0], ['b'])
    """
    codes, unique = codes_of(texts)
    told = codes if codes.min(initial=0) == 0 else codes[codes >= 0]
    used = np.bincount(told, minlength=len(unique)) > 0
    if used.all():
        return codes, unique
    renumbered = np.append(np.cumsum(used) - 1, -1).astype(codes.dtype)
    return renumbered[codes], unique[used]


def repeated_keys(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return where a key stands more than once."""
    codes = key_codes(frame, columns)
    if (codes[1:] > codes[:-1]).all():  # in order, as most exports are: none can be repeated
        return np.zeros(len(codes), dtype=bool)
    return pd.Series(codes).duplicated(keep=False).to_numpy()


def first_of_key(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return where each different key stands for the first time."""
    codes = key_codes(frame, columns)
    if (codes[1:] >= codes[:-1]).all():  # in order, as most exports are
        return np.append(len(codes) > 0, codes[1:] > codes[:-1])[: len(codes)]
    if codes.max(initial=0) < 4 * len(codes):  # few enough to note where each stands first
        first = np.full(codes.max(initial=0) + 1, -1)
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        stands = np.zeros(len(codes), dtype=bool)
        stands[first[first >= 0]] = True
        return stands
    return ~pd.Series(codes).duplicated().to_numpy()
