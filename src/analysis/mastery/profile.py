"""The exact model: every permissible profile, listed; items that need several skills.

P(answers, profile) = P(profile | classroom) x product over items of P(answer | required
skills held). The profiles' prior is the higher-order one (:mod:`.factor`), drawn to what the
students show (a shrunken saturated prior). Fitted by EM with shrunken items (:mod:`.items`).

Averaging over what is not known instead of estimating it gains nothing: with 20 students,
Gibbs sampling of profiles, items, skills and all that the items share reached .961 and .966 of
the Bayes limit where EM reached .965 and .967 (CD09 with 20 items, CD13 with 5 skills; 150 data
sets, standard error of the difference .002). What is missing is knowledge: told the profiles'
true prior and that items are conjunctive, Gibbs sampling reached .977 and .978, which nobody
surpasses by much who has to learn the items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.mastery import factor, items
from analysis.mastery.arrays import Floats, Integers, Truths
from analysis.mastery.responses import Block, Responses
from analysis.mastery.spread import Spread

PRIOR_WEIGHT = 300.0
"""Weight of the higher-order prior against the profiles' own frequencies, in students. Of 100,
300 and 1,000, 300 finds most whole profiles on the designs of the literature; where profiles
follow a hierarchy that nobody named, 1,000 begins to cost. Real data hardly tell them apart."""
SMALLEST = 1e-300


@dataclass(frozen=True)
class ProfileModel:
    """Fitted parameters; ``success`` is of shape (n_items, n_profiles)."""

    profiles: Truths
    before: Truths
    q: Integers
    success: items.Success
    skills: factor.SkillPrior
    lift: Floats
    """How much more frequent each profile is than the higher-order prior says."""

    def of(self, items: Integers) -> ProfileModel:
        """Return the model of some items."""
        return replace(self, q=self.q[items], success=self.success.of(items))

    def prior(self, classroom_means: Floats) -> Floats:
        """Return P(profile | classroom), shape (n_classrooms, n_profiles)."""
        given_node = profiles_at_nodes(self.profiles, self.before, self.skills)
        prior: Floats = factor.node_weights(classroom_means) @ given_node.T * self.lift
        prior /= prior.sum(axis=1, keepdims=True)
        return prior

    def look(self, rows: Block, classroom_means: Floats) -> ProfilePosterior:
        """Return what the answers say about each row's student."""
        right, wrong = rows.right_and_wrong()
        own = self.of(rows.items)
        logs = right @ own.success.right + wrong @ own.success.wrong
        classrooms, place = rows.own_classrooms()
        logs += np.log(np.maximum(self.prior(classroom_means[classrooms]), SMALLEST))[place]
        logs -= logs.max(axis=1, keepdims=True)
        np.exp(logs, out=logs)
        logs /= logs.sum(axis=1, keepdims=True)
        return ProfilePosterior(own, logs)

    def mean_abilities(self, rows: Block | Responses, means: Floats) -> Floats:
        """Return each classroom's expected sum of abilities, given these means."""
        counts = np.zeros((rows.n_classrooms, len(self.profiles)))
        for part in rows.chunks():
            part.add_by_classroom(counts, self.look(part, means).share)
        return spread_over_nodes(self, counts, means)[1]


@dataclass(frozen=True)
class ProfilePosterior:
    """P(profile | answers), shape (n_rows, n_profiles), and what follows from it."""

    model: ProfileModel
    share: Floats

    def mastery(self) -> Floats:
        """Return P(skill held), shape (n_rows, n_skills)."""
        return np.clip(self.share @ self.model.profiles, 0.0, 1.0)

    def ready(self) -> Floats:
        """Return P(all direct prerequisites held), shape (n_rows, n_skills)."""
        lacks: Truths = ~self.model.profiles @ self.model.before
        return np.clip(self.share @ ~lacks, 0.0, 1.0)

    def success(self) -> Floats:
        """Return P(right), shape (n_rows, n_items)."""
        return self.share @ self.model.success.mean.T

    def without_own(self) -> tuple[Floats, Floats]:
        """Return P(right) of right answers and P(wrong) of wrong ones, from the others.

        The harmonic mean over the posterior takes an answer out of its own evidence.
        """
        success = self.model.success.mean.T
        return 1 / (self.share @ (1 / success)), 1 / (self.share @ (1 / (1 - success)))

    def most_probable(self) -> Truths:
        """Return the most probable profile, shape (n_rows, n_skills)."""
        profiles: Truths = self.model.profiles[self.share.argmax(axis=1)]
        return profiles

    def draw(self, rng: np.random.Generator) -> Truths:
        """Return one profile a row, drawn from the posterior."""
        level = rng.random((len(self.share), 1)) * self.share.sum(axis=1, keepdims=True)
        drawn = (np.cumsum(self.share, axis=1) < level).sum(axis=1)
        profiles: Truths = self.model.profiles[np.minimum(drawn, self.share.shape[1] - 1)]
        return profiles


def profiles_at_nodes(profiles: Truths, before: Truths, skills: factor.SkillPrior) -> Floats:
    """Return P(profile | node), shape (n_profiles, n_nodes); sums to 1 over profiles."""
    p = skills.at_nodes()
    given = np.ones((len(profiles), factor.N_NODES))
    for k in range(profiles.shape[1]):
        able = profiles[:, before[:, k]].all(axis=1)
        held = profiles[:, k]
        given[able & held] *= p[k]
        given[able & ~held] *= 1 - p[k]
    return given


def fit_profiles(
    rows: Responses | Spread,
    q: Integers,
    before: Truths,
    profiles: Truths,
    max_iter: int = 200,
    tol: float = 1e-4,
) -> tuple[ProfileModel, Floats, int]:
    """Return the fitted :class:`ProfileModel`, the classrooms' means, and the EM steps."""
    held = HeldGroups(q, profiles)
    curves = items.CurvePrior()
    n_items, n_skills = q.shape
    nothing = np.zeros((n_items, held.most + 1))
    weights = items.weigh_curves(nothing, nothing, held.n_required, curves)
    model = ProfileModel(
        profiles,
        before,
        q,
        held.spread(items.believe_curves(weights, held.n_required)),
        factor.SkillPrior.start(n_skills),
        np.ones(len(profiles)),
    )
    means = np.zeros(rows.n_classrooms)
    n_iter = 0
    for part, steps in rows.schedule(max_iter):
        for _ in range(steps):
            n_iter += 1
            right, wrong, counts = part.add_up(expect, model, means)
            model_new, means = maximise_prior(model, counts, means)
            success, curves = held.refit(right, wrong, curves)
            change = np.abs(success.mean - model.success.mean).max()
            model = replace(model_new, success=success)
            if change < tol:
                break
    return model, means, n_iter


def expect(model: ProfileModel, rows: Responses, means: Floats) -> tuple[Floats, Floats, Floats]:
    """Return expected counts: right and wrong answers a profile; profiles a classroom."""
    n_items, n_profiles = model.success.mean.shape
    counts = np.zeros((rows.n_classrooms, n_profiles))
    right, wrong = np.zeros((2, n_items, n_profiles))
    for part in rows.chunks():
        posterior = model.look(part, means).share
        part.add_by_classroom(counts, posterior)
        posterior *= part.count[:, None]
        part_right, part_wrong = part.right_and_wrong()
        right[part.items] += part_right.T @ posterior
        wrong[part.items] += part_wrong.T @ posterior
    return right, wrong, counts


def maximise_prior(
    model: ProfileModel, counts: Floats, means: Floats
) -> tuple[ProfileModel, Floats]:
    """Return the model with its profiles' prior refitted, and the classrooms' means."""
    at_node, ability = spread_over_nodes(model, counts, means)
    held, able = np.zeros((2, model.profiles.shape[1], factor.N_NODES))
    for k in range(model.profiles.shape[1]):
        may = model.profiles[:, model.before[:, k]].all(axis=1)
        able[k] = at_node[may].sum(axis=0)
        held[k] = at_node[may & model.profiles[:, k]].sum(axis=0)
    skills = model.skills.refit(held, able)
    means = factor.shrink_means(ability, counts.sum(axis=1))
    plain = replace(model, skills=skills, lift=np.ones(len(model.lift)))
    expected = counts.sum(axis=1) @ plain.prior(means)
    found = counts.sum(axis=0)
    total = found.sum()
    shrunk = (found + PRIOR_WEIGHT * expected / total) / (total + PRIOR_WEIGHT)
    return replace(plain, lift=shrunk / np.maximum(expected / total, SMALLEST)), means


def spread_over_nodes(model: ProfileModel, counts: Floats, means: Floats) -> tuple[Floats, Floats]:
    """Return students by profile and ability node, and each classroom's sum of abilities."""
    given = profiles_at_nodes(model.profiles, model.before, model.skills)
    nodes = factor.node_weights(means)
    share = counts / np.maximum(nodes @ given.T, SMALLEST)
    at_node = (share.T @ nodes) * given
    ability = np.einsum("cq,cq,q->c", share @ given, nodes, factor.GRID)
    return at_node, ability


class HeldGroups:
    """Which profiles an item cannot tell apart, and its probabilities for each group."""

    def __init__(self, q: Integers, profiles: Truths):
        self.n_required = q.sum(axis=1)
        self.most = int(self.n_required.max())
        self.n_held = q @ profiles.T.astype(int)
        places = q * 2 ** (np.cumsum(q, axis=1) - q)
        self.group = places @ profiles.T.astype(int)
        self.n_groups = 2**self.most
        self.rows = np.arange(len(q))[:, None]

    def spread(self, curves: items.Success) -> items.Success:
        """Return curves over skills held as values over profiles."""
        values = (curves.mean, curves.right, curves.wrong)
        return items.Success(*(value[self.rows, self.n_held] for value in values))

    def refit(
        self, right: Floats, wrong: Floats, prior: items.CurvePrior
    ) -> tuple[items.Success, items.CurvePrior]:
        """Return the items' shrunken probabilities and the refitted prior of curves."""
        n_held, width = self.n_held, self.most + 1
        weights = items.weigh_curves(
            self._sum(right, n_held, width), self._sum(wrong, n_held, width),
            self.n_required, prior,
        )  # fmt: skip
        curve = self.spread(items.believe_curves(weights, self.n_required))
        own = [
            self._sum(values, self.group, self.n_groups)[self.rows, self.group]
            for values in (right, wrong)
        ]
        return items.add_own(curve, *own), prior.refit(weights, self.n_required)

    def of_groups(self, item: int, by_profile: Floats) -> list[float]:
        """Return one item's values for each group of profiles, in order of group."""
        first = np.unique(self.group[item], return_index=True)[1]
        values: list[float] = by_profile[first].tolist()
        return values

    def of_profiles(self, item: int, by_group: list[float]) -> Floats:
        """Return one item's values for each profile: the way back."""
        return np.array(by_group)[np.unique(self.group[item], return_inverse=True)[1]]

    def _sum(self, values: Floats, column: Integers, width: int) -> Floats:
        flat = (self.rows * width + column).ravel()
        total = np.bincount(flat, weights=values.ravel(), minlength=len(values) * width)
        return total.reshape(len(values), width).astype(float, copy=False)
