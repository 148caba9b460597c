"""How many small faults the tests find: mutation scores of four rooms of the package.

Run: ``pip install mutmut==3.8.1`` beside the project's own packages, then
``python benchmarks/mutants.py [ROOM ...] [--sample N]``; it writes ``results/mutants.md``.

The faults are mutmut's: an operator exchanged, a number one more, an argument left out or
``None``, a condition forced, a text that is a name (of a column, an option) misspelt, at
most one at a time; not in docstrings, messages or annotations. Each is tried in a process
forked from one in which everything is collected: the code of one function is exchanged and
the room's own tests run, those that reach the line first, until one fails. What stands
outside functions is tried in a fresh process.
"""

from __future__ import annotations

import argparse
import contextlib
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
import time
import tomllib
import traceback
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

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
RESULTS = Path(__file__).parent / "results"
EQUIVALENT = Path(__file__).parent / "mutants_equivalent.toml"
NAME = re.compile(r"""['"][\w.:-]*['"]""")
"""A text that is a name and not a message."""

CPU_SECONDS = 10
"""A mutant's tests may take so many times what they take without it; more counts as found."""

MEMORY = 8 << 30
WANTED = 0.85


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
        place = (self._function(), self._lines(node))
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

    def _lines(self, node: cst.CSTNode) -> range:
        place = self.get_metadata(PositionProvider, node, None)
        return range(place.start.line, place.end.line + 1) if place else range(0)


def list_mutants(file: Path) -> Iterator[Mutant]:
    before = file.read_text("utf-8")
    faults = Faults()
    module = MetadataWrapper(cst.parse_module(before)).visit(faults)
    for mutation, (function, lines) in zip(faults.mutations, faults.places, strict=True):
        was = mutation.original_node
        if isinstance(was, cst.SimpleString) and not (
            NAME.fullmatch(was.value) and "XX" in mutation.mutated_node.value
        ):
            continue
        after = deep_replace(module, was, mutation.mutated_node).code
        yield Mutant(file, function, lines, *_what_differs(before, after), after)


def _what_differs(before: str, after: str) -> tuple[str, str]:
    old, new = before.splitlines(), after.splitlines()
    start = next(i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    end = next(
        i
        for i, pair in enumerate(zip(old[::-1], new[::-1], strict=False))
        if pair[0] != pair[1] or i >= min(len(old), len(new)) - start - 1
    )
    cut = [" ".join(" ".join(lines[start : len(lines) - end]).split()) for lines in (old, new)]
    return cut[0], cut[1]


def sample_mutants(room: Room, n: int) -> tuple[list[Mutant], int]:
    """Return a seeded sample in the order of the files, and how many there are in all."""
    every = list({one.key: one for file in room.files() for one in list_mutants(file)}.values())
    chosen = random.Random(0).sample(range(len(every)), min(n, len(every)))
    return [every[i] for i in sorted(chosen)], len(every)


class Trial:
    """A pytest plugin: collect once, then try each mutant in a process forked from there."""

    def __init__(self, mutants: list[Mutant], base: Path) -> None:
        self.mutants = mutants
        self.base = base
        self.found: list[tuple[Mutant, str]] = []
        self.seconds = 0.0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("the tests cannot be collected")
        reached, took, failed = self._measure(session)
        if failed:
            raise session.Failed(f"these fail without any mutant: {failed}")
        self.seconds = sum(took.values())
        for mutant in self.mutants:
            items = sorted(
                session.items,
                key=lambda item, m=mutant: (
                    not _reaches(reached[item.nodeid], m),
                    took[item.nodeid],
                ),
            )
            result = self._fork(lambda m=mutant, i=items: _exchange(m) or run_until_failure(i))
            self.found.append((mutant, result))
            print(len(self.found), result, *mutant.key, sep=" | ", file=sys.__stderr__, flush=True)
        return True

    def _measure(self, session: pytest.Session) -> tuple[dict, dict, list[str]]:
        """Return the lines each test reaches and its CPU seconds, and those that fail."""
        notes = self.base.parent / "baseline.pickle"

        def measure() -> int:
            reached, took, failed = {}, {}, []
            for item, after in zip(session.items, [*session.items[1:], None], strict=True):
                lines = coverage.Coverage(data_file=None, source=[str(SOURCE)], config_file=False)
                quiet = ["no-data-collected", "module-not-measured", "module-not-imported"]
                lines.set_option("run:disable_warnings", quiet)
                start, n_failed = time.process_time(), session.testsfailed
                lines.start()
                item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
                lines.stop()
                data = lines.get_data()
                reached[item.nodeid] = {f: set(data.lines(f)) for f in data.measured_files()}
                took[item.nodeid] = time.process_time() - start
                failed += [item.nodeid] * (session.testsfailed > n_failed)
            notes.write_bytes(pickle.dumps((reached, took, failed, list(sys.modules))))
            return 0

        self._fork(measure)
        *measured, loaded = pickle.loads(notes.read_bytes())  # written a moment ago by our child
        for name in loaded:  # what a test imports late, each mutant would import again
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        return tuple(measured)

    def _fork(self, run) -> str:
        child = os.fork()
        if child == 0:
            os._exit(_in_the_child(run, int(self.seconds * CPU_SECONDS + 10)))
        _, status = os.waitpid(child, 0)
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir()
        if os.WIFSIGNALED(status):
            return "found (stopped)"
        return "survived" if os.WEXITSTATUS(status) == 0 else "found"


def _in_the_child(run, cpu_seconds: int) -> int:
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        if cpu_seconds > 10:
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.alarm(20 * cpu_seconds)  # for one that only waits
        return int(run() or 0)
    except BaseException:
        traceback.print_exc(file=sys.__stdout__)
        return 1


def _reaches(reached: dict[str, set[int]], mutant: Mutant) -> bool:
    return not reached.get(str(mutant.file), set()).isdisjoint(mutant.lines)


def _exchange(mutant: Mutant) -> None:
    """Exchange a function's code, wherever it is held: imported, decorated, in a class."""
    code = _find_code(compile(mutant.source, mutant.file, "exec"), mutant.function)
    held = [
        one for one in gc.get_objects()
        if isinstance(one, types.FunctionType)
        and one.__module__ == mutant.module and one.__qualname__ == mutant.function
    ]  # fmt: skip
    if not held:
        raise LookupError(mutant.function)
    for function in held:
        function.__code__ = code


def _find_code(code: types.CodeType, name: str) -> types.CodeType:
    inside = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    for one in inside:
        if one.co_qualname == name:
            return one
        if name.startswith(f"{one.co_qualname}."):
            return _find_code(one, name)
    raise LookupError(name)


def run_until_failure(items: list[pytest.Item]) -> bool:
    for item, after in zip(items, [*items[1:], None], strict=True):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        if item.session.testsfailed:
            return True
    return False


def run_pytest(room: Room, base: Path, *more: str, plugins: tuple = ()) -> int:
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None)
    hypothesis.settings.load_profile("mutants")
    tests = [str(file) for one in room.tests for file in sorted(PROJECT.glob(one))]
    files = [str(file) for file in room.files()]
    options = [
        "-s",
        "-m",
        "not slow",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    return pytest.main(
        [f"--rootdir={PROJECT}", f"--basetemp={base}", *options, *more, *tests, *files],
        plugins=list(plugins),
    )


def try_alone(mutant: Mutant, room: str) -> str:
    """Try what stands outside functions: another copy of the source, a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        ignore = shutil.ignore_patterns(".*", "__pycache__", "store", "plans", "reports")
        shutil.copytree(PROJECT, copy, ignore=ignore)
        if (shared := PROJECT.parent / "shared").exists():
            (Path(folder) / "shared").symlink_to(shared.resolve())
        (copy / mutant.file.relative_to(PROJECT)).write_text(mutant.source, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, copy / "benchmarks" / "mutants.py", room, "--plain"],
            env=os.environ | {"PYTHONPATH": str(copy / "src")},
            capture_output=True,
        )
    return "survived" if done.returncode == 0 else "found"


def judge_room(name: str, n: int) -> tuple[list[tuple[Mutant, str]], int]:
    room = ROOMS[name]
    mutants, n_all = sample_mutants(room, n)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "tests"
        base.mkdir()
        trial = Trial([one for one in mutants if one.function], base)
        if code := run_pytest(room, base, plugins=(trial,)):
            raise SystemExit(code)
    alone = [(one, try_alone(one, name)) for one in mutants if not one.function]
    return trial.found + alone, n_all


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


def describe_room(name: str, found: list[tuple[Mutant, str]], n_all: int) -> str:
    equivalent = read_equivalent()
    judged = [(m, result) for m, result in found if m.key not in equivalent]
    counts = Counter(result for _, result in judged)
    n_found = len(judged) - counts["survived"]
    low, high = wilson(n_found, len(judged))
    lines = [
        f"## {name}", "",
        f"{n_found} of {len(judged)} found: **{n_found / len(judged):.1%}** "
        f"(95 % interval {low:.1%} to {high:.1%}; {WANTED:.0%} wanted). Tried {len(found)} of "
        f"{n_all} mutants; {len(found) - len(judged)} of them change nothing that could be seen.",
        "",
    ]  # fmt: skip
    survived = [m for m, result in judged if result == "survived"]
    same = [m for m, _ in found if m.key in equivalent]
    for title, some in (("Not found", survived), ("Equivalent", same)):
        if some:
            lines += [f"### {title}", "", "| where | was | becomes |", "|---|---|---|"]
            for m in some:
                where = f"{m.key[0]} {m.function}"
                lines.append(" | ".join(["", *map(_cell, (where, m.was, m.becomes)), ""]).strip())
                if m.key in equivalent:
                    lines.append(f"| | {equivalent[m.key]} | |")
            lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], default=list(ROOMS))
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--plain", action="store_true", help="run a room's tests, no mutant")
    options = parser.parse_args()
    os.chdir(PROJECT)
    if options.plain:
        with tempfile.TemporaryDirectory() as folder:
            raise SystemExit(run_pytest(ROOMS[options.rooms[0]], Path(folder) / "t", "-x"))
    parts = RESULTS / "mutants"
    parts.mkdir(parents=True, exist_ok=True)
    for name in options.rooms:
        found, n_all = judge_room(name, options.sample)
        text = describe_room(name, found, n_all)
        (parts / f"{name}.md").write_text(text, encoding="utf-8")
        print(text)
    rooms = [(parts / f"{name}.md").read_text("utf-8") for name in ROOMS
             if (parts / f"{name}.md").exists()]  # fmt: skip
    head = (
        "# Mutation scores\n\n"
        "Faults put into the code one at a time, and found by a room's own quick tests.\n"
    )
    (RESULTS / "mutants.md").write_text("\n".join([head, *rooms]), encoding="utf-8")


if __name__ == "__main__":
    main()
