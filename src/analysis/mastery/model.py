"""MasteryModel: what each student has shown, as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from analysis.errors import DataError
from analysis.mastery.ability import fit_ability
from analysis.mastery.arrays import Floats, Integers, Truths
from analysis.mastery.blend import skill_share
from analysis.mastery.factor import find_means
from analysis.mastery.higher_order import HigherOrderModel, HigherOrderPosterior, fit_higher_order
from analysis.mastery.profile import ProfileModel, ProfilePosterior, fit_profiles
from analysis.mastery.responses import Block, Responses, as_rows, distinct_rows
from analysis.mastery.spread import Spread
from analysis.mastery.structure import Prerequisites, list_profiles, read_prerequisites

SkillModel = ProfileModel | HigherOrderModel
Posterior = ProfilePosterior | HigherOrderPosterior
Values = TypeVar("Values", Floats, Truths)


class MasteryModel(TransformerMixin, BaseEstimator):
    """Estimate which skills each student holds from few answers.

    Every skill is held or not. Where the permissible profiles can be listed (at most 256:
    8 skills, or more where prerequisites forbid most profiles) the exact profile model is
    used, otherwise the higher-order model one skill at a time. In both, one ability ties
    the skills together, prerequisites are respected, and items are shrunken towards what
    all items share, so a classroom of 20 is enough to fit.

    Parameters
    ----------
    q_matrix
        Which item asks for which skill: 0/1, shape (n_items, n_skills); a DataFrame names
        items and skills. ``None``: one skill an item column.
    prerequisites
        ``None``; pairs (prerequisite, skill); a boolean matrix, true at ``[j, k]`` where j
        must come before k; or a mapping from a skill to its prerequisites. Skills by column
        number, or by name where ``q_matrix`` is a DataFrame.
    random_state
        Seed of :meth:`sample_profiles` where that is given none. Fitting draws nothing.
    item_weight
        Weight of each item's evidence, shape (n_items,), above 0; ``None``: 1 each.
    max_iter
        Most EM steps.
    tol
        EM stops when no item's probability changes by more.

    Attributes
    ----------
    q_matrix_ : numpy.ndarray of int, shape (n_items, n_skills)
    prerequisites_ : numpy.ndarray of bool, shape (n_skills, n_skills)
    skill_names_ : list
        Column names of ``q_matrix``, or numbers.
    skill_model_ : ProfileModel or HigherOrderModel
        The fitted parameters.
    ability_model_ : AbilityModel
        One ability and no skills, the other half of :meth:`predict_responses`.
    skill_share_ : float
        Share of the skill model in predictions of answers, 0 to 1.
    n_iter_ : int
        EM steps taken for the skill model.
    n_features_in_ : int
        Items.

    Examples
    --------
    >>> answers = [[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]] * 5
    >>> model = MasteryModel([[1, 0], [1, 0], [0, 1], [0, 1]]).fit(answers)
    >>> model.predict_profiles([[1, 1, np.nan, 0], [0, 0, 0, 0]]).astype(int)
    array([[1, 0],
           [0, 0]])
    """

    skill_model_: SkillModel
    skill_names_: list[Hashable]

    def __init__(
        self,
        q_matrix: ArrayLike | pd.DataFrame | None = None,
        prerequisites: Prerequisites | None = None,
        random_state: int | np.random.RandomState | None = 0,
        *,
        item_weight: ArrayLike | None = None,
        max_iter: int = 300,
        tol: float = 1e-4,
    ) -> None:
        self.q_matrix = q_matrix
        self.prerequisites = prerequisites
        self.random_state = random_state
        self.item_weight = item_weight
        self.max_iter = max_iter
        self.tol = tol

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, classrooms: ArrayLike | None = None
    ) -> MasteryModel:
        """Learn how items and skills behave from everybody's answers.

        Parameters
        ----------
        X
            Share of points, 0 to 1, shape (n_students, n_items); NaN: not answered. Values
            outside count as 0 or 1, with a warning.
        y
            Another name for ``classrooms``: scikit-learn's for the second argument.
        classrooms
            Label of each student's classroom, shape (n_students,). Classrooms differ in
            mean ability, shrunken. ``None``: all from one.

        Returns
        -------
        MasteryModel

        Raises
        ------
        DataError
            An item asks for no skill, a skill has no item, or
            prerequisites go in a circle.
        """
        answers = self._read_answers(X, reset=True)
        self._read_skills(answers.shape[1])
        weight = self._read_weights(answers.shape[1])
        labels, n_classrooms = _number_classrooms(
            y if classrooms is None else classrooms, len(answers)
        )
        return self._fit_rows(distinct_rows(answers, labels, n_classrooms, weight))

    def fit_spread(self, rows: Spread) -> MasteryModel:
        """Learn from rows that lie in several places; as :meth:`fit` on all of them.

        Where they are more than 20,000 different ones, or places had different items, sums
        come in another order than in :meth:`fit`, and probabilities differ by less than 1e-9.
        """
        self.n_features_in_ = rows.n_items
        self._read_skills(rows.n_items)
        return self._fit_rows(rows)

    def _fit_rows(self, rows: Responses | Spread) -> MasteryModel:
        profiles = list_profiles(self.prerequisites_)
        known = rows, self.q_matrix_, self.prerequisites_
        fitted: tuple[SkillModel, Floats, int]
        if profiles is None:
            fitted = fit_higher_order(*known, self.max_iter, self.tol)
        else:
            fitted = fit_profiles(*known, profiles, self.max_iter, self.tol)
        self.skill_model_, means, self.n_iter_ = fitted
        self.ability_model_, ability_means = fit_ability(rows)
        self.skill_share_ = skill_share(
            rows, (self.skill_model_, means), (self.ability_model_, ability_means)
        )
        self._n_features_out = self.q_matrix_.shape[1]
        return self

    def transform(self, X: ArrayLike, classrooms: ArrayLike | None = None) -> Floats:
        """Return the probability that each student holds each skill.

        Parameters
        ----------
        X
            As for :meth:`fit`; a row without any answer gets what is usual.
        classrooms
            Labels, shape (n_students,). Their means are estimated from ``X`` itself, so
            they need not be those of :meth:`fit`. ``None``: the mean of all.

        Returns
        -------
        numpy.ndarray, shape (n_students, n_skills)
            0 to 1.
        """
        return self._stack(X, classrooms, lambda seen: seen.mastery())

    def predict_profiles(self, X: ArrayLike, classrooms: ArrayLike | None = None) -> Truths:
        """Return the most probable profile of each student, as a whole.

        Returns
        -------
        numpy.ndarray of bool, shape (n_students, n_skills)
            With more profiles than can be listed: each skill by itself.
        """
        return self._stack(X, classrooms, lambda seen: seen.most_probable())

    def ready(self, X: ArrayLike, classrooms: ArrayLike | None = None) -> Floats:
        """Return the probability that all direct prerequisites of each skill are held.

        Returns
        -------
        numpy.ndarray, shape (n_students, n_skills)
            1 where a skill has no prerequisites.
        """
        return self._stack(X, classrooms, lambda seen: seen.ready())

    def sample_profiles(
        self,
        X: ArrayLike,
        n_draws: int = 200,
        random_state: int | np.random.RandomState | None = None,
        classrooms: ArrayLike | None = None,
    ) -> Truths:
        """Draw profiles from each student's joint posterior.

        Returns
        -------
        numpy.ndarray of bool, shape (n_draws, n_students, n_skills)
        """
        rng = check_random_state(self.random_state if random_state is None else random_state)
        generator = np.random.default_rng(rng.randint(2**31))
        looks = list(self._look(X, classrooms))
        draws = [[seen.draw(generator) for _, seen in looks] for _ in range(n_draws)]
        if not draws:
            return np.zeros((0, sum(len(p.answers) for p, _ in looks), self._n_features_out), bool)
        return np.stack([np.concatenate(parts) for parts in draws])

    def predict_responses(self, X: ArrayLike, classrooms: ArrayLike | None = None) -> Floats:
        """Return the probability of a right answer to every item.

        A blend of the skill model and one ability, in the share that best predicts each
        answer of the fitted students from their other answers. For an item a student
        answered, the prediction rests on that answer too.

        Returns
        -------
        numpy.ndarray, shape (n_students, n_items)
        """
        by_skill = self._stack(X, classrooms, lambda seen: seen.success())
        by_ability = self.predict_by_ability(X, classrooms)
        return self.skill_share_ * by_skill + (1 - self.skill_share_) * by_ability

    def predict_by_ability(self, X: ArrayLike, classrooms: ArrayLike | None = None) -> Floats:
        """Return the probability of a right answer by one ability, without any skills.

        Returns
        -------
        numpy.ndarray, shape (n_students, n_items)
        """
        rows = self._rows(X, classrooms)
        means = find_means(self.ability_model_, rows)
        parts = [self.ability_model_.look(part, means).success() for part in rows.chunks()]
        return np.concatenate(parts)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the skills' names."""
        check_is_fitted(self)
        return np.asarray([str(name) for name in self.skill_names_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.non_deterministic = False
        return tags

    def _stack(
        self, X: ArrayLike, classrooms: ArrayLike | None, what: Callable[[Posterior], Values]
    ) -> Values:
        return np.concatenate([what(seen) for _, seen in self._look(X, classrooms)])

    def _look(
        self, X: ArrayLike, classrooms: ArrayLike | None
    ) -> Iterator[tuple[Block, Posterior]]:
        rows = self._rows(X, classrooms)
        means = find_means(self.skill_model_, rows)
        for part in rows.chunks():
            yield part, self.skill_model_.look(part, means)

    def _rows(self, X: ArrayLike, classrooms: ArrayLike | None) -> Block:
        check_is_fitted(self)
        answers = self._read_answers(X, reset=False)
        labels, n_classrooms = _number_classrooms(classrooms, len(answers))
        return as_rows(answers, labels, n_classrooms, self._read_weights(answers.shape[1]))

    def _read_answers(self, X: ArrayLike, *, reset: bool) -> Floats:
        answers: Floats = validate_data(
            self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan"
        )
        outside = (answers < 0) | (answers > 1)
        if outside.any():
            row, item = np.argwhere(outside)[0]
            warnings.warn(
                f"X, row {row + 1}, item {item + 1}: {answers[row, item]:g} is outside 0..1 and "
                "counts as the nearer of the two. Divide points by points possible.",
                stacklevel=4,
            )
        return np.clip(answers, 0.0, 1.0)

    def _read_skills(self, n_items: int) -> None:
        q = np.eye(n_items, dtype=int) if self.q_matrix is None else self.q_matrix
        if isinstance(q, pd.DataFrame):
            names = getattr(self, "feature_names_in_", None)
            if names is not None and set(names) == set(q.index):
                q = q.loc[list(names)]
            self.skill_names_ = list(q.columns)
        else:
            self.skill_names_ = list(range(np.shape(q)[1]))
        self.q_matrix_ = _check_q(np.asarray(q), n_items, self.skill_names_)
        self.prerequisites_ = read_prerequisites(self.prerequisites, self.skill_names_)

    def _read_weights(self, n_items: int) -> Floats:
        if self.item_weight is None:
            return np.ones(n_items)
        weight = np.asarray(self.item_weight, dtype=float)
        if weight.shape != (n_items,) or not (weight > 0).all() or not np.isfinite(weight).all():
            raise DataError(
                f"item_weight must be {n_items} numbers above 0, one an item.\n"
                "Leave out an item whose evidence shall not count."
            )
        return weight


def _check_q(q: np.ndarray, n_items: int, skill_names: list[Hashable]) -> Integers:
    if q.ndim != 2 or len(q) != n_items:
        raise DataError(
            f"the Q-matrix has shape {q.shape}, the answers have {n_items} items.\n"
            "Give one row an item, one column a skill."
        )
    faults = [f"item {item + 1} asks for no skill" for item in np.flatnonzero(~q.any(axis=1))]
    faults += [f"skill {skill_names[k]} has no item" for k in np.flatnonzero(~q.any(axis=0))]
    if not np.isin(q, (0, 1)).all():
        faults.append("there are values other than 0 and 1")
    if faults:
        raise DataError.of_faults("the Q-matrix", faults, "Leave these out or map them.")
    return q.astype(int)


def _number_classrooms(classrooms: ArrayLike | None, n_students: int) -> tuple[Integers, int]:
    if classrooms is None:
        return np.zeros(n_students, dtype=int), 1
    labels = np.asarray(classrooms)
    if labels.shape != (n_students,):
        raise DataError(
            f"classrooms has shape {labels.shape}, the answers have {n_students} students.\n"
            "Give one label a student."
        )
    names, numbers = np.unique(labels, return_inverse=True)
    return numbers, len(names)
