"""What comes in and goes out of mastery: answers, weights, names, seeds, scales, intervals."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta
from sklearn.exceptions import NotFittedError

from analysis.errors import DataError
from analysis.mastery import MasteryModel, calibrate, measure_mastery, read_answers
from analysis.mastery.measuring import credible_interval
from analysis.mastery.observations import read_observations, read_scales, share_of
from analysis.scales import SCALES
from analysis.tables import EVIDENCE, check_table

NAN = np.nan
Q = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1]])
ANSWERS = (np.random.default_rng(0).random((40, 5)) < 0.6).astype(float)
MODEL = MasteryModel(Q, [(0, 1)], 4, max_iter=20).fit(ANSWERS)

# -- the model's doors ------------------------------------------------------------------


@pytest.mark.parametrize(
    "weight", [[1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, -1, 1, 1], [1, 1, np.inf, 1, 1], [[1] * 5]]
)
def test_weights_that_are_none_are_refused(weight):
    with pytest.raises(DataError, match=r"item_weight must be 5 numbers above 0, one an item\.\n"):
        MasteryModel(Q, item_weight=weight).fit(ANSWERS)


def test_classrooms_are_one_label_a_student():
    said = r"classrooms has shape \(39,\), the answers have 40 students"
    with pytest.raises(DataError, match=said):
        MasteryModel(Q).fit(ANSWERS, classrooms=[1] * 39)
    with pytest.raises(DataError, match=said):
        MODEL.transform(ANSWERS, [1] * 39)


def test_a_q_matrix_of_another_shape_is_told_with_its_shape():
    with pytest.raises(DataError, match=r"Q-matrix has shape \(4, 1\), the answers have 5 items"):
        MasteryModel(Q[:4, :1]).fit(ANSWERS)


def test_all_faults_of_a_q_matrix_are_told_together():
    q = pd.DataFrame([[0, 0], [2, 0], [1, 0], [1, 0], [1, 0]], columns=["add", "times"])
    told = "item 1 asks for no skill.*skill times has no item.*values other than 0 and 1"
    with pytest.raises(DataError, match=re.compile(told, re.DOTALL)):
        MasteryModel(q).fit(ANSWERS)


def test_items_are_found_by_name_in_whatever_order_they_come():
    names = ["i0", "i1", "i2", "i3", "i4"]
    q = pd.DataFrame(Q, index=names, columns=["add", "times"])
    frame = pd.DataFrame(ANSWERS, columns=names)
    model = MasteryModel(q[::-1], [("add", "times")], max_iter=20).fit(frame)
    np.testing.assert_allclose(model.transform(frame), MODEL.transform(ANSWERS))
    assert model.get_feature_names_out().tolist() == ["add", "times"]
    assert MODEL.get_feature_names_out().tolist() == ["0", "1"]
    assert MODEL.transform(ANSWERS).shape == (40, 2)


def test_items_of_other_names_are_taken_in_their_order():
    frame = pd.DataFrame(ANSWERS, columns=list("vwxyz"))
    model = MasteryModel(pd.DataFrame(Q, index=list("abcde")), [(0, 1)], max_iter=20).fit(frame)
    np.testing.assert_allclose(model.transform(frame), MODEL.transform(ANSWERS))


def test_an_unfitted_model_says_so():
    with pytest.raises(NotFittedError, match="not fitted"):
        MasteryModel(Q).transform(ANSWERS)
    with pytest.raises(NotFittedError, match="not fitted"):
        MasteryModel(Q).get_feature_names_out()


def test_a_prediction_is_a_blend_in_the_share_that_was_learnt():
    blends = {}
    for share in (0.0, 0.25, 1.0):
        model = MasteryModel(Q, [(0, 1)], max_iter=20).fit(ANSWERS)
        model.skill_share_ = share
        blends[share] = model.predict_responses(ANSWERS)
    np.testing.assert_allclose(blends[0.0], MODEL.predict_by_ability(ANSWERS))
    np.testing.assert_allclose(blends[0.25], 0.25 * blends[1.0] + 0.75 * blends[0.0])
    assert np.abs(blends[1.0] - blends[0.0]).max() > 0.05


def test_a_seed_repeats_its_draws_and_the_models_own_is_taken_where_none_is_given():
    own, same, other = (MODEL.sample_profiles(ANSWERS, 20, seed).tolist() for seed in (None, 4, 5))
    assert own == same != other
    generators = [np.random.RandomState(4), np.random.RandomState(4)]
    one, two = (MODEL.sample_profiles(ANSWERS, 3, rng).tolist() for rng in generators)
    assert one == two
    assert MODEL.sample_profiles(ANSWERS).shape == (200, 40, 2)
    none = MODEL.sample_profiles(ANSWERS, 0)
    assert none.shape == (0, 40, 2)
    assert none.dtype == bool


def test_classrooms_may_be_the_second_or_a_named_argument():
    labels = np.arange(40) % 2
    by_place, by_name, neither = (
        MasteryModel(Q, max_iter=5).fit(ANSWERS, *args, **named).skill_model_.success.mean.tolist()
        for args, named in (((labels,), {}), ((), {"classrooms": labels}), ((), {}))
    )
    assert by_place == by_name != neither


def test_steps_and_tolerance_are_those_that_were_asked_for():
    assert MasteryModel(Q, max_iter=3, tol=0).fit(ANSWERS).n_iter_ == 3
    assert MasteryModel(Q, tol=0).fit(ANSWERS).n_iter_ == 300
    assert MasteryModel(Q, tol=1).fit(ANSWERS).n_iter_ == 1


@pytest.mark.parametrize("q", [Q, np.tile(Q, (1, 5))[:, :9]], ids=["listed", "not listed"])
def test_every_row_is_looked_at_in_its_classroom_however_many_there_are(q):
    answers = np.tile(ANSWERS, (30, 1))
    labels = np.repeat(["b", "a"], 600)
    model = MasteryModel(q, max_iter=3).fit(answers, labels)
    both = model.transform(answers, labels)
    assert len(both) == 1200
    np.testing.assert_allclose(both[:40], both[560:600])
    turned = model.transform(answers[::-1], labels[::-1])
    np.testing.assert_allclose(turned[::-1], both)


def test_an_answer_of_exactly_0_or_1_gives_no_warning_and_half_beyond_counts_as_the_end():
    with pytest.warns(UserWarning, match=r"X, row 1, item 2: 1\.5 is outside 0\.\.1"):
        beyond = MODEL.transform([[1, 1.5, 0, -0.5, 0]])
    np.testing.assert_allclose(beyond, MODEL.transform([[1, 1, 0, 0, 0]]))


# -- evidence ---------------------------------------------------------------------------


def evidence(*rows):
    """Return evidence from (student, skill, item, points, points possible)."""
    names = ["student_id", "skill_id", "observation_id", "points", "points_possible"]
    table = pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    return table.assign(window="fall", source="quiz", kind="points")


def levels(*given, scale="rubric"):
    """Return evidence of levels, one a student."""
    return pd.DataFrame(
        [
            {"student_id": f"s{n}", "skill_id": "k", "window": "fall", "source": "x",
             "observation_id": "o", "kind": "level", "level": level, "scale": scale}
            for n, level in enumerate(given)
        ]
    )  # fmt: skip


def test_students_and_items_come_in_order_and_skills_as_people_count():
    seen = read_observations(
        evidence(("b", "k10", "i2", 1, 2), ("a", "k2", "i1", 3, 4), ("b", "k2", "i1", 0, 4)), "fall"
    )
    assert seen.student_ids == ["a", "b"]
    assert seen.items == [("quiz", "i1"), ("quiz", "i2")]
    assert seen.skill_ids == ["k2", "k10"]
    np.testing.assert_array_equal(seen.answers, [[0.75, NAN], [0.0, 0.5]])
    np.testing.assert_array_equal(seen.answers_of(np.array([1, 0]))[:, 0], [0, 0.75])
    assert seen.q.tolist() == [[1, 0], [0, 1]]


def test_one_name_of_two_sources_is_two_items_and_other_windows_are_left_out():
    table = pd.concat(
        [
            evidence(("a", "k", "i", 1, 1)),
            evidence(("a", "k", "i", 0, 1)).assign(source="exam"),
            evidence(("a", "k", "i", 0, 1)).assign(window="spring"),
            evidence(("a", "k", "j", 1, 1)).assign(source="exam"),
        ]
    )
    seen = read_observations(table, "fall")
    assert seen.items == [("exam", "i"), ("exam", "j"), ("quiz", "i")]
    assert seen.answers.tolist() == [[0, 1, 1]]


def test_a_level_counts_from_the_first_that_shows_mastery_and_one_without_a_scale_is_none():
    rubric = {"rubric": (["low", "mid", "high"], "mid")}
    seen = read_observations(levels("low", "mid", None, "high"), "fall", scales=rubric)
    assert seen.student_ids == ["s0", "s1", "s3"]
    assert seen.answers.ravel().tolist() == [0, 1, 1]
    assert seen.graded_of(np.arange(3)).ravel().tolist() == [0, 0.75, 1]
    assert seen.graded_of(np.array([2])).tolist() == [[1]]


def test_levels_that_are_on_no_scale_are_told_together():
    told = (
        "my table.*student s0: level 'top' is not on scale 'rubric'"
        ".*student s2: level 'none' is not on scale 'rubric'.*Name the scale and its levels"
    )
    with pytest.raises(DataError, match=re.compile(told, re.DOTALL)) as caught:
        read_observations(
            levels("top", "low", "none"),
            "fall",
            scales={"rubric": ["low", "mid"]},
            where="my table",
        )
    assert "student s1" not in str(caught.value)
    with pytest.raises(DataError, match="level 'low' is not on scale 'other'"):
        read_observations(levels("low", scale="other"), "fall", scales={"rubric": ["low"]})


@pytest.mark.parametrize(("labels", "first", "places"), [
    (["1", "2", "3", "4"], "3", [0, 0.25, 0.75, 1]), (["a", "b"], "b", [0, 1]),
    (["a", "b", "c"], "a", [0.5 + 0.5 / 3, 0.5 + 1 / 3, 1]),
    (["1", "2", "3", "4", "5"], "5", [0, 0.125, 0.25, 0.375, 1]),
])  # fmt: skip
def test_a_levels_place_is_over_a_half_from_the_first_that_shows_mastery(labels, first, places):
    table = check_table(levels(*labels), EVIDENCE, "levels")
    found = share_of(table, read_scales({"rubric": (labels, first)}), "levels").tolist()
    assert found == pytest.approx(places)


def test_points_scores_and_levels_stand_beside_each_other():
    table = pd.concat(
        [
            evidence(("a", "k", "i", 1, 4)),
            levels("3", scale="mine"),
            pd.DataFrame(
                {"student_id": ["b", "c", "d"], "skill_id": "k", "window": "fall", "source": "map",
                 "observation_id": "t", "kind": "score", "score": [200.0, 190, 195],
                 "cut": [195.0, 195, NAN], "score_se": [0.0, 5, 5]}
            ),
        ],
        ignore_index=True,
    )  # fmt: skip
    scales = {"mine": (["1", "2", "3", "4"], "3")}
    given = check_table(table, EVIDENCE, "all")
    shares = share_of(given, read_scales(scales), "all").tolist()
    assert shares == pytest.approx([0.25, 0.75, 1, 0.1586553, NAN], nan_ok=True)
    seen = read_observations(table, "fall", scales=scales)
    assert dict(zip(seen.items, seen.weight, strict=True)) == {
        ("quiz", "i"): 1, ("x", "o"): 1, ("map", "t"): 4,
    }  # fmt: skip
    assert "d" not in seen.student_ids


def test_a_scale_is_read_from_each_way_to_say_it():
    rubric = SCALES["rubric-4"]
    found = read_scales({"a": rubric, "b": [["x", "y"], "x"], "c": ["1", "2", "3"], "d": "mn"})
    assert found["a"] == (list(rubric.levels), rubric.mastery)
    assert found["b"] == (["x", "y"], "x")
    assert found["c"] == (["1", "2", "3"], "2")
    assert read_scales(None).keys() == SCALES.keys()


# -- the mastery table ------------------------------------------------------------------


@pytest.mark.parametrize("mastery", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("n_items", [0, 3, 12.0])
def test_the_interval_is_jeffreys_of_a_share_seen_in_one_more_item(mastery, n_items):
    low, high = credible_interval(np.array([mastery]), np.array([n_items]))
    seen = n_items + 1
    by_hand = beta(mastery * seen + 0.5, (1 - mastery) * seen + 0.5).ppf([0.1, 0.9])
    assert low[0] == pytest.approx(min(by_hand[0], mastery))
    assert high[0] == pytest.approx(max(by_hand[1], mastery))


CLASS = evidence(
    *((f"s{s}", f"k{k}", f"i{k}{i}", float((s + k * i) % 3 > 0), 1)
      for s in range(24) for k in (1, 2) for i in range(2))
)  # fmt: skip
ROSTER = pd.DataFrame({"student_id": [f"s{s}" for s in range(24)], "classroom_id": "c"})


def test_levels_are_measured_on_the_scales_that_were_given_and_only_those_that_occur_are_kept():
    given = levels(*"ABC" * 8, scale="mine").assign(skill_id="k1")
    scales = {"mine": (["A", "B", "C"], "C"), "unused": ["x", "y"]}
    both = pd.concat([CLASS, given], ignore_index=True)
    made = calibrate(both, ROSTER, window="fall", scales=scales)
    assert made.scales == {"mine": (["A", "B", "C"], "C")}
    answers = read_answers(both, ROSTER, made)
    told = dict(
        zip(answers.student_ids, answers.shares[:, made.items.index(("x", "o"))], strict=True)
    )
    assert [told[f"s{n}"] for n in range(6)] == [0, 0, 1, 0, 0, 1]


def test_a_heavy_observation_narrows_the_interval_and_counts_as_one_item():
    score = pd.DataFrame(
        {"student_id": ROSTER["student_id"], "skill_id": "k1", "window": "fall", "source": "map",
         "observation_id": "t", "kind": "score", "score": 200.0, "cut": 195.0, "score_se": 9.0}
    )  # fmt: skip
    both = pd.concat([CLASS, score], ignore_index=True)
    made = calibrate(both, ROSTER, window="fall")
    found = measure_mastery(both, ROSTER, made).set_index(["student_id", "skill_id"])
    assert set(found["n_items"].xs("k1", level=1)) == {3}
    assert set(found["n_items"].xs("k2", level=1)) == {2}
    row = found.loc[("s0", "k1")]
    low, high = credible_interval(np.array([row["mastery"]]), np.array([2 + 4]))
    assert (row["low"], row["high"]) == (pytest.approx(low[0]), pytest.approx(high[0]))


def test_answers_that_were_read_already_are_not_read_again():
    made = calibrate(CLASS, ROSTER, window="fall", random_state=9)
    answers = read_answers(CLASS, ROSTER, made)
    again = measure_mastery(CLASS[:0], ROSTER, made, answers=answers)
    pd.testing.assert_frame_equal(again, measure_mastery(CLASS, ROSTER, made))
    assert set(again["window"]) == {"fall"}
    assert made.model.random_state == 9
    assert answers.classroom_ids.tolist() == ["c"] * 24


def test_what_is_no_number_is_never_kept(tmp_path):
    made = calibrate(CLASS, ROSTER, window="fall")
    made.model.skill_share_ = NAN
    with pytest.raises(ValueError, match="JSON"):
        made.save(tmp_path / "one.json")
    assert list(tmp_path.iterdir()) == []
