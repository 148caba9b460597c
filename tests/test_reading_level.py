"""The measure of reading level counts what is spoken, and tells easy texts from hard ones."""

from __future__ import annotations

import pytest

from reading_level import (
    english_syllables,
    fernandez_huerta,
    flesch_kincaid_grade,
    spanish_syllables,
    szigriszt_pazos,
    text_of_page,
)

ENGLISH = {
    "can": 1, "page": 1, "make": 1, "numbers": 2, "fraction": 2, "table": 2, "pages": 2,
    "worked": 1, "added": 2, "denominator": 5, "multiply": 3, "times": 1, "people": 2,
    "rectangle": 3, "decimals": 3, "asked": 1, "sides": 1, "places": 2, "don't": 1,
}  # fmt: skip
SPANISH = {
    "puedo": 2, "número": 3, "decenas": 3, "fracción": 2, "todavía": 4, "área": 3, "país": 2,
    "leer": 2, "quiero": 2, "guitarra": 3, "ciudad": 2, "hoy": 1, "aún": 2, "denominador": 5,
    "rectángulo": 4, "estudiante": 4, "ya": 1, "maestro": 3, "cuántas": 2, "hacia": 2,
}  # fmt: skip


@pytest.mark.parametrize(("word", "n"), ENGLISH.items())
def test_english_syllables_are_those_spoken(word, n):
    assert english_syllables(word) == n


@pytest.mark.parametrize(("word", "n"), SPANISH.items())
def test_spanish_syllables_are_those_spoken(word, n):
    assert spanish_syllables(word) == n


def test_the_english_formula_gives_its_published_value():
    # 6 words, 1 sentence, 6 syllables: 0.39 * 6 + 11.8 * 1 - 15.59.
    assert flesch_kincaid_grade("The cat sat on the mat.") == pytest.approx(-1.45)


def test_the_spanish_formulas_give_their_published_values():
    # 4 words, 1 sentence, 6 syllables.
    assert fernandez_huerta("El gato come pan.") == pytest.approx(206.84 - 60 * 6 / 4 - 1.02 * 4)
    assert szigriszt_pazos("El gato come pan.") == pytest.approx(206.835 - 62.3 * 6 / 4 - 4)


def test_a_law_is_harder_than_a_rhyme():
    law = "Notwithstanding any provision, instrumentalities shall promulgate regulations."
    assert flesch_kincaid_grade(law) > 12 > flesch_kincaid_grade("I like to run. I can hop.")


def test_a_page_is_read_without_its_headings_and_evidence():
    page = "<h2>What I can do</h2><ul><li>I can add two numbers <span class='small'>2 of 3 points"
    assert text_of_page(page + "</span></li></ul>") == "I can add two numbers."
