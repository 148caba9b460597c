"""SkillNeedGroups: exact, within every rule, the same however the table was sorted."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError, UnknownError, UsageError
from analysis.grouping import SkillNeedGroups


def make_mastery(n_students: int, n_skills: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=(n_students, 1))
    logits = 1.5 * (ability - np.linspace(-1.5, 1.5, n_skills)) + rng.normal(
        size=(n_students, n_skills)
    )
    return 1 / (1 + np.exp(-logits))


def best_by_brute_force(value: np.ndarray, min_size: int, max_size: int, gain: float) -> float:
    """Try every assignment of students to skills, or to none."""
    n_students, n_skills = value.shape
    best = 0.0
    for chosen in product(range(-1, n_skills), repeat=n_students):
        chosen = np.array(chosen)
        sizes = np.bincount(chosen[chosen >= 0], minlength=n_skills)
        fewest = -(-sizes // max_size)
        if (sizes >= fewest * min_size).all():
            placed = np.flatnonzero(chosen >= 0)
            best = max(best, value[placed, chosen[placed]].sum() - gain * fewest.sum())
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_objective_is_the_best_of_all_assignments(seed):
    mastery = make_mastery(7, 3, seed)
    groups = SkillNeedGroups(min_size=2, max_size=3, group_gain=0.1).fit(mastery)
    found = groups.objective_ - 0.1 * len(groups.focus_)
    assert found == pytest.approx(best_by_brute_force(1 - mastery, 2, 3, 0.1), abs=1e-3)
    assert groups.gap_ == 0
    assert groups.status_ == "optimal"


def test_groups_are_numbered_by_size_then_focus():
    mastery = np.ones((11, 3))
    mastery[:3, 2], mastery[3:6, 0], mastery[6:, 1] = 0.1, 0.1, 0.1
    groups = SkillNeedGroups().fit(mastery)
    assert groups.focus_.tolist() == [1, 0, 2]
    assert groups.labels_.tolist() == [2, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_rows_and_columns_does_not_matter(seed):
    mastery = make_mastery(24, 8, seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(24), rng.permutation(8)
    first = SkillNeedGroups().fit(mastery)
    second = SkillNeedGroups().fit(mastery[np.ix_(rows, columns)])
    focus_first = np.append(first.focus_, -1)[first.labels_]
    focus_second = np.append(columns[second.focus_], -1)[second.labels_]
    assert (focus_first[rows] == focus_second).all()
    same_first = first.labels_[:, None] == first.labels_
    same_second = second.labels_[:, None] == second.labels_
    assert (same_first[np.ix_(rows, rows)] == same_second).all()


def test_a_focus_is_never_beyond_its_prerequisites():
    mastery = np.tile([0.1, 0.0, 0.0], (6, 1))
    groups = SkillNeedGroups(prerequisites={1: [0], 2: [1]}).fit(mastery)
    assert set(groups.focus_) == {0}


def test_joint_draws_decide_who_is_ready():
    """Half of the students who lack skill 1 lack skill 0 too; only draws know which."""
    held = np.zeros((50, 8, 2), dtype=bool)
    held[:, :4, 0] = True
    held[:25, 4:, :] = True
    mastery = held.mean(axis=0)
    groups = SkillNeedGroups(prerequisites=[(0, 1)]).fit(mastery, draws=held)
    assert (groups.value_[4:, 1] < 0.05).all()
    focus = groups.focus_[groups.labels_]
    assert focus.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


PREREQUISITES = [
    [("a", "b")],
    {"b": ["a"]},
    np.array([[False, True], [False, False]]),
    [(0, 1)],
]


@pytest.mark.parametrize("prerequisites", PREREQUISITES)
def test_prerequisites_may_be_said_in_three_ways(prerequisites):
    mastery = pd.DataFrame({"a": [0.5] * 3, "b": [0.0] * 3})
    groups = SkillNeedGroups(prerequisites=prerequisites).fit(mastery)
    np.testing.assert_allclose(groups.value_, [[0.5, 0.5]] * 3)


def test_a_circle_of_prerequisites_is_named():
    with pytest.raises(DataError, match="go in a circle: a -> b -> a"):
        SkillNeedGroups(prerequisites=[("a", "b"), ("b", "a")]).fit(
            pd.DataFrame({"a": [0.5] * 3, "b": [0.5] * 3})
        )


def test_an_unknown_skill_is_named_with_the_nearest_known_one():
    with pytest.raises(UnknownError, match="Did you mean 'fractions'"):
        SkillNeedGroups(focus_wanted=["fraction"]).fit(pd.DataFrame({"fractions": [0.5] * 3}))


def test_rules_in_conflict_are_named_and_no_others():
    rules = SkillNeedGroups(
        together=[(0, 1), (1, 2)], apart=[(0, 2), (4, 5)], focus_wanted=[1], n_groups=3
    )
    with pytest.raises(UsageError, match="follows all of these rules") as error:
        rules.fit(make_mastery(12, 4, 0))
    said = str(error.value)
    assert "together: 0, 1" in said
    assert "together: 1, 2" in said
    assert "apart: 0, 2" in said
    assert "4, 5" not in said
    assert "focus_wanted" not in said
    assert "Relax one of them: let one of these students sit elsewhere" in said


def test_too_many_groups_for_the_class_are_refused_by_name():
    with pytest.raises(UsageError, match=r"min_size = 3\n- n_groups = 5"):
        SkillNeedGroups(n_groups=5).fit(make_mastery(12, 4, 0))


def test_groups_of_one_focus_are_split_by_like_needs():
    """All need skill 0 most; four of them need 1 as well, four need 2."""
    mastery = np.full((8, 3), 0.95)
    mastery[:, 0] = 0.02
    mastery[[0, 2, 4, 6], 1] = 0.3
    mastery[[1, 3, 5, 7], 2] = 0.3
    groups = SkillNeedGroups(max_size=4).fit(mastery)
    assert groups.focus_.tolist() == [0, 0]
    first, second = ({*np.flatnonzero(groups.labels_ == group).tolist()} for group in (0, 1))
    assert {frozenset(first), frozenset(second)} == {
        frozenset({0, 2, 4, 6}),
        frozenset({1, 3, 5, 7}),
    }


@pytest.mark.parametrize("n_groups", [4, 5, 6, 7])
def test_the_number_of_groups_asked_for_is_given(n_groups):
    groups = SkillNeedGroups(n_groups=n_groups).fit(make_mastery(24, 8, 0))
    assert len(groups.focus_) == n_groups


@pytest.mark.parametrize(("group_gain", "n_groups"), [(0.0, 3), (0.9, 2)])
def test_a_further_group_is_opened_only_if_it_puts_enough_more_on_target(group_gain, n_groups):
    """Three students gain 0.2 each from a group of their own: 0.6 in all."""
    mastery = np.ones((9, 3))
    mastery[:3, 0], mastery[3:6, 1] = 0.1, 0.1
    mastery[6:, 2], mastery[6:, 1] = 0.1, 0.3
    groups = SkillNeedGroups(group_gain=group_gain).fit(mastery)
    assert len(groups.focus_) == n_groups


def test_the_mastery_given_is_left_as_it_was():
    mastery = make_mastery(12, 4, 0)
    kept = mastery.copy()
    SkillNeedGroups(absent=[0]).fit(mastery)
    np.testing.assert_array_equal(mastery, kept)


def test_a_large_class_has_room_for_everyone():
    """More than six groups of six are needed for 60 students."""
    groups = SkillNeedGroups().fit(make_mastery(60, 6, 0))
    assert (groups.labels_ >= 0).all()
    assert np.bincount(groups.labels_).max() <= 6


@pytest.mark.parametrize(
    ("rules", "said"),
    [({"min_size": 5, "max_size": 4}, "sizes 5 to 4 cannot be"), ({"n_groups": 0}, "at least 1")],
)
def test_numbers_that_cannot_be_are_refused(rules, said):
    with pytest.raises(UsageError, match=said):
        SkillNeedGroups(**rules).fit(make_mastery(12, 4, 0))


def test_the_objective_is_the_sum_of_what_teaching_is_worth():
    mastery = make_mastery(12, 4, 1)
    groups = SkillNeedGroups().fit(mastery)
    seated = np.flatnonzero(groups.labels_ >= 0)
    worth = groups.value_[seated, groups.focus_[groups.labels_[seated]]]
    assert groups.objective_ == pytest.approx(worth.sum())


def focus_of(groups: SkillNeedGroups) -> list[int]:
    return np.append(groups.focus_, -1)[groups.labels_].tolist()


TWO_KINDS = np.array([[0.1, 0.9]] * 3 + [[0.4, 0.45]] + [[0.9, 0.1]] * 3)
"""Three who lack the first skill, three the second, and one who needs the first a little more."""


@pytest.mark.parametrize(("wish_worth", "met"), [(0.04, False), (0.06, True)])
def test_a_wish_is_met_where_it_is_worth_more_than_what_it_costs(wish_worth, met):
    # The fourth gives up 0.05 to be taught what the last is.
    groups = SkillNeedGroups(wishes=[(3, 6)], wish_worth=wish_worth).fit(TWO_KINDS)
    assert focus_of(groups)[3] == int(met)


def test_a_wish_for_someone_who_is_absent_is_no_wish():
    groups = SkillNeedGroups(wishes=[(3, 6)], wish_worth=9.0, absent=[6], min_size=2)
    assert focus_of(groups.fit(TWO_KINDS))[3] == 0


def test_rules_for_students_who_are_absent_wait_until_they_are_back():
    rules = {"fixed": {6: 0}, "together": [(3, 6)], "apart": [(0, 1, 6)], "absent": [6]}
    groups = SkillNeedGroups(min_size=1, group_gain=0, **rules).fit(TWO_KINDS)
    assert groups.labels_[6] == -1
    assert groups.labels_[0] != groups.labels_[1]


def test_a_rule_that_only_one_of_is_there_binds_nobody():
    groups = SkillNeedGroups(together=[(0, 6)], absent=[6], min_size=2).fit(TWO_KINDS)
    assert focus_of(groups) == [0, 0, 0, 0, 1, 1, -1]


def test_a_skill_is_named_as_in_the_table_or_by_its_place():
    table = pd.DataFrame(TWO_KINDS, columns=["halves", "thirds"])
    named = SkillNeedGroups(focus_excluded=["halves"], max_size=7).fit(table)
    placed = SkillNeedGroups(focus_excluded=[0], max_size=7).fit(table)
    assert focus_of(named) == focus_of(placed) == [1] * 7


@pytest.mark.parametrize("position", [2, -1])
def test_a_place_where_no_skill_stands_is_refused(position):
    with pytest.raises(UnknownError, match=f"no skill '{position}'"):
        SkillNeedGroups(focus_excluded=[position]).fit(TWO_KINDS)


@pytest.mark.parametrize(("n_students", "size", "n_groups"), [(12, 2, 6), (21, 3, 7), (18, 3, 6)])
def test_there_are_six_groups_at_most_unless_the_class_is_too_large_for_so_few(
    n_students, size, n_groups
):
    # Everyone needs a skill that few share: more groups would put more on target.
    mastery = np.where(np.arange(n_students)[:, None] // 2 == np.arange(n_students // 2), 0.0, 1.0)
    groups = SkillNeedGroups(min_size=1, max_size=2 * size - 1, group_gain=0).fit(mastery)
    assert len(groups.focus_) == n_groups


def test_locked_groups_leave_fewer_groups_to_open():
    mastery = np.where(np.arange(12)[:, None] // 2 == np.arange(6), 0.0, 1.0)
    mastery = np.hstack([mastery, np.ones((12, 1))])
    locked = [(6, [0])]
    groups = SkillNeedGroups(min_size=1, max_size=3, group_gain=0, locked=locked).fit(mastery)
    assert len(groups.focus_) == 6


def test_numbers_outside_0_to_1_count_as_the_nearest_that_can_be():
    with pytest.warns(UserWarning, match="are these percentages"):
        groups = SkillNeedGroups().fit([[1.2, -0.5], [0.2, 0.5], [0.3, np.nan]])
    np.testing.assert_allclose(groups.value_, [[0, 1], [0.8, 0.5], [0.7, np.nan]])


def test_what_is_known_better_is_believed():
    value = np.where(TWO_KINDS < 0.2, 0.0, 0.9)
    groups = SkillNeedGroups(max_size=7).fit(TWO_KINDS, value=value)
    np.testing.assert_array_equal(groups.value_, value)
    ready = SkillNeedGroups().fit(TWO_KINDS, ready=np.full((7, 2), 0.5)).value_
    np.testing.assert_allclose(ready, (1 - TWO_KINDS) * 0.5)


def test_students_are_called_by_their_ids_in_messages():
    rules = SkillNeedGroups(together=[(0, 1)], apart=[(0, 1)])
    with pytest.raises(UsageError, match="together: Ada, Bo"):
        rules.fit(TWO_KINDS, student_ids=["Ada", "Bo", *"cdefg"])


@pytest.mark.parametrize(("needs_more_by", "moves"), [(0.05, False), (0.2, True)])
def test_by_default_to_stay_is_worth_a_tenth_of_a_student(needs_more_by, moves):
    mastery = TWO_KINDS.copy()
    mastery[3] = 0.5, 0.5 - needs_more_by
    groups = SkillNeedGroups().fit(mastery, former_groups=[0, 0, 0, 0, 1, 1, 1])
    assert focus_of(groups)[3] == int(moves)
