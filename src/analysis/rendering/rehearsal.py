"""What every report does first and what comes out the same for all: done once, before the fork.

Nothing is read of any classroom, nothing of it can differ from report to report, and no
thread starts. What is kept is the calibrations, which hold no student's data, and what the
libraries keep themselves: compiled templates, the words and formats of each language, fonts
and their measures, checks of arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from analysis.charts.drawing import draw_chart
from analysis.errors import DataError
from analysis.grouping.value import bridge_prerequisites
from analysis.language import languages, open_language
from analysis.mastery import Calibration
from analysis.mastery.structure import read_prerequisites, topological_order
from analysis.rendering.blocks import compile_blocks
from analysis.store.calibrations import method_digest

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def rehearse(calibrations: Iterable[str] = ()) -> None:
    """Have this process, and every fork of it, remember what all reports need.

    Parameters
    ----------
    calibrations
        Files of calibrations that reports will open. One that is gone by then is let go.
    """
    for file in calibrations:
        with suppress(OSError, DataError):
            Calibration.load(file)
    compile_blocks()
    for code in languages():
        language = open_language(code)
        language.all_of(["1", "2"])
        language.day(date(2000, 1, 1))
        language.month(date(2000, 1, 1))
        language.number(1.5)
        language.percent(0.5)
    with suppress(ImportError):  # scikit-learn asks it whether an array is a table
        from narwhals.stable.v2.dependencies import is_into_dataframe

        is_into_dataframe(())
    # What made a calibration is the same for all, also when a file changes meanwhile.
    method_digest()
    # networkx compiles each of its functions when it is first called.
    bridge_prerequisites([("a", "b")], ["a", "b"])
    topological_order(read_prerequisites([(0, 1)], [0, 1]))
    draw_chart(_every_kind_of_mark, alt="-", width=1, height=1, margins=(0.3, 0.3, 0, 0))


def _every_kind_of_mark(ax: Axes) -> Axes:
    ax.barh([0], [1])
    ax.plot([0, 1], [0, 1], marker="o")
    ax.text(0.5, 0.5, "✓ ? 12", fontsize=8)
    return ax
