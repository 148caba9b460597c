"""One student on one skill in two windows: how likely it is that something changed.

Each window's evidence says how likely the skill is held then. What is held stays held far
more often than two windows looked at apart would suggest: a wrong answer before and a right
one after is also what one slip looks like. So the four courses (held, gained, lost, not held)
are weighed by how often they happen: the transition idea of knowledge tracing (Corbett &
Anderson 1995, doi:10.1007/BF01099821), between windows and with weights that never change
with the classroom, so that its growth is not explained away.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

GAIN_WEIGHT = 0.3
"""How often a skill is gained, as a share of what two windows looked at apart would say.
Measured on simulated districts: 0.45 fits best, the smaller number keeps the gains that are
said true in 95 of 100 also between the windows in which students gain least."""

LOSS_WEIGHT = 0.04
"""The same for losing a skill. Students forget, but most apparent losses are slips."""

GAINED_FROM = 0.9
"""Probability from which a gain is said."""

SLIPPED_FROM = 0.5
"""Probability from which we say: look again. A question to the teacher, not a finding, so
more likely than not is enough."""

CERTAIN = 1e-3
"""No window is surer than this: answers can be copied, and entered wrongly."""

KEY = ["student_id", "skill_id"]


def measure_changes(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return how likely each student gained or lost each skill between two windows.

    Parameters
    ----------
    before, now
        Mastery tables (:data:`analysis.tables.MASTERY`) of the earlier and the later window.

    Returns
    -------
    pandas.DataFrame
        One row a student and skill that were measured in both: ``student_id``,
        ``skill_id``, ``before`` and ``now`` (mastery, 0 to 1), ``gained`` and ``lost``
        (probability of the change, 0 to 1), ``asked`` (whether the skill itself was asked
        for in both windows). A student without evidence in a window has no row: nobody
        knows what changed.

    Examples
    --------
    >>> rows = {"student_id": ["s1", "s2"], "skill_id": "k", "n_items": [3, 3]}
    >>> before = pd.DataFrame(rows | {"mastery": [0.05, 0.6]})
    >>> measure_changes(before, pd.DataFrame(rows | {"mastery": [0.97, 0.97]})).round(2)
      student_id skill_id  before   now  gained  lost  asked
    0         s1        k    0.05  0.97    0.78   0.0   True
    1         s2        k    0.60  0.97    0.16   0.0   True
    """
    both = before[[*KEY, "mastery", "n_items"]].merge(
        now[[*KEY, "mastery", "n_items"]], on=KEY, suffixes=("_before", "_now")
    )
    both = both.dropna(subset=["mastery_before", "mastery_now"]).sort_values(KEY, ignore_index=True)
    first = both["mastery_before"].clip(CERTAIN, 1 - CERTAIN).to_numpy()
    then = both["mastery_now"].clip(CERTAIN, 1 - CERTAIN).to_numpy()
    gained, lost = GAIN_WEIGHT * (1 - first) * then, LOSS_WEIGHT * first * (1 - then)
    every = first * then + (1 - first) * (1 - then) + gained + lost
    return both[KEY].assign(
        before=both["mastery_before"],
        now=both["mastery_now"],
        gained=gained / every,
        lost=lost / every,
        asked=(both[["n_items_before", "n_items_now"]] > 0).all(axis=1),
    )


def said_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the changes the evidence carries: gains, and skills to look at again.

    Parameters
    ----------
    changes
        As from :func:`measure_changes`.

    Returns
    -------
    pandas.DataFrame
        The rows of which something is said, and ``change``: ``"gained"`` or ``"slipped"``.
        Only where the skill was asked for in both windows.

    Examples
    --------
    >>> changes = pd.DataFrame({"gained": [0.95, 0.5, 0.0], "lost": [0.0, 0.0, 0.7]})
    >>> said_changes(changes.assign(asked=True))["change"].to_dict()
    {0: 'gained', 2: 'slipped'}
    """
    said = np.select(
        [changes["gained"] >= GAINED_FROM, changes["lost"] >= SLIPPED_FROM],
        ["gained", "slipped"],
        "",
    )
    change = pd.Series(said.astype(str), index=changes.index, dtype="str")
    return changes.assign(change=change)[changes["asked"] & change.ne("")]
