"""OneRoster 1.1 and 1.2: many CSVs that mean something together, rosters and results."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.exports.cells import read_numbers
from analysis.exports.codes import find_code
from analysis.exports.dates import read_dates
from analysis.exports.declared import note_private
from analysis.exports.reading import Context, Reading, build_observations
from analysis.exports.table import Table

_TABLES = {
    "learning objectives": {"resultSourcedId", "learningObjectiveId"},
    "results": {"lineItemSourcedId", "studentSourcedId"},
    "enrollments": {"classSourcedId", "userSourcedId", "role"},
    "roles": {"userSourcedId", "roleType", "role"},
    "users": {"sourcedId", "givenName", "familyName"},
    "classes": {"sourcedId", "title", "classType"},
    "line items": {"sourcedId", "title", "resultValueMax"},
    "orgs": {"sourcedId", "name", "type", "parentSourcedId"},
}
"""Tables that are used, told by the columns none of the others has."""

_NO_ITEMS = pd.DataFrame({"sourcedId": [], "title": [], "resultValueMax": []}, dtype="str")
_GONE = {"tobedeleted", "inactive"}


def name_table(names: list[str]) -> str | None:
    """Return which OneRoster table a header is, or None."""
    told = next((table for table, columns in _TABLES.items() if columns <= set(names)), None)
    manifest = {"propertyName", "value"} <= set(names)
    return told or (
        "other" if manifest or {"sourcedId", "dateLastModified"} <= set(names) else None
    )


def recognise(names: list[str]) -> bool:
    """Tell whether the header is a OneRoster table's."""
    return name_table(names) is not None


def read(table: Table, context: Context) -> Reading:
    """Return one table as text; :func:`combine` puts them together."""
    kind = name_table(table.names) or "other"
    note_private(table)
    frame = pd.DataFrame({name: table.text(p) for p, name in enumerate(table.names) if name})
    if kind == "other":
        table.findings.put_aside(
            table.rows, "not needed for classrooms or results", "Nothing to do."
        )
    if "status" in frame:
        gone = frame["status"].str.casefold().isin(_GONE).to_numpy()
        table.findings.put_aside(table.rows[gone], "marked as deleted", "Nothing to do.", "status")
        frame = frame[~gone]
    return Reading("OneRoster", table.findings, table.rows, raw=(kind, frame))


def combine(readings: Sequence[Reading]) -> None:
    """Fill in the roster and the observations that the OneRoster tables give together."""
    tables = {reading.raw[0]: reading for reading in readings if reading.raw is not None}
    frames = dict(reading.raw for reading in readings if reading.raw is not None)
    ids = _student_ids(frames.get("users"))
    if "enrollments" in tables:
        tables["enrollments"].roster = build_roster(frames, ids)
        _put_unused_aside(tables, frames)
    if "results" in tables:
        reading = tables["learning objectives" if "learning objectives" in tables else "results"]
        reading.observations = read_results(tables["results"], frames, ids)
        reading.source = "OneRoster results"


def build_roster(frames: dict[str, pd.DataFrame], ids: pd.Series) -> pd.DataFrame:
    """Return one row a student and class, with teacher, school, grade and preferred name."""
    enrolled = frames["enrollments"]
    role = enrolled["role"].str.casefold()
    students = enrolled[role == "student"]
    teachers = enrolled[role == "teacher"].drop_duplicates("classSourcedId")
    people = _people(frames.get("users"))
    schools = _column(frames.get("orgs"), "sourcedId", "name")
    taught = teachers.set_index("classSourcedId")["userSourcedId"].map(people["display_name"])
    rooms = _room_names(frames.get("classes"))
    user, room = students["userSourcedId"], students["classSourcedId"]
    roster = pd.DataFrame(
        {
            "student_id": user.map(ids).astype("str").fillna(user),
            "classroom_id": room.map(rooms).astype("str").fillna(room),
            "teacher": room.map(taught).astype("str"),
            "school": students["schoolSourcedId"].map(schools).astype("str"),
            "grade": user.map(people["grade"]).astype("str"),
            "display_name": user.map(people["display_name"]).astype("str"),
        }
    )
    return roster.drop_duplicates(["student_id", "classroom_id"]).reset_index(drop=True)


def read_results(reading: Reading, frames: dict[str, pd.DataFrame], ids: pd.Series) -> pd.DataFrame:
    """Return the results: by learning objective where given, else by line item.

    Raises
    ------
    DataError
        Results stand alone: nothing says which skill they are about.
    """
    if "line items" not in frames and "learning objectives" not in frames:
        raise DataError(
            f"{reading.findings.where}: are OneRoster results (lineItemSourcedId, "
            "studentSourcedId), and nothing says which skill they are about.\nImport "
            "lineItems.csv or resultLearningObjectiveIds.csv together with it."
        )
    items = frames.get("line items", _NO_ITEMS)
    titles = items.set_index("sourcedId")["title"]
    most = pd.Series(read_numbers(items["resultValueMax"])[0], index=items["sourcedId"])
    results = _about_skills(frames, titles)
    scores, bad = read_numbers(results["score"])
    possible = results["item"].map(most).to_numpy(dtype=float)
    for row in results.index[bad | (scores > possible)]:
        reading.findings.fault("is no score from 0 to the maximum", row=row, column="score")
    reading.findings.refuse_faults("Mend these in the file and import it again.")
    known = ~np.isnan(possible)
    results = results.assign(
        kind=pd.Series(np.where(known, "points", "score"), index=results.index),
        points=np.where(known, scores, np.nan),
        points_possible=np.where(known, possible, np.nan),
        score=np.where(known, np.nan, scores),
        student_id=results["student"].map(ids).astype("str").fillna(results["student"]),
        observation_id=results["item"].map(titles).astype("str").fillna(results["item"]),
        observed_on=read_dates(results["date"]),
    )
    told = results[~np.isnan(scores) & results["student"].notna() & results["skill_id"].notna()]
    columns = [c for c in told.columns if c not in ("student", "item", "date")]
    return build_observations(told.index, **{name: told[name] for name in columns})


def _about_skills(frames: dict[str, pd.DataFrame], titles: pd.Series) -> pd.DataFrame:
    """Return one row a result and skill: student, item, date, score, skill_id."""
    results = frames["results"].drop_duplicates("sourcedId").set_index("sourcedId", drop=False)
    about = frames.get("learning objectives")
    if about is None:
        about = frames["results"].assign(resultSourcedId=frames["results"]["sourcedId"])
        title = about["lineItemSourcedId"].map(titles).astype("str")
        skill = title.map(lambda text: find_code(str(text)) or text, na_action="ignore")
    else:
        skill = about["learningObjectiveId"]
    of = about["resultSourcedId"]
    return pd.DataFrame(
        {
            "student": of.map(results["studentSourcedId"]).astype("str"),
            "item": of.map(results["lineItemSourcedId"]).astype("str"),
            "date": of.map(results["scoreDate"]).astype("str"),
            "score": about["score"],
            "skill_id": skill.astype("str"),
        }
    )


def _student_ids(users: pd.DataFrame | None) -> pd.Series:
    """Return the district's own id of each user, where every student has one."""
    if users is None:
        return pd.Series(dtype="str")
    own = users["identifier"] if "identifier" in users else pd.Series(None, index=users.index)
    whole = own.notna().all() and own.is_unique
    return pd.Series((own if whole else users["sourcedId"]).to_numpy(), index=users["sourcedId"])


def _people(users: pd.DataFrame | None) -> pd.DataFrame:
    if users is None:
        return pd.DataFrame({"display_name": [], "grade": []}, dtype="str")
    first, last = users["givenName"], users["familyName"]
    if "preferredGivenName" in users:
        first = users["preferredGivenName"].fillna(first)
    if "preferredFamilyName" in users:
        last = users["preferredFamilyName"].fillna(last)
    name = (first.fillna("") + " " + last.fillna("")).str.strip()
    grade = (
        users["grades"] if "grades" in users else pd.Series(None, index=users.index, dtype="str")
    )
    frame = pd.DataFrame({"display_name": name, "grade": grade}).set_index(users["sourcedId"])
    return frame[~frame.index.duplicated()]


def _room_names(classes: pd.DataFrame | None) -> pd.Series:
    """Return what classrooms are called: their titles where these tell them apart."""
    if classes is None:
        return pd.Series(dtype="str")
    titles = classes["title"]
    named = titles if titles.is_unique and titles.notna().all() else classes["sourcedId"]
    return pd.Series(named.to_numpy(), index=classes["sourcedId"])


def _column(frame: pd.DataFrame | None, key: str, value: str) -> pd.Series:
    return (
        pd.Series(dtype="str")
        if frame is None
        else frame.drop_duplicates(key).set_index(key)[value]
    )


def _put_unused_aside(tables: dict[str, Reading], frames: dict[str, pd.DataFrame]) -> None:
    enrolled = frames["enrollments"]
    other = ~enrolled["role"].str.casefold().isin(["student", "teacher"])
    tables["enrollments"].findings.put_aside(
        enrolled.index[other], "enrolled neither as student nor as teacher", "Nothing to do."
    )
    if "users" in frames:
        users = frames["users"]
        unseen = ~users["sourcedId"].isin(enrolled["userSourcedId"])
        tables["users"].findings.put_aside(
            users.index[unseen], "a user who is in no class", "Nothing to do."
        )
