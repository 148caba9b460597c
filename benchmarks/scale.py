"""How cost grows from 20 classrooms to a state: time, memory and disk of every step.

    python benchmarks/scale.py --classrooms 20 200 2000 --reports 6   minutes
    python benchmarks/scale.py --classrooms 40000 --steps import calibrate   1 M students
    python benchmarks/scale.py --classrooms 2000 --steps import calibrate --own-sources

All files are one test of the whole state, named in a column ``source``; with
``--own-sources`` they name none, so that each file's questions are its own. A folder that is
given with ``--folder`` keeps its stores: steps after the import may be measured again.

Each step is a process of its own; figures are kept in ``results/scale.csv`` by size, step
and way, so that the largest may be measured when the machine is free. Reports are made for a
few classrooms, and one more report is what the difference of two runs costs; publishing and
the run that finds nothing to do are measured on pages that are copies of one. The line for
50,000 classrooms is always an extrapolation.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from _state import CLASS_SIZE, N_ITEMS, N_SKILLS, WINDOW, write_state
from render import COACH, PROJECT, Cost, run

RESULTS = Path(__file__).parent / "results"
FIGURES = RESULTS / "scale.csv"
KEY = ["classrooms", "step", "way"]
STATE = 50_000
MOST_PAGES = 2_000
"""Classrooms up to which an edition is made of copies of one page: 150 KB each."""
SMALLEST_FITTED = 200
"""Classrooms from which growth is fitted: below, start-up is most of the cost."""
WAYS = {"one process": [], "Dask, 1 worker": [1], "Dask, 2 workers": [2]}
OWN_SOURCES = ", a test a file"

CALIBRATE = """
import sys
from pathlib import Path
from analysis.crew import Cluster, open_cluster
from analysis.district import renew_calibration
from analysis.store import Store
from analysis.store.calibrations import hold_calibrations
if __name__ == "__main__":
    store, window, workers = Store(Path(sys.argv[1])), sys.argv[2], sys.argv[3:]
    with hold_calibrations(store):
        if workers:
            with open_cluster(int(workers[0])) as client:
                made = renew_calibration(store, window, always=True, crew=Cluster(client))
        else:
            made = renew_calibration(store, window, always=True)
    print(made.digest)
"""

INDEX = """
import sys
from pathlib import Path
from analysis.store import StoreIndex
index = StoreIndex(Path(sys.argv[1]))
print(len({index.digest(sys.argv[2], [one]) for one in index.classroom_ids}))
"""

PUBLISH = """
import sys
from pathlib import Path
from analysis.rendering import runner
from analysis.rendering.plan import Order
from analysis.rendering.report import keep_page
from analysis.settings import Settings
from analysis.store import StoreIndex
page = Path(sys.argv[4]).read_text("utf-8")
def copies(tasks, settings, kernels):
    for one, task in tasks.items():
        keep_page(task, page)
        yield one, None
runner._make_all = copies
runner._strangers_on = lambda task, everybody: None
store, out, notebooks = map(Path, (sys.argv[1], sys.argv[3], sys.argv[5]))
settings = Settings(store=store, out=out, notebooks=notebooks, workers=2)
print(len(runner.render_reports(StoreIndex(store), settings, Order(sys.argv[2])).rendered))
"""


def measure_import(folder: Path, n_classrooms: int, one_source: bool) -> list[dict]:
    exports, store = folder / "exports", folder / "store"
    n_rows = write_state(exports, n_classrooms, one_source=one_source)
    cost, said = run([*COACH, "import", exports, "--store", store, "--json"], watch=True)
    assert json.loads(said)["rows_used"] == n_rows + N_SKILLS, said[:500]
    exported = disk_of(exports)
    shutil.rmtree(exports)
    return [
        row(n_classrooms, "export", "-", Cost(0, 0), exported),
        row(n_classrooms, "import", "one process", cost, disk_of(store)),
    ]


def measure_calibration(folder: Path, n_classrooms: int, ways: list[str]) -> list[dict]:
    rows, digests = [], set()
    script = folder / "calibrate.py"
    script.write_text(CALIBRATE)
    for way in ways:
        workers = WAYS[way]
        cost, digest = run([sys.executable, script, folder / "store", WINDOW, *workers], watch=True)
        digests.add(digest)
        rows.append(row(n_classrooms, "calibrate", way, cost))
    assert len(digests) == 1, "the ways do not calibrate to the same bytes"
    return rows


def measure_index(folder: Path, n_classrooms: int) -> list[dict]:
    cost, said = run([sys.executable, "-c", INDEX, folder / "store", WINDOW], watch=True)
    assert int(said) == n_classrooms
    size = (folder / "store" / "store.json").stat().st_size / 2**20
    return [row(n_classrooms, "index", "one process", cost, size)]


def measure_reports(folder: Path, n_classrooms: int, n_reports: int) -> list[dict]:
    """Return what one more report costs in each way; pages stay for what comes after."""
    rows = []
    ways = {"one worker": ["--workers", 1], "two workers": ["--workers", 2]}
    ways |= {"Dask, 2 workers": ["--workers", 2, "--engine", "dask"]}
    for way, how in ways.items():
        few, many = (by_coach(folder, n, how) for n in (2, 2 + n_reports))
        one = (many - few) / n_reports
        # The difference of two walls is mostly what else the machine did.
        rows.append(row(n_classrooms, "report", way, Cost(one.cpu, np.nan, many.pss)))
    return rows


def by_coach(folder: Path, n: int, how: list) -> Cost:
    from analysis.store import StoreIndex

    wanted = StoreIndex(folder / "store").classroom_ids[:n]
    where = ["--window", WINDOW, "--store", folder / "store", "--out", folder / "few"]
    command = [*COACH, "report", *wanted, "--force", *how, *where, "--keep", 2, "--json"]
    return run(command, watch=True)[0]


def measure_edition(folder: Path, n_classrooms: int) -> list[dict]:
    """Return what publishing all pages costs, and a run that finds nothing to do."""
    page = next((folder / "few" / "current").glob("c0*.html"))
    where = [folder / "store", WINDOW, folder / "all", page, PROJECT / "notebooks"]
    published, said = run([sys.executable, "-c", PUBLISH, *where], watch=True)
    assert int(said) == n_classrooms
    options = ["--window", WINDOW, "--store", folder / "store", "--out", folder / "all"]
    nothing, said = run([*COACH, "report", *options, "--json"], watch=True)
    assert json.loads(said)["rendered"] == []
    disk = disk_of(folder / "all")
    return [
        row(n_classrooms, "publish", "one process", published, disk),
        row(n_classrooms, "nothing to do", "one process", nothing),
    ]


def row(n_classrooms: int, step: str, way: str, cost: Cost, disk: float = np.nan) -> dict:
    return {
        "classrooms": n_classrooms, "step": step, "way": way, "cpu": round(cost.cpu, 2),
        "wall": round(cost.wall, 2), "memory": round(cost.pss), "disk": round(disk, 2),
        "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def disk_of(folder: Path) -> float:
    """Return the MB of a folder's files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def keep(rows: list[dict]) -> pd.DataFrame:
    """Return all figures, those just measured in place of older ones."""
    new = pd.DataFrame(rows)
    known = [pd.read_csv(FIGURES)] if FIGURES.is_file() else []
    every = pd.concat([*known, new]).drop_duplicates(KEY, keep="last")
    every = every.sort_values(["step", "way", "classrooms"], ignore_index=True)
    every.to_csv(FIGURES, index=False, lineterminator="\n")
    return every


def exponent(some: pd.DataFrame, column: str) -> float | None:
    """Return the slope of log cost over log size: 1 is linear."""
    some = some[(some["classrooms"] >= SMALLEST_FITTED) & (some[column] > 0)]
    if len(some) < 2:
        return None
    return float(np.polyfit(np.log(some["classrooms"]), np.log(some[column]), 1)[0])


def at_state(some: pd.DataFrame, column: str) -> float | None:
    """Return the cost at 50,000 classrooms, by the straight line through the two largest."""
    some = some.dropna(subset=[column]).nlargest(2, "classrooms")
    if len(some) < 2:
        return None
    (n2, n1), (y2, y1) = some["classrooms"], some[column]
    return float(y2 + (y2 - y1) / (n2 - n1) * (STATE - n2))


def each_thousand(some: pd.DataFrame) -> str:
    """Return CPU seconds for 1,000 classrooms more, from each size to the next twice as large."""
    told, before = [], None
    for one in some.sort_values("classrooms").itertuples():
        if one.classrooms < SMALLEST_FITTED:
            continue
        if before is None:
            before = one
        elif one.classrooms >= 2 * before.classrooms:
            more = (one.cpu - before.cpu) / (one.classrooms - before.classrooms)
            told.append(f"{more * 1_000:.1f}")
            before = one
    return ", ".join(told) or "-"


STEPS = ["export", "import", "calibrate", "index", "report", "publish", "nothing to do"]
COLUMNS = {"cpu": "CPU s", "wall": "wall s", "memory": "peak MB", "disk": "disk MB"}


def describe(every: pd.DataFrame) -> str:
    lines = [
        "# How cost grows with classrooms",
        "",
        f"`python benchmarks/scale.py`; {os.cpu_count()} cores. {CLASS_SIZE} students a classroom, "
        f"{N_ITEMS} answers a student, a tidy CSV file of 500 classrooms each. CPU seconds of all "
        "processes; peak memory of all processes (proportional set size, every half second); "
        "*load* is the machine's at the end: above 2 others were at work and walls say little. "
        "*Called directly*: the step's function in a process, largest resident memory. All files "
        "are one test; *a test a file*: none names its test, so each file's questions are its own.",
        "",
        "| step | way | classrooms | rows | " + " | ".join(COLUMNS.values()) + " | load |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for step in STEPS:
        for one in every[every["step"] == step].itertuples():
            figures = [_figure(getattr(one, name)) for name in COLUMNS]
            n_rows = one.classrooms * CLASS_SIZE * N_ITEMS
            lines.append(
                f"| {step} | {one.way} | {one.classrooms:,} | {n_rows:,} | "
                f"{' | '.join(figures)} | {one.load:g} |"
            )
    lines += [
        "",
        "*report* is one more report. Growth, the exponent of cost over classrooms from "
        f"{SMALLEST_FITTED} on (1 is linear; below 1 where a fixed part still weighs), what 1,000 "
        "classrooms more cost from each size to the next that is twice as large (the same: "
        "linear), and 50,000 classrooms **extrapolated** by the straight line "
        "through the two largest sizes measured (reports: by the cost of one):",
        "",
        "| step | way | exponent of CPU | exponent of memory | CPU s for 1,000 more | "
        "50,000: CPU s | 50,000: disk MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for step in STEPS[1:]:
        for way, some in every[every["step"] == step].groupby("way", sort=False):
            if step == "report":
                growth = [None, None, STATE * some["cpu"].mean(), None]
            else:
                growth = [exponent(some, "cpu"), exponent(some, "memory"), at_state(some, "cpu"),
                          at_state(some, "disk")]  # fmt: skip
            told = [_exponent(one) for one in growth[:2]]
            told += ["-" if step == "report" else each_thousand(some)]
            told += [_figure(one) for one in growth[2:]]
            lines.append(f"| {step} | {way} | {' | '.join(told)} |")
    lines += ["", "Ways of calibrating that were measured in one run gave the same bytes.", ""]
    return "\n".join(lines)


def _figure(number: float | None) -> str:
    if number is None or np.isnan(number):
        return "-"
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}"


def _exponent(number: float | None) -> str:
    return "-" if number is None else f"{number:.2f}"


def measure(folder: Path, n_classrooms: int, given: argparse.Namespace) -> list[dict]:
    rows = []
    if "import" in given.steps:
        rows += measure_import(folder, n_classrooms, not given.own_sources)
        rows += measure_index(folder, n_classrooms)
    if "calibrate" in given.steps:
        rows += measure_calibration(folder, n_classrooms, given.ways)
    if "report" in given.steps:
        rows += measure_reports(folder, n_classrooms, given.reports)
    if "publish" in given.steps and n_classrooms <= MOST_PAGES:
        rows += measure_edition(folder, n_classrooms)
    return [one | {"way": one["way"] + OWN_SOURCES} for one in rows] if given.own_sources else rows


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--classrooms", type=int, nargs="+", default=[20, 200, 2000])
    steps = ["import", "calibrate", "report", "publish"]
    arguments.add_argument("--steps", nargs="+", choices=steps, default=steps)
    arguments.add_argument("--reports", type=int, default=6)
    arguments.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    arguments.add_argument("--own-sources", action="store_true", help="each file is its own test")
    arguments.add_argument("--folder", type=Path, help="where to work and to keep the stores")
    given = arguments.parse_args()
    for n_classrooms in given.classrooms:
        with ExitStack() as stack:
            where = given.folder or stack.enter_context(TemporaryDirectory(prefix="scale"))
            folder = Path(where) / f"{n_classrooms}{'-own' * given.own_sources}"
            folder.mkdir(parents=True, exist_ok=True)
            every = keep(measure(folder, n_classrooms, given))
        (RESULTS / "scale.md").write_text(describe(every), encoding="utf-8")
    print(describe(every))


if __name__ == "__main__":
    main()
