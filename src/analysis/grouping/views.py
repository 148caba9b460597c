"""Classical clusterings of the same mastery, to look at beside the groups by next skill."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture

from analysis.errors import UnknownError
from analysis.grouping.certainty import draw_from
from analysis.grouping.estimator import SkillNeedGroups
from analysis.grouping.value import fill_unknown

WAYS = ("k-means", "Gaussian mixture", "Ward")
"""Classical ways to cluster. None of them knows sizes, prerequisites or a next skill."""

NEED_GROUPS = "groups by next skill"

N_DRAWS = 10
"""Posterior draws on which every way is tried again; enough to tell .2 from .4."""


def classical_groups(
    mastery: Any, way: str = "k-means", n_groups: int = 4, random_state: int = 0
) -> np.ndarray:
    """Cluster students by mastery in a classical way.

    Parameters
    ----------
    mastery
        Probabilities, shape (n_students, n_skills); an unknown cell counts as the others' mean.
    way
        One of :data:`WAYS`.
    n_groups
        Clusters wanted; at most one a student.
    random_state
        Seed of the starts (Ward needs none).

    Returns
    -------
    numpy.ndarray of int
        Shape (n_students,), 0, 1, … the largest cluster first.

    Raises
    ------
    UnknownError
        ``way`` is not known.

    Examples
    --------
    >>> classical_groups([[0.1, 0.2], [0.2, 0.1], [0.9, 0.8], [0.8, 0.9], [0.9, 0.9]], "Ward", 2)
    array([1, 1, 0, 0, 0])
    """
    features = fill_unknown(np.asarray(mastery, dtype=float))
    n_groups = min(n_groups, len(features))
    if way == "k-means":
        model = KMeans(n_groups, n_init=10, random_state=random_state)
    elif way == "Gaussian mixture":
        # One student must not become a component of no width.
        model = GaussianMixture(
            n_groups, covariance_type="diag", reg_covar=1e-2, random_state=random_state
        )
    elif way == "Ward":
        model = AgglomerativeClustering(n_groups, linkage="ward")
    else:
        raise UnknownError.of("way", way, list(WAYS), "classical_groups")
    with warnings.catch_warnings():
        # Fewer distinct students than clusters: fewer clusters come out, and that is fine.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _largest_first(model.fit_predict(features))


def compare_views(
    mastery: Any,
    *,
    prerequisites: Any = None,
    draws: np.ndarray | None = None,
    n_groups: int = 4,
    random_state: int = 0,
) -> pd.DataFrame:
    """Compare groups by next skill with classical clusterings of the same class.

    Parameters
    ----------
    mastery
        Probabilities, shape (n_students, n_skills), missing where not known.
    prerequisites
        As for :class:`SkillNeedGroups`.
    draws
        Posterior draws of skills held, shape (n_draws, n_students, n_skills); default: each
        cell drawn as if independent.
    n_groups
        Clusters of the classical ways.
    random_state
        Seed of starts and draws.

    Returns
    -------
    pandas.DataFrame
        One row a way: ``n_groups``, ``smallest`` and ``largest`` (students), ``silhouette``
        (-1 to 1, of mastery; missing with one group) and ``stability`` (mean adjusted Rand
        index between the groups and those formed on single posterior draws; 1: the evidence
        leaves no doubt).

    Examples
    --------
    >>> mastery = [[.1, .9], [.2, .9], [.1, .8], [.9, .1], [.9, .2], [.8, .1]]
    >>> compare_views(mastery, n_groups=2)[["way", "n_groups", "smallest", "largest"]]
                       way  n_groups  smallest  largest
    0  groups by next skill         2         3        3
    1               k-means         2         3        3
    2      Gaussian mixture         2         3        3
    3                  Ward         2         3        3
    """
    mastery = np.asarray(mastery, dtype=float)
    known = fill_unknown(mastery)
    held = draw_from(known, random_state) if draws is None else np.asarray(draws)
    tried = held[:N_DRAWS].astype(float)

    def by_next_skill(levels: Any) -> np.ndarray:
        model = SkillNeedGroups(prerequisites=prerequisites)
        return np.asarray(model.fit(np.where(np.isnan(mastery), np.nan, levels)).labels_)

    ways = {NEED_GROUPS: by_next_skill}
    for way in WAYS:
        ways[way] = partial(classical_groups, way=way, n_groups=n_groups, random_state=random_state)
    return pd.DataFrame(
        [{"way": way, **_describe(form, known, tried)} for way, form in ways.items()]
    )


def _describe(form: Any, known: np.ndarray, tried: np.ndarray) -> dict[str, Any]:
    labels = form(known)
    sizes = np.bincount(labels[labels >= 0])
    several = 1 < len(sizes) < len(known)
    alike = [adjusted_rand_score(labels, form(drawn)) for drawn in tried]
    return {
        "n_groups": len(sizes),
        "smallest": int(sizes.min(initial=len(known))),
        "largest": int(sizes.max(initial=0)),
        "silhouette": float(silhouette_score(known, labels)) if several else np.nan,
        "stability": float(np.mean(alike)) if alike else np.nan,
    }


def _largest_first(labels: np.ndarray) -> np.ndarray:
    """Return labels numbered by size, then by their first student."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort([first, -sizes])
    return np.argsort(order)[np.searchsorted(names, labels)]
