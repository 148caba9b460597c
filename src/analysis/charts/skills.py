"""A classroom's skills: how many need each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.charts.drawing import Chart, draw_chart
from analysis.language import Language
from analysis.theme import MUTED, STATE_COLOUR, STATE_INK, STATE_MARK
from analysis.words import SkillState

DRAWN_STATES = [SkillState.HAS, SkillState.NOT_SURE, SkillState.NEEDS]

LONGEST_LABEL = 58
"""Signs of a skill's name beside a bar: more would leave no room for the bars."""

INCHES_A_SIGN = 0.073
"""Width of a sign of a label in the widest usual letters: a label must not run out on the left."""


def plot_skill_needs(counts: pd.DataFrame, ax: Axes, *, language: Language) -> Axes:
    """Draw, for each skill, how many students have it, may have it, need it.

    Parameters
    ----------
    counts
        One row a skill, in the order to draw from top to bottom, the index its label; a
        column (count of students) for each state of
        :class:`~analysis.words.SkillState`.
    ax
        Where to draw.
    language
        Of the words on the chart.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes; one bar container a state.
    """
    rows = np.arange(len(counts))
    left = np.zeros(len(counts))
    for state in DRAWN_STATES:
        n = counts[state].to_numpy()
        ax.barh(rows, n, left=left, height=0.74, color=STATE_COLOUR[state], label=state)
        for row, count, start in zip(rows.tolist(), n, left, strict=True):
            if count:
                ax.text(
                    start + count / 2,
                    row,
                    # A mark and a number need the room of two students.
                    f"{STATE_MARK[state]} {count}" if count > 1 else f"{count}",
                    ha="center",
                    va="center_baseline",
                    color=STATE_INK[state],
                    fontsize=8,
                )
        left += n
    for row, unknown in enumerate(counts[SkillState.UNKNOWN]):
        if unknown:
            said = language.say("{n} not assessed", n=unknown)
            ax.text(left[row] + 0.15, row, said, va="center_baseline", color=MUTED, fontsize=8)
    ax.set_yticks(rows, [_label(name) for name in counts.index])
    ax.set_ylim(len(counts) - 0.5, -0.5)
    ax.set_xlim(0, max(1, counts.sum(axis=1).max()))
    ax.set_xticks([])
    ax.spines[["bottom", "left"]].set_visible(False)
    return ax


def chart_skill_needs(counts: pd.DataFrame, language: Language) -> Chart:
    """Return the chart of :func:`plot_skill_needs` at the size of a page's column."""
    longest = max((len(_label(name)) for name in counts.index), default=0)
    return draw_chart(
        lambda ax: plot_skill_needs(counts, ax, language=language),
        alt=describe_skill_needs(counts, language),
        width=7.4,
        height=0.26 * len(counts) + 0.1,
        margins=(INCHES_A_SIGN * longest + 0.1, 0.05, 0.9, 0.05),
    )


def _label(name: str) -> str:
    """Return a name that fits beside a bar; the table under the chart has all of it."""
    return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1].rstrip()}…"


def describe_skill_needs(counts: pd.DataFrame, language: Language) -> str:
    """Say what the chart of skill needs shows.

    Examples
    --------
    >>> counts = pd.DataFrame({"has it": [1, 9], "not sure yet": [0, 1], "needs it": [9, 0],
    ...                        "not assessed": [0, 0]}, index=["Fractions", "Counting"])
    >>> from analysis.language import open_language
    >>> describe_skill_needs(counts, open_language("en"))
    'Students by skill. Most needed: Fractions (9 students). Most have: Counting (9 students).'
    """
    needed = counts[counts[SkillState.NEEDS] > 0].nlargest(3, SkillState.NEEDS)
    held = counts[counts[SkillState.HAS] > 0].nlargest(1, SkillState.HAS)
    parts = [language.say("Students by skill.")]
    if len(needed):
        named = _counted(needed[SkillState.NEEDS], language)
        parts.append(language.say("Most needed: {skills}.", skills=language.all_of(named)))
    if len(held):
        named = _counted(held[SkillState.HAS], language)
        parts.append(language.say("Most have: {skills}.", skills=language.all_of(named)))
    return " ".join(parts)


def _counted(counts: pd.Series, language: Language) -> list[str]:
    return [
        f"{skill} ({language.say_n('{n} student', '{n} students', int(n))})"
        for skill, n in counts.items()
    ]
