"""Who works on the parts of something large: this process, or the workers of a Dask cluster.

What a worker makes of a part may stay with it; only what is small travels. Answers come in
the order of the parts, so that a result never depends on who was quicker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from analysis.errors import UsageError

SECONDS_TO_CONNECT = 30
RETRIES = 2

UNWATCHED = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
"""Of a cluster of our own: Dask looks a hundred times a second at what a worker is doing, and
fifty times whether it is late. It is for who looks on at a dashboard; nobody does."""

Make = Callable[..., Any]
Own = Sequence[tuple[Any, ...]] | None
"""What each part is asked with beside what all are; ``None``: nothing."""


class Crew(Protocol):
    """Keeps what is made of parts, and answers questions about it."""

    def keep(self, make: Make, parts: Sequence[Any], *common: Any) -> list[Any]:
        """Make something of each part; return where it is kept."""

    def each(self, make: Make, kept: Sequence[Any], own: Own, *common: Any) -> list[Any]:
        """Make ``make(what is kept, *own, *common)`` of each, and keep that where it is."""

    def ask(self, answer: Make, kept: Sequence[Any], own: Own = None, *common: Any) -> list[Any]:
        """Return ``answer(what is kept, *own, *common)`` for each, in order."""


class Here:
    """One part after another, in the process that asks.

    Examples
    --------
    >>> crew = Here()
    >>> crew.ask(pow, crew.keep(int, ["2", "3"]), [(1,), (2,)])
    [2, 9]
    """

    def keep(self, make: Make, parts: Sequence[Any], *common: Any) -> list[Any]:
        """Make something of each part."""
        return [make(part, *common) for part in parts]

    def each(self, make: Make, kept: Sequence[Any], own: Own, *common: Any) -> list[Any]:
        """Make something of each that is kept."""
        own = [()] * len(kept) if own is None else own
        return [make(one, *more, *common) for one, more in zip(kept, own, strict=True)]

    def ask(self, answer: Make, kept: Sequence[Any], own: Own = None, *common: Any) -> list[Any]:
        """Return the answers."""
        return self.each(answer, kept, own, *common)


class Cluster:
    """The workers of a Dask cluster; what is kept stays in their memory.

    Parameters
    ----------
    client
        A ``distributed.Client``. A worker that is lost loses nothing: what it kept is made
        again by another.
    """

    def __init__(self, client: Any):
        self.client = client

    def keep(self, make: Make, parts: Sequence[Any], *common: Any) -> list[Any]:
        """Make something of each part; return futures."""
        return [
            self.client.submit(make, part, *common, pure=False, retries=RETRIES) for part in parts
        ]

    def each(self, make: Make, kept: Sequence[Any], own: Own, *common: Any) -> list[Any]:
        """Make something of each that is kept; return futures."""
        own = [()] * len(kept) if own is None else own
        return [
            self.client.submit(make, one, *more, *common, pure=False, retries=RETRIES)
            for one, more in zip(kept, own, strict=True)
        ]

    def ask(self, answer: Make, kept: Sequence[Any], own: Own = None, *common: Any) -> list[Any]:
        """Return the answers."""
        answers: list[Any] = self.client.gather(self.each(answer, kept, own, *common))
        return answers


@contextmanager
def open_cluster(workers: int, scheduler: str | None = None) -> Iterator[Any]:
    """Give a client of a Dask cluster.

    Parameters
    ----------
    workers
        How many processes, where the cluster is started here.
    scheduler
        Address of a running cluster; ``None``: one on this machine, as long as this lasts.

    Raises
    ------
    UsageError
        Dask is not installed, or the scheduler does not answer.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError('Dask is not installed.\nInstall it: pip install "distributed"') from None
    with ExitStack() as stack:
        if not scheduler:
            stack.enter_context(dask.config.set(UNWATCHED))
        cluster: Any = scheduler or stack.enter_context(
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                # Any free port, and of this machine alone: the default is one port, for all.
                dashboard_address="127.0.0.1:0",
                silence_logs="CRITICAL",
            )
        )
        try:
            client = stack.enter_context(Client(cluster, timeout=SECONDS_TO_CONNECT))
        except (OSError, ValueError):
            raise UsageError(f"No Dask scheduler answers at {scheduler}.") from None
        yield client
