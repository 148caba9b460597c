"""Kill, fill and replace while reports are made; after each, ``current`` must be whole.

    python benchmarks/render_faults.py [--kills 200] [--worker-kills 50] [--out FILE]

After every fault: the edition that is shown is complete and each of its pages is one of the
pages a quiet run makes, byte for byte; and the next run finishes the rest.

The notebook is a light one, written here: the real parameters, the map of skills, the proof.
What is tried is the engine around it, and hundreds of runs fit into a quarter of an hour.
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

    def check_whole(self) -> None:
        """The edition that is shown is complete, and every page is a quiet run's."""
        shown = pages(self.out)
        assert set(shown) == set(self.quiet[0]), "pages are missing"
        for name, page in shown.items():
            assert page in {quiet[name] for quiet in self.quiet}, f"{name} is no whole page"
        assert (self.out / "current" / "index.html").read_text().endswith("</html>")
        for edition in (self.out / "editions").glob("[0-9]*"):
            entries = json.loads((edition / "edition.json").read_text())["entries"]
            assert {one["file"] for one in entries} == {f.name for f in edition.glob("demo-*")}

    def check_finished(self) -> None:
        """The next run finishes: every page is the one of the store's state."""
        self.report(self.store, self.out)
        assert pages(self.out) == self.quiet[self.state], "the next run did not finish"


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


def kill_run(district: District, times: int, chance: random.Random) -> str:
    """kill -9 of the run at random moments, up to after its end."""
    killed, left, whole = 0, 0, _seconds_of_a_run(district)
    for n in range(times):
        if n % 4 == 0:  # several kills in a row have one edition to get through
            district.check_finished()
            district.use(1 - district.state)
        run = district.start()
        children = _wait(run, chance.uniform(0.0, whole))
        killed += run.poll() is None
        run.kill()
        run.wait()
        left += not _all_gone(children)
        district.check_whole()
    district.check_finished()
    return (
        f"{times} kills of the run ({killed} while it ran): current whole each time, "
        f"{left} times a process was left"
    )


def kill_workers(district: District, times: int, chance: random.Random) -> str:
    """kill -9 of a random process that works for the run."""
    killed, failed, whole = 0, 0, _seconds_of_a_run(district)
    while killed < times:
        district.use(1 - district.state)
        run = district.start()
        victims = _wait(run, chance.uniform(0.1, 0.9) * whole)
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
        district.check_finished()
    return (
        f"{killed} kills of workers, servers and kernels: current whole each time; "
        f"{failed} runs had failed reports, which the next one made"
    )


def fill_disk(district: District, times: int) -> str:
    """A small file system that runs full at some moment (needs root)."""
    shown = sum(-(-f.stat().st_size // 4096) * 4 for f in (district.out / "current").iterdir())
    # From hardly more than the edition that is shown to enough for the next one as well.
    sizes = [shown + 64 + 2 * shown * n // times for n in range(times)]
    mount = district.folder / "small"
    mount.mkdir()
    problems = 0
    for size in sizes:
        district.use(1 - district.state)
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
    whole = _seconds_of_a_run(district)
    for _ in range(times):
        district.use(1 - district.state)
        run = district.start()
        _wait(run, chance.uniform(0.1, 0.9) * whole)
        district.use(1 - district.state)
        run.wait(timeout=240)
        district.check_whole()
        district.check_finished()
    return f"{times} stores replaced in mid-run: each page is of one state or the other"


def hang_in_c(district: District) -> str:
    """A notebook that holds Python's lock in C code and hears no signal."""
    notebooks = district.folder / "notebooks"
    file = notebooks / "classroom_report.ipynb"
    kept = file.read_text("utf-8")
    hanging = kept.replace(
        "classroom.show_skill_map()", "import ctypes; ctypes.PyDLL(None).sleep(999)"
    )
    assert hanging != kept
    try:
        file.write_text(hanging, "utf-8")
        config = district.config.read_text()
        district.config.write_text(config.replace("cell_timeout = 60", "cell_timeout = 3"))
        told = district.report(district.store, district.out)
        assert len(told["failed"]) == len(district.quiet[0]), told
        district.check_whole()
    finally:
        file.write_text(kept, "utf-8")
        district.config.write_text(config)
    district.check_finished()
    return f"{len(told['failed'])} notebooks hanging in C: failed, current whole"


def lose_a_dask_worker(district: District, times: int) -> str:
    """A cluster of three worker processes loses one that is at work."""
    import distributed

    for _ in range(times):
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
            assert run.wait(timeout=240) == 0, "the run that lost a worker failed"
            district.check_whole()
            assert pages(district.out) == district.quiet[district.state], (
                "the edition is not complete"
            )
    return f"{times} times a cluster of three lost a worker at work: the edition complete"


def _seconds_of_a_run(district: District) -> float:
    district.use(1 - district.state)
    began = time.monotonic()
    district.check_finished()
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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--classrooms", type=int, default=3)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--worker-kills", type=int, default=50)
    arguments.add_argument("--replaced", type=int, default=12)
    arguments.add_argument("--disks", type=int, default=12)
    arguments.add_argument("--clusters", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    chance, began, told = random.Random(given.seed), time.monotonic(), []

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)
        told.append(f"- {line}\n")

    with tempfile.TemporaryDirectory() as folder:
        district = District(Path(folder), given.classrooms)
        tell(hang_in_c(district))
        tell(lose_a_dask_worker(district, given.clusters))
        if os.geteuid() == 0 and given.disks:
            tell(fill_disk(district, given.disks))
        tell(replace_input(district, given.replaced, chance))
        tell(kill_workers(district, given.worker_kills, chance))
        tell(kill_run(district, given.kills, chance))
    if given.out:
        head = f"# Faults\n\n`python {' '.join(sys.argv)}`: {given.classrooms} classrooms, "
        head += f"load {os.getloadavg()[0]:.0f} at the end.\n\n"
        given.out.write_text(head + "".join(told), encoding="utf-8")


if __name__ == "__main__":
    main()
