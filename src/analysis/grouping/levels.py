"""A second reading of the same evidence: how far above the cut, not only held or not.

The mastery model asks whether a skill is held. Where truth comes in degrees, and with graded
ratings, that question finds its own cut; this reading is given one. A student's share of
points on a skill is a level plus noise, the levels of one student are jointly normal, and
what skills have in common is learnt from everybody: Kelley's regressed estimates (1927), for
many skills at once. The two readings fail in different places, so their mean is the more
robust base for groups; where they disagree on whether groups pay, groups do not.

It stands beside the mastery model, not in it, because on real right-or-wrong answers it
predicts hidden ones worse, alone and in an equal mean (five folds; log-loss of the mastery
model, of levels, of their mean): fraction subtraction .363, .413, .374; probability .371,
.402, .380. Of simulated graded ratings the two change places: log-loss of who holds what is
.73 to .76 by the mastery model fed with graded shares of weight 1, and .19 to .26 by levels,
where the true parameters give .18 to .24 (half of the items, 10 skills).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analysis.errors import DataError

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
"""Weight, in students, of the belief that all skills vary and hang together alike."""

LEAST_SPREAD = 1e-3
"""Smallest variance of levels in any direction: nobody is known without error."""


@dataclass(frozen=True)
class LevelModel:
    """What levels are like among everybody.

    ``usual``: mean share of each item; ``mean``: mean level of each skill; ``covariance``:
    of levels, shape (n_skills, n_skills); ``noise``: variance of one item's share given the
    level, by skill. A skill without items has a missing mean.
    """

    q: np.ndarray
    usual: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    noise: np.ndarray

    def read(
        self, answers: np.ndarray, *, n_draws: int, random_state: int
    ) -> tuple[np.ndarray, np.ndarray]:
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

    def expect(self, answers: np.ndarray) -> np.ndarray:
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

    def _posterior(
        self, n: np.ndarray, apart: np.ndarray, known: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a student's levels and their covariance, given shares on some skills."""
        shared = self.covariance[:, known]
        seen = self.covariance[np.ix_(known, known)] + np.diag(self.noise[known] / n[known])
        gain = np.linalg.solve(seen, shared.T).T
        spread = self.covariance - gain @ shared.T
        spread = (spread + spread.T) / 2 + LEAST_SPREAD * np.eye(len(spread))
        return self.mean + gain @ apart[known], spread


def weight_of_levels(answers: np.ndarray) -> float:
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


def fit_levels(answers: np.ndarray, q: np.ndarray) -> LevelModel:
    """Learn what levels are like from everybody's answers, by moments.

    Parameters
    ----------
    answers
        Shares of points, shape (n_students, n_items), 0 to 1, missing where not answered.
    q
        Which item asks for which skill: 0/1, shape (n_items, n_skills).

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
    usual = np.nan_to_num(answers).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    n, apart = _shares_apart(answers, usual, q)
    asked = (seen.any(axis=0).astype(float) @ q).astype(float)
    mean = np.divide(usual @ q, asked, out=np.full(len(asked), np.nan), where=asked > 0)
    noise = _noise(np.where(seen, np.nan_to_num(answers) - usual, 0), q, n)
    known = (n > 0).astype(float)
    covariance = apart.T @ apart / np.maximum(known.T @ known, 1)
    per_share = np.where(n > 0, noise / np.maximum(n, 1), 0).sum(axis=0)
    own = per_share / np.maximum(known.sum(axis=0), 1)
    covariance = _towards_one_ability(covariance - np.diag(own), len(answers))
    values, vectors = np.linalg.eigh(covariance)
    covariance = vectors * np.maximum(values, LEAST_SPREAD) @ vectors.T
    return LevelModel(q, usual, mean, covariance, noise)


def read_shares(
    shares: pd.DataFrame, window: str, skills: list[str]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return shares as answers, Q-matrix and the students of the rows.

    Parameters
    ----------
    shares
        One row per student, skill and observation: ``student_id``, ``skill_id``,
        ``window``, ``observation_id``, ``share`` (0 to 1); ``source`` where observations of
        several sources may share an id.
    window
        The window wanted.
    skills
        The Q-matrix's columns; rows on other skills are left out.

    Raises
    ------
    DataError
        A column is missing, or a share is outside 0 to 1.
    """
    wanted = ["student_id", "skill_id", "window", "observation_id", "share"]
    missing = [column for column in wanted if column not in shares.columns]
    if missing:
        raise DataError(
            f"the shares have no column {', '.join(missing)}.\nThey need: {', '.join(wanted)}."
        )
    rows = shares[(shares["window"] == window) & shares["skill_id"].isin(skills)]
    rows = rows.dropna(subset=["share"])
    if not rows["share"].between(0, 1).all():
        raise DataError("the shares hold numbers outside 0 to 1.\nDivide by points possible.")
    keys = (
        [rows["source"], rows["observation_id"]] if "source" in rows else [rows["observation_id"]]
    )
    item = rows.groupby(keys, sort=True).ngroup().to_numpy() if len(rows) else np.zeros(0, int)
    student, students = pd.factorize(rows["student_id"], sort=True)
    n_items = int(item.max(initial=-1)) + 1
    answers = np.full((len(students), n_items), np.nan)
    answers[student, item] = rows["share"].to_numpy(dtype=float)
    q = np.zeros((n_items, len(skills)), dtype=int)
    q[item, pd.Index(skills).get_indexer(pd.Index(rows["skill_id"]))] = 1
    return answers, q, list(students)


def _shares_apart(
    answers: np.ndarray, usual: np.ndarray, q: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return answers a skill, and each student's share less what is usual on those items.

    Less the items' own means, because not everybody answers the same items.
    """
    seen = ~np.isnan(answers)
    n = seen.astype(float) @ q
    apart = np.where(seen, np.nan_to_num(answers) - usual, 0) @ q
    return n, np.divide(apart, n, out=np.zeros_like(n), where=n > 0)


def _towards_one_ability(covariance: np.ndarray, n_students: int) -> np.ndarray:
    """Return the covariance drawn towards skills that are all alike, the fewer students the more.

    One variance and one covariance for all skills: what a class of 25 can tell of 24 skills.
    """
    n_skills = len(covariance)
    variance = np.trace(covariance) / n_skills
    others = (covariance.sum() - np.trace(covariance)) / max(n_skills * (n_skills - 1), 1)
    alike = np.full_like(covariance, others) + (variance - others) * np.eye(n_skills)
    weight = n_students / (n_students + ALIKE_WEIGHT)
    return np.asarray(weight * covariance + (1 - weight) * alike)


def _noise(rest: np.ndarray, q: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return what items of one skill differ by in one student: a variance a skill."""
    within = (rest**2 @ q - (rest @ q) ** 2 / np.maximum(n, 1)).sum(axis=0)
    freedom = np.maximum(n - 1, 0).sum(axis=0)
    # Without a second answer anywhere: the variance of a coin.
    pooled = within.sum() / freedom.sum() if freedom.sum() else 0.25
    return np.asarray((within + NOISE_WEIGHT * pooled) / (freedom + NOISE_WEIGHT))
