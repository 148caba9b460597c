"""What there is to say of each student of a classroom, looked up once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.files import natural_key
from analysis.skills import SkillFramework
from analysis.tables import EVIDENCE, MASTERY, ROSTER, Kind, check_table


@dataclass(frozen=True)
class Known:
    """What is known of one classroom, ready to be said of any groups of its students.

    Made by :func:`know_classroom`. ``mastery`` and ``n_items`` are by student and skill,
    ``points`` (earned, possible) as well; ``names`` by student; ``skills`` in natural order.
    """

    framework: SkillFramework
    skills: list[str]
    names: Mapping[str, str]
    mastery: Mapping[tuple[str, str], float]
    n_items: Mapping[tuple[str, str], int]
    points: Mapping[tuple[str, str], tuple[float, float]]


def know_classroom(
    classroom_id: str,
    window: str,
    mastery: pd.DataFrame,
    framework: SkillFramework,
    roster: pd.DataFrame,
    *,
    evidence: pd.DataFrame | None = None,
) -> Known:
    """Look up a classroom's tables once, for all groupings of it; as in :func:`describe_groups`."""
    mastery = check_table(mastery, MASTERY, "the mastery table")
    roster = check_table(roster, ROSTER, "the roster")
    here = roster[roster["classroom_id"] == classroom_id]
    mine = mastery[(mastery["window"] == window) & mastery["student_id"].isin(here["student_id"])]
    named = here.dropna(subset=["display_name"])
    cells = list(zip(mine["student_id"], mine["skill_id"], strict=True))
    return Known(
        framework,
        sorted(mine["skill_id"].unique(), key=natural_key),
        dict(zip(named["student_id"], named["display_name"], strict=True)),
        dict(zip(cells, mine["mastery"].astype(float), strict=True)),
        dict(zip(cells, mine["n_items"], strict=True)),
        _points(evidence, window),
    )


def _points(
    evidence: pd.DataFrame | None, window: str
) -> dict[tuple[str, str], tuple[float, float]]:
    """Return points earned and possible of each student on each skill in the window."""
    if evidence is None:
        return {}
    evidence = check_table(evidence, EVIDENCE, "the evidence table")
    mine = evidence[(evidence["window"] == window) & (evidence["kind"] == Kind.POINTS)]
    mine = mine.dropna(subset=["points", "points_possible"])
    sums = mine.groupby(["student_id", "skill_id"])[["points", "points_possible"]].sum()
    return {key: tuple(row) for key, row in zip(sums.index, sums.to_numpy(), strict=True)}
