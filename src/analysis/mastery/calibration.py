"""How items and skills behave, learnt once from everybody and kept in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from analysis.crew import Crew, Here
from analysis.errors import DataError
from analysis.files import write_whole
from analysis.mastery.arrays import Truths
from analysis.mastery.gathering import gather, survey
from analysis.mastery.level_fitting import fit_levels
from analysis.mastery.levels import LevelModel
from analysis.mastery.model import MasteryModel
from analysis.mastery.observations import GivenScales, Item, ReadScales, read_scales
from analysis.mastery.stored import dump_model, load_model
from analysis.mastery.verdict import Verdict, choose_students, judge_chosen

Links = pd.DataFrame | Iterable[tuple[str, str]]
FORMAT = "mastery calibration"
VERSION = 3


@dataclass(frozen=True)
class Calibration:
    """How items and skills behave in one window, learnt from everybody; no student data.

    Attributes
    ----------
    model
        The fitted :class:`MasteryModel`.
    levels
        What levels are like among everybody, the second reading.
    items
        Pairs (source, observation_id), the model's columns.
    skill_ids
        The model's skills.
    window
        The assessment window.
    n_students
        Students it was learnt from.
    scales
        The scales of levels that occur.
    supports_skill_groups
        Whether skills predict hidden answers better than one ability, with the figures.
    """

    model: MasteryModel
    levels: LevelModel
    items: list[Item]
    skill_ids: list[str]
    window: str
    n_students: int
    scales: ReadScales
    supports_skill_groups: Verdict

    def save(self, path: str | Path) -> None:
        """Write the calibration as JSON; the same calibration gives the same bytes."""
        content = {
            "format": FORMAT,
            "version": VERSION,
            "window": self.window,
            "n_students": self.n_students,
            "items": self.items,
            "skill_ids": self.skill_ids,
            "scales": self.scales,
            "verdict": self.supports_skill_groups.to_dict(),
            "model": dump_model(self.model),
            "levels": self.levels.dump(),
        }
        text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        # Of all students together; still nobody's but its owner's.
        write_whole(Path(path), text + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Read what :meth:`save` wrote; the same content is made out once a process.

        Raises
        ------
        DataError
            The file is no calibration, or of another version.
        """
        known = _made_out(Path(path).read_bytes())
        if known is None:
            raise DataError(
                f"{path} is not a {FORMAT} of version {VERSION}.\nCalibrate again to replace it."
            )
        return known


@lru_cache(maxsize=8)
def _made_out(content: bytes) -> Calibration | None:
    """Return the calibration that a file's content describes; None: it is no such file."""
    try:
        stored = json.loads(content)
        found = (stored["format"], stored["version"])
    except (ValueError, KeyError, TypeError):
        found = None
    if found != (FORMAT, VERSION):
        return None
    model = load_model(stored["model"])
    return Calibration(
        model=model,
        levels=LevelModel.load(stored["levels"], model.q_matrix_),
        items=[tuple(item) for item in stored["items"]],
        skill_ids=stored["skill_ids"],
        window=stored["window"],
        n_students=stored["n_students"],
        scales=read_scales(stored["scales"]),
        supports_skill_groups=Verdict(**stored["verdict"]),
    )


def calibrate(
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    *,
    prerequisites: Links = (),
    window: str,
    random_state: int = 0,
    scales: GivenScales | None = None,
) -> Calibration:
    """Learn from everybody how items and skills behave in a window.

    Parameters
    ----------
    evidence
        A table of :data:`analysis.tables.EVIDENCE`.
    roster
        A table of :data:`analysis.tables.ROSTER`. A student in several classrooms counts
        once, with the first of them by id; a student on no roster counts too.
    prerequisites
        Pairs (prerequisite_id, skill_id), as a list or a frame of two columns; or a frame
        of truth values named by skill on both sides. Where a skill between two others has
        no evidence, the one before it takes its place.
    window
        The assessment window.
    random_state
        Seed of the folds behind ``supports_skill_groups``.
    scales
        The scales of levels, see :func:`analysis.mastery.observations.read_observations`;
        default: :data:`analysis.scales.SCALES`. Those that occur are kept.

    Returns
    -------
    Calibration

    Raises
    ------
    DataError
        The window has no evidence, the evidence is faulty, or prerequisites go in a circle.

    Examples
    --------
    >>> evidence = pd.DataFrame([
    ...     {"student_id": f"s{i}", "skill_id": f"skill-{k}", "window": "fall",
    ...      "source": "quiz", "observation_id": f"item-{k}{j}", "kind": "points",
    ...      "points": (i + k) % 3 > 0, "points_possible": 1}
    ...     for i in range(30) for k in range(2) for j in range(3)])
    >>> roster = pd.DataFrame({"student_id": ["s0", "s1", "new"], "classroom_id": "4a"})
    >>> calibration = calibrate(evidence, roster, window="fall")
    >>> from analysis.mastery import measure_mastery
    >>> measure_mastery(evidence, roster, calibration).round(2)[
    ...     ["student_id", "skill_id", "mastery", "n_items"]]
      student_id skill_id  mastery  n_items
    0        new  skill-0      NaN        0
    1        new  skill-1      NaN        0
    2         s0  skill-0      0.0        3
    3         s0  skill-1      1.0        3
    4         s1  skill-0      1.0        3
    5         s1  skill-1      1.0        3
    """
    crew = Here()
    read = partial(gather, evidence, roster, window, scales)
    kept = crew.keep(lambda _: read(), [None])
    return calibrate_gathered(
        crew, kept, prerequisites=prerequisites, window=window, random_state=random_state,
        scales=scales,
    )  # fmt: skip


def calibrate_gathered(
    crew: Crew,
    kept: list[Any],
    *,
    prerequisites: Links = (),
    window: str,
    random_state: int = 0,
    scales: GivenScales | None = None,
) -> Calibration:
    """Learn from evidence that lies in several places; see :func:`calibrate`.

    Parameters
    ----------
    crew
        Who works on the places.
    kept
        What it keeps of each: :class:`analysis.mastery.gathering.Gathered`, of classrooms
        in the order of their ids over all places. A student who comes in several counts
        where he comes first.
    prerequisites, window, random_state, scales
        As in :func:`calibrate`.

    Returns
    -------
    Calibration
        The same, bit for bit, whoever works on which place.

    Raises
    ------
    DataError
        As :func:`calibrate`.
    """
    everything = survey(crew, kept, window)
    if not len(everything.student_ids):
        raise DataError(
            f"there is no evidence in window {window!r}.\nChoose a window that has evidence."
        )
    before = _between_known(prerequisites, everything.skill_ids)
    q = pd.DataFrame(everything.q, columns=everything.skill_ids)
    model = MasteryModel(q, before, random_state, item_weight=everything.weight)
    rng = np.random.default_rng(random_state)
    chosen = choose_students(everything.classrooms, rng)
    answers, graded, classrooms = everything.answers_of(chosen)
    verdict = judge_chosen(model, answers, classrooms, rng)
    return Calibration(
        model=model.fit_spread(everything.spread()),
        levels=fit_levels(graded, everything.q, classrooms),
        items=everything.items,
        skill_ids=everything.skill_ids,
        window=window,
        n_students=len(everything.student_ids),
        scales={n: one for n, one in read_scales(scales).items() if n in everything.scale_names},
        supports_skill_groups=verdict,
    )


def _between_known(prerequisites: Links, skill_ids: list[str]) -> Truths:
    graph = nx.DiGraph()
    graph.add_edges_from(_as_pairs(prerequisites))
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [edge[0] for edge in nx.find_cycle(graph)]
        raise DataError(
            f"prerequisites go in a circle: {' -> '.join([*cycle, cycle[0]])}\n"
            "Remove one of these prerequisites."
        )
    above = nx.transitive_closure_dag(graph).subgraph(skill_ids)
    direct = nx.transitive_reduction(above)
    direct.add_nodes_from(skill_ids)
    before: Truths = nx.to_numpy_array(direct, nodelist=skill_ids, weight=None).astype(bool)
    return before


def _as_pairs(prerequisites: Links) -> list[tuple[str, str]]:
    if not isinstance(prerequisites, pd.DataFrame):
        return [(first, then) for first, then in prerequisites]
    if set(prerequisites.index) == set(prerequisites.columns):
        first, then = np.nonzero(prerequisites.to_numpy(dtype=bool))
        return list(zip(prerequisites.index[first], prerequisites.columns[then], strict=True))
    return list(zip(prerequisites.iloc[:, 0], prerequisites.iloc[:, 1], strict=True))
