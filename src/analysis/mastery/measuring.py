"""What each student has shown, looked up in a calibration; a classroom takes milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from analysis.errors import DataError
from analysis.mastery.arrays import Floats, Truths
from analysis.mastery.calibration import Calibration
from analysis.mastery.gathering import first_classroom
from analysis.mastery.levels import LevelModel, weight_of_levels
from analysis.mastery.observations import Observations, read_observations
from analysis.readings import Draws, Levels
from analysis.tables import MASTERY, check_table

INTERVAL = 0.8
"""Share of belief inside ``low`` to ``high``."""
DRAWS_OF_ANYONE = 4_000
"""Draws of what anyone holds: the shares they give are known to .008."""

OTHER_EVIDENCE = 1.0
"""What the answers on other skills are worth for the width of the interval, in items."""
JEFFREYS = 0.5
"""Both halves of Jeffreys' prior: nothing seen is near-certain from one answer."""


@dataclass(frozen=True)
class Answers:
    """What students answered to the calibrated items, as the model reads it.

    ``shares``: shape (n_students, n_items), NaN: not answered; ``graded``: the same, with
    ratings by their place on the scale; ``classroom_ids``: of each student.
    """

    student_ids: list[str]
    shares: Floats
    graded: Floats
    classroom_ids: np.ndarray


def read_answers(evidence: pd.DataFrame, roster: pd.DataFrame, calibration: Calibration) -> Answers:
    """Return what the students on a roster answered; parameters as in :func:`measure_mastery`.

    Raises
    ------
    DataError
        The evidence has an observation the calibration does not know.
    """
    classrooms = first_classroom(roster)
    students = sorted(classrooms.index)
    own = evidence[evidence["student_id"].astype("str").isin(students)]
    seen = read_observations(own, calibration.window, scales=calibration.scales)
    _refuse_new_items(seen, calibration)
    shares, graded = np.full((2, len(students), len(calibration.items)), np.nan)
    place = {item: column for column, item in enumerate(calibration.items)}
    rows = pd.Index(students).get_indexer(seen.student_ids)
    cells = np.ix_(rows, [place[item] for item in seen.items])
    every = np.arange(len(seen.student_ids))
    shares[cells], graded[cells] = seen.answers_of(every), seen.graded_of(every)
    return Answers(students, shares, graded, classrooms.reindex(students).to_numpy())


def measure_mastery(
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    calibration: Calibration,
    *,
    answers: Answers | None = None,
) -> pd.DataFrame:
    """Return what each student on the roster has shown.

    Parameters
    ----------
    evidence
        A table of :data:`analysis.tables.EVIDENCE`; rows of other windows and students are
        left out.
    roster
        The students to measure, for instance of one classroom.
    calibration
        What :func:`analysis.mastery.calibrate` returned.
    answers
        Of :func:`read_answers`, where they are read already.

    Returns
    -------
    pandas.DataFrame
        A table of :data:`analysis.tables.MASTERY`, a row for every student and calibrated
        skill. ``mastery`` rests on all the student's evidence; where ``n_items`` is 0 it is
        inferred from other skills alone and its interval is wide. ``low`` to ``high`` is
        Jeffreys' 80 % interval of a share ``mastery`` seen in ``n_items`` (weighed by kind)
        plus one observations: it narrows with evidence. All are missing for a student
        without any evidence in the window.

    Raises
    ------
    DataError
        The evidence has an observation the calibration does not know.
    """
    answers = answers or read_answers(evidence, roster, calibration)
    students, seen, classrooms = answers.student_ids, answers.shares, answers.classroom_ids
    model, observed = calibration.model, ~np.isnan(seen)
    known = observed.any(axis=1, keepdims=True)
    mastery = model.transform(seen, classrooms)
    weight = np.asarray(model.item_weight, dtype=float)
    low, high = credible_interval(mastery, (observed * weight) @ model.q_matrix_)
    shares = {
        "mastery": mastery,
        "low": low,
        "high": high,
        "ready": model.ready(seen, classrooms),
    }
    n_skills = len(calibration.skill_ids)
    columns = {
        "student_id": np.repeat(np.array(students, dtype=object), n_skills),
        "skill_id": np.tile(np.array(calibration.skill_ids, dtype=object), len(students)),
        "window": calibration.window,
        **{name: np.where(known, share, np.nan).ravel() for name, share in shares.items()},
        "n_items": (observed.astype(int) @ model.q_matrix_).ravel(),
    }
    return check_table(pd.DataFrame(columns), MASTERY, "the mastery table")


def draw_profiles(
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    calibration: Calibration,
    n_draws: int = 200,
    random_state: int = 0,
    *,
    answers: Answers | None = None,
) -> Draws:
    """Draw whole profiles from each student's joint posterior; see :func:`measure_mastery`.

    A student without evidence is drawn from what is usual.
    """
    seen = answers or read_answers(evidence, roster, calibration)
    model = calibration.model
    draws = model.sample_profiles(seen.shares, n_draws, random_state, seen.classroom_ids)
    return Draws(draws, seen.student_ids, list(calibration.skill_ids))


def read_levels(
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    calibration: Calibration,
    n_draws: int = 200,
    random_state: int = 0,
    *,
    answers: Answers | None = None,
) -> Levels:
    """Read the evidence a second way: how far above the cut; see :func:`measure_mastery`."""
    seen = answers or read_answers(evidence, roster, calibration)
    q = calibration.levels.q
    items = np.flatnonzero(~np.isnan(seen.graded).all(axis=0))
    asked = np.flatnonzero(q[items].any(axis=0))
    # Skills nobody here was asked would cost time and say nothing.
    model, own = calibration.levels.of(items, asked), seen.graded[:, items]
    held, expected = np.full((2, len(own), q.shape[1]), np.nan)
    draws: Truths = np.zeros((n_draws, *held.shape), dtype=np.bool_)
    held[:, asked], draws[:, :, asked], expected[:, asked] = model.read(
        own, seen.classroom_ids, n_draws=n_draws, random_state=random_state
    )
    anyone = np.zeros((DRAWS_OF_ANYONE, q.shape[1]), dtype=np.bool_)
    anyone[:, asked] = model.draw_anyone(n_draws=DRAWS_OF_ANYONE, random_state=random_state)
    mean = np.full(q.shape[1], np.nan)
    mean[asked] = model.mean
    return Levels(
        held,
        draws,
        expected,
        weight=weight_of_levels(own),
        usual=_usual_with_own(model, own),
        q=q[items],
        anyone=anyone,
        mean=mean,
        student_ids=seen.student_ids,
        skill_ids=list(calibration.skill_ids),
    )


def _usual_with_own(model: LevelModel, own: Floats) -> Floats:
    """Return what is earned on each item, of everybody and of those here, by answers."""
    n_here = (~np.isnan(own)).sum(axis=0)
    everybodys = model.n_answers * np.where(model.n_answers > 0, model.usual, 0)
    usual: Floats = (everybodys + np.nansum(own, axis=0)) / (model.n_answers + n_here)
    return usual


def credible_interval(mastery: Floats, n_items: Floats) -> tuple[Floats, Floats]:
    """Return ``low`` and ``high`` around a probability that rests on ``n_items``.

    Examples
    --------
    >>> low, high = credible_interval(np.array([0.5, 0.5]), np.array([0, 6]))
    >>> (high - low).round(2)
    array([0.8 , 0.44])
    """
    n = n_items + OTHER_EVIDENCE
    tail = (1 - INTERVAL) / 2
    shape = mastery * n + JEFFREYS, (1 - mastery) * n + JEFFREYS
    low, high = betaincinv(*shape, tail), betaincinv(*shape, 1 - tail)
    # Near 0 and 1 Jeffreys' interval leaves the share itself outside.
    return np.minimum(low, mastery), np.maximum(high, mastery)


def _refuse_new_items(seen: Observations, calibration: Calibration) -> None:
    new = sorted(set(seen.items) - set(calibration.items))
    if new:
        raise DataError.of_faults(
            f"the evidence of window {calibration.window!r} has observations that the "
            "calibration does not know",
            [f"{observation} of {source}" for source, observation in new],
            "Calibrate again.",
        )
