"""Charts draw what they are given, where they are told, and say it in words."""

from __future__ import annotations

import base64
import itertools
import re

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from analysis import theme
from analysis.charts import (
    chart_skill_needs,
    describe_skill_needs,
    plot_skill_needs,
)
from analysis.language import open_language
from analysis.words import SkillState
from conftest import PROJECT

ENGLISH = open_language("en")
COUNTS = pd.DataFrame(
    {"has it": [9, 0], "not sure yet": [1, 2], "needs it": [0, 7], "not assessed": [0, 1]},
    index=["Count to ten", "$x_{ <b>Fractions</b> مرحبا"],
)


@pytest.fixture
def ax():
    return Figure().add_subplot()


def test_needs_are_drawn_where_told_and_the_table_is_left_alone(ax):
    before = COUNTS.copy(deep=True)
    assert plot_skill_needs(COUNTS, ax, language=ENGLISH) is ax
    pd.testing.assert_frame_equal(COUNTS, before)


def test_every_count_is_a_bar_of_its_length_and_a_number(ax):
    plot_skill_needs(COUNTS, ax, language=ENGLISH)
    widths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert widths == [[9, 0], [1, 2], [0, 7]]
    numbers = {text.get_text() for text in ax.texts}
    assert {"✓ 9", "1", "? 2", "○ 7", "1 not assessed"} == numbers


def test_a_name_is_never_read_as_a_formula():
    svg = chart_skill_needs(COUNTS, ENGLISH).svg.decode()
    assert "$x_{ &lt;b&gt;Fractions&lt;/b&gt; مرحبا" in svg


@pytest.mark.parametrize("text", ["name", "name_es"])
def test_no_name_of_the_demo_runs_out_of_the_picture_on_the_left(text):
    for name in pd.read_csv(PROJECT / "data" / "demo" / "skills.csv")[text]:
        svg = chart_skill_needs(COUNTS.iloc[:1].set_axis([name]), ENGLISH).svg.decode()
        size, end, label = re.search(
            r"font-size: (\d+)px[^>]*text-anchor: end[^>]* x=\"([\d.]+)\"[^>]*>([^<]+)<", svg
        ).groups()
        assert TextPath((0, 0), label, size=float(size)).get_extents().width < float(end)


def test_the_same_table_makes_the_same_bytes():
    assert chart_skill_needs(COUNTS, ENGLISH).svg == chart_skill_needs(COUNTS, ENGLISH).svg


def test_the_picture_carries_its_own_words_escaped():
    html = chart_skill_needs(COUNTS.rename(index=lambda one: f'"{one}'), ENGLISH)._repr_html_()
    assert "Most needed: &quot;$x_{ &lt;b&gt;Fractions" in html
    picture = base64.b64decode(re.search(r"base64,([^\"]+)", html).group(1))
    assert picture.startswith(b"<?xml")


def test_the_words_name_what_is_needed_most_and_had_most():
    said = describe_skill_needs(COUNTS, ENGLISH)
    assert "(7 students)" in said
    assert "Most have: Count to ten (9 students)" in said


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("state", SkillState)
def test_a_mark_can_be_read_on_its_colour(state):
    assert contrast(theme.STATE_INK[state], theme.STATE_COLOUR[state]) >= 4.5


@pytest.mark.parametrize(
    ("ink", "paper"),
    [(theme.INK, theme.PAPER), (theme.MUTED, theme.PAPER), (theme.MUTED, theme.TINT),
     (theme.ACCENT, theme.PAPER), (theme.WARN, theme.PAPER), (theme.WARN, theme.WARN_TINT)],
)  # fmt: skip
def test_text_can_be_read_on_its_ground(ink, paper):
    assert contrast(ink, paper) >= 4.5


def test_the_states_stay_apart_in_a_grey_print():
    greys = sorted(luminance(theme.STATE_COLOUR[state]) for state in SkillState)
    assert min(b - a for a, b in itertools.pairwise(greys)) >= 0.15
