"""What a person looks at in a notebook beside the report: other ways to group, one student."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import grouping
from analysis.charts import Chart, chart_framework
from analysis.classroom.parts import ReportParts
from analysis.rendering.blocks import Block
from analysis.rows import walk_rows
from analysis.words import SkillState


class Classroom(ReportParts):
    """One classroom in one window; made by :func:`open_classroom`.

    Its tables are attributes; each ``show_…`` method gives one part of the report, or a view
    that stands beside it in a notebook.
    """

    def show_why_here(self, student_id: str) -> Block:
        """Say why a student is where they are: the place, the reason, and each answered skill."""
        members = {m.student_id: (group, m) for group in self.profiles for m in group.members}
        group, member = members.get(student_id, (None, None))
        states = self.skill_states.T[student_id].rename(self.framework.name_of)
        skills = [
            (state, states.index[states == state].tolist())
            for state in (SkillState.NEEDS, SkillState.NOT_SURE, SkillState.HAS)
        ]
        return self._block(
            "why_here",
            student=self.name_of(student_id),
            group=group,
            member=member,
            chosen=student_id in self.choices.students,
            skills=skills,
        )

    def show_k_means(self) -> Block:
        """Show the clusters k-means makes of the same students, beside our groups."""
        known = self._known_mastery
        n_groups = max(2, len(self.grouping.focus))
        labels = (
            grouping.classical_groups(known, "k-means", n_groups) if len(known) else np.array([])
        )
        group_of = self.grouping.groups.set_index("student_id")["group"]
        clusters: dict[int, list[tuple[str, int | None]]] = {}
        for student_id, label in zip(known.index, labels, strict=True):
            group = group_of[student_id]
            place = None if pd.isna(group) else int(group)
            clusters.setdefault(int(label) + 1, []).append((self.name_of(student_id), place))
        return self._block("k_means", clusters=sorted(clusters.items()))

    def show_other_ways(self, n_groups: int | None = None) -> Block:
        """Show our groups beside classical clusterings of the same mastery."""
        known = self._known_mastery
        n_groups = n_groups or max(2, len(self.grouping.focus))
        before = self.framework.prerequisite_matrix(list(known.columns))
        views = grouping.compare_views(known, n_groups=n_groups, prerequisites=before)
        return self._block(
            "table",
            caption=self.language.say("The same students, grouped in other ways"),
            columns=[str(column) for column in views.columns],
            rows=[tuple(_short(cell) for cell in row) for row in views.itertuples(index=False)],
            empty="",
        )

    def show_evidence(self) -> Block:
        """Show how much each skill's picture rests on, the least known first."""
        mastery = self.mastery[self.mastery["skill_id"].isin(self.skill_states.columns)]
        width = (mastery["high"] - mastery["low"]).where(mastery["n_items"] > 0)
        by_skill = mastery.assign(width=width).groupby("skill_id")
        asked = by_skill["n_items"].agg(lambda n: (n > 0).sum())
        table = pd.DataFrame(
            {
                "asked": asked,
                "answers": by_skill["n_items"].sum(),
                "width": by_skill["width"].mean(),
            }
        ).sort_values(["asked", "width"], ascending=[True, False])
        say, number = self.language.say, self.language.number
        rows = [
            (
                self.framework.name_of(row.Index),
                say("{n} of {all}", n=row.asked, all=len(self.roster)),
                number(row.answers),
                number(round(row.width, 2)) if row.asked else "",
            )
            for row in walk_rows(table)
        ]
        columns = [say("Skill"), say("Students asked"), say("Answers"), say("Width of interval")]
        return self._block(
            "table",
            caption=say("What each skill rests on"),
            columns=columns,
            rows=rows,
            empty=say("No skill was asked for."),
        )

    def chart_framework(self) -> Chart:
        """Draw which skills build on which, with the class on them."""
        counts = self.skill_counts
        matrix = self.framework.prerequisite_matrix(list(counts.index))
        edges = [(counts.index[j], counts.index[k]) for j, k in np.argwhere(matrix)]
        names = {skill_id: self.framework.name_of(skill_id) for skill_id in counts.index}
        return chart_framework(counts, edges, names, self.language)

    @property
    def named_students(self) -> list[tuple[str, str]]:
        """Names to show, in their order, each with its id."""
        return [(self.name_of(one), one) for one in self._by_name(self.roster["student_id"])]

    @property
    def named_groups(self) -> list[tuple[str, int]]:
        """What each group is called, with its number."""
        say, names = self.language.say, self.choices.names
        said = "Group {group}: {skill}"
        return [
            (
                say(said, group=names.get(row.group, row.group),
                    skill=self.framework.name_of(row.focus_skill_id)),
                int(row.group),
            )
            for row in walk_rows(self.grouping.focus)
        ]  # fmt: skip

    @property
    def _known_mastery(self) -> pd.DataFrame:
        """How far each student has each skill, a row for each who showed anything."""
        wide = self.mastery.pivot(index="student_id", columns="skill_id", values="mastery")
        return wide.dropna(how="all")


def _short(cell: object) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
