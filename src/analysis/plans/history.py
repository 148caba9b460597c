"""A plan's versions: each whole, with its day, who decided and why."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, field_validator

from analysis.plans.plan import Decided, Plan


class Version(Plan):
    """A plan as it was decided on one day.

    Parameters
    ----------
    decided_on
        When, in UTC.
    by
        Who decided.
    why
        In a sentence.
    """

    decided_on: datetime
    by: str = Field(min_length=1, max_length=80)
    why: str = Field(min_length=1, max_length=400)

    @field_validator("decided_on")
    @classmethod
    def _in_utc(cls, moment: datetime) -> datetime:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)

    @property
    def plan(self) -> Plan:
        """What was decided, without the record of who and when."""
        return Plan(**{name: getattr(self, name) for name in Plan.model_fields})


class History(Decided):
    """All versions of one classroom's plan for one window, the oldest first.

    Parameters
    ----------
    classroom_id, window
        What it is for.
    versions
        The last one is in force.

    Examples
    --------
    >>> history = History(classroom_id="7A", window="fall")
    >>> history = history.with_version(Plan(apart=[("s1", "s2")]), by="Ms. Rivera", why="quarrels")
    >>> history.origin_of(("s1", "s2")).why
    'quarrels'
    """

    classroom_id: str
    window: str
    versions: tuple[Version, ...] = ()

    @property
    def plan(self) -> Plan:
        """The plan in force; an empty one where nothing was decided."""
        return self.versions[-1].plan if self.versions else Plan()

    def with_version(
        self, plan: Plan, *, by: str, why: str, decided_on: datetime | None = None
    ) -> History:
        """Return the history with a newer version, decided now where no time is given."""
        decided = {name: getattr(plan, name) for name in Plan.model_fields}
        newer = Version(**decided, decided_on=decided_on or datetime.now(UTC), by=by, why=why)
        return self.model_copy(update={"versions": (*self.versions, newer)})

    def origin_of(self, decision: Hashable) -> Version | None:
        """Return the version that brought a decision; ``None`` where none in force holds it.

        Parameters
        ----------
        decision
            A move, a lock, a label, a set of students, or a number's or the skills' name and
            value: ``("max_size", 5)``.
        """
        origin = None
        for version in reversed(self.versions):
            if decision not in _decisions_of(version):
                break
            origin = version
        return origin


def _decisions_of(plan: Plan) -> tuple[Any, ...]:
    numbers = ("min_size", "max_size", "n_groups", "certainty", "skills_out")
    parts = (*plan.moves, *plan.locked, *plan.labels, *plan.together, *plan.apart)
    return (*parts, *((name, getattr(plan, name)) for name in numbers))
