"""No suppressed cell can be worked out from what is shown, in one table or in two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.privacy import SMALLEST_CELL, code_share, protect_counts
from analysis.privacy.suppression import (
    _first_unprotected,
    _hide_one_more,
    _lines_of,
    _pair_up,
    _width_of_rectangles,
    bounds_of_hidden,
)

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


@pytest.mark.parametrize(
    ("before", "hidden"),
    [(40, False), (41, True), (39, True), (49, True), (31, True), (50, False), (30, False)],
)
def test_a_count_that_changed_by_fewer_than_ten_is_hidden(before, hidden):
    now = pd.DataFrame({"a": [40, 90], "b": [80, 70]}, index=["4a", "4b"])
    published = protect_counts(now)
    published.loc["4a", "a"] = before
    assert protect_counts(now, published=published).isna().at["4a", "a"] == hidden


def test_what_was_not_published_before_may_be_shown_now():
    now = pd.DataFrame({"a": [40, 90], "b": [80, 70]}, index=["4a", "new"])
    published = protect_counts(now).drop(index="new")
    published.loc["4a", "a"] = pd.NA
    assert protect_counts(now, published=published).notna().all(axis=None)


def test_a_small_count_stays_hidden_in_the_next_edition():
    counts = pd.DataFrame({"a": [3, 90, 95], "b": [80, 85, 99], "c": [70, 91, 92]})
    first = protect_counts(counts)
    pd.testing.assert_frame_equal(protect_counts(counts, published=first), first)


def test_the_last_edition_may_have_other_rows_and_columns_in_another_order():
    now = pd.DataFrame({"a": [40, 90], "b": [80, 70]}, index=["4a", "4b"])
    before = pd.DataFrame(
        {"gone": [50, 50, 50], "b": [70, 95, 80], "a": [90, 95, 39]}, index=["4b", "closed", "4a"]
    )
    hidden = protect_counts(now, published=protect_counts(before)).isna()
    assert hidden.loc[["4a", "4b"], ["a", "b"]].all(axis=None)
    before.loc["4a", "a"] = 40
    assert not protect_counts(now, published=protect_counts(before)).isna().any(axis=None)


def test_a_missing_count_is_refused():
    with pytest.raises(ValueError, match="non-finite"):
        protect_counts(pd.DataFrame({"a": [40, np.nan], "b": [80, 70]}))


def test_the_names_of_rows_and_columns_stay_and_the_totals_come_last():
    shown = protect_counts(pd.DataFrame({"yes": [20, 30], "no": [40, 50]}, index=["4a", "4b"]))
    expected = pd.DataFrame(
        {"yes": [20, 30, 50], "no": [40, 50, 90], "total": [60, 80, 140]},
        index=["4a", "4b", "total"], dtype="Int64",
    )  # fmt: skip
    pd.testing.assert_frame_equal(shown, expected)


# -- how cells to hide are found ----------------------------------------------------------


def drawn(drawing: str) -> tuple[np.ndarray, np.ndarray]:
    """Read counts drawn without their totals, hidden ones in brackets; add the totals."""
    cells = [line.split() for line in drawing.strip().splitlines()]
    counts = pd.DataFrame([[int(cell.strip("()")) for cell in row] for row in cells])
    hidden = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1), dtype=bool)
    hidden[:-1, :-1] = [[cell.startswith("(") for cell in row] for row in cells]
    return protect_counts(counts, smallest=0).to_numpy(dtype=float), hidden


def hidden_cells(hidden: np.ndarray) -> set[tuple[int, int]]:
    return {(int(row), int(column)) for row, column in np.argwhere(hidden)}


def test_counts_that_cannot_add_up_are_an_error_of_ours():
    values, hidden = drawn("(5) 5 \n 6 7")
    values[0, 2] = 3
    with pytest.raises(ArithmeticError, match="infeasible"):
        bounds_of_hidden(values, hidden, (0, 0))


@pytest.mark.parametrize("seed", range(5))
def test_four_hidden_corners_vary_as_far_as_linear_programming_finds(seed):
    counts = np.random.default_rng(seed).integers(0, 30, (3, 4))
    values = protect_counts(pd.DataFrame(counts), smallest=0).to_numpy(dtype=float)
    hidden = np.zeros(values.shape, dtype=bool)
    hidden[np.ix_([0, 2], [1, 3])] = True
    for cell in hidden_cells(hidden):
        low, high = bounds_of_hidden(values, hidden, cell)
        assert _width_of_rectangles(values, hidden, cell) == pytest.approx(high - low)


@pytest.mark.parametrize("seed", range(5))
def test_no_rectangle_promises_more_than_linear_programming_finds(seed):
    rng = np.random.default_rng(seed)
    values = protect_counts(pd.DataFrame(rng.integers(0, 30, (4, 4))), smallest=0)
    values = values.to_numpy(dtype=float)
    hidden = rng.random(values.shape) < 0.6
    widths = [_width_of_rectangles(values, hidden, cell) for cell in np.argwhere(hidden)]
    for cell, width in zip(np.argwhere(hidden), widths, strict=True):
        low, high = bounds_of_hidden(values, hidden, tuple(cell))
        assert width <= high - low + 1e-6
    assert max(widths) > 0


def test_the_widest_of_several_rectangles_counts():
    values, hidden = drawn("""
        (3) (20) (50)
        (8) (40)  60
        (9)  70  (80)
    """)
    # With 20 and 8: 8 up, 3 down. With 50 and 9: 9 up, 3 down.
    assert _width_of_rectangles(values, hidden, (0, 0)) == 12


@pytest.mark.parametrize(
    "drawing", ["(3) (20) \n (8) 40", "(3) 20 \n (8) (40)", "(3) (20) \n 8 (40)"]
)
def test_three_hidden_corners_are_no_rectangle(drawing):
    values, hidden = drawn(drawing)
    assert _width_of_rectangles(values, hidden, (0, 0)) == 0


@pytest.mark.parametrize("cell", [(0, 2), (2, 0), (2, 2)])
def test_a_total_is_no_corner_of_a_rectangle(cell):
    values, _ = drawn("30 20 \n 80 40")
    assert _width_of_rectangles(values, np.ones((3, 3), dtype=bool), cell) == 0


@pytest.mark.parametrize(
    ("drawing", "also"),
    [
        # The smallest of its row, of its column, and where those cross.
        ("(2) 30 90 \n 20 40 95 \n 91 92 93", {(0, 1), (1, 0), (1, 1)}),
        # A row that hides something anyway costs nothing more, though 40 is not the smallest.
        ("(2) 40 30 \n (9) (9) 95 \n 91 92 93", {(0, 1)}),
        # Two that are fewer than ten together need a third; 10 together are enough.
        ("(2) (7) 90 \n (9) (9) 95 \n 91 92 93", {(0, 2), (1, 2)}),
        ("(2) (8) 90 \n (9) (9) 95 \n 91 92 93", set()),
        ("20 30 \n 40 50", set()),
    ],
)
def test_what_is_hidden_is_paired_with_the_smallest_that_can_be(drawing, also):
    values, hidden = drawn(drawing)
    before = hidden.copy()
    _pair_up(values, hidden, 10)
    assert hidden_cells(hidden & ~before) == also


@pytest.mark.parametrize("seed", range(10))
def test_after_pairing_each_line_hides_ten_students_among_two_cells_or_everything(seed):
    values = protect_counts(random_counts(seed), smallest=0).to_numpy(dtype=float)
    hidden = values < SMALLEST_CELL
    _pair_up(values, hidden, SMALLEST_CELL)
    for counts, own in [*zip(values, hidden, strict=True), *zip(values.T, hidden.T, strict=True)]:
        among = own.sum() >= 2 and counts[own].sum() >= SMALLEST_CELL
        assert among or own.all() or not own.any()


@pytest.mark.parametrize(
    ("drawing", "loose", "then"),
    [
        ("(2) 30 90 \n 20 40 95 \n 91 5 93", (0, 0), (1, 0)),
        ("(2) 12 90 \n 20 40 95 \n 91 5 93", (0, 0), (0, 1)),
        ("(2) (12) 90 \n (20) 40 95 \n 91 5 93", (0, 0), (0, 2)),
    ],
)
def test_one_more_is_the_smallest_that_is_shown_in_row_or_column(drawing, loose, then):
    values, hidden = drawn(drawing)
    before = hidden.copy()
    _hide_one_more(values, hidden, loose)
    assert hidden_cells(hidden & ~before) == {then}


def test_where_row_and_column_show_nothing_one_more_is_the_smallest_of_all():
    values, hidden = drawn("(2) (30) \n (20) 40 \n (9) 25")
    hidden[0, :] = hidden[:, 0] = True
    before = hidden.copy()
    _hide_one_more(values, hidden, (0, 0))
    assert hidden_cells(hidden & ~before) == {(2, 1)}


@pytest.mark.parametrize(
    ("drawing", "loose"),
    [
        # The first cell can lose 2 and gain 39; then 8, or 7, which is known to within ten.
        ("(2) (39) \n (50) (60)", None),
        ("(2) (8) \n (50) (60)", None),
        ("(2) (7) \n (50) (60)", (0, 0)),
        # A large count may be known to within ten as well: 16 to 25.
        ("(20) (5) \n (50) (4)", (0, 0)),
        ("20 (5) \n 50 (4)", (0, 1)),
    ],
)
def test_the_first_that_is_known_to_within_ten_is_found(drawing, loose):
    values, hidden = drawn(drawing)
    assert _first_unprotected(values, hidden, _lines_of(values.shape), 10) == loose


def test_the_table_given_stays_as_it_is():
    counts = random_counts(3)
    before = counts.copy(deep=True)
    protect_counts(counts)
    pd.testing.assert_frame_equal(counts, before)


@pytest.mark.parametrize(
    ("count", "total", "shown"),
    [(0, 20, ("under", 0.10)), (20, 20, ("over", 0.90)), (39, 40, ("over", 0.95)),
     (99, 100, ("over", 0.98)), (1, 300, ("under", 0.01)), (150, 300, ("", 0.5)),
     (0, 39, ("under", 0.10)), (0, 40, ("under", 0.05)), (0, 99, ("under", 0.05)),
     (0, 100, ("under", 0.02)), (0, 299, ("under", 0.02)), (300, 300, ("over", 0.99)),
     (3, 9, None), (5, 10, ("", 0.5))],
)  # fmt: skip
def test_the_ends_of_a_share_are_cut_by_the_size_of_the_group(count, total, shown):
    assert code_share(count, total) == shown


@pytest.mark.parametrize(("count", "share"), [(2, 0.1), (18, 0.9)])
def test_a_share_at_the_very_end_of_what_is_shown_is_shown(count, share):
    assert code_share(count, 20) == ("", share)


def test_a_share_is_shown_in_whole_percent():
    assert code_share(100, 300) == ("", 0.33)


@pytest.mark.parametrize(("total", "shown"), [(3, ("", 1 / 3)), (2, None)])
def test_who_asks_for_another_smallest_group_gets_it(total, shown):
    assert code_share(1, total, smallest=3) == (shown and ("", pytest.approx(1 / 3, abs=0.01)))
