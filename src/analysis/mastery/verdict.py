"""Whether the data support groups by skill, or one ability says as much."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from analysis.mastery.arrays import Floats, Integers
from analysis.mastery.gathering import NO_CLASSROOM
from analysis.mastery.model import MasteryModel

N_FOLDS = 5
MOST_STUDENTS = 2_000
"""Students who stand for all: their answers are hidden in turn, and levels are learnt from
them. The figures' standard error is then small against any difference that matters, and a
district takes seconds."""
OF_A_CLASSROOM = 10
"""Students taken of one classroom before others are asked: enough to say how classrooms
differ, where of few out of very many hardly two would sit together."""
SURE = 2.0
"""Standard errors by which skills must be better."""
SMALLEST_GAIN = 0.002
"""Log-loss a hidden answer by which skills must be better: with thousands of students a
gain can be certain and still too small to group anyone by."""


@dataclass(frozen=True)
class Verdict:
    """Whether skills predict hidden answers better than one ability; truth value: they do.

    Attributes
    ----------
    supports
        The mean log-loss falls by more than two standard errors, and by more than 0.002,
        when skills are known.
    skills_log_loss, ability_log_loss
        Mean -log P(hidden answer), lower is better; missing (None) without two answers a
        student to hide one of.
    gain, standard_error
        Difference ``ability - skills`` a hidden answer, and its standard error over students.
    n_hidden
        Answers that were hidden in turn and predicted from the rest.
    """

    supports: bool
    skills_log_loss: float | None
    ability_log_loss: float | None
    gain: float | None
    standard_error: float | None
    n_hidden: int

    def __bool__(self) -> bool:
        return self.supports

    def to_dict(self) -> dict[str, Any]:
        """Return the figures under their names."""
        return asdict(self)


def judge_skills(
    model: MasteryModel,
    answers: Floats,
    classrooms: ArrayLike | None = None,
    random_state: int = 0,
) -> Verdict:
    """Hide every answer once, in five folds, and compare two predictions of it.

    Parameters
    ----------
    model
        An unfitted :class:`MasteryModel`.
    answers
        Shape (n_students, n_items), 0 to 1, NaN: not answered.
    classrooms
        Labels of the students' classrooms, or None.
    random_state
        Seed of the folds and, above 2,000 students, of the sample.

    Returns
    -------
    Verdict
    """
    rng = np.random.default_rng(random_state)
    rooms = np.full(len(answers), NO_CLASSROOM) if classrooms is None else np.asarray(classrooms)
    chosen = choose_students(rooms, rng)
    classrooms = None if classrooms is None else rooms[chosen]
    return judge_chosen(model, answers[chosen], classrooms, rng)


def choose_students(classrooms: np.ndarray, rng: np.random.Generator) -> Integers:
    """Return the places of the students who stand for all, in order.

    Some of each of many classrooms, both at random; who sits in none is drawn alone.
    """
    n = len(classrooms)
    if n <= MOST_STUDENTS:
        return np.arange(n)
    names, of_student = np.unique(classrooms.astype(str), return_inverse=True)
    turn = rng.random(len(names))[of_student]
    alone = (names == NO_CLASSROOM)[of_student]
    turn[alone] = rng.random(alone.sum())
    order = np.lexsort((rng.random(n), turn))
    begins = np.flatnonzero(np.diff(turn[order], prepend=-1))
    n_before = np.arange(n) - np.repeat(begins, np.diff(begins, append=n))
    chosen = order[np.argsort(n_before >= OF_A_CLASSROOM, kind="stable")][:MOST_STUDENTS]
    return np.sort(chosen)


def judge_chosen(
    model: MasteryModel,
    answers: Floats,
    classrooms: ArrayLike | None,
    rng: np.random.Generator,
) -> Verdict:
    """Judge by the answers of :func:`choose_students`, with the same generator."""
    folds = rng.integers(N_FOLDS, size=answers.shape)
    losses = np.full((2, *answers.shape), np.nan)
    for fold in range(N_FOLDS):
        hidden = (folds == fold) & ~np.isnan(answers)
        shown = np.where(hidden, np.nan, answers)
        fitted = clone(model).fit(shown, classrooms)
        for loss, predicted in zip(
            losses,
            (
                fitted.predict_responses(shown, classrooms),
                fitted.predict_by_ability(shown, classrooms),
            ),
            strict=True,
        ):
            loss[hidden] = log_loss(answers[hidden], predicted[hidden])
    return _compare(*losses)


def log_loss(answer: Floats, predicted: Floats) -> Floats:
    """Return -log P(answer); partial credit weighs both answers."""
    right = np.clip(predicted, 1e-6, 1 - 1e-6)
    loss: Floats = -(answer * np.log(right) + (1 - answer) * np.log1p(-right))
    return loss


def _compare(skills: Floats, ability: Floats) -> Verdict:
    hidden = ~np.isnan(skills)
    n_hidden = int(hidden.sum())
    if n_hidden < 2 or (hidden.sum(axis=1) > 0).sum() < 2:
        return Verdict(False, None, None, None, None, n_hidden)
    by_student = np.where(hidden, ability - skills, 0.0).sum(axis=1)[hidden.any(axis=1)]
    gain = by_student.sum() / n_hidden
    error = by_student.std(ddof=1) * np.sqrt(len(by_student)) / n_hidden
    return Verdict(
        bool(gain > max(SURE * error, SMALLEST_GAIN)),
        float(skills[hidden].mean()),
        float(ability[hidden].mean()),
        float(gain),
        float(error),
        n_hidden,
    )
