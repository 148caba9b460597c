"""What each student can do, when: standing at the start, then gains on what is ready."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.simulation.bank import Bank

MEAN_STANDING = 0.1
"""Grade levels a grade 3 student stands above the start of the grade, on average and
before the tail of students who are far behind."""
FALLING_BEHIND = 0.2
"""Grade levels this average falls with each further grade: gaps add up."""
SPREAD = 0.7
SHARE_BEHIND = 0.3
MEAN_BEHIND = 0.9
"""Grade levels, on average, of that tail: some students stand three and more below."""
LEARNER_GAP = 0.35
"""Grade levels English learners start lower. They gain a ready skill as often as others do,
so with more skills left to gain they gain a few more."""
GAIN = 0.5
"""Chance to gain a ready skill between two windows, before a student's and a classroom's
own factor."""
GAIN_UNREADY = 0.35
"""Share of that chance where a prerequisite was gained only since the last window."""
GAIN_ABOVE_GRADE = 0.15
"""Share of that chance for a skill above the classroom's grade."""
LOSS = 0.01
"""Chance that a held skill nothing else builds on is lost between two windows."""


def draw_truth(
    roster: pd.DataFrame,
    effects: pd.DataFrame,
    bank: Bank,
    n_windows: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return who holds which skill in which window.

    Parameters
    ----------
    roster
        One row a student (home classroom), classrooms in their order.
    effects
        One row a classroom, as from :func:`analysis.simulation.plan.effects_on`.
    bank
        The skills, prerequisites first.
    n_windows
        Number of windows.
    rng
        A larger district drawn from an equal generator begins with the same students.

    Returns
    -------
    numpy.ndarray of bool, shape (n_windows, n_students, n_skills)
        A skill is held only where all its prerequisites are.
    """
    for_classrooms, for_students, for_normal, for_start, *for_steps = rng.spawn(n_windows + 3)
    place = pd.factorize(roster["classroom_id"])[0]
    own = effects.iloc[place].reset_index(drop=True)
    of_classroom = for_classrooms.random((len(effects), 2))[place]
    of_student = for_students.random((len(roster), 4))
    normal = for_normal.standard_normal(len(roster))

    standing = _standing(roster, own, of_classroom[:, 0], of_student) + SPREAD * normal
    growth = own["growth"].to_numpy() * (0.85 + 0.3 * of_classroom[:, 1])
    growth = growth * (0.6 + 0.8 * of_student[:, 3])
    never = own["lacks"].to_numpy()[:, None] == np.array(bank.skill_ids)
    grade = roster["grade"].astype(int).to_numpy()

    held = [_start(standing, bank, for_start) & ~_closed_above(never, bank)]
    for step in for_steps[: n_windows - 1]:
        held.append(_next(held[-1], growth, grade, never, bank, step))
    return np.array(held)


def _standing(
    roster: pd.DataFrame, own: pd.DataFrame, of_classroom: np.ndarray, of_student: np.ndarray
) -> np.ndarray:
    """Return where each student is expected to stand, in grades (3.0: grade 3 begins)."""
    grade = roster["grade"].astype(int).to_numpy()
    tail = np.where(of_student[:, 0] < SHARE_BEHIND, -MEAN_BEHIND * np.log1p(-of_student[:, 1]), 0)
    side = np.where(of_student[:, 2] < 0.5, -1, 1)
    return np.asarray(
        grade
        + MEAN_STANDING
        - FALLING_BEHIND * (grade - 3)
        - tail
        - LEARNER_GAP * roster["english_learner"].eq("yes").to_numpy()
        + 0.4 * (of_classroom - 0.5)
        + own["level"].to_numpy()
        + own["spread"].to_numpy() * side
    )


def _start(standing: np.ndarray, bank: Bank, rng: np.random.Generator) -> np.ndarray:
    """Return who holds what at first: likely below the own standing, never unready."""
    likely = 1 / (1 + np.exp(-2.4 * (standing[:, None] - bank.grade - 0.5)))
    # A student who stands well above a skill does not lack it by chance.
    held: np.ndarray = rng.random(likely.shape) < np.where(likely > 0.95, 1.0, likely)
    for k in range(len(bank.grade)):
        held[:, k] &= held[:, bank.before[:, k]].all(axis=1)
    return held


def _closed_above(never: np.ndarray, bank: Bank) -> np.ndarray:
    """Return what cannot be held where some skill is never gained: it and all above it."""
    closed = never.copy()
    for k in range(len(bank.grade)):
        closed[:, k] |= closed[:, bank.before[:, k]].any(axis=1)
    return closed


def _next(
    held: np.ndarray,
    growth: np.ndarray,
    grade: np.ndarray,
    never: np.ndarray,
    bank: Bank,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return who holds what one window later: a few lose a skill, ready students gain."""
    uniform = rng.random((*held.shape, 2))
    builds_on = held @ bank.before.T
    now: np.ndarray = held & ~((uniform[..., 0] < LOSS) & ~builds_on)
    for k, before in enumerate(bank.before.T):
        was_ready = held[:, before].all(axis=1)
        is_ready = now[:, before].all(axis=1)
        chance = GAIN * growth * np.where(was_ready, 1, GAIN_UNREADY)
        chance = chance * np.where(bank.grade[k] > grade, GAIN_ABOVE_GRADE, 1)
        gains = (uniform[:, k, 1] < chance) & is_ready & ~held[:, k] & ~never[:, k]
        now[:, k] |= gains
    return now


def tabulate_truth(
    held: np.ndarray, student_ids: pd.Series, skill_ids: list[str], windows: tuple[str, ...]
) -> pd.DataFrame:
    """Return the truth long: ``student_id``, ``skill_id``, ``window``, ``has_skill``."""
    n_windows, n_students, n_skills = held.shape
    ids = student_ids.to_numpy(object)
    return pd.DataFrame(
        {
            "student_id": np.tile(np.repeat(ids, n_skills), n_windows),
            "skill_id": np.tile(np.array(skill_ids, object), n_windows * n_students),
            "window": np.repeat(np.array(windows, object), n_students * n_skills),
            "has_skill": held.ravel(),
        }
    ).astype({"student_id": "str", "skill_id": "str", "window": "str"})
