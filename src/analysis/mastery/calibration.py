"""Calibrate once on everybody; then a classroom's mastery is a lookup in milliseconds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from scipy.special import betaincinv

from analysis.crew import Crew, Here
from analysis.errors import DataError
from analysis.files import write_whole
from analysis.mastery.gathering import first_classroom, gather, survey
from analysis.mastery.model import MasteryModel
from analysis.mastery.observations import Observations, read_observations, read_scales
from analysis.mastery.stored import dump_model, load_model
from analysis.mastery.verdict import Verdict, choose_students, judge_chosen
from analysis.tables import MASTERY, check_table

FORMAT = "mastery calibration"
VERSION = 1
INTERVAL = 0.8
"""Share of belief inside ``low`` to ``high``."""
OTHER_EVIDENCE = 1.0
"""What the answers on other skills are worth for the width of the interval, in items."""
JEFFREYS = 0.5
"""Both halves of Jeffreys' prior: nothing seen is near-certain from one answer."""


@dataclass(frozen=True)
class Calibration:
    """How items and skills behave in one window, learnt from everybody; no student data.

    Attributes
    ----------
    model
        The fitted :class:`MasteryModel`.
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
    items: list[tuple[str, str]]
    skill_ids: list[str]
    window: str
    n_students: int
    scales: dict
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
        }
        text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        # Of all students together; still nobody's but its owner's.
        write_whole(Path(path), text + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Read what :meth:`save` wrote.

        Raises
        ------
        DataError
            The file is no calibration, or of another version.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            found = (content["format"], content["version"])
        except (ValueError, KeyError, TypeError):
            found = None
        if found != (FORMAT, VERSION):
            raise DataError(
                f"{path} is not a {FORMAT} of version {VERSION}.\nCalibrate again to replace it."
            )
        return cls(
            model=load_model(content["model"]),
            items=[tuple(item) for item in content["items"]],
            skill_ids=content["skill_ids"],
            window=content["window"],
            n_students=content["n_students"],
            scales=read_scales(content["scales"]),
            supports_skill_groups=Verdict(**content["verdict"]),
        )


def calibrate(
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    *,
    prerequisites: pd.DataFrame | Iterable[tuple[str, str]] = (),
    window: str,
    random_state: int = 0,
    scales: dict | None = None,
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
    kept: list,
    *,
    prerequisites: pd.DataFrame | Iterable[tuple[str, str]] = (),
    window: str,
    random_state: int = 0,
    scales: dict | None = None,
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
    chosen = choose_students(len(everything.student_ids), rng)
    verdict = judge_chosen(model, *everything.answers_of(chosen), rng)
    return Calibration(
        model=model.fit_spread(everything.spread()),
        items=everything.items,
        skill_ids=everything.skill_ids,
        window=window,
        n_students=len(everything.student_ids),
        scales={n: one for n, one in read_scales(scales).items() if n in everything.scale_names},
        supports_skill_groups=verdict,
    )


@dataclass(frozen=True)
class Answers:
    """What students answered to the calibrated items, as the model reads it.

    ``shares``: shape (n_students, n_items), NaN: not answered; ``classroom_ids``: of each
    student.
    """

    student_ids: list[str]
    shares: np.ndarray
    classroom_ids: np.ndarray


def read_answers(evidence: pd.DataFrame, roster: pd.DataFrame, calibration: Calibration) -> Answers:
    """Return what the students on a roster answered; parameters as in :func:`measure_mastery`.

    Raises
    ------
    DataError
        The evidence has an observation the calibration does not know.
    """
    classrooms = first_classroom(roster)
    students = sorted(classrooms.index)
    own = evidence[evidence["student_id"].astype("str").isin(students)]
    seen = read_observations(own, calibration.window, scales=calibration.scales)
    _refuse_new_items(seen, calibration)
    shares = np.full((len(students), len(calibration.items)), np.nan)
    place = {item: column for column, item in enumerate(calibration.items)}
    rows = pd.Index(students).get_indexer(seen.student_ids)
    shares[np.ix_(rows, [place[item] for item in seen.items])] = seen.answers
    return Answers(students, shares, classrooms.reindex(students).to_numpy())


def measure_mastery(
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    calibration: Calibration,
    *,
    answers: Answers | None = None,
) -> pd.DataFrame:
    """Return what each student on the roster has shown.

    Parameters
    ----------
    evidence
        A table of :data:`analysis.tables.EVIDENCE`; rows of other windows and students are
        left out.
    roster
        The students to measure, for instance of one classroom.
    calibration
        What :func:`calibrate` returned.
    answers
        Of :func:`read_answers`, where they are read already.

    Returns
    -------
    pandas.DataFrame
        A table of :data:`analysis.tables.MASTERY`, a row for every student and calibrated
        skill. ``mastery`` rests on all the student's evidence; where ``n_items`` is 0 it is
        inferred from other skills alone and its interval is wide. ``low`` to ``high`` is
        Jeffreys' 80 % interval of a share ``mastery`` seen in ``n_items`` (weighed by kind)
        plus one observations: it narrows with evidence. All are missing for a student
        without any evidence in the window.

    Raises
    ------
    DataError
        The evidence has an observation the calibration does not know.
    """
    answers = answers or read_answers(evidence, roster, calibration)
    students, seen, classrooms = answers.student_ids, answers.shares, answers.classroom_ids
    model, observed = calibration.model, ~np.isnan(seen)
    known = observed.any(axis=1)
    mastery = model.transform(seen, classrooms)
    weight = (observed * model.item_weight) @ model.q_matrix_
    low, high = credible_interval(mastery, weight)
    shares = {
        "mastery": mastery,
        "low": low,
        "high": high,
        "ready": model.ready(seen, classrooms),
    }
    n_skills = len(calibration.skill_ids)
    columns = {
        "student_id": np.repeat(np.array(students, dtype=object), n_skills),
        "skill_id": np.tile(np.array(calibration.skill_ids, dtype=object), len(students)),
        "window": calibration.window,
        **{name: np.where(known[:, None], share, np.nan).ravel() for name, share in shares.items()},
        "n_items": (observed.astype(int) @ model.q_matrix_).ravel(),
    }
    return check_table(pd.DataFrame(columns), MASTERY, "the mastery table")


def draw_profiles(
    evidence: pd.DataFrame,
    roster: pd.DataFrame,
    calibration: Calibration,
    n_draws: int = 200,
    random_state: int = 0,
    *,
    answers: Answers | None = None,
) -> tuple[np.ndarray, list[str], list[str]]:
    """Draw whole profiles from each student's joint posterior; see :func:`measure_mastery`.

    Returns
    -------
    draws : numpy.ndarray of bool, shape (n_draws, n_students, n_skills)
        A student without evidence is drawn from what is usual.
    student_ids, skill_ids : list of str
        The second and the third axis.
    """
    seen = answers or read_answers(evidence, roster, calibration)
    model = calibration.model
    draws = model.sample_profiles(seen.shares, n_draws, random_state, seen.classroom_ids)
    return draws, seen.student_ids, list(calibration.skill_ids)


def credible_interval(mastery: np.ndarray, n_items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``low`` and ``high`` around a probability that rests on ``n_items``.

    Examples
    --------
    >>> low, high = credible_interval(np.array([0.5, 0.5]), np.array([0, 6]))
    >>> (high - low).round(2)
    array([0.8 , 0.44])
    """
    n = n_items + OTHER_EVIDENCE
    tail = (1 - INTERVAL) / 2
    shape = mastery * n + JEFFREYS, (1 - mastery) * n + JEFFREYS
    low, high = betaincinv(*shape, tail), betaincinv(*shape, 1 - tail)
    # Near 0 and 1 Jeffreys' interval leaves the share itself outside.
    return np.minimum(low, mastery), np.maximum(high, mastery)


def _refuse_new_items(seen: Observations, calibration: Calibration) -> None:
    new = sorted(set(seen.items) - set(calibration.items))
    if new:
        raise DataError.of_faults(
            f"the evidence of window {calibration.window!r} has observations that the "
            "calibration does not know",
            [f"{observation} of {source}" for source, observation in new],
            "Calibrate again.",
        )


def _between_known(prerequisites, skill_ids: list[str]) -> np.ndarray:
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
    return nx.to_numpy_array(direct, nodelist=skill_ids, weight=None).astype(bool)


def _as_pairs(prerequisites) -> list[tuple[str, str]]:
    if not isinstance(prerequisites, pd.DataFrame):
        return [tuple(pair) for pair in prerequisites]
    if set(prerequisites.index) == set(prerequisites.columns):
        first, then = np.nonzero(prerequisites.to_numpy(dtype=bool))
        return list(zip(prerequisites.index[first], prerequisites.columns[then], strict=True))
    return list(prerequisites.iloc[:, :2].itertuples(index=False, name=None))
