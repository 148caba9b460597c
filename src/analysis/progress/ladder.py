"""Ladders: a strand's skills across grades, or a scale's levels, and who stands on which rung.

In a class spread over four grade levels one list of grade-level skills helps nobody; on a
ladder each student stands where the next thing to learn is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd

from analysis.files import natural_key
from analysis.progress.evidence import rung_of
from analysis.rows import walk_parts, walk_rows
from analysis.scales import read_scale
from analysis.skills import SkillFramework

HELD = 0.5
"""Mastery from which a student has gone past a rung: more likely than not."""

FEWEST_RUNGS = 2
"""A ladder of one rung says no more than a list."""


@dataclass(frozen=True)
class Rung:
    """One step of a ladder.

    Parameters
    ----------
    name
        Of the skill, or of the level.
    skill_id
        The skill; ``None`` for a level.
    grade
        In which the skill is taught, for the teacher; empty for a level.
    students
        Ids of those whose next thing to learn this is (for a level: who is on it).
    unasked
        Those of them who were not asked about it: an estimate puts them here.
    """

    name: str
    skill_id: str | None = None
    grade: str = ""
    students: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ladder:
    """A strand or a scale with the students on its rungs.

    Parameters
    ----------
    title
        Of the strand; for a scale, of its skill.
    rungs
        The lowest first.
    past
        Ids of students who have gone past the last rung (none on a scale).
    not_seen
        Ids of students without any evidence in this strand.
    scale
        Title of the scale where rungs are levels; empty where they are skills.
    """

    title: str
    rungs: list[Rung]
    past: list[str] = field(default_factory=list)
    not_seen: list[str] = field(default_factory=list)
    scale: str = ""

    @property
    def spread(self) -> int:
        """Rungs from the lowest with a student to the highest, both counted."""
        held = [place for place, rung in enumerate(self.rungs) if rung.students]
        held += [len(self.rungs)] if self.past else []
        return max(held) - min(held) + 1 if held else 0

    @property
    def grades(self) -> list[str]:
        """Grades of the rungs with students, lowest first, each once."""
        return list(dict.fromkeys(r.grade for r in self.rungs if r.students and r.grade))


def skill_ladders(
    standing: pd.DataFrame, framework: SkillFramework, student_ids: list[str]
) -> list[Ladder]:
    """Return a ladder for each strand: its skills, lowest first, and the students on them.

    A student stands on the first skill of the strand that the student more likely lacks
    than has.

    Parameters
    ----------
    standing
        Of :func:`analysis.progress.standing.latest_standing`.
    framework
        Its column ``strand`` names the strands; else parents do, else subjects do.
    student_ids
        Everybody, in the order to list them.

    Returns
    -------
    list of Ladder
        The most spread first; strands nobody was asked about are left out.
    """
    wide = standing.pivot(index="student_id", columns="skill_id", values=["mastery", "n_items"])
    # Of columns in two levels, a name of the first gives a table.
    mastery, n_items = (cast("pd.DataFrame", wide[name]) for name in ("mastery", "n_items"))
    asked = n_items > 0
    strands = _strand_of(framework)
    ladders = []
    for title in dict.fromkeys(strands):
        skills = [one for one in framework.skill_ids if strands[one] == title]
        skills = sorted(skills, key=lambda one: natural_key(framework.text_of(one, "grade")))
        skills = [one for one in skills if one in mastery.columns]
        if len(skills) >= FEWEST_RUNGS and asked[skills].to_numpy().any():
            ladders.append(_climb(title, skills, mastery, asked, framework, student_ids))
    return sorted(ladders, key=lambda ladder: -ladder.spread)


def level_ladders(
    evidence: pd.DataFrame, framework: SkillFramework, student_ids: list[str]
) -> list[Ladder]:
    """Return a ladder for each skill that is rated on a scale: its levels, and who is where.

    Levels of a scale such as the six of the Profile of the Graduate are not grades: a
    student of any grade may stand on any.

    Parameters
    ----------
    evidence
        Of :func:`analysis.progress.evidence.summarise_evidence`; the last window with a
        rating counts.
    framework
        Names of the skills.
    student_ids
        Everybody, in the order to list them.
    """
    rated = evidence.dropna(subset=["level", "scale"])
    is_rung = [rung_of(row.level, row.scale) is not None for row in walk_rows(rated)]
    rated = rated[np.array(is_rung, dtype=bool)]
    rated = rated.drop_duplicates(["student_id", "skill_id", "scale"], keep="last")
    known = [one for one in framework.skill_ids if one in set(rated["skill_id"])]
    ladders = []
    for skill_id in known:
        for scale_name, part in walk_parts(rated[rated["skill_id"] == skill_id], "scale"):
            scale = read_scale(scale_name)
            at = {r.student_id: scale.position(r.level) for r in walk_rows(part)}
            rungs = [
                Rung(level, students=[one for one in student_ids if at.get(one) == place])
                for place, level in enumerate(scale.levels)
            ]
            not_seen = [one for one in student_ids if one not in at]
            name = framework.name_of(skill_id)
            ladders.append(Ladder(name, rungs, not_seen=not_seen, scale=scale.title))
    return ladders


def _climb(
    title: str,
    skills: list[str],
    mastery: pd.DataFrame,
    asked: pd.DataFrame,
    framework: SkillFramework,
    student_ids: list[str],
) -> Ladder:
    rows = dict(zip(mastery.index.tolist(), asked[skills].to_numpy(), strict=True))
    is_seen = {one for one, row in rows.items() if row.any()}
    seen = [one for one in student_ids if one in is_seen]
    lacks = mastery.loc[seen, skills].to_numpy() < HELD
    standing = {one: row.argmax() for one, row in zip(seen, lacks, strict=True) if row.any()}
    rungs = []
    for place, skill_id in enumerate(skills):
        here = [one for one in seen if standing.get(one) == place]
        guessed = [one for one in here if not rows[one][place]]
        name, grade = framework.name_of(skill_id), framework.text_of(skill_id, "grade")
        rungs.append(Rung(name, skill_id, grade, here, guessed))
    past = [one for one in seen if one not in standing]
    return Ladder(title, rungs, past, [one for one in student_ids if one not in is_seen])


def _strand_of(framework: SkillFramework) -> pd.Series:
    table = framework.table
    subject = table["subject"].fillna("")
    if "strand" in table.columns and table["strand"].notna().any():
        return table["strand"].fillna(subject)
    parents = table["parent_id"].map(table["name"])
    return parents.fillna(subject)
