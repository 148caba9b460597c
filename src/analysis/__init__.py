"""Coach's Notebook: groups of students who need the same next skill."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Name -> module. Loaded when first used: `import analysis` stays instant.
_PUBLIC = {
    "AnalysisError": "errors",
    "MasteryModel": "mastery",
    "SkillFramework": "skills",
    "SkillNeedGroups": "grouping",
    "open_arrivals": "arrivals",
    "open_caseload": "caseload",
    "open_classroom": "classroom",
    "open_students": "students",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(f"analysis.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
