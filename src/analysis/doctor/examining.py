"""All checks, in the order a person would mend them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from analysis.doctor import environment, places, runs
from analysis.doctor.check import Check, must_mend


@dataclass(frozen=True)
class Places:
    """Where everything is; all paths absolute.

    Parameters
    ----------
    config
        Settings file; ``None`` where there is none.
    store, out, notebooks, inbox
        As in the settings.
    private
        More folders that nobody else may open.
    """

    config: Path | None
    store: Path
    out: Path
    notebooks: Path
    inbox: Path
    private: tuple[Path, ...] = ()


def examine(where: Places, *, stale_after: int) -> list[Check]:
    """Look at everything.

    Parameters
    ----------
    where
        The places to look at.
    stale_after
        Days after which nothing new imported is worth a look.

    Returns
    -------
    list of Check
        One each, also for a check that could not be made.
    """
    both = (where.out, where.store)
    checks: dict[str, Callable[[], Check]] = {
        "python": environment.check_python,
        "packages": environment.check_packages,
        "fonts": environment.check_fonts,
        "browser": environment.check_browser,
        "notebooks": partial(places.check_notebooks, where.notebooks),
        "inbox": partial(places.check_inbox, where.inbox),
        "disk": partial(places.check_disk, where.out, where.store),
        "permissions": partial(places.check_permissions, (*both, *where.private), where.config),
        "clock": partial(runs.check_clock, where.out),
        "data": partial(runs.check_data, where.store, stale_after),
        "schedule": partial(runs.check_schedule, where.out),
        "last run": partial(runs.check_last_run, where.out),
        "lock": partial(runs.check_locks, both),
    }
    return [_made(name, check) for name, check in checks.items()]


def _made(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # A broken computer is what is looked for: every cause counts.
        # The message may quote a file; its kind and the module that is missing do not.
        what = f" ({error.name})" if isinstance(error, ImportError) and error.name else ""
        return must_mend(
            name, f"This could not be looked at: {type(error).__name__}{what}.",
            environment.INSTALL if isinstance(error, ImportError)
            else "Look whether the folder can be opened and its files are whole.",
        )  # fmt: skip
