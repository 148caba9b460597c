"""What students say of themselves, beside what the evidence says: where to begin a talk.

A self-rating is never evidence and never moves a placement. Where the two differ, one of
them knows something: the student, or the answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pandas as pd

from analysis.rows import walk_rows
from analysis.tables import Topic
from analysis.words import SkillState

FEELS_SURE, FEELS_UNSURE = 0.65, 0.35
"""Self-rating from which, and down to which, a student says *I can* or *not yet*. Between
them the student is of two minds, and nothing is to be told apart."""

MORE = "surer than the answers"
LESS = "less sure than the answers"


def compare_self_view(voice: pd.DataFrame, standing: pd.DataFrame) -> pd.DataFrame:
    """Return where a student's own view of a skill and the evidence differ.

    Parameters
    ----------
    voice
        Table of :data:`analysis.tables.VOICE`.
    standing
        ``student_id``, ``skill_id``, ``state`` (:class:`analysis.words.SkillState`), as of
        :func:`analysis.progress.latest_standing`.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``skill_id``, ``differs`` (:data:`MORE` or :data:`LESS`), ``answer``
        (the student's words), in the order of ``voice``. A skill that was not asked for, or
        whose answers leave it open, is no difference.

    Examples
    --------
    >>> voice = pd.DataFrame({"student_id": ["s1"], "topic": "rating", "skill_id": "a",
    ...                       "answer": "not yet", "rating": 0.0})
    >>> standing = pd.DataFrame({"student_id": ["s1"], "skill_id": "a", "state": "has it"})
    >>> compare_self_view(voice, standing)["differs"].tolist()
    ['less sure than the answers']
    """
    key = ["student_id", "skill_id"]
    rated = voice[(voice["topic"] == Topic.RATING) & voice["rating"].notna()]
    both = rated.merge(standing[[*key, "state"]], on=key)
    more = (both["rating"] >= FEELS_SURE) & (both["state"] == SkillState.NEEDS)
    less = (both["rating"] <= FEELS_UNSURE) & (both["state"] == SkillState.HAS)
    said = both.assign(differs=more.map({True: MORE, False: LESS}))
    return said.loc[more | less, [*key, "differs", "answer"]].reset_index(drop=True)


def find_partners(voice: pd.DataFrame, roster: pd.DataFrame) -> pd.DataFrame:
    """Return which classmates students say they work well with.

    Parameters
    ----------
    voice
        Table of :data:`analysis.tables.VOICE`.
    roster
        Table of :data:`analysis.tables.ROSTER` of one classroom: a name counts only where it
        is one classmate's, whole or by its first word.

    Returns
    -------
    pandas.DataFrame
        ``student_id``, ``partner_id``, each pair once a direction, in the order of ``voice``.

    Examples
    --------
    >>> roster = pd.DataFrame({"student_id": ["s1", "s2"], "display_name": ["Ana Ruiz", "Bo Li"]})
    >>> voice = pd.DataFrame({"student_id": ["s1"], "topic": "works_with", "answer": "with Bo!"})
    >>> find_partners(voice, roster)["partner_id"].tolist()
    ['s2']
    """
    said = voice[(voice["topic"] == Topic.WORKS_WITH)]
    found = [
        (row.student_id, partner)
        for row in walk_rows(said)
        if row.student_id in set(roster["student_id"])
        for partner in named_in(row.answer, roster, but=row.student_id)
    ]
    return pd.DataFrame(found, columns=["student_id", "partner_id"], dtype="str")


def named_in(text: str, roster: pd.DataFrame, *, but: str) -> list[str]:
    """Return the ids of the classmates a text names, in the order of the roster.

    Parameters
    ----------
    text
        A student's words.
    roster
        ``student_id`` and ``display_name`` of the classroom.
    but
        Whose words they are: this student is not looked for.
    """
    named = roster.dropna(subset="display_name")
    words = {
        row.student_id: _words(row.display_name)
        for row in walk_rows(named)
        if _words(row.display_name)
    }
    firsts = Counter(own[0] for own in words.values())
    said = f" {' '.join(_words(text))} "
    return [
        student
        for student, own in words.items()
        if student != but
        and (f" {' '.join(own)} " in said or (firsts[own[0]] == 1 and f" {own[0]} " in said))
    ]


def own_words(voice: pd.DataFrame, roster: pd.DataFrame, student_id: str) -> dict[str, str]:
    """Return what a student says on each topic, to be shown on the student's own page.

    Words in which a classmate is named are left out: a page holds one student. So is
    *works well with*, which is the teacher's to know.

    Returns
    -------
    dict of str to str
        The student's words by topic; what was not answered is not there.
    """
    mine = voice[voice["student_id"] == student_id]
    shown = mine[~mine["topic"].isin([Topic.RATING, Topic.WORKS_WITH])]
    return {
        row.topic: row.answer
        for row in walk_rows(shown)
        if not _names_anyone(row.answer, roster, student_id)
    }


def _names_anyone(text: str, roster: pd.DataFrame, student_id: str) -> bool:
    """Tell whether a text holds any word of a classmate's first name, or a classmate's id."""
    others = roster[roster["student_id"] != student_id]
    said = set(_words(text))
    firsts = {_words(name)[0] for name in others["display_name"].dropna() if _words(name)}
    ids = {one.casefold() for one in others["student_id"]}
    return bool(said & (firsts | ids)) or bool(named_in(text, roster, but=student_id))


def _words(text: str) -> list[str]:
    """Return words without case and accents."""
    plain = unicodedata.normalize("NFKD", str(text)).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.findall(r"\w+", plain.replace("’", "'").replace("'", ""))
