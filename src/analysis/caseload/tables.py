"""A caseload's tables, each worked out when it is first asked for."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.district import group_plainly, open_calibration, open_framework
from analysis.equity import Sorting, check_sorting
from analysis.grouping import Grouping, GroupRules, form_groups
from analysis.growth import (
    compare_with_alike,
    find_entrenched,
    find_not_growing,
    growth_by_student,
    measure_changes,
    place_groups,
    summarise_classrooms,
)
from analysis.language import Language
from analysis.mastery import measure_mastery
from analysis.priorities import (
    find_at_risk,
    grades_below,
    list_common_focus,
    list_notable,
    score_classrooms,
)
from analysis.rows import walk_rows
from analysis.settings import CaseloadParameters
from analysis.skills import SkillFramework
from analysis.store import Store
from analysis.visits import judge_cycle, list_cycles, read_visits

LOOK_BACK = 3
"""Windows that are looked at together, this one among them: a school year's."""

TEACHER_YEARS = "teacher_years"
"""The one kept column that is about the teacher; all others are subgroups of students."""


class CaseloadTables:
    """What is known of a coach's classrooms in one window.

    Parameters
    ----------
    store
        Where the data are.
    parameters
        What was asked for.
    rules
        For the groups of every classroom.
    language
        Of what is said.
    """

    def __init__(
        self, store: Store, parameters: CaseloadParameters, rules: GroupRules, language: Language
    ):
        self.store = store
        self.parameters = parameters
        self.rules = rules
        self.language = language
        self.coach_id = parameters.coach_id
        self.window = parameters.window

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.coach_id!r}, window={self.window!r})"

    @cached_property
    def classroom_ids(self) -> list[str]:
        """The coach's classrooms, in natural order."""
        return self.store.classrooms_of(self.coach_id)

    @cached_property
    def roster(self) -> pd.DataFrame:
        """The students of these classrooms; one in two classrooms has two rows."""
        return pd.concat(
            [self.store.read_roster(one) for one in self.classroom_ids], ignore_index=True
        )

    @cached_property
    def framework(self) -> SkillFramework:
        """The district's skills."""
        return open_framework(self.store, self.language.code)

    @cached_property
    def windows(self) -> list[str]:
        """The last windows up to this one, in order of time, at most three."""
        return self.store.windows_until(self.window)[-LOOK_BACK:]

    def evidence_of(self, window: str) -> pd.DataFrame:
        """Return these classrooms' evidence in a window; an answer in two of them once."""
        parts = [self.store.read_evidence(window, one) for one in self.classroom_ids]
        keys = ["student_id", "skill_id", "window", "source", "observation_id"]
        return pd.concat(parts, ignore_index=True).drop_duplicates(keys, ignore_index=True)

    @cached_property
    def mastery_by_window(self) -> dict[str, pd.DataFrame]:
        """What every student has shown, window by window."""
        return {
            window: measure_mastery(
                self.evidence_of(window), self.roster, open_calibration(self.store, window)
            )
            for window in self.windows
        }

    @property
    def mastery(self) -> pd.DataFrame:
        """What every student has shown in this window."""
        return self.mastery_by_window[self.window]

    @cached_property
    def steps(self) -> list[pd.DataFrame]:
        """How much each student grew from window to window."""
        masteries = [self.mastery_by_window[window] for window in self.windows]
        return [
            growth_by_student(measure_changes(before, now))
            for before, now in itertools.pairwise(masteries)
        ]

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Each student's growth since the first of the windows, beside the alike."""
        first = self.mastery_by_window[self.windows[0]]
        changes = measure_changes(first, self.mastery if len(self.windows) > 1 else first.head(0))
        return compare_with_alike(growth_by_student(changes), self.roster)

    @cached_property
    def growth(self) -> pd.DataFrame:
        """Each classroom's growth, and how far it is from the alike's."""
        return summarise_classrooms(self.compared)

    @cached_property
    def priorities(self) -> pd.DataFrame:
        """Where a visit helps most, its parts shown."""
        return score_classrooms(self.mastery, self.roster, self.compared)

    @cached_property
    def notable(self) -> pd.DataFrame:
        """What is unusual about each classroom."""
        return list_notable(self.mastery, self.roster, self.growth, self.teacher_years)

    @cached_property
    def common_focus(self) -> pd.DataFrame:
        """Skills that several classrooms need next."""
        return list_common_focus(self.mastery, self.roster)

    @cached_property
    def at_risk(self) -> pd.DataFrame:
        """Students several grades below who are not growing."""
        below = grades_below(self.mastery, self.framework.table, self.roster)
        return find_at_risk(below, find_not_growing(self.steps))

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Who sat where in each classroom and window, as in the classrooms' reports."""
        return place_groups(
            pd.concat([one.groups for one in self._groupings], ignore_index=True),
            pd.concat(list(self.mastery_by_window.values()), ignore_index=True),
        )

    @cached_property
    def entrenched(self) -> pd.DataFrame:
        """Students who sat with the earliest skills in every window."""
        return find_entrenched(self.groups, self.mastery, self.windows)

    @cached_property
    def visits(self) -> pd.DataFrame:
        """The log of visits to these classrooms."""
        log = read_visits(self.parameters.visits)
        return log[log["classroom_id"].isin(self.classroom_ids)].reset_index(drop=True)

    @cached_property
    def cycles(self) -> pd.DataFrame:
        """Each coaching cycle with what the evidence says of its goal."""
        cycles = list_cycles(self.visits)
        judged = [self._judge(cycle) for cycle in walk_rows(cycles)]
        return pd.concat([cycles, pd.DataFrame(judged, index=cycles.index)], axis=1)

    @cached_property
    def kept(self) -> pd.DataFrame:
        """What the coach asked to keep of these classrooms' rosters; may be empty."""
        kept = self.store.read_coach_only()
        return kept[kept["classroom_id"].isin(self.classroom_ids)].reset_index(drop=True)

    @cached_property
    def teacher_years(self) -> pd.Series | None:
        """Years taught before this one, by classroom; ``None`` where not kept."""
        if TEACHER_YEARS not in self.kept:
            return None
        years = pd.to_numeric(self.kept[TEACHER_YEARS], errors="coerce")
        return years.groupby(self.kept["classroom_id"]).min()

    @cached_property
    def subgroups(self) -> pd.DataFrame:
        """The kept columns about students, one row a student."""
        columns = self.kept.columns.drop(["classroom_id", TEACHER_YEARS], errors="ignore")
        return self.kept[columns].drop_duplicates("student_id", ignore_index=True)

    @cached_property
    def sorting(self) -> list[Sorting]:
        """Whether growth, or the groups of the earliest skills, sort by a subgroup."""
        now = self.groups[self.groups["window"] == self.window]
        earliest = now.groupby("student_id")["earliest"].any().astype(float)
        homes = self.roster.sort_values("classroom_id").drop_duplicates("student_id")
        students = homes[["student_id", "classroom_id"]].merge(
            self.compared[["student_id", "beyond"]], on="student_id", how="left"
        )
        students["earliest"] = students["student_id"].map(earliest)
        return check_sorting(
            students,
            self.subgroups,
            {"beyond": "growth", "earliest": "group"},
            smallest=self.parameters.smallest_cell,
        )

    def group_grade(self, grade: str, *, n_adults: int, room: int, smallest: int = 3) -> Grouping:
        """Form groups across all classrooms of a grade, for a shared block of time.

        Parameters
        ----------
        grade
            As in the roster.
        n_adults
            Adults who can teach a group at the time: that many groups.
        room
            Most students in one group.
        smallest
            Fewest students in one group.

        Returns
        -------
        Grouping
            Of the whole grade; who finds no place is in ``conference`` or ``extension``.
        """
        students = self.roster[self.roster["grade"] == grade].drop_duplicates("student_id")
        block = f"grade {grade}"
        rules = GroupRules(min_size=smallest, max_size=room, n_groups=n_adults)
        return form_groups(
            self.mastery[self.mastery["student_id"].isin(students["student_id"])],
            students.assign(classroom_id=block),
            classroom_id=block,
            window=self.window,
            prerequisites=list(self.framework.graph.edges),
            rules=rules,
        )

    @cached_property
    def _groupings(self) -> list[Grouping]:
        groupings = []
        for window in self.windows:
            calibration = open_calibration(self.store, window)
            for classroom_id in self.classroom_ids:
                evidence = self.store.read_evidence(window, classroom_id)
                roster = self.store.read_roster(classroom_id)
                _, grouping = group_plainly(
                    evidence,
                    roster,
                    calibration,
                    self.framework,
                    classroom_id=classroom_id,
                    rules=self.rules,
                )
                groupings.append(grouping)
        return groupings

    def _judge(self, cycle: Any) -> dict[str, Any]:
        """Return before and after of one cycle, by the windows around it."""
        last = {
            window: self.store.read_evidence(window, cycle.classroom_id)["observed_on"].max()
            for window in self.windows
        }
        before = [window for window in self.windows if last[window] <= cycle.date]
        due = cycle.date if pd.isna(cycle.due) else cycle.due
        after = [window for window in self.windows if last[window] >= due and window not in before]
        return judge_cycle(
            int(cycle.target),
            self._held(cycle, before[-1]) if before else None,
            self._held(cycle, after[0]) if after else None,
            ended=bool(after),
        )

    def _held(self, cycle: Any, window: str) -> pd.Series | None:
        here = self.roster.loc[self.roster["classroom_id"] == cycle.classroom_id, "student_id"]
        mastery = self.mastery_by_window[window]
        own = mastery[mastery["student_id"].isin(here) & mastery["skill_id"].eq(cycle.skill_id)]
        known = own.set_index("student_id")["mastery"].dropna()
        return known if len(known) else None
