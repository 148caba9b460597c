"""Who should sit together, on which skill: exact groups under a teacher's rules, with reasons."""

from analysis.grouping.estimator import SkillNeedGroups
from analysis.grouping.evidence import read_classroom
from analysis.grouping.forming import form_groups, group_classroom
from analysis.grouping.result import Draws, Grouping, GroupRules
from analysis.grouping.views import classical_groups, compare_views

__all__ = [
    "Draws",
    "GroupRules",
    "Grouping",
    "SkillNeedGroups",
    "classical_groups",
    "compare_views",
    "form_groups",
    "group_classroom",
    "read_classroom",
]
