"""30 nights of ``coach run`` in which things go wrong at random; what must hold after each.

    python benchmarks/nights.py [--nights 30] [--seed 1] [--out benchmarks/results/nights.md]

Four classrooms deliver every second night, each in its own form (CSV with a byte-order mark,
XLSX, a tidy table with semicolons in UTF-16, a ZIP with tab-separated text). Each night one
or two faults are planted. After every night:

- the edition that is shown is whole, and the audit finds nothing in it;
- the digest says what was planted, and says nothing that did not happen (the faults are read
  back from its sentences; who changed group is counted again from the published pages);
- a run that did not end left the summary of the one before.

At the end every answer that was delivered is in the store with its last value.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from _digests import expect, read_cards, read_digest
from _nights import Exports, full_disk, own_disk, plan_faults, put, spoil
from bs4 import BeautifulSoup

from analysis.audit.auditing import Auditor, accounts_here
from analysis.audit.people import People
from analysis.errors import AnalysisError, DataError, UsageError
from analysis.exports import read_exports
from analysis.nightly import run_night
from analysis.rendering.edition import current_folder, read_edition
from analysis.settings import anchor, read_settings
from analysis.store import Store

PROJECT = Path(__file__).parents[1]
FIRST_NIGHT = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
EVERY_DAYS = 3
MEGABYTES = 96
COACH_TOML = """\
store = "store"
out = "reports"
notebooks = {notebooks}
workers = 2
most_changed = 0.6

[run]
inbox = "inbox"
settle_seconds = 0.05
pages = ["classroom"]
share_to = ["teachers"]
share_out = "shared"
"""
EXPECT = '\n[[run.expect]]\nfiles = "{classroom}/*"\nevery_days = {days}\n'


@dataclass
class Outcome:
    """What is known after a night."""

    night: int
    planted: list[str]
    text: str | None
    exit_code: int | None
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Nights:
    """The district, its inbox, and what is known to be true."""

    def __init__(self, folder: Path, seed: int, *, has_disk: bool):
        self.folder, self.has_disk = folder, has_disk
        self.rng = random.Random(seed)
        self.exports = Exports(seed)
        self.inbox = folder / "inbox"
        self.config = folder / "coach.toml"
        text = COACH_TOML.format(notebooks=json.dumps(str(PROJECT / "notebooks")))
        for one in self.exports.classrooms:
            text += EXPECT.format(classroom=one, days=EVERY_DAYS)
        self.config.write_text(text)
        self.settings = anchor(read_settings(self.config), folder)
        self.pending: dict[int, list] = {}
        self.bad: set[str] = set()
        self.delivered: dict[str, pd.DataFrame] = {}
        self.last_came = dict.fromkeys(self.exports.classrooms, -1)
        self.unsure: list[int] = []
        self.killed_before = False
        self.said_last = self.said_second = ""
        self.groups_told: dict[str, dict[str, str]] = {}
        for name, content in self.exports.reference_files().items():
            put(self.inbox, name, content, FIRST_NIGHT)

    # -- one night ----------------------------------------------------------------------

    def live(self, night: int, faults: list[str]) -> Outcome:
        """Deliver, plant, run, and look at what is there afterwards."""
        now = FIRST_NIGHT + timedelta(days=night)
        due = self.exports.due(night) + self.pending.pop(night, [])
        plan = self._deliver(night, due, faults, now)
        if "clock" in faults:
            now += timedelta(hours=self.rng.choice([-26, -1, 1, 26]))
            self.unsure.append(night)
        before = self._summary()
        began = time.monotonic()
        text, code = self._run(now, faults, plan)
        outcome = Outcome(night, sorted(plan["planted"]), text, code)
        outcome.seconds = round(time.monotonic() - began, 1)
        self._grow_up(plan)
        self._check_whole(outcome)
        if text is None:
            self.killed_before = True
            self.unsure.append(night)
            if self._summary() != before:
                outcome.wrong.append("a killed run left a summary")
        elif not text:
            outcome.wrong.append(f"no digest: {self.said_last}")
        else:
            self._check_digest(outcome, plan)
            self.killed_before = False
            self.groups_told |= self._groups_shown()
        return outcome

    def _deliver(self, night: int, due: list, faults: list[str], now: datetime) -> dict:
        """Put tonight's files into the inbox, with what goes wrong in bringing them."""
        plan = {"planted": set(), "half": None, "new": set(), "copies": 0}
        # A copy grows while this process waits; a run in a process of its own would not see it.
        if {"killed", "overlap"} & set(faults) or ("full" in faults and not self.has_disk):
            faults = [one for one in faults if one != "half"]
        for delivery in due:
            kind = next((one for one in ("missing", "late", "corrupt", "half")
                         if one in faults and one not in plan["planted"]), None)  # fmt: skip
            if kind in {"missing", "late"}:
                nights = 1 if kind == "late" else 4
                self.pending.setdefault(night + nights, []).append(delivery)
                plan["planted"].add(kind)
                continue
            at = now - timedelta(hours=1)
            if "clock" in faults:
                at = self.rng.choice([datetime(1985, 1, 1, tzinfo=UTC),
                                      datetime(2031, 1, 1, tzinfo=UTC)])  # fmt: skip
            if kind == "corrupt":
                content = spoil(delivery, self.rng.randrange(3))
                put(self.inbox, delivery.name, content, at)
                must_refuse(self.inbox / delivery.name)
                self.bad.add(delivery.name)
                self.pending.setdefault(night + self.rng.choice([1, 2]), []).append(delivery)
            elif kind == "half":
                put(self.inbox, delivery.name, delivery.content[:200], at)
                plan["half"] = delivery
            else:
                put(self.inbox, delivery.name, delivery.content, at)
                self.bad.discard(delivery.name)
                self.delivered[delivery.name] = delivery.rows
                plan["new"].add(delivery.name)
            if kind:
                plan["planted"].add(kind)
            self.last_came[delivery.classroom] = night
        self._deliver_again(faults, plan, now)
        plan["planted"] |= set(faults) & {"clock", "full", "killed", "overlap"}
        return plan

    def _deliver_again(self, faults: list[str], plan: dict, now: datetime) -> None:
        old = sorted(set(self.delivered) - plan["new"] - self.bad)
        if "again" in faults and old:
            name = self.rng.choice(old)
            copy = Path(name).with_stem(f"{Path(name).stem} ({len(self.unsure)}-{now.day})")
            put(self.inbox, copy.as_posix(), (self.inbox / name).read_bytes(), now)
            self.last_came[copy.parts[0]] = (now - FIRST_NIGHT).days
            plan["copies"] += 1
            plan["planted"].add("again")
        if "corrected" in faults and old:
            name = self.rng.choice(old)
            classroom, rest = name.split("/")
            window, part = rest.split(".")[0].rsplit("-", 1)
            mended = self.exports.make(classroom, window, int(part), turned=True)
            put(self.inbox, name, mended.content, now)
            self.delivered[name] = mended.rows
            self.last_came[classroom] = (now - FIRST_NIGHT).days
            plan["new"].add(name)
            plan["planted"].add("corrected")

    def _grow_up(self, plan: dict) -> None:
        """A copy that was under way while the run looked is whole now."""
        if plan["half"] is not None:
            delivery = plan["half"]
            (self.inbox / delivery.name).write_bytes(delivery.content)
            self.delivered[delivery.name] = delivery.rows

    # -- the run ------------------------------------------------------------------------

    def _run(self, now: datetime, faults: list[str], plan: dict) -> tuple[str | None, int | None]:
        def sleep(seconds: float) -> None:
            if plan["half"] is not None:
                with (self.inbox / plan["half"].name).open("ab") as file:
                    file.write(plan["half"].content[200:300])

        if "killed" in faults:
            return self._run_and_kill(now)
        if "overlap" in faults:
            return self._run_twice(now, plan)
        if "full" in faults and not self.has_disk:
            return self._child(now, limit=self.rng.choice([3_000, 20_000]))
        if "full" in faults:
            with full_disk(self.folder, self.rng.choice([0, 20_000, 200_000])):
                return self._here(now, sleep)
        return self._here(now, sleep)

    def _here(self, now: datetime, sleep: Callable) -> tuple[str, int]:
        told = run_night(self.settings, now=lambda: now, sleep=sleep)
        return told.digest.text, told.summary["exit_code"]

    def _child(self, now: datetime, limit: int | None = None) -> tuple[str | None, int | None]:
        done = self._start(now, limit)
        text, self.said_last = done.communicate()
        return (text, done.returncode) if done.returncode >= 0 else (None, None)

    def _start(self, now: datetime, limit: int | None = None) -> subprocess.Popen:
        def bound() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        command = [sys.executable, __file__, "--child", str(self.config), now.isoformat()]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, preexec_fn=bound,
        )  # fmt: skip

    def _run_and_kill(self, now: datetime) -> tuple[str | None, int | None]:
        child = self._start(now)
        marker = self.settings.out / "runs" / "nights" / "started.json"
        wait_for(lambda: marker.is_file() or child.poll() is not None)
        time.sleep(self.rng.uniform(0, 12))
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        text, self.said_last = child.communicate()
        return (text, child.returncode) if child.returncode >= 0 else (None, None)

    def _run_twice(self, now: datetime, plan: dict) -> tuple[str | None, int | None]:
        first = self._start(now)
        marker = self.settings.out / "runs" / "nights" / "started.json"
        wait_for(lambda: marker.is_file() or first.poll() is not None)
        second = self._start(now)
        self.said_second, told = second.communicate()
        is_first_at_work = first.poll() is None
        text, self.said_last = first.communicate()
        if first.returncode == 4:
            # The marker was a killed run's: the second start came first.
            plan["second"] = (4, self.said_last, True)
            assert second.returncode != 4, "both starts gave way to each other"
            return self.said_second, second.returncode
        plan["second"] = (second.returncode, told, is_first_at_work)
        return text, first.returncode

    # -- what must hold -----------------------------------------------------------------

    def _check_whole(self, outcome: Outcome) -> None:
        shown = current_folder(self.settings.out)
        if shown is None:
            if outcome.night > 0 and not outcome.planted:
                outcome.wrong.append("no edition is shown")
            return
        edition = read_edition(shown)
        if edition is None or not (shown / "index.html").is_file():
            outcome.wrong.append("the edition that is shown is not whole")
            return
        for entry in edition.entries.values():
            page = shown / entry.file if entry.file else None
            text = page.read_text() if page and page.is_file() else ""
            proof = BeautifulSoup(text, "html.parser").find(attrs={"data-proof": True})
            if entry.file and (proof is None or proof.get("data-page-id") != entry.page_id):
                outcome.wrong.append(f"the page of {entry.page_id} is not whole")
        people = People(Store(self.settings.store).read_roster())
        leaks = Auditor(people, accounts_here()).audit_path(shown)
        outcome.wrong += [f"leak: {one}" for one in leaks]

    def _check_digest(self, outcome: Outcome, plan: dict) -> None:
        text, said = outcome.text, read_digest(outcome.text)
        wrong, full = outcome.wrong, "full" in outcome.planted
        expect(wrong, "the disk is full", said["full"], full and outcome.exit_code != 0)
        if full and outcome.exit_code == 0:
            # There was just enough room: then nothing may be told.
            outcome.planted.remove("full")
            outcome.planted.append("nearly full")
        is_taken = "The new files could not be read" not in text
        if is_taken:
            expect(wrong, "refused", said["refused"], self.bad & self._in_inbox())
            expect(wrong, "copies", said["copies"], plan["copies"])
            least = len(plan["new"])
            if not self.killed_before and said["read"] < least:
                wrong.append(f"read: {said['read']} instead of {least} or more")
        waiting = {plan["half"].name} if plan["half"] is not None else set()
        expect(wrong, "still being copied", said["waiting"], waiting)
        expect(wrong, "cut off", said["killed"], self.killed_before)
        expect(wrong, "another command", said["locked"], False)
        self._check_overdue(outcome, said["overdue"])
        self._check_code(outcome, said)
        if "overlap" in plan["planted"]:
            code, message, was_at_work = plan["second"]
            if was_at_work and (code != 4 or "under way" not in message):
                wrong.append(f"the second start ended with {code}: {message}")
        if not full:
            expect(wrong, "missing", said["missing"], self._silent())
            expect(wrong, "moved", said["moved"], self._moved())

    def _check_code(self, outcome: Outcome, said: dict) -> None:
        wrong = outcome.wrong
        code = 3 if said["refused"] and not said["full"] else outcome.exit_code
        expect(wrong, "exit code", outcome.exit_code, code)
        if not said["full"] and "publish" in self._done_steps():
            expect(wrong, "pages that failed", said["pages"], self._failed_pages())
        n = len(said["refused"]) + len(said["overdue"]) + said["steps"] + len(said["pages"])
        expect(wrong, "things that need somebody", said["needs"], n)
        summary = self._summary()
        if summary and not said["full"]:
            expect(wrong, "summary's code", summary["exit_code"], outcome.exit_code)
        if outcome.exit_code and said["needs"] == 0:
            wrong.append("all is well, it says, with an exit code that is not 0")

    def _done_steps(self) -> set[str]:
        summary = self._summary() or {"steps": []}
        return {one["step"] for one in summary["steps"] if one["status"] == "done"}

    def _failed_pages(self) -> set[str]:
        """Return pages of the edition that could not be made, as its own record has it."""
        edition = read_edition(current_folder(self.settings.out))
        return {one for one, entry in edition.entries.items() if entry.failed}

    def _check_overdue(self, outcome: Outcome, said: set[str]) -> None:
        """Days are told by the clock: one that was wrong lately may be a day or two out."""
        slack = 2 if any(outcome.night - one <= 4 for one in self.unsure) else 0
        for one, last in self.last_came.items():
            # Before anything came, days are counted from the first night.
            days = outcome.night - max(last, 0)
            pattern = f"{one}/*"
            if days >= EVERY_DAYS + slack and pattern not in said:
                outcome.wrong.append(f"{pattern} is missing for {days} days and not named")
            if days < EVERY_DAYS - slack and pattern in said:
                outcome.wrong.append(f"{pattern} is named, but came {days} days ago")

    def _silent(self) -> dict[str, tuple[int, int]]:
        """Return students without an answer in the newest window, from the store's tables."""
        store = Store(self.settings.store)
        heard = set(store.read_evidence(self._summary()["window"])["student_id"])
        roster = store.read_roster()
        counts = roster.groupby("classroom_id")["student_id"].agg(
            lambda ids: (sum(one not in heard for one in ids), len(ids))
        )
        return {one: (n, every) for one, (n, every) in counts.items() if n}

    def _groups_shown(self) -> dict[str, dict[str, str]]:
        """Return which skill each student's card names, read from the published pages."""
        shown = current_folder(self.settings.out)
        edition = read_edition(shown)
        found: dict[str, dict[str, str]] = {}
        for entry in edition.entries.values() if edition else ():
            if entry.file:
                found[entry.page_id] = read_cards((shown / entry.file).read_text())
        return found

    def _moved(self) -> dict[str, int]:
        now, moved = self._groups_shown(), {}
        for one in self.groups_told.keys() & now.keys():
            before = self.groups_told[one]
            names = before.keys() | now[one].keys()
            n = sum(before.get(name) != now[one].get(name) for name in names)
            if n:
                moved[one] = n
        return moved

    def _in_inbox(self) -> set[str]:
        return {one.relative_to(self.inbox).as_posix() for one in self.inbox.rglob("*.*")}

    def _summary(self) -> dict | None:
        file = self.settings.out / "last-run.json"
        return json.loads(file.read_text()) if file.is_file() else None

    def lost(self) -> list[str]:
        """Return the answers that were delivered and are not in the store as they were."""
        store, found = Store(self.settings.store), []
        kept = pd.concat([store.read_evidence(one) for one in store.windows])
        kept = kept.rename(columns={"observation_id": "item_id"})
        key = ["student_id", "item_id", "window"]
        # An item that asks for two skills is two rows of one answer.
        kept = kept.drop_duplicates([*key, "points"])
        for name, rows in self.delivered.items():
            both = rows.merge(kept[[*key, "points"]], on=key, how="left", suffixes=("", "_kept"))
            n = int((both["points"] != both["points_kept"]).sum())
            if n or len(both) != len(rows):
                found.append(f"{name}: {n} of {len(rows)} answers, {len(both) - len(rows)} twice")
        return found


def must_refuse(file: Path) -> None:
    """Stop where a fault that was planted is none."""
    try:
        read_exports([file], window="w")
    except (DataError, UsageError):
        return
    raise AssertionError(f"{file} can be read")


def wait_for(is_so: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)


def live_through(folder: Path, plan: list[list[str]], seed: int, *, has_disk: bool, tell=print):
    """Live through nights, then two quiet ones; return outcomes and lost answers."""
    nights = Nights(folder, seed, has_disk=has_disk)
    outcomes = []
    quiet: list[list[str]] = [[] for _ in range(6)]
    for night, faults in enumerate([*plan, *quiet]):
        if night >= len(plan) and not nights.pending and night > len(plan) + 1:
            break
        outcomes.append(nights.live(night, faults))
        tell(outcomes[-1])
    return outcomes, nights.lost()


def child(config: str, now: str) -> int:
    """Do one run in a process of its own, with a given clock; print its digest."""
    settings = anchor(read_settings(Path(config)), Path(config).parent)
    moment = datetime.fromisoformat(now)
    try:
        told = run_night(settings, now=lambda: moment)
    except AnalysisError as error:
        sys.stderr.write(str(error))
        return error.exit_code
    sys.stdout.write(told.digest.text)
    return told.summary["exit_code"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", nargs=2)
    asked = parser.parse_args()
    if asked.child:
        sys.exit(child(*asked.child))
    began, cpu = time.monotonic(), os.times()
    plan = plan_faults(asked.nights, random.Random(asked.seed))
    with (
        tempfile.TemporaryDirectory(prefix="nights-") as folder,
        own_disk(Path(folder) / "district", MEGABYTES) as has_disk,
    ):
        told = live_through(Path(folder) / "district", plan, asked.seed, has_disk=has_disk)
    lines = report(*told, asked, has_disk, time.monotonic() - began, cpu)
    print(lines)
    if asked.out:
        asked.out.write_text(lines)
    sys.exit(any(one.wrong for one in told[0]) or bool(told[1]))


def report(outcomes, lost, asked, has_disk: bool, wall: float, cpu) -> str:
    """Return the results as Markdown."""
    used = sum(os.times()[:4]) - sum(cpu[:4])
    planted = Counter(fault for one in outcomes for fault in one.planted)
    wrong = [f"night {one.night + 1}: {what}" for one in outcomes for what in one.wrong]
    disk = "a small disk of its own" if has_disk else "a limit on the size of files"
    return "\n".join([
        "# Nights in which things go wrong",
        "",
        f"`python benchmarks/nights.py --nights {asked.nights} --seed {asked.seed}`: "
        f"{len(outcomes)} nights of 4 classrooms, {wall:.0f} s, {used:.0f} CPU s. The full disk "
        f"is {disk}.",
        "",
        "| planted | nights |",
        "|---|---|",
        *(f"| {fault} | {n} |" for fault, n in sorted(planted.items())),
        f"| none | {sum(not one.planted for one in outcomes)} |",
        "",
        f"- runs that were killed before they ended: {sum(o.text is None for o in outcomes)}",
        f"- editions that were not whole, leaks, digests that did not tell the truth: {len(wrong)}",
        f"- files of which an answer was lost: {len(lost)}",
        "",
        *(f"  - {one}" for one in [*wrong, *lost]),
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
