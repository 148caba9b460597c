"""What is taught and asked: the skills, the items and the names, read from this package's CSVs.

The skills' codes and every text are our own; no standard's wording is used.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import StringIO

import numpy as np
import pandas as pd

from analysis.skills import SkillFramework, build_q_matrix
from analysis.tables import ITEMS, SKILLS, check_table


def read_skills() -> pd.DataFrame:
    """Return the demo framework: 24 mathematics skills of grades 1 to 5.

    Returns
    -------
    pandas.DataFrame
        A table of :data:`analysis.tables.SKILLS`, in teaching order (prerequisites first),
        and for the teacher: ``strand``, ``warm_up`` (two minutes), ``look_for`` (a common
        error in student work), ``check_question`` and ``check_answer``.

    Examples
    --------
    >>> skills = read_skills().set_index("skill_id")
    >>> skills.at["4.FR.1", "prerequisites"]
    '3.FR.2;3.MU.1'
    """
    return check_table(_read("skills.csv"), SKILLS, "the demo skills")


def read_bank_items() -> pd.DataFrame:
    """Return the demo test's items, one row an item and skill it asks for.

    Returns
    -------
    pandas.DataFrame
        A table of :data:`analysis.tables.ITEMS`, and ``format`` (``choice`` or ``open``),
        ``question`` and ``answer``.

    Examples
    --------
    >>> read_bank_items().query("item_id == '4.FR.1-2'")["question"].item()
    'Which equals 2/3? 4/6, 4/5, 3/4 or 2/6'
    """
    items = _read("items.csv").astype({"points_possible": "float64"})
    return check_table(items, ITEMS, "the demo items")


def read_names() -> pd.DataFrame:
    """Return name parts: ``origin``, its ``script`` and ``weight``, ``part``, ``name``."""
    return _read("names.csv").astype({"weight": "float64"})


class Bank:
    """Skills and items as arrays, in the order of their files.

    Attributes
    ----------
    skill_ids, item_ids : list of str
        In teaching order.
    grade : numpy.ndarray of int, shape (n_skills,)
        Grade in which a skill is taught.
    before : numpy.ndarray of bool, shape (n_skills, n_skills)
        ``[j, k]``: skill j is a direct prerequisite of skill k.
    asks : numpy.ndarray of bool, shape (n_items, n_skills)
        The Q-matrix.
    main_skill : numpy.ndarray of int, shape (n_items,)
        The first skill an item names: the one it is on the test for.
    points : numpy.ndarray of float, shape (n_items,)
        Points possible.
    is_choice : numpy.ndarray of bool, shape (n_items,)
        Whether the answer is chosen, so that guessing is easier.
    """

    def __init__(self, skills: pd.DataFrame, items: pd.DataFrame):
        framework = SkillFramework(skills, "the demo skills")
        first = items.drop_duplicates("item_id")
        self.skill_ids = framework.skill_ids
        self.item_ids = first["item_id"].tolist()
        self.grade = skills["grade"].astype(int).to_numpy()
        self.before = framework.prerequisite_matrix(self.skill_ids)
        q_matrix = build_q_matrix(items, self.skill_ids).loc[self.item_ids]
        self.asks = q_matrix.to_numpy().astype(bool)
        self.main_skill = np.array([self.skill_ids.index(k) for k in first["skill_id"]])
        self.points = first["points_possible"].to_numpy()
        self.is_choice = first["format"].eq("choice").to_numpy()


@cache
def _text_of(name: str) -> str:
    return files("analysis.simulation").joinpath(name).read_text(encoding="utf-8")


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(_text_of(name)), dtype="str", keep_default_na=False, na_values=[""])
