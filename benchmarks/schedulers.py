"""Does a workflow system really run our notebook? Asked of Airflow and of jupyter-scheduler.

Each has an environment of its own, which is how they are installed in practice::

    python -m venv /opt/airflow && /opt/airflow/bin/pip install \
        apache-airflow apache-airflow-providers-papermill
    python benchmarks/schedulers.py airflow --python /opt/airflow/bin/python

    python -m venv /opt/jobs && /opt/jobs/bin/pip install jupyter-scheduler
    python benchmarks/schedulers.py jupyter-scheduler --python /opt/jobs/bin/python

The notebook's kernel runs in this Python, found by its kernel specification. The DAG that
is run is the one in docs/scheduling.md. Everything is made in a folder that is deleted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat

from analysis.district import import_exports
from analysis.simulation import simulate_district, write_district
from analysis.store import Store

PROJECT = Path(__file__).parents[1]
WINDOW = "2026-EOY"
NOTEBOOK = "classroom_report.ipynb"
PACKAGES = {
    "airflow": ["apache-airflow", "apache-airflow-providers-papermill", "papermill"],
    "jupyter-scheduler": ["jupyter-scheduler", "jupyter-server", "nbconvert"],
}
LONGEST_RUN = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("system", choices=list(PACKAGES))
    parser.add_argument("--python", type=Path, required=True, help="of its environment")
    given = parser.parse_args()
    told = run(given.system, given.python.absolute())
    print(json.dumps(told, indent=2))


def run(system: str, python: Path) -> dict:
    """Run the classroom report once and return the versions, the seconds, what came out."""
    versions = versions_of(python, PACKAGES[system])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classroom_id = make_project(folder)
        make_kernel(folder, "coach" if system == "airflow" else "python3")
        began = time.perf_counter()
        way = run_airflow if system == "airflow" else run_jupyter_scheduler
        executed = way(folder, python, classroom_id)
        seconds = time.perf_counter() - began
        return {
            "versions": versions,
            "seconds": round(seconds, 1),
            **judge(executed, classroom_id),
        }


def versions_of(python: Path, packages: list[str]) -> dict[str, str]:
    script = (
        "import sys, json; from importlib.metadata import version; "
        "found = {name: version(name) for name in sys.argv[1:]}; "
        "print(json.dumps({'python': sys.version.split()[0]} | found))"
    )
    done = subprocess.run(
        [python, "-c", script, *packages], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def make_project(folder: Path) -> str:
    """Make two simulated classrooms and the notebook beside them; return one classroom."""
    district = simulate_district(2, random_state=7)
    write_district(district, folder / "exports")
    import_exports([folder / "exports"], Store(folder / "data" / "store"))
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / NOTEBOOK).write_bytes((PROJECT / "notebooks" / NOTEBOOK).read_bytes())
    return sorted(district.roster["classroom_id"].unique())[0]


def make_kernel(folder: Path, name: str) -> None:
    """Say how to start a kernel in this Python."""
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Coach's Notebook",
        "language": "python",
        "env": {"PYTHONPATH": str(PROJECT / "src"), "OMP_NUM_THREADS": "1"},
    }
    kernel = folder / "jupyter" / "kernels" / name
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(spec))


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return kept | {"JUPYTER_PATH": str(folder / "jupyter"), "LANG": "C.UTF-8"} | more


def judge(executed: Path, classroom_id: str) -> dict:
    """Say what the executed notebook holds; an error in a cell would be one of its outputs."""
    notebook = nbformat.read(executed, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    shown = json.dumps(outputs)
    return {
        "code_cells_run": sum(cell.execution_count is not None for cell in code),
        "outputs": len(outputs),
        "errors": sum(output.output_type == "error" for output in outputs),
        "names_the_classroom": classroom_id in shown,
        "groups_shown": len(set(re.findall(r"Group \d+", shown))),
    }


# -- Airflow ------------------------------------------------------------------------------


def documented_dag() -> str:
    text = (PROJECT / "docs" / "scheduling.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    return next(block for block in blocks if "PapermillOperator" in block)


def run_airflow(folder: Path, python: Path, classroom_id: str) -> Path:
    dags = folder / "airflow" / "dags"
    dags.mkdir(parents=True)
    (dags / "coach_reports.py").write_text(documented_dag(), encoding="utf-8")
    env = environment(
        folder,
        AIRFLOW_HOME=str(folder / "airflow"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        COACH_FOLDER=str(folder),
        COACH_CLASSROOM=classroom_id,
        COACH_WINDOW=WINDOW,
    )
    airflow = python.parent / "airflow"
    for words in (["db", "migrate"], ["dags", "test", "coach_one_classroom"]):
        done = subprocess.run(
            [airflow, *words], env=env, capture_output=True, text=True, timeout=LONGEST_RUN
        )
        if done.returncode:
            sys.exit(f"airflow {' '.join(words)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return next((folder / "reports" / "runs" / "airflow").glob("*.ipynb"))


# -- jupyter-scheduler --------------------------------------------------------------------


def run_jupyter_scheduler(folder: Path, python: Path, classroom_id: str) -> Path:
    with jupyter_server(folder, python) as ask:
        job = ask("POST", "/scheduler/jobs", {
            "name": "classroom report",
            "input_uri": f"notebooks/{NOTEBOOK}",
            "runtime_environment_name": ask("GET", "/scheduler/runtime_environments")[0]["name"],
            "output_formats": ["ipynb", "html"],
            # It writes values into a cell as they are: a text brings its own quotes.
            "parameters": {
                "classroom_id": repr(classroom_id),
                "window": repr(WINDOW),
                "data_dir": repr(str(folder / "data" / "store")),
            },
        })["job_id"]  # fmt: skip
        until = time.monotonic() + LONGEST_RUN
        # A job that waits for its process is called STOPPED there.
        while (told := ask("GET", f"/scheduler/jobs/{job}"))["status"] not in {
            "COMPLETED", "FAILED",
        }:  # fmt: skip
            if time.monotonic() > until:
                sys.exit("the job did not end")
            time.sleep(1)
        if told["status"] != "COMPLETED":
            sys.exit(f"{told}\n{(folder / 'server.log').read_text()[-3000:]}")
        return next((folder / "jupyter-data" / "scheduler_staging_area" / job).glob("*-*.ipynb"))


@contextmanager
def jupyter_server(folder: Path, python: Path):
    """Start a server of this computer alone and give a function that asks it."""
    token = secrets.token_hex(16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [python, "-m", "jupyter_server", "--no-browser", "--ServerApp.ip=127.0.0.1",
         f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}", "--allow-root",
         "--ServerApp.jpserver_extensions=jupyter_scheduler=True",
         f"--IdentityProvider.token={token}"],
        env=environment(folder, JUPYTER_DATA_DIR=str(folder / "jupyter-data"),
                        JUPYTER_CONFIG_DIR=str(folder / "jupyter-config")),
        stdout=subprocess.DEVNULL, stderr=(folder / "server.log").open("w"),
    )  # fmt: skip

    def ask(method: str, path: str, body: dict | None = None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    try:
        until = time.monotonic() + 60
        while True:
            try:
                ask("GET", "/api/status")
                break
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > until or server.poll() is not None:
                    sys.exit((folder / "server.log").read_text()[-3000:])
                time.sleep(0.5)
        yield ask
    finally:
        server.terminate()
        server.wait(timeout=30)


if __name__ == "__main__":
    main()
