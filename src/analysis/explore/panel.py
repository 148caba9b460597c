"""What all panels share: choosers, a line for what went wrong, views that follow the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from analysis.charts import Chart
from analysis.classroom import Classroom
from analysis.errors import AnalysisError
from analysis.explore.desk import Desk
from analysis.explore.live import is_live
from analysis.language import Language
from analysis.rendering.blocks import Block, stylesheet

if TYPE_CHECKING:  # needed where somebody can touch them only
    from ipywidgets import Widget

LAB_STYLE = """
.coach-panel .jupyter-widgets, .coach-panel { overflow: visible; }
.coach-view { overflow: auto; }
.coach-view .widget-html-content, .coach-panel .widget-html-content { line-height: 1.4; }
.facts dt, .facts dd { float: none !important; width: auto !important; }
.coach-message { min-height: 1.6rem; }
.coach-message p { white-space: pre-line; margin: 0; padding: .35rem .7rem; }
"""


class Panel:
    """Controls and views of one desk; a static twin where nobody can touch them.

    Parameters
    ----------
    classroom
        To begin with.
    desk
        To work on, where several panels share one.
    live
        Whether to show controls; ``None`` finds out.
    """

    def __init__(self, classroom: Classroom, *, desk: Desk | None = None, live: bool | None = None):
        self.live = is_live() if live is None else live
        self.desk = desk or Desk(classroom)
        self._views: list[tuple[Widget, Callable[[], str]]] = []
        self._filling = False
        self._widget = self._build_panel() if self.live else None
        if self.live:
            self.desk.on_change(self.refresh)
            self.refresh()

    @property
    def classroom(self) -> Classroom:
        """The classroom as it is shown now."""
        return self.desk.classroom

    @property
    def language(self) -> Language:
        """Of what is said."""
        return self.classroom.language

    def static(self) -> Block:
        """Return the view that stands in place of the controls on paper."""
        raise NotImplementedError

    def build(self) -> list[Widget]:
        """Return the panel's own rows of widgets."""
        raise NotImplementedError

    def fill(self) -> None:
        """Put what the desk says into the controls."""

    def refresh(self) -> None:
        """Show what the desk says now."""
        with self._quietly():
            self._fill_choosers()
            self.fill()
            for view, make in self._views:
                view.value = make()
        self.tell(self.desk.trouble)

    def view(self, make: Callable[[], str], **layout: str) -> Widget:
        """Return an HTML view that is made anew whenever the desk changes."""
        from ipywidgets import HTML, Layout

        view = HTML(layout=Layout(**layout))
        view.add_class("coach-view")
        self._views.append((view, make))
        return view

    def follow(self, name: str) -> Block | Chart | Shown:
        """Return a part of the classroom, such as ``"others"``, that follows this panel.

        Parameters
        ----------
        name
            Of a ``show_…`` method of :class:`~analysis.classroom.Classroom`, or of a
            ``chart_…`` method as it is.
        """
        show = name if name.startswith("chart_") else f"show_{name}"
        if not self.live:
            part: Block | Chart = getattr(self.classroom, show)()
            return part
        view = self.view(lambda: getattr(self.classroom, show)()._repr_html_(), max_height="none")
        view.value = self._views[-1][1]()
        return Shown(view, self.language.say("Open this notebook in JupyterLab."))

    def act(self, do: Callable[[], None], done: str = "") -> None:
        """Do what a coach asked for; say in a sentence when it cannot be done."""
        try:
            do()
        except AnalysisError as error:
            self.refresh()
            self.tell(self.desk.in_names(error))
        else:
            self.tell(done or self.desk.trouble, well=bool(done))

    def tell(self, text: str, *, well: bool = False) -> None:
        """Say one thing to the coach, also to a screen reader."""
        kind = "said" if well else "note"
        said = f'<p class="{kind}" role="status">{escape(text)}</p>' if text else ""
        self._message.value = said

    def when_set(self, widget: Widget, do: Callable[[Any], None]) -> None:
        """Do something when a coach, and not the panel itself, sets a control."""

        def on_value(change: dict[str, Any]) -> None:
            if not self._filling:
                self.act(lambda: do(change["new"]))

        widget.observe(on_value, names="value")

    def button(self, text: str, do: Callable[[], None], done: str = "", **how: object) -> Widget:
        """Return a button that says what it does."""
        from ipywidgets import Button, Layout

        button = Button(description=text, layout=Layout(width="auto"), **how)
        button.on_click(lambda _: self.act(do, done))
        return button

    # -- how ------------------------------------------------------------------------------

    def _build_panel(self) -> Widget:
        from ipywidgets import HTML, VBox

        self._message = HTML()
        self._message.add_class("coach-message")
        panel = VBox([page_style(), self._choosers(), self._message, *self.build()])
        panel.add_class("coach-panel")
        return panel

    def _choosers(self) -> Widget:
        from ipywidgets import Dropdown, HBox, Layout

        say, wide = self.language.say, Layout(width="auto", min_width="14rem")
        short = {"description_width": "auto"}
        self._classroom = Dropdown(description=say("Classroom"), layout=wide, style=short)
        self._window = Dropdown(description=say("Window"), layout=wide, style=short)
        self.when_set(self._classroom, lambda one: self.desk.open(one, self.classroom.window))
        self.when_set(self._window, lambda one: self.desk.open(self.classroom.classroom_id, one))
        row = HBox([self._classroom, self._window, *self.beside_choosers()])
        row.layout.flex_flow = "row wrap"
        return row

    def beside_choosers(self) -> list[Widget]:
        """Return widgets to stand beside the choosers."""
        return []

    def _fill_choosers(self) -> None:
        set_options(self._classroom, self.desk.classroom_ids, self.classroom.classroom_id)
        set_options(self._window, self.desk.windows, self.classroom.window)

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        self._filling, before = True, self._filling
        try:
            yield
        finally:
            self._filling = before

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if self._widget is None:
            return {"text/html": self.static().html, "text/plain": type(self).__name__}
        return shown_bundle(self._widget, self.language.say("Open this notebook in JupyterLab."))


class Shown:
    """A widget as a cell's output, without its content in the notebook's file."""

    def __init__(self, widget: Widget, otherwise: str):
        self.widget, self._otherwise = widget, otherwise

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return shown_bundle(self.widget, self._otherwise)


def shown_bundle(widget: Widget, otherwise: str) -> dict[str, Any]:
    """Return what a notebook keeps of a widget: where to find it while it lives, no content."""
    kept = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": kept, "text/plain": otherwise}


def set_options(chooser: Widget, options: list[Any], value: object) -> None:
    """Give a chooser its options, only where they are others: each change is a message."""
    if list(chooser.options) != options:
        chooser.options = options
    if chooser.value != value:
        chooser.value = value


def page_style() -> Widget:
    """Return the pages' look for our own views, and nothing else of JupyterLab's."""
    from ipywidgets import HTML

    # Lab's own names of where a cell's HTML is shown; our own views have ours.
    scope = "@scope (.coach-panel, .coach-view, .jp-RenderedHTML)"
    return HTML(f"<style>{scope} {{ {stylesheet()} }} {LAB_STYLE}</style>")
