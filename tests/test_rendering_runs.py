"""Real runs through the command line: reasons, editions, faults, a cluster."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from analysis.rendering.warmth import can_fork
from conftest import PROJECT, WINDOW

pytestmark = pytest.mark.slow

COACH = [sys.executable, "-c", "from analysis.cli import main; main()"]
CLASSROOMS = ["demo-3a", "demo-4a", "demo-5a"]


def coach(*words: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COACH, *map(str, words)], cwd=PROJECT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Three demo classrooms with a page each."""
    folder = tmp_path_factory.mktemp("made")
    coach("demo", "--classrooms", "3", "--out", folder / "exports")
    coach("import", folder / "exports", "--store", folder / "store")
    done = report(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def district(made, tmp_path) -> Path:
    """A copy of them that a test may spoil."""
    shutil.copytree(made, tmp_path / "d", symlinks=True)
    return tmp_path / "d"


def report(folder: Path, *words: str | Path, start: bool = False):
    where = ("--window", WINDOW, "--store", folder / "store", "--out", folder / "reports")
    if start:
        command = [*COACH, "report", *map(str, words), *map(str, where)]
        return subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    return coach("report", *words, *where, "--json")


def pages(folder: Path) -> dict[str, bytes]:
    found = (folder / "reports" / "current").glob("demo-*.html")
    return {page.name: page.read_bytes() for page in found}


def with_cell(folder: Path, source: str) -> tuple[str, Path]:
    """Return the option for a report notebook with one more cell before its last."""
    notebook = nbformat.read(PROJECT / "notebooks" / "classroom_report.ipynb", as_version=4)
    notebook.cells.insert(-1, nbformat.v4.new_code_cell(source, id="more"))
    (folder / "notebooks").mkdir()
    nbformat.write(notebook, folder / "notebooks" / "classroom_report.ipynb")
    settings = f'notebooks = "{folder}/notebooks"\ncell_timeout = 20\n'
    (folder / "coach.toml").write_text(settings)
    return "--config", folder / "coach.toml"


def test_reasons_and_time_are_told_before_anything_runs(district):
    where = ("--window", WINDOW, "--store", district / "store", "--out", district / "reports")
    done = coach("report", "demo-3a", "--force", "--why", "--dry-run", *where)
    assert "demo-3a: asked for" in done.stdout
    assert "1 reports to make, 0 made by a stopped run, 0 unchanged. About" in done.stdout
    assert len(list((district / "reports" / "editions").iterdir())) == 1


def test_editions_are_listed_and_rolled_back(district):
    assert report(district, "demo-3a", "--force").returncode == 0
    listed = json.loads(coach("editions", "--out", district / "reports", "--json").stdout)
    assert [one["current"] for one in listed] == [False, True]
    assert [one["reports"] for one in listed] == [3, 3]
    back = coach("rollback", "--out", district / "reports")
    assert listed[0]["edition"] in back.stdout
    assert (district / "reports" / "current").resolve().name == listed[0]["edition"]


def test_nothing_heavy_is_loaded_when_there_is_nothing_to_do(district):
    script = (
        "import sys\nfrom analysis.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'pyarrow', 'papermill', 'nbconvert', 'nbformat'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    where = ["--window", WINDOW, "--store", district / "store", "--out", district / "reports"]
    done = subprocess.run(
        [sys.executable, "-c", script, "report", *map(str, where), "--json"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(json.loads(done.stdout)["unchanged"]) == 3
    assert done.stderr.strip() == "[]"


FAULTS = {
    "demo-3a": ("import sys; sys.exit(0)", "not complete"),
    "demo-4a": ("import ctypes; ctypes.PyDLL(None).sleep(99)", "more than 20 seconds"),
    "demo-5a": ("bytearray(10**11)", "MemoryError"),
}
"""A cell that ends as if all were well, one that hangs in C, one that takes all memory."""


def test_a_fault_in_one_classroom_is_its_failure_alone(district):
    before = pages(district)
    chosen = [f"if classroom_id == {c!r}:\n    {source}" for c, (source, _) in FAULTS.items()]
    done = json.loads(report(district, *with_cell(district, "\n".join(chosen))).stdout)
    told = {one["page_id"]: one["problem"] for one in done["failed"]}
    assert [said in told[c] for c, (_, said) in FAULTS.items()] == [True, True, True], told
    assert pages(district) == before


@pytest.mark.skipif(not can_fork(), reason="workers are seen through /proc")
@pytest.mark.parametrize("n", range(3))
def test_a_killed_run_leaves_the_edition_whole_and_the_next_finishes(n, district):
    before = pages(district)
    run = report(district, "--force", start=True)
    seconds, end = (0.5, 3.0, 5.0)[n], time.monotonic() + 60
    time.sleep(seconds)
    children = psutil.Process(run.pid).children(recursive=True) if run.poll() is None else []
    run.kill()
    run.wait()
    _, alive = psutil.wait_procs(children, timeout=max(1, end - time.monotonic()))
    assert alive == []
    assert pages(district) == before
    assert report(district).returncode == 0
    assert pages(district) == before
    assert list((district / "reports" / "editions").glob(".making-*")) == []


@pytest.mark.skipif(not can_fork(), reason="workers are seen through /proc")
def test_a_run_goes_on_when_its_workers_are_killed(district):
    before = pages(district)
    run = report(district, "--force", "--workers", "2", start=True)
    runs = district / "reports" / "runs"
    for _ in range(300):
        if len(list(runs.iterdir())) == 2:
            break
        time.sleep(0.1)
    for child in psutil.Process(run.pid).children(recursive=True):
        if "forkserver" in " ".join(child.cmdline()) and child.ppid() != run.pid:
            os.kill(child.pid, signal.SIGKILL)
            break
    assert run.wait(timeout=120) in (0, 1)
    assert report(district).returncode == 0
    assert pages(district) == before


def test_a_cluster_makes_the_same_pages(district):
    pytest.importorskip("distributed")
    before = pages(district)
    done = report(district, "--force", "--engine", "dask", "--workers", "1")
    assert json.loads(done.stdout)["rendered"] == CLASSROOMS
    assert pages(district) == before


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed")
    from analysis import crew
    from analysis.errors import UsageError
    from analysis.rendering import cluster
    from analysis.rendering.warmth import KernelServer

    monkeypatch.setattr(crew, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(UsageError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"):
        list(
            cluster.make_on_cluster(
                {}, workers=1, kernels=KernelServer(), scheduler="tcp://127.0.0.1:9"
            )
        )


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_completes_the_edition(district):
    distributed = pytest.importorskip("distributed")
    before = pages(district)
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
    ) as cluster:
        address = cluster.scheduler_address
        run = report(district, "--force", "--scheduler", address, start=True)
        with distributed.Client(cluster) as client:
            for _ in range(600):
                if any(client.processing().values()):
                    break
                time.sleep(0.1)
            busy = next(worker for worker, tasks in client.processing().items() if tasks)
            pids = client.run(os.getpid)
            os.kill(pids[busy], signal.SIGKILL)
        assert run.wait(timeout=240) == 0
    assert pages(district) == before
