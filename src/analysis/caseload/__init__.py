"""The door of a coach: all classrooms of one caseload, in one window."""

from __future__ import annotations

from analysis.caseload.opening import open_caseload
from analysis.caseload.parts import Caseload

__all__ = ["Caseload", "open_caseload"]
