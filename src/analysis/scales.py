"""Ordered scales of levels: which words they have, in which order, which level is mastery.

The scales are data, ``scales.toml``; a district adds its own there. A level is never a
number: an ordered word, of which one is the first that counts as mastery.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from analysis.errors import UnknownError


@dataclass(frozen=True)
class Scale:
    """An ordered scale.

    Attributes
    ----------
    name
        Its stable name, as the evidence table carries it.
    title
        Its name in plain words.
    levels
        The labels, lowest first.
    mastery
        The lowest label that counts as mastery.
    missing
        Words that stand for *not known* on this scale.
    also
        Other spellings of a label, as vendors print them.
    """

    name: str
    title: str
    levels: tuple[str, ...]
    mastery: str
    missing: tuple[str, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict)

    def read(self, word: str | float | None) -> str | None:
        """Return the label a word stands for, or None where it is no level.

        Examples
        --------
        >>> SCALES["rubric-4"].read("3.0")
        '3'
        """
        return self._labels.get(_key(word))

    def position(self, level: str) -> int:
        """Return the place of a label, 0 for the lowest.

        Raises
        ------
        UnknownError
            The word is no level of this scale.
        """
        label = self.read(level)
        if label is None:
            raise UnknownError.of("level", str(level), self.levels, f"the scale {self.name!r}")
        return self.levels.index(label)

    def is_missing(self, word: str) -> bool:
        """Tell whether a word stands for *not known*."""
        return _key(word) in {_key(other) for other in self.missing} or is_missing_word(word)

    @property
    def _labels(self) -> dict[str, str]:
        spelled = {_key(label): label for label in self.levels}
        return {_key(other): label for other, label in self.also.items()} | spelled


def read_scale(name: str) -> Scale:
    """Return a shipped scale by its name.

    Raises
    ------
    UnknownError
        There is no such scale; the nearest name is proposed.

    Examples
    --------
    >>> read_scale("rubric-4").mastery
    '3'
    """
    if name not in SCALES:
        raise UnknownError.of("scale", name, list(SCALES), "scales.toml")
    return SCALES[name]


def find_scale(words: Iterable[str]) -> Scale | None:
    """Return the scale that knows all the words, the shortest of several, or None.

    Examples
    --------
    >>> find_scale(["not yet", "Proficient"]).name
    'proficiency-4'
    """
    words = list(words)
    knowing = [scale for scale in SCALES.values() if all(scale.read(word) for word in words)]
    return min(knowing, key=lambda scale: len(scale.levels), default=None) if words else None


def is_missing_word(text: str) -> bool:
    """Tell whether a cell says *not known* on any scale: excused, absent, N/A, --, ….

    Examples
    --------
    >>> is_missing_word("EX"), is_missing_word("0")
    (True, False)
    """
    return _key(text) in _missing_words()


def _key(word: str | float | None) -> str:
    said = re.sub(r"\s+", " ", str(word)).strip().casefold()
    return re.sub(r"^(-?\d+)\.0+$", r"\1", said)


@cache
def _missing_words() -> frozenset[str]:
    return frozenset(_key(word) for word in _data()["missing"]["words"])


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("analysis").joinpath("scales.toml").read_text(encoding="utf-8"))


def _load_scales() -> Mapping[str, Scale]:
    return MappingProxyType(
        {
            name: Scale(
                name=name,
                title=entry["title"],
                levels=tuple(entry["levels"]),
                mastery=entry["mastery"],
                missing=tuple(entry.get("missing", ())),
                also=MappingProxyType(entry.get("also", {})),
            )
            for name, entry in _data()["scale"].items()
        }
    )


SCALES: Mapping[str, Scale] = _load_scales()
"""The shipped scales by name, read once from ``scales.toml``."""
