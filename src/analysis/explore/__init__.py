"""Panels for JupyterLab: a classroom to look at and to decide about, with no code in sight.

``explore_mastery``, ``explore_groups`` and ``explore_growth`` take an opened classroom,
``explore_caseload`` an opened caseload, and give a panel. Where nobody can touch a control,
as under papermill, a panel is its static twin: the same views, no widget and no widget's
state.

``desk`` is what the coach works on, without any widget; ``panel`` what all panels share;
``plain_errors`` and ``saving`` are for the notebooks that ``coach lab`` opens.
"""

from __future__ import annotations

from analysis.explore.caseload import explore_caseload
from analysis.explore.groups import explore_groups
from analysis.explore.growth import explore_growth
from analysis.explore.mastery import explore_mastery

__all__ = ["explore_caseload", "explore_groups", "explore_growth", "explore_mastery"]
