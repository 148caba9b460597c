"""The higher-order model, one skill at a time: cost grows with skills, not with profiles.

Given the ability, skills are independent (or follow a forest of prerequisites), so the sums
over profiles fall apart into sums over one skill: K = 60 is as easy as 3. An item that needs
several skills is counted for its rarest one, a skill with several prerequisites for its
rarest prerequisite; where that is too coarse and the profiles can be listed, the exact model
(:mod:`.profile`) is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.mastery import factor, items
from analysis.mastery.arrays import Floats, Integers, Truths
from analysis.mastery.responses import Block, Responses, count_answers
from analysis.mastery.spread import Spread
from analysis.mastery.structure import topological_order

LARGEST_EVIDENCE = 30.0
"""Largest log-likelihood ratio of a skill: keeps exp() in range, changes no probability
by more than 1e-13."""
LARGEST_TREE = 600.0
"""Largest sum of log-likelihood ratios along one tree of prerequisites."""


@dataclass(frozen=True)
class HigherOrderModel:
    """Fitted parameters; ``success`` has two columns: the item's skill lacking, holding."""

    before: Truths
    parent: Integers
    """Each skill's rarest prerequisite, -1 for none."""
    order: Integers
    item_skill: Integers
    success: items.Success
    skills: factor.SkillPrior

    def of(self, items: Integers) -> HigherOrderModel:
        """Return the model of some items."""
        return replace(self, item_skill=self.item_skill[items], success=self.success.of(items))

    def evidence(self, right: Floats, wrong: Floats) -> Floats:
        """Return log P(answers | skill held) - log P(answers | not), (n_rows, n_skills)."""
        n_skills = len(self.parent)
        gain = np.diff(self.success.right)
        loss = np.diff(self.success.wrong)
        place = np.zeros((len(self.item_skill), n_skills))
        place[np.arange(len(place)), self.item_skill] = 1
        ratio = right @ (place * gain) + wrong @ (place * loss)
        n_in_trees = int((self.parent >= 0).sum()) + 1
        largest = min(LARGEST_EVIDENCE, LARGEST_TREE / n_in_trees)
        return np.clip(ratio, -largest, largest)

    def posterior(self, right: Floats, wrong: Floats, nodes: Floats) -> tuple[Floats, Floats]:
        """Return what the answers say, one skill at a time.

        Parameters
        ----------
        right, wrong
            Weighted right and wrong answers, shape (n_rows, n_items).
        nodes
            P(node | classroom) for each row, shape (n_rows, n_nodes).

        Returns
        -------
        at_node : numpy.ndarray, shape (n_rows, n_nodes)
            P(node | answers).
        given : numpy.ndarray, shape (n_skills, n_rows, n_nodes)
            P(skill held | its prerequisite held, node, answers).
        """
        odds = np.exp(self.evidence(right, wrong))
        prior = self.skills.at_nodes()
        message = np.ones((len(prior), len(right), factor.N_NODES))
        given = np.empty_like(message)
        at_node = np.log(nodes)
        for k in self.order[::-1]:
            held = message[k] * (odds[:, k, None] * prior[k])
            either = held + (1 - prior[k])
            given[k] = held / either
            if self.parent[k] >= 0:
                message[self.parent[k]] *= either
            else:
                at_node = at_node + np.log(either)
        at_node = np.exp(at_node - at_node.max(axis=1, keepdims=True))
        return at_node / at_node.sum(axis=1, keepdims=True), given

    def held_at_nodes(self, given: Floats) -> Floats:
        """Return P(skill held | node, answers), shape as ``given``."""
        held = given.copy()
        for k in self.order:
            if self.parent[k] >= 0:
                held[k] *= held[self.parent[k]]
        return held

    def look(self, rows: Block, classroom_means: Floats) -> HigherOrderPosterior:
        """Return what the answers say about each row's student."""
        classrooms, place = rows.own_classrooms()
        nodes = factor.node_weights(classroom_means[classrooms])[place]
        own = self.of(rows.items)
        return HigherOrderPosterior(own, *own.posterior(*rows.right_and_wrong(), nodes))

    def mean_abilities(self, rows: Block | Responses, means: Floats) -> Floats:
        """Return each classroom's expected sum of abilities, given these means."""
        sums = np.zeros(rows.n_classrooms)
        for part in rows.chunks():
            part.add_by_classroom(sums, self.look(part, means).at_node @ factor.GRID)
        return sums


@dataclass(frozen=True)
class HigherOrderPosterior:
    """What the answers say: the ability, and each skill given the ability."""

    model: HigherOrderModel
    at_node: Floats
    given: Floats

    def mastery(self) -> Floats:
        """Return P(skill held), shape (n_rows, n_skills)."""
        held = self.model.held_at_nodes(self.given)
        mastery: Floats = np.clip(np.einsum("knq,nq->nk", held, self.at_node), 0.0, 1.0)
        return mastery

    def ready(self) -> Floats:
        """Return P(all direct prerequisites held), shape (n_rows, n_skills).

        Several prerequisites are independent given the ability.
        """
        held = self.model.held_at_nodes(self.given)
        ready = np.ones((len(self.at_node), len(held)))
        for k in np.flatnonzero(self.model.before.any(axis=0)):
            every = held[self.model.before[:, k]].prod(axis=0)
            ready[:, k] = (every * self.at_node).sum(axis=1)
        return np.clip(ready, 0.0, 1.0)

    def success(self) -> Floats:
        """Return P(right), shape (n_rows, n_items)."""
        lacking, holding = self.model.success.mean.T
        success: Floats = lacking + (holding - lacking) * self.mastery()[:, self.model.item_skill]
        return success

    def without_own(self) -> tuple[Floats, Floats]:
        """Return P(right) of right answers and P(wrong) of wrong ones, from the others."""
        lacking, holding = self.model.success.mean.T
        mastery = self.mastery()[:, self.model.item_skill]
        right = 1 / (mastery / holding + (1 - mastery) / lacking)
        return right, 1 / (mastery / (1 - holding) + (1 - mastery) / (1 - lacking))

    def most_probable(self) -> Truths:
        """Return each skill where it is more probable than not, shape (n_rows, n_skills)."""
        return self.mastery() > 0.5

    def draw(self, rng: np.random.Generator) -> Truths:
        """Return one profile a row, drawn from the joint posterior."""
        level = rng.random((len(self.at_node), 1))
        node = (np.cumsum(self.at_node, axis=1) < level).sum(axis=1)
        node = np.minimum(node, factor.N_NODES - 1)
        chance = self.given[:, np.arange(len(node)), node].T
        drawn = rng.random(chance.shape) < chance
        for k in self.model.order:
            if self.model.parent[k] >= 0:
                drawn[:, k] &= drawn[:, self.model.parent[k]]
        return drawn


def fit_higher_order(
    rows: Responses | Spread, q: Integers, before: Truths, max_iter: int = 200, tol: float = 1e-4
) -> tuple[HigherOrderModel, Floats, int]:
    """Return the fitted :class:`HigherOrderModel`, the classrooms' means, the EM steps."""
    share = _share_right(rows, q)
    rarest = np.where(q > 0, share, np.inf).argmin(axis=1)
    parent = np.where(before.any(axis=0), np.where(before.T, share, np.inf).argmin(axis=1), -1)
    one = np.ones(len(q), dtype=int)
    curves = items.CurvePrior()
    nothing = np.zeros((len(q), 2))
    start = items.weigh_curves(nothing, nothing, one, curves)
    model = HigherOrderModel(
        before,
        parent,
        np.array(topological_order(before)),
        rarest,
        items.believe_curves(start, one),
        factor.SkillPrior.start(q.shape[1]),
    )
    means = np.zeros(rows.n_classrooms)
    n_iter = 0
    for part, steps in rows.schedule(max_iter):
        for _ in range(steps):
            n_iter += 1
            right, wrong, held, able, ability = part.add_up(expect, model, means)
            success, curves = refit_items(right, wrong, curves)
            change = np.abs(success.mean - model.success.mean).max()
            model = replace(model, success=success, skills=model.skills.refit(held, able))
            means = factor.shrink_means(ability, part.classroom_sizes)
            if change < tol:
                break
    return model, means, n_iter


def expect(
    model: HigherOrderModel, rows: Responses, means: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return expected counts: right and wrong answers by skill, skills by node, abilities.

    The last is by classroom, as whatever adds parts up takes it; so in the other models.
    """
    n_items, n_skills = len(model.item_skill), len(model.parent)
    right, wrong = np.zeros((2, n_items, 2))
    held_at, able_at = np.zeros((2, n_skills, factor.N_NODES))
    ability = np.zeros(rows.n_classrooms)
    nodes = factor.node_weights(means)
    for part in rows.chunks():
        own = model.of(part.items)
        part_right, part_wrong = part.right_and_wrong()
        at_node, given = own.posterior(part_right, part_wrong, nodes[part.classroom])
        held = model.held_at_nodes(given)
        part.add_by_classroom(ability, at_node @ factor.GRID)
        weight = at_node * part.count[:, None]
        held *= weight
        held_at += held.sum(axis=1)
        whole = weight.sum(axis=0)
        for k in range(n_skills):
            above = model.parent[k]
            able_at[k] += whole if above < 0 else held[above].sum(axis=0)
        mastery = held.sum(axis=2)[own.item_skill]
        count = part.count
        for total, seen in ((right, part_right), (wrong, part_wrong)):
            with_skill = np.einsum("nj,jn->j", seen, mastery)
            total[part.items, 1] += with_skill
            total[part.items, 0] += count @ seen - with_skill
    return right, wrong, held_at, able_at, ability


def refit_items(
    right: Floats, wrong: Floats, prior: items.CurvePrior
) -> tuple[items.Success, items.CurvePrior]:
    """Return the items' shrunken probabilities and the refitted prior of curves."""
    one = np.ones(len(right), dtype=int)
    weights = items.weigh_curves(right, wrong, one, prior)
    curve = items.believe_curves(weights, one)
    return items.add_own(curve, right, wrong), prior.refit(weights, one)


def _share_right(rows: Responses | Spread, q: Integers) -> Floats:
    right, asked, _ = rows.add_up(count_answers, None, np.zeros(rows.n_classrooms))
    return (right @ q + 1) / (asked @ q + 2)
