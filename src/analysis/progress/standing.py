"""Where each student stands on each skill: by the last evidence, whichever window it is from.

One window's test asks a student about some skills only. What was shown in the autumn and
not asked for again still stands in spring, unless what was asked since speaks against it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.growth import measure_changes, said_changes
from analysis.words import SkillState, skill_state

KEY = ["student_id", "skill_id"]

STILL_LIKELY = 0.5
"""Mastery, estimated from what was asked since, down to which an earlier claim still stands.
On the simulated district 99 of 100 such claims are true, against 98 of 100 of this window's."""


MORE_THAN = 0.5
"""Share of the points that a claim must be above, where points were to be earned."""


def latest_standing(windows: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one row a student and skill: what the last evidence says.

    Parameters
    ----------
    windows
        Mastery tables (:data:`analysis.tables.MASTERY`) of the same students, one a window,
        in the order of time. A student who was absent in the last one is seen in the last
        one with answers.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``skill_id``; ``mastery``, ``low``, ``high`` and ``ready``
        (probabilities, may be missing); ``n_items`` (observations of this very skill) and
        ``asked_in``, the window they are from: 0 and missing where the skill was not asked
        for, or where what was asked since speaks against an old answer; ``state``. Students
        without any evidence have no row.

    Examples
    --------
    >>> same = {"student_id": "s1", "skill_id": ["a", "b"], "low": .0, "high": 1., "ready": 1.}
    >>> fall = pd.DataFrame(same | {"window": "fall", "mastery": [.9, .2], "n_items": [4, 4]})
    >>> spring = pd.DataFrame(same | {"window": "spring", "mastery": [.8, .9], "n_items": [0, 5]})
    >>> latest_standing([fall, spring])[["skill_id", "asked_in", "mastery", "state"]]
      skill_id asked_in  mastery   state
    0        a     fall      0.9  has it
    1        b   spring      0.9  has it
    """
    every = pd.concat(
        [table.assign(state=skill_state(table), place=n) for n, table in enumerate(windows)],
        ignore_index=True,
    )
    asked = every[every["n_items"] > 0]
    current = asked.groupby("student_id")["place"].max()
    now = every[every["place"] == every["student_id"].map(current)]
    last = asked.sort_values("place", kind="stable").drop_duplicates(KEY, keep="last")
    both = now.merge(last, on=KEY, how="left", suffixes=("", "_last"))
    stands = (both["place_last"] == both["place"]) | (
        (both["state_last"] == SkillState.HAS) & ~(both["mastery"] < STILL_LIKELY)
    )
    for column in ("mastery", "low", "high", "n_items", "state"):
        both[column] = both[f"{column}_last"].where(stands, both[column])
    both["asked_in"] = both["window_last"].where(stands)
    said = both.assign(
        n_items=both["n_items"].where(stands, 0).astype("int64"),
        state=both["state"].where(stands, SkillState.UNKNOWN.value).astype("str"),
    )
    columns = [*KEY, "asked_in", "mastery", "low", "high", "n_items", "ready", "state"]
    return said[columns].sort_values(KEY, ignore_index=True)


def doubt_thin_claims(standing: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Return the standing without claims that a reader would not believe.

    The model may be sure of a skill on which a student earned half of the points or less,
    because of harder skills that were shown. It is nearly always right; but a page that says
    *I can* beside *1 of 2 points* is not believed, and a chance to show it costs a minute.

    Parameters
    ----------
    standing
        Of :func:`latest_standing`.
    shown
        Of :func:`analysis.progress.evidence.summarise_evidence`.

    Returns
    -------
    pandas.DataFrame
        ``state`` is *not sure yet* on those rows; all else is as given.
    """
    points = shown.rename(columns={"window": "asked_in"})
    points = points[[*KEY, "asked_in", "points", "points_possible"]]
    both = standing.merge(points, on=[*KEY, "asked_in"], how="left")
    thin = (both["points"] <= MORE_THAN * both["points_possible"]) & (
        both["state"] == SkillState.HAS
    )
    return standing.assign(state=both["state"].mask(thin, SkillState.NOT_SURE.value).to_numpy())


def gains_since(windows: Sequence[pd.DataFrame], standing: pd.DataFrame) -> pd.DataFrame:
    """Return the skills each student needed in an earlier window and has by the last evidence.

    Parameters
    ----------
    windows
        As for :func:`latest_standing`.
    standing
        What it, or :func:`doubt_thin_claims`, returned.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``skill_id``, ``since`` (the window in which it was surest to be
        needed), ``shown_in`` (the window in which it was shown). Only gains that the answers
        of both carry (:func:`analysis.growth.said_changes`): an empty table may mean few
        answers rather than no growth.
    """
    # A claim that is doubted is no gain: its state is no longer "has it".
    shown = standing[(standing["n_items"] > 0) & (standing["state"] == SkillState.HAS)]
    shown_in = shown[[*KEY, "asked_in"]].rename(columns={"asked_in": "shown_in"})
    found = [_no_gains()]
    for table in windows[:-1]:
        since = table[[*KEY, "window"]].rename(columns={"window": "since"})
        gained = said_changes(measure_changes(table, shown)).query("change == 'gained'")
        found.append(gained[[*KEY, "gained"]].merge(since, on=KEY).merge(shown_in, on=KEY))
    every = pd.concat([part for part in found if len(part)] or found, ignore_index=True)
    every["gained"] = every["gained"].round(9)
    surest = every.sort_values([*KEY, "gained"], kind="stable")
    kept = surest.drop_duplicates(KEY, keep="last")
    return kept[[*KEY, "since", "shown_in"]].reset_index(drop=True)


def _no_gains() -> pd.DataFrame:
    text = pd.DataFrame(columns=[*KEY, "since", "shown_in"], dtype="str")
    return text.assign(gained=pd.Series(dtype="float64"))
