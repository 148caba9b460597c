"""Charts: data and ``ax`` in, ``ax`` out, and the sentence a screen reader says.

A chart is drawn on a :class:`matplotlib.figure.Figure` of its own, never through pyplot:
no backend set by somebody else can make it vanish, and nothing is left open.

``drawing`` a picture and its words · ``skills`` who has and needs what · ``growth`` slopes
between windows, of one classroom and many · ``framework`` the prerequisites with the class
on them.
"""

from __future__ import annotations

from analysis.charts.drawing import Chart, draw_chart
from analysis.charts.framework import chart_framework, describe_framework, plot_framework
from analysis.charts.growth import (
    chart_classrooms,
    chart_slopes,
    describe_classrooms,
    describe_slopes,
    plot_slopes,
)
from analysis.charts.skills import (
    chart_skill_needs,
    describe_skill_needs,
    plot_skill_needs,
)

__all__ = [
    "Chart",
    "chart_classrooms",
    "chart_framework",
    "chart_skill_needs",
    "chart_slopes",
    "describe_classrooms",
    "describe_framework",
    "describe_skill_needs",
    "describe_slopes",
    "draw_chart",
    "plot_framework",
    "plot_skill_needs",
    "plot_slopes",
]
