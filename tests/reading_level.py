"""How hard a text is to read, measured in English and in Spanish.

Published formulas on words, sentences and syllables; ``test_reading_level`` checks the
counting against words whose syllables are known.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

FEWEST_WORDS = 4
"""Labels of fewer words have no reading level."""


def english_syllables(word: str) -> int:
    """Count spoken groups of vowels; an ending that is written but not spoken does not count."""
    said = re.sub(r"[^a-z]", "", word.lower())
    groups = re.findall(r"[aeiouy]+", said)
    silent = bool(re.search(r"[^aeiouyl]e$|[^aeiouy]es$|[^aeiouytd]ed$", said)) and not re.search(
        r"(s|x|z|ch|sh|c|g)es$", said
    )
    return max(1, len(groups) - silent)


def spanish_syllables(word: str) -> int:
    """Count vowel sounds: two strong vowels part, a weak one joins unless it bears the accent."""
    said = re.sub(r"qu|gu(?=[eiéí])", "q", word.lower())
    said = re.sub(r"y$", "i", said)
    count, before = 0, ""
    for sign in said:
        if sign in "aeoáéóíú":
            # A strong or accented vowel begins a syllable, but for one after a weak vowel.
            count += before not in set("iuü")
        elif sign in "iuü":
            count += before not in set("aeoáéóiuü")
        before = sign if sign in "aeoáéóíúiuü" else ""
    return max(1, count)


def flesch_kincaid_grade(text: str) -> float:
    """Kincaid et al. (1975): years of school needed to read an English text."""
    words, n_sentences = _words(text), _n_sentences(text)
    n_syllables = sum(map(english_syllables, words))
    return 0.39 * len(words) / n_sentences + 11.8 * n_syllables / len(words) - 15.59


def fernandez_huerta(text: str) -> float:
    """Fernández Huerta (1959), as corrected: reading ease of a Spanish text, 0 to 100.

    90 and over is a text for grade 4, 80 to 90 grade 5, 70 to 80 grade 6.
    """
    words, n_sentences = _words(text), _n_sentences(text)
    n_syllables = sum(map(spanish_syllables, words))
    return 206.84 - 60 * n_syllables / len(words) - 1.02 * len(words) / n_sentences


def szigriszt_pazos(text: str) -> float:
    """Szigriszt-Pazos (1993): perspicuity of a Spanish text; on the INFLESZ scale 65 is easy."""
    words, n_sentences = _words(text), _n_sentences(text)
    n_syllables = sum(map(spanish_syllables, words))
    return 206.835 - 62.3 * n_syllables / len(words) - len(words) / n_sentences


def text_of_page(html: str) -> str:
    """Return what is read on a page as sentences: each paragraph and list item is one or more."""
    reader = _SentenceReader()
    reader.feed(html)
    said = [part for part in reader.parts if len(_words(part)) >= FEWEST_WORDS]
    return "\n".join(part if part[-1] in ".?!:" else part + "." for part in said)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", text)


def _n_sentences(text: str) -> int:
    return max(1, len(re.findall(r"[.!?:]+(?:\s|$)", text)))


class _SentenceReader(HTMLParser):
    """Collects the text of paragraphs and list items, without evidence and headings."""

    BLOCKS = frozenset({"p", "li"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("br", "meta", "img"):
            return
        classes = (dict(attrs).get("class") or "").split()
        self._open.append((tag, "small" in classes or "proof" in classes))
        if tag in self.BLOCKS:
            self.parts.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self._open}
        if tags & self.BLOCKS and not any(small for _, small in self._open):
            joined = f"{self.parts[-1]} {' '.join(data.split())}"
            self.parts[-1] = joined.strip()
