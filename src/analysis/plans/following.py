"""A plan as rules for the groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.grouping import GroupRules
from analysis.plans.plan import Plan


def follow(plan: Plan, rules: GroupRules, *, absent: Sequence[str] = ()) -> GroupRules:
    """Return the rules that form groups as a plan says; what it leaves open stays.

    Parameters
    ----------
    plan
        What was decided, of students and skills that are there (:meth:`Plan.limited_to`).
    rules
        The report's own.
    absent
        Student ids to leave out of the groups today.

    Examples
    --------
    >>> from analysis.plans.plan import LockedGroup
    >>> plan = Plan(max_size=5, locked=[LockedGroup(skill_id="k", students=["s1", "s2"])])
    >>> rules = follow(plan, GroupRules(min_size=4))
    >>> rules.min_size, rules.max_size, rules.locked
    (4, 5, [('k', ('s1', 's2'))])
    """
    numbers = ("min_size", "max_size", "n_groups", "certainty")
    said = {name: getattr(plan, name) for name in numbers if getattr(plan, name) is not None}
    in_lock = {one for group in plan.locked for one in group.students}
    beside = [(m.student_id, m.beside) for m in plan.moves if m.beside and m.beside not in in_lock]
    return replace(
        rules,
        **said,
        focus_excluded=[*dict.fromkeys([*rules.focus_excluded, *plan.skills_out])],
        together=[*rules.together, *plan.together, *beside],
        apart=[*rules.apart, *plan.apart],
        fixed={**rules.fixed, **{move.student_id: move.skill_id for move in plan.moves}},
        locked=[*rules.locked, *((group.skill_id, group.students) for group in plan.locked)],
        absent=[*dict.fromkeys([*rules.absent, *absent])],
    )
