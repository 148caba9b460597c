"""The door of a coach: all classrooms of one caseload, in one window."""

from __future__ import annotations

from analysis.caseload.opening import Caseload, open_caseload

__all__ = ["Caseload", "open_caseload"]
