"""What changed between windows; a change is said only when the evidence carries it.

``changes`` one student on one skill · ``amounts`` how much a skill, a student, a classroom
grew, with intervals · ``alike`` growth beside students who started alike · ``movement`` who
changed group, who is stuck, who always sits at the earliest skills · ``cadence`` when to
form the groups anew.
"""

from __future__ import annotations

from analysis.growth.alike import compare_with_alike, summarise_classrooms
from analysis.growth.amounts import growth_by_skill, growth_by_student, mean_growth
from analysis.growth.cadence import RegroupAdvice, advise_regrouping
from analysis.growth.changes import measure_changes, said_changes
from analysis.growth.movement import (
    Course,
    find_entrenched,
    find_not_growing,
    find_stuck,
    place_groups,
    trace_groups,
)

__all__ = [
    "Course",
    "RegroupAdvice",
    "advise_regrouping",
    "compare_with_alike",
    "find_entrenched",
    "find_not_growing",
    "find_stuck",
    "growth_by_skill",
    "growth_by_student",
    "mean_growth",
    "measure_changes",
    "place_groups",
    "said_changes",
    "summarise_classrooms",
    "trace_groups",
]
