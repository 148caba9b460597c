"""A second reading of the same evidence: how far above the cut, not only held or not.

The mastery model asks whether a skill is held. Where truth comes in degrees, and with graded
ratings, that question finds its own cut; this reading is given one. A student's share of
points on a skill is a level plus noise, the levels of one student are jointly normal, and
what skills have in common is learnt from everybody: Kelley's regressed estimates (1927), for
many skills at once. The two readings fail in different places, so their mean is the more
robust base for groups; where they disagree on whether groups pay, groups do not.

One class of 25 tells too little of 24 skills, so what levels are like is part of the
calibration, learnt from everybody: log-loss of who holds which of 20 skills, levels learnt from
each class and from 16 of them: .194, .171 (skills had or not), .271, .269 (in degrees), .218,
.206 (ratings). And a class that was never taught a skill is not read as others are: each has
mean levels of its own, drawn towards everybody's as far as classrooms are alike, and less the
fewer items say so. Where they differ by skill (by 1.5 standard deviations of ability; half of
the items), log-loss without and with that: .166, .144; .273, .257; .217, .197.

It stands beside the mastery model, not in it, because on real right-or-wrong answers it
predicts hidden ones worse, alone and in an equal mean (five folds; log-loss of the mastery
model, of levels, of their mean): fraction subtraction .363, .413, .374; probability .371,
.402, .380. Of simulated graded ratings the two change places: log-loss of who holds what is
.73 to .76 by the mastery model fed with graded shares of weight 1, and .19 to .26 by levels,
where the true parameters give .18 to .24 (half of the items, 10 skills).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from analysis.mastery.arrays import Floats, Integers, Truths

CUT = 0.5
"""Level from which a skill counts as held: more points earned than missed, and, on a scale of
ratings, halfway between the last below mastery and the first that counts."""

LEAST_WEIGHT = 1 / 3
"""Weight of this reading beside the mastery model where answers are right or wrong. Measured
on simulated districts: it costs less than 0.01 on target where skills are had or not and
gains 0.02 to 0.05 where they come in degrees (``benchmarks/results/grouping_simulated_web.md``)."""

GRADED = 0.25
"""Share of ratings between nothing and everything from which this reading stands alone: a
model of had-or-not takes half points for the toss of a coin."""

LEAST_SPREAD = 1e-3
"""Smallest variance of levels in any direction: nobody is known without error."""


@dataclass(frozen=True)
class LevelModel:
    """What levels are like among everybody.

    ``q``: which item asks for which skill, 0/1, shape (n_items, n_skills); ``usual``: mean
    share of each item, drawn towards its skill's; ``n_answers``: behind it; ``mean``: mean
    level of each skill; ``covariance``: of levels in a classroom, shape (n_skills,
    n_skills); ``between``: of classrooms' mean levels, of the same shape; ``between_items``:
    variance of one item's share between classrooms beyond their levels; ``noise``: variance of
    one item's share given the level, by skill. A skill nobody was asked has a missing mean,
    and an item that asks for nothing else a missing usual share.
    """

    q: Integers
    usual: Floats
    n_answers: Integers
    mean: Floats
    covariance: Floats
    between: Floats
    between_items: Floats
    noise: Floats

    def of(self, items: Integers, skills: Integers) -> LevelModel:
        """Return the model of some items and skills alone, by their places."""
        both = np.ix_(skills, skills)
        return LevelModel(
            self.q[np.ix_(items, skills)],
            self.usual[items],
            self.n_answers[items],
            self.mean[skills],
            self.covariance[both],
            self.between[both],
            self.between_items,
            self.noise[skills],
        )

    def dump(self) -> dict[str, Any]:
        """Return the model but ``q`` as lists and numbers that JSON can hold."""
        stored = {name: value.tolist() for name, value in vars(self).items() if name != "q"}
        missing = {name: _none_where_missing(stored[name]) for name in ("usual", "mean")}
        return stored | missing

    @classmethod
    def load(cls, stored: dict[str, Any], q: Integers) -> LevelModel:
        """Return the model that :meth:`dump` stored."""
        arrays = {name: np.array(values, dtype=float) for name, values in stored.items()}
        return cls(q, **arrays | {"n_answers": np.array(stored["n_answers"], dtype=int)})

    def read(
        self,
        answers: Floats,
        classrooms: ArrayLike | None = None,
        *,
        n_draws: int,
        random_state: int,
    ) -> tuple[Floats, Truths, Floats]:
        """Return the probability that each skill is held, draws of it, and the expected level.

        Parameters
        ----------
        answers
            Shares of points, shape (n_students, n_items), missing where not answered.
        classrooms
            Labels of the students' classrooms; None: nobody knows who sits with whom.
        n_draws
            Draws from the joint posterior.
        random_state
            Their seed.

        Returns
        -------
        held : numpy.ndarray
            Shape (n_students, n_skills), 0 to 1; missing for students without answers and
            skills without items.
        draws : numpy.ndarray of bool, shape (n_draws, n_students, n_skills)
        expected : numpy.ndarray
            Shape (n_students, n_skills), missing where ``held`` is.
        """
        rng = np.random.default_rng(random_state)
        held, expected = np.full((2, len(answers), self.q.shape[1]), np.nan)
        draws: Truths = np.zeros((n_draws, *held.shape), dtype=np.bool_)
        for student, level, spread in self._posteriors(answers, classrooms):
            expected[student] = level
            held[student] = ndtr((level - CUT) / np.sqrt(np.diag(spread)))
            noise = rng.normal(size=(n_draws, len(level))) @ _root(spread).T
            draws[:, student] = level + noise > CUT
        return held, draws, expected

    def draw_anyone(self, *, n_draws: int, random_state: int) -> Truths:
        """Return draws of what a student holds of whom nothing is known.

        Returns
        -------
        numpy.ndarray of bool, shape (n_draws, n_skills)
            False where nothing is known of a skill.
        """
        rng = np.random.default_rng(random_state)
        root = _root(self.covariance + self.between)
        drawn: Truths = self.mean + rng.normal(size=(n_draws, len(root))) @ root.T > CUT
        return drawn

    def _posteriors(
        self, answers: Floats, classrooms: ArrayLike | None
    ) -> Iterator[tuple[int, Floats, Floats]]:
        """Give each student who answered anything, with levels and their covariance."""
        n, apart = shares_apart(answers, self.usual, self.q)
        seen = (~np.isnan(answers)).astype(float)
        rooms = np.arange(len(n)) if classrooms is None else np.asarray(classrooms)
        for student in np.flatnonzero((n > 0).any(axis=1)):
            # What the student's own answers say of the classroom is not to count twice.
            others = rooms == rooms[student]
            others[student] = False
            shift, doubt = self._mean_of_classroom(seen[others], n[others], apart[others])
            own = apart[student] - shift
            level, spread = self._posterior(n[student], own, self.covariance + doubt)
            yield int(student), self.mean + shift + level, spread

    def _mean_of_classroom(self, seen: Floats, n: Floats, apart: Floats) -> tuple[Floats, Floats]:
        """Return by how much a classroom's mean levels are above everybody's, and how unsurely.

        From the answers of the students who are known to be there.
        """
        known = n > 0
        count = known.sum(axis=0)
        asked = count > 0
        n, known, count = n[:, asked], known[:, asked], count[asked]
        mean = np.where(known, apart[:, asked], 0).sum(axis=0) / count
        together = (known.T.astype(float) @ known) / np.outer(count, count)
        one_of = np.divide(1, n, out=np.zeros(n.shape), where=known)
        # Items that all were asked do not average out over students, as answers do.
        of_items = self.q[:, asked] * (seen.T @ one_of) / count
        error = (
            self.covariance[np.ix_(asked, asked)] * together
            + np.diag((self.noise[asked] * one_of).sum(axis=0) / count**2)
            + self.between_items * of_items.T @ of_items
        )
        return _given(self.between, asked, error, mean)

    def _posterior(self, n: Floats, apart: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """Return how far a student's levels are from the prior's mean, and their covariance."""
        known = n > 0
        error = np.diag(self.noise[known] / n[known])
        level, spread = _given(covariance, known, error, apart[known])
        return level, (spread + spread.T) / 2 + LEAST_SPREAD * np.eye(len(spread))


def weight_of_levels(answers: Floats) -> float:
    """Return the weight of the level reading, a third to 1: the more graded, the more.

    Examples
    --------
    >>> right_or_wrong, rated = np.array([[0, 1, 1, 0.0]]), np.array([[0.25, 0.75, 1, 0.75]])
    >>> round(weight_of_levels(right_or_wrong), 2), weight_of_levels(rated)
    (0.33, 1.0)
    """
    known = answers[~np.isnan(answers)]
    graded = float(((known > 0) & (known < 1)).mean()) if len(known) else 0.0
    return min(LEAST_WEIGHT + (1 - LEAST_WEIGHT) * graded / GRADED, 1.0)


def shares_apart(answers: Floats, usual: Floats, q: Integers) -> tuple[Floats, Floats]:
    """Return answers a skill, and each student's share less what is usual on those items.

    Not everybody answers the same items.
    """
    rest = answers - usual
    seen = ~np.isnan(rest)
    n: Floats = seen.astype(float) @ q
    apart = np.where(seen, rest, 0) @ q
    return n, np.divide(apart, n, out=np.zeros_like(n), where=n > 0)


def _given(prior: Floats, known: Truths, error: Floats, shown: Floats) -> tuple[Floats, Floats]:
    """Return mean and covariance of a normal around zero, once some of it is seen with error."""
    shared = prior[:, known]
    gain = np.linalg.solve(prior[np.ix_(known, known)] + error, shared.T).T
    return gain @ shown, prior - gain @ shared.T


def _root(covariance: Floats) -> Floats:
    """Return a matrix whose product with its transpose is the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = vectors * np.sqrt(np.maximum(values, 0))
    return root


def _none_where_missing(values: list[float]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values]
