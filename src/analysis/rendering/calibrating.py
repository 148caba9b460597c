"""Before pages are made: calibrations whose evidence changed too much are renewed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from analysis.crew import Cluster, open_cluster
from analysis.rendering.plan import Order
from analysis.settings import Settings
from analysis.store.calibrations import (
    InForce,
    calibration_in_force,
    calibration_knows,
    share_changed,
)
from analysis.store.index import StoreIndex


@dataclass(frozen=True)
class Standing:
    """How a window's calibration stands to the evidence there is now.

    Parameters
    ----------
    in_force
        The calibration, or none.
    share_changed
        Share (0 to 1) of its evidence that is another; one where there is no calibration.
    """

    in_force: InForce | None
    share_changed: float

    @classmethod
    def of(cls, index: StoreIndex, window: str) -> Self:
        """Return how a window's calibration stands now."""
        last = calibration_in_force(index, window)
        return cls(last, 1.0 if last is None else share_changed(index, window, last))

    def is_off_by(self, most_changed: float) -> bool:
        """Say whether there is none, or more of its evidence changed than may."""
        return self.in_force is None or self.share_changed > most_changed

    @property
    def told(self) -> dict[str, Any]:
        """What a run's summary says of it."""
        made_on = self.in_force.made_on if self.in_force else None
        return {"made_on": made_on, "share_changed": round(self.share_changed, 4)}


def calibrate_where_due(
    index: StoreIndex, settings: Settings, order: Order
) -> dict[str, dict[str, Any]]:
    """Renew calibrations whose evidence changed too much; tell of each what is in force.

    One that does not know all observations there are is renewed however little they are: a
    classroom's first new test is a small share of a district, and its page needs it.
    The caller holds :func:`analysis.store.calibrations.hold_calibrations`.
    """
    told = {}
    for window in index.windows_until(order.window):
        now = Standing.of(index, window)
        due = order.recalibrate and window == order.window
        if due or _is_due(index, window, now, settings.most_changed):
            # Loaded when it is due: most runs need not wait for it.
            from analysis.district import renew_calibration
            from analysis.store import Store

            with _crew(settings) as how:
                renew_calibration(Store(index.folder), window, always=True, **how)
            due, now = True, Standing.of(index, window)
        told[window] = now.told | {"renewed": due}
    return told


def _is_due(index: StoreIndex, window: str, now: Standing, most_changed: float) -> bool:
    if now.in_force is None or now.is_off_by(most_changed):
        return True
    return now.share_changed > 0 and not calibration_knows(index, window, now.in_force)


@contextmanager
def _crew(settings: Settings) -> Iterator[dict[str, Any]]:
    """Give who calibrates, where the settings say, and how they reach the store."""
    if not settings.uses_cluster:
        yield {}
        return
    with open_cluster(settings.n_workers, settings.scheduler) as client:
        elsewhere = settings.scheduler is not None
        yield {
            "crew": Cluster(client),
            "address": settings.fetch_from if elsewhere else None,
            "shared_disk": bool(settings.fetch_from) or not elsewhere,
        }
