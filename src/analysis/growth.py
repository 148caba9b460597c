"""What changed between two windows; a change is said only when the evidence carries it."""

from __future__ import annotations

import pandas as pd

from analysis.words import SkillState, skill_state


def changes_since(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return which student gained or may have lost which skill since an earlier window.

    Parameters
    ----------
    before, now
        Mastery tables (:data:`analysis.tables.MASTERY`) of the same students in the
        earlier and the later window.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``skill_id``, ``change``: ``"gained"`` where the student needed the
        skill and has it now, ``"slipped"`` the other way round. Only where the skill was
        asked for in both windows: what was not asked for has not changed. A student who
        was in between is not listed, since a few answers carry a chance that large.

    Examples
    --------
    >>> mastery = {"student_id": ["s1", "s2"], "skill_id": "k", "n_items": 3}
    >>> before = pd.DataFrame(mastery | {"mastery": [0.1, 0.6]})
    >>> changes_since(before, pd.DataFrame(mastery | {"mastery": [0.9, 0.9]}))
      student_id skill_id  change
    0         s1        k  gained
    """
    key = ["student_id", "skill_id"]
    states = before[key].assign(before=skill_state(before)).merge(
        now[key].assign(now=skill_state(now)), on=key
    )  # fmt: skip
    gained = (states["before"] == SkillState.NEEDS) & (states["now"] == SkillState.HAS)
    slipped = (states["before"] == SkillState.HAS) & (states["now"] == SkillState.NEEDS)
    changed = states.assign(change=gained.map({True: "gained", False: "slipped"}))
    return changed.loc[gained | slipped, [*key, "change"]].reset_index(drop=True)
