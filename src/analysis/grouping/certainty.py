"""How sure a placement is, what else was close, and which short check would tell most."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

MOST_DRAWS = 200
"""Posterior draws used. The standard error of a share is then at most 0.035."""

SKILLS_TO_CHECK = 4
"""Skills in the shortest next check: a few minutes at the start of a lesson."""

LEAST_GAIN = 0.03
"""Rise in a student's probability of being on target that makes a check worth asking."""

TIE = 1e-3
"""Weight of what is likely on average against what is so in one draw: it decides ties."""


def draw_from(probability: np.ndarray, random_state: int) -> np.ndarray:
    """Return draws of each cell, as if independent: bool, shape (n_draws, *its shape).

    The fallback where the mastery model's own draws are not given.
    """
    rng = np.random.default_rng(random_state)
    return rng.random((MOST_DRAWS, *probability.shape)) < probability


def share_of_draws(
    target: np.ndarray, value: np.ndarray, seat: np.ndarray, capacity: np.ndarray
) -> np.ndarray:
    """Return in which share of the draws each student sits where they sit now.

    In every draw students are seated anew on the open focus skills, within capacity, where
    the draw says that they lack the skill and are ready; a student for whom no open focus
    is right stays out. So the share is also the chance that the placement is right.

    Parameters
    ----------
    target
        Where a student lacks the focus and is ready: bool, shape (n_draws, n_students,
        n_focus).
    value
        Its mean, shape (n_students, n_focus): decides between focus skills equally right.
    seat
        Present focus of each student, -1 for none, shape (n_students,).
    capacity
        Most students on each focus, shape (n_focus,).

    Returns
    -------
    numpy.ndarray
        Shape (n_students,), 0 to 1; missing for students without a seat.
    """
    if not len(capacity):
        return np.full(len(seat), np.nan)
    stays = np.zeros(len(seat))
    leaning = TIE * (value + (np.arange(len(capacity)) == seat[:, None]))
    for drawn in target[:MOST_DRAWS]:
        stays += _seat_anew(np.where(drawn, 1 + leaning, 0), capacity) == seat
    return np.where(seat >= 0, stays / max(len(target[:MOST_DRAWS]), 1), np.nan)


def _seat_anew(worth: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    choice = np.where(worth.max(axis=1) > 0, worth.argmax(axis=1), -1)
    if (np.bincount(choice[choice >= 0], minlength=len(capacity)) <= capacity).all():
        return choice
    slots = np.repeat(np.arange(len(capacity)), capacity)
    students, places = linear_sum_assignment(worth[:, slots], maximize=True)
    choice = np.full(len(worth), -1)
    choice[students] = slots[places]
    chosen = np.flatnonzero(choice >= 0)
    choice[chosen[worth[chosen, choice[chosen]] == 0]] = -1
    return choice


def gain_of_checking(held: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return how much knowing each skill of each student would help to place the student.

    The expected value of perfect information (Howard 1966): the chance of being on target
    on the best open focus, given what the check would show, less the chance without it.

    Parameters
    ----------
    held
        Posterior draws of skills held: bool, shape (n_draws, n_students, n_skills).
    target
        Draws of being on target on each open focus: bool, shape (n_draws, n_students,
        n_focus).

    Returns
    -------
    numpy.ndarray
        Shape (n_students, n_skills), 0 to 1.

    Examples
    --------
    One focus: knowing changes nothing. Two that need opposite things: it decides.

    >>> held = np.array([[[True]], [[False]]])
    >>> gain_of_checking(held, ~held), gain_of_checking(held, np.dstack([held, ~held]))
    (array([[0.]]), array([[0.5]]))
    """
    n_draws = max(len(held), 1)
    now = target.mean(axis=0).max(axis=1, initial=0)
    shown = np.einsum("dik,dif->ikf", held.astype(float), target.astype(float)) / n_draws
    not_shown = target.mean(axis=0)[:, None, :] - shown
    best = shown.max(axis=2, initial=0) + not_shown.max(axis=2, initial=0)
    return np.asarray(np.maximum(best - now[:, None], 0))


def shortest_check(gain: np.ndarray) -> list[tuple[int, int]]:
    """Return the skills to check, and for whom, best first: (skill, student) positions.

    Skills are added one by one, each counted by what it adds to the student's best check so
    far, up to :data:`SKILLS_TO_CHECK`.
    """
    best_so_far = np.zeros(len(gain))
    chosen: list[tuple[int, int]] = []
    for _ in range(min(SKILLS_TO_CHECK, gain.shape[1])):
        added = np.maximum(gain - best_so_far[:, None], 0)
        added[added < LEAST_GAIN] = 0
        skill = int(added.sum(axis=0).argmax())
        students = np.flatnonzero(added[:, skill] > 0)
        if not len(students):
            break
        chosen += [(skill, int(student)) for student in students]
        best_so_far[students] = gain[students, skill]
    return chosen
