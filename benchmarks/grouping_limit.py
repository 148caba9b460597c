"""The Bayes limit: what anyone could know from these answers who knew how they were made.

Students are drawn from the simulation itself, a few hundred thousand, and weighed by how well
each would have given a real student's answers (importance sampling). What their weighted
truth says is the true posterior: no method can form better groups from these answers, except
by luck. It holds while enough of the drawn students count, so for 10 and 20 skills, not 40.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from grouping_data import (
    RATING_CUTS,
    RATING_NOISE,
    RATINGS,
    District,
    chance_of_points,
    draw_held,
    draw_levels,
)
from scipy.stats import norm

from analysis.grouping.value import on_target

N_DRAWN = 200_000
MOST_SKILLS = 20
CLASS_VARIANCE = 0.25
"""Of classroom means around 0; the rest, 1, is between the students of a class."""


def limit_value(district: District, forms: np.ndarray, random_state: int) -> np.ndarray:
    """Return P(lacks the skill and is ready) given the answers and all true parameters.

    Parameters
    ----------
    district
        A simulated district of at most ``MOST_SKILLS`` skills.
    forms
        Which items were seen.
    random_state
        Seed of the drawn students.

    Returns
    -------
    numpy.ndarray, shape (n_students, n_skills)
    """
    made, before, rng = district.extra, district.before, np.random.default_rng(random_state)
    ability = rng.normal(scale=np.sqrt(1 + CLASS_VARIANCE), size=N_DRAWN)
    drawn = (draw_held if made["kind"] == "binary" else draw_levels)(ability, made, before, rng)
    held = drawn if made["kind"] == "binary" else drawn > 0
    target = on_target(held, before).astype(np.float32)
    logs = _log_chances(drawn, district, forms)
    value = np.empty((len(district.answers), len(before)))
    for room, mean in enumerate(made["class_ability"]):
        here = district.classrooms == room
        fit = _log_likelihood(district.answers[here][:, forms], logs)
        # The drawn come from all classes; this class has its own mean.
        fit += ability**2 / (2 * (1 + CLASS_VARIANCE)) - (ability - mean) ** 2 / 2
        weight = np.exp(fit - fit.max(axis=1, keepdims=True))
        value[here] = (weight @ target) / weight.sum(axis=1, keepdims=True)
    return value


def _log_chances(drawn, district: District, forms) -> dict[float, np.ndarray]:
    """Return the log chance of each possible answer, by answer: (n_drawn, n_items)."""
    made = district.extra
    of_items = drawn[:, district.q[forms].argmax(axis=1)]
    if made["kind"] == "rubric":
        edges = [-np.inf, *RATING_CUTS, np.inf]
        upto = [norm.cdf((edge - of_items) / RATING_NOISE) for edge in edges]
        chances = [high - low for low, high in pairwise(upto)]
        return dict(zip(RATINGS.tolist(), map(_log, chances), strict=True))
    if made["kind"] == "binary":
        right = np.where(of_items, 1 - made["slip"][forms], made["guess"][forms])
    else:
        right = chance_of_points(of_items, made["slope"][forms], made["shift"][forms])
    return {1.0: _log(right), 0.0: _log(1 - right)}


def _log(chance: np.ndarray) -> np.ndarray:
    return np.log(np.clip(chance, 1e-6, 1)).astype(np.float32)


def _log_likelihood(answers: np.ndarray, logs: dict[float, np.ndarray]) -> np.ndarray:
    found = [(answers == answer).astype(np.float32) @ log.T for answer, log in logs.items()]
    return np.sum(found, axis=0)
