"""What others do with the same answers: every peer puts one class in groups with a focus.

A peer takes the class's evidence and returns (label of each student, focus of each label).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from analysis.grouping.value import fill_unknown, readiness

N_GROUPS = 5


def raw_value(share: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return (1 - share correct) x shares correct on the prerequisites."""
    return (1 - fill_unknown(share)) * readiness(share, before)


def cut_value(share: np.ndarray, before: np.ndarray, cut: float = 0.7) -> np.ndarray:
    """Return 1 where a student is under the cut and at it on the prerequisites."""
    held = (fill_unknown(share) >= cut).astype(float)
    # The lowest first: how far under the cut decides among those on the list.
    return (1 - held) * readiness(held, before) + 1e-3 * (1 - fill_unknown(share))


def greedy(value: np.ndarray, n_groups: int = N_GROUPS):
    """Take the skill most students need, seat those who need it most, and go on."""
    sizes = np.full(n_groups, len(value) // n_groups)
    sizes[: len(value) % n_groups] += 1
    labels, focus, left = np.full(len(value), -1), [], np.arange(len(value))
    for group, size in enumerate(sizes):
        best = np.sort(value[left], axis=0)[::-1][:size].sum(axis=0)
        skill = int(best.argmax())
        chosen = left[np.argsort(-value[left, skill], kind="stable")[:size]]
        labels[chosen] = group
        focus.append(skill)
        left = np.setdiff1d(left, chosen)
    return labels, np.array(focus)


def with_best_focus(labels: np.ndarray, value: np.ndarray):
    """Give each group the skill with the greatest value to its students."""
    labels = np.unique(labels, return_inverse=True)[1]
    groups = range(labels.max() + 1)
    return labels, np.array([int(value[labels == g].sum(axis=0).argmax()) for g in groups])


def bands(total: np.ndarray, n_groups: int = N_GROUPS) -> np.ndarray:
    """Return bands of total score, as even as can be."""
    return np.argsort(np.argsort(total, kind="stable"), kind="stable") * n_groups // len(total)


def k_means(features: np.ndarray, n_groups: int, seed: int) -> np.ndarray:
    return KMeans(n_groups, n_init=5, random_state=seed).fit_predict(features)


def gaussian_mixture(features: np.ndarray, n_groups: int, seed: int) -> np.ndarray:
    model = GaussianMixture(n_groups, covariance_type="diag", reg_covar=1e-2, random_state=seed)
    return model.fit_predict(features)


def k_means_constrained(features, n_groups: int, seed: int, least: int = 3, most: int = 6):
    """Lloyd's algorithm with an exact assignment to slots: every group gets its least first."""
    rng, best = np.random.default_rng(seed), (np.inf, None)
    slots = np.repeat(np.arange(n_groups), most)
    must = np.tile(np.arange(most) < least, n_groups)
    for _ in range(5):
        centres = features[rng.choice(len(features), n_groups, replace=False)]
        for _ in range(10):
            distance = ((features[:, None] - centres) ** 2).sum(axis=2)
            cost = distance[:, slots] - 1e3 * must
            rows, columns = linear_sum_assignment(cost)
            labels = np.empty(len(features), dtype=int)
            labels[rows] = slots[columns]
            centres = np.array([features[labels == g].mean(axis=0) for g in range(n_groups)])
        inertia = distance[np.arange(len(features)), labels].sum()
        best = min(best, (inertia, labels), key=lambda pair: pair[0])
    return best[1]


def dina(answers: np.ndarray, q: np.ndarray, n_steps: int = 200) -> np.ndarray | None:
    """Return P(skill held) by DINA, maximum likelihood; None where profiles are too many.

    Items of one skill each: the skills are independent, one two-class model each.
    Otherwise all 2^K profiles with a saturated prior (de la Torre 2009).
    """
    if (q.sum(axis=1) == 1).all():
        held = np.full((len(answers), q.shape[1]), np.nan)
        for skill in range(q.shape[1]):
            items = q[:, skill] == 1
            held[:, skill] = _dina_em(answers[:, items], np.ones((items.sum(), 1), int), n_steps)[
                :, 0
            ]
        return held
    return _dina_em(answers, q, n_steps) if q.shape[1] <= 9 else None


def _dina_em(answers, q, n_steps: int) -> np.ndarray:
    profiles = (np.arange(2 ** q.shape[1])[:, None] >> np.arange(q.shape[1])) & 1
    ideal = (profiles @ q.T == q.sum(axis=1)).astype(float)
    seen, right = (~np.isnan(answers)).astype(float), np.nan_to_num(answers)
    slip, guess = np.full(len(q), 0.2), np.full(len(q), 0.2)
    prior = np.full(len(profiles), 1 / len(profiles))
    for _ in range(n_steps):
        p = ideal * (1 - slip) + (1 - ideal) * guess
        log = right @ np.log(p).T + (seen - right) @ np.log1p(-p).T + np.log(prior)
        post = np.exp(log - log.max(axis=1, keepdims=True))
        post /= post.sum(axis=1, keepdims=True)
        prior = np.maximum(post.mean(axis=0), 1e-12)
        able = post @ ideal
        new_slip = 1 - (able * right).sum(axis=0) / np.maximum((able * seen).sum(axis=0), 1e-9)
        unable = seen - able * seen
        new_guess = ((1 - able) * right).sum(axis=0) / np.maximum(unable.sum(axis=0), 1e-9)
        moved = max(np.abs(new_slip - slip).max(), np.abs(new_guess - guess).max())
        slip, guess = np.clip(new_slip, 1e-3, 0.499), np.clip(new_guess, 1e-3, 0.499)
        if moved < 1e-4:
            break
    return post @ profiles
