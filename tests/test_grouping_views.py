"""Classical clusterings stand beside the groups by next skill."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from analysis.errors import UnknownError
from analysis.grouping import classical_groups, compare_views
from analysis.grouping.views import WAYS


def make_blobs(*sizes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = np.eye(len(sizes)) * 0.8 + 0.1
    return np.clip(
        centres[truth] + rng.normal(scale=0.03, size=(len(truth), len(sizes))), 0, 1
    ), truth


@pytest.mark.parametrize("way", WAYS)
def test_each_way_finds_clear_clusters_the_largest_first(way):
    mastery, truth = make_blobs(3, 9, 5)
    labels = classical_groups(mastery, way, 3)
    assert adjusted_rand_score(truth, labels) == 1
    assert np.bincount(labels).tolist() == [9, 5, 3]


def test_an_unknown_way_is_named_with_the_known_ones():
    with pytest.raises(UnknownError, match=r"no way 'kmeans'\. Did you mean 'k-means'"):
        classical_groups([[0.5]], "kmeans")


def test_only_groups_by_next_skill_keep_sizes_a_teacher_can_run():
    mastery, _ = make_blobs(14, 6, 2)
    table = compare_views(mastery, n_groups=3).set_index("way")
    assert table.at["groups by next skill", "largest"] <= 6
    assert table.at["groups by next skill", "smallest"] >= 3
    assert table.at["k-means", "largest"] == 14


def test_clear_evidence_is_stable_and_a_coin_is_not():
    clear, _ = make_blobs(6, 6)
    table = compare_views(np.clip((clear - 0.5) * 3 + 0.5, 0, 1), n_groups=2).set_index("way")
    coin = compare_views(np.full((12, 4), 0.5), n_groups=2).set_index("way")
    assert table.at["k-means", "stability"] > 0.9
    assert coin.at["k-means", "stability"] < 0.5


def test_students_all_alike_are_no_error():
    assert classical_groups(np.full((5, 2), 0.5), "k-means", 3).tolist() == [0] * 5


def test_clusters_of_one_size_are_numbered_by_their_first_student():
    mastery, _ = make_blobs(3, 3, 3)
    turned = mastery[[6, 0, 3, 7, 1, 4, 8, 2, 5]]
    assert classical_groups(turned, "Ward", 3).tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize("way", WAYS)
def test_there_are_no_more_clusters_than_students(way):
    assert sorted(classical_groups([[0.1, 0.9], [0.9, 0.1]], way, 4)) == [0, 1]


def test_an_unknown_cell_counts_as_the_others_mean():
    mastery = [[0.1, 0.1], [0.1, 0.2], [0.9, 0.9], [0.9, 0.8], [0.9, np.nan]]
    assert classical_groups(mastery, "Ward", 2).tolist() == [1, 1, 0, 0, 0]


def test_how_apart_groups_are_is_the_silhouette_of_mastery():
    mastery, truth = make_blobs(5, 4)
    table = compare_views(mastery, n_groups=2).set_index("way")
    assert table.at["Ward", "silhouette"] == pytest.approx(silhouette_score(mastery, truth))
    assert table["n_groups"].tolist() == [2, 2, 2, 2]
    assert table.index.tolist() == ["groups by next skill", *WAYS]


def test_one_group_is_apart_from_nothing():
    mastery = np.tile([0.2, 0.9], (4, 1)) + np.arange(4)[:, None] / 100
    row = compare_views(mastery, n_groups=1).set_index("way").loc["Ward"]
    assert (row["n_groups"], row["smallest"], row["largest"]) == (1, 4, 4)
    assert np.isnan(row["silhouette"])


@pytest.mark.parametrize(("agreeing", "stability"), [(3, 1.0), (0, 0.0)])
def test_groups_are_stable_where_single_draws_form_the_same(agreeing, stability):
    # A draw says what mastery says, or puts one of each kind together.
    mastery = np.array([[0.1, 0.9]] * 4 + [[0.9, 0.1]] * 4)
    other = np.tile([[True, False], [False, True]], (4, 1))
    draws = np.array([mastery > 0.5] * agreeing + [other] * (3 - agreeing))
    table = compare_views(mastery, n_groups=2, draws=draws).set_index("way")
    assert table.at["Ward", "stability"] == pytest.approx(stability, abs=0.2)


def test_only_ten_draws_are_tried():
    mastery = np.array([[0.1, 0.9]] * 4 + [[0.9, 0.1]] * 4)
    other = np.tile([[True, False], [False, True]], (4, 1))
    draws = np.array([mastery > 0.5] * 10 + [other] * 10)
    assert compare_views(mastery, n_groups=2, draws=draws)["stability"].tolist() == [1] * 4
