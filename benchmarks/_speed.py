"""Time and memory, each size in a process of its own.

Run as ``python benchmarks/_speed.py N_STUDENTS`` it measures one size.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import numpy as np

from analysis.mastery import MasteryModel

N_ITEMS, N_SKILLS = 60, 20


def draw(n_students: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return answers of 60 items over 20 skills, three items a skill, and classrooms of 25."""
    rng = np.random.default_rng(seed)
    q = np.zeros((N_ITEMS, N_SKILLS), dtype=int)
    q[np.arange(N_ITEMS), np.arange(N_ITEMS) % N_SKILLS] = 1
    answers = np.empty((n_students, N_ITEMS))
    for start in range(0, n_students, 50_000):
        n = min(50_000, n_students - start)
        ability = rng.normal(size=(n, 1))
        held = ability + rng.normal(size=(n, N_SKILLS)) > np.linspace(-1, 1, N_SKILLS)
        chance = np.where(held @ q.T > 0, 0.85, 0.2)
        answers[start : start + n] = rng.random(chance.shape) < chance
    return answers, q, np.arange(n_students) // 25


def measure(n_students: int) -> dict[str, float]:
    answers, q, classrooms = draw(n_students)
    started, started_cpu = time.perf_counter(), time.process_time()
    model = MasteryModel(q).fit(answers, classrooms)
    fitted, cpu = time.perf_counter(), time.process_time() - started_cpu
    model.transform(answers, classrooms)
    done = time.perf_counter()
    one = answers[:25]
    repeats = [_time(lambda: model.transform(one)) for _ in range(20)]
    return {
        "students": n_students,
        "calibrate, s": fitted - started,
        "of that processor time, s": cpu,
        "EM steps": model.n_iter_,
        "measure all, s": done - fitted,
        "measure 25, ms": 1000 * float(np.median(repeats)),
        "peak memory, GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def _time(what) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def in_own_process(n_students: int) -> dict[str, float]:
    command = [sys.executable, __file__, str(n_students)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
