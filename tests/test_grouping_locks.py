"""A locked group stands as it is; the others form around it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, UsageError
from analysis.grouping import SkillNeedGroups

LOCKED_MASTERY = pd.DataFrame(
    [[0.1, 0.1]] * 4 + [[0.9, 0.1]] * 4, columns=["first", "second"], index=range(8)
)
"""Four lack the first skill, four have it and lack the second."""


def locked_groups(**how):
    return SkillNeedGroups(prerequisites=[("first", "second")], **how).fit(LOCKED_MASTERY)


def test_a_locked_group_stands_as_it_is_and_the_others_form_around_it():
    found = locked_groups(locked=[("second", [0, 5])])
    assert found.labels_[0] == found.labels_[5]
    assert (found.labels_ == found.labels_[0]).sum() == 2
    assert found.focus_[found.labels_[0]] == 1
    assert sorted(np.bincount(found.labels_)) == [2, 3, 3]


def test_a_locked_group_counts_among_the_groups_asked_for():
    found = locked_groups(locked=[("second", [0, 5])], n_groups=2, max_size=8)
    assert len(found.focus_) == 2
    with pytest.raises(UsageError, match="2 groups are locked, but n_groups = 1"):
        locked_groups(locked=[("first", [0]), ("second", [5])], n_groups=1)


def test_with_everyone_locked_nobody_is_moved():
    found = locked_groups(locked=[("second", [0, 1, 2, 3, 4]), ("first", [5, 6, 7])])
    assert found.labels_.tolist() == [0, 0, 0, 0, 0, 1, 1, 1]


def test_an_absent_student_leaves_a_locked_group_for_the_day():
    assert locked_groups(locked=[("second", [0, 5])], absent=[5]).labels_[5] == -1


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"apart": [(0, 5)]}, "0, 5 are to sit apart, but are locked in one group"),
        ({"together": [(0, 1)]}, "0, 1 are to sit together, but a locked group parts them"),
        ({"locked": [("first", [0]), ("second", [0])]}, "Student 0 is locked in two places"),
        ({"locked": [("third", [0])]}, "no skill 'third'"),
    ],
)
def test_a_lock_that_disagrees_with_another_rule_is_refused_in_words(how, said):
    with pytest.raises(AnalysisError, match=said):
        locked_groups(**({"locked": [("second", [0, 5])]} | how))
