"""The panel of a caseload: who could meet in a shared block of a grade."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from analysis.caseload import Caseload
from analysis.errors import AnalysisError
from analysis.explore.live import is_live
from analysis.explore.panel import page_style, shown_bundle
from analysis.files import natural_key

if TYPE_CHECKING:  # needed where somebody can touch them only
    from ipywidgets import Widget

MOST_ADULTS, MOST_ROOM = 40, 40


def explore_caseload(
    caseload: Caseload,
    *,
    grade: str | None = None,
    n_adults: int = 4,
    room: int = 12,
    live: bool | None = None,
) -> CaseloadPanel:
    """Return the panel of a coach's classrooms.

    Parameters
    ----------
    caseload
        Opened for a coach and a window.
    grade
        Whose classrooms share a block; ``None``: the first there is.
    n_adults
        Adults who can teach a group at that time.
    room
        Most students in a group.
    live
        Whether to show controls; ``None`` finds out. Without them it is the same views.
    """  # fmt: skip
    return CaseloadPanel(caseload, grade, n_adults, room, is_live() if live is None else live)


class CaseloadPanel:
    """A grade, the adults and the rooms there are, and the groups that follow."""

    def __init__(self, caseload: Caseload, grade: str | None, n_adults: int, room: int, live: bool):
        self.caseload = caseload
        self.grades = sorted(caseload.roster["grade"].dropna().unique(), key=natural_key)
        self.grade = grade if grade is not None or not self.grades else self.grades[0]
        self.n_adults, self.room = n_adults, room
        self._widget = self._build() if live else None

    @property
    def html(self) -> str:
        """What the panel shows below its controls; one sentence where it cannot be done."""
        if self.grade is None:
            said = self.caseload.language.say("The roster names no grades.")
            return f'<p class="note" role="status">{escape(said)}</p>'
        try:
            return self.caseload.show_grade_groups(
                self.grade, n_adults=self.n_adults, room=self.room
            ).html
        except AnalysisError as error:
            return f'<p class="note" role="status">{escape(str(error))}</p>'

    def choose(self, **chosen: object) -> None:
        """Set the grade, the adults or the room, and show what follows."""
        self.__dict__.update(chosen)
        if self._widget is not None:
            self._view.value = self.html

    def _build(self) -> Widget:
        from ipywidgets import HTML, BoundedIntText, Dropdown, HBox, VBox

        say = self.caseload.language.say
        short = {"description_width": "auto"}
        controls = {
            "grade": Dropdown(
                options=self.grades, value=self.grade, description=say("Grade"), style=short
            ),
            "n_adults": BoundedIntText(
                self.n_adults, min=1, max=MOST_ADULTS, description=say("Adults"), style=short
            ),
            "room": BoundedIntText(
                self.room, min=1, max=MOST_ROOM, description=say("Most in a group"), style=short
            ),
        }
        for name, control in controls.items():
            control.observe(lambda new, name=name: self.choose(**{name: new["new"]}), names="value")
        self._view = HTML(self.html)
        self._view.add_class("coach-view")
        row = HBox(list(controls.values()))
        row.layout.flex_flow = "row wrap"
        panel = VBox([page_style(), row, self._view])
        panel.add_class("coach-panel")
        return panel

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if self._widget is None:
            return {"text/html": self.html, "text/plain": type(self).__name__}
        otherwise = self.caseload.language.say("Open this notebook in JupyterLab.")
        return shown_bundle(self._widget, otherwise)
