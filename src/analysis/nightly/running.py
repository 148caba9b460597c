"""One run: inbox, import, calibrate, report, audit, publish, share, compare; then it is told.

Every step can be done again without harm and is passed over where nothing has changed. A
step that fails leaves what was there: the store as it was saved last, the edition that was
published last. So a run that was killed anywhere is made good by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

from analysis.errors import DataError, StoppedError
from analysis.nightly.causes import Cause, cause_of, exit_code_of, reason_of, says_full, tell
from analysis.nightly.comparing import compare_groups, find_missing
from analysis.nightly.inbox import look_into, read_record, with_time, write_record
from analysis.nightly.night import Night, Overdue
from analysis.nightly.pages import PHASES, make_pages
from analysis.nightly.sharing_out import share_out
from analysis.nightly.summary import Status, Step
from analysis.nightly.taking import take_in
from analysis.rendering.calibrating import calibrate_where_due
from analysis.rendering.orders import fetch_where_asked
from analysis.rendering.plan import Order
from analysis.settings import Settings
from analysis.store import StoreIndex
from analysis.store.calibrations import hold_calibrations

STEPS = ("inbox", "import", "calibrate", *PHASES, "share", "compare")
NOT_REACHED = "not reached"


ENOUGH = 0.5
"""Share of classrooms that must have evidence in a window before it is reported on unasked.
An edition is of one window: from then on, the other classrooms have no page."""


def newest_window(index: StoreIndex) -> str | None:
    """Return the newest window that enough classrooms have evidence in.

    Where no window has, the one that most classrooms have; ``None`` without any window.
    """
    n = {one: sum(bool(index.evidence_part(room, one)) for room in index.classroom_ids)
         for one in index.windows}  # fmt: skip
    enough = [one for one in n if n[one] >= ENOUGH * len(index.classroom_ids)]
    return enough[-1] if enough else max(n, key=n.__getitem__, default=None)


class _NotReachedError(Exception):
    """A step cannot begin, because one it needs has failed."""


@dataclass(frozen=True)
class _Outcome:
    """What a step did."""

    status: Status
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str | None = None
    exit_code: int = 0


class Run:
    """One run over all steps; told in :attr:`night`.

    Parameters
    ----------
    settings
        With paths that do not depend on the working folder.
    folder
        Where runs keep what the next one needs.
    night
        To be filled.
    sleep
        How to wait.
    """

    def __init__(
        self, settings: Settings, folder: Path, night: Night, sleep: Callable[[float], None]
    ):
        self.settings = settings
        self.folder = folder
        self.night = night
        self.sleep = sleep
        self.index = StoreIndex(settings.store)

    def go(self) -> None:
        """Do all steps; whatever happens is told in the night."""
        try:
            self._attempt("inbox", self._look)
            self._attempt("import", self._take)
            self._attempt("calibrate", self._calibrate)
            self._make_pages()
            self._attempt("share", self._share)
            self._attempt("compare", self._compare)
        except StoppedError:
            pass
        done = {one.step for one in self.night.steps}
        for name in [one for one in STEPS if one not in done]:
            self._note(name, _Outcome(Status.SKIPPED, problem=NOT_REACHED), 0.0)

    # -- the steps ----------------------------------------------------------------------

    def _look(self) -> _Outcome:
        now = self.night.started
        self.record = with_time(read_record(self.settings.store), now)
        look = look_into(
            self.settings.run.inbox, self.record, self.settings.run.settle_seconds,
            sleep=self.sleep,
        )  # fmt: skip
        self.night.look = look
        n_new = sum(self.record.is_new(one) for one in look.files)
        counts = {"files": len(look.files), "files_new": n_new, "files_waiting": len(look.waiting)}
        return _Outcome(Status.DONE if n_new else Status.SKIPPED, counts)

    def _take(self) -> _Outcome:
        if self.settings.fetch_from:
            fetch_where_asked(self.settings)
            return _Outcome(Status.DONE)
        if self.night.look is None:
            raise _NotReachedError
        taken, record = take_in(self.settings, self.night.look, self.record, self.night.started)
        self.night.taken = taken
        if self.index.exists and record != read_record(self.settings.store):
            write_record(self.settings.store, record)
        self.record = record
        self.index.forget_content()
        for name, message in taken.refused.items():
            self.night.details.append(f"{name} could not be used:\n{message}")
        counts = {
            "files_read": len(taken.read),
            "files_refused": len(taken.refused),
            "rows_read": taken.rows_read,
            "rows_set_aside": taken.rows_set_aside,
        }
        if taken.refused:
            reasons = sorted({reason_of(message) for message in taken.refused.values()})
            problem = f"{len(taken.refused)} files could not be used: {'; '.join(reasons)}"
            return _Outcome(Status.FAILED, counts, problem, DataError.exit_code)
        return _Outcome(Status.DONE if taken.read else Status.SKIPPED, counts)

    def _calibrate(self) -> _Outcome:
        if not self.index.exists:
            return _Outcome(Status.SKIPPED)
        self.night.window = self.settings.run.window or newest_window(self.index)
        if self.night.window is None:
            return _Outcome(Status.SKIPPED)
        order = Order(self.night.window)
        with hold_calibrations(self.index):
            told = calibrate_where_due(self.index, self.settings, order)
        n = sum(one["renewed"] for one in told.values())
        return _Outcome(Status.DONE if n else Status.SKIPPED, {"calibrations": n})

    def _make_pages(self) -> None:
        """Make, audit and publish each kind of pages; told as three steps."""
        if self.night.window is None or "calibrate" in self.night.causes:
            for phase in PHASES:
                problem = NOT_REACHED if "calibrate" in self.night.causes else None
                self._note(phase, _Outcome(Status.SKIPPED, problem=problem), 0.0)
            return
        for kind in self.settings.run.pages:
            pages = make_pages(self.settings, self.night.window, kind)
            self.night.pages.append(pages)
            for page_id, why in pages.failed.items():
                self.night.details.append(f"{kind} page of {page_id}:\n{why}")
            if pages.error is not None:
                self.night.details.append(f"{pages.phase}, {kind}:\n{tell(pages.error)}")
            if isinstance(pages.error, StoppedError):
                break
        for phase in PHASES:
            seconds = sum(one.seconds.get(phase, 0.0) for one in self.night.pages)
            self._note(phase, self._outcome_of(phase), seconds)
        if any(isinstance(one.error, StoppedError) for one in self.night.pages):
            raise StoppedError

    def _outcome_of(self, phase: str) -> _Outcome:
        every = self.night.pages
        errors = [error for one in every if (error := one.error_in(phase))]
        counts = {
            "report": {
                "pages_made": sum(one.n_made for one in every),
                "pages_unchanged": sum(one.n_unchanged for one in every),
                "pages_failed": sum(len(one.failed) for one in every),
            },
            "audit": {
                "files_audited": sum(one.n_audited for one in every),
                "leaks": sum(one.leaks for one in every),
            },
            "publish": {"editions": sum(one.is_new for one in every)},
        }[phase]
        if errors:
            self.night.causes[phase] = cause_of(errors[0])
            code = exit_code_of(errors[0])
            return _Outcome(Status.FAILED, counts, str(self.night.causes[phase]), code)
        if phase == "report" and counts["pages_failed"]:
            problem = f"{counts['pages_failed']} pages could not be made"
            if any(says_full(why) for one in every for why in one.failed.values()):
                self.night.causes[phase] = Cause.FULL
            return _Outcome(Status.FAILED, counts, problem, 1)
        did = {"report": "pages_made", "audit": "files_audited", "publish": "editions"}[phase]
        return _Outcome(Status.DONE if counts[did] else Status.SKIPPED, counts)

    def _share(self) -> _Outcome:
        if not self.settings.run.share_to:
            return _Outcome(Status.SKIPPED)
        if self.night.window is None or any(
            one.error is not None or one.failed for one in self.night.pages
        ):
            # What was shared last stays as it is until all pages are right again.
            raise _NotReachedError
        if not any(one.edition for one in self.night.pages):
            raise _NotReachedError
        self.night.shared = share_out(self.settings, self.folder, self.night.pages)
        n = sum(self.night.shared.values())
        return _Outcome(Status.DONE if n else Status.SKIPPED, {"bundles": n})

    def _compare(self) -> _Outcome:
        self.night.overdue = self._overdue()
        if self.night.window is None or not self.index.exists:
            return _Outcome(Status.SKIPPED)
        if self.night.window not in self.index.windows:
            raise _NotReachedError
        self.night.missing = find_missing(self.index, self.night.window)
        self.night.compared = compare_groups(self.settings, self.folder)
        compared = self.night.compared
        counts = {
            "students_without_data": sum(one.n_missing for one in self.night.missing),
            "students_moved": sum(one.n_moved for one in compared.moved) if compared else 0,
        }
        return _Outcome(Status.DONE if compared else Status.SKIPPED, counts)

    def _overdue(self) -> list[Overdue]:
        """Return the expected files of which none came lately; by days, not by hours."""
        if self.night.look is None:
            return []
        found, today = [], self.night.started.date()
        begun = datetime.fromisoformat(self.record.since).date() if self.record.since else today
        for one in self.settings.run.expect:
            if any(fnmatch(name, one.files) for name in self.night.look.waiting):
                continue
            came = [
                datetime.fromisoformat(entry.came).date()
                for name, entry in self.record.files.items() if fnmatch(name, one.files)
            ]  # fmt: skip
            days = (today - max(came, default=begun)).days
            if days >= one.every_days:
                found.append(Overdue(one.files, days if came else None))
        return found

    # -- how a step is taken ------------------------------------------------------------

    def _attempt(self, name: str, do: Callable[[], _Outcome]) -> None:
        began = time.monotonic()
        stopped = None
        try:
            outcome = do()
        except _NotReachedError:
            outcome = _Outcome(Status.SKIPPED, problem=NOT_REACHED)
        except Exception as error:
            stopped = error if isinstance(error, StoppedError) else None
            cause = cause_of(error)
            self.night.causes[name] = cause
            self.night.details.append(f"{name}:\n{tell(error)}")
            outcome = _Outcome(Status.FAILED, problem=str(cause), exit_code=exit_code_of(error))
        self._note(name, outcome, time.monotonic() - began)
        if stopped is not None:
            raise stopped

    def _note(self, name: str, outcome: _Outcome, seconds: float) -> None:
        self.night.steps.append(
            Step(
                name, outcome.status, round(seconds, 2), dict(outcome.counts), outcome.problem,
                outcome.exit_code,
            )
        )  # fmt: skip
