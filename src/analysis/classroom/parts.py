"""The parts of a classroom's report: what each shows, in the words of its language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.charts import chart_skill_needs
from analysis.classroom.changes import growth_values, movement_values
from analysis.classroom.choices import Choices, read_choices
from analysis.classroom.tables import ClassroomTables
from analysis.coaching import REACHABLE, coach_questions, last_day_of
from analysis.progress import (
    gains_since,
    level_ladders,
    list_ready_to_show,
    skill_ladders,
)
from analysis.rendering.blocks import Block, render_block
from analysis.rendering.proof import Proof
from analysis.rows import walk_parts, walk_rows
from analysis.voice import LESS, MORE, compare_self_view
from analysis.words import SkillState

MOST_NEED = 0.6
"""Share of the assessed students from which a need is the class's own."""

NEARLY_ALL_HAVE = 0.85
"""Share of the assessed students from which a skill need not be taught again."""

ASKED_OF = 0.5
"""Share of the assessed students who must have been asked, to speak of the class."""


class ReportParts(ClassroomTables):
    """A classroom's tables, and its report: each ``show_…`` method gives one part."""

    def show_facts(self) -> Block:
        """Say whose report this is, how much evidence it rests on, and how things stand."""
        return self._block("facts", classroom=self, seen=self._seen(), reality=self._reality())

    def show_groups(self) -> Block:
        """Show the groups as cards: focus, members, certainty, first step."""
        return self._block(
            "groups", profiles=self.profiles, verdict=self.summary.verdict, choices=self.choices
        )

    @cached_property
    def choices(self) -> Choices:
        """What the teacher chose, by the numbers of the groups."""
        return read_choices(
            self.plan,
            self.history,
            self.grouping.groups,
            language=self.language,
            name_of=self.name_of,
            skill_name_of=self.framework.name_of,
        )

    def show_others(self) -> Block:
        """List the whole-class need, conferences, extension, and the not assessed."""
        grouping, skill = self.grouping, self.framework.name_of
        is_absent = grouping.conference["reason"] == "absent"
        absent, present = grouping.conference[is_absent], grouping.conference[~is_absent]
        return self._block(
            "others",
            whole_class=[
                (skill(row.skill_id), row.share, row.n_students)
                for row in walk_rows(grouping.whole_class)
            ],
            absent=self._names_of(absent["student_id"]),
            conference=self._by_skill(present),
            extension=[
                (self._names_of(part["student_id"]), [skill(one) for one in next_skills])
                for next_skills, part in walk_parts(
                    grouping.extension, "next_skill_ids", sort=False
                )
            ],
            not_assessed=self._names_of(grouping.not_assessed["student_id"]),
        )

    def show_skill_map(self, skill_ids: Sequence[str] | None = None) -> Block:
        """Show which student has which skill, group by group; of all skills or some."""
        states = self.skill_states if skill_ids is None else self.skill_states[list(skill_ids)]
        order = {str(state): place for place, state in enumerate(SkillState)}
        return self._block(
            "skill_map",
            classroom=self,
            states=states,
            parts=self._parts_of_map(),
            order=order,
            said={str(state): self.language.say(state) for state in SkillState},
        )

    def show_class_needs(self) -> Block:
        """Show what most of the class need, and what nearly all have."""
        counts = self.skill_counts.rename(index=self.framework.name_of)
        known = counts.drop(columns=SkillState.UNKNOWN).sum(axis=1)
        # A skill that few were asked about says nothing of the class.
        asked = counts[known >= ASKED_OF * self.evidence["student_id"].nunique()]
        return self._block(
            "class_needs",
            reteach=_where(asked[SkillState.NEEDS], known, MOST_NEED),
            stop=_where(asked[SkillState.HAS], known, NEARLY_ALL_HAVE),
            chart=chart_skill_needs(counts, self.language) if len(counts) else "",
            counts=counts,
        )

    def show_changes(self) -> Block:
        """Show what changed since the window before: the class, its skills, its students."""
        return self._block(
            "changes",
            gained=self._by_skill(self.changes[self.changes["change"] == "gained"]),
            slipped=self._by_skill(self.changes[self.changes["change"] == "slipped"]),
            **growth_values(self),
        )

    def show_movement(self) -> Block:
        """Show who moved on from the groups before, who did not, and when to regroup."""
        return self._block("movement", **movement_values(self, self._names_of))

    def show_group_details(self) -> Block:
        """Show, for each group, why these students, and how to begin."""
        return self._block("group_details", profiles=self.profiles, choices=self.choices)

    def show_ladders(self) -> Block:
        """Show each strand as a ladder across grades, and who is ready to show a skill."""
        everybody = self._by_name(self.roster["student_id"])
        ladders = [
            *skill_ladders(self.standing, self.framework, everybody),
            *level_ladders(self.shown_so_far, self.framework, everybody),
        ]
        to_show = list_ready_to_show(self.standing, self.framework)
        return self._block(
            "ladders",
            ladders=ladders,
            name_of=self.name_of,
            names_of=self._names_of,
            to_show=self._by_skill(to_show),
            paces=self._paces(),
        )

    def show_voice(self) -> Block:
        """Show what students say of themselves, and where it differs from the answers."""
        everybody = set(self.roster["student_id"])
        heard = self._by_name(everybody & set(self.voice["student_id"]))
        differs = compare_self_view(self.voice, self.standing)
        return self._block(
            "voice",
            heard=[(self.name_of(one), self._words_of(one)) for one in heard],
            more=self._by_skill(differs[differs["differs"] == MORE]),
            less=self._by_skill(differs[differs["differs"] == LESS]),
            silent=self._names_of(everybody - set(heard)),
            wishes=self._wishes_met(),
        )

    def show_coaching(self) -> Block:
        """Show a goal for the cycle, questions a coach may ask, and the shortest next check."""
        whole_class = [self.framework.name_of(one) for one in self.grouping.whole_class["skill_id"]]
        questions = coach_questions(
            self.profiles, self.grouping, self.goal, self.language, whole_class=whole_class
        )
        return self._block(
            "coaching",
            goal=self.goal,
            reachable=REACHABLE,
            questions=questions,
            next_check=self._by_skill(self.grouping.next_check),
        )

    def show_proof(self) -> Proof:
        """End the report with the facts the renderer checks before it publishes."""
        return Proof(
            page_id=self.classroom_id,
            window=self.window,
            n_students=len(self.roster),
            n_evidence=len(self.evidence),
            digest=self.store.digest(self.window, [self.classroom_id]),
            language=self.language.code,
        )

    def name_of(self, student_id: str) -> str:
        """Return the name to show for a student: the roster's, or the id."""
        return self._names.get(student_id, student_id)

    @cached_property
    def _names(self) -> dict[str, str]:
        named = self.roster.dropna(subset="display_name")
        return dict(zip(named["student_id"], named["display_name"], strict=True))

    def _names_of(self, student_ids: Iterable[str]) -> list[str]:
        """Return names in alphabetical order."""
        return [self.name_of(one) for one in self._by_name(student_ids)]

    def _by_name(self, student_ids: Iterable[str]) -> list[str]:
        return sorted(student_ids, key=lambda one: (self.name_of(one).casefold(), one))

    def _by_skill(self, rows: pd.DataFrame) -> list[tuple[str, list[str]]]:
        """Return students by skill, skills in the order of the framework."""
        order = {skill_id: place for place, skill_id in enumerate(self.framework.skill_ids)}
        named = [
            (order[skill_id], self._names_of(part["student_id"]))
            for skill_id, part in walk_parts(rows, "skill_id")
        ]
        return [
            (self.framework.name_of(self.framework.skill_ids[place]), names)
            for place, names in sorted(named)
        ]

    def _seen(self) -> dict[str, Any]:
        answers = self.evidence.drop_duplicates(["student_id", "source", "observation_id"])
        return {
            "teacher": next(iter(self.roster["teacher"].dropna()), None),
            "students": len(self.roster),
            "assessed": self.evidence["student_id"].nunique(),
            "answers": len(answers),
            "skills": len(self.skill_states.columns),
            "last_day": last_day_of(self.evidence),
        }

    def _reality(self) -> str:
        """Say in two sentences where the class stands."""
        return f"{self.summary.counts} {self.summary.verdict}"

    def _wishes_met(self) -> tuple[int, int] | None:
        """Return how many wishes to sit together are met, of how many; None: not asked for."""
        if not self.rules.wishes:
            return None
        group_of = self.grouping.groups.set_index("student_id")["group"].dropna()
        met = [
            one in group_of and other in group_of and group_of[one] == group_of[other]
            for one, other in self.rules.wishes
        ]
        return sum(met), len(met)

    def _words_of(self, student_id: str) -> dict[str, str]:
        mine = self.voice[self.voice["student_id"] == student_id]
        return dict(zip(mine["topic"], mine["answer"], strict=True))

    def _paces(self) -> list[tuple[int, list[str]]]:
        """Return how many skills were gained, so far that is sure, and by whom; most first."""
        gained = gains_since(self.mastery_by_window, self.standing)
        n_of = gained["student_id"].value_counts()
        seen = self.standing["student_id"].unique()
        counts = n_of.reindex(seen, fill_value=0)
        paces = [(int(n), self._names_of(part.index)) for n, part in counts.groupby(counts)]
        return paces[::-1] if len(self.mastery_by_window) > 1 else []

    def _parts_of_map(self) -> list[dict[str, Any]]:
        """Return the groups, and who is in none, as the map's parts."""
        say, group_of = self.language.say, self.grouping.groups.set_index("student_id")["group"]
        parts = [
            {
                "title": say(
                    "Group {group}: {skill}",
                    group=row.group,
                    skill=self.framework.name_of(row.focus_skill_id),
                ),
                "group": row.group,
                "focus": row.focus_skill_id,
                "students": self._by_name(group_of.index[group_of == row.group]),
            }
            for row in walk_rows(self.grouping.focus)
        ]
        others = self._by_name(group_of.index[group_of.isna()])
        in_none = {"title": say("In no group"), "group": None, "focus": None, "students": others}
        return [*parts, in_none] if others else parts

    def _block(self, name: str, **values: object) -> Block:
        return render_block(name, self.language, **values)


def _where(counts: pd.Series, known: pd.Series, share: float) -> list[tuple[str, int, int]]:
    """Return skills where at least a share of the assessed students count, the most first."""
    chosen = counts[counts >= share * known[counts.index]]
    rows = [
        (skill, int(n), int(all_known))
        for skill, n, all_known in zip(chosen.index, chosen, known[chosen.index], strict=True)
    ]
    return sorted(rows, key=lambda row: -row[1] / row[2])
