"""What one run did: filled step by step, told in the digest and in ``last-run.json``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from analysis.nightly.causes import Cause, gravest
from analysis.nightly.comparing import Compared, Missing
from analysis.nightly.inbox import Look
from analysis.nightly.pages import Pages
from analysis.nightly.summary import Status, Step
from analysis.nightly.taking import Taken


@dataclass(frozen=True)
class Overdue:
    """Files that should have come.

    Parameters
    ----------
    files
        Their names, as in the settings.
    days
        Since the last one came; ``None``: none ever did.
    """

    files: str
    days: int | None


@dataclass
class Night:
    """What one run did.

    Parameters
    ----------
    started, ended
        UTC times.
    steps
        In their order.
    causes
        Of the steps that failed, by their names.
    look, taken
        What lay in the inbox and what was taken in; ``None`` where it was not looked at.
    overdue
        Files that should have come.
    window
        That was reported on.
    pages
        By kind.
    compared, missing
        Who changed group; whose data are missing. ``None`` where it could not be told.
    shared
        Bundles made, by circle.
    killed_before
        When a run began that never ended; ``None``: the one before has ended.
    message_lost
        Whether the message of the run before could not be sent.
    details
        Full messages, for the private details alone.
    """

    started: datetime
    ended: datetime | None = None
    steps: list[Step] = field(default_factory=list)
    causes: dict[str, Cause] = field(default_factory=dict)
    look: Look | None = None
    taken: Taken | None = None
    overdue: list[Overdue] = field(default_factory=list)
    window: str | None = None
    pages: list[Pages] = field(default_factory=list)
    compared: Compared | None = None
    missing: list[Missing] | None = None
    shared: dict[str, int] = field(default_factory=dict)
    killed_before: datetime | None = None
    message_lost: bool = False
    details: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The gravest of all steps."""
        return gravest([one.exit_code for one in self.steps])

    @property
    def edition(self) -> str | None:
        """The edition of classroom pages that is shown."""
        return next((one.edition for one in self.pages if one.kind == "classroom"), None)

    @property
    def failed_steps(self) -> Iterator[Step]:
        """Steps that failed as a whole."""
        return (one for one in self.steps if one.status is Status.FAILED)

    def is_new(self) -> bool:
        """Whether any page was published now."""
        return any(one.is_new for one in self.pages)
