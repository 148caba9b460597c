"""The panel of mastery: which skills a classroom has shown, for the skills one asks about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.classroom import Classroom
from analysis.explore.desk import Desk
from analysis.explore.panel import Panel, set_options
from analysis.rendering.blocks import Block

if TYPE_CHECKING:
    from ipywidgets import Widget


def explore_mastery(
    classroom: Classroom, *, desk: Desk | None = None, live: bool | None = None
) -> MasteryPanel:
    """Return the panel of what a classroom has shown; as :func:`~analysis.explore.explore_groups`.

    Without controls it is the map of students and skills as a report shows it.
    """
    return MasteryPanel(classroom, desk=desk, live=live)


class MasteryPanel(Panel):
    """Skills to look at, and who has them; made by :func:`explore_mastery`."""

    def static(self) -> Block:
        """Return the map as the report shows it."""
        return self.classroom.show_skill_map()

    def build(self) -> list[Widget]:
        """Return what to look at above the map."""
        from ipywidgets import BoundedIntText, Dropdown, HBox

        say, short = self.language.say, {"description_width": "auto"}
        self._subject = Dropdown(description=say("Skills"), style=short, options=[("", "")])
        self._least = BoundedIntText(
            value=0, min=0, max=40, description=say("Asked of at least"), style=short
        )
        for chooser in (self._subject, self._least):
            chooser.observe(lambda _: None if self._filling else self.refresh(), names="value")
        row = HBox([self._subject, self._least])
        row.layout.flex_flow = "row wrap"
        return [row, self.view(self._shown, max_height="none")]

    def fill(self) -> None:
        """Offer the parts of the framework this classroom was asked about."""
        say = self.language.say
        needed = [(say("all that were asked for"), ""), (say("most need it"), "need")]
        prefixes = sorted({_domain(one) for one in self.classroom.skill_states.columns})
        options = [*needed, *((one, one) for one in prefixes if len(prefixes) > 1)]
        there = self._subject.value if self._subject.value in dict(options).values() else ""
        set_options(self._subject, options, there)
        self._least.max = len(self.classroom.roster)

    def _shown(self) -> str:
        counts = self.classroom.skill_counts
        asked = len(self.classroom.roster) - counts["not assessed"]
        wanted = asked >= max(1, self._least.value)
        if self._subject.value == "need":
            wanted &= counts["needs it"] >= 0.6 * asked
        elif self._subject.value:
            wanted &= [_domain(one) == self._subject.value for one in counts.index]
        return self.classroom.show_skill_map(skill_ids=list(counts.index[wanted])).html


def _domain(skill_id: str) -> str:
    """Return the part of a skill's id that it shares with its like: ``4.FR`` of ``4.FR.2``.

    Examples
    --------
    >>> _domain("4.FR.2"), _domain("counting")
    ('4.FR', 'counting')
    """
    return skill_id.rpartition(".")[0] or skill_id
