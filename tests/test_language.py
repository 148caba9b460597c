"""Every sentence of a page can be said in every language, and in plain words."""

from __future__ import annotations

import re
from datetime import date

import nbformat
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from analysis.errors import UnknownError
from analysis.language import FOLDER, languages, open_language
from conftest import PROJECT

METHODS = [("**.py", "python"), ("**.j2", "jinja2")]
KEYWORDS = {"say": None, "say_n": (1, 2), "mark": None}
NOTEBOOKS = ["classroom_report.ipynb", "student_page.ipynb", "caseload_report.ipynb"]
OTHERS = [code for code in languages() if code != "en"]


def sentences() -> set[str]:
    """Every sentence a page may say: of code, templates and the rendered notebooks."""
    package = PROJECT / "src" / "analysis"
    found = extract_from_dir(package, METHODS, keywords=KEYWORDS)
    said = {message[0] if isinstance(message, tuple) else message for _, _, message, _, _ in found}
    for name in NOTEBOOKS:
        cells = nbformat.read(PROJECT / "notebooks" / name, as_version=4).cells
        said |= {cell.source for cell in cells if cell.cell_type == "markdown"}
    return said - {""}


def catalogue(code: str):
    with (FOLDER / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def forms(entry: str | tuple) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry)


@pytest.mark.slow
def test_there_is_much_to_say():
    assert len(sentences()) > 100


@pytest.mark.slow
@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated_and_no_translation_is_left_over(code):
    known = {forms(m.id)[0] for m in catalogue(code) if m.id and all(forms(m.string))}
    assert sorted(sentences() - known) == []
    assert sorted(known - sentences()) == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_fills_the_same_places(code):
    for message in catalogue(code):
        wanted = set(re.findall(r"\{\w+\}", forms(message.id)[-1]))
        for said in forms(message.string):
            assert set(re.findall(r"\{\w+\}", said)) == wanted, said


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_is_fuzzy_or_english(code):
    entries = [message for message in catalogue(code) if message.id]
    assert [m.id for m in entries if m.fuzzy] == []
    same = [m.id for m in entries if forms(m.string)[0] == forms(m.id)[0] and " " in m.id]
    assert [one for one in same if re.search(r"[a-z]{3}", re.sub(r"\{\w+\}", "", one))] == []


def test_dates_numbers_and_lists_follow_the_language():
    english, spanish = open_language("en"), open_language("es")
    assert english.day(date(2026, 11, 23)) == "November 23, 2026"
    assert spanish.day(date(2026, 11, 23)) == "23 de noviembre de 2026"
    assert spanish.percent(0.5) == "50\N{NO-BREAK SPACE}%"
    assert spanish.all_of(["Ana", "Bo", "Cy"]) == "Ana, Bo y Cy"
    assert spanish.say_n("{n} student", "{n} students", 1) == "1 estudiante"


def test_an_unknown_language_is_named_with_those_there_are():
    with pytest.raises(UnknownError, match=r"language 'fr'.*en, es"):
        open_language("fr")


def plain(text: str) -> str:
    """Return a sentence as it is read: places filled with a word, no marks."""
    return re.sub(r"[*#“”]|^- ", "", re.sub(r"\{\w+\}", "four", text), flags=re.M)


def syllables(word: str, *, silent: str = "") -> int:
    """Count groups of vowels; an ending that is written but not spoken does not count."""
    groups = re.findall(r"[aeiouyáéíóúü]+", word.lower())
    spoken = len(groups) - bool(silent and re.search(silent, word.lower()))
    return max(1, spoken)


def flesch_kincaid_grade(text: str) -> float:
    """Kincaid et al. (1975): years of school needed to read an English text."""
    words = re.findall(r"[A-Za-z']+", text)
    n_sentences = max(1, len(re.findall(r"[.!?]+(?:\s|$)", text)))
    n_syllables = sum(syllables(word, silent=r"[^aeiouyl]e$|[^td]ed$") for word in words)
    return 0.39 * len(words) / n_sentences + 11.8 * n_syllables / len(words) - 15.59


def fernandez_huerta(text: str) -> float:
    """Fernández Huerta (1959), as corrected: reading ease of a Spanish text, 0 to 100."""
    words = re.findall(r"[^\W\d_]+", text)
    n_sentences = max(1, len(re.findall(r"[.!?]+(?:\s|$)", text)))
    n_syllables = sum(syllables(word) for word in words)
    return 206.84 - 60 * n_syllables / len(words) - 1.02 * len(words) / n_sentences


def running_text(texts) -> str:
    """Whole sentences only: labels of one or two words have no reading level."""
    parts = [plain(text) for text in texts if len(text.split()) >= 6]
    return "\n".join(part if part.rstrip()[-1] in ".?!:" else part + "." for part in parts)


@pytest.mark.slow
def test_english_reads_at_grade_six_to_eight_or_easier():
    assert flesch_kincaid_grade(running_text(sorted(sentences()))) <= 8


def test_spanish_reads_as_easily():
    # 60 to 70 is what the scale calls normal, grades 7 and 8; higher is easier.
    said = [forms(m.string)[-1] for m in catalogue("es") if m.id]
    assert fernandez_huerta(running_text(said)) >= 60
