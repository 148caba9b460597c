"""One look for charts and pages: colours, type, sizes.

The colours stay apart for every kind of colour blindness and in a grey print (their
lightness differs), and no meaning rests on colour alone: each state has a mark too.
Contrast of every text colour on white is at least 4.5 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from analysis.words import SkillState

INK = "#1b1f24"
MUTED = "#57606a"
LINE = "#d0d7de"
PAPER = "#ffffff"
ACCENT = "#0b4f8a"
TINT = "#eef4fa"
WARN = "#8a4b00"
WARN_TINT = "#fdf3e4"

STATE_COLOUR = {
    SkillState.HAS: "#1f5f99",
    SkillState.NOT_SURE: "#d3e3f1",
    SkillState.NEEDS: "#f6b26b",
    SkillState.UNKNOWN: "#ffffff",
}
STATE_INK = {
    SkillState.HAS: "#ffffff",
    SkillState.NOT_SURE: INK,
    SkillState.NEEDS: INK,
    SkillState.UNKNOWN: MUTED,
}
STATE_MARK = {
    SkillState.HAS: "✓",
    SkillState.NOT_SURE: "?",
    SkillState.NEEDS: "○",
    SkillState.UNKNOWN: "",
}

CHART_FONTS = ["DejaVu Sans", "Noto Sans", "Roboto", "Arial", "sans-serif"]
"""The first that a machine has. Text stays text in our SVGs, so a browser may also take
any other font for a script these do not cover."""


def first_font() -> str | None:
    """Return the font that charts are drawn in on this machine; none where it has none.

    Examples
    --------
    >>> first_font() in CHART_FONTS
    True
    """
    from matplotlib.font_manager import fontManager

    known = {font.name for font in fontManager.ttflist}
    return next((font for font in CHART_FONTS if font in known), None)


@contextmanager
def chart_style() -> Iterator[None]:
    """Draw in our look: same input, same bytes; a name is never read as a formula."""
    import matplotlib as mpl  # pages need the colours and draw nothing

    with mpl.rc_context(
        {
            "font.family": "sans-serif",
            "font.sans-serif": CHART_FONTS,
            "font.size": 9,
            "text.parse_math": False,
            "text.color": INK,
            "axes.edgecolor": LINE,
            "axes.labelcolor": INK,
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "figure.facecolor": PAPER,
            "svg.fonttype": "none",
            "svg.hashsalt": "coachs-notebook",
        }
    ):
        yield
