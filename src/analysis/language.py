"""The language of a page: its sentences, plurals, lists, dates and numbers.

Sentences are written in English where they are used and looked up in
``locale/<code>.po``, which translators edit as it is: nothing is compiled or generated.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from analysis.errors import UnknownError

FOLDER = Path(__file__).parent / "locale"
SOURCE = "en"


def mark(text: str) -> str:
    """Mark a sentence for translators where it is only stored, to be said later."""
    return text


@dataclass(frozen=True)
class Language:
    """Says things in one language; made by :func:`open_language`.

    Parameters
    ----------
    code
        As in BCP 47: ``en``, ``es``.
    translations
        From English sentences.
    """

    code: str
    translations: NullTranslations

    def say(self, text: str, **values: object) -> str:
        """Return a sentence with its named places filled."""
        # The empty msgid is the catalogue's own header.
        said = self.translations.gettext(text) if text else ""
        return said.format(**values) if values else said

    def say_n(self, one: str, many: str, n: int, **values: object) -> str:
        """Return the sentence that fits a count, with its named places and ``n`` filled."""
        return self.translations.ngettext(one, many, n).format(n=self.number(n), **values)

    def all_of(self, words: Iterable[str]) -> str:
        """Return words as a list in a sentence: ``a, b and c``."""
        words = list(words)
        return format_list(words, locale=self.babel_code) if words else ""

    def day(self, day: date) -> str:
        """Return a date as people write it."""
        return format_date(day, format="long", locale=self.babel_code)

    def month(self, day: date) -> str:
        """Return a date's month and year."""
        return format_skeleton("yMMMM", day, locale=self.babel_code)

    def number(self, number: float, digits: int | None = None) -> str:
        """Return a number with the language's own signs, and as many decimals as asked for."""
        if digits is None:
            return format_decimal(number, locale=self.babel_code)
        # Rounded first: nothing is shown as minus zero.
        pattern = "#,##0." + "0" * digits if digits else "#,##0"
        return format_decimal(round(number, digits) + 0.0, pattern, locale=self.babel_code)

    def percent(self, share: float) -> str:
        """Return a share (0 to 1) as whole percent."""
        return format_percent(share, locale=self.babel_code)

    @property
    def babel_code(self) -> str:
        """The code as babel writes it. American English writes lists with a comma more."""
        return self.code.replace("-", "_")


def languages() -> list[str]:
    """Return the codes of the languages there are.

    Examples
    --------
    >>> languages()
    ['en', 'es']
    """
    return [SOURCE, *sorted(file.stem for file in FOLDER.glob("*.po"))]


@cache
def open_language(code: str = SOURCE) -> Language:
    """Open a language.

    Raises
    ------
    UnknownError
        There is no such language; the ones there are are named.

    Examples
    --------
    >>> english = open_language("en")
    >>> english.say("Group {group}", group=2)
    'Group 2'
    >>> english.say_n("{n} student", "{n} students", 1200)
    '1,200 students'
    >>> open_language("es").day(date(2026, 11, 23))
    '23 de noviembre de 2026'
    """
    if code == SOURCE:
        return Language(code, NullTranslations())
    if code not in languages():
        raise UnknownError.of("language", code, languages(), "The report")
    with (FOLDER / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(code, GNUTranslations(compiled))
