"""Skills as a framework: names, "I can" texts, prerequisites, and which item asks for what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.files import natural_key
from analysis.language import SOURCE
from analysis.tables import SKILLS, check_table

PREREQUISITE_SEPARATOR = ";"
IDS = {"skill_id", "parent_id", "prerequisites"}
"""Columns that name skills: never text, though ``skill_id`` looks like Indonesian for ``skill``."""


class SkillFramework:
    """The skills of a district and how they build on each other.

    Parameters
    ----------
    skills
        A table of :data:`analysis.tables.SKILLS`.
    where
        The file or place to name in an error.

    Raises
    ------
    DataError
        A prerequisite or parent is no skill of the table, or prerequisites form a cycle.

    Examples
    --------
    >>> framework = SkillFramework(pd.DataFrame({
    ...     "skill_id": ["3.NF.1", "4.NF.1"], "name": ["Unit fractions", "Equivalent fractions"],
    ...     "prerequisites": [None, "3.NF.1"]}))
    >>> framework.prerequisites_of("4.NF.1")
    ['3.NF.1']
    """

    def __init__(self, skills: pd.DataFrame, where: str = "the skills table"):
        self.table = check_table(skills, SKILLS, where).set_index("skill_id", drop=False)
        self.where = where
        self._refuse_unknown_and_cycles()

    @cached_property
    def skill_ids(self) -> list[str]:
        """Ids in the order of the table."""
        return self.table.index.tolist()

    @cached_property
    def _place(self) -> dict[str, int]:
        return {skill_id: place for place, skill_id in enumerate(self.skill_ids)}

    @cached_property
    def graph(self) -> nx.DiGraph:
        """The prerequisite graph; an edge goes from the prerequisite to the skill."""
        graph = nx.DiGraph()
        graph.add_nodes_from(self.skill_ids)
        for skill_id, listed in self.table["prerequisites"].to_dict().items():
            graph.add_edges_from((before, skill_id) for before in _split_ids(listed))
        return graph

    def prerequisites_of(self, skill_id: str) -> list[str]:
        """Return the direct prerequisites of a skill, in the order of the table."""
        return self._in_order(self.graph.predecessors(skill_id))

    def next_skills_of(self, skill_id: str) -> list[str]:
        """Return the skills that build directly on this one, in the order of the table."""
        return self._in_order(self.graph.successors(skill_id))

    def prerequisite_matrix(self, skill_ids: Sequence[str]) -> np.ndarray:
        """Return which of the given skills are prerequisites of which.

        Returns
        -------
        numpy.ndarray of bool, shape (n_skills, n_skills)
            ``[j, k]`` is true where skill j must come before skill k and no other given
            skill stands between them: where a direct prerequisite is not among the given
            skills, its own prerequisites take its place.
        """
        above = nx.transitive_closure_dag(self.graph).subgraph(skill_ids)
        direct = nx.transitive_reduction(above)
        matrix = nx.to_numpy_array(direct, nodelist=list(skill_ids), weight=None)
        return np.asarray(matrix, dtype=bool)

    def name_of(self, skill_id: str) -> str:
        """Return a skill's name in plain words."""
        return self._names[skill_id]

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(zip(self.table.index, self.table["name"], strict=True))

    def i_can(self, skill_id: str) -> str:
        """Return a skill's "I can" text, or its name where the framework has none."""
        return self.text_of(skill_id, "i_can") or self.name_of(skill_id)

    def text_of(self, skill_id: str, column: str) -> str:
        """Return what a column such as ``check_question`` says; empty where it says nothing."""
        text: Any = self.table.at[skill_id, column] if column in self.table.columns else None
        return "" if pd.isna(text) else str(text)

    def in_language(self, code: str) -> SkillFramework:
        """Return the framework with its texts in a language, as far as it has them.

        Parameters
        ----------
        code
            The ending of the columns that hold the texts: with ``"es"``, ``name`` is taken
            from ``name_es``, ``i_can`` from ``i_can_es``. The columns without an ending are
            English, so ``"en"`` is the framework itself.

        Returns
        -------
        SkillFramework
            The same skills and prerequisites. A text stays as it is where its column or its
            cell in this language is missing or blank; this framework is not changed.

        Examples
        --------
        >>> framework = SkillFramework(pd.DataFrame({
        ...     "skill_id": ["3.NF.1", "4.NF.1"],
        ...     "name": ["Unit fractions", "Equivalent fractions"],
        ...     "name_es": [None, "Fracciones equivalentes"]}))
        >>> spanish = framework.in_language("es")
        >>> spanish.name_of("4.NF.1"), spanish.name_of("3.NF.1")
        ('Fracciones equivalentes', 'Unit fractions')
        """
        if code == SOURCE:
            return self
        said = {
            column: _prefer(self.table[f"{column}_{code}"], self.table[column])
            for column in self.table.columns
            if f"{column}_{code}" in self.table.columns
            and IDS.isdisjoint({column, f"{column}_{code}"})
        }
        return SkillFramework(self.table.assign(**said), self.where)

    def _in_order(self, skill_ids: Iterable[str]) -> list[str]:
        return sorted(skill_ids, key=self._place.__getitem__)

    def _refuse_unknown_and_cycles(self) -> None:
        unknown = [
            f"skill {skill_id}: {column} {other!r} is not a skill"
            for column in ("prerequisites", "parent_id")
            for skill_id, listed in self.table[column].to_dict().items()
            for other in _split_ids(listed)
            if other not in self._place
        ]
        if unknown:
            raise DataError.of_faults(
                self.where, unknown, "Add the missing skills or correct their ids."
            )
        if not nx.is_directed_acyclic_graph(self.graph):
            cycle = [edge[0] for edge in nx.find_cycle(self.graph)]
            raise DataError(
                f"{self.where}: prerequisites go in a circle: {' -> '.join([*cycle, cycle[0]])}\n"
                "Remove one of these prerequisites."
            )


def build_q_matrix(items: pd.DataFrame, skill_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """Return which item asks for which skill.

    Parameters
    ----------
    items
        One row an item and skill: ``item_id``, ``skill_id``; other columns are ignored.
    skill_ids
        The columns wanted, in order; default: the skills that occur, in natural order.

    Returns
    -------
    pandas.DataFrame of int, shape (n_items, n_skills)
        1 where the item asks for the skill; rows and columns named by their ids.

    Examples
    --------
    >>> build_q_matrix(pd.DataFrame({"item_id": ["i1", "i2"], "skill_id": ["b", "a"]}))
    skill_id  a  b
    item_id
    i1        0  1
    i2        1  0
    """
    if skill_ids is None:
        skill_ids = sorted(items["skill_id"].unique(), key=natural_key)
    pairs = items[["item_id", "skill_id"]].drop_duplicates()
    counts = pd.crosstab(pairs["item_id"], pairs["skill_id"])
    order = sorted(counts.index, key=natural_key)
    return counts.reindex(index=order, columns=pd.Index(skill_ids, name="skill_id"), fill_value=0)


def _split_ids(listed: str | None) -> list[str]:
    if listed is None or pd.isna(listed):
        return []
    return [part.strip() for part in str(listed).split(PREREQUISITE_SEPARATOR) if part.strip()]


def _prefer(said: pd.Series, otherwise: pd.Series) -> pd.Series:
    """Return each text of ``said``, and the other one where it is missing or blank."""
    is_filled = said.astype("str").str.strip().fillna("").ne("")
    return otherwise.where(~is_filled, said)
