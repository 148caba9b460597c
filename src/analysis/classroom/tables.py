"""One classroom's tables, each worked out when it is first asked for.

From this classroom's rows alone, and the calibration made on everybody.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import pandas as pd

from analysis.coaching import CYCLE_WEEKS, Goal, last_day_of, suggest_goal
from analysis.district import RANDOM_STATE, open_calibration, open_framework, read_for_groups
from analysis.grouping import Grouping, GroupRules, group_classroom
from analysis.grouping.evidence import Classroom as Evidence
from analysis.growth import measure_changes, place_groups, said_changes, trace_groups
from analysis.language import Language
from analysis.mastery import Answers, Calibration, measure_mastery, read_answers
from analysis.plans import History, Plan, read_plan
from analysis.plans.following import follow
from analysis.profiles import (
    ClassProfile,
    GroupProfile,
    Known,
    know_classroom,
    say_class,
    say_groups,
)
from analysis.progress import doubt_thin_claims, latest_standing, summarise_evidence
from analysis.skills import SkillFramework
from analysis.store import Store
from analysis.words import SkillState, skill_state


class ClassroomTables:
    """What is known of one classroom in one window.

    Parameters
    ----------
    store
        Where the data are.
    classroom_id, window
        Which classroom, and when.
    rules
        The teacher's rules for the groups.
    language
        Of what is said.
    history
        What the teacher decided before; the groups follow it. Default: nothing.
    cycle_weeks
        Weeks until the groups are formed anew.
    """

    FOLLOW_THE_PLAN = ("grouping", "profiles", "summary", "goal", "choices", "traced", "placed")
    """What changes with the plan; everything else stays."""

    def __init__(
        self,
        store: Store,
        classroom_id: str,
        window: str,
        rules: GroupRules,
        language: Language,
        history: History | None = None,
        *,
        cycle_weeks: int = CYCLE_WEEKS,
    ):
        self.classroom_id = classroom_id
        self.window = window
        self.rules = rules
        self.language = language
        self.store = store
        self.history = history or History(classroom_id=classroom_id, window=window)
        self.absent: Sequence[str] = ()
        self._decided: Plan | None = None
        self.cycle_weeks = cycle_weeks

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.classroom_id!r}, window={self.window!r})"

    def with_plan(self, plan: Plan, *, absent: Sequence[str] = ()) -> Self:
        """Return the same classroom under another plan, without students who are absent.

        What the answers say is worked out once and shared, so that this is quick.
        """
        self._read, self._known, self.skill_states  # noqa: B018
        other = copy.copy(self)
        for name in self.FOLLOW_THE_PLAN:
            other.__dict__.pop(name, None)
        other._decided, other.absent = plan, tuple(absent)
        return other

    @property
    def plan(self) -> Plan:
        """What was decided of the students who are on the roster and the skills there are."""
        decided = self.history.plan if self._decided is None else self._decided
        return decided.limited_to(self.roster["student_id"], self.mastery["skill_id"].unique())

    @cached_property
    def roster(self) -> pd.DataFrame:
        """The classroom's students; those who share a name are told apart by their ids."""
        return _tell_apart(self.store.read_roster(self.classroom_id))

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The classroom's evidence in the window."""
        return self.store.read_evidence(self.window, self.classroom_id)

    @cached_property
    def framework(self) -> SkillFramework:
        """The district's skills."""
        return open_framework(self.store, self.language.code)

    @cached_property
    def calibration(self) -> Calibration:
        """What everybody's answers say about items and skills."""
        return open_calibration(self.store, self.window)

    @cached_property
    def mastery(self) -> pd.DataFrame:
        """What each student has shown; see :data:`analysis.tables.MASTERY`."""
        return measure_mastery(self.evidence, self.roster, self.calibration, answers=self._answers)

    @cached_property
    def _answers(self) -> Answers:
        return read_answers(self.evidence, self.roster, self.calibration)

    @cached_property
    def _read(self) -> Evidence:
        """The evidence as forming groups needs it, whatever the rules."""
        return read_for_groups(
            self.mastery,
            self._answers,
            self.evidence,
            self.roster,
            self.calibration,
            self.framework,
            self.classroom_id,
        )

    @cached_property
    def _known(self) -> Known:
        """What there is to say of each student, whatever the groups."""
        return know_classroom(
            self.classroom_id,
            self.window,
            self.mastery,
            self.framework,
            self.roster,
            evidence=self.evidence,
        )

    @cached_property
    def grouping(self) -> Grouping:
        """Who sits together, on which skill, how sure, and who sits elsewhere."""
        return group_classroom(
            self._read,
            classroom_id=self.classroom_id,
            window=self.window,
            rules=follow(self.plan, self.rules, absent=self.absent),
            supports_skill_groups=bool(self.calibration.supports_skill_groups),
            random_state=RANDOM_STATE,
            language=self.language,
        )

    @cached_property
    def profiles(self) -> list[GroupProfile]:
        """Each group in plain words."""
        return say_groups(self._known, self.grouping, self.language)

    @cached_property
    def summary(self) -> ClassProfile:
        """The classroom as a whole in plain words."""
        return say_class(self._known, self.grouping, self.language)

    @cached_property
    def goal(self) -> Goal | None:
        """A goal for the coaching cycle that begins with these groups."""
        return suggest_goal(self.grouping, last_day_of(self.evidence), weeks=self.cycle_weeks)

    @property
    def window_before(self) -> str | None:
        """The classroom's last window before this one, or ``None``."""
        earlier = [window for window in self.windows_so_far if window != self.window]
        return earlier[-1] if earlier else None

    @cached_property
    def earlier(self) -> list[ClassroomTables]:
        """The same classroom in each window before, with the same rules and its own plan."""
        return [self._in_window(one) for one in self.windows_so_far if one != self.window]

    def _in_window(self, window: str) -> ClassroomTables:
        other = ClassroomTables(
            self.store,
            self.classroom_id,
            window,
            self.rules,
            self.language,
            read_plan(self.store.folder, self.classroom_id, window),
            cycle_weeks=self.cycle_weeks,
        )
        # The same in every window: read once.
        other.roster, other.framework = self.roster, self.framework
        return other

    @cached_property
    def compared(self) -> pd.DataFrame:
        """How likely each student gained or lost each skill since the window before."""
        before = self.earlier[-1].mastery if self.earlier else self.mastery.head(0)
        return measure_changes(before, self.mastery)

    @cached_property
    def windows_so_far(self) -> list[str]:
        """The classroom's windows with evidence up to this one, in the order of time."""
        windows = self.store.windows_of(self.classroom_id)
        until = self.store.windows_until(self.window)
        return [window for window in windows if window in until]

    @cached_property
    def evidence_so_far(self) -> pd.DataFrame:
        """The classroom's evidence of these windows, in their order."""
        own = {one.window: one.evidence for one in [*self.earlier, self]}
        parts = [own[window] for window in self.windows_so_far or [self.window]]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def shown_so_far(self) -> pd.DataFrame:
        """What each student earned on each skill in each of these windows."""
        return summarise_evidence(self.evidence_so_far)

    @cached_property
    def mastery_by_window(self) -> list[pd.DataFrame]:
        """What each student had shown in each of these windows."""
        own = {one.window: one.mastery for one in [*self.earlier, self]}
        return [own[window] for window in self.windows_so_far or [self.window]]

    @cached_property
    def standing(self) -> pd.DataFrame:
        """What the last evidence says of each student and skill; see :mod:`analysis.progress`."""
        return doubt_thin_claims(latest_standing(self.mastery_by_window), self.shown_so_far)

    @cached_property
    def voice(self) -> pd.DataFrame:
        """What the students say of themselves; see :data:`analysis.tables.VOICE`."""
        return self.store.read_voice(self.classroom_id)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """What students gained and may have lost since the window before."""
        return said_changes(self.compared)

    @cached_property
    def traced(self) -> pd.DataFrame:
        """Where the students of the groups of the window before are now, and why."""
        before = self.earlier[-1].grouping.groups if self.earlier else self.grouping.groups.head(0)
        return trace_groups(before, self.grouping.groups, self.mastery)

    @cached_property
    def placed(self) -> pd.DataFrame:
        """Who sat where in all windows so far, and which group had the earliest skills."""
        tables = [*self.earlier, self]
        return place_groups(
            pd.concat([one.grouping.groups for one in tables], ignore_index=True),
            pd.concat([one.mastery for one in tables], ignore_index=True),
        )

    @cached_property
    def skill_states(self) -> pd.DataFrame:
        """What to say of each student (rows) and assessed skill (columns)."""
        states = self.mastery.assign(state=skill_state(self.mastery))
        wide = states.pivot(index="student_id", columns="skill_id", values="state")
        asked = set(states.loc[states["state"] != SkillState.UNKNOWN, "skill_id"])
        assessed = [skill for skill in self.framework.skill_ids if skill in asked]
        return wide.reindex(index=self.roster["student_id"], columns=assessed).fillna(
            SkillState.UNKNOWN.value
        )

    @cached_property
    def skill_counts(self) -> pd.DataFrame:
        """How many students are in which state (columns), for each assessed skill (rows)."""
        states = self.skill_states.to_numpy(dtype=object)
        counts = {str(state): (states == str(state)).sum(axis=0) for state in SkillState}
        return pd.DataFrame(counts, index=self.skill_states.columns)


def _tell_apart(roster: pd.DataFrame) -> pd.DataFrame:
    """Return the roster with the id behind each name that two students share."""
    shared = roster["display_name"].notna() & roster["display_name"].duplicated(keep=False)
    with_id = roster["display_name"] + " (" + roster["student_id"] + ")"
    return roster.assign(display_name=roster["display_name"].where(~shared, with_id))
