"""Students' pages: what 400 of them cost, whether they are right, and how hard they are to read.

    python benchmarks/students.py [--workers 2] [--kinds students families]
                                  [--out benchmarks/results/students.md]

The demo district's 20 classrooms, through ``coach students``: a file a classroom to print
and a page a student to share. Then every published page is looked at: whether it shows any
other student's id or name, how hard it reads (Flesch-Kincaid in English, Fernández Huerta
in Spanish), and whether what it says is true of the student the simulator drew.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from analysis.rendering.edition import sheet_file  # noqa: E402
from analysis.simulation import simulate_district  # noqa: E402
from analysis.store import Store  # noqa: E402
from analysis.students import open_students  # noqa: E402
from reading_level import (  # noqa: E402
    fernandez_huerta,
    flesch_kincaid_grade,
    szigriszt_pazos,
    text_of_page,
)

WINDOW = "2026-EOY"
COACH = [sys.executable, "-c", "from analysis.cli import main; main()"]
MINUTES_ALLOWED = 2
RUNS = [("students", "en"), ("families", "es")]
MEASURES = {
    "en": {"Flesch-Kincaid, school grade": flesch_kincaid_grade},
    "es": {
        "Fernández Huerta, 70 and over: grade 6 or easier": fernandez_huerta,
        "Szigriszt-Pazos, 65 and over: easy": szigriszt_pazos,
    },
}


def coach(*words: str | Path) -> dict:
    """Run a command; return its summary, and what it cost."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*COACH, *map(str, words), "--json"], cwd=PROJECT, capture_output=True, text=True,
        check=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout) | {"wall": time.monotonic() - began, "cpu": cpu}


def read_pages(out: Path, kind: str, store: Store) -> dict[str, str]:
    """Return the published page of each student, by id."""
    pages = {}
    for page in (out / kind / "current").glob("demo-*.html"):
        for student_id in store.read_roster()["student_id"]:
            file = sheet_file(page, student_id)
            if file.is_file():
                pages[student_id] = file.read_text(encoding="utf-8")
    return pages


def count_leaks(pages: dict[str, str], store: Store) -> int:
    """Count pages on which another student's id or whole name stands."""
    people = store.read_people()
    name_of = dict(zip(people["student_id"], people["display_name"], strict=True))
    said = {*name_of, *name_of.values()}
    words = "|".join(re.escape(one) for one in sorted(said, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)({words})(?!\w)")
    allowed = set(people["teacher"])
    leaks = 0
    for student_id, text in pages.items():
        found = set(pattern.findall(unescape(text))) - allowed - {student_id, name_of[student_id]}
        leaks += bool(found)
    return leaks


def judge(store: Store) -> pd.DataFrame:
    """Return every claim, gain, need in work and next step of every page, and its truth."""
    district = simulate_district(20)
    truth = district.truth.set_index(["student_id", "skill_id", "window"])["has_skill"]
    before = district.skills.set_index("skill_id")["prerequisites"].fillna("")
    rows = []
    for classroom_id in store.classroom_ids:
        pages = open_students(classroom_id, window=WINDOW, data_dir=store.folder)
        for learner in pages.learners:
            one = learner.student_id
            holds = {claim.skill_id: truth[one, claim.skill_id, WINDOW]
                     for claim in [*learner.can, *learner.in_work]}  # fmt: skip
            rows += [("I can", holds[claim.skill_id]) for claim in learner.can]
            rows += [("I am working on", not holds[claim.skill_id]) for claim in learner.in_work]
            for claim in learner.grown:
                then = min(truth[one, claim.skill_id, w] for w in store.windows[:-1])
                rows.append(("I have grown", truth[one, claim.skill_id, WINDOW] and not then))
            if step := learner.next_step:
                needed = [k for k in before[step.skill_id].split(";") if k]
                ready = all(truth[one, k, WINDOW] for k in needed)
                lacks = not truth[one, step.skill_id, WINDOW]
                rows += [("My next step: not held yet", lacks)]
                rows += [("My next step: what comes first is held", ready)]
                rows += [("My next step: both", lacks and ready)]
    return pd.DataFrame(rows, columns=["says", "true"])


def spread(values: list[float]) -> str:
    low, middle, high = np.percentile(values, [0, 50, 100])
    return f"{low:.1f} | {middle:.1f} | {high:.1f}"


def measure(workers: int, kinds: list[str]) -> str:
    lines = ["# Students' pages", ""]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = folder / "store"
        coach("import", PROJECT / "data" / "demo", "--store", store)
        where = ("--window", WINDOW, "--store", store)
        # The calibration is made once for all pages, and for the teachers' reports.
        coach("students", "demo-3a", *where, "--out", folder / "first", "--workers", workers)
        costs = {}
        for kind, language in [run for run in RUNS if run[0] in kinds]:
            out = folder / f"{kind}-{language}"
            words = ["--language", language, *(["--families"] if kind == "families" else [])]
            costs[kind, language] = coach(
                "students", *where, "--out", out, "--workers", workers, *words
            )
        table = Store(store)
        pages = {
            (kind, language): read_pages(folder / f"{kind}-{language}", kind, table)
            for kind, language in costs
        }
        lines += [
            f"`python benchmarks/students.py --workers {workers}`; {os.cpu_count()} cores, load "
            f"{os.getloadavg()[0]:.1f} at the end. The demo's 20 classrooms; allowed are "
            f"{MINUTES_ALLOWED} minutes for 400 pages.",
            "",
            "| pages | language | pages of one student | files to print | failed | wall s | CPU s "
            "| pages with another's id or name |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {kind} | {language} | {len(pages[kind, language])} | {len(cost['rendered'])} | "
            f"{len(cost['failed'])} | {cost['wall']:.1f} | {cost['cpu']:.1f} | "
            f"{count_leaks(pages[kind, language], table)} |"
            for (kind, language), cost in costs.items()
        ]
        lines += ["", "How hard they read, every page measured (least | median | most):", ""]
        lines += ["| pages | measure | least | median | most |", "|---|---|---|---|---|"]
        for (kind, language), found in pages.items():
            texts = [text_of_page(text) for text in found.values()]
            for said, formula in MEASURES[language].items():
                scores = spread([formula(text) for text in texts])
                lines.append(f"| {kind}, {language} | {said} | {scores} |")
        told = judge(table).groupby("says", sort=False)["true"].agg(["size", "mean"])
        lines += ["", "Against the students the simulator drew:", ""]
        lines += ["| the page says | times | true |", "|---|---|---|"]
        lines += [f"| {row.Index} | {row.size} | {row.mean:.1%} |" for row in
                  told.set_axis(["size", "mean"], axis=1).itertuples()]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kinds", nargs="+", default=[kind for kind, _ in RUNS])
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    report = measure(asked.workers, asked.kinds)
    sys.stdout.write(report)
    if asked.out:
        asked.out.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
