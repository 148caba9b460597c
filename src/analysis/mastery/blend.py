"""How far skills, and how far one ability, should be believed when answers are predicted."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from analysis.mastery.arrays import Floats
from analysis.mastery.factor import Fitted
from analysis.mastery.responses import Responses
from analysis.mastery.spread import Spread

MOST_ROWS = 20_000
"""Rows the share is learnt from; the share's own error is then far below .01."""
PRIOR_ANSWERS = 10.0
"""Weight of an equal share of both, in answers."""


def skill_share(
    rows: Responses | Spread, skill: tuple[Fitted, Floats], ability: tuple[Fitted, Floats]
) -> float:
    """Return the share of the skill model that best predicts answers from the others.

    Parameters
    ----------
    rows
        The calibrated students.
    skill, ability
        Pairs of a fitted model and its classroom means.

    Returns
    -------
    float
        0 (one ability says it all) to 1. The linear pool's share by maximum likelihood of
        each answer given the student's other answers; partial credit takes no part.
    """
    by_skill, by_ability, count = [], [], []
    for part in rows.sample(MOST_ROWS).chunks():
        asked = {1: part.answers == 1, 0: part.answers == 0}
        pairs = zip(
            skill[0].look(part, skill[1]).without_own(),
            ability[0].look(part, ability[1]).without_own(),
            asked.values(),
            strict=True,
        )
        for from_skill, from_ability, cells in pairs:
            by_skill.append(from_skill[cells])
            by_ability.append(from_ability[cells])
            count.append(np.broadcast_to(part.count[:, None], cells.shape)[cells])
    return best_share(*map(np.concatenate, (by_skill, by_ability, count)))


def best_share(first: Floats, second: Floats, count: Floats) -> float:
    """Return the share of ``first`` in the linear pool with the highest likelihood.

    Examples
    --------
    >>> round(best_share(np.array([0.9, 0.9]), np.array([0.5, 0.5]), np.full(2, 1e4)), 2)
    1.0
    """

    def loss(share: float) -> float:
        pooled = share * first + (1 - share) * second
        prior = PRIOR_ANSWERS * np.log(np.maximum(share * (1 - share), 1e-300)) / 2
        return float(-(count @ np.log(np.maximum(pooled, 1e-300))) - prior)

    return float(minimize_scalar(loss, bounds=(0, 1), method="bounded").x)
