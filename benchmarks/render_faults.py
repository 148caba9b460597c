"""Kill, fill and replace while reports are made; after each, ``current`` must be whole.

    python benchmarks/render_faults.py [--kills 200] [--worker-kills 50] [--counts FILE.csv]

After every fault: the edition that is shown is complete and each of its pages is one of the
pages a quiet run makes, byte for byte; and the next run finishes the rest. Every fault is
counted in the file as soon as it is over, so a run that is stopped says how many it did, and
the same command goes on from there; the table beside the file (``.md``) is made from it.

The notebook is a light one, written here: the real parameters, the map of skills, the proof.
What is tried is the engine around it, and hundreds of runs fit into half an hour. The runs
use a copy of the package that is taken first, so that the project may change meanwhile.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil

PROJECT = Path(__file__).parents[1]
COACH = [sys.executable, "-c", "from analysis.cli import main; main()"]
WINDOW = "2026-EOY"
SECONDS_TO_DIE = 10


@dataclass
class Count:
    """Of one kind of fault: how many were planted, and what was found after them."""

    kind: str
    planted: int = 0
    at_work: int = 0
    whole: int = 0
    next_runs: int = 0
    finished: int = 0
    left_processes: int = 0

    def add(self, found: dict[str, bool]) -> None:
        self.planted += 1
        for name, value in found.items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def is_good(self) -> bool:
        return self.whole == self.planted and self.finished == self.next_runs


class District:
    """A few classrooms, and the two sets of pages that quiet runs make of their two states."""

    def __init__(self, folder: Path, classrooms: int):
        self.folder = folder
        self.stores = [folder / "store-a", folder / "store-b"]
        self.store = folder / "store"
        self.out = folder / "reports"
        shutil.copytree(PROJECT / "src", folder / "src")
        os.environ["PYTHONPATH"] = str(folder / "src")
        coach("demo", "--classrooms", str(classrooms), "--out", folder / "exports")
        coach("import", folder / "exports", "--store", self.stores[0])
        write_light_notebook(folder / "notebooks")
        self.report(self.stores[0], folder / "quiet-a")
        shutil.copytree(self.stores[0], self.stores[1])
        change_every_classroom(self.stores[1])
        self.report(self.stores[1], folder / "quiet-b")
        self.quiet = [pages(folder / name) for name in ("quiet-a", "quiet-b")]
        assert all(len(quiet) == classrooms for quiet in self.quiet)
        self.use(0)
        self.report(self.store, self.out)

    def use(self, state: int) -> None:
        """Put the store into one of its states, as another program might."""
        fresh = self.folder / "store-fresh"
        shutil.copytree(self.stores[state], fresh)
        if self.store.exists():
            shutil.move(self.store, self.folder / "store-old")
        fresh.rename(self.store)
        self.state = state
        shutil.rmtree(self.folder / "store-old", ignore_errors=True)

    def command(self, store: Path, out: Path) -> list[str]:
        words = ["report", "--window", WINDOW, "--store", store, "--out", out, "--json"]
        return [*COACH, *map(str, words), "--workers", "2", "--config", str(self.config)]

    @property
    def config(self) -> Path:
        file = self.folder / "coach.toml"
        if not file.exists():
            file.write_text(f'keep = 3\ncell_timeout = 60\nnotebooks = "{self.folder}/notebooks"\n')
        return file

    def report(self, store: Path, out: Path, *how: str) -> dict:
        command = [*self.command(store, out), *how]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.stdout else {"error": done.stderr}

    def start(self, *how: str) -> subprocess.Popen:
        return subprocess.Popen(
            [*self.command(self.store, self.out), *how], cwd=PROJECT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def is_whole(self) -> bool:
        """Say whether the edition that is shown is complete, and every page a quiet run's."""
        shown = pages(self.out)
        whole = set(shown) == set(self.quiet[0])
        whole &= all(page in {quiet[name] for quiet in self.quiet} for name, page in shown.items())
        whole &= (self.out / "current" / "index.html").read_text().endswith("</html>")
        for edition in (self.out / "editions").glob("[0-9]*"):
            entries = json.loads((edition / "edition.json").read_text())["entries"]
            whole &= {one["file"] for one in entries} == {f.name for f in edition.glob("demo-*")}
        return whole

    def next_run(self) -> dict[str, bool]:
        """Run again; say whether every page is the one of the store's state."""
        told = self.report(self.store, self.out)
        finished = pages(self.out) == self.quiet[self.state]
        if not finished:
            print("the next run did not finish:", json.dumps(told), file=sys.stderr, flush=True)
        return {"next_runs": True, "finished": finished}


def write_light_notebook(folder: Path) -> None:
    import nbformat

    notebook = nbformat.read(PROJECT / "notebooks" / "classroom_report.ipynb", as_version=4)
    kept = ("tags", "open_classroom(", "show_skill_map(", "show_proof(")
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [cell for cell in cells if any(word in str(cell) for word in kept)]
    for cell in notebook.cells:
        cell.source = cell.source.replace("classroom.show_facts()", "")
    folder.mkdir()
    nbformat.write(notebook, folder / "classroom_report.ipynb")


def coach(*words: str | Path) -> None:
    subprocess.run([*COACH, *map(str, words)], cwd=PROJECT, capture_output=True, check=True)


def pages(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (out / "current").glob("demo-*.html")}


def change_every_classroom(folder: Path) -> None:
    from analysis.store import Store

    store = Store(folder)
    for classroom_id in store.classroom_ids:
        evidence = store.read_evidence(WINDOW, classroom_id)
        some = evidence.iloc[::3]
        store.save(evidence=some.assign(points=some["points_possible"] - some["points"]))


def kill_run(district: District, chance: random.Random) -> Iterator[dict[str, bool]]:
    """kill -9 of the run at random moments; one that has ended by itself does not count."""
    whole = _seconds_of_a_run(district)
    while True:
        district.use(1 - district.state)
        for n in range(4):  # several kills in a row have one edition to get through
            run = district.start()
            children = _wait(run, chance.uniform(0.0, whole))
            if run.poll() is not None:
                break
            run.kill()
            run.wait()
            found = {"at_work": True, "left_processes": not _all_gone(children)}
            found["whole"] = district.is_whole()
            yield found | (district.next_run() if n == 3 else {})


def kill_workers(district: District, chance: random.Random) -> Iterator[dict[str, bool]]:
    """kill -9 of a random process that works for the run."""
    whole = _seconds_of_a_run(district)
    while True:
        district.use(1 - district.state)
        run = district.start()
        victims = _wait(run, chance.uniform(0.1, 0.9) * whole)
        killed = False
        for victim in chance.sample(victims, min(1, len(victims))):
            try:
                victim.kill()
                killed = True
            except psutil.NoSuchProcess:
                pass
        _end(run)
        if killed:
            yield {"at_work": True, "whole": district.is_whole()} | district.next_run()


def fill_disk(district: District, chance: random.Random) -> Iterator[dict[str, bool]]:
    """A small file system that runs full at some moment (needs root)."""
    shown = sum(-(-f.stat().st_size // 4096) * 4 for f in (district.out / "current").iterdir())
    mount = district.folder / "small"
    mount.mkdir()
    while True:
        # From hardly more than the edition that is shown to enough for the next one as well.
        size = shown + 64 + chance.randrange(2 * shown)
        district.use(1 - district.state)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", mount], check=True)
        try:
            small = District.__new__(District)
            small.__dict__.update(district.__dict__, out=mount / "reports")
            shutil.copytree(district.out, small.out, symlinks=True, ignore=_old_editions(district))
            told = small.report(small.store, small.out)
            found = {
                "at_work": bool(told.get("error") or told.get("failed")),
                "whole": small.is_whole(),
            }
        except (OSError, shutil.Error):
            continue  # not even the edition before fits
        finally:
            subprocess.run(["umount", "-l", mount], check=True)
        yield found


def replace_input(district: District, chance: random.Random) -> Iterator[dict[str, bool]]:
    """The store is replaced while reports are made of it."""
    whole = _seconds_of_a_run(district)
    while True:
        district.use(1 - district.state)
        run = district.start()
        _wait(run, chance.uniform(0.1, 0.9) * whole)
        found = {"at_work": run.poll() is None}
        district.use(1 - district.state)
        _end(run)
        yield found | {"whole": district.is_whole()} | district.next_run()


def hang_in_c(district: District, chance: random.Random) -> Iterator[dict[str, bool]]:
    """A notebook that holds Python's lock in C code and hears no signal."""
    file = district.folder / "notebooks" / "classroom_report.ipynb"
    kept, config = file.read_text("utf-8"), district.config.read_text()
    hanging = kept.replace(
        "classroom.show_skill_map()", "import ctypes; ctypes.PyDLL(None).sleep(999)"
    )
    assert hanging != kept
    while True:
        try:
            file.write_text(hanging, "utf-8")
            district.config.write_text(config.replace("cell_timeout = 60", "cell_timeout = 3"))
            told = district.report(district.store, district.out)
            found = {"at_work": len(told["failed"]) == len(district.quiet[0])}
            found["whole"] = district.is_whole()
        finally:
            file.write_text(kept, "utf-8")
            district.config.write_text(config)
        yield found | district.next_run()


def lose_a_dask_worker(district: District, chance: random.Random) -> Iterator[dict[str, bool]]:
    """A cluster of three worker processes loses one that is at work; the edition is complete."""
    import distributed

    while True:
        with distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
        ) as cluster:
            district.use(1 - district.state)
            run = district.start("--scheduler", cluster.scheduler_address)
            with distributed.Client(cluster) as client:
                while not any(client.processing().values()):
                    assert run.poll() is None, "the run ended before a worker had work"
                    time.sleep(0.02)
                busy = next(one for one, tasks in client.processing().items() if tasks)
                os.kill(client.run(os.getpid)[busy], signal.SIGKILL)
            _end(run)
            complete = pages(district.out) == district.quiet[district.state]
            yield {"at_work": True, "whole": complete and district.is_whole()}


KINDS = {
    "hangs": (hang_in_c, "notebooks hang in C code"),
    "clusters": (lose_a_dask_worker, "a cluster of three loses a worker at work"),
    "disks": (fill_disk, "the disk runs full"),
    "replaced": (replace_input, "the store is replaced in mid-run"),
    "worker_kills": (kill_workers, "kill -9 of a worker, server or kernel"),
    "kills": (kill_run, "kill -9 of the run"),
}


def _end(run: subprocess.Popen) -> None:
    try:
        run.wait(timeout=240)
    except subprocess.TimeoutExpired:
        run.kill()
        raise AssertionError("the run hung") from None


def _seconds_of_a_run(district: District) -> float:
    district.use(1 - district.state)
    began = time.monotonic()
    district.next_run()
    return time.monotonic() - began


def _old_editions(district: District):
    shown = (district.out / "current").resolve().name
    return lambda folder, names: [
        name for name in names
        if Path(folder).name in {"editions", "runs"} and name != shown
    ]  # fmt: skip


def _wait(run: subprocess.Popen, seconds: float) -> list[psutil.Process]:
    """Wait, then return the processes that work for the run."""
    end = time.monotonic() + seconds
    while run.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    try:
        return psutil.Process(run.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _all_gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=SECONDS_TO_DIE)
    for one in alive:
        os.kill(one.pid, signal.SIGKILL)
    return not alive


def read_counts(file: Path) -> dict[str, Count]:
    counts = {kind: Count(kind) for kind in KINDS}
    if file.exists():
        with file.open(newline="") as rows:
            for row in csv.DictReader(rows):
                numbers = {name: int(n) for name, n in row.items() if name != "kind"}
                counts[row["kind"]] = Count(row["kind"], **numbers)
    return counts


def write_counts(file: Path, counts: dict[str, Count], wanted: dict[str, int]) -> None:
    with file.open("w", newline="") as rows:
        names = [field.name for field in fields(Count)]
        writer = csv.DictWriter(rows, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(count) for count in counts.values())
    lines = [
        "# Faults while reports are made",
        "",
        "`python benchmarks/render_faults.py`: `current` is whole when each of its pages is, byte "
        "for byte, a quiet run's. Several kills of the run in a row have one next run.",
        "",
        "| fault | wanted | planted | hit the run at work | current whole | next runs | "
        "finished the rest | processes left |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, (_, words) in KINDS.items():
        one = counts[kind]
        lines.append(
            f"| {words} | {wanted[kind]} | {one.planted} | {one.at_work} | {one.whole} | "
            f"{one.next_runs} | {one.finished} | {one.left_processes} |"
        )
    file.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--classrooms", type=int, default=3)
    defaults = {
        "hangs": 2, "clusters": 2, "disks": 12, "replaced": 12, "worker_kills": 50, "kills": 200
    }  # fmt: skip
    for kind, times in defaults.items():
        arguments.add_argument(f"--{kind.replace('_', '-')}", type=int, default=times)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--counts", type=Path, default=Path("render_faults.csv"))
    given = arguments.parse_args()
    wanted = {kind: getattr(given, kind) for kind in KINDS}
    if os.geteuid() != 0:
        wanted["disks"] = 0
    counts, began = read_counts(given.counts), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        district = District(Path(folder), given.classrooms)
        for kind, (plant, words) in KINDS.items():
            count = counts[kind]
            # Going on is with other moments than those that were tried.
            faults = plant(district, random.Random(f"{given.seed} {kind} {count.planted}"))
            while count.planted < wanted[kind]:
                count.add(next(faults))
                write_counts(given.counts, counts, wanted)
            print(f"{time.monotonic() - began:6.0f} s  {words}: {count}", flush=True)
    if not all(count.is_good for count in counts.values()):
        raise SystemExit("An edition was not whole, or a next run did not finish.")


if __name__ == "__main__":
    main()
