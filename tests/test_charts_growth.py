"""Slopes, small multiples and the map of skills: drawn where told, readable, said in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from analysis.charts import (
    chart_classrooms,
    chart_framework,
    chart_slopes,
    describe_slopes,
    plot_framework,
    plot_slopes,
)
from analysis.charts.framework import lay_out
from analysis.charts.growth import spread_apart
from analysis.language import open_language

ENGLISH = open_language("en")
SLOPES = pd.DataFrame(
    {
        "before": [0.2, 0.5, 0.52, 0.9],
        "now": [0.8, 0.5, 0.51, 0.4],
        "stands_out": ["more", "", "", "less"],
    },
    index=["Halves", "$x_{ <b>", "Thirds", "Counting"],
)
EDGES = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
COUNTS = pd.DataFrame(
    {"has it": [9, 4, 0, 0], "not sure yet": 1, "needs it": [0, 5, 9, 0], "not assessed": 0},
    index=list("abcd"),
)
NAMES = {"a": "Halves", "b": "Thirds", "c": "A very long name of a skill " * 4, "d": "$x_{"}


@pytest.fixture
def ax():
    return Figure().add_subplot()


def test_each_skill_is_a_line_from_before_to_now_and_the_table_is_left_alone(ax):
    before = SLOPES.copy(deep=True)
    assert plot_slopes(SLOPES, ax, ends=["fall", "spring"]) is ax
    drawn = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert drawn == {name: [row.before, row.now] for name, row in SLOPES.iterrows()}
    pd.testing.assert_frame_equal(SLOPES, before)


def test_no_two_labels_of_one_end_lie_on_each_other(ax):
    plot_slopes(SLOPES, ax, ends=["fall", "spring"])
    for at in (0, 1):
        own = [text for text in ax.texts if round(text.get_position()[0]) == at]
        heights = sorted(text.get_position()[1] for text in own)
        assert len(heights) == len(SLOPES)
        assert np.diff(heights).min() >= 0.03


def test_every_label_stands_within_the_chart(ax):
    plot_slopes(SLOPES, ax, ends=["fall", "spring"])
    low, high = ax.get_ylim()
    assert all(low < text.get_position()[1] < high for text in ax.texts)


def test_only_what_stands_out_is_said():
    said = describe_slopes(SLOPES, ["fall", "spring"], ENGLISH)
    assert "More now: Halves (20% to 80%)" in said
    assert "Fewer now: Counting (90% to 40%)" in said
    assert "Thirds" not in said


@pytest.mark.parametrize("heights", [[0.5] * 5, [0.1, 0.11, 0.9], [1.0, 0.0], [0.3]])
def test_labels_are_spread_in_their_order_and_around_their_places(heights):
    moved = spread_apart(np.array(heights), 0.1)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(moved[order]) >= 0.1 - 1e-9).all()
    assert moved.mean() == pytest.approx(np.mean(heights))


def test_labels_that_have_room_stay_where_they_are():
    heights = np.array([0.9, 0.1, 0.5])
    assert spread_apart(heights, 0.1).tolist() == heights.tolist()


def test_a_skill_stands_right_of_everything_it_builds_on():
    place = lay_out(list("abcd"), EDGES)
    assert all(place[before][0] < place[after][0] for before, after in EDGES)
    assert len(set(place.values())) == 4


def test_the_map_has_an_arrow_an_edge_and_the_class_on_every_skill(ax):
    plot_framework(COUNTS, EDGES, NAMES, ax)
    assert sum(isinstance(patch, FancyArrowPatch) for patch in ax.patches) == len(EDGES)
    said = {text.get_text() for text in ax.texts}
    assert {"9 / 10", "4 / 10", "0 / 10", "0 / 1"} <= said


def test_a_map_without_prerequisites_can_be_drawn():
    assert chart_framework(COUNTS, [], NAMES, ENGLISH).height > 100


@pytest.mark.parametrize("n", [1, 5, 6, 20])
def test_each_classroom_has_a_small_chart_on_one_scale(n):
    held = {f"room-{i}": pd.Series([3.0, np.nan, 5.0 + i]) for i in range(n)}
    chart = chart_classrooms(held, {"room-0": "less"}, ENGLISH, highest=5.0 + n)
    svg = chart.svg.decode()
    assert all(f">room-{i}<" in svg for i in range(n))
    assert "Less growth than students who started alike: room-0." in chart.alt


@pytest.mark.parametrize(
    "draw",
    [
        lambda: chart_slopes(SLOPES, ["fall", "spring"], ENGLISH),
        lambda: chart_framework(COUNTS, EDGES, NAMES, ENGLISH),
    ],
)
def test_the_same_data_make_the_same_bytes_and_names_are_no_formulas(draw):
    chart = draw()
    assert chart.svg == draw().svg
    assert "$x_{" in chart.svg.decode()
