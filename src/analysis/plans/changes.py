"""New plans from a plan: what a coach's hand on a control does to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis.plans.plan import GroupLabel, LockedGroup, Move, Plan


def move_student(
    plan: Plan, student_id: str, skill_id: str, *, group: Sequence[str], crowded: bool = False
) -> Plan:
    """Return the plan with a student in another group.

    Parameters
    ----------
    plan
        What was decided before.
    student_id, skill_id
        Who, and the focus of the group to move to.
    group
        Students of that group. Where it is locked, the student joins the locked group.
    crowded
        Whether another group works on the same skill: then the move names a student to
        sit beside.

    Examples
    --------
    >>> plan = Plan(locked=[LockedGroup(skill_id="k", students=["s1", "s2"])])
    >>> move_student(plan, "s3", "k", group=["s1", "s2"]).locked[0].students
    ('s1', 's2', 's3')
    """
    plan = let_go(plan, [student_id])
    wanted = set(group) - {student_id}
    for lock in plan.locked:
        if lock.skill_id == skill_id and wanted & set(lock.students):
            joined = lock.model_copy(update={"students": (*lock.students, student_id)})
            return _swap(plan, "locked", lock, joined)
    beside = min(wanted, default=None) if crowded else None
    move = Move(student_id=student_id, skill_id=skill_id, beside=beside)
    return plan.model_copy(update={"moves": (*plan.moves, move)})


def lock_group(plan: Plan, skill_id: str, students: Iterable[str]) -> Plan:
    """Return the plan with a group that stays as it is; its moves become part of the lock."""
    students = tuple(sorted(students))
    plan = let_go(plan, students)
    group = LockedGroup(skill_id=skill_id, students=students)
    return plan.model_copy(update={"locked": (*plan.locked, group)})


def unlock_group(plan: Plan, students: Iterable[str]) -> Plan:
    """Return the plan without the locks that hold one of these students."""
    free = set(students)
    kept = tuple(group for group in plan.locked if not free & set(group.students))
    return plan.model_copy(update={"locked": kept})


def let_go(plan: Plan, students: Iterable[str]) -> Plan:
    """Return the plan without a chosen place for these students.

    Examples
    --------
    >>> plan = Plan(moves=[Move(student_id="s1", skill_id="k")])
    >>> let_go(plan, ["s1"]).is_empty
    True
    """
    free = set(students)
    locked = [(one, tuple(s for s in one.students if s not in free)) for one in plan.locked]
    return plan.model_copy(
        update={
            "moves": tuple(move for move in plan.moves if move.student_id not in free),
            "locked": tuple(
                group.model_copy(update={"students": left}) for group, left in locked if left
            ),
        }
    )


def pair_students(plan: Plan, kind: str, students: Iterable[str]) -> Plan:
    """Return the plan with students who sit ``"together"`` or ``"apart"``; said once."""
    named = tuple(sorted(students))
    others = tuple(pair for pair in getattr(plan, kind) if pair != named)
    return plan.model_copy(update={kind: (*others, named)})


def label_group(
    plan: Plan, skill_id: str, students: Iterable[str], *, name: str, note: str
) -> Plan:
    """Return the plan with a name and a note for a group, in place of those it had.

    A group's label is one of the same skill that shares a student with it. Empty name and
    note: the label goes.
    """
    students = tuple(sorted(students))
    others = tuple(
        label
        for label in plan.labels
        if label.skill_id != skill_id or not set(label.students) & set(students)
    )
    name, note = name.strip(), note.strip()
    if not (name or note):
        return plan.model_copy(update={"labels": others})
    label = GroupLabel(skill_id=skill_id, students=students, name=name, note=note)
    return plan.model_copy(update={"labels": (*others, label)})


def lift(plan: Plan, decision: object) -> Plan:
    """Return the plan without one decision, given as to :meth:`History.origin_of`.

    Examples
    --------
    >>> lift(Plan(max_size=5), ("max_size", 5)).is_empty
    True
    """
    if isinstance(decision, tuple) and decision and decision[0] in Plan.model_fields:
        return plan.model_copy(update={decision[0]: Plan.model_fields[decision[0]].default})
    parts = ("together", "apart", "moves", "locked", "labels")
    kept = {name: tuple(one for one in getattr(plan, name) if one != decision) for name in parts}
    return plan.model_copy(update=kept)


def _swap(plan: Plan, part: str, old: object, new: object) -> Plan:
    changed = tuple(new if one is old else one for one in getattr(plan, part))
    return plan.model_copy(update={part: changed})
