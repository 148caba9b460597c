"""What is read from one classroom's evidence, handed on as arrays: from mastery to grouping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Draws(NamedTuple):
    """Draws from the posterior of who holds what.

    ``held``: bool, shape (n_draws, n_students, n_skills), its second and third axis in the
    order of ``student_ids`` and ``skill_ids``.
    """

    held: np.ndarray
    student_ids: Sequence[str]
    skill_ids: Sequence[str]


class Levels(NamedTuple):
    """The evidence read a second way: how far above the cut.

    ``held``: probability that each student's level on each skill is above the cut, shape
    (n_students, n_skills), in the order of ``student_ids`` and ``skill_ids``; ``draws``: of
    who holds what, bool, shape (n_draws, n_students, n_skills); ``expected``: expected level,
    of the shape of ``held``; ``weight``: of this reading beside the mastery table, 0 to 1
    (1: graded ratings, of which a model of had-or-not cannot judge); ``usual``: share earned
    on each item that somebody here was asked; ``q``: which of these items asks for which
    skill, 0/1, shape (n_items, n_skills). ``held`` and ``expected`` are missing for a student
    without evidence, and for a skill that nobody here was asked, or nobody of those that
    levels were learnt from. ``anyone``: draws of what a student holds of whom nothing is known
    but that levels were learnt from such students, bool, shape (n_draws, n_skills); ``mean``:
    the mean level there, shape (n_skills,), missing as above.
    """

    held: np.ndarray
    draws: np.ndarray
    expected: np.ndarray
    weight: float
    usual: np.ndarray
    q: np.ndarray
    anyone: np.ndarray
    mean: np.ndarray
    student_ids: Sequence[str]
    skill_ids: Sequence[str]
