"""A form in which students speak for themselves: interests, how I learn, my goal, my skills.

A row an answer, a column a question, as Google Forms and Microsoft Forms export them, or a
sheet typed by hand. Which question is which is told by its words (``voice.toml``); a
question that names a skill by its id, name or “I can” text is a self-rating. Students type
what they like: their words are kept as text, cleaned of what is not writing.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from analysis.exports.dates import read_dates
from analysis.exports.findings import NO_ROSTER, name_some
from analysis.exports.names import find_role, is_demographic, is_sensitive, key_name
from analysis.exports.reading import Context, Reading
from analysis.exports.students import clean_ids, read_students, restore_zeros
from analysis.exports.table import Table
from analysis.exports.wide import note_dropped
from analysis.tables import VOICE, Topic, check_table

NAME = "student voice form"
FEWEST_TOPICS = 2
"""Questions on what a student says of themself from which a form is such a form."""

LONGEST = 400
"""Characters of an answer that are kept: two sentences with room to spare."""

_TIMES = ["Completion time", "Timestamp", "observed_on", "date"]
_MAILS = ["Email Address", "Email", "Username"]
_QUIZ = {"Score", "Total score", "Total points"}
_FORM_OWN = {"starttime", "completiontime", "lastmodifiedtime", "language"}
_BRACKET = re.compile(r"\[([^\]]+)\]\s*$")
_OUT_OF = re.compile(r"^(\d{1,2})(?:\s*(?:/|of|de)\s*(\d{1,2})|\s*[-–—:=.].*)?$")
_UNWRITTEN = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
"""Control signs, and those that turn the direction of what follows them."""
_NUMBER_SCALES = (3, 4, 5, 6, 10)


def recognise(names: list[str]) -> bool:
    """Tell whether the header is that of such a form.

    Examples
    --------
    >>> recognise(["Timestamp", "Your name", "What are your interests?", "My goal is"])
    True
    >>> recognise(["Timestamp", "Email Address", "Score", "What is your goal?"])
    False
    """
    if _QUIZ & set(names):
        return False
    topics = {topic for name in names if (topic := _topic_of(name))}
    return len(topics) >= FEWEST_TOPICS


def read(table: Table, context: Context) -> Reading:
    """Return what each student said; rows of nobody on the roster are set aside in words."""
    rows = table.rows
    _note_private(table)
    known, roles = _find_students(table, context)
    who = {*roles.values(), *_find_names(table)}
    topics, skills = _find_questions(table, context, who)
    _note_left(table, {*topics, *skills, *who})
    students = read_students(known, context, roles=roles)
    ids = _on_the_roster(students.table, students.frame["student_id"], context)
    said = pd.DataFrame(
        {
            "student_id": ids,
            "row": ids.index,
            "answered_on": read_dates(students.table.text(_TIMES)).reindex(ids.index),
        }
    )
    said = _drop_blank(said, students.table, [*topics, *skills])
    latest = _latest_answers(said, table)
    parts = [_answers(students.table, latest, place, topic) for place, topic in topics.items()]
    parts += [_ratings(students.table, latest, place, skill) for place, skill in skills.items()]
    voice = pd.concat(parts, ignore_index=True).drop_duplicates(VOICE.unique)
    return Reading(
        NAME,
        table.findings,
        rows,
        voice=check_table(voice[list(VOICE.columns)], VOICE, table.findings.where),
    )


def _drop_blank(said: pd.DataFrame, table: Table, asked: list[int]) -> pd.DataFrame:
    """Set aside answers without a word: they are no retake of an earlier one."""
    written = [table.text(place).reindex(said.index).notna() for place in asked]
    is_blank: np.ndarray = ~np.logical_or.reduce(written)
    table.findings.put_aside(
        said.loc[is_blank, "row"], "every question is left blank", "Nothing to do."
    )
    return said[~is_blank]


def _find_students(table: Table, context: Context) -> tuple[Table, dict[str, int]]:
    """Return the table with a column of student ids, and the roles of columns.

    By a question for the id; else by the e-mail, where it is an id of the roster; else by
    the name, where one student alone has it.
    """
    id_place = _find_id(table)
    if id_place is not None:
        return table, {"student_id": id_place}
    known = {_key(one): one for one in context.roster["student_id"]}
    mails, by_name = table.text(_MAILS), _by_name(context)
    names = [table.text(place) for place in _find_names(table)]
    ids: list[str | None] = []
    why: dict[str, list[int]] = {}
    for place, row in enumerate(table.rows):
        written = [texts.iloc[place] for texts in names]
        student, reason = _told_by(mails.iloc[place], written, known, by_name)
        ids.append(student)
        if reason:
            why.setdefault(reason, []).append(int(row))
    for reason, where in why.items():
        table.findings.put_aside(
            where, reason, "Ask for the student id in the form, or write it into a column."
        )
    if any(ids):
        table.findings.note(
            "the form asks for no student id; students were told by their e-mails or names."
        )
    place = len(table.names)
    told = table.put(place, pd.Series(ids, index=table.cells.index, dtype="str"), "Student ID")
    return told.keep(told.cells[place].notna()), {"student_id": place}


def _note_private(table: Table) -> None:
    """Name the columns that nobody needs; an e-mail only tells whose answer it is."""
    asked = [name for name in table.names if name and name not in _MAILS]
    sensitive = [name for name in asked if is_sensitive(name)]
    demographic = [name for name in asked if is_demographic(name) and name not in sensitive]
    note_dropped({"sensitive": sensitive, "demographic": demographic}, table.findings)


def _find_id(table: Table) -> int | None:
    """Return the column of student ids; ``ID`` in a Microsoft form only counts the answers."""
    counts = table.place("Completion time") is not None
    names = ["" if counts and key_name(name) == "id" else name for name in table.names]
    place = find_role(names, "student_id")
    return place if place is not None else next(_places(names, "student_id"), None)


def _find_names(table: Table) -> list[int]:
    """Return the columns of students' names: what the student wrote, then the account's."""
    asked = list(_places(table.names, "display_name"))
    own = find_role(table.names, "display_name")
    return [place for place in asked if place != own] + ([] if own is None else [own])


def _places(names: list[str], role: str) -> Iterator[int]:
    patterns = _rules()["who"][role]
    return (
        place
        for place, name in enumerate(names)
        if _topic_of(name) is None and any(re.search(p, name.casefold()) for p in patterns)
    )


def _told_by(
    mail: object,
    names: list[object],
    known: dict[str, str],
    by_name: dict[frozenset[str], set[str]],
) -> tuple[str | None, str]:
    """Return whose answer it is, or why that cannot be told."""
    if isinstance(mail, str):
        for one in (mail, mail.split("@")[0]):
            if _key(one) in known:
                return known[_key(one)], ""
    reason = "no student id, e-mail or name"
    for name in names:
        if not isinstance(name, str):
            continue
        found = by_name.get(_name_key(name), set())
        if len(found) == 1:
            return next(iter(found)), ""
        reason = (
            f"{len(found)} students of the roster have this name"
            if found
            else "no student of the roster has this name"
        )
    return None, reason


def _by_name(context: Context) -> dict[frozenset[str], set[str]]:
    named = context.roster.dropna(subset="display_name")
    found: dict[frozenset[str], set[str]] = {}
    for student_id, name in zip(named["student_id"], named["display_name"], strict=True):
        found.setdefault(_name_key(name), set()).add(student_id)
    return found


def _name_key(name: str) -> frozenset[str]:
    """Return a name's words without case, accents and order: ``Ruiz, Ana`` is ``ana ruiz``."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return frozenset(re.findall(r"[\w'’-]+", plain))


def _key(text: str) -> str:
    return str(text).strip().casefold()


def _on_the_roster(table: Table, ids: pd.Series, context: Context) -> pd.Series:
    ids = restore_zeros(clean_ids(ids, table.findings), context.roster, table.findings)
    table.findings.refuse_faults("Mend these in the file and import it again.")
    known = ids.isin(set(context.roster["student_id"]))
    table.findings.put_aside(
        ids.index[~known],
        NO_ROSTER,
        "Add the student to roster.csv, or correct the id, and import again.",
    )
    return ids[known]


def _latest_answers(said: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the last answer of each student; earlier ones are set aside."""
    in_order = said.sort_values(["answered_on", "row"], na_position="first")
    is_last = ~in_order["student_id"].duplicated(keep="last")
    table.findings.put_aside(
        sorted(in_order.loc[~is_last, "row"]),
        "the student has answered again later",
        "Nothing to do: the last answer counts.",
    )
    return in_order[is_last].sort_values("row")


def _find_questions(
    table: Table, context: Context, taken: set[int]
) -> tuple[dict[int, Topic], dict[int, str]]:
    """Return which column asks about which topic, and which about which skill."""
    skills = _skill_words(context)
    topics: dict[int, Topic] = {}
    rated: dict[int, str] = {}
    for place, name in enumerate(table.names):
        if not name or place in taken or key_name(name) in _FORM_OWN:
            continue
        if is_sensitive(name) or is_demographic(name):
            continue
        inner = _BRACKET.search(name)
        skill = skills.get(key_name(inner.group(1) if inner else name))
        topic = _topic_of(name)
        if skill is not None:
            rated.setdefault(place, skill)
        elif topic is not None and topic not in topics.values():
            topics[place] = topic
    return topics, rated


def _skill_words(context: Context) -> dict[str, str]:
    """Return every text that names a skill, in any language the framework has."""
    columns = [
        column
        for column in context.skills.columns
        if re.fullmatch(r"(skill_id|name|i_can)(_[a-z-]+)?", column)
    ]
    return {
        key_name(text): row["skill_id"]
        for column in reversed(columns)
        for _, row in context.skills.dropna(subset=column).iterrows()
        if (text := str(row[column]))
    }


def _answers(table: Table, latest: pd.DataFrame, place: int, topic: Topic) -> pd.DataFrame:
    texts = table.text(place).reindex(latest["row"])
    return _filled(latest, texts).assign(topic=str(topic), skill_id=None, rating=np.nan)


def _ratings(table: Table, latest: pd.DataFrame, place: int, skill_id: str) -> pd.DataFrame:
    texts = table.text(place).reindex(latest["row"])
    filled = _filled(latest, texts)
    most = _most_of_scale(table.names[place], filled["answer"])
    shares = [read_rating(answer, most) for answer in filled["answer"]]
    unread = filled.loc[pd.isna(shares), "answer"]
    if len(unread):
        table.findings.note(
            f"{len(unread)} answers to “{table.names[place]}” are no rating that is known; they "
            "are kept as words. Add them to voice.toml."
        )
    return filled.assign(
        topic=str(Topic.RATING), skill_id=skill_id, rating=np.array(shares, dtype="float64")
    )


def read_rating(answer: str, most: int | None) -> float:
    """Return a self-rating as a share, 0 (not yet) to 1 (could teach it); missing if it is none.

    Examples
    --------
    >>> read_rating("Not yet 😟", None), read_rating("4", 5), read_rating("blue", None)
    (0.0, 0.75, nan)
    """
    said = re.sub(r"\s+", " ", answer).strip(" .!").casefold()
    number = _OUT_OF.match(said)
    if number:
        most = int(number.group(2)) if number.group(2) else most
        place = int(number.group(1))
        return (place - 1) / (most - 1) if most and 1 <= place <= most else np.nan
    words: dict[str, float] = _rules()["ratings"]
    if said in words:
        return words[said]
    bare = re.sub(r"[^\w\s']", "", said).strip()
    if bare in words:
        return words[bare]
    shown = {words[sign] for sign in words if not sign[0].isalpha() and sign in said}
    return shown.pop() if len(shown) == 1 else np.nan


def _most_of_scale(question: str, answers: Iterable[str]) -> int | None:
    """Return the highest number of a number scale: as the question says, or as is answered."""
    said = re.search(r"\b1\b\D{1,40}?\b(\d{1,2})\b", question)
    if said and int(said.group(1)) in _NUMBER_SCALES:
        return int(said.group(1))
    numbers = [int(m.group(1)) for a in answers if (m := _OUT_OF.match(a.strip()))]
    return next((most for most in _NUMBER_SCALES if most >= max(numbers)), None) if numbers \
        else None  # fmt: skip


def _filled(latest: pd.DataFrame, texts: pd.Series) -> pd.DataFrame:
    """Return the rows in which something is written, with the words as they can be shown."""
    answers = [clean_words(text) if isinstance(text, str) else "" for text in texts]
    said = latest.assign(answer=pd.array(answers, dtype="str"))
    return said[said["answer"] != ""]


def clean_words(text: str) -> str:
    r"""Return a student's words without signs that are no writing; emoji stay.

    Examples
    --------
    >>> clean_words("  I like \u202efrogs\u202c 🐸\n and rain\x07 ")
    'I like frogs 🐸 and rain'
    """
    plain = re.sub(r"\s+", " ", _UNWRITTEN.sub("", text)).strip()
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1].rstrip() + "…"


def _note_left(table: Table, used: set[int]) -> None:
    known = {key_name(name) for name in [*_TIMES, *_MAILS]} | _FORM_OWN | {"id"}
    left = [
        name
        for place, name in enumerate(table.names)
        if name and place not in used and key_name(name) not in known
        and not is_sensitive(name) and not is_demographic(name)
    ]  # fmt: skip
    if left:
        table.findings.note(f"questions on no known topic were left alone: {name_some(left)}.")


@lru_cache(maxsize=4096)  # the same words stand in line after line
def _topic_of(name: str) -> Topic | None:
    said = name.casefold()
    if key_name(name) in {key_name(topic) for topic in Topic}:
        return Topic(next(topic for topic in Topic if key_name(topic) == key_name(name)))
    for topic, patterns in _rules()["topics"].items():
        if any(re.search(pattern, said) for pattern in patterns):
            return Topic(topic)
    return None


@cache
def _rules() -> dict[str, Any]:
    text = files("analysis.exports").joinpath("voice.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
