"""One ability instead of skills: the yardstick, and the other half of every prediction.

The two-parameter logistic model (Birnbaum 1968), P(right) = logistic(slope x ability +
easiness), by EM over a grid (Bock & Aitkin 1981, doi:10.1007/BF02293801), slopes drawn
to their common mean (Rasch is the limit) and easiness to the mean of the items. The
ability need not be normal: its distribution is found on the grid, drawn to the normal
(normal within each classroom, where classrooms are given).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, softmax

from analysis.mastery import factor
from analysis.mastery.arrays import Floats, Integers
from analysis.mastery.responses import Block, Responses
from analysis.mastery.spread import Spread

NODES = np.linspace(-4.0, 4.0, 21)
SLOPE_SD = 0.5
"""Spread of item slopes around their mean. 0 would be Rasch's model."""
EASINESS_SD = 1.5
DENSITY_WEIGHT = 50.0
"""Weight of a normal ability against the abilities found, in students."""


@dataclass(frozen=True)
class AbilityModel:
    """Fitted slopes and easiness, one an item."""

    slope: Floats
    easiness: Floats
    density: Floats
    """Log share of students at each node where the classroom's mean is 0."""

    def of(self, items: Integers) -> AbilityModel:
        """Return the model of some items."""
        return replace(self, slope=self.slope[items], easiness=self.easiness[items])

    def success(self) -> Floats:
        """Return P(right | item, node), shape (n_items, n_nodes)."""
        return np.clip(expit(self.slope[:, None] * NODES + self.easiness[:, None]), 1e-6, 1 - 1e-6)

    def posterior(self, right: Floats, wrong: Floats, means: Floats) -> Floats:
        """Return P(node | answers) given each row's classroom mean, (n_rows, n_nodes)."""
        p = self.success()
        logs = right @ np.log(p) + wrong @ np.log1p(-p)
        logs += self.density + NODES * means[:, None]
        at_node: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
        at_node /= at_node.sum(axis=1, keepdims=True)
        return at_node

    def look(self, rows: Block, means: Floats) -> AbilityPosterior:
        """Return what the answers say about each row's student."""
        own = self.of(rows.items)
        return AbilityPosterior(
            own.success(), own.posterior(*rows.right_and_wrong(), means[rows.classroom])
        )

    def mean_abilities(self, rows: Block | Responses, means: Floats) -> Floats:
        """Return each classroom's expected sum of abilities, given these means."""
        usual = softmax(self.density) @ NODES
        sums = np.zeros(rows.n_classrooms)
        for part in rows.chunks():
            part.add_by_classroom(sums, self.look(part, means).share @ NODES - usual)
        return sums


@dataclass(frozen=True)
class AbilityPosterior:
    """P(node | answers), shape (n_rows, n_nodes), and what follows from it."""

    curves: Floats
    share: Floats

    def success(self) -> Floats:
        """Return P(right), shape (n_rows, n_items)."""
        return self.share @ self.curves.T

    def without_own(self) -> tuple[Floats, Floats]:
        """Return P(right) of right answers and P(wrong) of wrong ones, from the others."""
        return 1 / (self.share @ (1 / self.curves).T), 1 / (self.share @ (1 / (1 - self.curves)).T)


def fit_ability(
    rows: Responses | Spread, max_iter: int = 100, tol: float = 1e-4
) -> tuple[AbilityModel, Floats]:
    """Return the fitted :class:`AbilityModel` and the classrooms' means."""
    n_items = rows.n_items
    model = AbilityModel(np.ones(n_items), np.zeros(n_items), -(NODES**2) / 2)
    means = np.zeros(rows.n_classrooms)
    for part, steps in rows.schedule(max_iter):
        for _ in range(steps):
            right, asked, there, ability = part.add_up(expect, model, means)
            density = model.density if len(means) > 1 else _refit_density(there)
            new = _refit(model, right, asked, density)
            means = factor.shrink_means(ability, part.classroom_sizes)
            change = np.abs(new.success() - model.success()).max()
            model = new
            if change < tol:
                break
    return model, means


def expect(
    model: AbilityModel, rows: Responses, means: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return expected counts: right answers and all by node, students by node, abilities."""
    right, asked = np.zeros((2, rows.n_items, len(NODES)))
    ability, there = np.zeros(rows.n_classrooms), np.zeros(len(NODES))
    for part in rows.chunks():
        part_right, part_wrong = part.right_and_wrong()
        at_node = model.of(part.items).posterior(part_right, part_wrong, means[part.classroom])
        part.add_by_classroom(ability, at_node @ NODES)
        at_node *= part.count[:, None]
        there += at_node.sum(axis=0)
        right[part.items] += part_right.T @ at_node
        asked[part.items] += (part_right + part_wrong).T @ at_node
    return right, asked, there, ability


def _refit(model: AbilityModel, right: Floats, asked: Floats, density: Floats) -> AbilityModel:
    slope, easiness = model.slope, model.easiness
    mean_slope = (1.0 + slope.sum()) / (1 + len(slope))
    mean_easiness = easiness.sum() / (1 + len(slope))
    for _ in range(2):
        p = expit(slope[:, None] * NODES + easiness[:, None])
        error, weight = right - asked * p, asked * p * (1 - p)
        gradient_a = error @ NODES - (slope - mean_slope) / SLOPE_SD**2
        gradient_b = error.sum(axis=1) - (easiness - mean_easiness) / EASINESS_SD**2
        aa = weight @ NODES**2 + 1 / SLOPE_SD**2
        bb = weight.sum(axis=1) + 1 / EASINESS_SD**2
        ab = weight @ NODES
        determinant = aa * bb - ab**2
        slope = slope + np.clip((bb * gradient_a - ab * gradient_b) / determinant, -1, 1)
        easiness = easiness + np.clip((aa * gradient_b - ab * gradient_a) / determinant, -1, 1)
    return AbilityModel(np.clip(slope, 0.0, 6.0), easiness, density)


def _refit_density(there: Floats) -> Floats:
    normal = np.exp(-(NODES**2) / 2)
    log: Floats = np.log(there + DENSITY_WEIGHT * normal / normal.sum())
    return log
