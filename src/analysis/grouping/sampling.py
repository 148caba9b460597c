"""A skill's items are a few of many that could be asked: how far its mean may be trusted.

One lesson for all rests on one skill's mean over the class, the greatest of many. Where items
of one skill differ by as much as skills do, the greatest is only the skill that had the hard
item, and another form of the test would name another. So before one lesson is compared
with groups, skills' means are drawn towards each other as far as items explain them
(regression to the mean, as in generalizability theory: Cronbach et al. 1972).
"""

from __future__ import annotations

import numpy as np


def trust_in_means(usual: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return by how much skills' means differ more than their items explain.

    Parameters
    ----------
    usual
        The share that is usual on each item, shape (n_items,); missing ones do not count.
    q
        Which item asks for which skill: 0/1, shape (n_items, n_skills).

    Returns
    -------
    numpy.ndarray
        Shape (n_skills,), 0 (items alone explain it) to 1; 1 where no skill has two items,
        because nothing then tells items and skills apart.

    Examples
    --------
    >>> skills = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    >>> trust_in_means(np.array([1, 1, 0, 0]), skills)
    array([1., 1.])
    >>> trust_in_means(np.array([1, 0, 1, 0]), skills)
    array([0., 0.])
    """
    q = q * ~np.isnan(usual)[:, None]
    usual = np.nan_to_num(usual)
    n = q.sum(axis=0)
    known = n > 0
    freedom = (n[known] - 1).sum()
    if not freedom:
        return np.ones(len(n))
    mean = usual @ q / np.maximum(n, 1)
    of_items = float((q * (usual[:, None] - mean) ** 2).sum() / freedom)
    error = of_items / np.maximum(n, 1)
    spread = mean[known].var(ddof=1) if known.sum() > 1 else 0.0
    of_skills = max(float(spread - error[known].mean()), 0.0)
    # Without any difference at all there is nothing to mistrust.
    total = of_skills + error
    return np.asarray(np.divide(of_skills, total, out=np.ones(len(n)), where=total > 0))


def drawn_together(value: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Return values whose column means are drawn towards their mean, the less the trust.

    Examples
    --------
    >>> drawn_together(np.array([[0.2, 0.5], [0.4, 0.9]]), np.array([1.0, 0.0])).round(2)
    array([[0.2, 0.3],
           [0.4, 0.7]])
    """
    means = value.mean(axis=0)
    usual = means.sum() / max(len(means), 1)
    return np.asarray(value - (1 - trust) * (means - usual))
