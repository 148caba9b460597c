"""Numbers as words: what a probability of mastery means to a teacher."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from analysis.language import mark

if TYPE_CHECKING:
    import pandas as pd

HAS_FROM = 0.8
"""Mastery from which we say that a student has the skill: wrong at most one time in five."""

NEEDS_TO = 0.4
"""Mastery up to which we say that a student needs the skill. Lower than the mirror image of
``HAS_FROM`` would be too strict: a needless review costs minutes, a missed need weeks."""


class SkillState(StrEnum):
    """What the evidence says about one student and one skill."""

    HAS = mark("has it")
    NOT_SURE = mark("not sure yet")
    NEEDS = mark("needs it")
    UNKNOWN = mark("not assessed")


def skill_state(mastery: pd.DataFrame) -> pd.Series:
    """Return what to say of each row of a mastery table.

    Parameters
    ----------
    mastery
        ``mastery`` (probability, 0 to 1, may be missing) and ``n_items`` (count).

    Returns
    -------
    pandas.Series of SkillState
        ``UNKNOWN`` where no item asked for the skill: a guess from other skills is used
        to form groups, but is not evidence to show.

    Examples
    --------
    >>> import pandas as pd
    >>> skill_state(pd.DataFrame({"mastery": [0.9, 0.5, 0.9], "n_items": [3, 3, 0]})).tolist()
    ['has it', 'not sure yet', 'not assessed']
    """
    # Who only wants the words need not wait for pandas.
    import numpy as np
    import pandas as pd

    known = mastery["mastery"].notna() & (mastery["n_items"] > 0)
    state = np.select(
        [~known, mastery["mastery"] >= HAS_FROM, mastery["mastery"] <= NEEDS_TO],
        [SkillState.UNKNOWN, SkillState.HAS, SkillState.NEEDS],
        SkillState.NOT_SURE,
    )
    return pd.Series(state.astype(str), index=mastery.index, dtype="str", name="state")
