"""Rules, seats, locks and moves, each for itself: against trying all, or cases by hand."""

from __future__ import annotations

from itertools import combinations, product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.errors import UsageError
from analysis.grouping import sentences
from analysis.grouping.conflicts import RELAX, conflict_error, describe_rule, smallest_conflict
from analysis.grouping.locks import read_locks
from analysis.grouping.moves import former_groups_of, who_moved
from analysis.grouping.result import GroupRules
from analysis.grouping.rules import Kind, Rule, eligible, read_layout
from analysis.grouping.seating import WISH, seat_in_groups

# -- rules --------------------------------------------------------------------------------


def together(*students: int) -> Rule:
    return Rule(Kind.TOGETHER, students=students)


def apart(*students: int) -> Rule:
    return Rule(Kind.APART, students=students)


def sizes(low: int, high: int) -> list[Rule]:
    return [Rule(Kind.MIN_SIZE, number=low), Rule(Kind.MAX_SIZE, number=high)]


def blocks_of(layout) -> set[frozenset[int]]:
    return {frozenset(block.tolist()) for block in layout.blocks}


def test_who_sits_with_someone_sits_with_those_who_sit_with_them():
    layout = read_layout([together(0, 1), together(4, 1), together(2, 3)], 6)
    assert blocks_of(layout) == {frozenset(one) for one in ({0, 1, 4}, {2, 3}, {5})}
    assert sorted(layout.sizes) == [1, 2, 3]


@pytest.mark.parametrize("n_students", [0, 1, 4])
def test_without_rules_everyone_is_a_block_and_everything_is_allowed(n_students):
    layout = read_layout([], n_students)
    assert blocks_of(layout) == {frozenset({one}) for one in range(n_students)}
    assert (layout.min_size, layout.max_size) == (1, max(n_students, 1))
    assert (layout.n_groups, layout.min_fit, layout.least_share) == (None, 0, 0)
    assert not layout.contradicts_itself
    assert not layout.entangled.any()


def test_every_pair_of_those_who_are_to_be_apart_is_apart():
    layout = read_layout([apart(3, 1, 0)], 4)
    assert sorted(layout.apart) == [(0, 1), (0, 3), (1, 3)]
    assert layout.entangled.tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("rules", "contradicts"),
    [
        ([together(0, 1), apart(0, 1)], True),
        ([together(0, 1), apart(0, 2)], False),
        ([Rule(Kind.FIXED, (0,), 1), Rule(Kind.FIXED, (0,), 2)], True),
        ([Rule(Kind.FIXED, (0,), 1), Rule(Kind.FIXED, (1,), 2)], False),
        ([Rule(Kind.FIXED, (0,), 1), Rule(Kind.FIXED, (1,), 2), together(0, 1)], True),
        ([Rule(Kind.WANTED, skill=1), Rule(Kind.EXCLUDED, skill=1)], True),
        ([Rule(Kind.WANTED, skill=1), Rule(Kind.EXCLUDED, skill=2)], False),
        ([Rule(Kind.FIXED, (0,), 1), Rule(Kind.EXCLUDED, skill=1)], True),
        ([together(0, 1, 2), *sizes(1, 2)], True),
        ([together(0, 1, 2), *sizes(1, 3)], False),
    ],
)
def test_rules_that_no_seating_can_follow_are_seen_at_once(rules, contradicts):
    assert read_layout(rules, 5).contradicts_itself is contradicts


def test_the_teachers_skills_are_those_wanted_and_those_someone_is_fixed_to():
    rules = [Rule(Kind.FIXED, (0,), 1), Rule(Kind.WANTED, skill=3), Rule(Kind.EXCLUDED, skill=2)]
    assert read_layout(rules, 2).chosen == {1, 3}


@pytest.mark.parametrize("seed", range(4))
def test_a_block_may_be_taught_what_fits_one_of_it_unless_the_teacher_says(seed):
    value = np.random.default_rng(seed).random((6, 4))
    value[5] = np.nan
    rules = [together(0, 1), Rule(Kind.MIN_FIT, number=0.5), Rule(Kind.EXCLUDED, skill=2),
             Rule(Kind.FIXED, (3,), 1)]  # fmt: skip
    layout = read_layout(rules, 6)
    may = eligible(value, layout)
    for block, skill in product(range(len(layout.blocks)), range(4)):
        members = layout.blocks[block].tolist()
        fits = any(value[one, skill] >= 0.5 for one in members) and skill != 2
        assert may[block, skill] == (skill == 1 if members == [3] else fits)


def test_a_fit_that_is_just_enough_is_enough_and_an_unknown_one_is_not():
    layout = read_layout([Rule(Kind.MIN_FIT, number=0.5)], 3)
    assert eligible(np.array([[0.5], [0.49], [np.nan]]), layout).tolist() == [
        [True], [False], [False],
    ]  # fmt: skip
    assert not eligible(np.array([[np.nan]]), read_layout([], 1)).any()


# -- conflicts ----------------------------------------------------------------------------


def test_every_rule_that_can_conflict_has_a_way_to_relax_it():
    assert set(RELAX) == set(Kind) - {Kind.WISH}


def test_a_conflict_is_told_rule_by_rule_with_each_way_out_once():
    rules = [Rule(Kind.MAX_SIZE, number=4), apart(0, 2), apart(0, 1), Rule(Kind.FIXED, (1,), 0)]
    error = conflict_error(rules, ["s1", "s2", "s3"], ["Halves"])
    assert str(error) == (
        "No grouping of 3 students follows all of these rules together:\n"
        "- max_size = 4\n- apart: s1, s3\n- apart: s1, s2\n- fixed: s2, focus Halves\n"
        "Relax one of them: allow larger groups; or let two of these students sit together; "
        "or let this student be placed by need."
    )


def test_a_share_is_told_as_it_was_given():
    assert describe_rule(Rule(Kind.MIN_FIT, number=0.25), [], []) == "min_fit = 0.25"
    assert describe_rule(Rule(Kind.WANTED, skill=0), [], ["a"]) == "focus_wanted: focus a"


def test_rules_alike_are_told_apart_when_one_is_left_out():
    twice = [apart(0, 1), apart(0, 1), apart(2, 3)]
    found = smallest_conflict(twice, lambda kept: not any(one == apart(0, 1) for one in kept))
    assert found == [apart(0, 1)]


# -- locks --------------------------------------------------------------------------------


def locks(groups, **more):
    rules = {"present": range(6), "together": [], "apart": [], "n_groups": None} | more
    return read_locks(groups, students=list("abcdef"), **rules)


def test_locked_groups_are_those_who_are_there():
    found = locks([(1, [0, 3]), (0, [2]), (2, [5, 4])], present=[0, 2, 3, 4])
    assert found.groups == [(1, (0, 3)), (0, (2,)), (2, (4,))]
    assert (found.students, found.skills) == ([0, 3, 2, 4], [1, 0, 2])
    assert locks([(1, [0])], present=[1]).groups == []


@pytest.mark.parametrize(("n_groups", "fits"), [(1, False), (2, True), (3, True), (None, True)])
def test_there_may_be_as_many_locked_groups_as_groups(n_groups, fits):
    if fits:
        assert len(locks([(0, [0]), (1, [1])], n_groups=n_groups).groups) == 2
        return
    with pytest.raises(UsageError, match="2 groups are locked, but n_groups = 1"):
        locks([(0, [0]), (1, [1])], n_groups=n_groups)


@pytest.mark.parametrize(
    ("groups", "rules", "said"),
    [
        ([(0, [0, 1]), (1, [1])], {}, "Student b is locked in two places"),
        ([(0, [0, 0])], {}, "Student a is locked in two places"),
        ([(0, [0, 1])], {"together": [[1, 2]]}, "Students b, c are to sit together"),
        ([(0, [0]), (1, [1])], {"together": [[0, 1]]}, "Students a, b are to sit together"),
        ([(0, [0, 1])], {"apart": [[1, 0]]}, "Students b, a are to sit apart"),
    ],
)
def test_locks_against_another_rule_are_refused_by_name(groups, rules, said):
    with pytest.raises(UsageError, match=said):
        locks(groups, **rules)


@pytest.mark.parametrize(
    ("groups", "rules"),
    [
        ([(0, [0, 1])], {"together": [[0, 1], [2, 3]]}),
        ([(0, [0, 1])], {"apart": [[0, 2], [2, 3]]}),
        ([(0, [0]), (1, [1])], {"apart": [[0, 1]]}),
        ([(0, [0, 1])], {"together": [[1, 2]], "present": [0, 1]}),
    ],
)
def test_locks_that_agree_with_the_other_rules_stand(groups, rules):
    assert len(locks(groups, **rules).groups) == len(groups)


def test_locks_go_along_when_students_and_skills_are_put_in_order():
    moved = locks([(1, [0, 3])]).moved(np.array([5, 4, 3, 2, 1, 0]), np.array([2, 0, 1]))
    assert moved.groups == [(0, (5, 2))]


# -- seats --------------------------------------------------------------------------------


def is_allowed(seats: tuple[int, ...], rules: list[Rule], n_groups: int) -> bool:
    low, high = rules[0].number, rules[1].number
    counts = [seats.count(group) for group in range(n_groups)]
    if min(counts) < low or max(counts) > high:
        return False
    for rule in rules[2:]:
        for one, other in combinations(rule.students, 2):
            if (seats[one] == seats[other]) != (rule.kind == Kind.TOGETHER):
                return False
    return True


@pytest.mark.parametrize(
    "more", [[], [together(0, 4)], [apart(0, 1)], [together(0, 4), apart(4, 2)], [apart(0, 1, 2)]]
)
def test_seats_follow_the_rules_and_no_other_seats_are_nearer_their_own_centres(more):
    needs = np.random.default_rng(1).random((6, 3))
    rules = [*sizes(2, 4), *more]
    n_groups = 3 if len(more) == 1 and len(more[0].students) == 3 else 2
    found = seat_in_groups(np.arange(6), n_groups, needs, read_layout(rules, 6))
    assert is_allowed(tuple(found.tolist()), rules, n_groups)

    # It ends where no other allowed seating is nearer to the groups' centres.
    centres = np.array([needs[found == group].mean(axis=0) for group in range(n_groups)])

    def cost(seats) -> float:
        return sum(((needs[s] - centres[g]) ** 2).sum() for s, g in enumerate(seats))

    allowed = [s for s in product(range(n_groups), repeat=6) if is_allowed(s, rules, n_groups)]
    assert cost(found) == pytest.approx(min(map(cost, allowed)))


def test_students_of_two_kinds_are_seated_by_kind():
    needs = np.array([[0.9, 0.1], [0.1, 0.9]] * 4) + np.linspace(0, 0.05, 8)[:, None]
    found = seat_in_groups(np.arange(8), 2, needs, read_layout(sizes(2, 6), 8))
    assert len(set(found[::2])) == len(set(found[1::2])) == 1
    assert found[0] != found[1]


def test_only_those_who_share_the_focus_are_seated():
    needs = np.random.default_rng(0).random((9, 2))
    found = seat_in_groups(np.array([1, 4, 6, 8]), 2, needs, read_layout(sizes(2, 2), 9))
    assert sorted(found) == [0, 0, 1, 1]
    assert seat_in_groups(np.array([3, 5]), 1, needs, read_layout([], 9)).tolist() == [0, 0]


@pytest.mark.parametrize("rules", [sizes(3, 6), sizes(1, 1), [*sizes(2, 2), together(0, 1, 2)]])
def test_seats_that_cannot_be_are_none(rules):
    assert seat_in_groups(np.arange(4), 2, np.eye(4), read_layout(rules, 4)) is None


@pytest.mark.parametrize(("likeness", "together_now"), [(0.4, True), (0.9, False)])
def test_a_wish_is_met_where_it_costs_less_than_it_is_worth(likeness, together_now):
    assert WISH == 1.0
    a = np.array([0.0, 0.0]), np.array([likeness, likeness])
    needs = np.array([a[0], a[0], a[0], a[1], a[1], a[1]])
    rules = [*sizes(2, 4), Rule(Kind.WISH, (0, 5), number=1.0)]
    found = seat_in_groups(np.arange(6), 2, needs, read_layout(rules, 6))
    assert (found[0] == found[5]) == together_now


# -- who moved ----------------------------------------------------------------------------

FORMER = pd.DataFrame(
    {"student_id": ["s0", "s1", "s2", "s3", "s4", "s5", "gone"], "group": [1, 1, 1, 1, 2, 2, 2],
     "focus_skill_id": ["a", "a", "a", "a", "b", "b", "b"]}
)  # fmt: skip


def class_of_six(labels, mastery=0.2, value=0.5, assessed=True):
    classroom = SimpleNamespace(
        students=["s0", "s1", "s2", "s3", "s4", "s5"], skills=["a", "b"],
        assessed=np.full(6, assessed), mastery=np.full((6, 2), mastery),
        value=np.full((6, 2), value),
    )  # fmt: skip
    return classroom, SimpleNamespace(labels_=np.array(labels), focus_=[0, 1])


def moved(classroom, model, rules=None, previous=FORMER):
    former = former_groups_of(previous, classroom.students)
    return who_moved(classroom, model, former, previous, rules or GroupRules(), lambda s, **n: s)


def test_former_groups_are_found_by_student_and_unknown_for_who_is_new():
    assert former_groups_of(FORMER, ["new", "s4", "s0"]).tolist() == [-1, 2, 1]
    assert former_groups_of(FORMER.assign(group=None), ["s0"]).tolist() == [-1]
    assert former_groups_of(None, ["s0"]) is None


def test_who_stays_with_most_of_the_group_has_not_moved_whatever_its_number():
    assert moved(*class_of_six([1, 1, 1, 1, 0, 0])).empty
    classroom, model = class_of_six([0] * 6)
    assert who_moved(classroom, None, None, None, GroupRules(), str).empty
    assert who_moved(classroom, model, None, None, GroupRules(), str).empty


def test_a_move_says_from_where_to_where_and_for_which_skills():
    rows = moved(*class_of_six([0, 0, 0, 1, 1, 1]))
    assert rows.drop(columns="reason").values.tolist() == [["s3", 1, 2, "a", "b"]]
    assert rows["reason"].tolist() == [sentences.ALONE]


def test_who_has_no_group_now_moved_to_nowhere():
    rows = moved(*class_of_six([0, 0, 0, -1, 1, 1]))
    assert rows[["to_group", "to_skill_id"]].isna().all(axis=None)
    assert rows["reason"].tolist() == [sentences.NO_GROUP]


@pytest.mark.parametrize(("mastery", "reason"), [(0.5, "LEARNED"), (0.49, "ALONE")])
def test_who_more_likely_than_not_has_the_former_skill_moved_on(mastery, reason):
    classroom, model = class_of_six([0, 0, 0, 1, 1, 1])
    classroom.mastery[3] = [mastery, 0.9]
    assert moved(classroom, model)["reason"].tolist() == [getattr(sentences, reason)]


def test_who_needs_the_new_skill_more_is_told_so_and_an_unknown_value_counts_as_none():
    classroom, model = class_of_six([0, 0, 0, 1, 1, 1])
    classroom.value[3] = [np.nan, 0.1]
    assert moved(classroom, model)["reason"].tolist() == [sentences.NEEDS_MORE]


def test_who_keeps_the_focus_and_not_the_group_moved_for_the_sizes():
    classroom, model = class_of_six([0, 0, 0, 2, 1, 1])
    model.focus_ = [0, 1, 0]
    assert moved(classroom, model)["reason"].tolist() == [sentences.FOR_SIZE]


@pytest.mark.parametrize(
    ("rules", "assessed", "reason"),
    [
        (GroupRules(absent=["s3"]), True, sentences.NOT_SEEN),
        (GroupRules(absent=["s3"], fixed={"s3": "b"}), True, sentences.NOT_SEEN),
        (GroupRules(fixed={"s3": "b"}), True, sentences.BY_TEACHER),
        (GroupRules(fixed={"s3": "b"}), False, sentences.NOT_SEEN),
        (GroupRules(fixed={"s2": "b"}), True, sentences.ALONE),
    ],
)
def test_absence_and_the_teachers_choice_are_reasons_before_all_others(rules, assessed, reason):
    classroom, model = class_of_six([0, 0, 0, 1, 1, 1])
    classroom.assessed[3] = assessed
    assert moved(classroom, model, rules)["reason"].tolist() == [reason]


def test_a_group_that_is_gone_altogether_moved_as_one():
    rows = moved(*class_of_six([0, 0, 0, 0, -1, -1]))
    assert rows.empty
