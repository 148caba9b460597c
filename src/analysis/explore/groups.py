"""The panel of the groups: rules to try, students to move, decisions to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.classroom import Classroom
from analysis.errors import UsageError
from analysis.explore.desk import Desk
from analysis.explore.panel import Panel, set_options
from analysis.explore.reports import make_report
from analysis.plans import changes
from analysis.rendering.blocks import Block, render_block

if TYPE_CHECKING:
    from ipywidgets import Widget

LARGEST = 12
"""Students a group may be set to have, at most."""

CERTAINTIES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of redraws under which a place may be set to be checked first."""

MOST_GROUPS = 8


def explore_groups(
    classroom: Classroom, *, desk: Desk | None = None, live: bool | None = None
) -> GroupsPanel:
    """Return the panel of a classroom's groups.

    Parameters
    ----------
    classroom
        To begin with (:func:`analysis.open_classroom`).
    desk
        Of another panel, to work on the same decisions.
    live
        Whether to show controls; ``None`` finds out. Without controls it is the groups as a
        report shows them.
    """
    return GroupsPanel(classroom, desk=desk, live=live)


class GroupsPanel(Panel):
    """Rules, students and groups of one classroom; made by :func:`explore_groups`."""

    def static(self) -> Block:
        """Return the groups as the report shows them."""
        return self.classroom.show_groups()

    def beside_choosers(self) -> list[Widget]:
        """Return the way back."""
        say = self.language.say
        self._undo = self.button(say("Undo"), self.desk.undo)
        self._reset = self.button(say("Reset"), self.desk.reset)
        return [self._undo, self._reset]

    def build(self) -> list[Widget]:
        """Return controls beside the groups, and below them what is kept."""
        from ipywidgets import HBox, Layout, Tab, VBox

        say = self.language.say
        pages = {
            say("Rules"): self._rules(),
            say("Students"): self._students(),
            say("Groups"): self._groups(),
            say("Skills"): self._skills(),
        }
        tabs = Tab(list(pages.values()), titles=list(pages))
        left = VBox([tabs, self._keeping()], layout=Layout(width="23rem"))
        right = self.view(self._shown, flex="1 1 24rem", min_width="18rem", max_height="36rem")
        both = HBox([left, right], layout=Layout(flex_flow="row wrap", align_items="flex-start"))
        both.add_class("coach-both")
        return [both]

    def fill(self) -> None:
        """Put plan, students and groups of the desk into the controls."""
        plan, rules = self.desk.state.plan, self.desk.rules
        self._smallest.value = plan.min_size or rules.min_size
        self._largest.value = plan.max_size or rules.max_size
        self._number.value = plan.n_groups or rules.n_groups or 0
        certainty = rules.certainty if plan.certainty is None else plan.certainty
        self._certainty.value = min(CERTAINTIES, key=lambda share: abs(share - certainty))
        self._fill_students()
        self._fill_groups()
        self._fill_skills()
        self._fill_decisions()
        self._undo.disabled = not self.desk.can_undo

    # -- rules ----------------------------------------------------------------------------

    def _rules(self) -> Widget:
        from ipywidgets import BoundedIntText, Dropdown, VBox

        say = self.language.say
        most = {"min": 1, "max": LARGEST, "style": WIDE}
        self._smallest = BoundedIntText(description=say("Smallest group"), **most)
        self._largest = BoundedIntText(description=say("Largest group"), **most)
        numbers = [(say("as many as pay"), 0), *((str(n), n) for n in range(1, MOST_GROUPS + 1))]
        self._number = Dropdown(options=numbers, description=say("Groups"), style=WIDE)
        percent = self.language.percent
        shares = [(percent(share), share) for share in CERTAINTIES]
        self._certainty = Dropdown(options=shares, description=say("Check below"), style=WIDE)
        self._k_means = self._checkbox(say("Show k-means beside"))
        self.when_set(self._smallest, lambda n: self._set(min_size=n))
        self.when_set(self._largest, lambda n: self._set(max_size=n))
        self.when_set(self._number, lambda n: self._set(n_groups=n or None))
        self.when_set(self._certainty, lambda share: self._set(certainty=share))
        self._k_means.observe(lambda _: None if self._filling else self.refresh(), names="value")
        sizes = [self._smallest, self._largest, self._number]
        return VBox([*sizes, self._certainty, self._k_means])

    def _set(self, **numbers: object) -> None:
        self.desk.decide(self.desk.state.plan.model_copy(update=numbers))

    # -- students -------------------------------------------------------------------------

    def _students(self) -> Widget:
        from ipywidgets import Dropdown, HBox, Layout, SelectMultiple, VBox

        say, full = self.language.say, Layout(width="98%")
        self._who = SelectMultiple(
            options=[], rows=11, description=say("Students"), style=WIDE, layout=full
        )
        self._who.observe(lambda _: None if self._filling else self.refresh(), names="value")
        self._to = Dropdown(options=[], description=say("Move to"), style=WIDE, layout=full)
        pairs = [
            self.button(say("Together"), lambda: self._pair("together")),
            self.button(say("Apart"), lambda: self._pair("apart")),
            self.button(say("Absent today"), self._toggle_absent),
        ]
        moves = [
            self.button(say("Move"), self._move, button_style="primary"),
            self.button(say("Let the answers decide"), self._let_go),
        ]
        return VBox([self._who, _row(HBox(pairs)), self._to, _row(HBox(moves))])

    def _fill_students(self) -> None:
        names = self.classroom.named_students
        there = {student_id for _, student_id in names}
        chosen = [one for one in self._who.value if one in there]
        if list(self._who.options) != names:
            self._who.options = names
        if list(self._who.value) != chosen:
            self._who.value = chosen

    def _pair(self, kind: str) -> None:
        students = self._chosen(2)
        self.desk.decide(changes.pair_students(self.desk.state.plan, kind, students))

    def _toggle_absent(self) -> None:
        self.desk.set_absent(sorted(set(self.desk.state.absent) ^ set(self._chosen(1))))

    def _move(self) -> None:
        plan, (skill, members) = self.desk.state.plan, self._members(self._to.value)
        focus = self.classroom.grouping.focus["focus_skill_id"]
        crowded = int((focus == skill).sum()) > 1
        for student in self._chosen(1):
            plan = changes.move_student(plan, student, skill, group=members, crowded=crowded)
        self.desk.decide(plan)

    def _let_go(self) -> None:
        self.desk.decide(changes.let_go(self.desk.state.plan, self._chosen(1)))

    def _chosen(self, least: int) -> list[str]:
        if len(self._who.value) < least:
            say = self.language.say
            raise UsageError(
                say("Choose a student in the list first.") if least == 1
                else say("Choose two students or more in the list first.")
            )  # fmt: skip
        return list(self._who.value)

    # -- groups ---------------------------------------------------------------------------

    def _groups(self) -> Widget:
        from ipywidgets import Dropdown, HBox, Layout, Text, Textarea, VBox

        say, full = self.language.say, Layout(width="98%")
        self._group = Dropdown(options=[], description=say("Group"), style=WIDE, layout=full)
        self._group.observe(lambda _: None if self._filling else self.refresh(), names="value")
        self._name = Text(description=say("Name"), style=WIDE, layout=full)
        self._note = Textarea(description=say("Note"), style=WIDE, layout=full, rows=3)
        locks = [self.button(say("Lock"), self._lock), self.button(say("Unlock"), self._unlock)]
        label = self.button(say("Set name and note"), self._label)
        return VBox([self._group, _row(HBox(locks)), self._name, self._note, label])

    def _fill_groups(self) -> None:
        options, choices = self.classroom.named_groups, self.classroom.choices
        numbers = [number for _, number in options]
        for chooser in (self._group, self._to):
            first = numbers[0] if numbers else None
            set_options(chooser, options, chooser.value if chooser.value in numbers else first)
        if self._group.value is not None:
            self._name.value = choices.names.get(self._group.value, "")
            self._note.value = choices.notes.get(self._group.value, "")

    def _members(self, group: int | None) -> tuple[str, list[str]]:
        if group is None:
            raise UsageError(self.language.say("There is no group to choose."))
        groups = self.classroom.grouping.groups
        mine = groups[groups["group"] == group]
        return mine["focus_skill_id"].iloc[0], mine["student_id"].tolist()

    def _lock(self) -> None:
        self.desk.decide(
            changes.lock_group(self.desk.state.plan, *self._members(self._group.value))
        )

    def _unlock(self) -> None:
        _, students = self._members(self._group.value)
        self.desk.decide(changes.unlock_group(self.desk.state.plan, students))

    def _label(self) -> None:
        skill, students = self._members(self._group.value)
        name, note = self._name.value, self._note.value
        self.desk.decide(
            changes.label_group(self.desk.state.plan, skill, students, name=name, note=note)
        )

    # -- skills ---------------------------------------------------------------------------

    def _skills(self) -> Widget:
        from ipywidgets import Layout, VBox

        self._skill_boxes = VBox(layout=Layout(max_height="22rem", overflow="auto"))
        self._skill_ids: list[str] = []
        return self._skill_boxes

    def _fill_skills(self) -> None:
        skill_ids = list(self.classroom.skill_states.columns)
        if skill_ids != self._skill_ids:
            self._skill_ids = skill_ids
            self._skill_boxes.children = [self._skill_box(one) for one in skill_ids]
        out = self.desk.state.plan.skills_out
        for skill_id, box in zip(skill_ids, self._skill_boxes.children, strict=True):
            box.value = skill_id not in out

    def _skill_box(self, skill_id: str) -> Widget:
        box = self._checkbox(self.classroom.framework.name_of(skill_id))
        self.when_set(box, lambda there: self._use(skill_id, there))
        return box

    def _use(self, skill_id: str, there: bool) -> None:
        out = {*self.desk.state.plan.skills_out} - {skill_id}
        self._set(skills_out=tuple(sorted(out if there else {*out, skill_id})))

    def _checkbox(self, text: str) -> Widget:
        from ipywidgets import Checkbox, Layout

        return Checkbox(description=text, indent=False, layout=Layout(width="98%"))

    # -- what is kept ---------------------------------------------------------------------

    def _keeping(self) -> Widget:
        from ipywidgets import HTML, Dropdown, HBox, Layout, Text, VBox

        say, full = self.language.say, Layout(width="98%")
        self._decisions = Dropdown(options=[], description=say("Decided"), style=WIDE, layout=full)
        self._by = Text(description=say("Who decides"), style=WIDE, layout=full)
        self._why = Text(description=say("Why"), style=WIDE, layout=full)
        self._report = HTML()
        kept = say("Kept. The next report follows it.")
        buttons = [
            self.button(say("Keep"), self._keep, kept, button_style="primary"),
            self.button(say("Make this report"), self._make_report),
        ]
        decided = HBox([self._decisions, self.button(say("Lift"), self._lift)])
        return VBox([decided, self._by, self._why, _row(HBox(buttons)), self._report])

    def _fill_decisions(self) -> None:
        said = self.classroom.choices.said
        self._decided = [choice.decision for choice in said]
        options = [(choice.text, place) for place, choice in enumerate(said)]
        set_options(self._decisions, options, 0 if options else None)

    def _lift(self) -> None:
        if self._decisions.value is None:
            raise UsageError(self.language.say("Nothing is decided yet."))
        decision = self._decided[self._decisions.value]
        self.desk.decide(changes.lift(self.desk.state.plan, decision))

    def _keep(self) -> None:
        if self.desk.is_kept:
            raise UsageError(self.language.say("Everything decided is kept already."))
        self.desk.keep(by=self._by.value, why=self._why.value)
        self._why.value = ""

    def _make_report(self) -> None:
        if not self.desk.is_kept:
            raise UsageError(
                self.language.say("Keep what you decided first, so that the report follows it.")
            )
        self._report.value = self.language.say("Making the report …")
        try:
            self._report.value = make_report(self.classroom).html
        except BaseException:
            self._report.value = ""
            raise

    # -- what is shown --------------------------------------------------------------------

    def _shown(self) -> str:
        classroom = self.classroom
        parts = [
            render_block(
                "standing",
                self.language,
                classroom=classroom,
                verdict=classroom.summary.verdict,
                counts=classroom.summary.counts,
                absent=[classroom.name_of(one) for one in self.desk.state.absent],
                is_kept=self.desk.is_kept,
            ),
            *(classroom.show_why_here(one) for one in self._who.value[:1]),
            classroom.show_groups(),
            *([classroom.show_k_means()] if self._k_means.value else []),
        ]
        return "".join(part.html for part in parts)


WIDE = {"description_width": "7rem"}


def _row(box: Widget) -> Widget:
    box.layout.flex_flow = "row wrap"
    return box
