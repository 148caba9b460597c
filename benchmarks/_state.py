"""A state's export, drawn: a tidy CSV file a school district, as many classrooms as asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as pa_csv

N_ITEMS, N_SKILLS, CLASS_SIZE = 60, 20, 25
CLASSROOMS_A_FILE = 500
WINDOW = "2026-BOY"
ASSESSMENT = "State assessment"
"""The one test all classrooms took: named in each file, or each file's questions are its own."""


def write_state(folder: Path, n_classrooms: int, *, one_source: bool = True, seed: int = 0) -> int:
    """Write a file for every 500 classrooms; return the rows of all."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "skills.csv").write_text(
        "skill_id,name\n" + "".join(f"4.NF.{k + 1},Skill {k + 1}\n" for k in range(N_SKILLS))
    )
    rows = 0
    for first in range(0, n_classrooms, CLASSROOMS_A_FILE):
        classrooms = np.arange(first, min(first + CLASSROOMS_A_FILE, n_classrooms))
        table = draw_evidence(classrooms, np.random.default_rng([seed, first]))
        if one_source:
            table = table.append_column("source", _texts(np.zeros(1, int), ASSESSMENT, len(table)))
        options = pa_csv.WriteOptions(quoting_style="none")
        pa_csv.write_csv(table, folder / f"district-{first:05d}.csv", options)
        rows += len(table)
    return rows


def draw_evidence(classrooms: np.ndarray, rng: np.random.Generator) -> pa.Table:
    """Draw the answers of 25 students a classroom to 60 items over 20 skills."""
    n = len(classrooms) * CLASS_SIZE
    ability = rng.normal(size=(n, 1)) + np.repeat(rng.normal(0, 0.4, (len(classrooms), 1)), 25, 0)
    held = ability + rng.normal(size=(n, N_SKILLS)) > np.linspace(-1, 1, N_SKILLS)
    skill = np.arange(N_ITEMS) % N_SKILLS
    chance = np.where(held[:, skill], 0.85, 0.2)
    points = (rng.random(chance.shape) < chance).astype(int)
    student = np.arange(n) + classrooms[0] * CLASS_SIZE
    columns = {
        "student_id": _texts(student, "{:08d}", N_ITEMS),
        "classroom_id": _texts(classrooms, "c{:05d}", N_ITEMS * CLASS_SIZE),
        "item_id": _texts(np.arange(N_ITEMS), "i{:02d}", 1, n),
        "skill_id": _texts(skill, "4.NF.{}", 1, n, plus=1),
        "points": pa.array(points.ravel()),
        "points_possible": pa.array(np.ones(n * N_ITEMS, dtype=int)),
        "window": _texts(np.zeros(1, int), WINDOW, n * N_ITEMS),
        "observed_on": _texts(np.zeros(1, int), "2026-09-14", n * N_ITEMS),
    }
    return pa.table(columns)


def _texts(numbers, form: str, each: int, times: int = 1, plus: int = 0) -> pa.Array:
    names = pa.array([form.format(number + plus) for number in numbers])
    return names.take(np.tile(np.repeat(np.arange(len(numbers)), each), times))
