"""What levels are like among everybody, learnt from answers by moments.

What little data say is drawn towards skills, items and classrooms that are all alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analysis.mastery.arrays import Floats, Integers, Truths
from analysis.mastery.levels import LEAST_SPREAD, LevelModel, shares_apart

NOISE_WEIGHT = 20
"""Weight, in degrees of freedom, of the noise that all skills share: a skill with few
double answers borrows it."""

ALIKE_WEIGHT = 200
"""Weight, in students who answered both, of the belief that all skills vary and hang
together alike."""

ROOM_WEIGHT = 1000
"""Weight, in classrooms that were asked both, of the same belief of classrooms' means. Of how
231 Austrian classes differ by skill in one half of the items (TIMSS 2011, six splits), what
their means say from the other half explains -.0004 with 20, .0042 with 100, .0088 with 400 and
.0082 with 2000; simulated classes of unlike pace are read about as well with each."""

ITEM_WEIGHT = 10
"""Weight, in answers, of the belief that an item is as hard as its skill usually is: items
of one skill vary by about a tenth of what answers to one item do."""

DIGITS = 6
"""Decimals kept: more would say nothing, and the file of many skills would be twice as long."""


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
    n, apart = shares_apart(answers, usual, q)
    rest = np.nan_to_num(answers - usual)
    asked = seen.any(axis=0).astype(float) @ q
    total = np.where(seen.any(axis=0), np.nan_to_num(usual), 0) @ q
    mean = np.divide(total, asked, out=np.full(len(asked), np.nan), where=asked > 0)
    noise = _noise(rest, q, n)
    known = (n > 0).astype(float)
    both = known.T @ known
    per_share = np.where(n > 0, noise / np.maximum(n, 1), 0).sum(axis=0)
    own = per_share / np.maximum(known.sum(axis=0), 1)
    covariance = apart.T @ apart / np.maximum(both, 1) - np.diag(own)
    covariance = _towards_alike(covariance, both, ALIKE_WEIGHT)
    # Without classrooms each student is alone in one, and nothing is between them.
    rooms = np.arange(len(n)) if classrooms is None else np.asarray(classrooms)
    between, between_items = _between(rest, seen, q, rooms)
    within = _at_least(LEAST_SPREAD, covariance - between)
    rounded = (part.round(DIGITS) for part in (mean, within, between, between_items, noise))
    return LevelModel(q, usual.round(DIGITS), seen.sum(axis=0), *rounded)


def _between(rest: Floats, seen: Truths, q: Integers, rooms: np.ndarray) -> tuple[Floats, Floats]:
    """Return how classrooms' mean levels vary together, and how an item varies beyond its skills.

    What two who sit together share on two items is their classroom's level. What they share on
    one item beyond that is the item's: a class that met this very task, and no other of its kind.
    Of all skills alike, since the two are told apart by few items a skill. Of how 276 Austrian
    classes differ by skill, half of the items say .0009, the other .0008, both together .0008.
    """
    n_skills = q.shape[1]
    shared, pairs, n_rooms = np.zeros((3, n_skills, n_skills))
    on_one, meetings = np.zeros((2, n_skills))
    for room in np.unique(rooms):
        here = rooms == room
        products, own_products = _of_two_students(rest[here], q)
        counts, own_counts = _of_two_students(seen[here].astype(float), q)
        shared += products
        pairs += counts
        n_rooms += counts > 0
        on_one += own_products
        meetings += own_counts
    between = _towards_alike(shared / np.maximum(pairs, 1), n_rooms, ROOM_WEIGHT)
    beyond = (on_one - meetings * np.diag(between)).sum() / max(meetings.sum(), 1)
    return _at_least(0, between), np.maximum(beyond, 0)


def _of_two_students(values: Floats, q: Integers) -> tuple[Floats, Floats]:
    """Return sums of products of two students' values: on two items, by pair of skills; on one."""
    of_items, of_students = values.sum(axis=0), values @ q
    on_one = of_items**2 - (values**2).sum(axis=0)
    on_any = np.outer(of_items @ q, of_items @ q) - of_students.T @ of_students
    return on_any - q.T @ (q * on_one[:, None]), on_one @ q


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
