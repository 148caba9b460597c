"""No suppressed cell can be worked out from what is shown, in one table or in two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.privacy import SMALLEST_CELL, code_share, protect_counts
from analysis.privacy.suppression import bounds_of_hidden

N_TABLES = 1000
FEW = 40
"""Tables for what need not be tried on all."""


def random_counts(seed: int) -> pd.DataFrame:
    """Return a table of 2 to 6 classrooms by 2 to 4 states, with many small cells."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, 7), rng.integers(2, 5)
    return pd.DataFrame(rng.negative_binomial(1.2, rng.uniform(0.03, 0.15), shape))


def solve_hidden(shown: pd.DataFrame) -> int:
    """Count the hidden cells that follow from the shown ones: an attack by linear algebra.

    Unlike the code under test it asks for no bounds: a hidden cell is known exactly when its
    unit vector lies in the row space of the equations.
    """
    hidden = shown.isna().to_numpy()
    n_rows, n_columns = hidden.shape
    lines = []
    for row in range(n_rows):
        line = np.zeros(hidden.shape)
        line[row, :-1], line[row, -1] = 1, -1
        lines.append(line[hidden])
    for column in range(n_columns):
        line = np.zeros(hidden.shape)
        line[:-1, column], line[-1, column] = 1, -1
        lines.append(line[hidden])
    lines = np.array(lines)
    rank = np.linalg.matrix_rank(lines)
    units = np.eye(lines.shape[1])
    return sum(np.linalg.matrix_rank(np.vstack([lines, unit])) == rank for unit in units)


@pytest.fixture(scope="module")
def published() -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    return [(counts, protect_counts(counts)) for counts in map(random_counts, range(FEW))]


@pytest.mark.slow
def test_differencing_reveals_no_hidden_cell_of_1000_tables():
    published = [protect_counts(random_counts(seed)) for seed in range(N_TABLES)]
    assert sum(shown.isna().to_numpy().sum() for shown in published) > 5 * N_TABLES
    assert sum(solve_hidden(shown) for shown in published if shown.isna().any(axis=None)) == 0


def test_hiding_small_cells_alone_would_reveal_many():
    # The same attack on the same tables finds what plain suppression gives away.
    revealed = 0
    for seed in range(FEW):
        full = protect_counts(random_counts(seed), smallest=0)
        revealed += solve_hidden(full.mask(full < SMALLEST_CELL))
    assert revealed > FEW


@pytest.mark.slow
def test_no_hidden_count_is_known_to_within_ten(published):
    for _, shown in published[::4]:
        hidden = shown.isna().to_numpy()
        values = shown.fillna(0).to_numpy(dtype=float)
        for cell in zip(*np.nonzero(hidden), strict=True):
            low, high = bounds_of_hidden(values, hidden, cell)
            assert high - low >= SMALLEST_CELL


def all_tables(shown: pd.DataFrame) -> np.ndarray:
    """Return every table of whole counts that fits what is shown, found by trying them all.

    The totals that are hidden follow from the cells; so only the cells are tried.
    """
    seen = shown.to_numpy(dtype=float, na_value=np.nan)
    unknown = np.isnan(seen[:-1, :-1])
    tried = np.indices([int(np.nanmax(seen)) + 1] * int(unknown.sum())).reshape(unknown.sum(), -1)
    cells = np.repeat(seen[None, :-1, :-1], tried.shape[1], axis=0)
    cells[:, unknown] = tried.T
    full = np.concatenate([cells, cells.sum(axis=1, keepdims=True)], axis=1)
    full = np.concatenate([full, full.sum(axis=2, keepdims=True)], axis=2)
    return full[((full == seen) | np.isnan(seen)).all(axis=(1, 2))]


@pytest.mark.parametrize("seed", range(6))
def test_the_bounds_of_a_hidden_count_are_those_of_all_tables_that_fit(seed):
    rng = np.random.default_rng(seed)
    full = protect_counts(pd.DataFrame(rng.integers(0, 5, (3, 2))), smallest=0)
    hidden = np.zeros(full.shape, dtype=bool)
    hidden[rng.choice(3, 2, replace=False), :] = [True, True, False]
    hidden[0, 2] = seed % 2
    tables = all_tables(full.mask(hidden))
    values = np.where(hidden, -1, full.to_numpy(dtype=float))
    for cell in zip(*np.nonzero(hidden), strict=True):
        counts = tables[(slice(None), *cell)]
        assert bounds_of_hidden(values, hidden, cell) == pytest.approx((counts.min(), counts.max()))


def test_a_hidden_count_without_any_total_has_no_bound():
    hidden = np.ones((3, 3), dtype=bool)
    assert bounds_of_hidden(np.zeros((3, 3)), hidden, (0, 0)) == pytest.approx((0, 1e6))


@pytest.mark.parametrize("seed", range(6))
def test_who_tries_all_tables_finds_no_count_to_within_the_smallest_cell(seed):
    counts = np.random.default_rng(seed).integers(3, 7, (2, 2))
    counts[0, 0] = seed % 3
    shown = protect_counts(pd.DataFrame(counts), smallest=3)
    hidden = shown.isna().to_numpy()
    assert hidden[0, 0]
    assert not hidden[-1].any()
    tables = all_tables(shown)
    for cell in zip(*np.nonzero(hidden), strict=True):
        counts = tables[(slice(None), *cell)]
        assert counts.max() - counts.min() >= 3


def test_more_than_half_of_what_may_be_shown_is_shown(published):
    # Hiding everything would be safe too: of the cells that are large enough, most stay.
    large = [(protect_counts(counts, smallest=0) >= SMALLEST_CELL) for counts, _ in published]
    kept = sum(shown.notna().to_numpy().sum() for _, shown in published)
    assert kept / sum(one.to_numpy().sum() for one in large) > 0.5


def test_a_table_loses_no_more_than_it_must():
    # One small cell: three more in a rectangle with it, and none of the 100s that could do.
    counts = pd.DataFrame({"a": [2, 20, 100], "b": [30, 40, 100], "c": [100, 100, 100]})
    shown = protect_counts(counts)
    assert shown.isna().to_numpy()[:3, :3].tolist() == [
        [True, True, False], [True, True, False], [False, False, False],
    ]  # fmt: skip
    assert shown.loc["total"].tolist() == [122, 170, 300, 592]


def test_what_is_shown_is_true_and_never_small(published):
    for counts, shown in published:
        full = protect_counts(counts, smallest=0).to_numpy(dtype=float)
        seen = shown.notna().to_numpy()
        assert (shown.to_numpy(dtype=float, na_value=np.nan)[seen] == full[seen]).all()
        assert (full[seen] >= SMALLEST_CELL).all()


def test_a_table_without_small_cells_is_shown_whole():
    counts = pd.DataFrame({"yes": [20, 30], "no": [40, 50]}, index=["4a", "4b"])
    assert protect_counts(counts).loc["total"].tolist() == [50, 90, 140]


@pytest.mark.parametrize(("count", "hidden"), [(9, True), (10, False), (0, True)])
def test_the_smallest_cell_is_inclusive(count, hidden):
    counts = pd.DataFrame({"a": [count, 90, 95], "b": [80, 85, 99], "c": [70, 91, 92]})
    assert protect_counts(counts).isna().at[0, "a"] == hidden


def test_a_district_of_nine_shows_nothing():
    assert protect_counts(pd.DataFrame({"a": [1, 2], "b": [3, 3]})).isna().all(axis=None)


def test_who_came_since_the_last_edition_cannot_be_counted():
    before = pd.DataFrame({"a": [40, 50], "b": [60, 70]})
    now = before + pd.DataFrame({"a": [1, 0], "b": [0, 20]})
    first = protect_counts(before)
    then = protect_counts(now, published=first)
    apart = (then - first).abs().to_numpy(dtype=float, na_value=np.nan)
    assert not ((apart > 0) & (apart < SMALLEST_CELL)).any()
    assert then.isna().at[0, "a"]
    assert solve_hidden(then) == 0


def test_the_table_given_stays_as_it_is():
    counts = random_counts(3)
    before = counts.copy(deep=True)
    protect_counts(counts)
    pd.testing.assert_frame_equal(counts, before)


@pytest.mark.parametrize(
    ("count", "total", "shown"),
    [(0, 20, ("under", 0.10)), (20, 20, ("over", 0.90)), (39, 40, ("over", 0.95)),
     (99, 100, ("over", 0.98)), (1, 300, ("under", 0.01)), (150, 300, ("", 0.5)),
     (3, 9, None), (5, 10, ("", 0.5))],
)  # fmt: skip
def test_the_ends_of_a_share_are_cut_by_the_size_of_the_group(count, total, shown):
    assert code_share(count, total) == shown
