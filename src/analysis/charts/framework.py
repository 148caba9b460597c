"""A map of the skills: what builds on what, with the class on it."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from analysis.charts.drawing import Chart, draw_chart
from analysis.language import Language
from analysis.theme import INK, LINE, MUTED, STATE_COLOUR
from analysis.words import SkillState

BOX_WIDTH, BOX_HEIGHT = 0.84, 0.74
"""Size of a skill's box, where columns and rows are 1 apart."""

LETTERS = 22
"""Letters on a line of a box."""

SWEEPS = 8
"""Passes that put a skill near what it builds on; more change nothing on our frameworks."""


def plot_framework(
    counts: pd.DataFrame, edges: Sequence[tuple[str, str]], names: dict[str, str], ax: Axes
) -> Axes:
    """Draw the prerequisite graph from left to right, each skill with the students on it.

    Parameters
    ----------
    counts
        One row a skill (index: skill id), in teaching order; a column (count of students)
        for each :class:`~analysis.words.SkillState`.
    edges
        Pairs (prerequisite, skill) among these skills.
    names
        What to write in each box.
    ax
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes; one arrow an edge, one box a skill. A box is filled from the left
        with the share who have the skill, then the not sure, then those who need it.
    """
    place = lay_out(list(counts.index), edges)
    for before, after in edges:
        (x0, y0), (x1, y1) = place[before], place[after]
        ax.add_patch(
            FancyArrowPatch(
                (x0 + BOX_WIDTH / 2, y0),
                (x1 - BOX_WIDTH / 2, y1),
                arrowstyle="-|>",
                mutation_scale=7,
                color=MUTED,
                linewidth=0.7,
                shrinkA=0,
                shrinkB=0,
                connectionstyle="arc3,rad=0",
                zorder=1,
            )
        )
    for (skill_id, (x, y)), (_, row) in zip(place.items(), counts.iterrows(), strict=True):
        _draw_box(ax, x, y, row, names[skill_id])
    xs, ys = zip(*place.values(), strict=True)
    ax.set_xlim(min(xs) - 0.5, max(xs) + 0.5)
    ax.set_ylim(max(ys) + 0.5, min(ys) - 0.5)
    ax.set_axis_off()
    return ax


def chart_framework(
    counts: pd.DataFrame,
    edges: Sequence[tuple[str, str]],
    names: dict[str, str],
    language: Language,
) -> Chart:
    """Return the chart of :func:`plot_framework`, as large as its boxes need."""
    places = lay_out(list(counts.index), edges).values()
    n_columns = 1 + int(max(x for x, _ in places))
    n_rows = max(y for _, y in places) - min(y for _, y in places) + 1
    return draw_chart(
        lambda ax: plot_framework(counts, edges, names, ax),
        alt=describe_framework(counts, names, language),
        width=1.75 * n_columns,
        height=0.82 * n_rows,
        margins=(0, 0, 0, 0),
    )


def describe_framework(counts: pd.DataFrame, names: dict[str, str], language: Language) -> str:
    """Say what the map of skills shows.

    Examples
    --------
    >>> from analysis.language import open_language
    >>> counts = pd.DataFrame({"has it": [9, 2], "not sure yet": 0, "needs it": [1, 8],
    ...                        "not assessed": 0}, index=["a", "b"])
    >>> describe_framework(counts, {"a": "Halves", "b": "Thirds"}, open_language("en"))
    'Map of 2 skills and what builds on what. Most of the class have Halves; most need Thirds.'
    """
    known = counts.drop(columns=SkillState.UNKNOWN).sum(axis=1)
    have = [names[k] for k in counts.index[counts[SkillState.HAS] > known / 2]]
    need = [names[k] for k in counts.index[counts[SkillState.NEEDS] > known / 2]]
    say = language.say
    said = language.say_n(
        "Map of {n} skill and what builds on what.",
        "Map of {n} skills and what builds on what.",
        len(counts),
    )
    none = say("none")
    held = say(
        "Most of the class have {has}; most need {needs}.",
        has=language.all_of(have) or none,
        needs=language.all_of(need) or none,
    )
    return f"{said} {held}"


def lay_out(
    skill_ids: Sequence[str], edges: Sequence[tuple[str, str]]
) -> dict[str, tuple[float, float]]:
    """Return a place for each skill: its column is the longest way to it, rows cross little.

    Rows follow the mean row of the neighbours, sweep by sweep (Sugiyama et al. 1981).

    Examples
    --------
    >>> lay_out(["a", "b", "c"], [("a", "b"), ("b", "c")])
    {'a': (0, 0.0), 'b': (1, 0.0), 'c': (2, 0.0)}
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(skill_ids)
    graph.add_edges_from(edges)
    column = dict.fromkeys(skill_ids, 0)
    for k in nx.topological_sort(graph):
        column[k] = max((column[j] + 1 for j in graph.predecessors(k)), default=0)
    columns = [[k for k in skill_ids if column[k] == c] for c in range(max(column.values()) + 1)]
    row = {k: float(place) for part in columns for place, k in enumerate(part)}
    for sweep in range(SWEEPS):
        near = graph.predecessors if sweep % 2 == 0 else graph.successors
        for part in columns if sweep % 2 == 0 else columns[::-1]:
            wish = {k: float(np.mean([row[j] for j in near(k)] or [row[k]])) for k in part}
            part.sort(key=skill_ids.index)
            part.sort(key=wish.__getitem__)
            row |= {k: float(place) for place, k in enumerate(part)}
    longest = max(len(part) for part in columns)
    return {k: (column[k], row[k] + (longest - len(columns[column[k]])) / 2) for k in skill_ids}


def _draw_box(ax: Axes, x: float, y: float, row: pd.Series, name: str) -> None:
    left, low = x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2
    known = max(1, int(row.drop(SkillState.UNKNOWN).sum()))
    start = left
    ax.add_patch(Rectangle((left, low), BOX_WIDTH, BOX_HEIGHT, facecolor="white", zorder=2))
    for state in (SkillState.HAS, SkillState.NOT_SURE, SkillState.NEEDS):
        width = BOX_WIDTH * row[state] / known
        ax.add_patch(Rectangle((start, low), width, 0.14, facecolor=STATE_COLOUR[state], zorder=3))
        start += width
    edge = Rectangle((left, low), BOX_WIDTH, BOX_HEIGHT, fill=False, edgecolor=LINE, zorder=4)
    ax.add_patch(edge)
    lines = wrap(name, LETTERS, max_lines=3, placeholder=" …")
    ax.text(left + 0.03, low + 0.18, "\n".join(lines), fontsize=7, va="top", color=INK, zorder=5,
            linespacing=1.05)  # fmt: skip
    asked = int(row.drop(SkillState.UNKNOWN).sum())
    said = f"{row[SkillState.HAS]} / {asked}" if asked else "–"
    ax.text(left + BOX_WIDTH - 0.03, low + BOX_HEIGHT - 0.03, said, fontsize=7, ha="right",
            va="bottom", color=MUTED, zorder=5)  # fmt: skip
