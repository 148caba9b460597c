"""An order of a class that depends on its content alone, and rules named in it."""

from __future__ import annotations

import numpy as np

from analysis.grouping.rules import Rule


def canonical_order(mastery: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an order of rows and columns that depends on their content alone.

    Where several groupings are equally good, the solver takes the first in its own order;
    in this order the same class gives the same groups however its table was sorted.
    """
    both = np.round(np.nan_to_num(np.hstack([mastery, value]), nan=-1.0), 12)
    n_skills = mastery.shape[1]
    contents = np.sort(both, axis=0)
    columns = np.lexsort([*contents[:, :n_skills], *contents[:, n_skills:]])
    both = both[:, np.r_[columns, columns + n_skills]]
    return np.lexsort(both.T[::-1]), columns


def moved(rule: Rule, to_row: np.ndarray, to_column: np.ndarray) -> Rule:
    """Return a rule whose students and skill are named by their places in that order."""
    students = tuple(int(to_row[student]) for student in rule.students)
    skill = None if rule.skill is None else int(to_column[rule.skill])
    return Rule(rule.kind, students, skill, rule.number)
