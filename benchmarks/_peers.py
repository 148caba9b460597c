"""Compact versions of the peers: each takes answers and Q-matrix, returns profiles.

Written from the papers named, for complete 0/1 answers; nothing is taken from the package.
"""

from __future__ import annotations

import warnings

import numpy as np
from designs import all_profiles
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture


def capability(answers, q):
    """Share of right answers among a skill's items (Nugent, Dean & Ayers 2010)."""
    return answers @ q / q.sum(axis=0)


def ideal_answers(q, profiles):
    """Conjunctive and disjunctive ideal answers, (n_profiles, n_items)."""
    held = profiles @ q.T
    return (held == q.sum(axis=1)).astype(float), (held > 0).astype(float)


def nearest(answers, ideal, weight):
    distance = ((answers[:, None, :] - ideal) ** 2 * weight).sum(axis=2)
    return distance.argmin(axis=1)


def npc_places(answers, q, profiles):
    p = answers.mean(axis=0)
    weight = 1 / np.maximum(p * (1 - p), 0.05)
    return nearest(answers, ideal_answers(q, profiles)[0], weight)


def npc(answers, q):
    """Nonparametric classification, weighted Hamming (Chiu & Douglas 2013)."""
    profiles = all_profiles(q.shape[1])
    return profiles[npc_places(answers, q, profiles)].astype(bool)


def gnpc(answers, q, steps=100):
    """General nonparametric classification (Chiu, Sun & Bian 2018)."""
    profiles = all_profiles(q.shape[1])
    conjunctive, disjunctive = ideal_answers(q, profiles)
    group = reduced_groups(q, profiles)
    who = npc_places(answers, q, profiles)
    start = (conjunctive + disjunctive) / 2
    ideal = np.where(conjunctive == disjunctive, conjunctive, start)
    for _ in range(steps):
        for item in range(len(q)):
            for g in np.unique(group[item]):
                columns = group[item] == g
                if conjunctive[columns, item][0] == disjunctive[columns, item][0]:
                    continue
                members = columns[who]
                if members.any():
                    ideal[columns, item] = answers[members, item].mean()
        new = nearest(answers, ideal, 1.0)
        if (new == who).mean() > 0.999:
            break
        who = new
    return profiles[new].astype(bool)


def reduced_groups(q, profiles):
    """Which profiles an item cannot tell apart, (n_items, n_profiles)."""
    places = q * 2 ** (np.cumsum(q, axis=1) - q)
    return places @ profiles.T


def _em(answers, q, group_of, start, steps=1000, tol=1e-4):
    """EM by maximum likelihood, free profile shares, one probability a group of profiles."""
    profiles = all_profiles(q.shape[1])
    group = group_of(q, profiles)
    width = group.max() + 1
    rows = np.arange(len(q))[:, None]
    success, share = start(q, profiles), np.full(len(profiles), 1 / len(profiles))
    for _ in range(steps):
        logs = answers @ np.log(success) + (1 - answers) @ np.log1p(-success) + np.log(share)
        posterior = np.exp(logs - logs.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
        share = np.maximum(posterior.mean(axis=0), 1e-10)
        share /= share.sum()
        right, asked = answers.T @ posterior, np.ones_like(answers).T @ posterior
        sums = [
            np.bincount((rows * width + group).ravel(), v.ravel(), len(q) * width)
            for v in (right, asked)
        ]
        p = (sums[0] / np.maximum(sums[1], 1e-10)).reshape(len(q), width)[rows, group]
        new = np.clip(p, 1e-3, 1 - 1e-3)
        change, success = np.abs(new - success).max(), new
        if change < tol:
            break
    return profiles[posterior.argmax(axis=1)].astype(bool)


def dina(answers, q):
    """DINA by maximum likelihood (Junker & Sijtsma 2001; de la Torre 2009)."""
    return _em(
        answers,
        q,
        lambda q, a: (q @ a.T == q.sum(axis=1)[:, None]).astype(int),
        lambda q, a: np.where(q @ a.T == q.sum(axis=1)[:, None], 0.8, 0.2),
    )


def gdina(answers, q):
    """G-DINA by maximum likelihood (de la Torre 2011)."""
    return _em(
        answers,
        q,
        reduced_groups,
        lambda q, a: 0.1 + 0.8 * (q @ a.T) / q.sum(axis=1)[:, None],
    )


def _by_cluster(answers, q, labels):
    """Give each cluster the skills of which its members show half or more."""
    shown = capability(answers, q)
    found = np.zeros(shown.shape, dtype=bool)
    for label in np.unique(labels):
        members = labels == label
        found[members] = shown[members].mean(axis=0) >= 0.5
    return found


def k_means(answers, q):
    """k-means on skill percent, 2^K clusters or as many as there are distinct students."""
    shown = capability(answers, q)
    n = min(2 ** q.shape[1], len(np.unique(shown, axis=0)))
    return _by_cluster(answers, q, KMeans(n, n_init=10, random_state=0).fit_predict(shown))


def empty_k_means(answers, q, steps=100):
    """k-means from expected capability scores, clusters may be empty (Mishler & Nugent 2021)."""
    profiles = all_profiles(q.shape[1])
    shown = capability(answers, q)
    centres = capability(ideal_answers(q, profiles)[0], q)
    for _ in range(steps):
        who = ((shown[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        new = centres.copy()
        for label in np.unique(who):
            new[label] = shown[who == label].mean(axis=0)
        if np.allclose(new, centres):
            break
        centres = new
    return profiles[who].astype(bool)


def gaussian_mixture(answers, q):
    """Gaussian mixture on skill percent, components by BIC."""
    shown = capability(answers, q)
    most = min(2 ** q.shape[1], len(np.unique(shown, axis=0)), len(shown) // 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [
            GaussianMixture(n, covariance_type="diag", reg_covar=1e-3, random_state=0).fit(shown)
            for n in range(1, most + 1)
        ]
    return _by_cluster(answers, q, min(fits, key=lambda fit: fit.bic(shown)).predict(shown))


def latent_classes(answers, q):
    """Latent class analysis (StepMix), classes by BIC, at most 8."""
    from stepmix.stepmix import StepMix

    fits = []
    for n in range(1, min(8, len(answers) // 2) + 1):
        fit = StepMix(n, measurement="binary", random_state=0, progress_bar=0, n_init=1)
        fits.append(fit.fit(answers))
    best = min(fits, key=lambda fit: fit.bic(answers))
    return _by_cluster(answers, q, best.predict(answers))


def score_bands(answers, q):
    """Fifths of the total score; each band has the skills its members show by half."""
    total = answers.sum(axis=1)
    edges = np.quantile(total, [0.2, 0.4, 0.6, 0.8])
    return _by_cluster(answers, q, np.searchsorted(edges, total))


def percent_cut(answers, q, cut=0.5):
    """Mastery where the share of right answers reaches a cut."""
    return capability(answers, q) >= cut


def percent_cut_80(answers, q):
    return percent_cut(answers, q, 0.8)


PEERS = {
    "G-DINA EM": gdina,
    "GNPC": gnpc,
    "DINA EM": dina,
    "NPC, weighted": npc,
    "empty k-means": empty_k_means,
    "k-means, 2^K": k_means,
    "Gaussian mixture, BIC": gaussian_mixture,
    "total-score fifths": score_bands,
    "percent correct, cut .5": percent_cut,
    "percent correct, cut .8": percent_cut_80,
}
SLOW_PEERS = {"latent class analysis, BIC": latent_classes}
