"""How fast a panel answers a coach's hand: one classroom of 35, every control.

    python benchmarks/explore.py

From the control that is set to the last view that is told to the browser, in the kernel's
process, without the browser's own drawing. Beside the clock stands the processor's time of
the process: on a machine with nothing else to do they are the same. Writes
``results/explore.md``.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from analysis.classroom import open_classroom
from analysis.district import import_exports
from analysis.explore import explore_groups, explore_mastery
from analysis.plans import changes
from analysis.simulation import simulate_district, write_district
from analysis.store import Store

N_STUDENTS = 35
ROUNDS = 7
LIMIT_MS = 300
RESULTS = Path(__file__).parent / "results" / "explore.md"


def large_class(folder: Path) -> Store:
    """Return a store whose first classroom has 35 students: two classes taught as one."""
    district = simulate_district(8, random_state=2026)
    files = write_district(district, folder / "exports")
    roster = next(file for file in files if file.name == "roster.csv")
    table = pd.read_csv(roster, dtype=str, keep_default_na=False)
    first, second = list(dict.fromkeys(table["classroom_id"]))[:2]
    joined = table["classroom_id"].replace({second: first})
    kept = table.assign(classroom_id=joined).drop_duplicates("student_id")
    places = kept[kept["classroom_id"] == first].index[:N_STUDENTS]
    kept = pd.concat([kept.loc[places], kept[kept["classroom_id"] != first]])
    kept.to_csv(roster, index=False)
    for file in files:
        if file.name.startswith("responses-"):
            answers = pd.read_csv(file, dtype=str, keep_default_na=False)
            answers.drop(columns="classroom_id", errors="ignore").to_csv(file, index=False)
    store = Store(folder / "store")
    import_exports([folder / "exports"], store)
    return store


def timed(do: Callable[[], object]) -> tuple[float, float]:
    """Return milliseconds by the clock and of the processor."""
    began, worked = time.perf_counter(), time.process_time()
    do()
    return (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000


def measure(store: Store) -> dict[str, list[tuple[float, float]]]:
    """Return the times of each control, in milliseconds, one a round."""
    window = store.windows[-1]
    classroom_id = max(store.classroom_ids, key=lambda one: len(store.read_roster(one)))
    classroom = open_classroom(classroom_id, window=window, data_dir=store.folder)
    assert len(classroom.roster) == N_STUDENTS
    panel = explore_groups(classroom, live=True)
    for part in ("others", "group_details", "coaching"):
        panel.follow(part)
    mastery = explore_mastery(classroom, live=True)
    students = [one for _, one in panel.classroom.named_students]
    other = next(one for one in store.classroom_ids if one != classroom_id)
    steps: dict[str, Callable[[int], object]] = {
        "largest group": lambda n: setattr(panel._largest, "value", 4 + n % 3),
        "smallest group": lambda n: setattr(panel._smallest, "value", 2 + n % 2),
        "number of groups": lambda n: setattr(panel._number, "value", 6 + n % 3),
        "certainty": lambda n: setattr(panel._certainty, "value", 0.5 + 0.2 * (n % 2)),
        "a skill out or in": lambda n: setattr(
            panel._skill_boxes.children[3], "value", not panel._skill_boxes.children[3].value
        ),
        "two students apart": lambda n: panel.act(
            lambda: panel.desk.decide(
                changes.pair_students(panel.desk.state.plan, "apart", students[n : n + 2])
            )
        ),
        "why is this student here": lambda n: setattr(panel._who, "value", (students[n],)),
        "absent today": lambda n: panel.act(panel._toggle_absent),
        "lock a group": lambda n: panel.act(panel._lock),
        "move a student": lambda n: panel.act(panel._move),
        "undo": lambda n: panel.act(panel.desk.undo),
        "k-means beside": lambda n: setattr(panel._k_means, "value", n % 2 == 0),
        "skills of the map": lambda n: setattr(mastery._subject, "value", ["need", ""][n % 2]),
        "another classroom, seen before": lambda n: setattr(
            panel._classroom, "value", [other, classroom_id][n % 2]
        ),
    }
    taken: dict[str, list[tuple[float, float]]] = {}
    for name, step in steps.items():
        if name not in {"absent today", "undo", "move a student"}:
            panel.act(panel.desk.reset)
        step(0)
        taken[name] = [timed(lambda n=n, step=step: step(n)) for n in range(1, ROUNDS + 1)]
    return taken


def _row(name: str, pairs: list[tuple[float, float]]) -> str:
    clock, worked = zip(*pairs, strict=True)
    numbers = [statistics.median(worked), max(worked), statistics.median(clock), max(clock)]
    return f"| {name} | " + " | ".join(f"{number:.0f}" for number in numbers) + " |"


def main() -> None:
    """Measure and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        taken = measure(large_class(Path(folder)))
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    lines = [
        "# How fast a panel answers",
        "",
        f"A simulated classroom of {N_STUDENTS} students, the groups panel with the three parts",
        f"of `03_student_groups` below it; {ROUNDS} rounds a control on one core, milliseconds",
        "from control to last view. The processor's time is what a machine with nothing",
        f"else to do takes; here {busy:.0f} processes wanted {os.cpu_count()} cores.",
        f"The limit we hold ourselves to is {LIMIT_MS} ms.",
        "",
        "| control | processor, median | slowest | clock, median | slowest |",
        "|---|---|---|---|---|",
        *(_row(name, pairs) for name, pairs in taken.items()),
    ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
