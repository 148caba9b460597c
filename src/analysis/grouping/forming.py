"""From a classroom's mastery table to its groups: class need, group need, single need."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import UsageError
from analysis.grouping.evidence import Classroom, read_classroom
from analysis.grouping.moves import former_groups_of, who_moved
from analysis.grouping.placing import account_for_everyone
from analysis.grouping.planning import Plan, plan_classroom
from analysis.grouping.result import Grouping, GroupRules
from analysis.language import Language, open_language
from analysis.readings import Draws, Levels


def form_groups(
    mastery: pd.DataFrame,
    roster: pd.DataFrame,
    *,
    classroom_id: str,
    window: str,
    prerequisites: Any = None,
    rules: GroupRules | None = None,
    draws: Draws | tuple[Any, ...] | None = None,
    levels: Levels | tuple[Any, ...] | None = None,
    previous: Grouping | pd.DataFrame | None = None,
    supports_skill_groups: bool = True,
    random_state: int = 0,
    language: Language | None = None,
) -> Grouping:
    """Form the groups of one classroom, and account for every student exactly once.

    In this order: a skill most of the class needs and is ready for is taught to everyone
    and is no group's focus; then groups with one focus skill each; then the students whose
    need no group shares. Where groups would put hardly more students on target than one
    lesson, they all share that lesson's skill, and the verdict says so.

    Parameters
    ----------
    mastery
        Table of :data:`analysis.tables.MASTERY`; other classrooms and windows are ignored.
    roster
        Table of :data:`analysis.tables.ROSTER`.
    classroom_id, window
        What to group.
    prerequisites
        Mapping skill id -> ids of direct prerequisites, or pairs (prerequisite, skill).
        Skills without evidence may occur; their own prerequisites take their place.
    rules
        The teacher's rules.
    draws
        Posterior draws of who holds what; without them cells are drawn as if independent.
    levels
        The same evidence read a second way (what :func:`analysis.mastery.read_levels`
        returns): needs become a weighted mean of both readings, which is better wherever
        skills come in degrees or ratings are graded, and groups are formed only where both
        say that they pay. A student or skill that it does not know is read one way.
    previous
        The grouping before, or its ``groups`` table: students stay together unless need
        says otherwise.
    supports_skill_groups
        Whether the assessment tells skills apart at all (the mastery model's verdict). Of
        graded ratings that model cannot judge: there the level reading decides alone.
    random_state
        Seed of the draws where none are given.
    language
        The language of the verdict and of the reasons for moves; ``None``: English.

    Returns
    -------
    Grouping
        The groups, their focus, everyone else, certainty, moves and the next check.

    Raises
    ------
    UsageError
        The rules cannot all be followed; the smallest set in conflict is named.
    UnknownError
        The classroom is not in the roster, or a rule names an unknown student or skill.

    Examples
    --------
    >>> rows = [(f"s{i}", k, p) for i, lacks in enumerate("aaabbb") for k, p in
    ...         [("a", .1 if lacks == "a" else .9), ("b", .9 if lacks == "a" else .2)]]
    >>> mastery = pd.DataFrame(rows, columns=["student_id", "skill_id", "mastery"])
    >>> mastery = mastery.assign(window="fall", n_items=4)
    >>> roster = pd.DataFrame({"student_id": [f"s{i}" for i in range(6)], "classroom_id": "4a"})
    >>> grouping = form_groups(mastery, roster, classroom_id="4a", window="fall")
    >>> grouping.focus[["group", "focus_skill_id", "size"]]
       group focus_skill_id  size
    0      1              a     3
    1      2              b     3
    """
    classroom = read_classroom(
        mastery,
        roster,
        classroom_id,
        window,
        prerequisites=prerequisites,
        draws=draws,
        levels=levels,
        random_state=random_state,
    )
    return group_classroom(
        classroom,
        classroom_id=classroom_id,
        window=window,
        rules=rules,
        previous=previous,
        supports_skill_groups=supports_skill_groups,
        random_state=random_state,
        language=language,
    )


def group_classroom(
    classroom: Classroom,
    *,
    classroom_id: str,
    window: str,
    rules: GroupRules | None = None,
    previous: Grouping | pd.DataFrame | None = None,
    supports_skill_groups: bool = True,
    random_state: int = 0,
    language: Language | None = None,
) -> Grouping:
    """Form the groups of evidence that is read already; else as :func:`form_groups`.

    Who tries many rules on one class reads its evidence once.
    """
    rules = GroupRules() if rules is None else rules
    language = open_language() if language is None else language
    rules = _resolve(rules, classroom, previous)
    rules, classroom = _leave_out_guesses(rules, classroom)
    former = former_groups_of(previous, classroom.students)
    plan = plan_classroom(classroom, rules, former, supports_skill_groups or classroom.graded)
    parts = account_for_everyone(classroom, plan.model, rules, random_state)
    return Grouping(
        classroom_id=classroom_id,
        window=window,
        groups=_named(parts.pop("groups"), classroom_id, window),
        whole_class=plan.whole_class,
        proven_gap=plan.model.gap_ if plan.model else 0.0,
        supports_groups=plan.pays,
        verdict=_say(plan, classroom, language),
        expected_on_target=plan.with_groups,
        one_lesson_on_target=plan.one_lesson,
        moves=who_moved(classroom, plan.model, former, previous, rules, language.say),
        **parts,
    )


def _say(plan: Plan, classroom: Classroom, language: Language) -> str:
    """Return the plan's verdict in the reader's language."""
    return language.say(
        plan.verdict,
        with_groups=language.percent(plan.with_groups),
        one_lesson=language.percent(plan.one_lesson),
        n_students=language.number(int(classroom.assessed.sum())),
        skill=plan.skill,
    )


def _leave_out_guesses(rules: GroupRules, classroom: Classroom) -> tuple[GroupRules, Classroom]:
    """Leave out skills that fewer students were asked about than a group has.

    What was not asked is only guessed from other skills: enough to say what comes next for
    a student, too little to seat a group on, or to plan a lesson for all. The teacher may
    still want such a skill.
    """
    enough = min(rules.min_size, int(classroom.assessed.sum()))
    kept = rules.chosen_skills
    asked = classroom.asked.sum(axis=0) >= enough
    guessed = ~asked & np.array([skill not in kept for skill in classroom.skills], dtype=bool)
    left_out = [classroom.skills[k] for k in np.flatnonzero(guessed)]
    excluded = dict.fromkeys([*rules.focus_excluded, *left_out])
    return replace(rules, focus_excluded=list(excluded)), replace(
        classroom,
        value=np.where(guessed, 0.0, classroom.value),
        readings=[np.where(guessed, 0.0, reading) for reading in classroom.readings],
    )


def _resolve(rules: GroupRules, classroom: Classroom, previous: Any) -> GroupRules:
    """Return the rules with each student fixed to a group fixed to that group's focus."""
    if not rules.fixed:
        return rules
    table = getattr(previous, "groups", previous)
    focus = {}
    if table is not None:
        seated = table.dropna(subset=["group", "focus_skill_id"])
        focus = dict(zip(seated["group"].astype(int), seated["focus_skill_id"], strict=True))
    fixed = {}
    for student, place in rules.fixed.items():
        if place not in classroom.skills and place not in focus:
            raise UsageError(
                f"Student {student} is fixed to {place!r}, which is neither a skill with evidence "
                f"nor a group of the previous grouping.\nGroups: {sorted(focus) or 'none'}; "
                f"skills: {', '.join(classroom.skills)}."
            )
        fixed[student] = place if place in classroom.skills else focus[place]
    return replace(rules, fixed=fixed)


def _named(groups: pd.DataFrame, classroom_id: str, window: str) -> pd.DataFrame:
    groups = groups.assign(classroom_id=classroom_id, window=window)
    return groups[["classroom_id", "window", *groups.columns.drop(["classroom_id", "window"])]]
