"""One classroom, opened: what a notebook holds in its hand.

Everything is worked out when it is first asked for, from this classroom's rows alone and
the calibration made on everybody. Each ``show_…`` method gives one part of the report.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import pandas as pd

from analysis.charts import Chart, chart_skill_needs
from analysis.district import import_exports, open_calibration, open_framework
from analysis.errors import UnknownError
from analysis.grouping import Draws, Grouping, GroupRules, form_groups
from analysis.mastery import Calibration, draw_profiles, measure_mastery
from analysis.profiles import ClassProfile, GroupProfile, describe_class, describe_groups
from analysis.rendering.blocks import Block, render_block
from analysis.rendering.proof import Proof
from analysis.settings import check_parameters
from analysis.skills import SkillFramework
from analysis.store import Store
from analysis.words import SkillState, skill_state

RANDOM_STATE = 0
N_DRAWS = 200
"""Posterior draws behind a certainty: its standard error is then at most 0.035."""


def open_classroom(
    classroom_id: str,
    *,
    window: str,
    data_dir: str | Path = "data",
    min_size: int = 3,
    max_size: int = 6,
    n_groups: int | None = None,
) -> Classroom:
    """Open one classroom for one window.

    Parameters
    ----------
    classroom_id
        As in the roster.
    window
        Assessment window.
    data_dir
        A store, or a folder of exports: then its store is in ``store`` inside it, made
        when it is missing or older than the exports.
    min_size, max_size
        Bounds on the students of a group.
    n_groups
        How many groups; ``None`` leaves it to the method.

    Returns
    -------
    Classroom

    Raises
    ------
    UsageError
        A parameter is out of range.
    DataError
        There is no such classroom or window, or the folder holds no data.
    """
    parameters = check_parameters(
        {
            "classroom_id": classroom_id,
            "window": window,
            "data_dir": str(data_dir),
            "min_size": min_size,
            "max_size": max_size,
            "n_groups": n_groups,
        }
    )
    store = open_store(Path(data_dir))
    if classroom_id not in store.classroom_ids:
        raise UnknownError.of("classroom", classroom_id, store.classroom_ids, str(data_dir))
    if window not in store.windows:
        raise UnknownError.of("window", window, store.windows, str(data_dir))
    rules = GroupRules(
        min_size=parameters.min_size, max_size=parameters.max_size, n_groups=parameters.n_groups
    )
    return Classroom(store, classroom_id, window, rules)


def open_store(data_dir: Path) -> Store:
    """Return the store in a folder, importing the folder's exports when they are newer."""
    store = Store(data_dir)
    if store.exists:
        return store
    store = Store(data_dir / "store")
    exports = [file for file in data_dir.glob("*.*") if file.is_file()]
    newest = max((file.stat().st_mtime for file in exports), default=0)
    if not store.exists or store.saved_at < newest:
        import_exports([data_dir], store)
    return store


class Classroom:
    """One classroom in one window; made by :func:`open_classroom`.

    Parameters
    ----------
    store
        Where the data are.
    classroom_id, window
        Which classroom, and when.
    rules
        The teacher's rules for the groups.
    """

    def __init__(self, store: Store, classroom_id: str, window: str, rules: GroupRules):
        self.classroom_id = classroom_id
        self.window = window
        self.rules = rules
        self._store = store

    def __repr__(self) -> str:
        return f"Classroom({self.classroom_id!r}, window={self.window!r})"

    # -- tables -------------------------------------------------------------------------

    @cached_property
    def roster(self) -> pd.DataFrame:
        """The classroom's students."""
        return self._store.read_roster(self.classroom_id)

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The classroom's evidence in the window."""
        return self._store.read_evidence(self.window, self.classroom_id)

    @cached_property
    def framework(self) -> SkillFramework:
        """The district's skills."""
        return open_framework(self._store)

    @cached_property
    def calibration(self) -> Calibration:
        """What everybody's answers say about items and skills."""
        return open_calibration(self._store, self.window)

    @cached_property
    def mastery(self) -> pd.DataFrame:
        """What each student has shown; see :data:`analysis.tables.MASTERY`."""
        return measure_mastery(self.evidence, self.roster, self.calibration)

    @cached_property
    def grouping(self) -> Grouping:
        """Who sits together, on which skill, how sure, and who sits elsewhere."""
        drawn = draw_profiles(
            self.evidence,
            self.roster,
            self.calibration,
            n_draws=N_DRAWS,
            random_state=RANDOM_STATE,
        )
        return form_groups(
            self.mastery,
            self.roster,
            classroom_id=self.classroom_id,
            window=self.window,
            prerequisites=list(self.framework.graph.edges),
            rules=self.rules,
            draws=Draws(*drawn),
            supports_skill_groups=bool(self.calibration.supports_skill_groups),
            random_state=RANDOM_STATE,
        )

    @cached_property
    def profiles(self) -> list[GroupProfile]:
        """Each group in plain words."""
        return describe_groups(
            self.grouping, self.mastery, self.framework, self.roster, evidence=self.evidence
        )

    @cached_property
    def summary(self) -> ClassProfile:
        """The classroom as a whole in plain words."""
        return describe_class(self.grouping, self.mastery, self.framework, self.roster)

    @cached_property
    def skill_states(self) -> pd.DataFrame:
        """What to say of each student (rows) and assessed skill (columns)."""
        states = self.mastery.assign(state=skill_state(self.mastery))
        wide = states.pivot(index="student_id", columns="skill_id", values="state")
        assessed = [skill for skill in self.framework.skill_ids if self._is_assessed(wide, skill)]
        return wide.reindex(index=self.roster["student_id"], columns=assessed).fillna(
            SkillState.UNKNOWN.value
        )

    @cached_property
    def skill_counts(self) -> pd.DataFrame:
        """How many students are in which state (columns), for each assessed skill (rows)."""
        counts = self.skill_states.apply(lambda column: column.value_counts()).T
        return counts.reindex(columns=list(SkillState)).fillna(0).astype(int)

    # -- what the report shows ----------------------------------------------------------

    def show_facts(self) -> Block:
        """Say whose report this is and how much evidence it rests on."""
        return render_block("facts", classroom=self, seen=self._evidence_facts())

    def show_groups(self) -> Block:
        """Show the groups as cards: focus, members, certainty, first step."""
        return render_block("groups", profiles=self.profiles, verdict=self.summary.verdict)

    def show_others(self) -> Block:
        """List the whole-class need, conferences, extension, and the not assessed."""
        return render_block("others", classroom=self, grouping=self.grouping, summary=self.summary)

    def show_skill_map(self) -> Block:
        """Show which student has which skill, group by group."""
        order = {str(state): place for place, state in enumerate(SkillState)}
        return render_block(
            "skill_map",
            classroom=self,
            states=self.skill_states,
            parts=self._parts_of_map(),
            order=order,
        )

    def show_skill_needs(self) -> Chart:
        """Chart how many students have and need each skill."""
        names = {skill: self.framework.name_of(skill) for skill in self.skill_counts.index}
        return chart_skill_needs(self.skill_counts.rename(index=names))

    def show_group_details(self) -> Block:
        """Show, for each group, why these students, and how to begin."""
        return render_block("group_details", profiles=self.profiles)

    def show_proof(self) -> Proof:
        """End the report with the facts the renderer checks before it publishes."""
        return Proof(
            classroom_id=self.classroom_id,
            window=self.window,
            n_students=len(self.roster),
            n_evidence=len(self.evidence),
            digest=self._store.digest(self.window, self.classroom_id),
        )

    # -- small things -------------------------------------------------------------------

    def name_of(self, student_id: str) -> str:
        """Return the name to show for a student: the roster's, or the id."""
        return self._names.get(student_id, student_id)

    def student_names(self, student_ids: Iterable[str]) -> list[str]:
        """Return the names to show, in alphabetical order."""
        return [self.name_of(one) for one in self._by_name(student_ids)]

    def skill_names(self, skill_ids: Iterable[str]) -> list[str]:
        """Return skills' names in plain words, in the order given."""
        return [self.framework.name_of(one) for one in skill_ids]

    @cached_property
    def _names(self) -> dict[str, str]:
        named = self.roster.dropna(subset="display_name")
        return dict(zip(named["student_id"], named["display_name"], strict=True))

    def _is_assessed(self, states: pd.DataFrame, skill_id: str) -> bool:
        return skill_id in states and (states[skill_id] != SkillState.UNKNOWN).any()

    def _evidence_facts(self) -> dict:
        days = self.evidence["observed_on"].dropna()
        return {
            "students": len(self.roster),
            "assessed": self.evidence["student_id"].nunique(),
            "answers": len(self.evidence.drop_duplicates(["student_id", "observation_id"])),
            "skills": len(self.skill_states.columns),
            "last_day": days.max().date().isoformat() if len(days) else None,
        }

    def _parts_of_map(self) -> list[dict]:
        """Return the groups, and who is in none, as the map's parts."""
        group_of = self.grouping.groups.set_index("student_id")["group"]
        parts = [
            {
                "title": f"Group {row.group}: {self.framework.name_of(row.focus_skill_id)}",
                "focus": row.focus_skill_id,
                "students": self._by_name(group_of.index[group_of == row.group]),
            }
            for row in self.grouping.focus.itertuples()
        ]
        others = self._by_name(group_of.index[group_of.isna()])
        in_none = {"title": "In no group", "focus": None, "students": others}
        return [*parts, in_none] if others else parts

    def _by_name(self, student_ids: Iterable[str]) -> list[str]:
        return sorted(student_ids, key=lambda one: (self.name_of(one).casefold(), one))
