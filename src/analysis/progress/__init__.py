"""One learner's progress, told by evidence: what is shown, what is next, what has grown.

::

    standing   the last evidence on each skill, whichever window it is from
    evidence   what was earned, in numbers to say aloud
    steps      the next step, what is being worked on, what is ready to be shown
    learner    all of it about one student, in the student's own words
    ladder     a strand's skills across grades, or a scale's levels, and who stands where

Nothing here compares a student with another one, and no skill is asked of a grade: what
counts is what comes before it.
"""

from __future__ import annotations

from analysis.progress.evidence import summarise_evidence
from analysis.progress.ladder import Ladder, level_ladders, skill_ladders
from analysis.progress.learner import LearnerProgress, describe_learners
from analysis.progress.standing import doubt_thin_claims, gains_since, latest_standing
from analysis.progress.steps import choose_next_steps, list_ready_to_show

__all__ = [
    "Ladder",
    "LearnerProgress",
    "choose_next_steps",
    "describe_learners",
    "doubt_thin_claims",
    "gains_since",
    "latest_standing",
    "level_ladders",
    "list_ready_to_show",
    "skill_ladders",
    "summarise_evidence",
]
