"""Evidence in one place or in many, rows counted, sampled, added up: what is learnt is the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from analysis.crew import Here
from analysis.mastery import (
    MasteryModel,
    ability,
    calibrate,
    calibrate_gathered,
    gather,
    judge_skills,
    responses,
    spread,
    verdict,
)
from analysis.mastery.ability import fit_ability
from analysis.mastery.gathering import survey
from analysis.mastery.higher_order import fit_higher_order
from analysis.mastery.items import CurvePrior, believe_curves, weigh_curves
from analysis.mastery.profile import fit_profiles
from analysis.mastery.responses import as_rows, count_answers, distinct_rows
from analysis.mastery.stored import dump_model, load_model
from analysis.mastery.structure import list_profiles, read_prerequisites

Q = np.repeat(np.eye(3, dtype=int), 2, axis=0)
CHAIN = read_prerequisites([(0, 1), (1, 2)], range(3))


def draw(n, n_classrooms=1, seed=0):
    """Return answers and classrooms of a test in which skills follow each other."""
    rng = np.random.default_rng(seed)
    chance = np.where((rng.integers(4, size=(n, 1)) > np.arange(3)) @ Q.T, 0.85, 0.2)
    return (rng.random(chance.shape) < chance).astype(float), np.arange(n) % n_classrooms


def rows_of(answers, labels):
    return distinct_rows(answers, labels, int(labels.max()) + 1, np.ones(answers.shape[1]))


def listed(rows):
    """Return (classroom, answers, count) of every row, in order; None: not answered."""
    return [
        (int(room), *(None if np.isnan(y) else float(y) for y in answers), float(n))
        for part in rows.chunks()
        for room, answers, n in zip(part.classroom, part.answers, part.count, strict=True)
    ]


# -- rows -------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [500, 3])
def test_rows_are_counted_classroom_by_classroom_and_sorted(n_rows, monkeypatch):
    monkeypatch.setattr(responses, "CHUNK", n_rows)
    answers, labels = draw(40, 2)
    found = listed(rows_of(answers, labels))
    by_hand = pd.DataFrame(answers).assign(room=labels).value_counts(["room", *range(6)])
    assert found == [(*key, n) for key, n in by_hand.sort_index().items()]


def test_no_answer_is_another_than_a_wrong_one_and_minus_zero_is_zero():
    answers = np.array([[0.0, 1.0], [np.nan, 1.0], [-0.0, 1.0], [np.nan, 1.0], [1.0, 1.0]])
    rows = distinct_rows(answers, np.zeros(5, dtype=int), 1, np.ones(2))
    assert [row[-1] for row in listed(rows)] == [2, 2, 1]
    assert rows.n_rows == 3
    assert rows.n_items == 2
    assert rows.classroom_sizes.tolist() == [5]


def test_partial_credit_is_part_right_and_part_wrong_by_the_items_weight():
    answers = np.array([[0.25, np.nan, 1.0]])
    part = as_rows(answers, np.zeros(1, dtype=int), 1, np.array([2.0, 9.0, 0.5]))
    right, wrong = part.right_and_wrong()
    assert right.tolist() == [[0.5, 0, 0.5]]
    assert wrong.tolist() == [[1.5, 0, 0]]


def test_right_answers_are_counted_over_all_rows(monkeypatch):
    monkeypatch.setattr(responses, "CHUNK", 4)
    answers, labels = draw(60, 3)
    answers[::7, 2] = np.nan
    right, asked, sizes = count_answers(None, rows_of(answers, labels), None)
    np.testing.assert_allclose(right, np.nansum(answers, axis=0))
    np.testing.assert_allclose(asked, (~np.isnan(answers)).sum(axis=0))
    assert sizes.tolist() == [20, 20, 20]


@pytest.mark.parametrize(("most", "step"), [(7, 10), (35, 2), (69, 2), (70, 1), (500, 1)])
def test_a_sample_is_every_so_manieth_row_and_not_more_than_asked_for(most, step):
    answers = np.arange(70.0)[:, None] / 100
    rows = rows_of(answers, np.zeros(70, dtype=int))
    assert listed(rows.sample(most)) == listed(rows)[::step]


@pytest.mark.parametrize("most", [10, 69])
def test_many_rows_are_sampled_first_and_then_seen_all_a_few_times(most, monkeypatch):
    answers, labels = np.arange(70.0)[:, None] / 100, np.zeros(70, dtype=int)
    monkeypatch.setattr(responses, "SAMPLE", most)
    steps = [(rows.n_rows, n) for rows, n in rows_of(answers, labels).schedule(99)]
    assert steps == [(70 // -(-70 // most), 99), (70, 10)]


def test_few_rows_are_seen_all_at_once():
    answers, labels = draw(30)
    rows = rows_of(answers, labels)
    assert [(part.n_rows, n) for part, n in rows.schedule(99)] == [(rows.n_rows, 99)]


@pytest.mark.parametrize(("asked", "blocks"), [
    (["0123", "0123"], ["0123"]),
    (["0123", "2345"], ["012345"]),
    (["0123", "3456"], ["0123", "3456"]),
    (["012345", "45", "4567", "89"], ["01234567", "89"]),
    (["01", "89", "01"], ["01", "89", "01"]),
    (["01", "", "01"], ["01"]),
])  # fmt: skip
def test_neighbours_that_were_asked_half_the_same_lie_together(asked, blocks):
    answers = np.full((3 * len(asked), 10), np.nan)
    labels = np.arange(len(answers)) % len(asked)
    for row, room in enumerate(labels):
        answers[row, [int(item) for item in asked[room]]] = row % 2
    weight = np.linspace(1, 2, 10)
    rows = distinct_rows(answers, labels, len(asked), weight)
    assert ["".join(map(str, block.items)) for block in rows.blocks] == blocks
    for block in rows.blocks:
        np.testing.assert_array_equal(block.item_weight, weight[block.items])
        for room in np.unique(block.classroom):
            own = block.answers[block.classroom == room]
            seen = "".join(str(item) for item in block.items[~np.isnan(own).all(axis=0)])
            assert seen == asked[room]
    assert rows.classroom_sizes.tolist() == [3] * len(asked)
    by_hand = np.nansum(answers, axis=0) * weight
    np.testing.assert_allclose(count_answers(None, rows, None)[0], by_hand)


# -- EM ---------------------------------------------------------------------------------


def fit_by_profile(rows, **how):
    return fit_profiles(rows, Q, CHAIN, list_profiles(CHAIN), **how)


def fit_by_skill(rows, **how):
    return fit_higher_order(rows, Q, CHAIN, **how)


FITS = pytest.mark.parametrize("fit", [fit_by_profile, fit_by_skill])


@FITS
def test_before_any_answer_items_are_alike_and_each_skill_is_held_by_half(fit):
    answers, labels = draw(80, 2)
    model, means, n_iter = fit(rows_of(answers, labels), max_iter=0)
    one = np.array([1])
    usual = believe_curves(weigh_curves(np.zeros((1, 2)), np.zeros((1, 2)), one, CurvePrior()), one)
    for column in (model.success.mean.min(axis=1), model.success.mean.max(axis=1)):
        assert np.abs(column[:, None] - usual.mean).min(axis=1) == pytest.approx(0)
    assert (model.success.mean.min(axis=1) < model.success.mean.max(axis=1)).all()
    assert model.skills.slope.tolist() == [1.7] * 3
    assert model.skills.easiness.tolist() == [0] * 3
    assert means.tolist() == [0, 0]
    assert n_iter == 0


@FITS
@pytest.mark.parametrize("n_classrooms", [1, 3])
def test_where_it_ends_another_step_moves_nothing(fit, n_classrooms):
    rows = rows_of(*draw(80, n_classrooms))
    model, means, n_iter = fit(rows, max_iter=999, tol=1e-6)
    assert n_iter < 999
    more, means_too, _ = fit(rows, max_iter=n_iter + 50, tol=0)
    np.testing.assert_allclose(model.success.mean, more.success.mean, atol=1e-4)
    np.testing.assert_allclose(model.skills.at_nodes(), more.skills.at_nodes(), atol=1e-2)
    np.testing.assert_allclose(means, means_too, atol=1e-2)


@FITS
def test_steps_are_counted_one_by_one_up_to_the_most(fit):
    rows = rows_of(*draw(80))
    assert [fit(rows, max_iter=n, tol=0)[2] for n in (1, 2, 7)] == [1, 2, 7]
    assert fit(rows, tol=0)[2] == 200


@FITS
def test_it_stops_once_no_probability_moves_by_more_than_told(fit):
    rows = rows_of(*draw(80))
    n = fit(rows, tol=1e-3)[2]
    last, before = (fit(rows, max_iter=k, tol=0)[0].success.mean for k in (n, n - 1))
    one_more = fit(rows, max_iter=n - 2, tol=0)[0].success.mean
    assert np.abs(last - before).max() < 1e-3
    assert np.abs(before - one_more).max() >= 1e-3


@FITS
def test_what_is_learnt_comes_near_what_answers_were_drawn_from(fit):
    model, *_ = fit(rows_of(*draw(3000)), tol=1e-5)
    lacking, holding = model.success.mean.min(axis=1), model.success.mean.max(axis=1)
    np.testing.assert_allclose(lacking, 0.2, atol=0.08)
    np.testing.assert_allclose(holding, 0.85, atol=0.08)


def test_an_item_of_several_skills_counts_for_the_rarest_and_so_does_a_skill():
    # Skill 0 is shown most often, skill 2 least.
    q = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 0]])
    before = read_prerequisites([(0, 3), (1, 3), (2, 3), (0, 1)], range(4))
    answers = (np.arange(20)[:, None] < [18, 12, 4, 9, 3]).astype(float)
    model, *_ = fit_higher_order(rows_of(answers, np.zeros(20, dtype=int)), q, before, max_iter=1)
    assert model.item_skill.tolist() == [0, 1, 2, 3, 2]
    assert model.parent.tolist() == [-1, 0, -1, 2]


def test_one_ability_ends_where_another_step_moves_nothing():
    rows = rows_of(*draw(150, 3))
    (model, means), (more, means_too) = (
        fit_ability(rows, max_iter=n, tol=tol) for n, tol in ((900, 1e-9), (1000, 0))
    )
    np.testing.assert_allclose(model.success(), more.success(), atol=1e-5)
    np.testing.assert_allclose(means, means_too, atol=1e-4)
    assert means.std() > 0
    start, _ = fit_ability(rows, max_iter=0)
    assert start.slope.tolist() == [1] * 6
    assert start.easiness.tolist() == [0] * 6


def test_the_distribution_of_one_ability_is_found_only_where_classrooms_are_not_told_apart():
    answers, labels = draw(400)
    alone, _ = fit_ability(rows_of(answers, labels), max_iter=3)
    told, _ = fit_ability(rows_of(answers, np.arange(400) % 2), max_iter=3)
    np.testing.assert_allclose(told.density, -(ability.NODES**2) / 2)
    assert np.exp(alone.density).sum() == pytest.approx(400 + 50)


# -- places -----------------------------------------------------------------------------


def make_evidence(n=60):
    rng, chance = np.random.default_rng(1), (0.2, 0.9)
    rows = [
        (f"s{s:02}", f"k{k}", "fall", "quiz", f"i{k}{i}", float(rng.random() < chance[s % 4 > k]))
        for s in range(n) for k in (1, 2, 10) for i in range(2) if (s + k + i) % 9
    ]  # fmt: skip
    key = ["student_id", "skill_id", "window", "source", "observation_id", "points"]
    return pd.DataFrame(rows, columns=key).assign(kind="points", points_possible=1.0)


EVIDENCE = make_evidence()
ROSTER = pd.DataFrame(
    {
        "student_id": [f"s{s:02}" for s in range(58)],
        "classroom_id": [f"c{s // 20}" for s in range(58)],
    }
)


def place_of(classroom_ids, evidence=EVIDENCE):
    """Return one place: some classrooms, what their students answered, and nobody else's."""
    roster = ROSTER[ROSTER["classroom_id"].isin(classroom_ids)]
    return gather(evidence[evidence["student_id"].isin(roster["student_id"])], roster, "fall")


def saved(calibration, folder):
    calibration.save(folder / "one.json")
    return (folder / "one.json").read_text()


def test_in_several_places_the_same_is_learnt_as_in_one(tmp_path, monkeypatch):
    monkeypatch.setattr(verdict, "N_FOLDS", 2)
    known = EVIDENCE[EVIDENCE["student_id"].isin(ROSTER["student_id"])]
    kept = [place_of(["c0"]), place_of(["c1"]), place_of(["c2"])]
    apart = calibrate_gathered(Here(), kept, window="fall", random_state=3)
    at_once = calibrate(known, ROSTER, window="fall", random_state=3)
    assert saved(apart, tmp_path) == saved(at_once, tmp_path)
    assert apart.n_students == 58
    assert apart.skill_ids == ["k1", "k2", "k10"]
    assert apart.model.random_state == 3


def test_all_rows_are_added_up_over_places_as_in_one(monkeypatch):
    for module in (responses, spread):
        monkeypatch.setattr(module, "SAMPLE", 7)
    found = []
    for kept in ([place_of(["c0"]), place_of(["c1", "c2"])], [place_of(["c0", "c1", "c2"])]):
        rows = survey(Here(), kept, "fall").spread()
        assert [n for _, n in rows.schedule(9)] == [9, 10]
        assert rows.sample(7).n_rows <= 7
        assert rows.n_classrooms == 3
        found.append(MasteryModel(np.eye(6, dtype=int), max_iter=9).fit_spread(rows))
    one, two = (model.skill_model_ for model in found)
    np.testing.assert_allclose(one.success.mean, two.success.mean, atol=1e-9)
    assert one.skills.slope.tolist() != [1.7] * 6
    np.testing.assert_allclose(found[0].ability_model_.slope, found[1].ability_model_.slope)
    assert found[0].n_iter_ == found[1].n_iter_


@pytest.mark.parametrize("most", [3, 7, 20, 500])
def test_a_sample_over_places_is_the_one_of_all_rows_together(most):
    places = [
        [place_of(["c0"]), place_of(["c1"]), place_of(["c2"])],
        [place_of(["c0", "c1", "c2"])],
    ]
    apart, at_once = (survey(Here(), kept, "fall").spread() for kept in places)
    assert apart.n_rows == at_once.n_rows
    assert listed(apart.sample(most)) == listed(at_once.sample(most))
    assert apart.classroom_sizes.tolist() == at_once.classroom_sizes.tolist() == [20, 20, 18]


def test_who_comes_in_two_places_counts_where_he_comes_first():
    own = EVIDENCE[EVIDENCE["student_id"] == "s00"].assign(points=1.0)
    twice = gather(own, pd.DataFrame({"student_id": ["s00"], "classroom_id": ["c9"]}), "fall")
    all_places = survey(Here(), [place_of(["c0"]), twice], "fall")
    alone = survey(Here(), [place_of(["c0"])], "fall")
    assert all_places.student_ids.tolist() == alone.student_ids.tolist()
    chosen = np.array([0, 5])
    for found, expected in zip(
        all_places.answers_of(chosen), alone.answers_of(chosen), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert listed(all_places.spread().sample(99)) == listed(alone.spread().sample(99))


def test_answers_of_chosen_students_come_in_the_order_they_are_asked_for():
    everything = survey(Here(), [place_of(["c1"]), place_of(["c0"])], "fall")
    answers, graded, classrooms = everything.answers_of(np.array([30, 2, 21]))
    assert classrooms.tolist() == ["c1", "c0", "c1"]
    np.testing.assert_array_equal(graded, answers)
    for name, found in zip(["s30", "s02", "s21"], answers, strict=True):
        own = EVIDENCE[EVIDENCE["student_id"] == name].set_index("observation_id")["points"]
        for (source, item), points in zip(everything.items, found, strict=True):
            assert source == "quiz"
            assert points == own[item] if item in own.index else np.isnan(points)


def test_a_place_where_nothing_was_asked_in_the_window_adds_nothing():
    silent = place_of(["c0"], EVIDENCE.assign(window="spring"))
    found, expected = (survey(Here(), kept, "fall") for kept in (
        [silent, place_of(["c1"]), place_of(["c2"])], [place_of(["c1"]), place_of(["c2"])],
    ))  # fmt: skip
    assert found.student_ids.tolist() == expected.student_ids.tolist()
    assert listed(found.spread().sample(99)) == listed(expected.spread().sample(99))


def test_a_student_on_no_roster_counts_in_a_classroom_without_a_name():
    place = gather(EVIDENCE, ROSTER, "fall")
    assert dict(zip(place.seen.student_ids, place.classrooms, strict=True))["s59"] == ""
    assert survey(Here(), [place], "fall").spread().classroom_sizes.tolist() == [2, 20, 20, 18]


def test_a_student_of_two_classrooms_counts_in_the_first_by_id():
    both = pd.concat([ROSTER, pd.DataFrame({"student_id": ["s45"], "classroom_id": ["c1"]})])
    place = gather(EVIDENCE, both, "fall")
    assert dict(zip(place.seen.student_ids, place.classrooms, strict=True))["s45"] == "c1"


def test_an_items_weight_and_skills_are_those_of_any_place_that_knows_it():
    score = pd.DataFrame(
        {"student_id": ["s01"], "skill_id": ["k2"], "window": ["fall"], "source": ["map"],
         "observation_id": ["total"], "kind": ["score"], "score": [200.0], "cut": [190.0]}
    )  # fmt: skip
    own = gather(pd.concat([EVIDENCE, score]), ROSTER, "fall")
    found = survey(Here(), [own, place_of(["c1"])], "fall")
    place = found.items.index(("map", "total"))
    assert found.weight[place] == 4
    assert np.delete(found.weight, place).tolist() == [1] * 6
    assert found.q[place].tolist() == [0, 1, 0]
    assert found.q.sum(axis=0).tolist() == [2, 3, 2]


# -- kept and loaded --------------------------------------------------------------------


def test_a_model_of_nine_skills_says_the_same_when_it_was_kept():
    answers = (np.random.default_rng(2).random((40, 9)) < 0.6).astype(float)
    model = MasteryModel(
        pd.DataFrame(np.eye(9, dtype=int), columns=list("abcdefghi")), [("a", "b")], 5,
        item_weight=np.linspace(0.5, 2, 9), max_iter=4,
    ).fit(answers)  # fmt: skip
    again = load_model(dump_model(model))
    labels = np.arange(40) % 2
    for ask in ("transform", "ready", "predict_responses", "predict_profiles", "sample_profiles"):
        how = {"n_draws": 3} if ask == "sample_profiles" else {}
        found, expected = (
            getattr(m, ask)(answers, classrooms=labels, **how) for m in (again, model)
        )
        np.testing.assert_array_equal(found, expected)
    assert again.get_feature_names_out().tolist() == list("abcdefghi")
    assert again.n_features_in_ == 9
    pd.testing.assert_frame_equal(again.q_matrix, model.q_matrix)


# -- verdict ----------------------------------------------------------------------------


class Spy(BaseEstimator):
    """Remembers what it was shown; says of skills and of one ability what it was told to."""

    shown: list = []  # noqa: RUF012 - clones share both
    told: list = []  # noqa: RUF012

    def fit(self, shown, classrooms=None):
        self.classrooms = classrooms
        self.shown.append(shown)
        self.told.append(None if classrooms is None else list(classrooms))
        return self

    def predict_responses(self, shown, classrooms=None):
        assert classrooms is self.classrooms
        assert shown is self.shown[-1]
        return np.full(shown.shape, 0.8)

    def predict_by_ability(self, shown, classrooms=None):
        assert classrooms is self.classrooms
        assert shown is self.shown[-1]
        return np.full(shown.shape, 0.5)


@pytest.mark.parametrize("classrooms", [None, [0] * 15 + [1] * 15])
def test_each_answer_is_hidden_once_and_predicted_without_it(classrooms):
    answers = np.ones((30, 4))
    answers[::5, 1] = np.nan
    Spy.shown.clear()
    Spy.told.clear()
    found = judge_skills(Spy(), answers, classrooms)
    assert Spy.told == [classrooms] * 5
    hidden = [np.isnan(shown) & ~np.isnan(answers) for shown in Spy.shown]
    assert len(hidden) == 5
    assert (np.sum(hidden, axis=0) == ~np.isnan(answers)).all()
    assert all(0.05 < one.sum() / found.n_hidden < 0.4 for one in hidden)
    assert all((shown[~np.isnan(shown)] == 1).all() for shown in Spy.shown)
    assert found.skills_log_loss == pytest.approx(-np.log(0.8))
    assert found.ability_log_loss == pytest.approx(-np.log(0.5))
    assert found


@pytest.mark.parametrize(("n", "n_chosen"), [(12, 12), (13, 12), (400, 12)])
def test_of_many_students_some_are_drawn_each_once_and_in_order(n, n_chosen, monkeypatch):
    monkeypatch.setattr(verdict, "MOST_STUDENTS", 12)
    chosen = verdict.choose_students(np.arange(n) // 5, np.random.default_rng(0)).tolist()
    assert len(set(chosen)) == n_chosen
    assert chosen == sorted(chosen)
    assert set(chosen) <= set(range(n))
    assert (chosen == list(range(n))) == (n == n_chosen)


def test_of_very_many_classrooms_some_students_each_are_drawn_together(monkeypatch):
    monkeypatch.setattr(verdict, "MOST_STUDENTS", 12)
    monkeypatch.setattr(verdict, "OF_A_CLASSROOM", 3)
    rng = np.random.default_rng(0)
    rooms = rng.permutation(np.repeat([f"class {n}" for n in range(50)], 8))
    drawn = [verdict.choose_students(rooms, np.random.default_rng(seed)) for seed in range(20)]
    for chosen in drawn:
        assert np.unique(rooms[chosen], return_counts=True)[1].tolist() == [3, 3, 3, 3]
    # Each classroom's turn comes, and each student's in it.
    assert len(np.unique(rooms[np.concatenate(drawn)])) > 35
    assert len(np.unique(np.concatenate(drawn))) > 150


def test_few_classrooms_are_drawn_from_evenly_first_and_those_in_none_alone(monkeypatch):
    monkeypatch.setattr(verdict, "MOST_STUDENTS", 12)
    monkeypatch.setattr(verdict, "OF_A_CLASSROOM", 3)
    rooms = np.repeat(["a", "b"], [20, 4])
    chosen = rooms[verdict.choose_students(rooms, np.random.default_rng(0))].tolist()
    assert chosen.count("b") >= 3
    rooms = np.repeat(["a", ""], [40, 40])
    chosen = rooms[verdict.choose_students(rooms, np.random.default_rng(0))].tolist()
    assert chosen.count("a") <= 3
    assert len(chosen) == 12


def test_another_seed_hides_other_answers_and_the_same_the_same():
    answers = np.where(np.random.default_rng(0).random((30, 4)) < 0.6, 1.0, 0.0)
    hidden = []
    for seed in (0, None, 1):
        Spy.shown.clear()
        judge_skills(Spy(), answers, **({} if seed is None else {"random_state": seed}))
        hidden.append(np.isnan(Spy.shown[0]).tolist())
    assert hidden[0] == hidden[1] != hidden[2]
