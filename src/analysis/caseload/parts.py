"""The parts of a coach's page: what each shows, in the words of its language."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis.caseload.notes import say_fact, say_sorting
from analysis.caseload.tables import CaseloadTables
from analysis.charts import Chart, chart_classrooms
from analysis.coaching import last_day_of
from analysis.growth import RegroupAdvice, advise_regrouping, trace_groups
from analysis.privacy import protect_counts
from analysis.rendering.blocks import Block, render_block
from analysis.rendering.kinds import CASELOADS
from analysis.rendering.proof import Proof
from analysis.rows import walk_parts, walk_rows

MOST_SKILLS = 8
"""Common skills named; more are no focus."""


class Caseload(CaseloadTables):
    """A coach's classrooms in one window; made by :func:`open_caseload`.

    Its tables are attributes; each ``show_…`` method gives one part of the page.
    """

    def show_facts(self) -> Block:
        """Say whose page this is, and where to go first."""
        evidence = self.evidence_of(self.window)
        return self._block(
            "caseload_facts",
            coach=self.coach_id,
            window=self.window,
            n_classrooms=len(self.classroom_ids),
            n_students=self.roster["student_id"].nunique(),
            n_assessed=evidence["student_id"].nunique(),
            last_day=last_day_of(evidence),
            first=self.priorities["classroom_id"].head(3).tolist(),
        )

    def show_priorities(self) -> Block:
        """Show where a visit helps most, and the four parts it follows from."""
        visited = self.visits.groupby("classroom_id")["date"].max()
        rows = [
            (row, self._about(row.classroom_id), visited.get(row.classroom_id))
            for row in walk_rows(self.priorities)
        ]
        return self._block(
            "caseload_priorities",
            rows=rows,
            highest=float(self.priorities["score"].max()),
            not_visited=self._not_visited(visited),
        )

    def show_notable(self) -> Block:
        """Show what is unusual about which classroom, with the numbers."""
        facts = [
            (
                classroom_id,
                self._about(classroom_id),
                [self._fact(row) for row in walk_rows(part)],
            )
            for classroom_id, part in walk_parts(self.notable, "classroom_id", sort=False)
        ]
        return self._block("caseload_notable", facts=facts)

    def chart_growth(self) -> Chart:
        """Draw every classroom's mean skills held, window by window."""
        verdict = self.growth.set_index("classroom_id")["verdict"]
        held = {
            classroom_id: self._held_by_window(classroom_id) for classroom_id in self.classroom_ids
        }
        return chart_classrooms(
            held,
            {classroom_id: verdict.get(classroom_id, "") for classroom_id in held},
            self.language,
            highest=float(np.nanmax([part.max() for part in held.values()])),
        )

    def show_growth(self) -> Block:
        """Show each classroom's growth beside students who started alike."""
        return self._block(
            "caseload_growth",
            since=self.windows[0] if len(self.windows) > 1 else None,
            rows=[(row, self._about(row.classroom_id)) for row in walk_rows(self.growth)],
        )

    def show_common_focus(self) -> Block:
        """Show skills that several classrooms need next."""
        rows = [
            (self.framework.name_of(row.skill_id), round(row.n_students), list(row.classroom_ids))
            for row in walk_rows(self.common_focus.head(MOST_SKILLS))
        ]
        return self._block("caseload_focus", rows=rows)

    def show_at_risk(self) -> Block:
        """List students far below their grade who are not growing, and those who do not move."""
        return self._block(
            "caseload_students",
            at_risk=[
                (self.name_of(row.student_id), row.classroom_id, row.n_below)
                for row in walk_rows(self.at_risk)
            ],
            n_windows=len(self.windows),
            entrenched=[
                (classroom_id, [self.name_of(one) for one in part["student_id"]])
                for classroom_id, part in self.entrenched.groupby("classroom_id", sort=False)
            ],
        )

    def show_missing(self) -> Block:
        """Show how many students of each classroom have answers, window by window."""
        n_students = self.roster.groupby("classroom_id")["student_id"].nunique()
        columns = {window: self._assessed(window) for window in self.windows}
        rows = [
            (
                one,
                self._about(one),
                int(n_students[one]),
                [columns[w].get(one, (0, 0.0)) for w in columns],
            )
            for one in self.classroom_ids
        ]
        return self._block("caseload_missing", windows=self.windows, rows=rows)

    def show_regrouping(self) -> Block:
        """Show for each classroom how many have shown their group's skill, and when to regroup."""
        return self._block(
            "caseload_regrouping",
            rows=[(one, self._about(one), self._advice(one)) for one in self.classroom_ids]
            if len(self.windows) > 1
            else [],
            weeks=self.parameters.cycle_weeks,
        )

    def show_cycles(self) -> Block:
        """Show the visits, and each cycle's goal with the evidence before and after."""
        return self._block(
            "caseload_cycles",
            cycles=[(row, self._skill(row.skill_id)) for row in walk_rows(self.cycles)],
            visits=list(walk_rows(self.visits.tail(10)))[::-1],
        )

    def show_equity(self) -> Block:
        """Show whether growth or groups sort by a subgroup, small ones protected."""
        names = [name for name in self.subgroups.columns if name != "student_id"]
        return self._block(
            "caseload_equity",
            names=names,
            sorting=[
                say_sorting(one, self.language, self.parameters.smallest_cell)
                for one in self.sorting
            ],
            tables=[(name, self._protected(name)) for name in names],
            smallest=self.parameters.smallest_cell,
            n_entrenched=len(self.entrenched),
        )

    def show_grade_groups(self, grade: str, *, n_adults: int, room: int) -> Block:
        """Show groups across the classrooms of a grade, for a shared block of time."""
        grouping = self.group_grade(grade, n_adults=n_adults, room=room)
        seated = grouping.groups.dropna(subset=["group"])
        homes = self.roster.drop_duplicates("student_id").set_index("student_id")["classroom_id"]
        groups = []
        for row in walk_rows(grouping.focus):
            own = seated.loc[seated["group"] == row.group, "student_id"]
            by_room = own.groupby(own.map(homes)).apply(lambda ids: sorted(map(self.name_of, ids)))
            groups.append((row, self.framework.name_of(row.focus_skill_id), by_room.to_dict()))
        without = grouping.groups.loc[grouping.groups["group"].isna(), "student_id"]
        return self._block(
            "caseload_block",
            groups=groups,
            without=sorted(map(self.name_of, without)),
            n_students=len(grouping.groups),
            n_seated=len(seated),
            share=grouping.expected_on_target,
        )

    def show_proof(self) -> Proof:
        """End the page with the facts the renderer checks before it publishes."""
        evidence = [self.store.read_evidence(self.window, one) for one in self._with_evidence]
        return Proof(
            page_id=self.coach_id,
            window=self.window,
            n_students=len(self.roster),
            n_evidence=sum(len(part) for part in evidence),
            digest=CASELOADS.data_digest(self.store, self.coach_id, self.parameters),
            language=self.language.code,
            kind=CASELOADS.name,
        )

    def name_of(self, student_id: str) -> str:
        """Return the name to show for a student: the roster's, told apart, or the id."""
        return self._names.get(student_id, student_id)

    @cached_property
    def _names(self) -> dict[str, str]:
        people = self.roster.drop_duplicates("student_id").dropna(subset="display_name")
        shared = people["display_name"].duplicated(keep=False)
        with_id = people["display_name"] + " (" + people["student_id"] + ")"
        shown = people["display_name"].where(~shared, with_id)
        return dict(zip(people["student_id"], shown, strict=True))

    @property
    def _with_evidence(self) -> list[str]:
        return [one for one in self.classroom_ids if self.store.evidence_part(one, self.window)]

    def _about(self, classroom_id: str) -> dict[str, str | None]:
        return self.store.about(classroom_id)

    def _skill(self, skill_id: str) -> str:
        known = skill_id in self.framework.table.index
        return self.framework.name_of(skill_id) if known else skill_id

    def _fact(self, row: Any) -> str:
        skill = None if pd.isna(row.skill_id) else self.framework.name_of(row.skill_id)
        return say_fact(row.fact, row.value, row.usual, skill, self.language)

    def _not_visited(self, visited: pd.Series) -> list[tuple[str, bool]]:
        """Return classrooms without a visit, teachers in their first year first."""
        years = self.teacher_years
        new = set() if years is None else set(years.index[years.eq(0)])
        never = [one for one in self.priorities["classroom_id"] if one not in visited.index]
        return [(one, True) for one in never if one in new] + [
            (one, False) for one in never if one not in new
        ]

    def _held_by_window(self, classroom_id: str) -> pd.Series:
        here = self.roster.loc[self.roster["classroom_id"] == classroom_id, "student_id"]
        held = {}
        for window, mastery in self.mastery_by_window.items():
            own = mastery[mastery["student_id"].isin(here)].dropna(subset=["mastery"])
            held[window] = own.groupby("student_id")["mastery"].sum().mean()
        return pd.Series(held)

    def _assessed(self, window: str) -> dict[str, tuple[int, float]]:
        """Return for each classroom students with answers, and answers of the median one."""
        placed = self.roster[["student_id", "classroom_id"]].merge(
            self.evidence_of(window).drop_duplicates(["student_id", "source", "observation_id"]),
            on="student_id",
        )
        n = placed.groupby(["classroom_id", "student_id"]).size().groupby("classroom_id")
        return {str(one): (len(part), float(part.median())) for one, part in n}

    def _advice(self, classroom_id: str) -> RegroupAdvice:
        own = self.groups[self.groups["classroom_id"] == classroom_id]
        before, now = (own[own["window"] == window] for window in self.windows[-2:])
        evidence = self.store.read_evidence(self.window, classroom_id)
        return advise_regrouping(
            trace_groups(before, now, self.mastery),
            last_day_of(evidence),
            cycle_weeks=self.parameters.cycle_weeks,
        )

    def _protected(self, name: str) -> pd.DataFrame:
        """Return students by grade and value of a subgroup, small cells hidden."""
        homes = self.roster.drop_duplicates("student_id")[["student_id", "grade"]]
        joined = homes.merge(self.subgroups[["student_id", name]], on="student_id")
        counts = pd.crosstab(joined["grade"], joined[name])
        return protect_counts(counts, smallest=self.parameters.smallest_cell)

    def _block(self, name: str, **values: object) -> Block:
        return render_block(name, self.language, **values)
