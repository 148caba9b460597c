"""A district that does not exist, with students whose skills are known.

Every page can be shown, and every method judged, without one real student: the simulator
draws what each student can do, lets skills grow on their prerequisites, and only then
lets the students answer a test. What was drawn is kept as ``truth``.

``bank`` what is taught and asked · ``plan`` what is planted on which classroom · ``people``
who is where · ``learning`` what each student can do, when · ``answering`` which items are
given and what comes back · ``district`` all of it together, and its files.
"""

from __future__ import annotations

from analysis.simulation.bank import read_bank_items, read_skills
from analysis.simulation.district import WINDOWS, District, simulate_district, write_district

__all__ = [
    "WINDOWS",
    "District",
    "read_bank_items",
    "read_skills",
    "simulate_district",
    "write_district",
]
