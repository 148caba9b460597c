"""Kill, fill and replace while reports are made; after each, ``current`` must be whole.

    python benchmarks/render_faults.py [--kills 200] [--worker-kills 50]

After every fault: the edition that is shown is complete and each of its pages is one of the
pages a quiet run makes, byte for byte; and the next run finishes the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

PROJECT = Path(__file__).parents[1]
COACH = [sys.executable, "-c", "from analysis.cli import main; main()"]
WINDOW = "2026-EOY"
SECONDS_TO_DIE = 10


class District:
    """A few classrooms, and the two sets of pages that quiet runs make of their two states."""

    def __init__(self, folder: Path, classrooms: int):
        self.folder = folder
        self.stores = [folder / "store-a", folder / "store-b"]
        self.store = folder / "store"
        self.out = folder / "reports"
        coach("demo", "--classrooms", str(classrooms), "--out", folder / "exports")
        coach("import", folder / "exports", "--store", self.stores[0])
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
        shutil.rmtree(self.folder / "store-old", ignore_errors=True)

    def command(self, store: Path, out: Path) -> list[str]:
        words = ["report", "--window", WINDOW, "--store", store, "--out", out, "--json"]
        # The calibration stays, so that a page is one of two.
        return [*COACH, *map(str, words), "--workers", "2", "--config", str(self.config)]

    @property
    def config(self) -> Path:
        file = self.folder / "coach.toml"
        if not file.exists():
            file.write_text(f'most_changed = 1.0\nkeep = 3\nnotebooks = "{PROJECT}/notebooks"\n')
        return file

    def report(self, store: Path, out: Path) -> dict:
        done = subprocess.run(
            self.command(store, out), cwd=PROJECT, capture_output=True, text=True, check=False
        )
        return json.loads(done.stdout) if done.stdout else {"error": done.stderr}

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(self.store, self.out), cwd=PROJECT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def check_whole(self) -> None:
        """The edition that is shown is complete, and every page is a quiet run's."""
        shown = pages(self.out)
        assert set(shown) == set(self.quiet[0]), "pages are missing"
        for name, page in shown.items():
            assert page in {quiet[name] for quiet in self.quiet}, f"{name} is no whole page"
        manifest = json.loads((self.out / "current" / "edition.json").read_text())
        assert len(manifest["entries"]) == len(shown)
        assert (self.out / "current" / "index.html").read_text().endswith("</html>")

    def check_finished(self, state: int) -> None:
        """The next run finishes: every page is the one of the store's state."""
        self.report(self.store, self.out)
        assert pages(self.out) == self.quiet[state]


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


def kill_run(district: District, times: int, chance: random.Random) -> str:
    """kill -9 of the run at random moments, up to after its end."""
    began = time.monotonic()
    district.use(1)
    district.check_finished(1)
    whole = time.monotonic() - began
    state, killed, left = 1, 0, 0
    for n in range(times):
        if n % 4 == 0:  # several kills in a row have one edition to get through
            district.check_finished(state)
            state = 1 - state
            district.use(state)
        run = district.start()
        children = _wait(run, chance.uniform(0.0, whole))
        killed += run.poll() is None
        run.kill()
        run.wait()
        left += not _all_gone(children)
        district.check_whole()
    district.check_finished(state)
    return (
        f"{times} kills of the run ({killed} while it ran): current whole each time, "
        f"{left} times a process was left"
    )


def kill_workers(district: District, times: int, chance: random.Random) -> str:
    """kill -9 of a random process that works for the run."""
    state, killed, failed = 1, 0, 0
    for _ in range(times):
        state = 1 - state
        district.use(state)
        run = district.start()
        victims = _wait(run, chance.uniform(1.0, 8.0))
        for victim in chance.sample(victims, min(1, len(victims))):
            try:
                victim.kill()
                killed += 1
            except psutil.NoSuchProcess:
                pass
        try:
            failed += run.wait(timeout=240) != 0
        except subprocess.TimeoutExpired:
            run.kill()
            raise AssertionError("the run hung after a worker was killed") from None
        district.check_whole()
        district.check_finished(state)
    return (
        f"{killed} kills of workers, servers and kernels: current whole each time; "
        f"{failed} of {times} runs had failed reports"
    )


def fill_disk(district: District, sizes: list[int]) -> str:
    """A small file system that runs full at some moment (needs root)."""
    mount = district.folder / "small"
    mount.mkdir()
    problems = 0
    for size in sizes:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", mount], check=True)
        try:
            small = District.__new__(District)
            small.__dict__.update(district.__dict__, out=mount / "reports")
            shutil.copytree(district.out, small.out, symlinks=True, ignore=_old_editions(district))
            told = small.report(small.store, small.out)
            problems += bool(told.get("error") or told.get("failed"))
            small.check_whole()
        except OSError:
            problems += 1  # not even the edition before fits
        finally:
            subprocess.run(["umount", "-l", mount], check=True)
    return f"{len(sizes)} full disks ({problems} runs had problems): current whole each time"


def replace_input(district: District, times: int, chance: random.Random) -> str:
    """The store is replaced while reports are made of it."""
    state = 0
    for _ in range(times):
        district.use(state)
        run = district.start()
        _wait(run, chance.uniform(0.5, 8.0))
        state = 1 - state
        district.use(state)
        run.wait(timeout=240)
        district.check_whole()
        district.check_finished(state)
    return f"{times} stores replaced in mid-run: each page is of one state or the other"


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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--classrooms", type=int, default=4)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--worker-kills", type=int, default=50)
    arguments.add_argument("--replaced", type=int, default=20)
    arguments.add_argument("--disks", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        district = District(Path(folder), given.classrooms)
        print(kill_run(district, given.kills, chance), flush=True)
        print(kill_workers(district, given.worker_kills, chance), flush=True)
        print(replace_input(district, given.replaced, chance), flush=True)
        if os.geteuid() == 0 and given.disks:
            used = sum(f.stat().st_size for f in district.out.rglob("*") if f.is_file()) // 1024
            sizes = [used * n // given.disks for n in range(1, given.disks + 1)]
            district.use(1)
            print(fill_disk(district, sizes), flush=True)


if __name__ == "__main__":
    main()
