"""The level reading of a small table of shares, learnt from all its students."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.files import natural_key
from analysis.grouping import Levels
from analysis.mastery.level_fitting import fit_levels
from analysis.mastery.levels import weight_of_levels


def levels_of(shares: pd.DataFrame, random_state: int = 0) -> Levels:
    """Read ``student_id``, ``skill_id``, ``observation_id``, ``share`` as levels."""
    students, skills, items = (
        sorted(shares[name].unique(), key=natural_key)
        for name in ("student_id", "skill_id", "observation_id")
    )
    answers = np.full((len(students), len(items)), np.nan)
    q = np.zeros((len(items), len(skills)), dtype=int)
    for row in shares.itertuples():
        item = items.index(row.observation_id)
        answers[students.index(row.student_id), item] = row.share
        q[item, skills.index(row.skill_id)] = 1
    model = fit_levels(answers, q)
    read = model.read(answers, n_draws=200, random_state=random_state)
    anyone = model.draw_anyone(n_draws=2_000, random_state=random_state)
    usual = model.usual, q, anyone, model.mean
    return Levels(*read, weight_of_levels(answers), *usual, students, skills)
