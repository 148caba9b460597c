"""What a classroom is to do: separate groups, one lesson for all, or both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.errors import UnknownError, UsageError
from analysis.grouping import sentences
from analysis.grouping.estimator import SkillNeedGroups
from analysis.grouping.evidence import Classroom
from analysis.grouping.result import GroupRules
from analysis.grouping.sampling import drawn_together

LEAST_LESSON = 0.5
"""Share of the students on target below which one lesson is not proposed to the whole class,
where skills can be told apart: most of them would sit through what they do not need."""


@dataclass(frozen=True)
class Plan:
    """What was decided: the groups, what all are taught, whether groups pay, and what to say.

    ``with_groups``, ``one_lesson``: share of the students expected to be on target, 0 to 1.
    """

    model: SkillNeedGroups | None
    whole_class: pd.DataFrame
    pays: bool
    verdict: str
    with_groups: float = 0.0
    one_lesson: float = 0.0
    skill: str = ""


def plan_classroom(
    classroom: Classroom, rules: GroupRules, former: np.ndarray | None, supports: bool
) -> Plan:
    """Decide between separate groups and one lesson, and form the groups."""
    value = np.nan_to_num(classroom.value[classroom.assessed])
    if not len(value):
        return Plan(None, _whole_class_table([], [], 0), False, sentences.NO_EVIDENCE)
    shares = value.mean(axis=0)
    common = whole_class_needs(shares, classroom, rules)
    groups, common = _fit_apart_from(common, classroom, rules, former)
    share = share_on_target(classroom, groups)
    one_lesson = float(np.delete(shares, common).max(initial=0))
    taught = [classroom.skills[k] for k in common]
    whole_class = _whole_class_table(taught, shares[common], len(value))
    # A lesson that most do not need is no alternative to groups that reach more.
    no_lesson = one_lesson < min(LEAST_LESSON, share)
    if supports and (no_lesson or _pay(classroom, rules, former, groups, common)):
        return Plan(groups, whole_class, True, sentences.GROUPS_PAY, share, one_lesson)
    kept = Plan(groups, whole_class, False, sentences.TEACHER_CHOSE, share, float(shares.max()))
    return _one_lesson(classroom, rules, former, supports) or kept


def _pay(
    classroom: Classroom,
    rules: GroupRules,
    former: np.ndarray | None,
    groups: SkillNeedGroups,
    common: list[int],
) -> bool:
    """Return whether groups pay, with everyone in a group as everyone is in a lesson."""
    if rules.least_share > 0:
        taught = [classroom.skills[k] for k in common]
        groups = _fit(classroom, replace(rules, least_share=0.0), former, excluded=taught)
    return least_gain(classroom, groups, common) >= rules.least_gain


def least_gain(classroom: Classroom, groups: SkillNeedGroups, common: list[int]) -> float:
    """Return how many more students groups put on target than one lesson does, as a share.

    By the reading of the evidence that finds the least: where readings disagree on whether
    groups pay, it is the data that do not say. And as with more items: what one lesson
    owes to its skill's few items counts for neither.
    """
    seated = (groups.labels_ >= 0)[classroom.assessed]
    focus = groups.focus_[groups.labels_[classroom.assessed][seated]]
    gains = []
    for reading in classroom.readings:
        value = np.nan_to_num(reading[classroom.assessed])
        choice = value.any(axis=0)
        choice[common] = False
        value[:, choice] = drawn_together(value[:, choice], classroom.trust[choice])
        best = np.delete(value.mean(axis=0), common).max(initial=0)
        gains.append(value[seated, focus].sum() / len(value) - best)
    return float(min(gains))


def share_on_target(classroom: Classroom, groups: SkillNeedGroups) -> float:
    """Return the expected share of the students with evidence who are on target, 0 to 1."""
    seated = np.flatnonzero(groups.labels_ >= 0)
    taught = np.nan_to_num(classroom.value[seated, groups.focus_[groups.labels_[seated]]])
    return float(taught.sum() / classroom.assessed.sum())


def _fit_apart_from(
    common: list[int], classroom: Classroom, rules: GroupRules, former: np.ndarray | None
) -> tuple[SkillNeedGroups, list[int]]:
    """Form groups on other skills than the class's common need, if the rules leave room."""
    try:
        return _fit(
            classroom, rules, former, excluded=[classroom.skills[k] for k in common]
        ), common
    except UsageError:
        return _fit(classroom, rules, former, excluded=[]), []


def _one_lesson(
    classroom: Classroom, rules: GroupRules, former: np.ndarray | None, supports: bool
) -> Plan | None:
    """Return groups that all practise one skill, or None where the teacher wants others.

    The skill is chosen by the last reading: the level reading, where there is one, compares
    needs across skills better, because its cut is the same for all; and by what there is
    to gain on the skill's tasks.
    """
    n_students = int(classroom.assessed.sum())
    needed = np.nan_to_num(classroom.readings[-1] * classroom.left)
    needed = needed[classroom.assessed].mean(axis=0)
    excluded = np.isin(classroom.skills, list(rules.focus_excluded))
    needed[excluded] = -1
    usual = np.where(excluded, 0, classroom.usual_need)
    place = choose_lesson(needed, usual, rules.least_gain)
    skill = classroom.skills[place]
    best = float(np.nan_to_num(classroom.value[classroom.assessed, place]).mean())
    too_few = n_students < rules.min_size
    if {named for named, _ in rules.locked} - {skill}:
        return None
    others = [other for other in classroom.skills if other != skill]
    rules = replace(rules, min_fit=0.0, least_share=0.0) if too_few else rules
    try:
        lesson = _fit(classroom, rules, former, excluded=others)
    except UsageError:
        return None
    whole_class = _whole_class_table([skill], [best], n_students)
    said = sentences.ONE_LESSON
    if supports and best < LEAST_LESSON:
        whole_class, said = _whole_class_table([], [], n_students), sentences.ONE_SKILL
    if too_few:
        said = sentences.TOO_FEW
    elif not len(lesson.focus_):
        whole_class, said = _whole_class_table([], [], n_students), sentences.NOTHING_NEEDED
    return Plan(lesson, whole_class, False, said, share_on_target(classroom, lesson), best, skill)


def choose_lesson(needed: np.ndarray, usual: np.ndarray, least_gain: float) -> int:
    """Return the place of the skill that one lesson for a class is to be on.

    The one that is needed most everywhere, unless the class gains by another of its own: as
    little as separate groups does it pay to depart for less than one student in a class of
    20, and a lesson that classes share can be planned together.

    Parameters
    ----------
    needed, usual
        By how much the class needs each skill, and anyone, shape (n_skills,); ``usual`` is 0
        where nothing is known.
    least_gain
        Share of the students more that a lesson of its own must be worth.

    Examples
    --------
    >>> everywhere = np.array([0.5, 0.4])
    >>> choose_lesson(np.array([0.50, 0.52]), everywhere, 0.05)
    0
    >>> choose_lesson(np.array([0.50, 0.58]), everywhere, 0.05)
    1
    """
    own, shared = int(needed.argmax()), int(usual.argmax())
    departs = not usual[shared] or needed[own] - needed[shared] >= least_gain
    return own if departs else shared


def whole_class_needs(shares: np.ndarray, classroom: Classroom, rules: GroupRules) -> list[int]:
    """Return skills to teach everyone: common enough, and not the teacher's focus already."""
    kept = rules.chosen_skills.union(rules.focus_excluded)
    ordered = np.argsort(-shares, kind="stable")
    common = [
        int(k)
        for k in ordered
        if shares[k] >= rules.whole_class_share and classroom.skills[k] not in kept
    ]
    return common[: rules.most_whole_class]


def _fit(
    classroom: Classroom, rules: GroupRules, former: np.ndarray | None, *, excluded: list[str]
) -> SkillNeedGroups:
    model = SkillNeedGroups(
        n_groups=rules.n_groups,
        min_size=rules.min_size,
        max_size=rules.max_size,
        prerequisites=classroom.before,
        together=[_positions(ids, classroom) for ids in rules.together],
        apart=[_positions(ids, classroom) for ids in rules.apart],
        fixed=dict(zip(_positions(rules.fixed, classroom), rules.fixed.values(), strict=True)),
        locked=[(skill, _positions(ids, classroom)) for skill, ids in rules.locked],
        focus_wanted=rules.focus_wanted,
        focus_excluded=[*dict.fromkeys([*rules.focus_excluded, *excluded])],
        absent=_positions(rules.absent, classroom),
        min_fit=rules.min_fit,
        least_share=rules.least_share,
        group_gain=rules.group_gain,
        loyalty=rules.loyalty,
        time_limit=rules.time_limit,
        wishes=[_positions(pair, classroom) for pair in rules.wishes],
        wish_worth=rules.wish_worth,
    )
    mastery = pd.DataFrame(classroom.mastery, columns=classroom.skills)
    return model.fit(
        mastery, value=classroom.worth, former_groups=former, student_ids=classroom.students
    )


def _positions(ids: Iterable[str], classroom: Classroom) -> list[int]:
    known = {student: place for place, student in enumerate(classroom.students)}
    for student in ids:
        if student not in known:
            raise UnknownError.of("student", str(student), classroom.students, "this classroom")
    return [known[student] for student in ids]


def _whole_class_table(
    skills: Sequence[str], shares: Sequence[float] | np.ndarray, n_students: int
) -> pd.DataFrame:
    table = pd.DataFrame({"skill_id": pd.Series(skills, dtype="str"), "share": shares})
    return table.assign(share=table["share"].astype(float), n_students=n_students)
