"""Which profiles of skills are possible: prerequisites, read from any of three forms."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd

from analysis.errors import DataError, UnknownError
from analysis.mastery.arrays import Truths

Pair = tuple[Hashable, Hashable]
Prerequisites = pd.DataFrame | np.ndarray | Mapping[Hashable, Iterable[Hashable]] | Iterable[Pair]
MOST_PROFILES = 256
"""Profiles listed one by one, at most: all profiles of 8 skills, or those that the
prerequisites of more skills leave."""


def read_prerequisites(
    prerequisites: Prerequisites | None, skill_names: Sequence[Hashable]
) -> Truths:
    """Return which skill must come directly before which.

    Parameters
    ----------
    prerequisites
        ``None``; pairs ``(prerequisite, skill)``; a square matrix, true at ``[j, k]`` where
        skill j must come before skill k; or a mapping from a skill to its prerequisites.
        Skills are given by column number, or by name where ``skill_names`` are names.
    skill_names
        The columns of the Q-matrix, in order.

    Returns
    -------
    numpy.ndarray of bool, shape (n_skills, n_skills)
        True at ``[j, k]`` where j is a direct prerequisite of k.

    Raises
    ------
    DataError
        A skill is unknown, or the prerequisites go in a circle.

    Examples
    --------
    >>> read_prerequisites([("add", "multiply")], ["add", "multiply"]).astype(int)
    array([[0, 1],
           [0, 0]])
    """
    n_skills = len(skill_names)
    before = np.zeros((n_skills, n_skills), dtype=bool)
    if prerequisites is None:
        return before
    matrix = _matrix_of(prerequisites, n_skills)
    if matrix is not None:
        before = matrix
    else:
        for first, then in _as_pairs(prerequisites):
            before[_position(first, skill_names), _position(then, skill_names)] = True
    _refuse_circles(before, skill_names)
    return before


def list_profiles(before: Truths, most: int = MOST_PROFILES) -> Truths | None:
    """Return every profile that respects the prerequisites, or None when there are too many.

    Parameters
    ----------
    before
        As :func:`read_prerequisites` returns it.
    most
        Most profiles to list.

    Returns
    -------
    numpy.ndarray of bool, shape (n_profiles, n_skills), or None
        Sorted: no skill first, all skills last.

    Examples
    --------
    >>> list_profiles(read_prerequisites([(0, 1)], range(2))).astype(int)
    array([[0, 0],
           [1, 0],
           [1, 1]])
    """
    profiles = np.zeros((1, len(before)), dtype=bool)
    for skill in topological_order(before):
        able = profiles[:, before[:, skill]].all(axis=1)
        with_skill = profiles[able]
        with_skill[:, skill] = True
        profiles = np.vstack([profiles, with_skill])
        if len(profiles) > most:
            return None
    return profiles[np.lexsort((*profiles.T[::-1], profiles.sum(axis=1)))]


def topological_order(before: Truths) -> list[int]:
    """Return the skills so that each comes after its prerequisites, ties by column."""
    graph = nx.from_numpy_array(before.astype(int), create_using=nx.DiGraph)
    return list(nx.lexicographical_topological_sort(graph))


def _matrix_of(prerequisites: Prerequisites, n_skills: int) -> Truths | None:
    if not isinstance(prerequisites, pd.DataFrame | np.ndarray):
        return None
    values = np.asarray(prerequisites)
    is_matrix = values.shape == (n_skills, n_skills) and _is_truth(values)
    return values.astype(bool) if is_matrix else None


def _is_truth(matrix: np.ndarray) -> bool:
    # An integer 2 x 2 array may be two pairs; a matrix of a true relation has no diagonal.
    if matrix.dtype == bool:
        return True
    return matrix.dtype.kind in "iuf" and len(matrix) != 2 and set(np.unique(matrix)) <= {0, 1}


def _as_pairs(prerequisites: Prerequisites) -> list[Pair]:
    if isinstance(prerequisites, Mapping):
        return [(first, then) for then, listed in prerequisites.items() for first in listed]
    if isinstance(prerequisites, pd.DataFrame):
        return list(prerequisites.itertuples(index=False, name=None))
    return list(prerequisites)


def _position(skill: Hashable, skill_names: Sequence[Hashable]) -> int:
    names = list(skill_names)
    if skill in names:
        return names.index(skill)
    if isinstance(skill, int | np.integer) and 0 <= skill < len(names):
        return int(skill)
    known = [str(name) for name in names]
    raise UnknownError.of("skill", str(skill), known, "the Q-matrix named in prerequisites")


def _refuse_circles(before: Truths, skill_names: Sequence[Hashable]) -> None:
    graph = nx.from_numpy_array(before.astype(int), create_using=nx.DiGraph)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [str(list(skill_names)[edge[0]]) for edge in nx.find_cycle(graph)]
        raise DataError(
            f"prerequisites go in a circle: {' -> '.join([*cycle, cycle[0]])}\n"
            "Remove one of these prerequisites."
        )
