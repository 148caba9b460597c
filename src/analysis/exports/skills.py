"""Skills of all files put together: parents, prerequisites, roll-up, and a vendor's names."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pandas as pd
from rapidfuzz import fuzz, process, utils

from analysis.errors import DataError
from analysis.exports.findings import Findings, name_some
from analysis.exports.frameworks import CHILD, PRECEDES
from analysis.exports.reading import Reading
from analysis.exports.table import Sheet, build_table
from analysis.exports.text import decode, split_lines

LIKE = 86
"""Likeness (0-100, rapidfuzz WRatio) from which a known name is proposed."""


def apply_links(
    skills: pd.DataFrame, readings: Sequence[Reading]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the skills with the parents and prerequisites of all files, and notes.

    A parent without edges of its own takes those of its parts (roll-up), as long as that
    makes no circle.
    """
    tables = [reading.links for reading in readings if reading.links is not None]
    if not tables or skills.empty:
        return skills, []
    links = pd.concat(tables, ignore_index=True)
    known = set(skills["skill_id"])
    by_case = _case_ids(skills)
    links = links.assign(
        origin=links["origin"].map(lambda node: by_case.get(node, node)),
        destination=links["destination"].map(lambda node: by_case.get(node, node)),
    )
    outside = ~(links["origin"].isin(known) & links["destination"].isin(known))
    notes = _note_outside(links[outside & (links["kind"] == PRECEDES)])
    links = links[~outside & (links["origin"] != links["destination"])]
    parents = (
        links[links["kind"] == CHILD].drop_duplicates("origin").set_index("origin")["destination"]
    )
    edges = set(
        links.loc[links["kind"] == PRECEDES, ["origin", "destination"]].itertuples(
            index=False, name=None
        )
    )
    edges |= roll_up(parents, edges)
    before: dict[str, list[str]] = {}
    for prerequisite, skill in sorted(edges):
        before.setdefault(skill, []).append(prerequisite)
    joined = skills["skill_id"].map(
        lambda skill: ";".join(before[skill]) if skill in before else None
    )
    filled = skills.reindex(
        columns=list(dict.fromkeys([*skills.columns, "parent_id", "prerequisites"]))
    )
    return filled.assign(
        parent_id=filled["parent_id"]
        .astype("str")
        .fillna(skills["skill_id"].map(parents).astype("str")),
        prerequisites=filled["prerequisites"].astype("str").fillna(joined.astype("str")),
    ), notes


def roll_up(parents: pd.Series, edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the edges a parent takes over from its parts because it has none itself.

    Examples
    --------
    >>> parents = pd.Series({"4.NF.3.a": "4.NF.3", "4.NF.3.b": "4.NF.3"})
    >>> sorted(roll_up(parents, {("3.NF.1", "4.NF.3.a"), ("4.NF.3.b", "5.NF.1")}))
    [('3.NF.1', '4.NF.3'), ('4.NF.3', '5.NF.1')]
    """
    linked = {skill for edge in edges for skill in edge}
    taken: set[tuple[str, str]] = set()
    for parent in sorted(set(parents) - linked):
        parts = set(parents.index[parents == parent])
        into = {(a, parent) for a, b in edges if b in parts and a not in parts}
        out = {(parent, b) for a, b in edges if a in parts and b not in parts}
        for more in (into | out, into):
            if _is_acyclic(edges | taken | more):
                taken |= more
                break
    return taken


def _is_acyclic(edges: set[tuple[str, str]]) -> bool:
    before: dict[str, set[str]] = {}
    for prerequisite, skill in edges:
        before.setdefault(skill, set()).add(prerequisite)
    try:
        TopologicalSorter(before).prepare()
    except CycleError:
        return False
    return True


def _case_ids(skills: pd.DataFrame) -> dict[str, str]:
    if "case_id" not in skills:
        return {}
    pairs = skills.dropna(subset=["case_id"])
    return dict(zip(pairs["case_id"], pairs["skill_id"], strict=True))


def _note_outside(lost: pd.DataFrame) -> list[str]:
    if lost.empty:
        return []
    return [f"{len(lost)} prerequisites name skills that are in no framework here; left out."]


def read_aliases(path: Path) -> pd.DataFrame:
    """Return a file of a vendor's skill names: ``alias, skill_id``.

    Raises
    ------
    DataError
        A column is missing, or one alias stands for two skills.
    """
    findings = Findings(path.name)
    cells, separator = split_lines(decode(path.read_bytes(), findings), findings)
    table = build_table(Sheet(findings, cells, separator), 1)
    if table.place("alias") is None or table.place("skill_id") is None:
        raise DataError(
            f"{path.name}, row 1: the columns alias and skill_id are needed.\nName them so."
        )
    frame = pd.DataFrame(
        {"alias": table.text("alias"), "skill_id": table.text("skill_id")}
    ).dropna()
    counts = frame.drop_duplicates().groupby("alias")["skill_id"].nunique()
    for alias in counts.index[counts > 1]:
        findings.fault(f"the alias {alias!r} stands for several skills")
    findings.refuse_faults("Keep one line for each alias.")
    return frame.drop_duplicates("alias").reset_index(drop=True)


def rename_skills(
    skill_ids: pd.Series, aliases: pd.DataFrame, known: Sequence[str]
) -> tuple[pd.Series, list[str]]:
    """Return skill ids with a vendor's names replaced, and what the file of aliases lacks.

    Examples
    --------
    >>> renamed, notes = rename_skills(
    ...     pd.Series(["Geometry", "Algbra"]),
    ...     pd.DataFrame({"alias": ["Geometry", "Data"], "skill_id": ["4.G", "4.MD"]}), ["4.G"])
    >>> renamed.tolist()
    ['4.G', 'Algbra']
    >>> for note in notes: print(note)
    aliases that no file uses: Data.
    aliases of skills that are in no framework: 4.MD.
    skills without an alias and unknown to the framework: Algbra.
    """
    table = aliases.set_index("alias")["skill_id"]
    used = set(skill_ids) & set(table.index)
    renamed = skill_ids.map(table).astype("str").fillna(skill_ids)
    known_ids = set(known)
    notes = []
    for words, names in (
        ("aliases that no file uses", [alias for alias in table.index if alias not in used]),
        ("aliases of skills that are in no framework", sorted(set(table) - known_ids)),
        (
            "skills without an alias and unknown to the framework",
            sorted(set(skill_ids.dropna()) - used - known_ids),
        ),
    ):
        if names and (known_ids or "framework" not in words):
            notes.append(f"{words}: {name_some(names)}.")
    return renamed, notes


def propose_skills(unknown: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return the known skill each unknown one may have meant; nothing is replaced.

    Examples
    --------
    >>> propose_skills(["3.NF.A1"], ["3.NF.A.1", "4.OA.B.4"])
    {'3.NF.A1': '3.NF.A.1'}
    """
    meant = {}
    for name in unknown:
        best = process.extractOne(
            name, known, scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=LIKE
        )
        if best:
            meant[name] = best[0]
    return meant
