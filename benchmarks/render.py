"""What a report costs: the loop everyone writes, the physical limit, and ours.

    python benchmarks/render.py [--reports 8] [--rounds 3] [--big STORE] [--out FILE]
    python benchmarks/render.py --workers-only [--reports 24] [--rounds 3]

The second is short, for a quiet machine: what a second worker adds.

All ways render the same notebook on the same demo classrooms, in one run. Figures are CPU
seconds of all processes together (user and system), so that a busy machine disturbs them
little; walls are given beside them. Start-up is no report's: but for A, which starts anew for
each, costs are counted from one of the first pages of a run to one of its last. The ways take
turns, in several rounds: each figure is the median of the rounds, and each ratio the median of
the ratios within a round.

A   the commands ``papermill`` and ``jupyter nbconvert``, one after the other
A2  papermill's Python interface, one exporter for all
B   the notebook's cells called in one warm process, page from the template, no notebook

What a second worker can add at most is seen in B too: two such processes side by side, which
share nothing but the machine. And where a machine's speed changes within a minute, turns do not
tell ours from B: so ours with one worker is also measured with B beside it, on the other core.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median

PROJECT = Path(__file__).parents[1]
NOTEBOOK = PROJECT / "notebooks" / "classroom_report.ipynb"
WINDOW = "2026-EOY"
COACH = [sys.executable, "-c", "from analysis.cli import main; main()"]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
PSS_EVERY = 0.5
A, B = "A: papermill + nbconvert commands", "B: the limit, no notebook"
B_TWICE = "B, two processes"
ONE_WORKER = "ours, 1 worker"
SECONDS_TO_WARM = 10
SECONDS_BETWEEN_LOOKS = 0.02
FIRST_PAGES = 3
"""Made in the worst case by workers who make their first."""

OURS = {
    ONE_WORKER: ("--workers", "1"),
    "ours, 2 workers": ("--workers", "2"),
    "ours, Dask, 2 workers": ("--workers", "2", "--engine", "dask"),
}


@dataclass
class Cost:
    cpu: float
    wall: float
    pss: float = 0.0

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.cpu - other.cpu, self.wall - other.wall, self.pss)

    def __truediv__(self, n: float) -> Cost:
        return Cost(self.cpu / n, self.wall / n, self.pss)


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spent_until_now() -> tuple[float, float]:
    """Return CPU seconds of this process and the children it has ended, and the clock's."""
    return time.process_time() + cpu_of_children(), time.monotonic()


def run(command: list, *, watch: bool = False) -> tuple[Cost, str]:
    """Run a command; return what it and its children cost."""
    cost, [said] = run_together([command], watch=watch)
    return cost, said


def run_together(commands: list[list], *, watch: bool = False) -> tuple[Cost, list[str]]:
    """Run commands side by side; return what they and their children cost until the last ends."""
    began, cpu = time.monotonic(), cpu_of_children()
    processes = [
        subprocess.Popen(
            [str(word) for word in command], cwd=PROJECT, env=os.environ | ONE_THREAD,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for command in commands
    ]  # fmt: skip
    peak = [0.0]
    if watch:
        threading.Thread(target=watch_memory, args=(processes[0].pid, peak), daemon=True).start()
    told = [process.communicate() for process in processes]
    for process, command, (_, faults) in zip(processes, commands, told, strict=True):
        if process.returncode not in (0, None):
            raise SystemExit(f"{command}\n{faults}")
    cost = Cost(cpu_of_children() - cpu, time.monotonic() - began, peak[0])
    return cost, [said for said, _ in told]


def watch_memory(pid: int, peak: list[float]) -> None:
    """Keep the largest sum of proportional set sizes of a process and its children, in MB."""
    import psutil

    while psutil.pid_exists(pid):
        total = 0.0
        try:
            root = psutil.Process(pid)
            for one in [root, *root.children(recursive=True)]:
                total += one.memory_full_info().pss / 2**20
        except psutil.Error:
            pass
        peak[0] = max(peak[0], total)
        time.sleep(PSS_EVERY)


def parameters(classroom_id: str, store: Path) -> dict[str, str]:
    return {"classroom_id": classroom_id, "window": WINDOW, "data_dir": str(store)}


# -- the ways -----------------------------------------------------------------------------


def by_commands(classrooms: list[str], store: Path, folder: Path) -> Cost:
    """A."""
    total = Cost(0, 0)
    for classroom_id in classrooms:
        out = folder / f"{classroom_id}.ipynb"
        raw = [
            w for name, text in parameters(classroom_id, store).items() for w in ("-r", name, text)
        ]
        first, _ = run(
            [sys.executable, "-m", "papermill", NOTEBOOK, out, *raw, "--cwd", NOTEBOOK.parent,
             "--no-progress-bar"]
        )  # fmt: skip
        second, _ = run(
            [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--no-input", out]
        )
        total = Cost(total.cpu + first.cpu + second.cpu, total.wall + first.wall + second.wall)
    return total / len(classrooms)


BY_INTERFACE = """
import json, sys, warnings
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from render import spent_until_now
warnings.simplefilter("ignore")
import papermill
from nbconvert import HTMLExporter
exporter = HTMLExporter(exclude_input=True)
for given in json.loads(sys.argv[1]):
    out = Path(sys.argv[3]) / "a2.ipynb"
    notebook = papermill.execute_notebook(sys.argv[2], str(out), given, progress_bar=False,
                                          cwd=str(Path(sys.argv[2]).parent))
    out.with_suffix(".html").write_text(exporter.from_notebook_node(notebook)[0], "utf-8")
    print(json.dumps(spent_until_now()))
"""

BY_CALLS = """
import itertools, json, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from render import call_cells, spent_until_now
from analysis.files import write_whole
from analysis.rendering.blocks import stylesheet, CONTENT_POLICY
from analysis.rendering.page import check_page
wanted = json.loads(sys.argv[1])
for given in itertools.cycle(wanted) if sys.argv[5:] == ["for ever"] else wanted:
    blocks, parts = call_cells(Path(sys.argv[2]), given)
    began = time.process_time()
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv='
        f'"Content-Security-Policy" content="{CONTENT_POLICY}"><title>T</title>'
        f'<style>{stylesheet()}</style></head><body><main>{"".join(blocks)}</main></body></html>'
    )
    check_page(page)
    write_whole(Path(sys.argv[3]) / "b.html", page)
    parts["page"] = time.process_time() - began
    print(json.dumps([*spent_until_now(), parts]), flush=True)
"""


def call_cells(notebook: Path, given: dict) -> tuple[list[str], dict[str, float]]:
    """Call a notebook's cells in this process; return what they show and their CPU seconds."""
    import nbformat

    names: dict = {}
    blocks, spent = [], {}
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        began = time.process_time()
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            blocks.append(shown._repr_html_())
        if "parameters" in cell.metadata.get("tags", []):
            names.update(given)
        title = cell.source.splitlines()[-1][:50] if last is not None else "parameters"
        spent[title] = time.process_time() - began
    return blocks, spent


def script_command(script: str, classrooms: list[str], store: Path, out: Path, *how: str) -> list:
    given = json.dumps([parameters(one, store) for one in classrooms])
    out.mkdir(exist_ok=True)
    return [sys.executable, "-c", script, given, NOTEBOOK, out, Path(__file__).parent, *how]


def by_script(
    script: str, classrooms: list[str], store: Path, folder: Path, *, times: int = 1
) -> tuple[Cost, list]:
    """Return what one more report costs in a script that makes many, and its last line.

    ``times``: how often the script runs side by side; each makes all the reports.
    """
    commands = [
        script_command(script, classrooms, store, folder / f"side-{n}") for n in range(times)
    ]
    costs = []
    for said in run_together(commands)[1]:
        # A line after each report: CPU seconds and the clock until then.
        lines = [json.loads(line) for line in said.splitlines()]
        first, last = (Cost(cpu, wall) for cpu, wall, *_ in (lines[0], lines[-1]))
        costs.append((last - first) / (len(lines) - 1))
    cpu, wall = mean(one.cpu for one in costs), mean(one.wall for one in costs)
    return Cost(cpu, wall / times), lines[-1]


def report_command(classrooms: list[str], store: Path, out: Path, *how: str) -> list:
    where = ["--window", WINDOW, "--store", store, "--out", out, "--keep", "2"]
    return [*COACH, "report", *classrooms, "--force", *how, *where, "--json"]


def our_run(
    classrooms: list[str], store: Path, folder: Path, *how: str, watch: bool = False
) -> Cost:
    return run(report_command(classrooms, store, folder / "reports", *how), watch=watch)[0]


def by_coach(classrooms: list[str], store: Path, folder: Path, *how: str) -> Cost:
    """Return what one more report of ours costs."""
    first, last, n = between_pages(classrooms, store, folder, *how)
    return (last - first) / n


def between_pages(
    classrooms: list[str], store: Path, folder: Path, *how: str
) -> tuple[Cost, Cost, int]:
    """Return what a run of ours had cost at one of its first pages and at its last but one.

    What comes before and after differs more from run to run than a report costs. Also
    returned: how many pages there are between the two. Walls are moments.
    """
    seen = watch_pages(classrooms, store, folder / "pages", *how)
    first = min(n for n in seen if n >= FIRST_PAGES)
    last = max(n for n in seen if n < len(classrooms))
    return seen[first], seen[last], last - first


def beside_calls(classrooms: list[str], store: Path, folder: Path) -> float:
    """Return how many reports of B, made meanwhile on the other core, one of ours costs."""
    command = script_command(BY_CALLS, classrooms, store, folder / "beside", "for ever")
    calls = subprocess.Popen(
        [str(word) for word in command],
        cwd=PROJECT, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    theirs: list[Cost] = []

    def listen() -> None:
        for line in calls.stdout:
            cpu, wall, _ = json.loads(line)
            theirs.append(Cost(cpu, wall))

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    time.sleep(SECONDS_TO_WARM)
    first, last, n = between_pages(classrooms, store, folder, *OURS[ONE_WORKER])
    calls.kill()
    calls.wait()
    reader.join()
    beside = [one for one in theirs if first.wall < one.wall <= last.wall]
    a_report = (beside[-1].cpu - beside[0].cpu) / (len(beside) - 1)
    return (last.cpu - first.cpu) / n / a_report


def watch_pages(classrooms: list[str], store: Path, out: Path, *how: str) -> dict[int, Cost]:
    """Make reports; return what the run had cost, and when, when there were how many."""
    import psutil

    command = report_command(classrooms, store, out, *how)
    run = subprocess.Popen(
        [str(word) for word in command],
        cwd=PROJECT, env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    root, seen = psutil.Process(run.pid), {}
    while run.poll() is None:
        n = len(list(out.glob("editions/.making-*/made/*.json")))
        if n not in seen:
            with suppress(psutil.Error):
                processes = [root, *root.children(recursive=True)]
                spent = sum(sum(one.cpu_times()[:4]) for one in processes)
                seen[n] = Cost(spent, time.monotonic())
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return seen


# -- many classrooms ----------------------------------------------------------------------


def lend_calibrations(small: Path, big: Path) -> None:
    """Put the small district's calibrations in force in the big one, which has the same items.

    Calibrating on all of it takes minutes once, and is not what is measured here.
    """
    from analysis.store import StoreIndex
    from analysis.store.calibrations import (
        calibration_in_force,
        calibration_is_due,
        calibration_path,
        hold_calibrations,
        put_in_force,
    )  # fmt: skip

    lender, index = StoreIndex(small), StoreIndex(big)
    for window in index.windows_until(WINDOW):
        if calibration_is_due(index, window):
            source = calibration_path(lender, calibration_in_force(lender, window))
            with hold_calibrations(index) as folder:
                shutil.copy(source, folder / "lent.json")
                put_in_force(index, window, folder / "lent.json")


def big_district(small: Path, store: Path, folder: Path) -> dict[str, Cost | int]:
    """Measure a run that finds nothing to do, and one that finds one classroom changed.

    All pages but the changed one are stand-ins of a line: what is measured links them and
    reads none. The changed one is a real report.
    """
    from analysis.rendering import runner
    from analysis.rendering.plan import Order
    from analysis.rendering.report import keep_page
    from analysis.settings import Settings
    from analysis.store import Store, StoreIndex

    lend_calibrations(small, store)
    out = folder / "big"
    notebooks = PROJECT / "notebooks"
    settings = Settings(store=store, out=out, notebooks=notebooks, workers=2)

    def stand_ins(tasks, settings, kernels):
        for classroom_id, task in tasks.items():
            keep_page(task, "<p>A stand-in.</p>")
            yield classroom_id, None

    make_all, runner._make_all = runner._make_all, stand_ins
    n = len(runner.render_reports(StoreIndex(store), settings, Order(WINDOW)).rendered)
    runner._make_all = make_all
    where = ["--window", WINDOW, "--store", store, "--out", out, "--json"]
    nothing, _ = run([*COACH, "report", *where])
    nothing, said = min((run([*COACH, "report", *where]) for _ in range(3)), key=lambda r: r[0].cpu)
    assert json.loads(said)["rendered"] == []
    one = StoreIndex(store).classroom_ids[n // 2]
    changed = []
    for _ in range(2):
        evidence = Store(store).read_evidence(WINDOW, one)
        flipped = evidence.head(1).assign(points=lambda t: t["points_possible"] - t["points"])
        Store(store).save(evidence=flipped)
        cost, said = run([*COACH, "report", *where])
        assert json.loads(said)["rendered"] == [one], said
        changed.append(cost)
    return {"n": n, "nothing": nothing, "one": min(changed, key=lambda c: c.wall)}


# -- all of it ----------------------------------------------------------------------------


def measure(n_reports: int, n_rounds: int, big: Path | None, *, with_dask: bool) -> str:
    parts: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classrooms, store = make_district(n_reports, folder)

        def calls() -> Cost:
            cost, [*_, cells] = by_script(BY_CALLS, classrooms, store, folder)
            parts.update(cells)
            return cost

        ways = {
            A: lambda: by_commands(classrooms[:1], store, folder),
            "A2: papermill interface, one exporter": lambda: by_script(
                BY_INTERFACE, classrooms[:3], store, folder
            )[0],
            B: calls,
            B_TWICE: lambda: by_script(BY_CALLS, classrooms, store, folder, times=2)[0],
        }
        memory = {}
        for name, how in OURS.items():
            if with_dask or "dask" not in how:
                # Looking at memory takes time of its own: in a run that is not timed. The
                # first also calibrates, and warms the disk's cache.
                memory[name] = our_run(classrooms, store, folder, *how, watch=True).pss
                ways[name] = partial(by_coach, classrooms, store, folder, *how)
        rounds = take_turns(ways, n_rounds)
        beside = [beside_calls(classrooms, store, folder) for _ in range(n_rounds)]
        many = big_district(store, big, folder) if big else None
    return describe(rounds, beside, memory, parts, many, n_reports)


def take_turns(ways: dict[str, Callable[[], Cost]], n_rounds: int) -> list[dict[str, Cost]]:
    """Measure each way once a round, so that a busy minute disturbs all of them alike."""
    return [{name: way() for name, way in ways.items()} for _ in range(n_rounds)]


def typical(rounds: list[dict[str, Cost]], what: str, way: str, by: str = "") -> float:
    """Return the median of a way's figure, or of its ratio to another way's in the same round."""
    return median(getattr(one[way], what) / (getattr(one[by], what) if by else 1) for one in rounds)


def compare_workers(n_reports: int, n_rounds: int) -> str:
    """Return how many reports a second one and two workers make, once they are at work."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classrooms, store = make_district(n_reports, folder)
        our_run(classrooms[:3], store, folder)
        ways = {
            B: lambda: by_script(BY_CALLS, classrooms, store, folder)[0],
            B_TWICE: lambda: by_script(BY_CALLS, classrooms, store, folder, times=2)[0],
        }
        ways |= {
            n: partial(by_coach, classrooms, store, folder, "--workers", n) for n in ("1", "2")
        }
        rounds = take_turns(ways, n_rounds)
    lines = [f"{n}: {typical(rounds, 'wall', n):.2f} s a report" for n in ways]
    ours, limit = typical(rounds, "wall", "1", by="2"), typical(rounds, "wall", B, by=B_TWICE)
    return "\n".join([*lines, f"two make {ours:.2f} times as many; of B {limit:.2f}", ""])


def make_district(n_reports: int, folder: Path) -> tuple[list[str], Path]:
    from analysis.store import StoreIndex

    store = folder / "store"
    run([*COACH, "demo", "--classrooms", str(max(n_reports, 3)), "--out", folder / "exports"])
    run([*COACH, "import", folder / "exports", "--store", store])
    return StoreIndex(store).classroom_ids[:n_reports], store


def describe(
    rounds: list, beside: list[float], memory: dict, parts: dict, many: dict | None, n_reports: int
) -> str:
    lines = [
        "# What a report costs",
        "",
        f"`python benchmarks/render.py --reports {n_reports} --rounds {len(rounds)}`; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end. CPU seconds of all "
        "processes; one more report; medians of the rounds, in which the ways take turns.",
        "",
        "| way | CPU s a report | wall s | times cheaper than A | times B | 50,000: core hours |",
        "|---|---|---|---|---|---|",
    ]
    for name in rounds[0]:
        cpu = typical(rounds, "cpu", name)
        wall = typical(rounds, "wall", name)
        cheaper = typical(rounds, "cpu", A, by=name)
        dearer = typical(rounds, "cpu", name, by=B)
        lines.append(
            f"| {name} | {cpu:.2f} | {wall:.2f} | {cheaper:.1f} | {dearer:.2f} | "
            f"{cpu * 50_000 / 3600:.1f} |"
        )
    lines += [
        "",
        "With B beside it on the other core, a report of ours (1 worker) takes "
        f"{median(beside):.2f} times B's CPU seconds (median of {len(beside)}; "
        f"{min(beside):.2f} to {max(beside):.2f}).",
    ]
    one, two, dask = OURS
    times = typical(rounds, "wall", one, by=two)
    limit = typical(rounds, "wall", B, by=B_TWICE)
    lines += [
        "",
        f"Two workers make {times:.2f} times as many reports as one (wall). Two processes of B, "
        f"which share nothing but the machine, make {limit:.2f} times as many as one.",
    ]
    if dask in rounds[0]:
        times = typical(rounds, "wall", dask, by=two)
        lines += ["", f"Dask takes {times:.2f} times as long as our own pool (wall, 2 workers)."]
    lines += ["", "Peak memory of all processes (proportional set size):", ""]
    lines += [f"- {name}: {pss:.0f} MB" for name, pss in memory.items()]
    lines += ["", "Where B's time goes (last report, CPU ms):", "", "| cell | ms |", "|---|---|"]
    lines += [f"| `{cell}` | {1000 * spent:.0f} |" for cell, spent in parts.items()]
    if many:
        lines += [
            "",
            f"{many['n']} classrooms (their pages stand-ins, see the source):",
            "",
            "| run | CPU s | wall s |",
            "|---|---|---|",
            f"| nothing changed | {many['nothing'].cpu:.2f} | {many['nothing'].wall:.2f} |",
            f"| one classroom changed | {many['one'].cpu:.2f} | {many['one'].wall:.2f} |",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--reports", type=int, default=8)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--workers-only", action="store_true")
    arguments.add_argument("--big", type=Path, help="a store of 2,000 classrooms")
    arguments.add_argument("--no-dask", action="store_true")
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    if given.workers_only:
        print(compare_workers(given.reports, given.rounds))
        return
    told = measure(given.reports, given.rounds, given.big, with_dask=not given.no_dask)
    print(told)
    if given.out:
        given.out.write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
