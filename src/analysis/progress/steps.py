"""What comes next for each student, and what is ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.skills import SkillFramework
from analysis.words import SkillState

CLEAR = 0.5
"""Value from which a step on a skill that was asked for goes before one that was not: a
student can be shown answers to the first, and only a guess to the second."""

LEAST = 0.3
"""Value under which no step is named. On the simulated district none of these steps was
right: the student has shown nearly everything there is to ask."""

AGREES = 0.8
"""Share of the best step's value from which the skill of the student's lessons is taken as
the next step: the page and the lesson then say the same."""

LIKELY = 0.6
"""Mastery from which a skill that is not shown yet is worth a chance to show it."""

IMPLIES = 0.8
"""Mastery of a later skill from which what comes before it need not be asked for."""

MOST_TO_SHOW = 2
"""Skills a student is proposed to show next: a few minutes each."""


def choose_next_steps(
    standing: pd.DataFrame,
    framework: SkillFramework,
    taught: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the one skill that is each student's next step.

    The step of most value: lacking the skill, and holding all that comes just before it.
    A grade plays no part; where a student stands far below, the step is far below.

    Parameters
    ----------
    standing
        Of :func:`analysis.progress.standing.latest_standing`.
    framework
        Order and prerequisites of the skills.
    taught
        Student id to the skill of the student's next lessons, where one is planned; taken
        where it is nearly as good a step as the best.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``skill_id``, ``value`` (probability, 0 to 1, that the student lacks
        the skill and is ready for it). A student for whom no step is likely to be right has no
        row: nearly everything is shown.
    """
    taught = taught or {}
    order = {skill_id: place for place, skill_id in enumerate(framework.skill_ids)}
    value = ((1 - standing["mastery"]) * standing["ready"]).fillna(0.0)
    rows = standing.assign(value=value, place=standing["skill_id"].map(order))
    rows = rows[(rows["state"] != SkillState.HAS) & (rows["value"] >= LEAST)]
    is_clear = (rows["n_items"] > 0) & (rows["value"] >= CLEAR)
    best = rows.groupby("student_id")["value"].transform("max")
    is_taught = (rows["skill_id"] == rows["student_id"].map(taught)) & (
        rows["value"] >= AGREES * best
    )
    rows = rows.assign(
        rank=np.select([is_taught, is_clear], [0, 1], 2), value_rank=-rows["value"].round(9)
    )
    first = rows.sort_values(["student_id", "rank", "value_rank", "place"])
    steps = first.drop_duplicates("student_id")[["student_id", "skill_id", "value"]]
    return steps.reset_index(drop=True)


def list_in_work(standing: pd.DataFrame, framework: SkillFramework) -> pd.DataFrame:
    """Return skills students have begun: asked for, not yet shown, and ready to be learned.

    A skill that the student more likely has is ready to be shown, not in work.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``skill_id``: what is surely needed first, each part in the order
        of the framework.
    """
    begun = standing["state"].isin([SkillState.NEEDS, SkillState.NOT_SURE])
    is_ready = standing["ready"].fillna(0.0) >= CLEAR
    rows = _in_order(standing[begun & is_ready & ~(standing["mastery"] >= LIKELY)], framework)
    is_open = rows["state"].ne(SkillState.NEEDS)
    in_order = rows.assign(is_open=is_open).sort_values(["student_id", "is_open"], kind="stable")
    return in_order[["student_id", "skill_id"]].reset_index(drop=True)


def list_ready_to_show(standing: pd.DataFrame, framework: SkillFramework) -> pd.DataFrame:
    """Return skills that students very likely have and have not had the chance to show.

    Skills the answers leave open, or did not ask for, where the student is more likely than
    not to have them. One that a later, likely held skill builds on is left out, since it
    need not be asked for.

    Parameters
    ----------
    standing
        Of :func:`analysis.progress.standing.latest_standing`.
    framework
        Which skills build on which.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``skill_id``, ``mastery`` (probability), the likeliest first, at most
        two a student.
    """
    wide = standing.pivot(index="student_id", columns="skill_id", values="mastery")
    skills, held = wide.columns.tolist(), wide.to_numpy() >= IMPLIES
    place = {skill_id: column for column, skill_id in enumerate(skills)}
    later = [[place[k] for k in framework.next_skills_of(s) if k in place] for s in skills]
    implied = np.zeros_like(held)
    for column, columns in enumerate(later):
        implied[:, column] = held[:, columns].any(axis=1)
    open_to_show = standing[
        (standing["state"] != SkillState.HAS)
        & (standing["state"] != SkillState.NEEDS)
        & (standing["mastery"] >= LIKELY)
    ]
    is_implied = implied[
        wide.index.get_indexer(pd.Index(open_to_show["student_id"])),
        wide.columns.get_indexer(pd.Index(open_to_show["skill_id"])),
    ]
    kept = _in_order(open_to_show[~is_implied], framework)
    kept = kept.sort_values("mastery", ascending=False, kind="stable")
    kept = kept.groupby("student_id", sort=False).head(MOST_TO_SHOW)
    return kept[["student_id", "skill_id", "mastery"]].reset_index(drop=True)


def _in_order(rows: pd.DataFrame, framework: SkillFramework) -> pd.DataFrame:
    order = {skill_id: place for place, skill_id in enumerate(framework.skill_ids)}
    placed = rows.assign(place=rows["skill_id"].map(order))
    return placed.sort_values(["student_id", "place"], ignore_index=True)
