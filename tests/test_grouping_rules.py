"""Every rule holds in every result: properties over drawn classes and rules."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import UsageError
from analysis.grouping import GroupRules, SkillNeedGroups, form_groups, program
from analysis.grouping.conflicts import smallest_conflict
from analysis.grouping.rules import Kind, Rule

FEW = settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def classes(draw, most_students: int = 14):
    n_students = draw(st.integers(1, most_students))
    n_skills = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mastery = rng.uniform(size=(n_students, n_skills))
    if draw(st.booleans()):
        mastery = mastery.round()  # many ties
    mastery[rng.uniform(size=mastery.shape) < draw(st.sampled_from([0, 0.2, 0.6]))] = np.nan
    before = np.triu(rng.uniform(size=(n_skills, n_skills)) < 0.3, 1)
    return mastery, before


@st.composite
def rules_for(draw, n_students: int, n_skills: int):
    student = st.integers(0, n_students - 1)
    pair = st.lists(student, min_size=2, max_size=3, unique=True)
    skill = st.integers(0, n_skills - 1)
    few = {"max_size": 2}
    pairs = st.lists(pair, **few) if n_students > 2 else st.just([])
    min_size = draw(st.integers(1, 4))
    return {
        "min_size": min_size,
        "max_size": draw(st.integers(min_size, 6)),
        "n_groups": draw(st.none() | st.integers(1, 4)),
        "together": draw(pairs),
        "apart": draw(pairs),
        "fixed": draw(st.dictionaries(student, skill, **few)),
        "focus_wanted": draw(st.lists(skill, max_size=1)),
        "focus_excluded": draw(st.lists(skill, max_size=1)),
        "absent": draw(st.lists(student, **few)),
        "min_fit": draw(st.sampled_from([0.0, 0.3])),
        "least_share": draw(st.sampled_from([0.0, 0.6])),
    }


def assert_rules_hold(groups: SkillNeedGroups, mastery: np.ndarray) -> None:
    labels, focus, present = groups.labels_, groups.focus_, set(range(len(mastery)))
    present -= set(groups.absent)
    sizes = np.bincount(labels[labels >= 0], minlength=len(focus))
    n_placeable = sum(not np.isnan(mastery[i]).all() for i in present)
    assert (sizes >= min(groups.min_size, max(n_placeable, 1))).all()
    assert (sizes <= groups.max_size).all()
    assert groups.n_groups in (None, len(focus))
    assert all(labels[i] == -1 for i in groups.absent)
    for together in groups.together:
        assert len({labels[i] for i in together if i in present}) <= 1
    for apart in groups.apart:
        seated = [labels[i] for i in apart if labels[i] >= 0]
        assert len(seated) == len(set(seated))
    for student, skill in groups.fixed.items():
        assert student not in present or focus[labels[student]] == skill
    assert set(groups.focus_wanted) <= set(focus.tolist())
    assert not set(groups.focus_excluded) & set(focus.tolist())
    chosen = {*groups.focus_wanted, *groups.fixed.values()}
    for skill in set(focus.tolist()) - chosen:
        taught = np.flatnonzero(np.append(focus, -1)[labels] == skill)
        assert np.nan_to_num(groups.value_[taught, skill]).mean() >= groups.least_share - 1e-5
    tied = {*groups.fixed, *chain.from_iterable(groups.together)}
    for student in np.flatnonzero(labels >= 0):
        if student not in tied:
            assert groups.value_[student, focus[labels[student]]] >= groups.min_fit


def fit_or_none(groups: SkillNeedGroups, mastery: np.ndarray) -> SkillNeedGroups | None:
    try:
        return groups.fit(mastery)
    except UsageError:
        return None


@pytest.mark.slow
@FEW
@given(st.data())
def test_every_rule_holds_in_every_result(data):
    mastery, before = data.draw(classes())
    rules = data.draw(rules_for(*mastery.shape))
    groups = fit_or_none(SkillNeedGroups(prerequisites=before, **rules), mastery)
    if groups is not None:
        assert_rules_hold(groups, mastery)


@FEW
@given(st.lists(st.sets(st.integers(0, 7), min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_named_conflict_is_as_small_as_can_be(cores):
    """Whatever sets of rules disagree, one is named that contains no smaller one."""
    rules = [Rule(Kind.APART, students=(i, i + 1)) for i in range(8)]

    def feasible(kept: list[Rule]) -> bool:
        return not any(core <= {rule.students[0] for rule in kept} for core in cores)

    named = {rule.students[0] for rule in smallest_conflict(rules, feasible)}
    assert named in cores
    assert not any(core < named for core in cores)


@pytest.mark.slow
@FEW
@given(st.data())
def test_everyone_is_accounted_for_once_whatever_the_class(data):
    mastery, before = data.draw(classes())
    n_students, n_skills = mastery.shape
    students = [f"s{i}" for i in range(n_students)]
    skills = [f"k{k}" for k in range(n_skills)]
    table = pd.DataFrame(mastery, index=students, columns=skills)
    table = table.rename_axis("student_id").reset_index()
    table = table.melt("student_id", var_name="skill_id", value_name="mastery")
    table = table.assign(window="fall", n_items=table["mastery"].notna().astype(int))
    roster = pd.DataFrame({"student_id": students, "classroom_id": "4a"})
    pairs = [(skills[j], skills[k]) for j, k in np.argwhere(before)]
    grouping = form_groups(
        table,
        roster,
        classroom_id="4a",
        window="fall",
        prerequisites=pairs,
        rules=GroupRules(absent=students[:1] if data.draw(st.booleans()) else ()),
        supports_skill_groups=data.draw(st.booleans()),
    )
    seated = grouping.groups.dropna(subset=["group"])["student_id"]
    elsewhere = [grouping.extension, grouping.conference, grouping.not_assessed]
    accounted = [*seated, *(i for part in elsewhere for i in part["student_id"])]
    assert sorted(accounted) == sorted(students)
    assert grouping.focus["size"].sum() == len(seated)
    assert grouping.groups["fit"].dropna().between(0, 1).all()


def test_pairs_that_cannot_share_two_groups_of_one_focus_are_found_out():
    """Three who must all be apart need three groups, though any two of them need only two."""
    mastery = np.full((9, 1), 0.1)
    groups = SkillNeedGroups(max_size=5, apart=[(0, 1, 2)], group_gain=0).fit(mastery)
    seated = groups.labels_[:3][groups.labels_[:3] >= 0]
    assert len(set(seated)) == len(seated) == 3


def test_blocks_too_large_to_share_a_group_get_their_own():
    """Three sets of four fit three groups of six, not two, though 12 seats would do."""
    mastery = np.full((12, 1), 0.1)
    sets = [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)]
    groups = SkillNeedGroups(together=sets, group_gain=0.5).fit(mastery)
    assert np.bincount(groups.labels_).tolist() == [4, 4, 4]


def test_a_time_limit_gives_the_best_found_and_says_how_far_it_may_be_from_the_best():
    rng = np.random.default_rng(0)
    groups = SkillNeedGroups(time_limit=0.01).fit(rng.uniform(size=(150, 30)) ** 2)
    assert groups.status_ == "time_limit"
    assert 0 < groups.gap_ < 1
    assert_rules_hold_by_default(groups)


@pytest.mark.slow
def test_without_a_time_limit_the_search_is_counted_in_steps(monkeypatch):
    """However long each step takes, the same groups come out."""
    monkeypatch.setattr(program, "MOST_NODES", 1)
    mastery = np.random.default_rng(0).uniform(size=(80, 20)) ** 2
    runs = [SkillNeedGroups(time_limit=None).fit(mastery) for _ in range(2)]
    assert {one.status_ for one in runs} == {"time_limit"}
    assert runs[0].labels_.tolist() == runs[1].labels_.tolist()
    assert GroupRules().time_limit is None


def assert_rules_hold_by_default(groups: SkillNeedGroups) -> None:
    sizes = np.bincount(groups.labels_[groups.labels_ >= 0])
    assert ((sizes >= 3) & (sizes <= 6)).all()


@pytest.mark.parametrize(("weight", "moved"), [(0.0, True), (0.5, False)])
def test_former_groups_stay_together_unless_need_says_otherwise(weight, moved):
    mastery = np.array([[0.3, 0.2]] * 3 + [[0.2, 0.4]] * 4)
    former = np.array([0, 0, 0, 0, 1, 1, 1])
    groups = SkillNeedGroups(loyalty=weight).fit(mastery, former_groups=former)
    labels = groups.labels_
    assert (labels[3] != labels[0]) == moved
