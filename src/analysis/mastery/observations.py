"""Evidence as numbers: one row a student, one column an observation, a share of 0..1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from analysis.errors import DataError
from analysis.files import natural_key
from analysis.mastery.arrays import Floats, Integers
from analysis.scales import SCALES, Scale
from analysis.tables import EVIDENCE, Kind, check_table

ITEM = ["source", "observation_id"]
"""What names an observation, and so a column of the matrix."""
KIND_WEIGHT = {Kind.POINTS: 1.0, Kind.SCORE: 4.0, Kind.LEVEL: 1.0}
"""Weight of one observation, in items: a score rests on many answers; how sure it is stands
in its standard error. A level counts as one answer: right from the level that counts as
mastery on, else wrong. Its place on the scale, or a greater weight, makes a model of
had-or-not far too sure where students differ by degrees: mean log-loss of who holds what
.48 for the place with weight 3, .36 for this, on seven kinds of simulated ratings
(``benchmarks/results/mastery-ratings.md``)."""


Item = tuple[str, str]
GivenScale = Scale | Sequence[str] | tuple[Sequence[str], str]
GivenScales = Mapping[str, GivenScale]
ReadScales = dict[str, tuple[list[str], str]]


@dataclass(frozen=True)
class Observations:
    """Answers of ``student_ids`` (rows) to observations (columns).

    Attributes
    ----------
    row, column, share
        Who answered what, and the share of 0..1 he got: one entry an answer, by row. Kept
        so, because a matrix of students by the questions of many tests is mostly empty.
    graded
        The same shares, but of a level its place on the scale; without levels ``share``
        itself.
    student_ids
        The rows.
    items
        The columns, pairs (source, observation_id).
    skill_ids, q
        The Q-matrix and its columns.
    weight
        Weight of each item's evidence.
    """

    row: NDArray[np.integer]
    column: NDArray[np.integer]
    share: Floats
    graded: Floats
    student_ids: list[str]
    items: list[Item]
    skill_ids: list[str]
    q: Integers
    weight: Floats

    @property
    def answers(self) -> Floats:
        """The answers as a matrix, NaN where there is none."""
        return self.answers_of(np.arange(len(self.student_ids)))

    def answers_of(self, rows: Integers) -> Floats:
        """Return the answers of some rows as a matrix, NaN where there is none."""
        return self._matrix(self.share, rows)

    def graded_of(self, rows: Integers) -> Floats:
        """Return the same with levels by their place on the scale."""
        return self._matrix(self.graded, rows)

    def _matrix(self, share: Floats, rows: Integers) -> Floats:
        place = np.full(len(self.student_ids), -1)
        place[rows] = np.arange(len(rows))
        wanted = place[self.row]
        is_in = wanted >= 0
        answers = np.full((len(rows), len(self.items)), np.nan)
        answers[wanted[is_in], self.column[is_in]] = share[is_in]
        return answers


def read_observations(
    evidence: pd.DataFrame,
    window: str,
    *,
    scales: GivenScales | None = None,
    where: str = "the evidence",
) -> Observations:
    """Return one window's evidence as a matrix.

    Parameters
    ----------
    evidence
        A table of :data:`analysis.tables.EVIDENCE`.
    window
        The assessment window; rows of other windows are left out.
    scales
        For levels, by name of the scale: a :class:`analysis.scales.Scale`; the pair of its
        labels, lowest first, and the first that counts as mastery; or the labels alone, of
        which the upper half counts. Default: :data:`analysis.scales.SCALES`.
    where
        The table's name in an error.

    Returns
    -------
    Observations
        Points become the share of points. A score becomes P(true score >= cut), normal
        with its standard error (without one: 1 at the cut or above, else 0); without a cut
        it is no evidence. A level becomes 1 from the first that counts as mastery on, else 0,
        and in ``graded`` its place on the scale.

    Raises
    ------
    DataError
        Points above points possible, or a level that is not on its scale.
    """
    table = check_table(evidence, EVIDENCE, where)
    table = table[table["window"] == window]
    value = share_of(table, read_scales(scales), where)
    table = table.assign(value=value)[value.notna()]
    pairs = table[[*ITEM, "skill_id", "kind"]].drop_duplicates([*ITEM, "skill_id"])
    items = sorted(set(_observations(pairs)))
    skill_ids = sorted(pairs["skill_id"].unique(), key=natural_key)
    student_ids = sorted(table["student_id"].unique())
    row = pd.Index(student_ids).get_indexer(table["student_id"])
    column = _columns(table, items)
    # One observation of several skills has one row a skill, all with the same points.
    mean = table["value"].groupby([row, column]).mean()
    rows, columns = (mean.index.get_level_values(level).to_numpy(np.int32) for level in (0, 1))
    graded = share = mean.to_numpy()
    is_level = table["kind"] == Kind.LEVEL
    if is_level.any():
        counts = table["value"].where(~is_level, table["value"] > 0.5).astype(float)
        share = counts.groupby([row, column]).mean().to_numpy()
    q = np.zeros((len(items), len(skill_ids)), dtype=int)
    q[_columns(pairs, items), pd.Index(skill_ids).get_indexer(pairs["skill_id"])] = 1
    weight = np.ones(len(items))
    weight[_columns(pairs, items)] = pairs["kind"].map(KIND_WEIGHT).astype(float)
    return Observations(rows, columns, share, graded, student_ids, items, skill_ids, q, weight)


def share_of(table: pd.DataFrame, scales: ReadScales, where: str) -> pd.Series:
    """Return each row of evidence as a share of 0..1, missing where it says nothing.

    Points of points possible, the probability that a score is over its cut, or a level's
    place on its scale.
    """
    _refuse_points_above(table, where)
    share = table["points"] / table["points_possible"]
    error = table["score_se"].where(table["score_se"] > 0)
    distance = table["score"] - table["cut"]
    sure = (distance >= 0).astype(float).where(distance.notna())
    score = pd.Series(ndtr((distance / error).to_numpy()), index=table.index).fillna(sure)
    share = share.where(table["kind"] != Kind.SCORE, score)
    is_level = table["kind"] == Kind.LEVEL
    if not is_level.any():
        return share
    return share.where(~is_level, _places(table[is_level], scales, where))


def _places(levels: pd.DataFrame, scales: ReadScales, where: str) -> pd.Series:
    places = {
        (scale, label): place
        for scale in levels["scale"].dropna().unique()
        if scale in scales
        for label, place in _scale_places(*scales[scale]).items()
    }
    known = levels["level"].notna()
    keys = list(zip(levels["scale"], levels["level"], strict=True))
    faults = [
        f"student {student}: level {level!r} is not on scale {scale!r}"
        for student, (scale, level), given in zip(levels["student_id"], keys, known, strict=True)
        if given and (scale, level) not in places
    ]
    if faults:
        raise DataError.of_faults(where, faults, "Name the scale and its levels, lowest first.")
    return pd.Series([places.get(key, np.nan) for key in keys], index=levels.index, dtype=float)


def read_scales(scales: GivenScales | None) -> ReadScales:
    """Return each scale as its labels, lowest first, and the first that counts as mastery.

    ``None``: the scales of :mod:`analysis.scales`.

    Examples
    --------
    >>> read_scales({"rubric": ["1", "2", "3", "4"], "stars": (["*", "**"], "**")})
    {'rubric': (['1', '2', '3', '4'], '3'), 'stars': (['*', '**'], '**')}
    """
    return {
        name: _read_scale(scale) for name, scale in (SCALES if scales is None else scales).items()
    }


def _read_scale(scale: GivenScale) -> tuple[list[str], str]:
    if isinstance(scale, Scale):
        return list(scale.levels), scale.mastery
    if isinstance(scale[0], str):
        labels = [str(label) for label in scale]
        return labels, labels[len(labels) // 2]
    return list(scale[0]), str(scale[1])


def _scale_places(labels: list[str], first: str) -> dict[str, float]:
    cut, last = labels.index(first), len(labels) - 1
    return {
        label: 0.5 + 0.5 * (i - cut + 1) / (last - cut + 1) if i >= cut else 0.5 * i / cut
        for i, label in enumerate(labels)
    }


def _columns(table: pd.DataFrame, items: list[Item]) -> Integers:
    # Few names stand in many rows: a pair of names is looked up once.
    (first, sources), (second, names) = (pd.factorize(table[name]) for name in ITEM)
    pairs, rows = np.unique(first * max(1, len(names)) + second, return_inverse=True)
    first, second = np.divmod(pairs, max(1, len(names)))
    told = zip(np.asarray(sources)[first], np.asarray(names)[second], strict=True)
    place = {item: column for column, item in enumerate(items)}
    return np.array([place[pair] for pair in told], dtype=int)[rows]


def _observations(table: pd.DataFrame) -> list[Item]:
    # Lists first: text in Arrow's form is slow to walk along.
    return list(zip(table["source"].tolist(), table["observation_id"].tolist(), strict=True))


def _refuse_points_above(table: pd.DataFrame, where: str) -> None:
    is_above = table["points"] > table["points_possible"]
    if not is_above.any():
        return
    above = table[is_above]
    faults = [
        f"student {row.student_id}, observation {row.observation_id}: "
        f"{row.points:g} of {row.points_possible:g} points"
        for row in above.itertuples()
    ]
    if faults:
        raise DataError.of_faults(where, faults, "Correct the points or the points possible.")
