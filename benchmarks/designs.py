"""The simulation designs of the literature, made anew from their descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from scipy.stats import norm


@dataclass(frozen=True)
class Simulated:
    """One simulated test: answers and the truth behind them."""

    answers: np.ndarray
    q: np.ndarray
    truth: np.ndarray
    success: np.ndarray
    """P(right | item, profile), over all 2^K profiles."""
    prior: np.ndarray
    profiles: np.ndarray


def all_profiles(n_skills: int) -> np.ndarray:
    return np.array(list(product([0, 1], repeat=n_skills)), dtype=int)


def make_q(n_skills: int, sizes: dict[int, int], rng) -> np.ndarray:
    """Return a Q-matrix with ``sizes[m]`` items of m skills, combinations taken in turn."""
    rows = []
    for m, n_items in sizes.items():
        sets = [list(c) for c in combinations(range(n_skills), m)]
        rng.shuffle(sets)
        for item in range(n_items):
            row = np.zeros(n_skills, dtype=int)
            row[sets[item % len(sets)]] = 1
            rows.append(row)
    return np.array(rows)


def normal_prior(profiles, r: float, cuts, rng, draws=200_000) -> np.ndarray:
    """Return P(profile) where a multivariate normal is cut."""
    z = draw_normal(draws, profiles.shape[1], r, rng) > cuts
    code = z @ (2 ** np.arange(profiles.shape[1])[::-1])
    return np.bincount(code, minlength=len(profiles)) / draws


def draw_normal(n, k, r, rng):
    common = rng.standard_normal((n, 1))
    return np.sqrt(r) * common + np.sqrt(1 - r) * rng.standard_normal((n, k))


def success_of(q, profiles, guess, slip, additive: bool) -> np.ndarray:
    n_held, n_required = q @ profiles.T, q.sum(axis=1)[:, None]
    share = n_held / n_required if additive else (n_held == n_required).astype(float)
    return guess[:, None] + (1 - slip - guess)[:, None] * share


def simulate(q, prior, guess, slip, n, rng, additive=False) -> Simulated:
    profiles = all_profiles(q.shape[1])
    success = success_of(q, profiles, guess, slip, additive)
    who = rng.choice(len(profiles), size=n, p=prior)
    answers = (rng.random((n, len(q))) < success[:, who].T).astype(float)
    return Simulated(answers, q, profiles[who].astype(bool), success, prior, profiles)


def shared_design(n_skills, noise, structure, additive, n, seed) -> Simulated:
    """One of the 48 shared designs: K=3, J=20 or K=5, J=30."""
    rng = np.random.default_rng(seed)
    sizes = {1: 9, 2: 9, 3: 2} if n_skills == 3 else {1: 10, 2: 10, 3: 10}
    q = make_q(n_skills, sizes, rng)
    profiles = all_profiles(n_skills)
    if structure == "normal":
        cuts = norm.ppf(np.arange(1, n_skills + 1) / (n_skills + 1))
        prior = normal_prior(profiles, 0.5, cuts, rng)
    else:
        linear = (np.diff(profiles, axis=1) <= 0).all(axis=1)
        prior = linear / linear.sum()
    guess, slip = rng.uniform(0, noise, (2, len(q)))
    return simulate(q, prior, guess, slip, n, rng, additive)


LITERATURE = {
    # name: skills, items by number of skills, correlation, slip and guess up to
    "CD09 K4 J20": (4, {1: 8, 2: 8, 3: 4}, 0.5, 0.3),
    "CD09 K4 J40": (4, {1: 16, 2: 16, 3: 8}, 0.5, 0.3),
    "CD13 K3 J20": (3, {1: 9, 2: 9, 3: 2}, 0.5, 0.3),
    "CD13 K5 J30": (5, {1: 10, 2: 10, 3: 10}, 0.5, 0.3),
    "MN21 K4 J30": (4, {1: 12, 2: 12, 3: 6}, 0.3, 0.3),
}
"""Chiu, Douglas & Li (2009), Chiu & Douglas (2013), Mishler & Nugent (2021): sizes and
noise as published; the papers' own Q-matrices are not, items are spread evenly instead."""


def literature_design(name: str, n: int, seed) -> Simulated:
    """One data set of a design of the literature, DINA answers."""
    rng = np.random.default_rng(seed)
    n_skills, sizes, r, noise = LITERATURE[name]
    q = make_q(n_skills, sizes, rng)
    profiles = all_profiles(n_skills)
    cuts = norm.ppf(np.arange(1, n_skills + 1) / (n_skills + 1))
    prior = normal_prior(profiles, r, cuts, rng)
    guess, slip = rng.uniform(0, noise, (2, len(q)))
    return simulate(q, prior, guess, slip, n, rng)


def oracle_posterior(sim: Simulated) -> np.ndarray:
    """P(profile | answers) with the true parameters: the Bayes limit."""
    p = np.clip(sim.success, 1e-9, 1 - 1e-9)
    logs = sim.answers @ np.log(p) + (1 - sim.answers) @ np.log(1 - p)
    logs = logs + np.log(np.maximum(sim.prior, 1e-300))
    post = np.exp(logs - logs.max(axis=1, keepdims=True))
    return post / post.sum(axis=1, keepdims=True)


def oracle_profiles(sim: Simulated) -> np.ndarray:
    return sim.profiles[oracle_posterior(sim).argmax(axis=1)].astype(bool)
