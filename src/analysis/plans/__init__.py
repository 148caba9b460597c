"""The teacher's judgement: what was decided for one classroom's groups, by whom, when and why.

A plan is a small text file beside the data, ``plans/<classroom>/<window>.toml``. Its last
version is in force; the ones before stay in the file. Reports follow it and say so; no
program changes it.

``plan`` is what can be decided; ``history`` a plan's versions; ``files`` where they are
kept; ``changes`` new plans from a plan; ``following`` a plan as rules for the groups.
"""

from __future__ import annotations

from analysis.plans.files import plan_digest, read_plan, save_plan
from analysis.plans.history import History, Version
from analysis.plans.plan import GroupLabel, LockedGroup, Move, Plan

__all__ = [
    "GroupLabel",
    "History",
    "LockedGroup",
    "Move",
    "Plan",
    "Version",
    "plan_digest",
    "read_plan",
    "save_plan",
]
