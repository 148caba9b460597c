"""A page that shows another classroom's student is found, and nobody is suspected wrongly."""

from __future__ import annotations

import base64
import json

import pytest

from analysis.rendering.proof import WrongPageError
from analysis.rendering.strangers import Strangers, texts_beside
from conftest import table

ROSTER = table("""
    | student_id | classroom_id | display_name       | teacher   |
    | 00417      | 7A           | Ana Ruiz           | May Tran  |
    | 00418      | 7A           | Noor O'Brien-Smith | May Tran  |
    | 00419      | 7B           | Bo Li              | Cy Poe    |
    | 00420      | 7B           | May Tran           | Cy Poe    |
    | 00421      | 7B           | May                | Cy Poe    |
    | 12         | 7B           | Ana Ruiz           | Cy Poe    |
    | 00422      | 7B           | Zoë <b>Ω</b> Lopez | Cy Poe    |
    | 00418      | 7B           | Noor O'Brien-Smith | Cy Poe    |
""")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<li>Bo Li</li>", ["00419"]),
        ("Ana Ruiz, Bo Li and May", ["00419"]),
        ("id 00419.", ["00419"]),
        ('alt="Most need: Bo Li"', ["00419"]),
        ("Zoë &lt;b&gt;Ω&lt;/b&gt; Lopez", ["00422"]),
        ("Bo Lita", []),
        ("1004192", []),
        ("May 12, 2026", []),
        ("Teacher May Tran", []),
        ("Ana Ruiz", []),
        ("Noor O&#39;Brien-Smith", []),
    ],
)
def test_only_other_classrooms_students_are_strangers(text, found):
    assert Strangers(ROSTER).found_in(text, ["7A"]) == found


def test_a_page_with_a_stranger_is_refused_without_naming_anyone():
    with pytest.raises(WrongPageError, match="1 students of other classrooms") as caught:
        Strangers(ROSTER).check("<p>Bo Li</p>", "7A", ["7A"])
    assert "Bo" not in str(caught.value)
    assert "00419" not in str(caught.value)


def drawn(svg: str) -> str:
    return f'<img src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}">'


@pytest.mark.parametrize(
    ("svg", "found"),
    [
        ("<svg><text>Bo Li</text></svg>", ["00419"]),
        ("<svg><!-- Bo Li --></svg>", ["00419"]),
        ("<svg><text>00419</text></svg>", ["00419"]),
        ("<svg id='00419'/>", ["00419"]),
        ("<svg><text>n.00419</text></svg>", ["00419"]),
        # A coordinate's decimals: with ids of six digits one in twenty pages would be refused.
        ("<svg><path d='M 301.00419 6.5 L 9.00419 7'/></svg>", []),
    ],
)
def test_a_stranger_in_a_drawing_is_found_and_its_coordinates_are_nobody(svg, found):
    assert Strangers(ROSTER).found_in(drawn(svg), ["7A"]) == found


def test_the_letters_a_picture_is_packed_in_are_nobody_and_broken_ones_are_looked_at():
    for letters, found in {"/00419/+": [], "/00419/A+": ["00419"]}.items():
        page = f'<img src="data:image/gif;base64,{letters}">'
        assert Strangers(ROSTER).found_in(page, ["7A"]) == found


def test_what_a_notebook_holds_beside_its_page_is_looked_at():
    shown = "<li>Ana Ruiz</li>"
    said = {"text/plain": "Bo\nLi", "text/html": shown, "Zoë <b>Ω</b> Lopez": 1}
    notebook = json.dumps({"cells": [{"source": "student = '00419'", "outputs": [{"data": said}]}]})
    beside = texts_beside(notebook, f"<p>{shown}</p>")
    assert shown not in beside
    assert Strangers(ROSTER).found_in(beside, ["7A"]) == ["00419", "00422"]


def test_an_id_that_a_page_shows_only_inside_a_longer_word_is_looked_at_in_its_notebook():
    beside = texts_beside('{"text": "00419"}', "<p>1004192</p>")
    assert Strangers(ROSTER).found_in(beside, ["7A"]) == ["00419"]
