"""A classroom's groups in plain words and numbers, for the teacher who will teach them.

``sentences`` what is said, word for word · ``profile`` what is told of a group and a class ·
``known`` what there is to say of each student, looked up once · ``describing`` puts them
together. Words say what is needed next, never what a student is.
"""

from __future__ import annotations

from analysis.profiles.describing import describe_class, describe_groups, say_class, say_groups
from analysis.profiles.known import Known, know_classroom
from analysis.profiles.profile import (
    ClassProfile,
    GroupProfile,
    Member,
    Question,
    SkillCount,
    WarmUp,
)

__all__ = [
    "ClassProfile",
    "GroupProfile",
    "Known",
    "Member",
    "Question",
    "SkillCount",
    "WarmUp",
    "describe_class",
    "describe_groups",
    "know_classroom",
    "say_class",
    "say_groups",
]
