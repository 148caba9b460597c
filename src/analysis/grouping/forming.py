"""From a classroom's mastery table to its groups: class need, group need, single need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.errors import UnknownError, UsageError
from analysis.grouping import sentences
from analysis.grouping.estimator import SkillNeedGroups
from analysis.grouping.moves import former_groups_of, who_moved
from analysis.grouping.placing import account_for_everyone
from analysis.grouping.result import Draws, Grouping, GroupRules
from analysis.grouping.value import bridge_prerequisites, value_of_teaching
from analysis.skills import natural_key
from analysis.tables import MASTERY, ROSTER, check_table


@dataclass(frozen=True)
class Classroom:
    """One classroom's evidence as arrays: students and skills in natural order of their ids.

    ``mastery``, ``ready``, ``value``: shape (n_students, n_skills), missing where unknown;
    ``held``: draws, or ``None``; ``assessed``: which students have evidence at all;
    ``next_skills``: skills that build on a skill, assessed or not.
    """

    students: list[str]
    skills: list[str]
    mastery: np.ndarray
    ready: np.ndarray
    value: np.ndarray
    held: np.ndarray | None
    before: np.ndarray
    assessed: np.ndarray
    prerequisites: Mapping[str, list[str]]


def form_groups(
    mastery: pd.DataFrame,
    roster: pd.DataFrame,
    *,
    classroom_id: str,
    window: str,
    prerequisites=None,
    rules: GroupRules | None = None,
    draws: Draws | None = None,
    previous: Grouping | pd.DataFrame | None = None,
    supports_skill_groups: bool = True,
    random_state: int = 0,
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
    previous
        The grouping before, or its ``groups`` table: students stay together unless need
        says otherwise.
    supports_skill_groups
        Whether the assessment tells skills apart at all (the mastery model's verdict).
    random_state
        Seed of the draws where none are given.

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
    rules = GroupRules() if rules is None else rules
    classroom = _read_classroom(mastery, roster, classroom_id, window, prerequisites, draws)
    rules = _resolve(rules, classroom, previous)
    former = former_groups_of(previous, classroom.students)
    plan = _plan(classroom, rules, former, supports_skill_groups)
    parts = account_for_everyone(classroom, plan.model, rules, random_state)
    return Grouping(
        classroom_id=classroom_id,
        window=window,
        groups=_named(parts.pop("groups"), classroom_id, window),
        whole_class=plan.whole_class,
        proven_gap=plan.model.gap_ if plan.model else 0.0,
        supports_groups=plan.pays,
        verdict=plan.verdict,
        expected_on_target=plan.with_groups,
        one_lesson_on_target=plan.one_lesson,
        moves=who_moved(classroom, plan.model, former, previous, rules),
        **parts,
    )


@dataclass(frozen=True)
class _Plan:
    model: SkillNeedGroups | None
    whole_class: pd.DataFrame
    pays: bool
    verdict: str
    with_groups: float = 0.0
    one_lesson: float = 0.0


def _plan(classroom, rules: GroupRules, former, supports: bool) -> _Plan:
    """Decide between separate groups and one lesson, and form the groups."""
    value = np.nan_to_num(classroom.value[classroom.assessed])
    if not len(value):
        return _Plan(None, _whole_class_table([], [], 0), False, sentences.NO_EVIDENCE)
    shares = value.mean(axis=0)
    common = _whole_class_needs(shares, classroom, rules)
    groups, common = _fit_apart_from(common, classroom, rules, former)
    share = groups.objective_ / len(value)
    one_lesson = float(np.delete(shares, common).max(initial=0))
    taught = [classroom.skills[k] for k in common]
    whole_class = _whole_class_table(taught, shares[common], len(value))
    if supports and share - one_lesson >= rules.least_gain:
        said = sentences.GROUPS_PAY.format(
            with_groups=share, n_students=len(value), one_lesson=one_lesson
        )
        return _Plan(groups, whole_class, True, said, share, one_lesson)
    kept = _Plan(groups, whole_class, False, sentences.TEACHER_CHOSE, share, float(shares.max()))
    return _one_lesson(classroom, rules, former, shares) or kept


def _fit_apart_from(common: list[int], classroom, rules, former):
    """Form groups on other skills than the class's common need, if the rules leave room."""
    try:
        return _fit(
            classroom, rules, former, excluded=[classroom.skills[k] for k in common]
        ), common
    except UsageError:
        return _fit(classroom, rules, former, excluded=[]), []


def _one_lesson(classroom, rules: GroupRules, former, shares: np.ndarray) -> _Plan | None:
    """Return groups that all practise one skill, or None where the teacher wants others."""
    n_students, best = int(classroom.assessed.sum()), float(shares.max())
    skill = classroom.skills[int(shares.argmax())]
    too_few = n_students < rules.min_size
    others = [other for other in classroom.skills if other != skill]
    rules = replace(rules, min_fit=0.0) if too_few else rules
    try:
        lesson = _fit(classroom, rules, former, excluded=others)
    except UsageError:
        return None
    whole_class = _whole_class_table([skill], [best], n_students)
    said = sentences.ONE_LESSON.format(skill=skill)
    if too_few:
        said = sentences.TOO_FEW.format(n_students=n_students)
    elif not len(lesson.focus_):
        whole_class, said = _whole_class_table([], [], n_students), sentences.NOTHING_NEEDED
    return _Plan(lesson, whole_class, False, said, lesson.objective_ / n_students, best)


def _whole_class_needs(shares: np.ndarray, classroom: Classroom, rules: GroupRules) -> list[int]:
    """Return skills to teach everyone: common enough, and not the teacher's focus already."""
    kept = {*rules.focus_wanted, *rules.focus_excluded, *rules.fixed.values()}
    ordered = np.argsort(-shares, kind="stable")
    common = [
        int(k)
        for k in ordered
        if shares[k] >= rules.whole_class_share and classroom.skills[k] not in kept
    ]
    return common[: rules.most_whole_class]


def _fit(classroom: Classroom, rules: GroupRules, former, *, excluded: list[str]):
    model = SkillNeedGroups(
        n_groups=rules.n_groups,
        min_size=rules.min_size,
        max_size=rules.max_size,
        prerequisites=classroom.before,
        together=[_positions(ids, classroom) for ids in rules.together],
        apart=[_positions(ids, classroom) for ids in rules.apart],
        fixed=dict(zip(_positions(rules.fixed, classroom), rules.fixed.values(), strict=True)),
        focus_wanted=rules.focus_wanted,
        focus_excluded=[*dict.fromkeys([*rules.focus_excluded, *excluded])],
        absent=_positions(rules.absent, classroom),
        min_fit=rules.min_fit,
        group_gain=rules.group_gain,
        loyalty=rules.loyalty,
        time_limit=rules.time_limit,
    )
    mastery = pd.DataFrame(classroom.mastery, columns=classroom.skills)
    mastery[~classroom.assessed] = np.nan
    return model.fit(
        mastery,
        ready=classroom.ready,
        draws=classroom.held,
        former_groups=former,
        student_ids=classroom.students,
    )


def _read_classroom(mastery, roster, classroom_id, window, prerequisites, draws) -> Classroom:
    roster = check_table(roster, ROSTER, "the roster")
    here = roster.loc[roster["classroom_id"] == classroom_id, "student_id"]
    if here.empty:
        known = roster["classroom_id"].unique().tolist()
        raise UnknownError.of("classroom", classroom_id, known, "the roster")
    students = sorted(here, key=natural_key)
    mastery = check_table(mastery, MASTERY, "the mastery table")
    mine = mastery[(mastery["window"] == window) & mastery["student_id"].isin(students)]
    skills = sorted(mine["skill_id"].unique(), key=natural_key)

    def wide(column: str) -> np.ndarray:
        cells = mine.set_index(["student_id", "skill_id"])[column]
        places = pd.MultiIndex.from_product([students, skills])
        return cells.reindex(places).to_numpy(dtype=float).reshape(len(students), len(skills))

    links = bridge_prerequisites(prerequisites, skills)
    held = _in_order(draws, students, skills)
    shown, ready = wide("mastery"), wide("ready")
    assessed = (np.nan_to_num(wide("n_items")).sum(axis=1) > 0) & ~np.isnan(shown).all(axis=1)
    value = value_of_teaching(shown, links.before, ready=ready, draws=held)
    value[~assessed] = np.nan
    return Classroom(
        students, skills, shown, ready, value, held, links.before, assessed, links.listed
    )


def _in_order(draws: Draws | None, students: list[str], skills: list[str]) -> np.ndarray | None:
    """Return the draws in the classroom's order of students and skills."""
    if draws is None or not skills:
        return None
    rows = {student: place for place, student in enumerate(draws.student_ids)}
    columns = {skill: place for place, skill in enumerate(draws.skill_ids)}
    for kind, known, wanted in (("student", rows, students), ("skill", columns, skills)):
        missing = [name for name in wanted if name not in known]
        if missing:
            raise UnknownError.of(kind, missing[0], list(known), "the posterior draws")
    chosen = np.ix_([rows[s] for s in students], [columns[k] for k in skills])
    return np.asarray(draws.held, dtype=bool)[:, *chosen]


def _resolve(rules: GroupRules, classroom: Classroom, previous) -> GroupRules:
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


def _positions(ids, classroom: Classroom) -> list[int]:
    known = {student: place for place, student in enumerate(classroom.students)}
    for student in ids:
        if student not in known:
            raise UnknownError.of("student", str(student), classroom.students, "this classroom")
    return [known[student] for student in ids]


def _whole_class_table(skills, shares, n_students: int) -> pd.DataFrame:
    table = pd.DataFrame({"skill_id": pd.Series(skills, dtype="str"), "share": shares})
    return table.assign(share=table["share"].astype(float), n_students=n_students)


def _named(groups: pd.DataFrame, classroom_id: str, window: str) -> pd.DataFrame:
    groups = groups.assign(classroom_id=classroom_id, window=window)
    return groups[["classroom_id", "window", *groups.columns.drop(["classroom_id", "window"])]]
