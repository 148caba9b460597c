"""Growth drawn as slopes: one classroom's skills, or many classrooms beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.drawing import Chart, draw_chart, draw_figure
from analysis.language import Language
from analysis.rows import walk_rows
from analysis.theme import ACCENT, INK, LINE, MUTED, WARN

LEAST_SPAN = 0.3
"""Least part of the scale that is drawn: a small change does not look like a large one."""

FEWEST_LINES = 10
"""The scale is divided among at least so many labels, so that each can be read."""

A_ROW = 5
"""Small charts side by side on a page's column."""

SAYS_MORE = {"more": ACCENT, "less": WARN}
"""Colour of what stands out; everything else stays grey."""


def plot_slopes(slopes: pd.DataFrame, ax: Axes, *, ends: Sequence[str]) -> Axes:
    """Draw a line for each row from its share before to its share now.

    Parameters
    ----------
    slopes
        One row a line, the index its label: ``before`` and ``now`` (share, 0 to 1), and
        ``stands_out`` (``"more"``, ``"less"`` or empty): what may be said of the change.
    ax
        Where to draw.
    ends
        The two windows' names.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes; one line a row, in the order of the table.
    """
    for row in walk_rows(slopes):
        colour = SAYS_MORE.get(row.stands_out, MUTED)
        width, front = (2.0, 3) if row.stands_out else (1.0, 2)
        ax.plot(
            [0, 1],
            [row.before, row.now],
            color=colour,
            linewidth=width,
            marker="o",
            markersize=4,
            zorder=front,
            label=row.Index,
        )
    ends_of_text = [_label(slopes, ax, place) for place in (0, 1)]
    heights = np.concatenate([*ends_of_text, slopes[["before", "now"]].to_numpy().ravel()])
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(heights.min() - 0.03, heights.max() + 0.03)
    ax.set_xticks([0, 1], ends)
    ax.xaxis.tick_top()
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.vlines([0, 1], heights.min(), heights.max(), color=LINE, linewidth=0.8, zorder=1)
    return ax


def chart_slopes(slopes: pd.DataFrame, ends: Sequence[str], language: Language) -> Chart:
    """Return the chart of :func:`plot_slopes` with room for long labels."""
    return draw_chart(
        lambda ax: plot_slopes(slopes, ax, ends=ends),
        alt=describe_slopes(slopes, ends, language),
        width=7.4,
        height=max(2.6, 0.6 + 0.23 * len(slopes)),
        margins=(0.5, 0.1, 4.2, 0.35),
    )


def describe_slopes(slopes: pd.DataFrame, ends: Sequence[str], language: Language) -> str:
    """Say what the slopes show.

    Examples
    --------
    >>> from analysis.language import open_language
    >>> slopes = pd.DataFrame({"before": [0.2, 0.5], "now": [0.7, 0.5],
    ...     "stands_out": ["more", ""]}, index=["Fractions", "Counting"])
    >>> describe_slopes(slopes, ["fall", "spring"], open_language("en"))
    'Share of students from fall to spring. More now: Fractions (20% to 70%).'
    """
    before, now = ends
    parts = [language.say("Share of students from {before} to {now}.", before=before, now=now)]
    more = slopes[slopes["stands_out"] == "more"]
    less = slopes[slopes["stands_out"] == "less"]
    if len(more):
        parts.append(language.say("More now: {skills}.", skills=_steps(more, language)))
    if len(less):
        parts.append(language.say("Fewer now: {skills}.", skills=_steps(less, language)))
    if not len(more) and not len(less):
        parts.append(language.say("No change is large enough to be sure of."))
    return " ".join(parts)


def chart_classrooms(
    classrooms: dict[str, pd.Series], notes: dict[str, str], language: Language, *, highest: float
) -> Chart:
    """Return one small chart a classroom: mean skills held, window by window.

    Parameters
    ----------
    classrooms
        For each label, mean skills held (count) by window, missing where not measured.
    notes
        For each label, ``"more"`` or ``"less"`` where the growth stands out, or empty.
    language
        Of the words.
    highest
        Top of every small chart's scale (skills), the same for all.
    """
    n_rows = -(-len(classrooms) // A_ROW)
    return draw_figure(
        lambda figure: _plot_classrooms(figure, classrooms, notes, highest, n_rows),
        alt=describe_classrooms(classrooms, notes, language),
        width=7.4,
        height=0.2 + 1.15 * n_rows,
    )


def describe_classrooms(
    classrooms: dict[str, pd.Series], notes: dict[str, str], language: Language
) -> str:
    """Say what the small charts show.

    Examples
    --------
    >>> from analysis.language import open_language
    >>> growth = {"4a": pd.Series([3.0, 5.0]), "4b": pd.Series([3.0, 3.1])}
    >>> describe_classrooms(growth, {"4a": "", "4b": "less"}, open_language("en"))
    'Mean skills held by window, 2 classrooms. Less growth than students who started alike: 4b.'
    """
    n = len(classrooms)
    parts = [
        language.say_n(
            "Mean skills held by window, {n} classroom.",
            "Mean skills held by window, {n} classrooms.",
            n,
        )
    ]
    less = [name for name in classrooms if notes.get(name) == "less"]
    more = [name for name in classrooms if notes.get(name) == "more"]
    if less:
        said = language.all_of(less)
        parts.append(
            language.say(
                "Less growth than students who started alike: {classrooms}.", classrooms=said
            )
        )
    if more:
        said = language.all_of(more)
        parts.append(
            language.say(
                "More growth than students who started alike: {classrooms}.", classrooms=said
            )
        )
    return " ".join(parts)


def spread_apart(heights: np.ndarray, least: float) -> np.ndarray:
    """Return heights moved as little as needed to stay ``least`` apart, in their order.

    Examples
    --------
    >>> spread_apart(np.array([0.5, 0.5, 0.9]), 0.1).round(2).tolist()
    [0.45, 0.55, 0.9]
    """
    order = np.argsort(heights, kind="stable")
    placed = heights[order].astype(float)
    # Neighbours that touch make a block, and a block stands at the mean of its members.
    blocks = [[place] for place in range(len(placed))]
    centre = [float(height) for height in placed]
    k = 0
    while k < len(blocks) - 1:
        half = least * (len(blocks[k]) + len(blocks[k + 1])) / 2
        if centre[k + 1] - centre[k] >= half - 1e-12:
            k += 1
            continue
        blocks[k] += blocks.pop(k + 1)
        centre.pop(k + 1)
        centre[k] = float(placed[blocks[k]].mean())
        k = max(0, k - 1)
    moved = np.empty(len(placed))
    for block, middle in zip(blocks, centre, strict=True):
        offsets = (np.arange(len(block)) - (len(block) - 1) / 2) * least
        moved[order[block]] = middle + offsets
    return moved


def _label(slopes: pd.DataFrame, ax: Axes, place: int) -> np.ndarray:
    """Write the shares at one end, at the other end the labels too; return their heights."""
    shares = slopes["now" if place else "before"].to_numpy(float)
    span = slopes[["before", "now"]].to_numpy().max() - slopes[["before", "now"]].to_numpy().min()
    heights = spread_apart(shares, max(span, LEAST_SPAN) / max(len(shares), FEWEST_LINES))
    for row, share, height in zip(walk_rows(slopes), shares, heights, strict=True):
        ax.text(
            place + (0.04 if place else -0.04),
            height,
            f"{share:.0%}  {row.Index}" if place else f"{share:.0%}",
            ha="left" if place else "right",
            va="center_baseline",
            fontsize=8,
            color=SAYS_MORE.get(row.stands_out, INK),
            fontweight="bold" if row.stands_out and place else "normal",
        )
    return heights


def _plot_classrooms(
    figure: Figure,
    classrooms: dict[str, pd.Series],
    notes: dict[str, str],
    highest: float,
    n_rows: int,
) -> None:
    axes = figure.subplots(n_rows, A_ROW, squeeze=False, sharey=True)
    figure.subplots_adjust(left=0.03, right=0.99, bottom=0.03, top=0.93, hspace=0.55, wspace=0.25)
    for ax in axes.flat[len(classrooms) :]:
        ax.set_visible(False)
    for ax, (name, held) in zip(axes.flat, classrooms.items(), strict=False):
        colour = SAYS_MORE.get(notes.get(name, ""), MUTED)
        known = held.dropna()
        places = [list(held.index).index(one) for one in known.index]
        ax.plot(places, known, color=colour, linewidth=2, marker="o", markersize=3.5)
        for place, value in zip(places, known, strict=True):
            ax.annotate(
                f"{value:.1f}",
                (place, value),
                xytext=(0, 4),
                ha="center",
                fontsize=7,
                textcoords="offset points",
                color=INK,
            )
        ax.set_title(name, fontsize=8, loc="left", pad=5, color=colour if colour != MUTED else INK)
        ax.set_xlim(-0.4, len(held) - 0.6)
        ax.set_ylim(0, highest * 1.15)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)


def _steps(slopes: pd.DataFrame, language: Language) -> str:
    """Return each skill with its shares before and now, as a list in a sentence."""
    said = []
    for row in walk_rows(slopes):
        low, high = language.percent(row.before), language.percent(row.now)
        said.append(f"{row.Index} ({language.say('{low} to {high}', low=low, high=high)})")
    return language.all_of(said)
