"""A second reading of the same evidence: how far above the cut, not only held or not.

The mastery model asks whether a skill is held. Where truth comes in degrees, and with graded
ratings, that question finds its own cut; this reading is given one. A student's share of
points on a skill is a level plus noise, the levels of one student are jointly normal, and
what skills have in common is learnt from everybody: Kelley's regressed estimates (1927), for
many skills at once. The two readings fail in different places, so their mean is the more
robust base for groups; where they disagree on whether groups pay, groups do not.

One class of 25 tells too little of 24 skills, so what levels are like is part of the
calibration, learnt from everybody: log-loss of who holds which of 20 skills, levels learnt from
each class and from 16 of them: .191, .163 (skills had or not), .286, .272 (in degrees), .219,
.208 (ratings). A mean of each classroom's own gains nothing beyond that (.165, .273, .209).

It stands beside the mastery model, not in it, because on real right-or-wrong answers it
predicts hidden ones worse, alone and in an equal mean (five folds; log-loss of the mastery
model, of levels, of their mean): fraction subtraction .363, .413, .374; probability .371,
.402, .380. Of simulated graded ratings the two change places: log-loss of who holds what is
.73 to .76 by the mastery model fed with graded shares of weight 1, and .19 to .26 by levels,
where the true parameters give .18 to .24 (half of the items, 10 skills).
"""

from __future__ import annotations

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

NOISE_WEIGHT = 20
"""Weight, in degrees of freedom, of the noise that all skills share: a skill with few
double answers borrows it."""

ALIKE_WEIGHT = 200
"""Weight, in students who answered both, of the belief that all skills vary and hang
together alike."""

ITEM_WEIGHT = 10
"""Weight, in answers, of the belief that an item is as hard as its skill usually is: items
of one skill vary by about a tenth of what answers to one item do."""

DIGITS = 6
"""Decimals kept: more would say nothing, and the file of many skills would be twice as long."""

LEAST_SPREAD = 1e-3
"""Smallest variance of levels in any direction: nobody is known without error."""


@dataclass(frozen=True)
class LevelModel:
    """What levels are like among everybody.

    ``q``: which item asks for which skill, 0/1, shape (n_items, n_skills); ``usual``: mean
    share of each item; ``mean``: mean level of each skill; ``covariance``: of levels, shape
    (n_skills, n_skills); ``noise``: variance of one item's share given the level, by skill.
    A skill nobody was asked has a missing mean, and an item that asks for nothing else a
    missing usual share.
    """

    q: Integers
    usual: Floats
    mean: Floats
    covariance: Floats
    noise: Floats

    def of(self, items: Integers, skills: Integers) -> LevelModel:
        """Return the model of some items and skills alone, by their places."""
        return LevelModel(
            self.q[np.ix_(items, skills)],
            self.usual[items],
            self.mean[skills],
            self.covariance[np.ix_(skills, skills)],
            self.noise[skills],
        )

    def dump(self) -> dict[str, Any]:
        """Return the model but ``q`` as lists and numbers that JSON can hold."""
        missing = {"usual": _none_where_missing(self.usual), "mean": _none_where_missing(self.mean)}
        return missing | {"covariance": self.covariance.tolist(), "noise": self.noise.tolist()}

    @classmethod
    def load(cls, stored: dict[str, Any], q: Integers) -> LevelModel:
        """Return the model that :meth:`dump` stored."""
        return cls(q, **{name: np.array(values, dtype=float) for name, values in stored.items()})

    def read(self, answers: Floats, *, n_draws: int, random_state: int) -> tuple[Floats, Truths]:
        """Return the probability that each skill is held, and draws of it.

        Parameters
        ----------
        answers
            Shares of points, shape (n_students, n_items), missing where not answered.
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
        """
        rng = np.random.default_rng(random_state)
        n, apart = _shares_apart(answers, self.usual, self.q)
        held = np.full(n.shape, np.nan)
        draws = np.zeros((n_draws, *n.shape), dtype=bool)
        for student in range(len(answers)):
            known = n[student] > 0
            if known.any():
                level, spread = self._posterior(n[student], apart[student], known)
                held[student] = ndtr((level - CUT) / np.sqrt(np.diag(spread)))
                values, vectors = np.linalg.eigh(spread)
                root = vectors * np.sqrt(np.maximum(values, 0))
                draws[:, student] = level + rng.normal(size=(n_draws, len(level))) @ root.T > CUT
        return held, draws

    def expect(self, answers: Floats) -> Floats:
        """Return the expected level, shape (n_students, n_skills).

        Answers as in :meth:`read`; missing for students without answers and skills without
        items.
        """
        n, apart = _shares_apart(answers, self.usual, self.q)
        levels = np.full(n.shape, np.nan)
        for student, known in enumerate(n > 0):
            if known.any():
                levels[student] = self._posterior(n[student], apart[student], known)[0]
        return levels

    def _posterior(self, n: Floats, apart: Floats, known: Truths) -> tuple[Floats, Floats]:
        """Return a student's levels and their covariance, given shares on some skills."""
        shared = self.covariance[:, known]
        seen = self.covariance[np.ix_(known, known)] + np.diag(self.noise[known] / n[known])
        gain = np.linalg.solve(seen, shared.T).T
        spread = self.covariance - gain @ shared.T
        spread = (spread + spread.T) / 2 + LEAST_SPREAD * np.eye(len(spread))
        return self.mean + gain @ apart[known], spread


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


def fit_levels(answers: Floats, q: Integers, classrooms: ArrayLike | None = None) -> LevelModel:
    """Learn what levels are like from everybody's answers, by moments.

    Parameters
    ----------
    answers
        Shares of points, shape (n_students, n_items), 0 to 1, missing where not answered.
    q
        Which item asks for which skill: 0/1, shape (n_items, n_skills).
    classrooms
        Labels of the students' classrooms, or None: how hard an item is is seen in the
        classrooms that answered it, so that a class's own easy test and a strong class are
        not taken for each other.

    Returns
    -------
    LevelModel

    Examples
    --------
    >>> answers = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0.0]] * 5)
    >>> model = fit_levels(answers, np.array([[1, 0], [1, 0], [0, 1], [0, 1]]))
    >>> model.read(answers[:3], n_draws=1, random_state=0)[0].round(1)
    array([[1., 0.],
           [1., 1.],
           [0., 0.]])
    """
    seen = ~np.isnan(answers)
    rooms = np.zeros(len(answers)) if classrooms is None else np.asarray(classrooms)
    usual = _usual(answers, q, rooms)
    n, apart = _shares_apart(answers, usual, q)
    asked = seen.any(axis=0).astype(float) @ q
    total = np.where(seen.any(axis=0), np.nan_to_num(usual), 0) @ q
    mean = np.divide(total, asked, out=np.full(len(asked), np.nan), where=asked > 0)
    noise = _noise(np.where(seen, np.nan_to_num(answers - usual), 0), q, n)
    known = (n > 0).astype(float)
    both = known.T @ known
    per_share = np.where(n > 0, noise / np.maximum(n, 1), 0).sum(axis=0)
    own = per_share / np.maximum(known.sum(axis=0), 1)
    covariance = apart.T @ apart / np.maximum(both, 1) - np.diag(own)
    values, vectors = np.linalg.eigh(_towards_one_ability(covariance, both))
    covariance = vectors * np.maximum(values, LEAST_SPREAD) @ vectors.T
    return LevelModel(q, *(part.round(DIGITS) for part in (usual, mean, covariance, noise)))


def _usual(answers: Floats, q: Integers, rooms: np.ndarray) -> Floats:
    """Return each item's usual share: its skills' usual share, and how much harder it is.

    How much harder: in each classroom than its other items of these skills, drawn towards
    nothing where few answered.
    """
    seen = ~np.isnan(answers)
    shares = np.nan_to_num(answers)
    apart, n = np.zeros(len(q)), seen.sum(axis=0)
    for room in np.unique(rooms):
        here = rooms == room
        points, possible = shares[here].sum(axis=0), seen[here].sum(axis=0)
        # A skill nobody here was asked belongs to no item that was answered here.
        apart += points - possible * np.nan_to_num(_of_skills(points, possible, q))
    usual: Floats = _of_skills(shares.sum(axis=0), n, q) + apart / (n + ITEM_WEIGHT)
    return usual


def _of_skills(points: Floats, possible: Integers, q: Integers) -> Floats:
    """Return the mean share on each item's skills, missing where none was asked."""
    asked = possible @ q
    mean = np.divide(points @ q, asked, out=np.zeros(len(asked)), where=asked > 0)
    n_known = q @ (asked > 0)
    of_items: Floats = np.divide(q @ mean, n_known, out=np.full(len(q), np.nan), where=n_known > 0)
    return of_items


def _shares_apart(answers: Floats, usual: Floats, q: Integers) -> tuple[Floats, Floats]:
    """Return answers a skill, and each student's share less what is usual on those items.

    Less the items' own means, because not everybody answers the same items.
    """
    rest = answers - usual
    seen = ~np.isnan(rest)
    n: Floats = seen.astype(float) @ q
    apart = np.where(seen, rest, 0) @ q
    return n, np.divide(apart, n, out=np.zeros_like(n), where=n > 0)


def _towards_one_ability(covariance: Floats, both: Floats) -> Floats:
    """Return the covariance drawn towards skills that are all alike, the fewer answers the more.

    One variance and one covariance for all skills: what a class of 25 can tell of 24 skills.
    ``both``: students who answered on both skills, of the covariance's shape.
    """
    own = np.eye(len(covariance), dtype=bool)
    variance, others = (
        (covariance * both)[which].sum() / max(both[which].sum(), 1) for which in (own, ~own)
    )
    alike = np.where(own, variance, others)
    weight = both / (both + ALIKE_WEIGHT)
    drawn: Floats = weight * covariance + (1 - weight) * alike
    return drawn


def _noise(rest: Floats, q: Integers, n: Floats) -> Floats:
    """Return what items of one skill differ by in one student: a variance a skill."""
    within = (rest**2 @ q - (rest @ q) ** 2 / np.maximum(n, 1)).sum(axis=0)
    freedom = np.maximum(n - 1, 0).sum(axis=0)
    # Without a second answer anywhere: the variance of a coin.
    pooled = within.sum() / freedom.sum() if freedom.sum() else 0.25
    return np.asarray((within + NOISE_WEIGHT * pooled) / (freedom + NOISE_WEIGHT))


def _none_where_missing(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
