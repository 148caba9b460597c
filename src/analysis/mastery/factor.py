"""One ability behind all skills: its grid, the classrooms' means, and the skills' prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit

from analysis.mastery.arrays import Floats
from analysis.mastery.responses import Block, Responses

N_NODES = 15
"""Points of the ability grid; more change no probability in the third decimal."""
GRID = np.linspace(-3.5, 3.5, N_NODES)
SPREAD_OF_CLASSROOMS = 0.5
"""Standard deviation of classroom means, in units of a student's standard deviation."""
SLOPE, LEVEL_SD, SLOPE_SD = 1.7, 0.5, 0.3
"""Prior of the skills' slopes on the ability: their common level, how far it may lie from that,
and how far each skill may lie from the level. 1.7 is a correlation of .5 between skills; one
standard deviation of the level either way is .33 and .63. Twenty students cannot tell skills'
slopes apart: one slope for all is the usual restriction (the "1PL" higher-order model of Ma &
de la Torre 2020, doi:10.18637/jss.v093.i14), here a prior that many students overrule."""
EASINESS_SD = 2.0
NEWTON_STEPS = 2
CLASSROOM_STEPS = 4
"""Steps in which classrooms' means are found for a fitted model."""


class Seen(Protocol):
    """What answers say, by whatever model."""

    def success(self) -> Floats:
        """Return P(right), shape (n_rows, n_items)."""

    def without_own(self) -> tuple[Floats, Floats]:
        """Return P(right) of right answers and P(wrong) of wrong ones, from the others."""


class Fitted(Protocol):
    """A fitted model, of skills or of one ability."""

    def look(self, rows: Block, means: Floats, /) -> Seen:
        """Return what the answers say about each row's student."""

    def mean_abilities(self, rows: Block | Responses, means: Floats) -> Floats:
        """Return each classroom's expected sum of abilities, given these means."""


@dataclass(frozen=True)
class SkillPrior:
    """P(skill held | ability, prerequisites held) = logistic(slope x ability + easiness).

    The higher-order model of de la Torre & Douglas (2004), doi:10.1007/BF02295640; a
    skill whose prerequisites are not all held is not held.
    """

    slope: Floats
    easiness: Floats

    @classmethod
    def start(cls, n_skills: int) -> SkillPrior:
        """Return equal skills, each held by half of the students."""
        return cls(np.full(n_skills, SLOPE), np.zeros(n_skills))

    def at_nodes(self) -> Floats:
        """Return P(held | node), shape (n_skills, n_nodes), kept off 0 and 1."""
        logit = self.slope[:, None] * GRID + self.easiness[:, None]
        return np.clip(expit(logit), 1e-4, 1 - 1e-4)

    def refit(self, held: Floats, able: Floats) -> SkillPrior:
        """Return the prior after one look at expected counts (n_skills, n_nodes).

        ``held``: students at the node who hold the skill; ``able``: who hold all its
        prerequisites. Newton steps of a logistic regression a skill, with normal priors;
        the slopes share their level's.
        """
        n_skills = len(self.slope)
        precision = np.linalg.inv(SLOPE_SD**2 * np.eye(n_skills) + LEVEL_SD**2)
        slope, easiness = self.slope, self.easiness
        for _ in range(NEWTON_STEPS):
            p = expit(slope[:, None] * GRID + easiness[:, None])
            error, weight = held - able * p, able * p * (1 - p)
            gradient_a = error @ GRID - precision @ (slope - SLOPE)
            gradient_b = error.sum(axis=1) - easiness / EASINESS_SD**2
            bb = weight.sum(axis=1) + 1 / EASINESS_SD**2
            ab = weight @ GRID
            curvature = np.diag(weight @ GRID**2 - ab**2 / bb) + precision
            step = np.linalg.solve(curvature, gradient_a - ab * gradient_b / bb)
            step = np.clip(step, -1, 1)
            slope = slope + step
            easiness = easiness + np.clip((gradient_b - ab * step) / bb, -1, 1)
        return SkillPrior(np.clip(slope, 0.0, 8.0), np.clip(easiness, -8.0, 8.0))


def node_weights(classroom_means: Floats) -> Floats:
    """Return P(node | classroom), shape (n_classrooms, n_nodes): a normal of variance 1."""
    density: Floats = np.exp(-0.5 * (GRID - classroom_means[:, None]) ** 2)
    density /= density.sum(axis=1, keepdims=True)
    return density


def shrink_means(ability_sums: Floats, n_students: Floats) -> Floats:
    """Return each classroom's mean ability, drawn to 0 by a normal prior.

    One classroom alone is the whole: its mean is 0 by definition of the scale.
    """
    if len(n_students) < 2:
        return np.zeros(len(n_students))
    return ability_sums / (n_students + 1 / SPREAD_OF_CLASSROOMS**2)


def find_means(model: Fitted, rows: Block | Responses) -> Floats:
    """Return the classrooms' means for a model that is already fitted."""
    means = np.zeros(rows.n_classrooms)
    if rows.n_classrooms == 1:
        return means
    for _ in range(CLASSROOM_STEPS):
        means = shrink_means(model.mean_abilities(rows, means), rows.classroom_sizes)
    return means
