"""The whole path unattended: from files in an inbox to pages that are published and shared.

``door`` is what a run is started by: lock, run, tell · ``running`` the steps in their order ·
``inbox`` what is new · ``taking`` reads it · ``pages`` makes, audits and publishes ·
``sharing_out`` the bundles · ``comparing`` who changed group, whose data are missing ·
``night`` what was done · ``digest`` says it to a coach, ``notifying`` sends it, ``summary``
tells it to programs, ``causes`` names trouble without student data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.nightly.door import run_night

__all__ = ["run_night"]


def __getattr__(name: str) -> object:
    # The summary is read by programs that need nothing else.
    if name == "run_night":
        from analysis.nightly.door import run_night

        return run_night
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
