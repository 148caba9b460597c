"""Other shapes of known exports: older headers, other languages, other settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import DataError
from analysis.exports import read_exports


def read(folder: Path, text: str, name: str = "export.csv", **options):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_exports([path], **({"window": "W"} | options))


def found(imported, column: str = "points") -> dict:
    evidence = imported.evidence
    return dict(
        zip(
            zip(evidence["student_id"], evidence["skill_id"], strict=True),
            evidence[column],
            strict=True,
        )
    )


def test_canvas_with_first_and_last_names_joined_sections_and_decimal_commas(tmp_path):
    imported = read(
        tmp_path,
        "LastName,FirstName,ID,SIS Login ID,Section,Quiz (77),Current Score (Fall 2020)\n"
        "    Points Possible,,,,,10,(read only)\n"
        'Archer,Mary,101,mary,P1 and P2,"7,5",75\nLee,Bo,102,bo,P1,EX,\n',
    )
    assert found(imported) == {("101", "Quiz"): 7.5}
    assert len(imported.roster) == 3


def test_google_forms_with_score_columns_and_a_retake(tmp_path):
    text = (
        "Timestamp,Username,Total score,Student ID,One [4.OA.A.1],One [4.OA.A.1] [Score]\n"
        "8/4/2025 23:25:41,a@x.org,1.00 / 2,007,no,1.00 / 2\n"
        "8/5/2025 23:25:41,a@x.org,2.00 / 2,007,yes,2.00 / 2\n"
    )
    assert found(read(tmp_path, text)) == {("007", "4.OA.A.1"): 2.0}
    assert read(tmp_path, text, window=None).evidence["window"].tolist() == ["2025-2026 BOY"]


def test_google_forms_without_points_and_key_ask_for_an_item_map(tmp_path):
    with pytest.raises(DataError, match="--item-map"):
        read(tmp_path, "Timestamp,Email Address,Score,Q1,Q2\n8/4/2025,a@x.org,1 / 2,x,y\n")


def test_iready_without_relative_placements_places_by_grade(tmp_path):
    imported = read(
        tmp_path,
        "Student ID,Student Grade,Class(es),Overall Scale Score,Overall Placement,"
        "Geometry Scale Score,Geometry Placement\n"
        "1,3,C1,400,Grade 2,410,Early 3\n2,3,C1,400,Grade 2,380,Grade 1\n",
    )
    assert found(imported, "level") == {
        ("1", "Geometry"): "Early On Grade Level",
        ("2", "Geometry"): "2 Grade Levels Below",
    }


def test_a_new_vendor_word_is_not_known_and_named(tmp_path):
    imported = read(
        tmp_path,
        "Student ID,Class(es),Overall Relative Placement,Phonics Relative Placement,"
        "Vocabulary Relative Placement\n"
        "1,C,x,Sky High,1 Grade Level Below\n",
    )
    assert found(imported, "level") == {("1", "Vocabulary"): "1 Grade Level Below"}
    assert "Sky High (row 2)" in " ".join(imported.summary()["notes"])


def test_dibels_with_status_columns(tmp_path):
    imported = read(
        tmp_path,
        "Student ID,Last Name,First Name,Grade,Class,Period,School Year,FSF Score,FSF Status,"
        "LNF Status,Composite Score\n"
        "007,A,B,K,KA,Beginning,2024-2025,12,Core,Intensive,200\n",
        window=None,
    )
    assert found(imported, "level") == {
        ("007", "FSF"): "At Benchmark", ("007", "LNF"): "Well Below Benchmark",
    }  # fmt: skip
    assert imported.evidence["window"].unique().tolist() == ["2024-2025 BOY"]


def test_a_spanish_moodle_with_decimal_commas_leaves_out_its_average_row(tmp_path):
    imported = read(
        tmp_path,
        'Apellido(s),Nombre,Número de ID,Estado,"Calificación/10,00","P. 1 /5,00"\n'
        'Archer,Mary,007,Finalizado,"7,50","2,50"\nPromedio general,,,,"7,50","2,50"\n',
        "quiz.csv",
    )
    assert found(imported) == {("007", "quiz Q1"): 2.5}


def test_powerteacher_letters_are_levels(tmp_path):
    imported = read(
        tmp_path,
        "Teacher Name:,Rosa,\nClass:,Math 3,\nAssignment Name:,Fractions,\nPoints Possible:,4.0,\n"
        "Score Type:,GRADESCALE,\nStudent Num,Student Name,Score\n1,A,B+\n2,B,C\n",
    )
    assert found(imported, "level") == {("1", "Fractions"): "B+", ("2", "Fractions"): "C"}


def test_oneroster_results_by_learning_objective(tmp_path):
    start = "sourcedId,status,dateLastModified,"
    tables = {
        "users": "givenName,familyName,identifier,preferredGivenName,grades\n"
        "u1,,,Robert,Lee,605001,Bobby,03\n",
        "classes": "title,classType\nc1,,,Math 3,scheduled\n",
        "enrollments": "classSourcedId,schoolSourcedId,userSourcedId,role\ne1,,,c1,o1,u1,student\n",
        "lineItems": "title,resultValueMax\nl1,,,Exit ticket,10\n",
        "results": "lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate\n"
        "r1,,,l1,u1,fully graded,8,2026-10-02\n",
        "resultLearningObjectiveIds": "resultSourcedId,source,learningObjectiveId,score\n"
        "x1,,,r1,case,3.NF.A.1,7\n",
    }
    tables = {name: start + text for name, text in tables.items()}
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    imported = read_exports([tmp_path], window="W")
    assert found(imported) == {("605001", "3.NF.A.1"): 7.0}
    assert imported.roster["display_name"].tolist() == ["Bobby Lee"]


def test_one_name_in_two_folders_is_two_sources(tmp_path):
    for folder, score in (("one", 40), ("two", 80)):
        (tmp_path / folder).mkdir()
        text = f"Student ID,Classroom,S1\n1,7A,{score}\n2,7A,60\n"
        (tmp_path / folder / "scores.csv").write_text(text)
    evidence = read_exports([tmp_path], window="W").evidence
    assert sorted(evidence["source"].unique()) == ["one scores", "two scores"]
    assert len(evidence) == 4


def test_the_same_observation_in_two_files_follows_the_rule(tmp_path):
    head = "student_id,classroom_id,skill_id,points,points_possible,source,observed_on\n"
    for name, line in (
        ("a", "1,7A,S1,1,5,unit,2026-10-02\n"),
        ("b", "1,7A,S1,4,5,unit,2026-10-09\n"),
    ):
        (tmp_path / f"{name}.csv").write_text(head + line)
    imported = read_exports([tmp_path], window="W")
    assert imported.evidence["points"].tolist() == [4.0]
    (aside,) = imported.summary()["rows_set_aside"]
    assert (aside["file"], aside["row"]) == ("a.csv", 2)


@pytest.mark.parametrize(
    ("cells", "kind", "scale"),
    [
        (["Not yet", "proficient"], "level", "proficiency-4"),
        (["3", "1"], "level", "rubric-4"),
        (["✓", "✗"], "level", "yes-no"),
        (["Mastered", "Familiar"], "level", "khan"),
        (["1", "0"], "points", None),
        (["85%", "40%"], "points", None),
    ],
)
def test_a_trackers_column_is_told_by_its_cells(tmp_path, cells, kind, scale):
    lines = [f"{n},7A,{cell}" for n, cell in enumerate(cells, 1)]
    evidence = read(tmp_path, "Student ID,Classroom,S1\n" + "\n".join(lines) + "\n").evidence
    assert evidence["kind"].unique().tolist() == [kind]
    if scale:
        assert evidence["scale"].unique().tolist() == [scale]


def test_aliases_rename_skills_and_say_what_is_missing(tmp_path):
    (tmp_path / "aliases.csv").write_text("alias,skill_id\nFrac,3.NF.A.1\nData,3.MD.B.3\n")
    imported = read(
        tmp_path, "Student ID,Classroom,Frac\n1,7A,85\n2,7A,40\n", aliases=tmp_path / "aliases.csv"
    )
    assert imported.evidence["skill_id"].unique().tolist() == ["3.NF.A.1"]
    assert "aliases that no file uses: Data" in " ".join(imported.summary()["notes"])
