"""A classroom's skills: how many need each, and which student has which."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.charts.drawing import Chart, draw_chart
from analysis.language import Language
from analysis.theme import INK, LINE, MUTED, STATE_COLOUR, STATE_INK, STATE_MARK
from analysis.words import SkillState

DRAWN_STATES = [SkillState.HAS, SkillState.NOT_SURE, SkillState.NEEDS]

LONGEST_LABEL = 62
"""Signs of a skill's name beside a bar: more would leave no room for the bars."""

INCHES_A_SIGN = 0.066
"""Width of a sign of a label, wide ones among them."""


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


def plot_skill_map(states: pd.DataFrame, ax: Axes) -> Axes:
    """Draw which student has which skill: a colour and a mark a cell.

    Parameters
    ----------
    states
        :class:`~analysis.words.SkillState` values, one row a student and one column a
        skill, in the order to draw; index and columns are the labels.
    ax
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes; one scatter collection a state that occurs.
    """
    order = list(SkillState)
    codes = states.apply(lambda column: column.map(order.index)).to_numpy()
    colours = np.array([[_rgb(STATE_COLOUR[state]) for state in order]])[0]
    ax.imshow(colours[codes], aspect="auto", interpolation="nearest")
    for code, state in enumerate(order):
        rows, columns = np.nonzero(codes == code)
        if len(rows) and STATE_MARK[state]:
            ax.scatter(
                columns, rows, s=22, color=STATE_INK[state], linewidths=0.2, label=state,
                marker=f"${STATE_MARK[state]}$",
            )  # fmt: skip
    ax.set_yticks(range(len(states)), states.index)
    ax.set_xticks(range(states.shape[1]), states.columns, rotation=60, ha="left", va="bottom")
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(-0.5, states.shape[1]), minor=True)
    ax.set_yticks(np.arange(-0.5, len(states)), minor=True)
    ax.grid(which="minor", color=LINE, linewidth=0.6)
    ax.tick_params(which="minor", length=0)
    ax.tick_params(colors=INK)
    ax.spines[:].set_visible(False)
    return ax


def chart_skill_map(states: pd.DataFrame, language: Language) -> Chart:
    """Return the chart of :func:`plot_skill_map`, large enough to read every label."""
    return draw_chart(
        lambda ax: plot_skill_map(states, ax),
        alt=describe_skill_map(states, language),
        width=2.6 + 0.3 * states.shape[1],
        height=2.3 + 0.24 * len(states),
        margins=(1.9, 0.1, 0.7, 2.2),
    )


def describe_skill_map(states: pd.DataFrame, language: Language) -> str:
    """Say what the chart of the skill map shows.

    Examples
    --------
    >>> from analysis.language import open_language
    >>> states = pd.DataFrame({"a": ["has it", "needs it"]}, index=["Ana", "Bo"])
    >>> describe_skill_map(states, open_language("en"))
    'Map of 2 students by 1 skill: 50% has it, 0% not sure yet, 50% needs it, 0% not assessed.'
    """
    share = states.stack().value_counts(normalize=True)  # noqa: PD013
    parts = [
        f"{language.percent(share.get(str(state), 0.0))} {language.say(state)}"
        for state in SkillState
    ]
    students = language.say_n("{n} student", "{n} students", len(states))
    skills = language.say_n("{n} skill", "{n} skills", states.shape[1])
    return language.say(
        "Map of {students} by {skills}: {shares}.",
        students=students,
        skills=skills,
        shares=", ".join(parts),
    )


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red / 255, green / 255, blue / 255
