"""Retakes and repeated rows: one stated rule decides which attempt is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.errors import UsageError
from analysis.exports.coded import as_texts, repeated_keys
from analysis.exports.findings import Findings, name_rows
from analysis.scales import SCALES

RULES = {
    "latest": "the latest attempt is kept",
    "best": "the best attempt is kept",
    "all": "all attempts are kept",
}
MOST_ROWS = 10**10
"""More than any file has."""
_KEY = ["student_id", "skill_id", "window", "source", "observation_id"]
_VALUES = ["points", "points_possible", "score", "score_se", "cut", "level"]


def check_rule(rule: str) -> None:
    """Raise UsageError unless the rule is latest, best or all."""
    if rule not in RULES:
        raise UsageError(f"attempts: {rule!r} is no rule; there are {', '.join(RULES)}.")


@dataclass
class Repeats:
    """Repeated observations of one file, counted over all of its parts.

    Attributes
    ----------
    n
        How many there are beside the first of each.
    example
        One of them, in words.
    students
        Whose were counted; a part may hold them again.
    """

    n: int = 0
    example: str = ""
    students: set[str] = field(default_factory=set)

    def say(self, findings: Findings, rule: str) -> None:
        """Note what was found."""
        if self.n:
            findings.note(
                f"{self.n} observations are repeated (retakes or repeated rows, for example "
                f"{self.example}); rule “{rule}”: {RULES[rule]}."
            )


def resolve_attempts(
    findings: Findings, observed: pd.DataFrame, rule: str, repeats: Repeats
) -> pd.DataFrame:
    """Return named observations in which no student has two of one name.

    The same observation in two classrooms with different values is kept for both, told
    apart by its source. Rows of which nothing is kept are set aside.

    Parameters
    ----------
    findings
        Of the file; takes the rows that are set aside.
    observed
        All observations of some students in this file.
    rule
        One of :data:`RULES`.
    repeats
        Of the file; takes up what is found.
    """
    again = repeated_keys(observed, _KEY)
    if not again.any():
        return observed
    observed = observed.apply(as_texts)
    repeated = _part_classrooms(observed[again])
    alone = observed[~again]
    kept = _apply(repeated, rule)
    _count_repeats(repeats, repeated)
    _put_lost_aside(findings, repeated, kept, set(alone["row"]), rule)
    return pd.concat([alone, kept], ignore_index=True).sort_values("row", kind="stable")


def resolve_across(
    findings: Sequence[Findings], parts: Sequence[pd.DataFrame], rule: str
) -> tuple[list[pd.DataFrame], pd.Series]:
    """Return the parts without observations that another file has too; whose were lost.

    Two files of one name and window may hold the same observation: the rule decides
    between them as between two attempts; rows of which nothing is kept are set aside.
    """
    if len(parts) < 2:
        return list(parts), pd.Series([], dtype="str")
    plain = [part.apply(as_texts).assign(_part=n) for n, part in enumerate(parts)]
    both = pd.concat(plain, ignore_index=True)
    again = repeated_keys(both, _KEY)
    if not again.any():
        return list(parts), pd.Series([], dtype="str")
    in_order = both[again].assign(row=lambda f: f["row"] + f["_part"] * MOST_ROWS)
    kept = _apply(in_order, rule)
    lost = in_order.loc[in_order.index.difference(kept.index), "student_id"]
    kept = kept.assign(row=kept["row"] % MOST_ROWS)
    whole = pd.concat([both[~again], kept], ignore_index=True)
    out = []
    for n, (told, part) in enumerate(zip(findings, parts, strict=True)):
        mine = whole[whole["_part"] == n].sort_values("row", kind="stable").drop(columns="_part")
        told.put_aside(
            np.setdiff1d(part["row"].unique(), mine["row"].unique()),
            f"the same observations are in another file: {RULES[rule]}",
            "Nothing to do; or give the files different names or windows.",
        )
        out.append(mine)
    return [part for part in out if len(part)], lost


def name_observations(observed: pd.DataFrame) -> pd.DataFrame:
    """Return observations that each have a name: their own, the item's, or the skill's."""
    if observed["observation_id"].notna().all():
        return observed
    plain = [as_texts(observed[name]) for name in ("observation_id", "item_id", "skill_id")]
    return observed.assign(observation_id=plain[0].fillna(plain[1]).fillna(plain[2]))


def _part_classrooms(repeated: pd.DataFrame) -> pd.DataFrame:
    """Give observations of two classrooms two sources where their values differ."""
    groups = repeated.groupby(_KEY, sort=False, dropna=False)
    rooms = groups["classroom_id"].transform("nunique") > 1
    same = np.logical_and.reduce([groups[value].transform("nunique") <= 1 for value in _VALUES])
    part = (rooms & ~same).to_numpy()
    if not part.any():
        return repeated
    named = repeated["source"] + " (" + repeated["classroom_id"].fillna("no classroom") + ")"
    return repeated.assign(source=repeated["source"].mask(part, named))


def _apply(repeated: pd.DataFrame, rule: str) -> pd.DataFrame:
    ordered = repeated.assign(_worth=_worth(repeated)).sort_values(
        (["_worth"] if rule == "best" else []) + ["observed_on", "attempt", "row"],
        kind="stable",
        na_position="first",
    )
    ordered = ordered.drop(columns="_worth")
    groups = ordered.groupby(_KEY, sort=False, dropna=False)
    if rule != "all":
        return groups.tail(1)
    number = groups.cumcount() + 1
    numbered = ordered["observation_id"] + " #" + number.astype("str")
    return ordered.assign(observation_id=ordered["observation_id"].where(number == 1, numbered))


def _worth(observed: pd.DataFrame) -> pd.Series:
    share = observed["points"] / observed["points_possible"]
    level = [
        SCALES[scale].position(level) if isinstance(level, str) and scale in SCALES else np.nan
        for scale, level in zip(observed["scale"], observed["level"], strict=True)
    ]
    return share.fillna(observed["score"]).fillna(pd.Series(level, index=observed.index))


def _count_repeats(repeats: Repeats, repeated: pd.DataFrame) -> None:
    new = repeated[~repeated["student_id"].isin(repeats.students)]
    twice = new[new.duplicated(_KEY, keep=False)]
    if twice.empty:
        return
    repeats.n += len(new) - len(new.drop_duplicates(_KEY))
    student_id = twice["student_id"].iloc[0]
    rows = name_rows(twice.loc[twice["student_id"] == student_id, "row"].unique())
    repeats.example = repeats.example or f"student {student_id} in {rows}"
    repeats.students |= set(new["student_id"].unique())


def _put_lost_aside(
    findings: Findings, repeated: pd.DataFrame, kept: pd.DataFrame, alone: set[int], rule: str
) -> None:
    """Set rows aside of which nothing is kept, in the classroom where they stand."""
    lost = sorted(set(repeated["row"]) - set(kept["row"]) - alone)
    classrooms = repeated.drop_duplicates(["row"]).set_index("row")["classroom_id"]
    kept_rooms = kept.groupby("student_id")["classroom_id"].agg(set).to_dict()
    students = repeated.drop_duplicates(["row"]).set_index("row")["student_id"]
    gone = [
        row
        for row in lost
        if pd.isna(classrooms[row]) or classrooms[row] in kept_rooms.get(students[row], set())
    ]
    findings.put_aside(
        gone,
        f"another attempt of this student is used: {RULES[rule]}",
        "Nothing to do; or choose --attempts latest, best or all.",
    )
