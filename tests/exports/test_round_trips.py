"""Any table of ours survives being written as an export and imported again."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given, settings

from analysis.exports import read_exports
from analysis.exports.findings import Findings
from analysis.exports.text import FAST_FROM, split_lines, split_regular

IDS = st.from_regex(r"S[A-DF-Z0-9]{2,6}[0-9]", fullmatch=True)
LETTERS = st.characters(whitelist_categories=("Lu", "Ll", "Lo")) | st.sampled_from("'-, .")
NAMES = (
    st.text(LETTERS, min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda text: any(c.isalpha() for c in text))
)
ROOMS = st.sampled_from(["7A", "7E2", "1-2", "007", "None", "Müller, P. 3", "NA"])
SKILLS = ["3.NF.A.1", "3.NF.A.2", "RL.5.1"]
POSSIBLE = {"3.NF.A.1": 4, "3.NF.A.2": 10, "RL.5.1": 3}


@st.composite
def classes(draw):
    """Return students with a name, a classroom and points (None: not answered) on each skill."""
    ids = draw(st.lists(IDS, min_size=2, max_size=6, unique=True))
    return [
        {
            "id": student,
            "name": f"Kid {place} {draw(NAMES)}",
            "room": draw(ROOMS),
            "points": {s: draw(st.none() | st.integers(0, POSSIBLE[s])) for s in SKILLS},
        }
        for place, student in enumerate(ids)
    ]


def expected(table) -> dict:
    return {
        (student["id"], skill): points
        for student in table
        for skill, points in student["points"].items()
        if points is not None
    }


def write(lines: list[list], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(
        [["" if c is None else c for c in line] for line in lines]
    )
    return out.getvalue().encode(encoding)


def imported(data: bytes, name: str = "export.csv"):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read_exports([path], window="W")


def found(result) -> dict:
    evidence = result.evidence
    return dict(
        zip(
            zip(evidence["student_id"], evidence["skill_id"], strict=True),
            evidence["points"],
            strict=True,
        )
    )


def check(result, table) -> None:
    assert found(result) == expected(table)
    summary = result.summary()
    assert summary["rows_read"] == summary["rows_used"] + len(summary["rows_set_aside"])


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(classes())
def test_written_as_a_canvas_gradebook_it_comes_back(table):
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    head += [f"Ticket {skill} ({n})" for n, skill in enumerate(SKILLS, 5501)] + ["Final Score"]
    possible = ["    Points Possible", *[""] * 4, *POSSIBLE.values(), "(read only)"]
    rows = [
        [
            s["name"],
            n,
            s["id"],
            f"login{n}",
            s["room"],
            *["EX" if p is None else p for p in s["points"].values()],
            "",
        ]
        for n, s in enumerate(table)
    ]
    test_student = ["Student, Test", 99, "", "x", "7A", *[""] * 4]
    result = imported(write([head, possible, *rows, test_student]))
    check(result, table)
    assert set(result.roster["student_id"]) == {s["id"] for s in table}


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(classes(), st.sampled_from([(",", "utf-8-sig"), (";", "utf-8"), ("\t", "utf-16")]))
def test_written_as_a_tracker_of_points_it_comes_back(table, dialect):
    delimiter, encoding = dialect
    head = ["Student ID", "Student Name", "Classroom", *SKILLS]
    possible = ["", "Points Possible", "", *POSSIBLE.values()]
    rows = [[s["id"], s["name"], s["room"], *s["points"].values()] for s in table]
    result = imported(write([head, possible, *rows], delimiter, encoding))
    check(result, table)
    names = result.roster.set_index("student_id")["display_name"].to_dict()
    assert names == {s["id"]: " ".join(s["name"].split()) for s in table}


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(classes())
def test_written_as_a_microsoft_form_it_comes_back(table):
    head = [
        "ID",
        "Start time",
        "Completion time",
        "Email",
        "Name",
        "Total points",
        "Quiz feedback",
        "Student ID",
    ]
    for skill in SKILLS:
        head += [f"Task [{skill}]", f"Points - Task [{skill}]", f"Feedback - Task [{skill}]"]
    rows = []
    for n, s in enumerate(table):
        row = [
            n,
            "10/2/26 10:01:00",
            "10/2/26 10:09:00",
            f"k{n}@school.org",
            s["name"],
            "",
            "",
            s["id"],
        ]
        for points in s["points"].values():
            row += ["answer", points, ""]
        rows.append(row)
    check(imported(write([head, *rows])), table)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(classes())
def test_written_as_a_tidy_table_it_comes_back(table):
    head = ["student_id", "classroom_id", "skill_id", "points", "points_possible"]
    rows = [
        [s["id"], s["room"], skill, points, POSSIBLE[skill]]
        for s in table for skill, points in s["points"].items()
    ]  # fmt: skip
    result = imported(write([head, *rows]))
    check(result, table)
    assert set(result.evidence["points_possible"]) <= set(POSSIBLE.values())


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='"'),
                max_size=6,
            ),
            min_size=3,
            max_size=3,
        ),
        min_size=4,
        max_size=4,
    )
)
def test_the_columnar_and_the_exact_parser_read_the_same_cells(lines):
    one = "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines) + "\n"
    data = ("a,b,c\n" + one * (FAST_FROM // len(one.encode()) + 1)).encode()
    exact, separator = split_lines(data.decode(), Findings("x.csv"))
    fast, told = split_regular(data)
    assert told == separator
    pd.testing.assert_frame_equal(fast.astype("str"), exact, check_column_type=False)
