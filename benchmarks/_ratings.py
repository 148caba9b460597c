"""Ratings on an ordered scale, simulated: what does a rating say of a skill held or not?

Held means above the cut. Students differ from it by degrees, or all alike on either side
(had or not); a rating is the level seen, with noise.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from grouping_data import District, draw_held, draw_levels, simulate

from analysis.mastery import MasteryModel
from analysis.mastery.level_fitting import fit_levels
from analysis.mastery.observations import KIND_WEIGHT
from analysis.tables import Kind

STEP = 0.8
"""Width of one level of a scale; a student's ability has standard deviation 1."""
DISTANCE = 0.8
"""From the cut, where a skill is had or not."""

SETTINGS = {
    # truth, shape, skills, ratings a skill, levels, first that counts, noise
    "degrees, 10 skills, 1 of 4 levels": ("degrees", "strands", 10, 1, 4, 2, 0.8),
    "degrees, 10 skills in a web, 2 of 4": ("degrees", "web", 10, 2, 4, 2, 0.6),
    "degrees, 6 skills, 3 of 3": ("degrees", "strands", 6, 3, 3, 1, 0.8),
    "degrees, 20 skills, 1 of 5": ("degrees", "strands", 20, 1, 5, 3, 0.5),
    "degrees, 8 skills in a web, 1 of 4": ("degrees", "web", 8, 1, 4, 3, 0.6),
    "had or not, 10 skills, 1 of 4": ("had", "strands", 10, 1, 4, 2, 0.8),
    "had or not, 10 skills in a web, 2 of 5": ("had", "web", 10, 2, 5, 3, 0.8),
}


def rate(setting: tuple, seed: int) -> tuple[District, np.ndarray, np.ndarray, np.ndarray]:
    """Return a district, the Q-matrix of its ratings, each rating's place and whether it counts."""
    truth, shape, n_skills, n_ratings, n_levels, first, noise = setting
    district = simulate("rubric", n_skills, seed, n_classes=12, shape=shape)
    rng = np.random.default_rng([seed, n_skills, n_ratings])
    made = district.extra | {"slope": rng.uniform(1, 2, size=n_skills)}
    ability = rng.normal(size=len(district.classrooms)) + made["class_ability"][district.classrooms]
    if truth == "degrees":
        above = draw_levels(ability, made, district.before, rng)
    else:
        above = np.where(draw_held(ability, made, district.before, rng), DISTANCE, -DISTANCE)
    q = np.repeat(np.eye(n_skills, dtype=int), n_ratings, axis=0)
    seen = above[:, q.argmax(axis=1)] + rng.normal(scale=noise, size=(len(above), len(q)))
    level = np.digitize(seen, STEP * (np.arange(1, n_levels) - first))
    counts = level >= first
    upper = 0.5 + 0.5 * (level - first + 1) / (n_levels - first)
    place = np.where(counts, upper, 0.5 * level / first)
    made_of = District("", place, q, district.classrooms, district.before, above > 0)
    return made_of, q, place, counts.astype(float)


def read_ratings(setting: tuple, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return, by way to read the ratings, who holds what and how probable that was said."""
    district, q, place, counts = rate(setting, seed)
    pairs = [tuple(int(k) for k in pair) for pair in np.argwhere(district.before)]

    def by_model(answers, weight):
        model = MasteryModel(q, pairs, item_weight=np.full(len(q), weight))
        return model.fit(answers, district.classrooms).transform(answers, district.classrooms)

    usual = district.truth.mean(axis=0, keepdims=True)
    said = {
        "at the level that counts or not (ours)": by_model(counts, KIND_WEIGHT[Kind.LEVEL]),
        "its place on the scale, weight 3": by_model(place, 3.0),
        "its place on the scale, weight 1": by_model(place, 1.0),
        "levels of normal spread": fit_levels(place, q).read(place, n_draws=1, random_state=0)[0],
        "what is usual": np.broadcast_to(usual, district.truth.shape),
    }
    return {way: (district.truth, chance) for way, chance in said.items()}


def compare_ratings(seed: int, repetitions: int, score) -> pd.DataFrame:
    """Return log-loss and calibration error of each way, by setting and on average."""
    rows = []
    for name, setting in SETTINGS.items():
        for repetition in range(repetitions):
            for way, (truth, said) in read_ratings(setting, seed + repetition).items():
                found = score(truth.ravel().astype(float), said.ravel())
                rows.append({"reading": way, "setting": name, **found})
    frame = pd.DataFrame(rows)
    shown = [frame, frame.assign(setting="mean")]
    table = pd.concat(shown).groupby(["reading", "setting"], sort=False)[["log-loss", "ECE"]]
    text = table.mean().map("{:.3f}".format)
    wide = (text["log-loss"] + " / " + text["ECE"]).unstack(sort=False)
    return wide.rename_axis(columns=None).reset_index()
