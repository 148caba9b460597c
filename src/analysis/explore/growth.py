"""The panel of growth: what a classroom gained and may have lost since an earlier window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.classroom import Classroom
from analysis.explore.desk import Desk
from analysis.explore.panel import Panel
from analysis.rendering.blocks import Block

if TYPE_CHECKING:
    from ipywidgets import Widget


def explore_growth(
    classroom: Classroom, *, desk: Desk | None = None, live: bool | None = None
) -> GrowthPanel:
    """Return the panel of what changed; as :func:`~analysis.explore.explore_groups`.

    Without controls it is what changed as a report shows it.
    """
    return GrowthPanel(classroom, desk=desk, live=live)


class GrowthPanel(Panel):
    """A classroom, a window, and what changed since the one before."""

    def static(self) -> Block:
        """Return what changed as the report shows it."""
        return self.classroom.show_changes()

    def build(self) -> list[Widget]:
        """Return the view below the choosers."""
        return [self.view(lambda: self.classroom.show_changes().html, max_height="none")]
