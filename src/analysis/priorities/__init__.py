"""Where a coach's hours help most: classrooms, skills they share, students who may be lost.

``score`` where a visit helps, its parts shown · ``focus`` skills that several classrooms need
next · ``notable`` what is unusual about a classroom · ``standing`` how far students stand
from their grade.
"""

from __future__ import annotations

from analysis.priorities.focus import list_common_focus
from analysis.priorities.notable import Fact, list_notable
from analysis.priorities.score import score_classrooms
from analysis.priorities.standing import find_at_risk, grades_below

__all__ = [
    "Fact",
    "find_at_risk",
    "grades_below",
    "list_common_focus",
    "list_notable",
    "score_classrooms",
]
