"""What it is worth to teach a student a skill now: lacking it and being ready for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import pandas as pd

from analysis.errors import DataError, UnknownError

PRIOR_DRAWS = 4
"""Weight, in posterior draws, of the independent guess at *ready given lacks*. Among the
draws in which a student lacks a skill there may be only a handful; four keep the share
from jumping to 0 or 1 and vanish among hundreds."""


def read_prerequisites(prerequisites: Any, skills: Sequence[Any]) -> np.ndarray:
    """Return which skill comes before which, from any of three ways to say it.

    Parameters
    ----------
    prerequisites
        ``None``; pairs (prerequisite, skill); a mapping skill -> prerequisites; or a square
        boolean matrix, ``[j, k]`` true where skill j comes before skill k. Skills are named
        as in ``skills`` or by their position.
    skills
        The names of the skills, in order.

    Returns
    -------
    numpy.ndarray of bool, shape (n_skills, n_skills)
        ``[j, k]`` true where j is a direct prerequisite of k.

    Raises
    ------
    UnknownError
        A name is no skill.
    DataError
        Prerequisites go in a circle, or the matrix has another shape.

    Examples
    --------
    >>> read_prerequisites([("halves", "quarters")], ["halves", "quarters"]).astype(int)
    array([[0, 1],
           [0, 0]])
    """
    skills = list(skills)
    before = np.zeros((len(skills), len(skills)), dtype=bool)
    if prerequisites is None:
        return before
    if _is_matrix(prerequisites):
        before = _read_matrix(prerequisites, len(skills))
    else:
        place = _places(skills)
        for earlier, later in _pairs(prerequisites):
            before[place(earlier), place(later)] = True
    _refuse_circles(before, skills)
    return before


def readiness(mastery: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the probability that each skill's prerequisites are all held, as if independent.

    Prerequisites depend on each other, so this is only the fallback where neither posterior
    draws nor a ``ready`` column say it better. An unknown prerequisite counts as likely as
    among the other students (one half where nobody is known).

    Parameters
    ----------
    mastery
        Probabilities, shape (n_students, n_skills); missing where not known.
    before
        Direct prerequisites, shape (n_skills, n_skills), ``[j, k]``: j before k.

    Returns
    -------
    numpy.ndarray
        Shape (n_students, n_skills); 1 where a skill has no prerequisites.

    Examples
    --------
    >>> readiness(np.array([[0.5, 0.8, 0.1]]), read_prerequisites([(0, 2), (1, 2)], range(3)))
    array([[1. , 1. , 0.4]])
    """
    held = fill_unknown(mastery)
    ready = np.ones_like(held)
    for skill in np.flatnonzero(before.any(axis=0)):
        ready[:, skill] = held[:, before[:, skill]].prod(axis=1)
    return ready


def on_target(held: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return where a skill is lacking and all its prerequisites are held.

    Parameters
    ----------
    held
        Which skills are held: bool, shape (..., n_skills).
    before
        Direct prerequisites, shape (n_skills, n_skills).

    Returns
    -------
    numpy.ndarray of bool
        The shape of ``held``.

    Examples
    --------
    >>> on_target(np.array([[True, False], [False, False]]), read_prerequisites([(0, 1)], "ab"))
    array([[False,  True],
           [ True, False]])
    """
    target = ~held
    for skill in np.flatnonzero(before.any(axis=0)):
        target[..., skill] &= held[..., before[:, skill]].all(axis=-1)
    return target


def value_of_teaching(
    mastery: np.ndarray,
    before: np.ndarray,
    *,
    ready: np.ndarray | None = None,
    draws: np.ndarray | None = None,
) -> np.ndarray:
    """Return the probability that each student lacks each skill and is ready for it.

    Parameters
    ----------
    mastery
        Probabilities, shape (n_students, n_skills); missing where not known.
    before
        Direct prerequisites, shape (n_skills, n_skills).
    ready
        Probability that all prerequisites are held, same shape as ``mastery``.
    draws
        Skills held in each draw from the posterior, bool, shape (n_draws, n_students,
        n_skills). They carry how skills hang together: a student who lacks a skill is less
        likely to hold what comes before it than ``ready`` alone says.

    Returns
    -------
    numpy.ndarray
        Shape (n_students, n_skills), 0 to 1, missing where mastery is missing.

    Examples
    --------
    >>> value_of_teaching(np.array([[0.9, 0.2]]), read_prerequisites([(0, 1)], range(2))).round(2)
    array([[0.1 , 0.72]])
    """
    guess = readiness(mastery, before)
    if ready is not None:
        guess = np.where(np.isnan(ready), guess, ready)
    if draws is None:
        return np.asarray((1 - mastery) * guess)
    lacks = (~draws).sum(axis=0)
    both = on_target(draws, before).sum(axis=0)
    return np.asarray((1 - mastery) * (both + PRIOR_DRAWS * guess) / (lacks + PRIOR_DRAWS))


class Links(NamedTuple):
    """Prerequisites among the skills at hand, and all that were listed."""

    before: np.ndarray
    listed: dict[str, list[str]]


def bridge_prerequisites(prerequisites: Any, skills: Sequence[str]) -> Links:
    """Return prerequisites among the given skills, bridging skills that are not given.

    Parameters
    ----------
    prerequisites
        ``None``, a mapping skill -> prerequisites, or pairs (prerequisite, skill); skills
        that are not in ``skills`` may occur.
    skills
        The skills at hand, in order.

    Returns
    -------
    Links
        ``before``: bool, shape (n_skills, n_skills), ``[j, k]`` true where j must come before
        k and no other given skill stands between; ``listed``: every skill's prerequisites.

    Raises
    ------
    DataError
        Prerequisites go in a circle.

    Examples
    --------
    >>> bridge_prerequisites({"c": ["b"], "b": ["a"]}, ["a", "c"]).before
    array([[False,  True],
           [False, False]])
    """
    pairs = [] if prerequisites is None else list(_pairs(prerequisites))
    every = list(dict.fromkeys([*skills, *(skill for pair in pairs for skill in pair)]))
    direct = nx.from_numpy_array(read_prerequisites(pairs, every), create_using=nx.DiGraph)
    above = nx.transitive_closure_dag(direct).subgraph(range(len(skills)))
    near = nx.transitive_reduction(above)
    before = nx.to_numpy_array(near, nodelist=range(len(skills)), weight=None).astype(bool)
    listed: dict[str, list[str]] = {}
    for earlier, later in pairs:
        listed.setdefault(later, []).append(earlier)
    return Links(before.reshape(len(skills), len(skills)), listed)


def fill_unknown(mastery: np.ndarray) -> np.ndarray:
    """Return mastery with each unknown cell at the other students' mean, or at one half."""
    known = ~np.isnan(mastery)
    counts = known.sum(axis=0)
    means = np.where(known, mastery, 0).sum(axis=0) / np.maximum(counts, 1)
    return np.where(known, mastery, np.where(counts > 0, means, 0.5))


def _is_matrix(prerequisites: Any) -> bool:
    if isinstance(prerequisites, pd.DataFrame):
        return True
    if not isinstance(prerequisites, np.ndarray) or prerequisites.ndim != 2:
        return False
    return bool(prerequisites.dtype == bool or prerequisites.shape[1] != 2)


def _read_matrix(prerequisites: Any, n_skills: int) -> np.ndarray:
    matrix = np.asarray(prerequisites, dtype=bool)
    if matrix.shape != (n_skills, n_skills):
        raise DataError(
            f"prerequisites: the matrix has shape {matrix.shape}, but there are {n_skills} skills\n"
            "Give one row and one column a skill, in the order of the mastery columns."
        )
    return matrix.copy()


def _pairs(prerequisites: Any) -> Iterable[tuple[Any, ...]]:
    if isinstance(prerequisites, Mapping):
        return [(earlier, later) for later, all_ in prerequisites.items() for earlier in all_]
    return [tuple(pair) for pair in prerequisites]


def _places(skills: list[Any]) -> Callable[[Any], int]:
    known = {skill: place for place, skill in enumerate(skills)}

    def place(skill: Any) -> int:
        if skill in known:
            return known[skill]
        if isinstance(skill, (int, np.integer)) and 0 <= skill < len(skills):
            return int(skill)
        raise UnknownError.of("skill", str(skill), [str(name) for name in skills], "prerequisites")

    return place


def _refuse_circles(before: np.ndarray, skills: list[Any]) -> None:
    graph = nx.from_numpy_array(before, create_using=nx.DiGraph)
    if nx.is_directed_acyclic_graph(graph):
        return
    circle = [str(skills[edge[0]]) for edge in nx.find_cycle(graph)]
    raise DataError(
        f"prerequisites go in a circle: {' -> '.join([*circle, circle[0]])}\n"
        "Remove one of these prerequisites."
    )
