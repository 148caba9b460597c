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
mean levels of its own, drawn towards everybody's as far as classrooms are alike. Where they
differ by skill (by 1.5 standard deviations of ability), log-loss without and with that: .176,
.149; .246, .213; .210, .182.

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

NOISE_WEIGHT = 20
"""Weight, in degrees of freedom, of the noise that all skills share: a skill with few
double answers borrows it."""

ALIKE_WEIGHT = 200
"""Weight, in students who answered both, of the belief that all skills vary and hang
together alike."""

ROOM_WEIGHT = 100
"""Weight, in classrooms that were asked both, of the same belief of classrooms' means. With 20
a lesson for a class of TIMSS 2007 meets .751 of what is missed in the other half, with 100
or 1000 it meets .775 (two splits); simulated classes are read about as well with each."""

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
    share of each item, drawn towards its skill's; ``n_answers``: behind it; ``mean``: mean
    level of each skill; ``covariance``: of levels in a classroom, shape (n_skills,
    n_skills); ``between``: of classrooms' mean levels, of the same shape; ``noise``: variance
    of one item's share given the level, by skill. A skill nobody was asked has a missing
    mean, and an item that asks for nothing else a missing usual share.
    """

    q: Integers
    usual: Floats
    n_answers: Integers
    mean: Floats
    covariance: Floats
    between: Floats
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
    ) -> tuple[Floats, Truths]:
        """Return the probability that each skill is held, and draws of it.

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
        """
        rng = np.random.default_rng(random_state)
        held = np.full((len(answers), self.q.shape[1]), np.nan)
        draws = np.zeros((n_draws, *held.shape), dtype=bool)
        for student, level, spread in self._posteriors(answers, classrooms):
            held[student] = ndtr((level - CUT) / np.sqrt(np.diag(spread)))
            values, vectors = np.linalg.eigh(spread)
            root = vectors * np.sqrt(np.maximum(values, 0))
            draws[:, student] = level + rng.normal(size=(n_draws, len(level))) @ root.T > CUT
        return held, draws

    def expect(self, answers: Floats, classrooms: ArrayLike | None = None) -> Floats:
        """Return the expected level, shape (n_students, n_skills).

        Parameters as in :meth:`read`; missing for students without answers and skills
        without items.
        """
        levels = np.full((len(answers), self.q.shape[1]), np.nan)
        for student, level, _ in self._posteriors(answers, classrooms):
            levels[student] = level
        return levels

    def _posteriors(
        self, answers: Floats, classrooms: ArrayLike | None
    ) -> Iterator[tuple[int, Floats, Floats]]:
        """Give each student who answered anything, with levels and their covariance."""
        n, apart = _shares_apart(answers, self.usual, self.q)
        rooms = np.arange(len(n)) if classrooms is None else np.asarray(classrooms)
        for student in np.flatnonzero((n > 0).any(axis=1)):
            # What the student's own answers say of the classroom is not to count twice.
            others = rooms == rooms[student]
            others[student] = False
            shift, doubt = self._mean_of_classroom(n[others], apart[others])
            own = apart[student] - shift
            level, spread = self._posterior(n[student], own, self.covariance + doubt)
            yield int(student), self.mean + shift + level, spread

    def _mean_of_classroom(self, n: Floats, apart: Floats) -> tuple[Floats, Floats]:
        """Return by how much a classroom's mean levels are above everybody's, and how unsurely.

        From the answers of the students who are known to be there.
        """
        known = n > 0
        count = known.sum(axis=0)
        asked = count > 0
        known, count = known[:, asked], count[asked]
        mean = np.where(known, apart[:, asked], 0).sum(axis=0) / count
        together = (known.T.astype(float) @ known) / np.outer(count, count)
        of_items = np.where(known, self.noise[asked] / np.maximum(n[:, asked], 1), 0).sum(axis=0)
        error = self.covariance[np.ix_(asked, asked)] * together + np.diag(of_items / count**2)
        shared = self.between[asked]
        gain = np.linalg.solve(self.between[np.ix_(asked, asked)] + error, shared).T
        return gain @ mean, self.between - gain @ shared

    def _posterior(self, n: Floats, apart: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """Return how far a student's levels are from the prior's mean, and their covariance."""
        known = n > 0
        shared = covariance[:, known]
        seen = covariance[np.ix_(known, known)] + np.diag(self.noise[known] / n[known])
        gain = np.linalg.solve(seen, shared.T).T
        spread = covariance - gain @ shared.T
        spread = (spread + spread.T) / 2 + LEAST_SPREAD * np.eye(len(spread))
        return gain @ apart[known], spread


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
        Labels of the students' classrooms, or None. How hard an item is is seen in the
        classrooms that answered it, so that a class's own easy test and a strong class are
        not taken for each other; and how much classrooms differ is learnt.

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
    usual = _usual(answers, q, np.zeros(len(answers)) if classrooms is None else classrooms)
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
    covariance = _towards_alike(covariance, both, ALIKE_WEIGHT)
    # Without classrooms each student is alone in one, and nothing is between them.
    between = _between(n, apart, np.arange(len(n)) if classrooms is None else classrooms)
    within = _at_least(LEAST_SPREAD, covariance - between)
    rounded = (part.round(DIGITS) for part in (mean, within, between, noise))
    return LevelModel(q, usual.round(DIGITS), seen.sum(axis=0), *rounded)


def _between(n: Floats, apart: Floats, classrooms: ArrayLike) -> Floats:
    """Return the covariance of classrooms' mean levels: what two who sit together share."""
    rooms, known = np.asarray(classrooms), (n > 0).astype(float)
    shared, pairs, n_rooms = np.zeros((3, n.shape[1], n.shape[1]))
    for room in np.unique(rooms):
        own, asked = apart[rooms == room], known[rooms == room]
        shared += np.outer(own.sum(axis=0), own.sum(axis=0)) - own.T @ own
        here = np.outer(asked.sum(axis=0), asked.sum(axis=0)) - asked.T @ asked
        pairs += here
        n_rooms += here > 0
    return _at_least(0, _towards_alike(shared / np.maximum(pairs, 1), n_rooms, ROOM_WEIGHT))


def _at_least(least: float, covariance: Floats) -> Floats:
    """Return the nearest covariance whose variance is nowhere less, in no direction."""
    values, vectors = np.linalg.eigh(covariance)
    raised: Floats = vectors * np.maximum(values, least) @ vectors.T
    return raised


def _usual(answers: Floats, q: Integers, classrooms: ArrayLike) -> Floats:
    """Return each item's usual share: its skills' usual share, and how much harder it is.

    How much harder: in each classroom than its other items of these skills, drawn towards
    nothing where few answered.
    """
    seen, rooms = ~np.isnan(answers), np.asarray(classrooms)
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

    Less what is usual on these items, because not everybody answers the same.
    """
    rest = answers - usual
    seen = ~np.isnan(rest)
    n: Floats = seen.astype(float) @ q
    apart = np.where(seen, rest, 0) @ q
    return n, np.divide(apart, n, out=np.zeros_like(n), where=n > 0)


def _towards_alike(covariance: Floats, counts: Floats, weight: float) -> Floats:
    """Return a covariance drawn towards one where all skills are alike.

    One variance and one covariance for all, which count as much as ``weight`` of what the
    covariance rests on. ``counts``: how many of these each of its cells rests on.
    """
    own = np.eye(len(covariance), dtype=bool)
    variance, others = (
        (covariance * counts)[which].sum() / max(counts[which].sum(), 1) for which in (own, ~own)
    )
    trust = counts / (counts + weight)
    drawn: Floats = trust * covariance + (1 - trust) * np.where(own, variance, others)
    return drawn


def _noise(rest: Floats, q: Integers, n: Floats) -> Floats:
    """Return what items of one skill differ by in one student: a variance a skill."""
    within = (rest**2 @ q - (rest @ q) ** 2 / np.maximum(n, 1)).sum(axis=0)
    freedom = np.maximum(n - 1, 0).sum(axis=0)
    # Without a second answer anywhere: the variance of a coin.
    pooled = within.sum() / freedom.sum() if freedom.sum() else 0.25
    return np.asarray((within + NOISE_WEIGHT * pooled) / (freedom + NOISE_WEIGHT))


def _none_where_missing(values: list[float]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values]
