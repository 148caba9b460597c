"""What a coach works on: a classroom, decisions that are not kept yet, and the way back.

No widget is known here, so that everything a panel does can be done, and tested, without
one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.classroom import Classroom, open_classroom
from analysis.errors import AnalysisError
from analysis.grouping import GroupRules
from analysis.plans import Plan, save_plan

SAID_PLAINLY = {
    "min_size =": "smallest group:",
    "max_size =": "largest group:",
    "n_groups =": "number of groups:",
    "fixed:": "moved by you:",
    "min_fit =": "least fit of a student:",
    "least_share =": "least share on target:",
    "focus_excluded:": "left out:",
    "lower min_fit, so that students who fit a focus less well may join": "move fewer students",
    "lower least_share, so that fewer of a group need be on target": "move fewer students",
}
"""Names of rules as a coach knows them from the panel."""


@dataclass(frozen=True)
class State:
    """What is decided at one moment, and who is absent today."""

    plan: Plan
    absent: tuple[str, ...] = ()


class Desk:
    """A classroom with decisions that are tried, undone, and kept when they are right.

    Parameters
    ----------
    classroom
        To begin with; others of the same data can be opened.

    Attributes
    ----------
    classroom
        As it is now, with everything decided.
    """

    def __init__(self, classroom: Classroom):
        self._opened: dict[tuple[str, str], tuple[Classroom, list[State]]] = {}
        self._listeners: list[Callable[[], None]] = []
        self.trouble = ""
        self._rules, self._language = classroom.rules, classroom.language
        self._base: Classroom
        self._states: list[State]
        self._take(classroom)

    # -- what is there --------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What is decided now."""
        return self._states[-1]

    @property
    def rules(self) -> GroupRules:
        """The notebook's rules, where the plan leaves them open."""
        return self._rules

    @property
    def classroom_ids(self) -> list[str]:
        """Classrooms with evidence in some window."""
        store = self._base.store
        return [one for one in store.classroom_ids if store.windows_of(one)]

    @property
    def windows(self) -> list[str]:
        """Windows in which this classroom has evidence."""
        return self._base.store.windows_of(self._base.classroom_id)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return len(self._states) > 1

    @property
    def is_kept(self) -> bool:
        """Whether everything decided is in the plan on disk."""
        return self.state.plan == self._base.history.plan

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a function whenever something else is to be shown."""
        self._listeners.append(listener)

    # -- what a coach does ----------------------------------------------------------------

    def open(self, classroom_id: str, window: str) -> None:
        """Go to another classroom or window; what is decided here is not lost meanwhile.

        Where the classroom has no evidence in the window, its last one is opened.
        """
        windows = self._base.store.windows_of(classroom_id)
        window = window if window in windows else windows[-1]
        key = (classroom_id, window)
        if key in self._opened:
            self._base, self._states = self._opened[key]
            self._show(self.state)
            return
        rules = self._rules
        self._take(
            open_classroom(
                classroom_id,
                window=window,
                data_dir=self._base.store.folder,
                min_size=rules.min_size,
                max_size=rules.max_size,
                n_groups=rules.n_groups,
                use_wishes=bool(rules.wishes),
                language=self._language.code,
                cycle_weeks=self._base.cycle_weeks,
            )
        )

    def decide(self, plan: Plan) -> None:
        """Try a plan; where its rules disagree nothing changes and the error says why."""
        self._try(State(plan, self.state.absent))

    def set_absent(self, students: Sequence[str]) -> None:
        """Leave students out for today; that is never kept in the plan."""
        self._try(State(self.state.plan, tuple(sorted(students))))

    def undo(self) -> None:
        """Take the last step back."""
        if self.can_undo:
            self._states.pop()
            self._show(self.state)

    def reset(self) -> None:
        """Go back to what is kept, with everyone here; can be undone."""
        self._try(State(self._base.history.plan))

    def keep(self, *, by: str, why: str) -> None:
        """Write the plan to disk: reports follow it from now on.

        Raises
        ------
        UsageError
            Nobody or no reason is named, or somebody changed the plan meanwhile.
        """
        base = self._base
        base.history = save_plan(base.store.folder, base.history, self.state.plan, by=by, why=why)
        self._show(self.state)

    def in_names(self, error: AnalysisError) -> str:
        """Return an error's message with this classroom's names in place of ids.

        Messages hold ids alone because they may go to logs; here only the coach reads.
        """
        text = str(error)
        for rule, plainly in SAID_PLAINLY.items():
            text = text.replace(rule, plainly)
        students = {one: self._base.name_of(one) for one in self._base.roster["student_id"]}
        skills = {one: f"“{self._base.framework.name_of(one)}”" for one in
                  self._base.framework.skill_ids}  # fmt: skip
        names = students | skills
        ids = sorted(map(re.escape, names), key=len, reverse=True)
        found = re.compile(rf"(?<![\w.])(?:{'|'.join(ids)})(?!\w)")
        return found.sub(lambda match: names[match.group()], text)

    # -- how ------------------------------------------------------------------------------

    def _take(self, classroom: Classroom) -> None:
        """Begin with a classroom, as its plan on disk says."""
        state = State(classroom.history.plan)
        self._base, self._states = classroom, [state]
        self._opened[classroom.classroom_id, classroom.window] = classroom, self._states
        self._show(state)

    def _try(self, state: State) -> None:
        shown = self._base.with_plan(state.plan, absent=state.absent)
        shown.grouping  # noqa: B018  rules that disagree stop here, before anything changes
        if state != self.state:
            self._states.append(state)
        self._tell(shown)

    def _show(self, state: State) -> None:
        shown = self._base.with_plan(state.plan, absent=state.absent)
        try:
            shown.grouping  # noqa: B018
        except AnalysisError as error:
            # The plan on disk cannot be followed any more: say so, show the method's groups.
            self._tell(self._base.with_plan(Plan()), trouble=self.in_names(error))
        else:
            self._tell(shown)

    def _tell(self, shown: Classroom, trouble: str = "") -> None:
        self.classroom, self.trouble = shown, trouble
        for listener in self._listeners:
            listener()
