"""Who should sit together, on which skill: exact groups under a teacher's rules, with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.grouping.estimator import SkillNeedGroups
from analysis.grouping.evidence import read_classroom
from analysis.grouping.forming import form_groups, group_classroom
from analysis.grouping.result import Grouping, GroupRules
from analysis.readings import Draws, Levels

if TYPE_CHECKING:
    from analysis.grouping.views import classical_groups, compare_views

__all__ = [
    "Draws",
    "GroupRules",
    "Grouping",
    "Levels",
    "SkillNeedGroups",
    "classical_groups",
    "compare_views",
    "form_groups",
    "group_classroom",
    "read_classroom",
]


def __getattr__(name: str) -> object:
    # They need all of scikit-learn's clusterings; a report forms groups without them.
    if name in {"classical_groups", "compare_views"}:
        from analysis.grouping import views

        return getattr(views, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
