"""SkillNeedGroups: the best possible groups of students who need the same next skill."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import validate_data

from analysis.errors import UnknownError, UsageError
from analysis.grouping.conflicts import conflict_error, smallest_conflict
from analysis.grouping.locks import Locks, read_locks
from analysis.grouping.ordering import canonical_order, moved
from analysis.grouping.program import Program, Solution
from analysis.grouping.rules import Kind, Layout, Rule, read_layout
from analysis.grouping.solving import solve_and_seat
from analysis.grouping.value import fill_unknown, read_prerequisites, value_of_teaching

MOST_GROUPS = 6
"""Groups one teacher can run in a week, where the class is not too large for so few."""


class SkillNeedGroups(ClusterMixin, BaseEstimator):
    """Groups by next skill: the most students on target, under a teacher's rules, proven.

    Teaching student i skill k is worth P(lacks k) x P(ready for k). Which skills are taught
    in how many groups, and who sits in which, is chosen to maximise the total, within group
    sizes and the other rules, by a mixed-integer program solved to proof. Groups that share
    a focus are seated so that those with like needs sit together.

    Parameters
    ----------
    n_groups
        Number of groups; ``None``: as many as pay, see ``group_gain``.
    min_size, max_size
        Fewest and most students in a group.
    prerequisites
        ``None``, pairs (prerequisite, skill), a mapping skill -> prerequisites, or a boolean
        matrix with ``[j, k]`` true where skill j comes before k; skills by column name or
        position.
    wishes
        Pairs of students (row positions) who would like to sit together. They bind nobody.
    wish_worth
        What it is worth, in students on target, that such a pair shares a focus.
    together, apart
        Sets of students (row positions) who must sit in one group, or in different ones.
    random_state
        Accepted as everywhere in scikit-learn; the method draws no random number.
    fixed
        Row position -> skill: the focus that the teacher has chosen for a student.
    locked
        Pairs of a skill and row positions: groups that stand as they are. Nobody joins or
        leaves them, sizes do not bind them, and the others are grouped around them.
    focus_wanted, focus_excluded
        Skills that must, or must not, be the focus of a group.
    absent
        Row positions of students to leave out.
    min_fit
        Least value of teaching for which a student may join a focus (0 to 1). With 0 every
        student with evidence is placed, as far as sizes allow.
    least_share
        Least expected share on target among the students of a focus (0 to 1): a group of
        those who are left over is not opened. A focus the teacher has named is exempt.
    group_gain
        Where ``n_groups`` is open: a further group is opened only if it puts at least this
        many more students on target, in expectation.
    loyalty
        What it is worth, in students on target, that one student stays with most of the
        former group (``former_groups`` of :meth:`fit`).
    time_limit
        Seconds for the proof; then the best found is returned with its ``gap_``. ``None``:
        a number of steps, so that a busy machine finds the same groups as an idle one.

    Attributes
    ----------
    labels_ : numpy.ndarray of int, shape (n_students,)
        Group of each student, 0, 1, … by size (largest first), then by focus; -1 for a
        student in no group.
    focus_ : numpy.ndarray of int, shape (n_groups,)
        Position of each group's focus skill.
    value_ : numpy.ndarray, shape (n_students, n_skills)
        Value of teaching: P(lacks and is ready), missing where nothing is known.
    objective_ : float
        Expected number of students who lack their focus and are ready for it.
    gap_ : float
        Proven distance from the optimum, as a share of it: 0 means proven best.
    status_ : str
        ``"optimal"`` or ``"time_limit"``, also where the limit was one of steps.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    Three students lack the first skill; three hold it and lack the second.

    >>> mastery = [[.1, .1], [.2, .1], [.1, .2], [.9, .1], [.9, .2], [.8, .1]]
    >>> groups = SkillNeedGroups(prerequisites=[(0, 1)]).fit(mastery)
    >>> groups.labels_
    array([0, 0, 0, 1, 1, 1])
    >>> groups.focus_, groups.status_
    (array([0, 1]), 'optimal')
    """

    def __init__(
        self,
        n_groups: int | None = None,
        min_size: int = 3,
        max_size: int = 6,
        prerequisites: Any = None,
        together: Sequence[Sequence[int]] = (),
        apart: Sequence[Sequence[int]] = (),
        random_state: int = 0,
        *,
        fixed: Mapping[int, Any] | None = None,
        locked: Sequence[tuple[Any, Sequence[int]]] = (),
        focus_wanted: Iterable[Any] = (),
        focus_excluded: Iterable[Any] = (),
        absent: Iterable[int] = (),
        min_fit: float = 0.0,
        least_share: float = 0.0,
        group_gain: float = 0.25,
        loyalty: float = 0.1,
        time_limit: float | None = 20.0,
        wishes: Sequence[Sequence[int]] = (),
        wish_worth: float = 0.05,
    ):
        self.n_groups = n_groups
        self.min_size = min_size
        self.max_size = max_size
        self.prerequisites = prerequisites
        self.together = together
        self.apart = apart
        self.random_state = random_state
        self.fixed = fixed
        self.locked = locked
        self.focus_wanted = focus_wanted
        self.focus_excluded = focus_excluded
        self.absent = absent
        self.min_fit = min_fit
        self.least_share = least_share
        self.group_gain = group_gain
        self.loyalty = loyalty
        self.time_limit = time_limit
        self.wishes = wishes
        self.wish_worth = wish_worth

    def fit(
        self,
        X: Any,
        y: object = None,
        *,
        ready: np.ndarray | None = None,
        draws: np.ndarray | None = None,
        value: np.ndarray | None = None,
        former_groups: Sequence[int] | np.ndarray | None = None,
        student_ids: Iterable[Any] | None = None,
    ) -> Self:
        """Form the groups.

        Parameters
        ----------
        X
            Mastery: probabilities that each student has each skill, shape (n_students,
            n_skills), 0 to 1, missing where not known.
        y
            Ignored.
        ready
            Probability that all prerequisites are held, same shape; default: their product.
        draws
            Skills held in each posterior draw, bool, shape (n_draws, n_students, n_skills);
            better than ``ready``, because it knows how skills hang together.
        value
            Value of teaching, same shape, where it is known better than from all of these.
        former_groups
            Group of each student before, -1 for none.
        student_ids
            Names of the students for messages; default: their row positions.

        Returns
        -------
        SkillNeedGroups
            Itself.

        Raises
        ------
        UsageError
            The rules cannot all be followed; the smallest set in conflict is named.
        UnknownError
            A rule names a student or skill that is not there.
        """
        mastery = _as_probabilities(
            validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        )
        names = list(getattr(self, "feature_names_in_", range(mastery.shape[1])))
        before = read_prerequisites(self.prerequisites, names)
        if value is None:
            value = value_of_teaching(mastery, before, ready=ready, draws=draws)
        order = canonical_order(mastery, value)
        self._students = list(range(len(mastery)) if student_ids is None else student_ids)
        self._solve(mastery, value, order, names, former_groups)
        self.value_ = value
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _solve(
        self,
        mastery: np.ndarray,
        value: np.ndarray,
        order: tuple[np.ndarray, np.ndarray],
        names: Sequence[Any],
        former_groups: Sequence[int] | np.ndarray | None,
    ) -> None:
        """Solve on rows and columns in canonical order and put the answer back."""
        rows, columns = order
        to_row, to_column = np.argsort(rows), np.argsort(columns)
        n_students = len(rows)
        locks = self._locks(names, n_students)
        rules = self._rules(names, n_students, np.isnan(mastery).all(axis=1), locks)
        rules = [moved(rule, to_row, to_column) for rule in rules]
        worth = value[np.ix_(rows, columns)]
        needs = 1 - fill_unknown(mastery)[np.ix_(rows, columns)]
        free = np.setdiff1d(self._present(n_students), locks.students)
        open_worth = np.where(np.isin(rows, free)[:, None], worth, np.nan)
        former = None if former_groups is None else np.asarray(former_groups)[rows]
        students, skills = [self._students[row] for row in rows], [names[c] for c in columns]
        found, seated = self._seat(open_worth, needs, rules, former, students, skills)
        found, seated = locks.moved(to_row, to_column).add_to(found, seated)
        self._keep(found, seated, worth, (to_row, columns))

    def _seat(
        self,
        worth: np.ndarray,
        needs: np.ndarray,
        rules: list[Rule],
        former: np.ndarray | None,
        students: Sequence[Any],
        skills: Sequence[Any],
    ) -> tuple[Solution, np.ndarray]:
        layout = read_layout(rules, len(worth))
        program = self._program(worth, layout, former)
        found, seated = solve_and_seat(program, needs, time_limit=self.time_limit)
        if found is None or seated is None:
            conflict = smallest_conflict(rules, lambda kept: self._feasible(worth, needs, kept))
            raise conflict_error(conflict, students, skills)
        return found, seated

    def _feasible(self, worth: np.ndarray, needs: np.ndarray, rules: Sequence[Rule]) -> bool:
        program = self._program(worth, read_layout(rules, len(worth)), None)
        return solve_and_seat(program, needs, gap=np.inf)[0] is not None

    def _program(self, worth: np.ndarray, layout: Layout, former: np.ndarray | None) -> Program:
        return Program(
            worth,
            layout,
            most_groups=self._most_groups(len(worth)),
            group_gain=0.0 if layout.n_groups else self.group_gain,
            former=former,
            loyalty=self.loyalty,
        )

    def _most_groups(self, n_students: int) -> int:
        most: int = max(MOST_GROUPS, -(-2 * n_students // (self.min_size + self.max_size)))
        return max(0, most - len(self.locked))

    def _locks(self, names: Sequence[Any], n_students: int) -> Locks:
        skill, student = _finder("skill", names), _finder("student", range(n_students))
        named = [(skill(focus), [student(one) for one in ids]) for focus, ids in self.locked]
        return read_locks(
            named,
            present=self._present(n_students),
            together=self.together,
            apart=self.apart,
            n_groups=self.n_groups,
            students=self._students,
        )

    def _rules(
        self, names: Sequence[Any], n_students: int, without_evidence: np.ndarray, locks: Locks
    ) -> list[Rule]:
        self._refuse_impossible_numbers()
        skill, student = _finder("skill", names), _finder("student", range(n_students))
        present = {*self._present(n_students).tolist()} - {*locks.students}
        n_placeable = sum(not without_evidence[i] for i in present)
        rules = [
            Rule(Kind.MAX_SIZE, number=self.max_size),
            # A class smaller than the smallest group is one group.
            Rule(Kind.MIN_SIZE, number=min(self.min_size, max(n_placeable, 1))),
            Rule(Kind.MIN_FIT, number=self.min_fit),
            Rule(Kind.LEAST_SHARE, number=self.least_share),
        ]
        if self.n_groups is not None:
            rules.append(Rule(Kind.N_GROUPS, number=self.n_groups - len(locks.groups)))
        for kind, sets in ((Kind.TOGETHER, self.together), (Kind.APART, self.apart)):
            for named in sets:
                kept = tuple(i for i in map(student, named) if i in present)
                rules += [Rule(kind, students=kept)] if len(kept) > 1 else []
        for pair in self.wishes:
            kept = tuple(i for i in map(student, pair) if i in present)
            if len(kept) == 2:
                rules.append(Rule(Kind.WISH, students=kept, number=self.wish_worth))
        for one, focus in dict(self.fixed or {}).items():
            if student(one) in present:
                rules.append(Rule(Kind.FIXED, students=(student(one),), skill=skill(focus)))
        wanted = {skill(focus) for focus in self.focus_wanted} - {*locks.skills}
        rules += [Rule(Kind.WANTED, skill=focus) for focus in sorted(wanted)]
        return rules + [Rule(Kind.EXCLUDED, skill=skill(focus)) for focus in self.focus_excluded]

    def _refuse_impossible_numbers(self) -> None:
        if not 1 <= self.min_size <= self.max_size:
            raise UsageError(
                f"Group sizes {self.min_size} to {self.max_size} cannot be: "
                "min_size must be at least 1 and at most max_size."
            )
        if self.n_groups is not None and self.n_groups < 1:
            raise UsageError(f"n_groups = {self.n_groups} cannot be: ask for at least 1 group.")

    def _present(self, n_students: int) -> np.ndarray:
        return np.setdiff1d(np.arange(n_students), np.asarray(list(self.absent), dtype=int))

    def _keep(
        self,
        found: Solution,
        seated: np.ndarray,
        worth: np.ndarray,
        order: tuple[np.ndarray, np.ndarray],
    ) -> None:
        """Keep the answer: groups numbered by size, then focus; students in the order given."""
        to_row, columns = order
        groups = [
            (-(seated == group).sum(), int(columns[found.focus_of[seated == group][0]]), group)
            for group in range(seated.max(initial=-1) + 1)
        ]
        number = {group: place for place, (_, _, group) in enumerate(sorted(groups))}
        labels = np.array([number.get(int(group), -1) for group in seated], dtype=int)
        self.labels_ = labels[to_row]
        self.focus_ = np.array([focus for _, focus, _ in sorted(groups)], dtype=int)
        placed = seated >= 0
        taught = np.nan_to_num(worth[np.flatnonzero(placed), found.focus_of[placed]])
        self.objective_ = float(taught.sum())
        self.gap_ = found.gap
        self.status_ = "optimal" if found.optimal else "time_limit"


def _as_probabilities(mastery: np.ndarray) -> np.ndarray:
    if np.nanmin(mastery, initial=0) < 0 or np.nanmax(mastery, initial=1) > 1:
        warnings.warn(
            "mastery holds numbers outside 0 to 1 and was clipped; are these percentages?",
            stacklevel=3,
        )
    return np.asarray(np.clip(mastery, 0, 1))


def _finder(kind: str, names: Iterable[Any]) -> Callable[[Any], int]:
    """Return a function from a name, or a position, to the position."""
    names = list(names)
    known: Mapping[Any, int] = {name: place for place, name in enumerate(names)}

    def find(name: Any) -> int:
        if name in known:
            return known[name]
        if isinstance(name, (int, np.integer)) and 0 <= name < len(names):
            return int(name)
        where = "the mastery table"
        raise UnknownError.of(kind, str(name), [str(other) for other in names], where)

    return find


__all__ = ["MOST_GROUPS", "SkillNeedGroups"]
