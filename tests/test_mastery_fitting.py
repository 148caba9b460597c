"""What each model says of answers, and what it learns from them, summed over all cases by hand."""

from __future__ import annotations

from itertools import product
from math import exp

import numpy as np
import pytest
from scipy.special import expit

from analysis.mastery import ability, factor, higher_order, profile, responses
from analysis.mastery.ability import AbilityModel
from analysis.mastery.blend import skill_share
from analysis.mastery.factor import SkillPrior
from analysis.mastery.higher_order import HigherOrderModel
from analysis.mastery.items import CurvePrior, Success, add_own, believe_curves, weigh_curves
from analysis.mastery.profile import ProfileModel
from analysis.mastery.responses import as_rows, distinct_rows
from analysis.mastery.structure import list_profiles

N_ITEMS, N_SKILLS = 5, 4
BEFORE = np.zeros((N_SKILLS, N_SKILLS), dtype=bool)
BEFORE[[0, 1, 3], [1, 2, 2]] = True
"""0 comes before 1; 1 and 3 come before 2."""
N_PROFILES = len(list_profiles(BEFORE))
ITEM_SKILL = np.array([0, 1, 2, 3, 2])
MEANS = np.array([0.0, 0.7, -1.2])
"""Of three classrooms."""
NAN = np.nan
ANSWERS = np.array(
    [
        [1.0, 1.0, 0.0, 1.0, NAN],
        [1.0, 1.0, 0.0, 1.0, NAN],
        [0.0, NAN, 1.0, 0.5, 0.0],
        [NAN, NAN, NAN, NAN, NAN],
        [1.0, 0.25, 1.0, 1.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)
CLASSROOM = np.array([0, 0, 0, 1, 1, 2, 2])
WEIGHT = np.array([1.0, 1.0, 2.0, 1.0, 0.5])


def believed(mean):
    return Success(mean, np.log(mean), np.log1p(-mean))


def skill_prior(rng):
    return SkillPrior(rng.uniform(0.5, 2.5, N_SKILLS), rng.normal(size=N_SKILLS))


def make_model(kind, seed=0):
    """Return a model with parameters from the air: nothing was fitted."""
    rng = np.random.default_rng(seed)
    if kind == "ability":
        slope, easiness = rng.uniform(0.5, 2, N_ITEMS), rng.normal(size=N_ITEMS)
        return AbilityModel(slope, easiness, rng.normal(size=len(ability.NODES)))
    if kind == "profiles":
        profiles = list_profiles(BEFORE)
        success = believed(rng.uniform(0.1, 0.9, (N_ITEMS, len(profiles))))
        lift = rng.uniform(0.5, 2, len(profiles))
        q = np.eye(N_SKILLS, dtype=int)[ITEM_SKILL]
        return ProfileModel(profiles, BEFORE, q, success, skill_prior(rng), lift)
    success = believed(rng.uniform(0.1, 0.9, (N_ITEMS, 2)))
    parent, order = np.array([-1, 0, 3, -1]), np.array([0, 1, 3, 2])
    return HigherOrderModel(BEFORE, parent, order, ITEM_SKILL, success, skill_prior(rng))


KINDS = ["profiles", "higher order", "ability"]
MODELS = pytest.mark.parametrize("kind", KINDS)
SKILL_MODELS = pytest.mark.parametrize("kind", KINDS[:2])
GRIDS = {"ability": ability.NODES}


def cases_of(kind, model, mean):
    """Yield (profile, node, P(both) before any answer, P(right) of each item), one by one."""
    for node, value in enumerate(GRIDS.get(kind, factor.GRID)):
        if kind == "ability":
            chances = [
                expit(a * value + b) for a, b in zip(model.slope, model.easiness, strict=True)
            ]
            yield (), node, exp(model.density[node] + value * mean), chances
            continue
        for held in product([0, 1], repeat=N_SKILLS):
            p = exp(-((value - mean) ** 2) / 2)
            for k in range(N_SKILLS):
                chance = expit(model.skills.slope[k] * value + model.skills.easiness[k])
                chance = min(max(chance, 1e-4), 1 - 1e-4)
                needed = np.flatnonzero(BEFORE[:, k])
                if kind == "higher order":
                    needed = [model.parent[k]] if model.parent[k] >= 0 else []
                chance *= all(held[j] for j in needed)
                p *= chance if held[k] else 1 - chance
            if p == 0:
                continue
            if kind == "profiles":
                place = model.profiles.astype(int).tolist().index(list(held))
                yield held, node, p * model.lift[place], model.success.mean[:, place]
            else:
                chances = [model.success.mean[i, held[k]] for i, k in enumerate(ITEM_SKILL)]
                yield held, node, p, chances


def what_follows(kind, model, answers, mean, weight=WEIGHT):
    """Return each case (profile, node, P(right)s) with its share after one row of answers."""
    cases = []
    for held, node, p, chances in cases_of(kind, model, mean):
        for y, n, right in zip(answers, weight, chances, strict=True):
            if not np.isnan(y):
                p *= right ** (n * y) * (1 - right) ** (n * (1 - y))
        cases.append((p, held, node, chances))
    total = sum(p for p, *_ in cases)
    return [(p / total, *case) for p, *case in cases]


def look(model, answers=ANSWERS, weight=WEIGHT):
    rows = as_rows(answers, CLASSROOM[: len(answers)], len(MEANS), weight)
    return model.look(rows, MEANS)


@MODELS
def test_right_answers_are_as_probable_as_the_mean_over_all_cases(kind):
    model = make_model(kind)
    for row, (answers, found) in enumerate(zip(ANSWERS, look(model).success(), strict=True)):
        cases = what_follows(kind, model, answers, MEANS[CLASSROOM[row]])
        by_hand = sum(p * np.array(chances) for p, _, _, chances in cases)
        np.testing.assert_allclose(found, by_hand, rtol=1e-9)


@SKILL_MODELS
def test_mastery_and_readiness_are_the_share_of_cases_that_have_it(kind):
    model, seen = make_model(kind), look(make_model(kind))
    for row, answers in enumerate(ANSWERS):
        cases = what_follows(kind, model, answers, MEANS[CLASSROOM[row]])
        for k in range(N_SKILLS):
            has = sum(p for p, held, *_ in cases if held[k])
            may = sum(
                p for p, held, *_ in cases if all(held[j] for j in np.flatnonzero(BEFORE[:, k]))
            )
            assert seen.mastery()[row, k] == pytest.approx(has)
            assert seen.ready()[row, k] == pytest.approx(may)


@MODELS
def test_an_answer_is_predicted_as_if_it_had_not_been_given(kind):
    weight = np.ones(N_ITEMS)
    answers = np.where((ANSWERS > 0) & (ANSWERS < 1), NAN, ANSWERS)
    model = make_model(kind)
    right, wrong = look(model, answers, weight).without_own()
    for row, item in np.argwhere(~np.isnan(answers)):
        others = answers[row].copy()
        others[item] = NAN
        cases = what_follows(kind, model, others, MEANS[CLASSROOM[row]], weight)
        by_hand = sum(p * chances[item] for p, _, _, chances in cases)
        if answers[row, item] == 1:
            assert right[row, item] == pytest.approx(by_hand)
        else:
            assert wrong[row, item] == pytest.approx(1 - by_hand)


def test_the_most_probable_profile_is_the_one_of_most_cases():
    model = make_model("profiles")
    for row, found in enumerate(look(model).most_probable().astype(int).tolist()):
        shares = dict.fromkeys(product([0, 1], repeat=N_SKILLS), 0.0)
        for p, held, *_ in what_follows("profiles", model, ANSWERS[row], MEANS[CLASSROOM[row]]):
            shares[held] += p
        assert tuple(found) == max(shares, key=shares.get)


def test_one_skill_at_a_time_the_more_probable_half_is_taken():
    seen = look(make_model("higher order"))
    assert seen.most_probable().tolist() == (seen.mastery() > 0.5).tolist()


@pytest.mark.parametrize("n_rows", [500, 2])
@MODELS
def test_expected_counts_are_sums_over_all_students_and_cases(kind, n_rows, monkeypatch):
    monkeypatch.setattr(responses, "CHUNK", n_rows)
    model = make_model(kind)
    rows = distinct_rows(ANSWERS, CLASSROOM, len(MEANS), WEIGHT)
    by_hand = counts_by_hand(kind, model)
    found = {"profiles": profile, "higher order": higher_order, "ability": ability}[kind].expect(
        model, rows, MEANS
    )
    assert len(found) == len(by_hand)
    for one, expected in zip(found, by_hand, strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-8, atol=1e-12)


def counts_by_hand(kind, model):
    """Add up, student by student and case by case, what ``expect`` returns."""
    n_nodes, grid = len(GRIDS.get(kind, factor.GRID)), GRIDS.get(kind, factor.GRID)
    columns = {"profiles": N_PROFILES, "higher order": 2, "ability": n_nodes}[kind]
    right, wrong = np.zeros((2, N_ITEMS, columns))
    held_at, able_at = np.zeros((2, N_SKILLS, n_nodes))
    there, sums = np.zeros(n_nodes), np.zeros(len(MEANS))
    profiles = np.zeros((len(MEANS), N_PROFILES))
    for answers, room in zip(ANSWERS, CLASSROOM, strict=True):
        for p, held, node, _ in what_follows(kind, model, answers, MEANS[room]):
            there[node] += p
            sums[room] += p * grid[node]
            for k in range(N_SKILLS if held else 0):
                above = getattr(model, "parent", [-1] * N_SKILLS)[k]
                held_at[k, node] += p * held[k]
                able_at[k, node] += p * (above < 0 or held[above])
            if kind == "profiles":
                profiles[room, model.profiles.astype(int).tolist().index(list(held))] += p
            for item in np.flatnonzero(~np.isnan(answers)):
                column = (
                    model.profiles.astype(int).tolist().index(list(held)) if kind == "profiles"
                    else held[ITEM_SKILL[item]] if held else node
                )  # fmt: skip
                right[item, column] += p * WEIGHT[item] * answers[item]
                wrong[item, column] += p * WEIGHT[item] * (1 - answers[item])
    if kind == "ability":
        return right, right + wrong, there, sums
    return (
        (right, wrong, profiles) if kind == "profiles" else (right, wrong, held_at, able_at, sums)
    )


@MODELS
def test_a_classrooms_abilities_add_up_to_those_of_its_students(kind):
    model = make_model(kind)
    rows = distinct_rows(ANSWERS, CLASSROOM, len(MEANS), WEIGHT)
    grid = GRIDS.get(kind, factor.GRID)
    usual = 0.0
    if kind == "ability":  # its scale has its own zero: what nobody's answers have moved
        density = [exp(one) for one in model.density]
        usual = sum(p * node for p, node in zip(density, grid, strict=True)) / sum(density)
    by_hand = np.zeros(len(MEANS))
    for answers, room in zip(ANSWERS, CLASSROOM, strict=True):
        for p, _, node, _ in what_follows(kind, model, answers, MEANS[room]):
            by_hand[room] += p * (grid[node] - usual)
    np.testing.assert_allclose(model.mean_abilities(rows, MEANS), by_hand, rtol=1e-8)


# -- what is learnt from counts ---------------------------------------------------------


def two_newton_steps(loss, start, *, first=0):
    """Return where two steps of Newton's method lead, none longer than 1; slopes by trying.

    The ``first`` coordinates step before the others, which then follow from them.
    """
    place, h = np.array(start, dtype=float), 1e-3
    for _ in range(2):
        steps = h * np.eye(len(start))
        gradient = [(loss(place + s) - loss(place - s)) / (2 * h) for s in steps]
        bend = np.array([
            [(loss(place + s + u) - loss(place + s - u) - loss(place - s + u) + loss(place - s - u))
             / (4 * h * h) for u in steps] for s in steps
        ])  # fmt: skip
        step = np.clip(np.linalg.solve(bend, gradient), -1, 1)
        rest = gradient[first:] - bend[first:, :first] @ step[:first]
        step[first:] = np.clip(np.linalg.solve(bend[first:, first:], rest), -1, 1)
        place = place - step
    return place


def loss_of(grid, right, asked, centre, spread):
    """Return minus the log-likelihood of counts by node, with a normal prior on both."""

    def loss(place):
        p = expit(place[0] * grid + place[1])
        likelihood = (right * np.log(p) + (asked - right) * np.log1p(-p)).sum()
        return -likelihood + sum(((place - centre) / spread) ** 2) / 2

    return loss


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("start", [(0.6, -0.8), (1.7, 0.0), (3.0, 1.5)])
def test_skills_slopes_and_easiness_take_two_newton_steps_together(share, start):
    asked = np.random.default_rng(1).random((2, len(factor.GRID))) * 9
    held = np.array([share * asked[0], expit(factor.GRID) * asked[1]])
    slope, easiness = np.array([start[0], 1.0]), np.array([start[1], 0.5])
    found = SkillPrior(slope, easiness).refit(held, asked)
    # A slope is 1.7, what the level adds (.5) and what is the skill's own (.3); easiness is 0.
    precision = np.linalg.inv([[0.25 + 0.09, 0.25], [0.25, 0.25 + 0.09]])

    def loss(place):
        slope, easiness = place[:2], place[2:]
        p = expit(slope[:, None] * factor.GRID + easiness[:, None])
        likelihood = (held * np.log(p) + (asked - held) * np.log1p(-p)).sum()
        prior = (slope - 1.7) @ precision @ (slope - 1.7) + (easiness / 2) @ (easiness / 2)
        return prior / 2 - likelihood

    by_hand = two_newton_steps(loss, [*slope, *easiness], first=2)
    assert found.slope == pytest.approx(np.maximum(by_hand[:2], 0), abs=2e-3)
    assert found.easiness == pytest.approx(by_hand[2:], abs=2e-3)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("start", [(0.6, -0.8), (1.7, 0.0), (3.0, 1.5)])
def test_an_items_slope_and_easiness_take_two_newton_steps(share, start):
    asked = np.random.default_rng(1).random((2, len(ability.NODES))) * 9
    right = np.array([share * asked[0], expit(ability.NODES) * asked[1]])
    slope, easiness = np.array([start[0], 1.0]), np.array([start[1], 0.5])
    density = np.arange(21.0)
    found = ability._refit(AbilityModel(slope, easiness, None), right, asked, density)
    # Slopes are drawn to their mean with one more at 1, easiness to the mean with one at 0.
    centre = np.array([(1.0 + start[0] + 1.0) / 3, (start[1] + 0.5) / 3])
    for item in range(2):
        loss = loss_of(ability.NODES, right[item], asked[item], centre, np.array([0.5, 1.5]))
        by_hand = two_newton_steps(loss, (slope[item], easiness[item]))
        assert found.slope[item] == pytest.approx(max(by_hand[0], 0), abs=1e-3)
        assert found.easiness[item] == pytest.approx(by_hand[1], abs=1e-3)
    assert found.density is density


@pytest.mark.parametrize(("held", "slope", "easiness"), [
    (lambda grid: grid > 0, 8, None), (lambda grid: grid < 0, 0, None),
    (lambda grid: grid > -9, None, 8), (lambda grid: grid > 9, None, -8),
])  # fmt: skip
def test_however_sure_the_counts_a_skills_curve_stays_within_bounds(held, slope, easiness):
    asked = np.full((1, len(factor.GRID)), 1e6)
    prior = SkillPrior.start(1)
    for _ in range(30):
        prior = prior.refit(asked * held(factor.GRID), asked)
    assert slope is None or prior.slope[0] == slope
    assert easiness is None or prior.easiness[0] == pytest.approx(easiness)


def test_an_items_slope_is_no_less_than_0_and_no_more_than_6():
    asked = np.full((2, len(ability.NODES)), 1e6)
    right = asked * [ability.NODES > 0, ability.NODES < 0]
    model = AbilityModel(np.ones(2), np.zeros(2), None)
    for _ in range(30):
        model = ability._refit(model, right, asked, None)
    assert model.slope.tolist() == [6, 0]


def test_the_abilities_found_are_drawn_to_the_normal_as_fifty_students_hold_it():
    there = np.random.default_rng(0).random(21) * 9
    normal = [exp(-(node**2) / 2) for node in ability.NODES]
    by_hand = [n + 50 * p / sum(normal) for n, p in zip(there, normal, strict=True)]
    np.testing.assert_allclose(np.exp(ability._refit_density(there)), by_hand)


@pytest.mark.parametrize(("sums", "sizes", "means"), [
    ([9.0], [20], [0.0]), ([12.0, -3.0], [20, 2], [0.5, -0.5]), ([], [], []),
])  # fmt: skip
def test_a_classrooms_mean_is_drawn_to_0_as_four_students_hold_it(sums, sizes, means):
    assert factor.shrink_means(np.array(sums), np.array(sizes)).tolist() == means


class Echo:
    """Each student's ability is 1 and half of what the classroom's mean was said to be."""

    def mean_abilities(self, rows, means):
        return rows.classroom_sizes * (1 + means / 2)


@pytest.mark.parametrize(("sizes", "once"), [([4, 4, 4], 0.5), ([12, 12], 0.75)])
def test_the_means_of_classrooms_are_looked_for_four_times(sizes, once):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rows = as_rows(np.ones((len(labels), 1)), labels, len(sizes), np.ones(1))
    mean = 0.0
    for _ in range(4):
        mean = once * (1 + mean / 2)
    assert factor.find_means(Echo(), rows).tolist() == pytest.approx([mean] * len(sizes))


def test_one_classroom_alone_has_the_mean_0():
    rows = as_rows(np.ones((5, 1)), np.zeros(5, dtype=int), 1, np.ones(1))
    assert factor.find_means(Echo(), rows).tolist() == [0]


def groups_by_hand(q, profiles, item):
    """Return, for each profile, the profiles that hold the same of what an item asks for."""
    own = [tuple(profile[q[item] == 1]) for profile in profiles]
    return [[n for n, other in enumerate(own) if other == one] for one in own]


def test_profiles_that_hold_the_same_required_skills_share_an_items_answers():
    rng = np.random.default_rng(3)
    q = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 1], [1, 0, 0, 1]])
    profiles = list_profiles(np.zeros((4, 4), dtype=bool))
    right, wrong = rng.random((2, 4, 16)) * 9
    held, prior = profile.HeldGroups(q, profiles), CurvePrior(0.1, 0.3, (0.2, 0.8))
    success, _ = held.refit(right, wrong, prior)
    n_held = (profiles[:, None] & (q == 1)).sum(axis=2).T
    counts = np.zeros((2, 4, 4))
    for item, one in product(range(4), range(16)):
        counts[:, item, n_held[item, one]] += right[item, one], wrong[item, one]
    curves = believe_curves(weigh_curves(*counts, q.sum(axis=1), prior), q.sum(axis=1))
    for item in range(4):
        for one, same in enumerate(groups_by_hand(q, profiles, item)):
            place = item, n_held[item, one]
            curve = Success(curves.mean[place], curves.right[place], curves.wrong[place])
            by_hand = add_own(curve, right[item, same].sum(), wrong[item, same].sum())
            assert success.mean[item, one] == pytest.approx(by_hand.mean)
            assert success.right[item, one] == pytest.approx(by_hand.right)
            assert success.wrong[item, one] == pytest.approx(by_hand.wrong)
        values = success.mean[item]
        stored = held.of_groups(item, values)
        assert len(stored) == len(set(map(tuple, groups_by_hand(q, profiles, item))))
        assert held.of_profiles(item, stored).tolist() == values.tolist()


def test_profiles_are_as_frequent_as_found_with_three_hundred_students_of_the_prior():
    model, counts = make_model("profiles"), np.random.default_rng(5).random((3, N_PROFILES)) * 40
    held, able = np.zeros((2, N_SKILLS, len(factor.GRID)))
    sums = np.zeros(3)
    for room, place in product(range(3), range(N_PROFILES)):
        bits = tuple(model.profiles[place].astype(int).tolist())
        cases = [(p, one, node) for one, node, p, _ in cases_of("profiles", model, MEANS[room])]
        total = sum(p for p, one, _ in cases if one == bits)
        for p, one, node in cases:
            if one != bits:
                continue
            n = counts[room, place] * p / total
            sums[room] += n * factor.GRID[node]
            for k in range(N_SKILLS):
                held[k, node] += n * bits[k]
                able[k, node] += n * all(bits[j] for j in np.flatnonzero(BEFORE[:, k]))
    found, means = profile.maximise_prior(model, counts, MEANS)
    skills = model.skills.refit(held, able)
    np.testing.assert_allclose(found.skills.slope, skills.slope)
    np.testing.assert_allclose(found.skills.easiness, skills.easiness)
    n_students = counts.sum(axis=1)
    np.testing.assert_allclose(means, sums / (n_students + 4))
    plain = ProfileModel(
        model.profiles, BEFORE, model.q, model.success, skills, np.ones(N_PROFILES)
    )
    usual = sum(n * plain.prior(means[[room]])[0] for room, n in enumerate(n_students))
    usual = usual / n_students.sum()
    share = (counts.sum(axis=0) + 300 * usual) / (counts.sum() + 300)
    np.testing.assert_allclose(found.lift * usual, share)


def test_the_share_of_the_skill_model_is_the_best_of_a_thousand():
    answers = np.vstack([ANSWERS, ANSWERS[:2]])
    labels = np.append(CLASSROOM, [0, 0])
    weight = np.ones(N_ITEMS)
    models = {kind: make_model(kind) for kind in ("profiles", "ability")}
    pairs = []
    for row, item in np.argwhere((answers == 0) | (answers == 1)):
        others = answers[row].copy()
        others[item] = NAN
        pair = []
        for kind, model in models.items():
            cases = what_follows(kind, model, others, MEANS[labels[row]], weight)
            right = sum(p * chances[item] for p, _, _, chances in cases)
            pair.append(right if answers[row, item] else 1 - right)
        pairs.append(pair)
    first, second = np.array(pairs).T

    def likelihood(share):
        return np.log(share * first + (1 - share) * second).sum() + 5 * np.log(share * (1 - share))

    rows = distinct_rows(answers, labels, len(MEANS), weight)
    found = skill_share(rows, *((model, MEANS) for model in models.values()))
    best = max((k / 1000 for k in range(1, 1000)), key=likelihood)
    assert found == pytest.approx(best, abs=2e-3)


# -- numbers that computers can hold ----------------------------------------------------


@MODELS
def test_thousands_of_answers_beside_none_leave_both_students_probabilities(kind):
    one = make_model(kind)
    answers = np.array([np.ones(N_ITEMS), np.zeros(N_ITEMS), np.full(N_ITEMS, NAN)])
    found = look(one, answers, np.full(N_ITEMS, 1e5)).success()
    assert np.isfinite(found).all()
    usual = look(one, answers[2:]).success()
    np.testing.assert_allclose(found[2], usual[0])


def test_an_item_of_a_million_answers_beside_one_of_none_is_weighed_too():
    counts = np.array([[1e6, 1e6], [0, 0]])
    weights = weigh_curves(counts, counts, np.ones(2, dtype=int), CurvePrior())
    alone = weigh_curves(counts[1:], counts[1:], np.ones(1, dtype=int), CurvePrior())
    np.testing.assert_allclose(weights[1], alone[0])
