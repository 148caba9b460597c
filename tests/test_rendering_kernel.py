"""A warm kernel is as good as a fresh one: same bytes, no state, and nothing survives it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty

import nbformat
import pytest
import zmq
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis.district import import_exports, renew_calibration
from analysis.rendering.execution import NotebookFailedError, execute_notebook
from analysis.rendering.kernel import (
    MILLISECONDS_TO_RECONNECT,
    NO_HISTORY,
    ForkedKernel,
    ReportKernelClient,
    kernel_manager_for,
)
from analysis.rendering.kernel_app import ReportKernelApp
from analysis.rendering.page import make_page
from analysis.rendering.task import Limits
from analysis.rendering.warmth import KernelServer, can_fork
from analysis.simulation import simulate_district, write_district
from analysis.store import Store, StoreIndex
from analysis.store.calibrations import calibrations_in_force
from conftest import PROJECT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_fork(), reason="kernels are not forked on this system"),
]

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def server():
    with KernelServer() as server:
        yield server


def save_notebook(file: Path, *sources: str) -> Path:
    cells = [new_code_cell("given = None", metadata={"tags": ["parameters"]}, id="parameters")]
    cells += [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = new_notebook(
        cells=[new_markdown_cell("# Why?", id="title"), *cells],
        metadata={"kernelspec": kernel, "language_info": {"name": "python"}},
    )
    nbformat.write(notebook, file)
    return file


def run(tmp_path: Path, *sources: str, server: KernelServer | None, **how):
    file = save_notebook(tmp_path / "n.ipynb", *sources)
    address = server.address if server else ""
    return execute_notebook(file, {"given": 1}, tmp_path / "out.ipynb", server=address, **how)


def printed(executed) -> str:
    return executed.cells[-1].outputs[0].text.strip()


def papermills_own(notebook: Path, output: Path):
    import warnings

    import papermill

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return papermill.execute_notebook(
            str(notebook), str(output), parameters={"given": 1}, progress_bar=False,
            kernel_name="python3", cwd=str(notebook.parent), coalesce_streams=True,
        )  # fmt: skip


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    for _ in range(100):
        if not is_alive(pid):
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


# -- the same bytes -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_caseload(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    import_exports(
        write_district(simulate_district(4), folder / "exports"), Store(folder / "store")
    )
    return folder / "store"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda file: file.stem)
def test_our_notebooks_and_their_pages_are_byte_identical(
    notebook, tmp_path, server, small_caseload
):
    # What a caseload's cells do does not depend on how many classrooms it has.
    given = {"data_dir": str(small_caseload)} if "caseload" in notebook.stem else {}
    pages = {}
    for name, address in {"warm": server.address, "ordinary": ""}.items():
        executed = execute_notebook(notebook, given, tmp_path / f"{name}.ipynb", server=address)
        pages[name] = make_page(executed, title="T")
    assert pages["warm"] == pages["ordinary"]
    warm, ordinary = (tmp_path / f"{name}.ipynb" for name in pages)
    assert warm.read_bytes() == ordinary.read_bytes()


def test_an_executed_notebook_tells_no_time_no_path_and_no_parameter_twice(tmp_path, server):
    executed = run(tmp_path, "given", server=server)
    assert sorted(executed.metadata) == ["kernelspec", "language_info"]
    assert [cell.id for cell in executed.cells] == ["title", "parameters", "added-2", "cell-0"]
    assert all(set(cell.metadata) <= {"tags"} for cell in executed.cells)


# Equivalents of papermill's own test notebooks, and what Jupyter can show beside them.
SHOWN = {
    "simple": ["print('hello')", "1 + 1", "given"],
    "streams": ["import sys\nfor i in range(3):\n    print(i)\nprint('e', file=sys.stderr)"],
    "in pieces": ["import time\nfor i in range(2):\n    print(i, flush=True)\n    time.sleep(0.4)"],
    "below python": ["import os, time\n_ = os.write(1, b'from C\\n')\ntime.sleep(0.2)"],
    "display": ["from IPython.display import *\ndisplay(HTML('<b>x</b>'), Markdown('*y*'), 3)"],
    "update": [
        "from IPython.display import display, clear_output\nh = display('a', display_id='one')",
        "h.update('b')",
        "print('gone')\nclear_output()\nprint('kept')",
    ],
    "table": ["import pandas as pd\npd.DataFrame({'a': [1, None]})"],
    "chart": ["import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"],
    "chart, not shown": ["import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])"],
    "seaborn": ["import seaborn\n_ = seaborn.lineplot(x=[1, 2], y=[1, 3])"],
    "magics": ["%%bash\necho shell", "%who_ls"],
    "async": ["import asyncio\nawait asyncio.sleep(0)\nprint('awaited')"],
    "unicode": ["print('Peña 数学 ✓ \\u202e')"],
    "environment": ["import sys, __main__\nprint(sys.argv[1:0], __name__, sys.path[0] == '')"],
    "seeded": ["import numpy as np\nnp.random.default_rng(0).random(3)"],
    "threads": ["import threading\nprint(threading.main_thread() is threading.current_thread())"],
    "from threads": [
        "def say():\n    print('one', flush=True)\n    print('two')\n"
        "for _ in range(9):\n    thread = threading.Thread(target=say)\n    thread.start()\n"
        "    thread.join()"
    ],
    "from a fork": [
        "import os, sys\nsys.stdout.flush()\npid = os.fork()\n"
        "if pid == 0:\n    print('child', flush=True)\n    os._exit(0)\n_ = os.waitpid(pid, 0)\n"
        "import time\ntime.sleep(0.2)"
    ],
    "child process": ["import subprocess\nsubprocess.run(['echo', 'child'], check=True)"],
}


@pytest.fixture(scope="module")
def shown_by_both(tmp_path_factory, server) -> dict[str, list]:
    """Each case's outputs under our kernel and under papermill's own engine, run once."""
    folder = tmp_path_factory.mktemp("shown")
    sources = [source for case in SHOWN.values() for source in case]
    warm = run(folder, *sources, server=server)
    own = papermills_own(folder / "n.ipynb", folder / "own.ipynb")
    pairs = iter([(a.outputs, b.outputs) for a, b in zip(warm.cells, own.cells, strict=True)
                  if a.cell_type == "code"][2:])  # fmt: skip
    return {name: [next(pairs) for _ in case] for name, case in SHOWN.items()}


@pytest.mark.parametrize("case", SHOWN)
def test_what_a_cell_shows_is_what_papermills_own_engine_gives(case, shown_by_both):
    for ours, own in shown_by_both[case]:
        assert ours == own


def test_what_is_printed_in_pieces_is_one_text_however_the_clock_cuts_it(shown_by_both):
    [(ours, _)] = shown_by_both["in pieces"]
    assert [output.text for output in ours] == ["0\n1\n"]


FAILING = {
    "error": "1 / 0",
    "broken": "def f(:",
    "magic": "%no_such_magic",
    "interrupted": "raise KeyboardInterrupt",
    "exit": "import sys; sys.exit(1)",
    "exit in words": "import sys; sys.exit('because')",
    "input": "input('?')",
}


@pytest.mark.parametrize("source", FAILING.values(), ids=FAILING.keys())
def test_a_cell_that_fails_there_fails_here_with_the_same_outputs(source, tmp_path, server):
    import papermill

    with pytest.raises(NotebookFailedError, match="cell 3 stopped"):
        run(tmp_path, source, "'never'", server=server)
    kept = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    with pytest.raises(papermill.PapermillExecutionError, match="Exception encountered"):
        papermills_own(tmp_path / "n.ipynb", tmp_path / "own.ipynb")
    own = nbformat.read(tmp_path / "own.ipynb", as_version=4)
    outputs = [[c.outputs for c in n.cells if c.cell_type == "code"] for n in (kept, own)]
    assert outputs[0] == outputs[1]


# -- isolated -----------------------------------------------------------------------------


def test_nothing_of_one_report_reaches_the_next(tmp_path, server):
    spoil = "import pandas, builtins, os\npandas.leak = builtins.leak = os.environ['LEAK'] = 'x'"
    run(tmp_path, spoil + "\npandas.set_option('display.max_rows', 1)", server=server)
    look = (
        "import pandas, builtins, os\n"
        "print(hasattr(pandas, 'leak'), hasattr(builtins, 'leak'), 'LEAK' in os.environ,"
        " pandas.get_option('display.max_rows'))"
    )
    assert printed(run(tmp_path, look, server=server)) == "False False False 60"


@pytest.mark.parametrize("draw", ["random.random()", "numpy.random.random()"])
def test_two_reports_do_not_draw_the_same_random_numbers(draw, tmp_path, server):
    source = f"import random, numpy; print({draw})"
    drawn = {printed(run(tmp_path, source, server=server)) for _ in range(2)}
    assert len(drawn) == 2


def test_a_warm_kernel_is_a_child_of_the_server_and_has_what_it_needs(tmp_path, server):
    source = "import os, sys; print(os.getppid(), 'analysis.classroom' in sys.modules)"
    assert printed(run(tmp_path, source, server=server)) == f"{server.pid} True"


def test_the_server_computes_nothing_and_starts_no_thread(tmp_path, server):
    run(tmp_path, "1", server=server)
    assert len(list(Path(f"/proc/{server.pid}/task").iterdir())) == 1
    source = "import sys; print('matplotlib.pyplot' in sys.modules)"
    assert printed(run(tmp_path, source, server=server)) == "False"


def test_almost_nothing_is_left_for_a_kernel_to_import(tmp_path, server):
    notebook = PROJECT / "notebooks" / "classroom_report.ipynb"
    content = nbformat.read(notebook, as_version=4)
    content.cells.insert(0, new_code_cell("import sys; before = set(sys.modules)"))
    content.cells.append(new_code_cell("print(*sorted(set(sys.modules) - before))"))
    for cell in content.cells:
        cell.source = cell.source.replace("../data/demo", str(PROJECT / "data" / "demo"))
    nbformat.write(content, tmp_path / "n.ipynb")
    executed = execute_notebook(
        tmp_path / "n.ipynb", {}, tmp_path / "out.ipynb", server=server.address
    )
    assert len(printed(executed).split()) < 30, printed(executed)


def test_a_client_looks_for_the_kernels_sockets_every_few_milliseconds(tmp_path):
    manager = kernel_manager_for(str(tmp_path), working_folder=".", server="", memory=0)()
    client = manager.client()
    assert client.context.getsockopt(zmq.RECONNECT_IVL) == MILLISECONDS_TO_RECONNECT < 10


def test_only_a_persons_kernel_has_a_debugger(tmp_path, server):
    source = (
        "import sys; from ipykernel.debugger import _is_debugpy_available as known\n"
        "there = [name in sys.modules for name in ('debugpy', 'hypothesis')]\n"
        "import debugpy, hypothesis\n"
        "print(known, *there, debugpy.__name__, hypothesis.__name__)"
    )
    assert printed(run(tmp_path, source, server=server)) == "False False False debugpy hypothesis"
    with KernelServer(for_reports=False) as own:
        assert printed(run(tmp_path, source, server=own)) == "True True False debugpy hypothesis"


def test_a_report_kernel_hands_no_message_from_thread_to_thread(tmp_path, server):
    source = "import threading\nprint(sorted(one.name for one in threading.enumerate()))"
    handing = {"IOPub", "Shell channel"}
    assert not handing & set(eval(printed(run(tmp_path, source, server=server))))
    with KernelServer(for_reports=False) as own:
        assert handing <= set(eval(printed(run(tmp_path, source, server=own))))


def test_a_report_kernels_shell_is_made_before_the_fork_and_is_nobody_elses(tmp_path, server):
    source = (
        "import os\nshell = get_ipython()\nleft = shell.user_ns.get('mine')\nmine = 1\n"
        "print(left, shell.execution_count, os.environ['PAGER'], shell.kernel.session.session)"
    )
    first, second = (printed(run(tmp_path, source, server=server)).split() for _ in range(2))
    assert first[:3] == second[:3] == ["None", "4", "cat"]
    assert first[3] != second[3]


def test_a_persons_startup_files_run_in_each_kernel_and_not_in_the_server(tmp_path, monkeypatch):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import os\nstarted = os.getpid()\n", "utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    with KernelServer() as server:
        assert printed(run(tmp_path, "print(started == os.getpid())", server=server)) == "True"


def test_a_report_kernels_options_are_read_as_ipykernel_reads_them(tmp_path):
    from ipykernel.kernelapp import IPKernelApp

    given = ["-f", str(tmp_path / "k.json"), "--HistoryManager.hist_file=:memory:", NO_HISTORY]
    read = []
    for kind in (ReportKernelApp, IPKernelApp):
        app = kind()
        app.parse_command_line(given)
        read.append((app.argv, app.config, app.cli_config, app.extra_args, app.connection_file))
    assert read[0] == read[1]
    other = ReportKernelApp()
    other.parse_command_line([*given, "--ip=127.0.0.2"])
    assert (other.ip, other.connection_file) == ("127.0.0.2", given[1])


def test_the_server_reads_calibrations_once_for_all_its_kernels(tmp_path, small_caseload):
    index = StoreIndex(small_caseload)
    renew_calibration(Store(small_caseload), "2026-EOY")
    files = calibrations_in_force(index, ["2025-EOY", "2026-EOY"])
    assert [file.name.startswith("2026-eoy-") for file in files] == [True]
    # As a cluster's task has it: the same calibration, in a store of its own.
    elsewhere = shutil.copytree(small_caseload, tmp_path / "elsewhere")
    with KernelServer() as server:
        server.start([*files, tmp_path / "gone.json"])
        source = (
            "from analysis.district import open_calibration\n"
            "from analysis.mastery import calibration\n"
            "from analysis.store import Store\n"
            f"for folder in ({str(small_caseload)!r}, {str(elsewhere)!r}):\n"
            "    open_calibration(Store(folder), '2026-EOY')\n"
            "print(calibration._made_out.cache_info())"
        )
        shown = printed(run(tmp_path, source, server=server))
    assert "hits=2, misses=1" in shown, shown


def test_a_module_put_off_is_loaded_when_it_is_used_and_no_sooner(tmp_path, server):
    source = (
        "import sys, scipy.stats\nasked = hasattr(scipy.stats, '__file__')\n"
        "late = 'scipy.stats._stats_py' not in sys.modules\n"
        "from scipy.stats import norm, distributions\nimport scipy.stats.mstats as mstats\n"
        "print(asked, late, norm.mean(), scipy.stats.norm is norm, mstats.__name__)"
    )
    assert printed(run(tmp_path, source, server=server)) == "False True 0.0 True scipy.stats.mstats"


def test_a_server_nobody_asked_is_gone_at_once():
    server = KernelServer()
    assert server.pid is None
    with server:
        server.start()
        began = time.monotonic()
    # Its imports alone take longer.
    assert time.monotonic() - began < 2
    wait_until_gone(server.pid)


# -- faults -------------------------------------------------------------------------------

HANGS_IN_C = "import ctypes; ctypes.PyDLL(None).sleep(60)"  # holds Python's lock


@pytest.mark.parametrize(
    ("source", "limits", "said"),
    [
        ("import time; time.sleep(60)", Limits(cell_timeout=1), "more than 1 seconds"),
        ("while True: pass", Limits(cell_timeout=1), "more than 1 seconds"),
        (HANGS_IN_C, Limits(cell_timeout=1), "more than 1 seconds"),
        (HANGS_IN_C, Limits(report_timeout=1), "all cells more than 1"),
        ("bytearray(8 * 10**9)", Limits(memory=4096), "MemoryError"),
        ("import os; os._exit(0)", Limits(), "died"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", Limits(), "died"),
        ("import ctypes; ctypes.string_at(0)", Limits(), "died"),
    ],
)
def test_a_bad_notebook_is_a_failed_one_and_its_process_is_gone(
    source, limits, said, tmp_path, server
):
    check_it_fails(source, limits, said, tmp_path, server)


def test_an_ordinary_kernel_that_hangs_in_c_is_ended_too(tmp_path):
    check_it_fails(HANGS_IN_C, Limits(cell_timeout=1), "more than 1 seconds", tmp_path, None)


def check_it_fails(source, limits, said, tmp_path, server) -> None:
    pid_file = tmp_path / "pid"
    note = f"import os, pathlib; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))"
    with pytest.raises(NotebookFailedError, match=said):
        run(tmp_path, note, source, server=server, limits=limits)
    wait_until_gone(int(pid_file.read_text()))


def test_what_a_cell_started_is_ended_with_its_kernel(tmp_path, server):
    source = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"
    wait_until_gone(int(printed(run(tmp_path, source, server=server))))


def test_a_kernel_whose_client_is_gone_is_ended(tmp_path, server):
    request = {"argv": ["-f", str(tmp_path / "k.json")], "env": dict(os.environ), "cwd": "/"}
    kernel = ForkedKernel(server.address, request)
    assert is_alive(kernel.pid)
    kernel._server.close()
    wait_until_gone(kernel.pid)


def test_a_kernels_exit_code_is_known(tmp_path, server):
    request = {"argv": ["--no-such"], "env": {"HOME": str(tmp_path)}, "cwd": "/no/such/folder"}
    assert ForkedKernel(server.address, request).wait() == 1


def test_a_server_that_dies_takes_its_kernels_along_and_reports_go_on_without_it(tmp_path):
    request = {"argv": ["-f", str(tmp_path / "k.json")], "env": dict(os.environ), "cwd": "/"}
    with KernelServer() as server:
        kernel = ForkedKernel(server.address, request)
        os.kill(server.pid, signal.SIGKILL)
        assert kernel.wait() == -signal.SIGKILL
        wait_until_gone(kernel.pid)
        assert printed(run(tmp_path, "print('made')", server=server)) == "made"


def test_when_the_run_is_killed_its_server_and_kernels_are_gone(tmp_path):
    script = (
        "import os, time\n"
        "from analysis.rendering.kernel import ForkedKernel\n"
        "from analysis.rendering.warmth import KernelServer\n"
        "server = KernelServer()\n"
        "server.start()\n"
        f"asked = {{'argv': ['-f', {str(tmp_path / 'k.json')!r}], 'env': dict(os.environ),"
        " 'cwd': '/'}\n"
        "kernel = ForkedKernel(server.address, asked)\n"
        "print(server.pid, kernel.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with run.stdout:
        pids = [int(pid) for pid in run.stdout.readline().split()]
    run.kill()
    run.wait()
    for pid in pids:
        wait_until_gone(pid)


def test_a_bad_request_does_not_stop_the_server(tmp_path, server):
    import socket

    for nonsense in (b"", b"{not json\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(server.address)
            with suppress(OSError):
                client.sendall(nonsense)
    assert printed(run(tmp_path, "print('well')", server=server)) == "well"


class Said:
    """A channel on which a kernel has said what it will say."""

    def __init__(self, *messages: tuple[str, str]):
        self.messages = [
            {
                "msg_type": kind,
                "parent_header": {"msg_id": "asked" if state else ""},
                "content": {"execution_state": state} if kind == "status" else {},
            }
            for kind, state in messages
        ]

    async def get_msg(self, timeout):
        if not self.messages:
            raise Empty
        return self.messages.pop(0)


GREETED = [("iopub_welcome", "")]
IDLE = [("status", "busy"), ("status", "idle")]


@pytest.mark.parametrize(
    ("output", "n_asked"),
    [(GREETED, 1), (IDLE, 1), ([*GREETED, *IDLE], 1), ([("stream", "")], 2)],
    ids=["greeted", "idle", "both", "an older kernel that spoke too soon"],
)
def test_a_kernel_is_asked_once_where_its_output_is_heard(output, n_asked):
    class Client(ReportKernelClient):
        shell_channel = Said(*[("kernel_info_reply", "asked")] * 2)
        iopub_channel = Said(*output)
        n_asked = 0

        def kernel_info(self):
            self.n_asked += 1
            self.iopub_channel.messages += Said(*IDLE).messages if self.n_asked > 1 else []
            return "asked"

        async def is_alive(self):
            return True

    client = Client()
    with ThreadPoolExecutor(1) as beside:  # a browser of another test may keep a loop running here
        beside.submit(lambda: asyncio.run(client.wait_for_ready())).result()
    assert client.n_asked == n_asked
