"""Numbers become words by stated cuts; what was not asked is never a need."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.words import HAS_FROM, NEEDS_TO, skill_state


@pytest.mark.parametrize(
    ("mastery", "n_items", "said"),
    [
        (HAS_FROM, 1, "has it"),
        (HAS_FROM - 0.01, 1, "not sure yet"),
        (NEEDS_TO, 1, "needs it"),
        (NEEDS_TO + 0.01, 1, "not sure yet"),
        (0.0, 0, "not assessed"),
        (None, 3, "not assessed"),
    ],
)
def test_the_cuts_are_inclusive_and_no_answer_is_no_need(mastery, n_items, said):
    row = pd.DataFrame({"mastery": [mastery], "n_items": [n_items]}, dtype="object")
    row = row.astype({"mastery": "float64", "n_items": "int64"})
    assert skill_state(row).tolist() == [said]
