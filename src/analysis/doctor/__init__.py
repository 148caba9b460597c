"""What keeps reports from being made, found before they are missed; no student data is read.

::

    check         a finding: good, to look at, or to mend, and how
    environment   Python, packages, fonts, a browser for PDFs
    places        settings, disk, permissions
    runs          clock, freshness of the data, schedule, last run, locks
    examining     all of them, in order

A check imports what it needs when it runs: where the rest of the package cannot be loaded,
the doctor still says why.
"""

from analysis.doctor.check import Check, State
from analysis.doctor.examining import Places, examine

__all__ = ["Check", "Places", "State", "examine"]
