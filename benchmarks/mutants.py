"""How many small faults the tests find: mutation scores of four rooms of the package.

Run: ``pip install mutmut==3.8.1`` beside the project's own packages, then
``python benchmarks/mutants.py [ROOM ...] [--sample N] [--seed N]``; it writes the rooms'
parts of ``results/mutants.md``.

The faults are mutmut's: an operator exchanged, a number one more, an argument left out or
``None``, a condition forced, a text that is a name (of a column, an option) misspelt, at
most one at a time; not in docstrings, messages or annotations. All happens in a copy of the
project. A fault in a function is written into the copy and tried in a process forked from
one in which everything is collected: the function's code is exchanged and those of the
room's own tests that reach the statement run, the quickest first, until one fails. For what
stands outside functions the package is imported anew and all the room's tests run. Before
any fault, the tests have to pass both ways without one.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import importlib
import math
import os
import pickle
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
import types
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import coverage
import hypothesis
import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

PROJECT = Path(__file__).parents[1]
SOURCE = PROJECT / "src"
RESULTS = Path(__file__).parent / "results" / "mutants.md"
EQUIVALENT = Path(__file__).parent / "mutants_equivalent.toml"
NAME = re.compile(r"""['"][\w.:-]*['"]""")
"""A text that is a name and not a message."""

TIMES, GRACE = 10, 3
"""A test may take so many times the processor seconds it takes without the fault, and so many
seconds more; one that is stopped there counts as finding it."""

LIBRARIES = ["pandera.pandas", "scipy.optimize", "sklearn", "matplotlib.pyplot", "networkx",
             "pydantic", "papermill", "nbconvert", "babel"]  # fmt: skip
"""Loaded once, and not again for each process in which the package is imported anew."""

MEMORY = 8 << 30
WANTED = 0.85
SURVIVED, FOUND, STOPPED, UNREACHED = "survived", "found", "found (stopped)", "no test reaches it"
CANNOT_EXCHANGE, BROKEN = 97, 98
"""What a process that tried a mutant ends with, beside pytest's own codes."""


@dataclass(frozen=True)
class Room:
    """What is mutated, and the tests that have to find it."""

    modules: str
    tests: tuple[str, ...]

    def files(self) -> list[Path]:
        return sorted(SOURCE.glob(self.modules))


ROOMS = {
    "privacy": Room("analysis/privacy/*.py", ("tests/test_privacy.py",)),
    "staleness": Room("analysis/rendering/staleness.py", ("tests/test_staleness.py",)),
    "mastery": Room("analysis/mastery/*.py", ("tests/test_mastery*.py",)),
    "grouping": Room("analysis/grouping/*.py", ("tests/test_grouping*.py",)),
}


@dataclass(frozen=True)
class Mutant:
    """One fault: the lines it changes, and the function to exchange (empty: outside of any)."""

    file: Path
    function: str
    lines: range
    was: str
    becomes: str
    source: str = field(repr=False)

    @property
    def module(self) -> str:
        return ".".join(self.file.relative_to(SOURCE).with_suffix("").parts).removesuffix(
            ".__init__"
        )

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it whatever stands above it in the file."""
        where = str(self.file.relative_to(SOURCE / "analysis"))
        return where, self.function, self.was, self.becomes


class Faults(MutationVisitor):
    """mutmut's visitor, also into decorated functions: no function is copied here."""

    def __init__(self) -> None:
        super().__init__(mutation_operators, IgnoredCode(set(), set(), set()))
        self.path: list[cst.CSTNode] = []
        self.places: list[tuple[str, range]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.path.append(node)
        if isinstance(node, cst.Decorator):
            return False
        goes_on = isinstance(node, cst.FunctionDef) or super().on_visit(node)
        place = (self._function(), self._lines())
        self.places += [place] * (len(self.mutations) - len(self.places))
        return goes_on

    def on_leave(self, original_node: cst.CSTNode) -> None:
        self.path.pop()
        super().on_leave(original_node)

    def _function(self) -> str:
        """Return the outermost function whose body the node is in, by its qualified name."""
        names = []
        for node, child in zip(self.path, self.path[1:], strict=False):
            if isinstance(node, cst.ClassDef):
                names.append(node.name.value)
            if isinstance(node, cst.FunctionDef):
                return ".".join([*names, node.name.value]) if child is node.body else ""
        return ""

    def _lines(self) -> range:
        """Return the lines of the statement, or of a compound one's head, the node is in."""
        part = self.path[-1]
        for node in reversed(self.path[:-1]):
            if isinstance(node, cst.BaseCompoundStatement | cst.BaseSuite | cst.Module):
                break
            part = node
        place = self.get_metadata(PositionProvider, part)
        return range(place.start.line, place.end.line + 1)


@dataclass(frozen=True)
class Fault:
    """A mutant that is not written yet."""

    file: Path
    module: cst.Module
    was: cst.CSTNode
    becomes: cst.CSTNode
    function: str
    lines: range

    def write(self) -> Mutant | None:
        """Return the mutant; none where it changes no text or is not Python."""
        before = self.module.code
        after = deep_replace(self.module, self.was, self.becomes).code
        try:
            compile(after, self.file, "exec")
        except SyntaxError:
            return None
        if before == after:
            return None
        return Mutant(self.file, self.function, self.lines, *_what_differs(before, after), after)


def list_faults(file: Path) -> Iterator[Fault]:
    faults = Faults()
    module = MetadataWrapper(cst.parse_module(file.read_text("utf-8"))).visit(faults)
    for mutation, (function, lines) in zip(faults.mutations, faults.places, strict=True):
        was, becomes = mutation.original_node, mutation.mutated_node
        if isinstance(was, cst.SimpleString) and not (
            NAME.fullmatch(was.value) and "XX" in becomes.value
        ):
            continue
        yield Fault(file, module, was, becomes, function, lines)


def _what_differs(before: str, after: str) -> tuple[str, str]:
    """Return the lines that differ, as one line each."""
    old, new = before.splitlines(), after.splitlines()
    start = next(i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    end = next(
        i
        for i, pair in enumerate(zip(old[::-1], new[::-1], strict=False))
        if pair[0] != pair[1] or i >= min(len(old), len(new)) - start - 1
    )
    cut = [" ".join(" ".join(lines[start : len(lines) - end]).split()) for lines in (old, new)]
    return cut[0], cut[1]


def sample_mutants(room: Room, n: int, seed: int) -> tuple[list[Mutant], int]:
    """Return a seeded sample in the order of the files, and how many faults there are."""
    faults = [fault for file in room.files() for fault in list_faults(file)]
    chosen: dict[tuple[str, ...], tuple[int, Mutant]] = {}
    for i in random.Random(seed).sample(range(len(faults)), len(faults)):
        if len(chosen) == n:
            break
        if mutant := faults[i].write():
            chosen.setdefault(mutant.key, (i, mutant))
    return [mutant for _, mutant in sorted(chosen.values(), key=lambda one: one[0])], len(faults)


@contextlib.contextmanager
def written(mutant: Mutant) -> Iterator[None]:
    """Put the mutant into the copy of the project, for processes the tests start."""
    before = mutant.file.read_bytes()
    mutant.file.write_text(mutant.source, encoding="utf-8")
    try:
        yield
    finally:
        mutant.file.write_bytes(before)


class Lines:
    """A pytest plugin: which lines of the package each test reaches, and its seconds.

    What a fixture reaches that several tests share counts for each test that asks for it.
    """

    def __init__(self) -> None:
        self.reached: dict[str, set[tuple[str, int]]] = {}
        self.shared: dict[str, set[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}

    def measure(self, item: pytest.Item, after: pytest.Item | None) -> None:
        forget_cached()
        start = process_time()
        with _reached_lines() as lines:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        self.seconds[item.nodeid] = process_time() - start
        shared = [self.shared.get(name, set()) for name in getattr(item, "fixturenames", ())]
        self.reached[item.nodeid] = lines.union(*shared)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        if fixturedef.scope == "function" or not (outer := coverage.Coverage.current()):
            return (yield)
        outer.stop()
        with _reached_lines() as lines:
            result = yield
        outer.start()
        self.shared.setdefault(fixturedef.argname, set()).update(lines)
        return result


def forget_cached() -> None:
    """Empty the caches of the package: each test reaches all it stands on."""
    modules = [module for name, module in sys.modules.items() if name.startswith("analysis")]
    for one in [one for module in modules for one in vars(module).values()]:
        if isinstance(one, functools._lru_cache_wrapper):
            one.cache_clear()


@contextlib.contextmanager
def _reached_lines() -> Iterator[set[tuple[str, int]]]:
    reached: set[tuple[str, int]] = set()
    recorder = coverage.Coverage(data_file=None, source=[str(SOURCE)], config_file=False)
    quiet = ["no-data-collected", "module-not-measured", "module-not-imported"]
    recorder.set_option("run:disable_warnings", quiet)
    recorder.start()
    try:
        yield reached
    finally:
        recorder.stop()
        data = recorder.get_data()
        reached |= {(file, line) for file in data.measured_files() for line in data.lines(file)}


class Trial:
    """A pytest plugin: collect once, then try each mutant in a process forked from there."""

    def __init__(self, room: Room, mutants: list[Mutant], base: Path) -> None:
        self.mutants = mutants
        self.files = set(map(str, room.files()))
        self.base = base
        self.notes = base.parent / "notes"
        self.found: list[tuple[Mutant, str]] = []
        self.seconds: dict[str, float] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("the tests cannot be collected")
        lines = self._measure(session)
        self.seconds = lines.seconds
        session.config.pluginmanager.register(Limits(lines.seconds))
        quickest = sorted(session.items, key=lambda item: lines.seconds[item.nodeid])
        if self._fork(lambda: run_until_failure(quickest, self.notes)):
            raise session.Failed(f"fails without any fault: {self.notes.read_text('utf-8')}")
        for mutant in self.mutants:
            items = [one for one in quickest if self._matters(lines.reached[one.nodeid], mutant)]
            self.notes.write_text("")
            with written(mutant):
                result = self._try(mutant, items) if items else UNREACHED
            self.found.append((mutant, result))
            report(mutant, result, self.notes.read_text("utf-8"))
        return True

    def _matters(self, reached: set[tuple[str, int]], mutant: Mutant) -> bool:
        """Return whether a test reaches the mutant.

        One that seems to reach nothing of the room was not seen to: it starts a process, or
        puts something in the place of the module's file.
        """
        seen = not self.files.isdisjoint(file for file, _ in reached)
        return not seen or any((str(mutant.file), line) in reached for line in mutant.lines)

    def _try(self, mutant: Mutant, items: list[pytest.Item]) -> str:
        def run() -> int:
            if not _exchange(mutant):
                return CANNOT_EXCHANGE
            return run_until_failure(items, self.notes)

        code = self._fork(run)
        return "" if code == CANNOT_EXCHANGE else result_of(code)

    def _measure(self, session: pytest.Session) -> Lines:
        notes = self.base.parent / "lines.pickle"

        def measure() -> int:
            lines = Lines()
            session.config.pluginmanager.register(lines)
            for item, after in zip(session.items, [*session.items[1:], None], strict=True):
                lines.measure(item, after)
            kept = lines.reached, lines.seconds, list(sys.modules)
            notes.write_bytes(pickle.dumps(kept))
            return session.testsfailed

        if self._fork(measure):
            raise session.Failed("the tests fail without any fault")
        lines = Lines()
        # Written a moment ago by our own child.
        lines.reached, lines.seconds, loaded = pickle.loads(notes.read_bytes())
        for name in loaded:  # what a test imports late, each mutant would import again
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        return lines

    def _fork(self, run: Callable[[], int]) -> int:
        code = fork(run)
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir()
        return code


def fork(run: Callable[[], int], *, silent: bool = True) -> int:
    """Return the exit code of a process that runs it; below 0 where it was stopped."""
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            if silent:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 1)
                os.dup2(nowhere, 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            code = run()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def result_of(code: int) -> str:
    if code == BROKEN:
        raise RuntimeError("the process that tried the mutant broke down by itself")
    return STOPPED if code < 0 else FOUND if code else SURVIVED


def report(mutant: Mutant, result: str, test: str = "") -> None:
    print(result, *mutant.key, test, sep=" | ", file=sys.__stderr__, flush=True)


def _exchange(mutant: Mutant) -> bool:
    """Exchange a function's code, wherever it is held: imported, decorated, in a class."""
    held = [
        one for one in gc.get_objects()
        if isinstance(one, types.FunctionType) and one.__module__ == mutant.module
        and one.__code__.co_qualname == mutant.function
        and one.__code__.co_filename == str(mutant.file)
    ]  # fmt: skip
    try:
        code = _find_code(compile(mutant.source, mutant.file, "exec"), mutant.function)
        for function in held:
            function.__code__ = code
    except (LookupError, ValueError):  # it is gone, or no longer closes over the same names
        return False
    return bool(held)


def _find_code(code: types.CodeType, name: str) -> types.CodeType:
    inside = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    for one in inside:
        if one.co_qualname == name:
            return one
        if name.startswith(f"{one.co_qualname}."):
            return _find_code(one, name)
    raise LookupError(name)


class Limits:
    """A pytest plugin: stop the process where a test takes far longer than it should."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        limit = TIMES * self.seconds.get(item.nodeid, 1.0) + GRACE
        signal.setitimer(signal.ITIMER_PROF, limit)
        signal.alarm(int(20 * limit))  # for one that only waits


def run_until_failure(items: list[pytest.Item], notes: Path) -> int:
    """Return 1 once a test fails, and note which; 0 where none does."""
    for item, after in zip(items, [*items[1:], None], strict=True):
        notes.write_text(item.nodeid, encoding="utf-8")
        item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        if item.session.testsfailed:
            return 1
    notes.write_text("")
    return 0


def run_pytest(room: Room, base: Path, *more: str, plugins: tuple = ()) -> int:
    # A deadline would count a slow machine as a fault found.
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )  # fmt: skip
    hypothesis.settings.load_profile("mutants")
    tests = [str(file) for one in room.tests for file in sorted(PROJECT.glob(one))]
    files = [str(file) for file in room.files()]
    options = ["-s", "-m", "not slow", "-p", "no:cacheprovider",
               "-W", "ignore::pytest.PytestAssertRewriteWarning"]  # fmt: skip
    return pytest.main(
        [f"--rootdir={PROJECT}", f"--basetemp={base}", *options, *more, *tests, *files],
        plugins=list(plugins),
    )


def try_anew(room: Room, mutant: Mutant | None, seconds: dict[str, float]) -> str:
    """Import the package anew, with the mutant in it, and run all the room's tests."""

    def run() -> int:
        with tempfile.TemporaryDirectory() as folder:
            return run_pytest(room, Path(folder) / "tests", "-x", plugins=(Limits(seconds),))

    with written(mutant) if mutant else contextlib.nullcontext():
        return result_of(fork(run))


def try_in_place(room: Room, mutants: list[Mutant], folder: Path) -> tuple[list, dict]:
    """Return the result for each mutant of a function, and the seconds each test takes."""
    kept = folder / "kept.pickle"
    base = folder / "tests"
    base.mkdir()

    def run() -> int:
        trial = Trial(room, mutants, base)
        code = run_pytest(room, base, plugins=(trial,))
        kept.write_bytes(pickle.dumps((trial.found, trial.seconds)))
        return code

    if fork(run, silent=False):
        raise SystemExit("The tests fail without any fault: run them by themselves.")
    return pickle.loads(kept.read_bytes())  # written a moment ago by our own child


def judge_room(name: str, n: int, seed: int) -> tuple[list[tuple[Mutant, str]], int]:
    room = ROOMS[name]
    mutants, n_all = sample_mutants(room, n, seed)
    with tempfile.TemporaryDirectory() as folder:
        found, seconds = try_in_place(room, [m for m in mutants if m.function], Path(folder))
    for library in LIBRARIES:
        importlib.import_module(library)
    if try_anew(room, None, seconds) != SURVIVED:
        raise SystemExit("The tests fail without any fault where the package is imported anew.")
    results = dict(found)
    for mutant in mutants:
        if not results.get(mutant):
            results[mutant] = try_anew(room, mutant, seconds)
            report(mutant, results[mutant])
    return [(mutant, results[mutant]) for mutant in mutants], n_all


def read_equivalent() -> dict[tuple[str, str, str, str], str]:
    """Return the mutants that no test can find, each with the reason."""
    if not EQUIVALENT.exists():
        return {}
    rows = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("mutant", [])
    return {(r["file"], r["function"], r["was"], r["becomes"]): r["why"] for r in rows}


def wilson(found: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z, p = 1.96, found / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def describe_room(name: str, found: list[tuple[Mutant, str]], n_all: int, seed: int) -> str:
    equivalent = read_equivalent()
    judged = [(m, result) for m, result in found if m.key not in equivalent]
    counts = Counter(result for _, result in judged)
    n_found = counts[FOUND] + counts[STOPPED]
    low, high = wilson(n_found, len(judged))
    lines = [
        f"## {name}", "",
        f"{n_found} of {len(judged)} found: **{n_found / len(judged):.1%}** "
        f"(95 % interval {low:.1%} to {high:.1%}; {WANTED:.0%} wanted). Tried {len(found)} of "
        f"{n_all} faults; {len(found) - len(judged)} of them change nothing that could be seen; "
        f"{counts[STOPPED]} counted as found because a test took {TIMES} times as long or the "
        f"process broke down; {counts[UNREACHED]} that no test reaches count as not found.", "",
        f"`python benchmarks/mutants.py {name} --sample {len(found)} --seed {seed}`", "",
    ]  # fmt: skip
    lost = [m for m, result in judged if result in (SURVIVED, UNREACHED)]
    same = [m for m, _ in found if m.key in equivalent]
    for title, some in (("Not found", lost), ("Equivalent", same)):
        if some:
            lines += [f"### {title}", "", "| where | was | becomes |", "|---|---|---|"]
            for m in some:
                where = f"{m.key[0]} {m.function}".strip()
                lines.append(" | ".join(["", *map(_cell, (where, m.was, m.becomes)), ""]).strip())
                if m.key in equivalent:
                    lines.append(f"| | {equivalent[m.key]} | |")
            lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def read_rooms(file: Path) -> dict[str, str]:
    """Return the parts of the rooms in a file of results."""
    text = file.read_text("utf-8") if file.exists() else ""
    return {part.split()[0]: f"## {part}" for part in text.split("\n## ")[1:]}


def write_rooms(parts: dict[str, str]) -> None:
    """Put the parts of some rooms into the results; those of the others stay."""
    rooms = read_rooms(RESULTS) | parts
    head = (
        "# Mutation scores\n\n"
        "Faults put into the code one at a time, and found by a room's own quick tests.\n"
    )
    ordered = [rooms[name].strip() + "\n" for name in ROOMS if name in rooms]
    RESULTS.write_text("\n".join([head, *ordered]), encoding="utf-8")


def _tracked_files() -> list[str]:
    """Return the files git tracks or would: no student data."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name and (PROJECT / name).is_file()]


def run_in_a_copy(rooms: list[str]) -> None:
    """Run this again in a copy of the project, and keep what it finds."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "project"
        for name in _tracked_files():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, copy / name)
        if (shared := PROJECT.parent / "shared").exists():
            (copy.parent / "shared").symlink_to(shared.resolve())
        ours = {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1",
                "OMP_NUM_THREADS": "1"}  # fmt: skip
        command = [sys.executable, copy / "benchmarks" / "mutants.py", *sys.argv[1:], "--here"]
        subprocess.run(command, env=os.environ | ours, check=True)
        made = read_rooms(copy / RESULTS.relative_to(PROJECT))
        write_rooms({name: made[name] for name in rooms})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], default=list(ROOMS))
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="another seed, another sample")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.chdir(PROJECT)
    if options.here:
        for name in options.rooms:
            found, n_all = judge_room(name, options.sample, options.seed)
            text = describe_room(name, found, n_all, options.seed)
            write_rooms({name: text})
            print(text)
    else:
        run_in_a_copy(options.rooms)


if __name__ == "__main__":
    main()
