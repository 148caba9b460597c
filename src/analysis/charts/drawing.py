"""A drawn chart: a picture whose text is text, and the sentence a screen reader says."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.theme import chart_style


@dataclass(frozen=True)
class Chart:
    """A drawn chart and what it shows in one or two sentences.

    Parameters
    ----------
    svg
        The picture; its text is text.
    alt
        The finding, for those who cannot see the picture. Never empty.
    width, height
        Size in CSS pixels.
    """

    svg: bytes
    alt: str
    width: int
    height: int

    def __html__(self) -> str:
        return self._repr_html_()

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.svg).decode()
        return (
            f'<img class="chart" width="{self.width}" height="{self.height}" '
            f'alt="{escape(self.alt)}" src="data:image/svg+xml;base64,{data}">'
        )


def draw_chart(
    plot: Callable[[Axes], Axes],
    *,
    alt: str,
    width: float,
    height: float,
    margins: tuple[float, float, float, float],
) -> Chart:
    """Draw a chart at the size it is shown at.

    Parameters
    ----------
    plot
        Draws on the axes it is given.
    alt
        The finding in words.
    width, height
        Size in inches.
    margins
        Room for labels in inches: left, bottom, right, top. Given, not measured: a tight
        layout would draw everything twice.

    Examples
    --------
    >>> draw_chart(lambda ax: ax, alt="Nothing.", width=2, height=1, margins=(0, 0, 0, 0)).width
    192
    """
    left, bottom, right, top = margins
    box = (
        left / width,
        bottom / height,
        1 - (left + right) / width,
        1 - (bottom + top) / height,
    )
    return draw_figure(
        lambda figure: plot(figure.add_axes(box)), alt=alt, width=width, height=height
    )


def draw_figure(
    plot: Callable[[Figure], object], *, alt: str, width: float, height: float
) -> Chart:
    """Draw on a whole figure, for charts of several axes; else as :func:`draw_chart`."""
    file = io.BytesIO()
    with chart_style():
        figure = Figure(figsize=(width, height))
        plot(figure)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    css = 96
    return Chart(file.getvalue(), alt, round(width * css), round(height * css))
