"""What goes into forming a classroom's groups, and what comes out: rules and grouping."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from analysis.errors import UsageError


@dataclass(frozen=True)
class GroupRules:
    """A teacher's rules for one grouping; students and skills by their ids.

    Parameters
    ----------
    n_groups
        Number of groups; ``None``: as many as pay.
    min_size, max_size
        Fewest and most students in a group.
    together, apart
        Sets of student ids who must sit in one group, or all in different ones.
    fixed
        Student id -> focus skill id, or the number of a group of ``previous``, whose focus
        then is the student's.
    locked
        Pairs of a focus skill id and student ids: groups that stand as they are. Nobody joins
        or leaves them, and sizes do not bind them.
    focus_wanted, focus_excluded
        Skill ids that must, or must not, be the focus of a group.
    absent
        Student ids to leave out of the groups this time.
    min_fit
        Least probability of needing the focus and being ready for it, to join a group.
    least_share
        Least expected share on target among the students of a focus; a group of those who
        are left over is never opened.
    whole_class_share
        A skill that at least this share of the assessed students need and are ready for is
        taught to everyone.
    most_whole_class
        Most skills to teach everyone in one cycle.
    least_gain
        Groups pay when they put at least this share of the students more on target than
        the best single lesson does; and a lesson of a class's own pays when it does so beside
        the one that is needed most everywhere.
    certainty
        Below this share of draws a placement is to be checked with the teacher.
    group_gain
        Students on target that a further group must add to be opened.
    loyalty
        Students on target that one student's staying with the former group is worth.
    wishes
        Pairs of student ids who would like to sit together: a soft wish, never a rule.
    wish_worth
        Students on target that one wish is worth.
    time_limit
        Seconds for the proof. ``None``: a number of steps in its place, so that a busy
        machine forms the same groups as an idle one.

    Examples
    --------
    >>> GroupRules(max_size=5, apart=[("s1", "s2")]).max_size
    5
    """

    n_groups: int | None = None
    min_size: int = 3
    max_size: int = 6
    together: Sequence[Sequence[str]] = ()
    apart: Sequence[Sequence[str]] = ()
    fixed: Mapping[str, Hashable] = field(default_factory=dict)
    locked: Sequence[tuple[str, Sequence[str]]] = ()
    focus_wanted: Sequence[str] = ()
    focus_excluded: Sequence[str] = ()
    absent: Sequence[str] = ()
    min_fit: float = 0.2
    least_share: float = 0.5
    whole_class_share: float = 0.6
    most_whole_class: int = 1
    least_gain: float = 0.05
    certainty: float = 0.6
    group_gain: float = 0.25
    loyalty: float = 0.1
    time_limit: float | None = None
    wishes: Sequence[tuple[str, str]] = ()
    wish_worth: float = 0.05

    def __post_init__(self) -> None:
        for name in ("min_fit", "least_share", "whole_class_share", "least_gain", "certainty"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} = {getattr(self, name)} is not in 0 to 1.")

    @property
    def chosen_skills(self) -> set[Hashable]:
        """Skills the teacher has named as a focus: they need no reason of ours."""
        return {*self.focus_wanted, *self.fixed.values(), *(skill for skill, _ in self.locked)}

    @property
    def chosen_students(self) -> set[str]:
        """Students whose place the teacher has chosen."""
        return {*self.fixed, *(student for _, students in self.locked for student in students)}


@dataclass(frozen=True)
class Grouping:
    """Groups of one classroom in one window, with everyone accounted for exactly once.

    Every student of the roster is in a group, or in one of ``extension``, ``conference``
    and ``not_assessed``.

    Attributes
    ----------
    classroom_id, window
        What was grouped.
    groups
        Table of :data:`analysis.tables.GROUPS`, one row per student of the roster.
    focus
        One row a group: ``group``, ``focus_skill_id``, ``size`` (students), ``value``
        (expected students on target), ``share_on_target`` (value / size).
    whole_class
        Skills to teach everyone first: ``skill_id``, ``share`` (of the assessed students
        who need it and are ready, expected), ``n_students`` (assessed).
    extension
        Students who need nothing listed: ``student_id``, ``next_skill_ids`` (tuple).
    conference
        Students whose need no group shares: ``student_id``, ``skill_id`` (the one need),
        ``need``, ``ready``, ``reason`` (``"single need"`` or ``"absent"``).
    not_assessed
        ``student_id`` of students without evidence, and those groups' seats are not theirs.
    check_with_teacher
        Placements under the stated certainty: ``student_id``, ``group``, ``certainty``,
        ``alternative_group`` (missing: none), ``behind`` (how much less likely the
        alternative is to be right, 0 to 1).
    proven_gap
        Distance from the provably best grouping, as a share of it: 0 means proven best.
    supports_groups
        Whether separate groups pay. Where they do not, all groups share one focus: one
        lesson for everyone, and groups to practise in.
    verdict
        The same in one plain sentence.
    expected_on_target, one_lesson_on_target
        Expected share of the assessed students on target, with these groups and with the
        best single lesson.
    moves
        Who is no longer with most of the former group: ``student_id``, ``from_group``,
        ``to_group`` (missing: none), ``from_skill_id``, ``to_skill_id``, ``reason``.
    next_check
        The shortest next check: ``skill_id``, ``student_id``, ``gain`` (expected rise in
        the probability that the student is on target, if this skill were known).
    """

    classroom_id: str
    window: str
    groups: pd.DataFrame
    focus: pd.DataFrame
    whole_class: pd.DataFrame
    extension: pd.DataFrame
    conference: pd.DataFrame
    not_assessed: pd.DataFrame
    check_with_teacher: pd.DataFrame
    proven_gap: float
    supports_groups: bool
    verdict: str
    expected_on_target: float
    one_lesson_on_target: float
    moves: pd.DataFrame
    next_check: pd.DataFrame
