"""Students speak for themselves: a form is read safely, and never moves a placement."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from markupsafe import escape

from analysis.classroom import open_classroom
from analysis.errors import DataError
from analysis.exports import Known, read_exports
from analysis.grouping import GroupRules, form_groups
from analysis.store import Store
from analysis.tables import VOICE, check_table
from analysis.voice import LESS, MORE, compare_self_view, find_partners, named_in, own_words
from conftest import WINDOW, table

ROSTER = table("""
| student_id | classroom_id | display_name  |
| 0041       | 4a           | Ana Ruiz      |
| 0042       | 4a           | Bo Li         |
| 0043       | 4a           | Zoë N'Diaye   |
| 0044       | 4a           | Sam Hart      |
| 0045       | 4b           | Sam Hart      |
| 0046       | 4a           | Bo Ångström   |
""")
SKILLS = table("""
| skill_id | name   | i_can        | i_can_es      |
| 3.PV.1   | Round  | I can round. | Puedo redondear. |
| 3.FR.1   | Name   | I can name.  | Puedo nombrar.   |
""")
HEADER = (
    "Timestamp,Email Address,What is your name?,My interests,How do you learn best?,"
    "Who do you work well with?,My goal for math,How sure are you? [I can round.],Rate [3.FR.1]"
)


def read_form(folder: Path, *rows: str, header: str = HEADER, roster: pd.DataFrame = ROSTER):
    file = folder / "form.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_exports([file], known=Known(roster=roster, skills=SKILLS))


def answers_of(imported, student_id: str) -> dict:
    mine = imported.voice[imported.voice["student_id"] == student_id]
    return {row.skill_id if row.topic == "rating" else row.topic: row.answer
            for row in mine.itertuples()}  # fmt: skip


def reasons(imported) -> dict[int, str]:
    return {one["row"]: one["reason"] for one in imported.summary()["rows_set_aside"]}


ANA = (
    "2026/05/12 10:15:00 AM GMT-4,,Ana Ruiz,Fútbol ⚽ 🐸,pictures,Bo Li,beat fractions 💪,4,"
    "Not yet 😟"
)


def test_a_form_is_recognised_and_each_answer_finds_its_topic(tmp_path):
    imported = read_form(tmp_path, ANA)
    assert imported.summary()["platform"] == "student voice form"
    assert answers_of(imported, "0041") == {
        "interests": "Fútbol ⚽ 🐸",
        "learn_best": "pictures",
        "works_with": "Bo Li",
        "goal": "beat fractions 💪",
        "3.PV.1": "4",
        "3.FR.1": "Not yet 😟",
    }


def test_of_a_retake_the_last_answer_counts_and_the_earlier_is_set_aside(tmp_path):
    later = ANA.replace("beat fractions 💪", "learn to round").replace("05/12", "05/13")
    imported = read_form(tmp_path, later, ANA)
    assert answers_of(imported, "0041")["goal"] == "learn to round"
    assert reasons(imported) == {3: "the student has answered again later"}


def test_a_blank_retake_takes_nothing_back(tmp_path):
    imported = read_form(tmp_path, ANA, "2026/05/13 9:00:00 AM GMT-4,,Ana Ruiz,,,,,,")
    assert answers_of(imported, "0041")["goal"] == "beat fractions 💪"
    assert reasons(imported) == {3: "every question is left blank"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Nobody Here", "no student of the roster has this name"),
        ("Sam Hart", "2 students of the roster have this name"),
        ("", "no student id, e-mail or name"),
    ],
)
def test_an_answer_of_nobody_in_particular_is_set_aside_with_its_reason(tmp_path, name, reason):
    imported = read_form(tmp_path, ANA, ANA.replace("Ana Ruiz", name))
    assert reasons(imported) == {3: reason}
    assert set(imported.voice["student_id"]) == {"0041"}


@pytest.mark.parametrize("name", ["ana ruiz", '"Ruiz, Ana"', " Ana  Ruiz "])
def test_a_name_is_found_however_it_is_written(tmp_path, name):
    imported = read_form(tmp_path, ANA.replace("Ana Ruiz", name))
    assert set(imported.voice["student_id"]) == {"0041"}


def test_an_id_is_asked_for_before_a_name_and_gets_its_zeros_back(tmp_path):
    header = "Student ID,My interests,My goal"
    imported = read_form(tmp_path, "41,frogs,round", "99,cats,add", header=header)
    assert answers_of(imported, "0041") == {"interests": "frogs", "goal": "round"}
    assert reasons(imported) == {3: "the student is on no roster"}


def test_the_number_of_an_answer_is_no_student_id(tmp_path):
    header = "ID,Start time,Completion time,Email,Name,My interests,My goal"
    row = "1,5/12/26 9:00:00,5/12/26 9:05:00,anonymous,Ana Ruiz,frogs,round"
    assert set(read_form(tmp_path, row, header=header).voice["student_id"]) == {"0041"}


def test_rows_read_are_rows_used_and_rows_set_aside(tmp_path):
    told = read_form(tmp_path, ANA, ANA, ANA.replace("Ana Ruiz", "Who")).summary()
    assert told["rows_read"] == told["rows_used"] + len(told["rows_set_aside"]) == 3
    assert told["rows_used"] == 1


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("\u202eevil\u202c", "evil"),
        ("👩🏽‍🚀 and 👨‍👩‍👧", "👩🏽‍🚀 and 👨‍👩‍👧"),
        ("مرحبا", "مرحبا"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("so " * 400, ("so " * 133).rstrip() + "…"),
    ],
)
def test_words_are_kept_as_text_without_signs_that_are_no_writing(tmp_path, written, kept):
    row = ANA.replace("beat fractions 💪", written)
    assert answers_of(read_form(tmp_path, row), "0041")["goal"] == kept


@pytest.mark.parametrize(
    ("answer", "rating"),
    [
        ("1", 0.0), ("5", 1.0), ("3 - sort of", 0.5), ("2 of 3", 0.5), ("I can teach it!", 1.0),
        ("😟", 0.0), ("👍 👍", 1.0), ("Con ayuda", 0.33), ("blue", None), ("7", None),
    ],
)  # fmt: skip
def test_a_self_rating_is_a_share_or_no_rating(tmp_path, answer, rating):
    header = HEADER.replace("How sure are you?", "How sure are you? 1 = not yet and 5 = teach it")
    voice = read_form(tmp_path, ANA.replace(",4,", f",{answer},"), header=header).voice
    row = voice[voice["skill_id"] == "3.PV.1"].iloc[0]
    assert (None if pd.isna(row["rating"]) else row["rating"]) == rating
    assert row["answer"] == answer


def test_a_skill_may_be_named_in_the_language_of_the_form(tmp_path):
    header = "Student ID,Mis intereses,Mi meta,Puedo redondear."
    imported = read_form(tmp_path, "0041,ranas,sumar,con ayuda", header=header)
    assert answers_of(imported, "0041")["3.PV.1"] == "con ayuda"


def test_what_nobody_needs_is_never_kept(tmp_path):
    header = "Student ID,My interests,My goal,Date of Birth,Favorite sandwich filling"
    imported = read_form(tmp_path, "0041,frogs,round,2016-01-02,jam", header=header)
    assert "2016-01-02" not in set(imported.voice["answer"])
    assert "Date of Birth" in " ".join(imported.summary()["notes"])


def test_a_quiz_is_no_voice_form(tmp_path):
    header = "Timestamp,Email Address,Score,What is my goal?,What are your interests?"
    with pytest.raises(DataError, match="no points"):
        read_form(tmp_path, "2026/05/12,a@x.org,1 / 2,a,b", header=header)


# -- in the store ---------------------------------------------------------------------------


def voice(drawing: str) -> pd.DataFrame:
    return check_table(table(drawing), VOICE, "the drawing")


@pytest.fixture
def store(tmp_path) -> Store:
    store = Store(tmp_path / "store")
    store.save(roster=ROSTER, skills=SKILLS)
    return store


OLD = "| 0041 | goal | old | 2026-01-01 |"
NEW = "| 0041 | goal | new | 2026-05-01 |"


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_the_later_answer_counts_whichever_file_is_imported_first(store, order):
    for row in order:
        store.save(voice=voice(f"| student_id | topic | answer | answered_on |\n{row}"))
    assert store.read_voice("4a")["answer"].tolist() == ["new"]


def test_a_classroom_holds_its_own_students_words_only(store):
    said = voice("| student_id | topic | answer |\n| 0041 | goal | a |\n| 0045 | goal | b |")
    store.save(voice=said)
    assert store.read_voice("4a")["student_id"].tolist() == ["0041"]
    assert store.read_voice("4b")["student_id"].tolist() == ["0045"]


def test_a_student_who_joins_a_classroom_brings_their_words(store):
    store.save(voice=voice("| student_id | topic | answer |\n| 0041 | goal | a |"))
    moved = ROSTER[ROSTER["student_id"] == "0041"].assign(classroom_id="4c")
    store.save(roster=moved)
    assert store.read_voice("4c")["answer"].tolist() == ["a"]


def test_new_words_change_what_a_report_is_made_from(store):
    store.save(
        evidence=pd.DataFrame(
            {"student_id": ["0041"], "skill_id": "3.PV.1", "window": "w", "source": "t",
             "observation_id": "i", "kind": "points", "points": 1.0, "points_possible": 1.0}
        )
    )  # fmt: skip
    before = store.digest("w", ["4a"]), store.digest("w", ["4b"])
    store.save(voice=voice("| student_id | topic | answer |\n| 0041 | goal | a |"))
    store = Store(store.folder)
    assert store.digest("w", ["4a"]) != before[0]
    assert store.digest("w", ["4b"]) == before[1]


# -- what is made of it ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rating", "state", "differs"),
    [
        (1.0, "needs it", MORE), (0.0, "has it", LESS), (0.5, "has it", None),
        (1.0, "not assessed", None), (0.0, "needs it", None), (1.0, "not sure yet", None),
    ],
)  # fmt: skip
def test_self_view_and_evidence_differ_only_where_both_are_clear(rating, state, differs):
    said = pd.DataFrame({"student_id": ["s1"], "topic": "rating", "skill_id": "a", "answer": "x",
                         "rating": [rating]})  # fmt: skip
    standing = pd.DataFrame({"student_id": ["s1"], "skill_id": "a", "state": [state]})
    assert compare_self_view(said, standing)["differs"].tolist() == ([differs] if differs else [])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Ana!", ["0041"]),
        ("bo li and ZOE", ["0042", "0043"]),
        ("Bo", []),
        ("nobody, I like to work alone", []),
        ("analysis", []),
        ("Zoë N'Diaye", ["0043"]),
    ],
)
def test_a_partner_is_a_classmate_whose_name_is_one_students(words, found):
    here = ROSTER[ROSTER["classroom_id"] == "4a"]
    assert named_in(words, here, but="0044") == found


def test_nobody_is_their_own_partner_and_other_classes_are_not_searched():
    said = voice("""
    | student_id | topic      | answer        |
    | 0041       | works_with | Ana and Zoë   |
    | 0045       | works_with | Ana           |
    """)
    found = find_partners(said, ROSTER[ROSTER["classroom_id"] == "4a"])
    assert found.to_numpy().tolist() == [["0041", "0043"]]


def test_own_words_that_name_a_classmate_stay_off_the_students_page():
    said = voice("""
    | student_id | topic      | answer            |
    | 0041       | goal       | be faster than Bo |
    | 0041       | learn_best | with pictures     |
    | 0041       | works_with | Zoë               |
    | 0042       | goal       | round             |
    """)
    assert own_words(said, ROSTER, "0041") == {"learn_best": "with pictures"}


# -- a soft wish ----------------------------------------------------------------------------

TWO_NEEDS = pd.DataFrame(
    [
        (f"s{n}", skill, p)
        for n in range(12)
        for skill, p in [("a", 0.1), ("b", 0.1 if n % 2 else 0.12)]
    ],
    columns=["student_id", "skill_id", "mastery"],
).assign(window="w", n_items=4)
CLASS = pd.DataFrame({"student_id": [f"s{n}" for n in range(12)], "classroom_id": "c"})


def group_of(rules: GroupRules) -> pd.Series:
    found = form_groups(TWO_NEEDS, CLASS, classroom_id="c", window="w", rules=rules)
    return found.groups.set_index("student_id")["group"]


OPEN = {"whole_class_share": 1.0, "least_gain": 0.0, "n_groups": 3, "max_size": 4}
WISHES = [("s0", "s11"), ("s1", "s10"), ("s2", "s9")]


def test_a_wish_is_met_where_it_costs_nothing():
    seated = group_of(GroupRules(**OPEN, wishes=WISHES))
    assert [seated[one] == seated[other] for one, other in WISHES] == [True] * 3


def test_a_wish_never_outweighs_a_need():
    first_half = TWO_NEEDS["student_id"].str[1:].astype(int) < 6
    lacks = first_half == (TWO_NEEDS["skill_id"] == "a")
    apart = TWO_NEEDS.assign(mastery=lacks.map({True: 0.05, False: 0.95}))
    wish = GroupRules(wishes=[("s0", "s11")])
    found = form_groups(apart, CLASS, classroom_id="c", window="w", rules=wish)
    plain = form_groups(apart, CLASS, classroom_id="c", window="w")
    pd.testing.assert_frame_equal(found.groups, plain.groups)


def test_a_wish_gives_way_to_the_teacher_s_rule():
    seated = group_of(GroupRules(**OPEN, wishes=WISHES, apart=[("s0", "s11")]))
    assert seated["s0"] != seated["s11"]


def test_wishes_count_only_when_the_teacher_turns_them_on(demo_store, tmp_path):
    shutil.copytree(demo_store.folder, tmp_path / "store")
    store = Store(tmp_path / "store")
    one, other = store.read_roster("demo-4b")["student_id"].iloc[[0, 5]]
    name = store.read_roster("demo-4b").set_index("student_id").at[other, "display_name"]
    store.save(voice=pd.DataFrame(
        {"student_id": [one], "topic": "works_with", "answer": name, "skill_id": None}
    ))  # fmt: skip
    given = {"window": WINDOW, "data_dir": store.folder}
    assert open_classroom("demo-4b", **given).rules.wishes == ()
    wished = open_classroom("demo-4b", **given, use_wishes=True)
    assert wished.rules.wishes == [tuple(sorted([one, other]))]
    assert "of 1 wish" in wished.show_voice().html


def test_the_teacher_sees_who_spoke_and_who_is_not_heard_yet(demo_store, tmp_path):
    shutil.copytree(demo_store.folder, tmp_path / "store")
    store = Store(tmp_path / "store")
    roster = store.read_roster("demo-4b")
    store.save(voice=pd.DataFrame(
        {"student_id": [roster["student_id"].iloc[0]], "topic": "goal", "answer": "<b>fly</b> 🦅"}
    ))  # fmt: skip
    shown = open_classroom("demo-4b", window=WINDOW, data_dir=store.folder).show_voice().html
    heard, silent = shown.split("Not heard yet")
    assert "&lt;b&gt;fly&lt;/b&gt; 🦅" in heard
    names = [escape(name) for name in roster["display_name"]]
    assert names[0] in heard
    assert names[0] not in silent
    assert all(name in silent for name in names[1:])
