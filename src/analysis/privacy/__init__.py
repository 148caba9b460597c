"""What may be published of many students: no small cell, none that can be worked out.

``suppression`` tables of counts with their totals · ``coding`` shares, with the ends cut off.
"""

from __future__ import annotations

from analysis.privacy.coding import code_share
from analysis.privacy.suppression import SMALLEST_CELL, protect_counts

__all__ = ["SMALLEST_CELL", "code_share", "protect_counts"]
