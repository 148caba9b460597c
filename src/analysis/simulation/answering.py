"""Which items each student is given, and what comes back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.simulation.bank import Bank
from analysis.simulation.people import GRADES

FORM_ITEMS = 40
"""Most items on a form: about one lesson of testing."""
HOLDS_A_GRADE = 0.75
"""Share of a grade's skills held from which the form need not reach further down."""
MISROUTED = 0.15
"""Share of students whose form starts one grade off."""
ABSENT = 0.04
BLANK = 0.015
STOPS_EARLY = 0.04
"""Share of students who leave the last third of their items blank."""
READY_GUESS = 1.3
UNREADY_GUESS = 0.75
"""Factors on an item's guess: half-knowledge helps, so the answers are close to, but not
exactly, what a model of slip and guess expects."""


def draw_parameters(bank: Bank, rng: np.random.Generator) -> pd.DataFrame:
    """Return every item's ``slip`` and ``guess`` (probabilities, 0.05 to 0.25)."""
    uniform = rng.random((len(bank.item_ids), 2))
    guess = np.where(bank.is_choice, 0.15 + 0.10 * uniform[:, 0], 0.05 + 0.07 * uniform[:, 0])
    slip = 0.05 + 0.13 * uniform[:, 1]
    return pd.DataFrame({"item_id": bank.item_ids, "slip": slip, "guess": guess})


def draw_answers(
    held: np.ndarray,
    roster: pd.DataFrame,
    effects: pd.DataFrame,
    bank: Bank,
    parameters: pd.DataFrame,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return every student's points in every window.

    Parameters
    ----------
    held
        Who holds which skill, bool, shape (n_windows, n_students, n_skills).
    roster
        One row a student (home classroom), classrooms in their order.
    effects
        One row a classroom; ``absent`` and ``n_items`` are used.
    bank
        Skills and items.
    parameters
        ``slip`` and ``guess`` of every item.
    rng
        A larger district drawn from an equal generator begins with the same students.

    Returns
    -------
    numpy.ndarray of float, shape (n_windows, n_students, n_items)
        Points earned; missing where the item was not given, left blank, or the student
        was absent.
    """
    place = pd.factorize(roster["classroom_id"])[0]
    own = effects.iloc[place].reset_index(drop=True)
    absent = np.full((len(held), len(roster)), ABSENT)
    absent[-1] = own["absent"].fillna(ABSENT)
    windows = []
    for window, step in enumerate(rng.spawn(len(held))):
        for_forms, for_points = step.spawn(2)
        given = _give(held[window], window, roster, own, absent[window], bank, for_forms)
        points = _answer(held[window], bank, parameters, for_points)
        windows.append(np.where(given, points, np.nan))
    return np.array(windows)


def _answer(
    held: np.ndarray, bank: Bank, parameters: pd.DataFrame, rng: np.random.Generator
) -> np.ndarray:
    """Return points on every item, as if all were given; two points are two steps."""
    uniform = rng.random((len(held), len(bank.item_ids), 2))
    holds_all = ~(~held @ bank.asks.T)
    unready = ~held @ bank.before
    help_of = np.where(unready, UNREADY_GUESS, READY_GUESS)[:, bank.main_skill]
    right = np.where(
        holds_all,
        1 - parameters["slip"].to_numpy(),
        np.clip(parameters["guess"].to_numpy() * help_of, 0.05, 0.25),
    )
    steps = uniform < right[..., None]
    return np.where(bank.points == 2, steps.sum(axis=-1), steps[..., 0])


def _give(
    held: np.ndarray,
    window: int,
    roster: pd.DataFrame,
    own: pd.DataFrame,
    absent: np.ndarray,
    bank: Bank,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return which items each student was given and did not leave blank."""
    for_students, for_items = rng.spawn(2)
    uniform = for_students.random((len(held), 3))
    grade = roster["grade"].astype(int).to_numpy()
    start = _start_grade(held, grade, bank, uniform[:, 0])
    rank = _form_ranks(window, bank)[grade - min(GRADES), start - 1]
    given = rank < own["n_items"].fillna(FORM_ITEMS).to_numpy()[:, None]
    given &= for_items.random(given.shape) >= BLANK
    given &= (uniform[:, 1] >= absent)[:, None]
    reached = given.cumsum(axis=1) <= 2 / 3 * given.sum(axis=1, keepdims=True)
    return np.asarray(given & (reached | (uniform[:, 2] >= STOPS_EARLY)[:, None]))


def _start_grade(
    held: np.ndarray, grade: np.ndarray, bank: Bank, uniform: np.ndarray
) -> np.ndarray:
    """Return the lowest grade on each student's form: where the student stands, roughly."""
    grades = range(1, max(GRADES) + 1)
    share = np.column_stack([held[:, bank.grade == g].mean(axis=1) for g in grades])
    lacks = np.column_stack([share < HOLDS_A_GRADE, np.ones(len(held), bool)])
    start = 1 + lacks.argmax(axis=1)
    start += np.select([uniform < MISROUTED / 2, uniform < MISROUTED], [-1, 1], 0)
    # Every form holds the grade below, so that a classroom shares most of its skills.
    return np.asarray(np.clip(start, 1, grade - 1))


def _form_ranks(window: int, bank: Bank) -> np.ndarray:
    """Return each item's place on each form, shape (n_grades, n_starts, n_items).

    A form takes one item of each of its skills in turn, lowest grade first, and begins
    with another item in each window. Items off the form stand at infinity.
    """
    turn = np.empty(len(bank.item_ids))
    for k in range(len(bank.skill_ids)):
        of_skill = np.flatnonzero(bank.main_skill == k)
        turn[of_skill] = (np.arange(len(of_skill)) - window) % len(of_skill)
    order = np.lexsort([bank.main_skill, turn])
    item_grade = bank.grade[bank.main_skill]
    ranks = np.full((len(GRADES), max(GRADES), len(turn)), np.inf)
    for g, grade in enumerate(GRADES):
        for start in range(1, grade + 1):
            form = order[(start <= item_grade[order]) & (item_grade[order] <= grade)]
            ranks[g, start - 1, form] = np.arange(len(form))
    return ranks
