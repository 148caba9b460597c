"""The framework of skills: its prerequisites, its languages, and which item asks for what."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from analysis.district import open_framework
from analysis.errors import DataError
from analysis.simulation import read_skills
from analysis.skills import SkillFramework, build_q_matrix, natural_key
from conftest import table

CHAIN = table("""
    | skill_id | name  | prerequisites |
    | s1       | Count |               |
    | s2       | Add   | s1            |
    | s3       | Times | s2            |
    | s4       | Area  | s3; s1        |
""")

TWO_LANGUAGES = table("""
    | skill_id | name  | name_es | i_can        | i_can_es     | warm_up | grade | prerequisites |
    | s1       | Count | Contar  | I can count. | Puedo contar.| Clap 7. | 1     |               |
    | s2       | Add   |         | I can add.   |              | Hop 3.  | 2     | s1            |
""")

TEXTS = ["name", "i_can", "warm_up", "look_for", "check_question", "check_answer"]


def texts_of(framework: SkillFramework, column: str) -> list[str]:
    return framework.table[column].tolist()


# What a framework refuses


@pytest.mark.parametrize("column", ["prerequisites", "parent_id"])
def test_a_prerequisite_or_parent_that_is_no_skill_is_named_with_its_skill_and_file(column):
    skills = CHAIN.assign(**{column: [None, "s1", "s9", None]})
    with pytest.raises(DataError, match=rf"my\.csv: skill s3: {column} 's9' is not a skill"):
        SkillFramework(skills, "my.csv")


def test_all_unknown_prerequisites_are_named_at_once():
    skills = CHAIN.assign(prerequisites=[None, "s8", "s1;s9", None])
    with pytest.raises(DataError, match=r"(?s)skill s2: .*'s8'.*skill s3: .*'s9'"):
        SkillFramework(skills)


def test_a_circle_of_prerequisites_is_named_in_order_without_the_skills_beside_it():
    skills = CHAIN.assign(prerequisites=["s3", "s1", "s2", "s3"])
    with pytest.raises(DataError, match=r"my\.csv: .* in a circle: s1 -> s2 -> s3 -> s1\n"):
        SkillFramework(skills, "my.csv")


def test_a_circle_is_named_from_prerequisite_to_skill_whatever_the_order_of_rows():
    skills = CHAIN.assign(prerequisites=["s3", "s1", "s2", "s3"])
    turns = r"(s1 -> s2 -> s3 -> s1|s2 -> s3 -> s1 -> s2|s3 -> s1 -> s2 -> s3)\n"
    with pytest.raises(DataError, match=f"in a circle: {turns}"):
        SkillFramework(skills[::-1])


def test_a_skill_that_is_its_own_prerequisite_is_a_circle():
    with pytest.raises(DataError, match=r"in a circle: s2 -> s2\n"):
        SkillFramework(CHAIN.assign(prerequisites=[None, "s2", None, None]))


def test_a_skill_listed_twice_is_refused():
    with pytest.raises(DataError, match=r"row 2: the key appears twice"):
        SkillFramework(CHAIN.assign(skill_id=["s1", "s1", "s3", "s4"], prerequisites=None))


# What comes before what


def test_prerequisites_are_in_the_order_of_the_table_not_of_the_cell():
    framework = SkillFramework(CHAIN)
    assert framework.prerequisites_of("s4") == ["s1", "s3"]
    assert SkillFramework(CHAIN[::-1]).prerequisites_of("s4") == ["s3", "s1"]


def test_only_direct_prerequisites_and_next_skills_are_told():
    framework = SkillFramework(CHAIN)
    assert framework.prerequisites_of("s3") == ["s2"]
    assert framework.next_skills_of("s1") == ["s2", "s4"]


def test_spaces_and_empty_places_between_prerequisites_do_not_count():
    skills = CHAIN.assign(prerequisites=[None, " s1 ;", ";s1; s2", "  "])
    framework = SkillFramework(skills)
    assert framework.prerequisites_of("s3") == ["s1", "s2"]
    assert framework.prerequisites_of("s4") == []


@pytest.mark.parametrize(
    ("given", "pairs"),
    [
        (["s1", "s2", "s3"], {("s1", "s2"), ("s2", "s3")}),
        (["s1", "s3"], {("s1", "s3")}),
        (["s2", "s4"], {("s2", "s4")}),
        (["s3", "s1", "s2"], {("s1", "s2"), ("s2", "s3")}),
        (["s1", "s2", "s3", "s4"], {("s1", "s2"), ("s2", "s3"), ("s3", "s4")}),
        (["s2"], set()),
    ],
)
def test_a_skill_left_out_hands_its_prerequisites_on(given, pairs):
    matrix = SkillFramework(CHAIN).prerequisite_matrix(given)
    assert matrix.dtype == bool
    assert matrix.shape == (len(given), len(given))
    assert {(given[j], given[k]) for j, k in np.argwhere(matrix)} == pairs


@pytest.mark.parametrize("i_can", [None, ""])
def test_a_skill_without_an_i_can_text_says_its_name(i_can):
    assert SkillFramework(CHAIN.assign(i_can=i_can)).i_can("s2") == "Add"


# Languages


def test_texts_are_taken_from_the_columns_of_the_language():
    spanish = SkillFramework(TWO_LANGUAGES).in_language("es")
    assert spanish.name_of("s1") == "Contar"
    assert spanish.i_can("s1") == "Puedo contar."


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_a_missing_or_blank_cell_leaves_the_text_as_it_is(empty):
    skills = TWO_LANGUAGES.assign(name_es=["Contar", empty])
    assert texts_of(SkillFramework(skills).in_language("es"), "name") == ["Contar", "Add"]


def test_a_column_of_a_language_without_any_text_leaves_all_as_they_are():
    skills = TWO_LANGUAGES.assign(name_es=np.nan)
    assert texts_of(SkillFramework(skills).in_language("es"), "name") == ["Count", "Add"]


def test_a_text_without_a_column_of_the_language_stays_as_it_is():
    spanish = SkillFramework(TWO_LANGUAGES).in_language("es")
    assert texts_of(spanish, "warm_up") == ["Clap 7.", "Hop 3."]


def test_any_text_column_of_a_district_may_have_a_language():
    skills = TWO_LANGUAGES.assign(strand=["Number", "Sums"], strand_es=["Números", None])
    assert texts_of(SkillFramework(skills).in_language("es"), "strand") == ["Números", "Sums"]


def test_a_language_the_framework_does_not_have_changes_no_text():
    framework = SkillFramework(TWO_LANGUAGES)
    pd.testing.assert_frame_equal(framework.in_language("fr").table, framework.table)


def test_english_is_the_framework_itself():
    framework = SkillFramework(TWO_LANGUAGES.assign(name_en="never read"))
    assert framework.in_language("en") is framework


def test_the_framework_that_is_asked_keeps_its_own_texts():
    framework = SkillFramework(TWO_LANGUAGES)
    before = framework.table.copy()
    framework.in_language("es")
    pd.testing.assert_frame_equal(framework.table, before)


def test_skills_prerequisites_and_place_are_the_same_in_every_language():
    framework = SkillFramework(TWO_LANGUAGES, "my.csv")
    spanish = framework.in_language("es")
    assert spanish.skill_ids == framework.skill_ids
    assert set(spanish.graph.edges) == {("s1", "s2")}
    assert spanish.where == "my.csv"


def test_ids_are_never_taken_for_a_text_in_a_language():
    skills = TWO_LANGUAGES.assign(skill="Skill", parent="Parent", prerequisites_id="s2")
    indonesian = SkillFramework(skills).in_language("id")
    assert texts_of(indonesian, "skill") == ["Skill", "Skill"]
    assert texts_of(indonesian, "parent") == ["Parent", "Parent"]
    assert set(indonesian.graph.edges) == {("s1", "s2")}


def test_a_store_opens_its_framework_in_a_language(demo_store):
    assert open_framework(demo_store).name_of("4.FR.1") == "Equivalent fractions"
    assert open_framework(demo_store, "es").name_of("4.FR.1") == "Fracciones equivalentes"
    assert open_framework(demo_store, language="fr").name_of("4.FR.1") == "Equivalent fractions"


# The demo's Spanish


def numbers_of(text: str) -> list[str]:
    """Numbers, fractions and signs as they are written, in any order."""
    return sorted(re.findall(r"\d+(?:[.,/]\d+)*|[□+−×÷=/]+", text))


@pytest.mark.parametrize("column", TEXTS)
def test_every_demo_skill_has_every_text_in_spanish(column):
    skills = read_skills()
    said = skills[f"{column}_es"]
    assert said.str.strip().fillna("").ne("").all()
    without_words = ~skills[column].str.contains(r"[a-z]{2}")
    assert (said.ne(skills[column]) | without_words).all()


@pytest.mark.parametrize("column", TEXTS)
def test_the_demo_says_the_same_numbers_in_spanish(column):
    skills = read_skills().set_index("skill_id")
    english, spanish = skills[column].map(numbers_of), skills[f"{column}_es"].map(numbers_of)
    assert skills.index[english.ne(spanish)].tolist() == []


def test_spanish_texts_have_the_form_and_length_of_the_english_ones():
    skills = read_skills()
    assert skills["name_es"].is_unique
    assert skills["name_es"].str.len().max() <= 60
    assert skills["i_can_es"].str.match(r"Puedo .*[^.]\.$").all()
    assert skills["look_for_es"].str.len().max() <= 110
    asked = skills["check_question_es"]
    assert asked.str.count(r"\?").eq(skills["check_question"].str.count(r"\?")).all()
    assert asked.str.count("¿").eq(asked.str.count(r"\?")).all()


# Which item asks for what


def test_an_item_of_two_skills_has_two_ones_and_a_row_given_twice_counts_once():
    items = table("""
        | item_id | skill_id | points_possible |
        | i1      | s1       | 1               |
        | i1      | s2       | 1               |
        | i2      | s2       | 2               |
        | i2      | s2       | 2               |
    """)
    q_matrix = build_q_matrix(items)
    assert q_matrix.to_numpy().tolist() == [[1, 1], [0, 1]]


def test_items_and_skills_are_in_natural_order_whatever_the_order_of_rows():
    items = table("""
        | item_id | skill_id |
        | i10     | 3.NF.10  |
        | i2      | 3.NF.2   |
        | i1      | 3.NF.10  |
    """)
    q_matrix = build_q_matrix(items)
    assert q_matrix.index.tolist() == ["i1", "i2", "i10"]
    assert q_matrix.columns.tolist() == ["3.NF.2", "3.NF.10"]
    pd.testing.assert_frame_equal(build_q_matrix(items[::-1]), q_matrix)


def test_the_skills_wanted_are_the_columns_in_their_order():
    items = table("""
        | item_id | skill_id |
        | i1      | s1       |
        | i2      | s2       |
    """)
    q_matrix = build_q_matrix(items, ["s9", "s2"])
    assert q_matrix.columns.tolist() == ["s9", "s2"]
    assert q_matrix.loc["i1"].tolist() == [0, 0]
    assert q_matrix.loc["i2"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("ids", "in_order"),
    [
        (["3.NF.10", "3.NF.2"], ["3.NF.2", "3.NF.10"]),
        (["b", "A", "C"], ["A", "b", "C"]),
        (["K.CC.1", "10.A", "2.A"], ["2.A", "10.A", "K.CC.1"]),
        (["s1a", "s1", "s01b"], ["s1", "s1a", "s01b"]),
        (["x", ""], ["", "x"]),
    ],
)
def test_numbers_inside_ids_sort_as_numbers(ids, in_order):
    assert sorted(ids, key=natural_key) == in_order
