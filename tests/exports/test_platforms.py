"""Exports as platforms write them, against values read by eye in the sample files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.exports import read_exports
from analysis.tables import EVIDENCE, ITEMS, ROSTER, SKILLS, check_table

FORMATS = Path(__file__).parents[2].parent / "shared" / "data" / "formats"
pytestmark = pytest.mark.skipif(not FORMATS.exists(), reason="the sample exports are not here")


def read(*names: str, window: str | None = "W", **options):
    imported = read_exports([FORMATS / name for name in names], window=window, **options)
    summary = imported.summary()
    assert summary["rows_read"] == summary["rows_used"] + len(summary["rows_set_aside"])
    check_table(imported.roster, ROSTER, "roster")
    check_table(imported.skills, SKILLS, "skills")
    check_table(imported.items, ITEMS, "items")
    check_table(imported.evidence, EVIDENCE, "evidence")
    return imported


def values(imported, column: str, by: str = "skill_id") -> dict:
    evidence = imported.evidence
    return dict(
        zip(zip(evidence["student_id"], evidence[by], strict=True), evidence[column], strict=True)
    )


def notes(imported) -> str:
    return " ".join(imported.summary()["notes"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "platform", "students", "skills", "used"),
    [
        ("canvas/gradebook_export.csv", "Canvas gradebook", 4, 2, 4),
        ("canvas/learning_mastery_export.csv", "Canvas Learning Mastery", 3, 2, 3),
        ("canvas/outcome_results_report.csv", "Canvas Outcome Results", 3, 1, 3),
        ("canvas/quiz_student_analysis.csv", "Canvas quiz analysis", 1, 2, 1),
        ("google_forms/quiz_responses.csv", "Google Forms", 2, 2, 2),
        ("microsoft_forms/quiz_responses.csv", "Microsoft Forms", 2, 2, 2),
        ("masteryconnect_sc/scores.csv", "MasteryConnect", 2, 2, 3),
        ("illuminate/student_responses.csv", "Illuminate", 2, 3, 2),
        ("powerteacher/scores_template.csv", "PowerTeacher", 3, 1, 3),
        ("zipgrade/full_format.csv", "ZipGrade", 2, 3, 2),
        ("moodle/quiz_grades_report.csv", "Moodle quiz", 2, 3, 2),
        ("moodle/gradebook_export.csv", "Moodle gradebook", 2, 2, 2),
        ("assistments/skill_builder_2009.csv", "ASSISTments skill builder", 1, 1, 1),
        ("iready_diagnostic/sample_anonymized_file_math.csv", "i-Ready Diagnostic", 2, 4, 5),
        (
            "renaissance_star/SR_Dashboard_Standards_v2_sample_anonymized_file.csv",
            "Renaissance Star standards", 5, 5, 5,
        ),
        ("renaissance_star/SR_sample_anonymized_file.csv", "Renaissance Star", 5, 1, 5),
        ("dibels8_mclass/sample_anonymized_file.csv", "mCLASS DIBELS 8", 5, 5, 5),
        ("nwea_map_growth/sample_anonymized_file.csv", "NWEA MAP Growth", 6, 7, 6),
        ("sc_ready/sample_anonymized_file.csv", "SC READY", 5, 15, 5),
        ("excel_gradebook/ExcelGradeBook.xlsx", "spreadsheet tracker", 25, 44, 25),
    ],
)  # fmt: skip
def test_a_sample_is_recognised_and_its_students_and_skills_counted(
    name, platform, students, skills, used
):
    summary = read(name).summary()
    assert (summary["platform"], summary["students"], summary["skills"]) == (
        platform,
        students,
        skills,
    )
    assert summary["rows_used"] == used


def test_canvas_gradebook_takes_the_points_row_as_maximum_and_ex_as_missing():
    imported = read("canvas/gradebook_export.csv")
    quiz, ticket = "Quiz: Unit 5 fractions", "3.NF.A.1"
    assert values(imported, "points") == {
        ("605001", ticket): 3.0, ("605004", ticket): 1.0,
        ("605001", quiz): 8.0, ("605002", quiz): 9.5, ("605004", quiz): 4.0,
    }  # fmt: skip
    assert values(imported, "points_possible")["605001", quiz] == 10.0
    assert [aside["row"] for aside in imported.summary()["rows_set_aside"]] == [2, 3, 8]


def test_canvas_sections_joined_in_one_cell_are_two_classrooms():
    roster = read("canvas/gradebook_export.csv").roster
    sam = roster[roster["student_id"] == "605003"]
    assert sam["classroom_id"].tolist() == ["Math 3 - Period 1", "Math 3 - Period 2"]


def test_canvas_mastery_points_are_the_cut():
    imported = read("canvas/learning_mastery_export.csv")
    assert values(imported, "score") == {
        ("605001", "3.NF.A.1"): 3.5, ("605002", "3.NF.A.1"): 4.0, ("605003", "3.NF.A.1"): 1.0,
        ("605001", "3.NF.A.2"): 2.0, ("605003", "3.NF.A.2"): 1.5,
    }  # fmt: skip
    assert set(imported.evidence["cut"]) == {3.0}
    assert imported.skills.set_index("skill_id").at["3.NF.A.1", "name"] == "Unit fractions"


def test_canvas_outcomes_carry_the_i_can_text_and_the_section():
    imported = read("canvas/outcome_results_report.csv")
    assert values(imported, "score")["605003", "3.NF.A.1"] == 1.0
    assert imported.skills["i_can"].tolist() == ["I can name a fraction"]
    assert imported.evidence["classroom_id"].unique().tolist() == ["Math 3 - Period 1"]
    assert imported.evidence["observed_on"].unique() == pd.Timestamp("2026-10-02")


def test_an_empty_outcomes_report_says_so():
    with pytest.raises(DataError, match="no outcomes found"):
        read("canvas/outcome_results_empty.csv")


def test_canvas_quiz_columns_headed_by_bare_numbers_belong_to_the_question_before():
    points = values(read("canvas/quiz_student_analysis.csv"), "points", by="observation_id")
    assert points == {
        ("605001", "9001: What fraction is shaded?"): 1.0,
        ("605001", "9002: Place 3/4 on the line"): 0.0,
    }


def test_google_forms_without_points_are_keyed_by_the_full_scores():
    imported = read("google_forms/quiz_responses.csv")
    jose = "jose.nunez@school.org"
    assert values(imported, "points")[jose, "3.NF.A.1"] == 1.0
    assert values(imported, "points")[jose, "3.NF.A.2"] == 0.0
    assert "Email Address" in notes(imported)


def test_microsoft_forms_in_windows_letters_give_points_and_names():
    imported = read("microsoft_forms/quiz_responses.csv")
    assert imported.roster["display_name"].tolist() == ["Mary Archer", "José Núñez"]
    assert values(imported, "points")["jose.nunez@school.org", "Place 3/4 on the line"] == 0.0


def test_masteryconnect_keeps_points_and_its_own_cut():
    imported = read("masteryconnect_sc/scores.csv")
    assert values(imported, "points") == {
        ("605001", "3.NR.1.1"): 3.0, ("605002", "3.NR.1.1"): 5.0, ("605001", "3.PAFR.1.1"): 2.0,
    }  # fmt: skip
    assert set(imported.evidence["points_possible"]) == {5.0}
    assert set(imported.evidence["cut"]) == {4.0}


def test_illuminate_answers_are_marked_by_the_item_map():
    imported = read(
        "illuminate/student_responses.csv", item_map=FORMATS / "illuminate/item_map.csv"
    )
    assert values(imported, "points") == {
        ("605001", "3.NF.A.1"): 1.0, ("605001", "3.NF.A.2"): 1.0, ("605001", "3.NF.A.3"): 0.0,
        ("605002", "3.NF.A.1"): 1.0, ("605002", "3.NF.A.2"): 1.0, ("605002", "3.NF.A.3"): 1.0,
    }  # fmt: skip


def test_powerteacher_reads_class_points_and_skill_above_the_header():
    imported = read("powerteacher/scores_template.csv")
    assert values(imported, "points") == {("605001", "3.NF.A.1"): 3.0, ("605002", "3.NF.A.1"): 4.0}
    assert set(imported.evidence["points_possible"]) == {4.0}
    assert set(imported.roster["classroom_id"]) == {"Math 3"}
    assert set(imported.roster["teacher"]) == {"Rosa Lima"}


def test_zipgrade_points_follow_the_item_map_to_their_standards():
    imported = read("zipgrade/full_format.csv", item_map=FORMATS / "illuminate/item_map.csv")
    assert values(imported, "points")["605001", "3.NF.A.3"] == 0.0
    assert values(imported, "points")["605002", "3.NF.A.3"] == 1.0
    assert set(imported.roster["classroom_id"]) == {"Period 1"}


def test_moodle_quiz_has_each_questions_maximum_in_its_header():
    imported = read("moodle/quiz_grades_report.csv")
    points = values(imported, "points", by="observation_id")
    assert points["mary.archer@school.org", "Q3"] == 5.0
    assert ("jose.nunez@school.org", "Q3") not in points
    assert sorted(set(imported.evidence["points_possible"])) == [2.5, 5.0]


def test_moodle_gradebook_without_maximum_is_a_bare_score():
    imported = read("moodle/gradebook_export.csv")
    assert values(imported, "score")["605001", "3.NF.A.1"] == 7.5
    assert imported.evidence["cut"].isna().all()
    assert ("605002", "3.NF.A.1") not in values(imported, "score")
    assert "no maximum" in notes(imported)


def test_assistments_rows_are_right_or_wrong_on_a_named_skill():
    imported = read("assistments/skill_builder_2009.csv")
    assert values(imported, "points") == {("70363", "Box and Whisker"): 1.0}
    assert imported.roster["classroom_id"].tolist() == ["13241"]


def test_iready_windows_come_from_the_file_and_domains_are_the_skills():
    evidence = read("iready_diagnostic/sample_anonymized_file_math.csv", window=None).evidence
    found = evidence.set_index(["student_id", "skill_id", "window"])["level"]
    assert (
        found["605001", "Algebra and Algebraic Thinking", "2025-2026 MOY"]
        == "3 or More Grade Levels Below"
    )
    assert found["605001", "Measurement and Data", "2025-2026 EOY"] == "Early On Grade Level"
    assert found["605002", "Geometry", "2025-2026 BOY"] == "Mid or Above Grade Level"
    assert len(found) == 20


def test_star_standards_keep_their_level_and_description():
    imported = read("renaissance_star/SR_Dashboard_Standards_v2_sample_anonymized_file.csv")
    assert values(imported, "level")["605000", "SCCCR.ELA.5.RL.MC.8.1.b"] == "Developing"
    names = imported.skills.set_index("skill_id")["name"]
    assert names["SCCCR.ELA.5.RL.MC.8.1.b"].startswith("Cite evidence within text")


def test_star_overall_keeps_benchmark_class_and_window_but_no_birth_date():
    imported = read("renaissance_star/SR_sample_anonymized_file.csv", window=None)
    assert values(imported, "level")["605000", "Star Reading"] == "Urgent Intervention"
    assert values(imported, "level")["605003", "Star Reading"] == "At/Above Benchmark"
    assert imported.evidence["window"].unique().tolist() == ["2023-2024 BOY"]
    assert set(imported.roster["classroom_id"]) == {"Class One"}
    assert "BirthDate" in notes(imported)
    assert "2014-01-01" not in str(imported.summary()) + imported.roster.to_csv()


def test_dibels_measures_are_levels_and_blank_ones_missing():
    imported = read("dibels8_mclass/sample_anonymized_file.csv", window=None)
    levels = values(imported, "level")
    assert levels["605000", "Letter Names (LNF)"] == "Well Below Benchmark"
    assert levels["605004", "Phonemic Awareness (PSF)"] == "Above Benchmark"
    assert not any("Reading Fluency" in skill for _, skill in levels)
    assert imported.evidence["window"].unique().tolist() == ["2023-2024 BOY"]


def test_map_goals_keep_score_and_standard_error_and_tell_a_cut():
    imported = read("nwea_map_growth/sample_anonymized_file.csv", window=None)
    evidence = imported.evidence.set_index(["student_id", "skill_id"])
    goal = evidence.loc[("605000", "Matter, Force, Motion and Energy")]
    assert (goal["score"], goal["score_se"]) == (201.0, 6.1)
    assert 201 < goal["cut"] <= 209
    assert set(imported.evidence["kind"]) == {"score"}
    assert imported.evidence["window"].unique().tolist() == ["2021-2022 BOY"]


@pytest.mark.slow
def test_sc_ready_strands_are_levels_of_the_spring():
    imported = read("sc_ready/sample_anonymized_file.csv", window=None)
    levels = values(imported, "level")
    assert levels["605000", "Math strand 2"] == "2"
    assert levels["605000", "Math strand 3"] == "3"
    assert levels["605000", "ELA strand 11"] == "3"
    assert imported.evidence["window"].unique().tolist() == ["2023-2024 EOY"]


def test_a_spreadsheet_gradebook_takes_points_from_the_row_above_its_header():
    imported = read("excel_gradebook/ExcelGradeBook.xlsx")
    evidence = imported.evidence.set_index(["student_id", "skill_id"])
    assert tuple(evidence.loc[("Student 1", "Classwork 1"), ["points", "points_possible"]]) == (
        13.0,
        15.0,
    )
    assert tuple(evidence.loc[("Student 3", "Homework 1"), ["points", "points_possible"]]) == (
        9.0,
        10.0,
    )
    assert ("Student 3", "Homework 2") not in evidence.index
    assert "Absences" in notes(imported)


def test_a_oneroster_bundle_gives_classes_teachers_and_preferred_names():
    imported = read("oneroster_1p1")
    assert imported.roster["student_id"].nunique() == 8
    assert set(imported.roster["classroom_id"]) == {"ENG-1", "ALG-1"}
    mary = imported.roster[imported.roster["student_id"] == "604863"]
    assert mary["display_name"].unique().tolist() == ["Mary Archer"]
    assert "birthDate" in notes(imported)
    assert "1997-05-30" not in str(imported.summary())


def test_a_case_package_gives_parents_and_prerequisites():
    package = next((FORMATS / "case_1p0").glob("opensalt*.json"))
    skills = read(str(package)).skills.set_index("skill_id")
    assert len(skills) == 16
    assert skills.at["CCSS.Math.Content.6.RP.A.1", "parent_id"] == "CCSS.Math.Content.6.RP.A"
    assert skills.at["CCSS.Math.Content.7.RP.A.1", "name"].startswith("Compute unit rates")
    assert skills["prerequisites"].notna().sum() > 0


def test_an_opensalt_sheet_finds_parents_by_their_code():
    skills = read("case_1p0/sample_case.csv").skills.set_index("skill_id")
    assert skills.at["M.F", "parent_id"] == "M"
    assert skills.at["M.F.1-2.S1a", "parent_id"] == "M.F.1-2.S1"


def test_the_coherence_map_becomes_a_framework_without_circles():
    from analysis.skills import SkillFramework

    skills = read("coherence_map").skills
    framework = SkillFramework(skills)
    assert len(framework.skill_ids) == 480
    assert "1.G.A.1" in framework.prerequisites_of("2.G.A.1")
    stated = sum(len(framework.prerequisites_of(skill)) for skill in framework.skill_ids)
    assert stated >= 757


def test_moodle_competencies_are_skills_and_the_framework_row_is_not():
    imported = read("moodle/competency_framework.csv")
    assert imported.skills["skill_id"].tolist() == ["RQ"]
    assert imported.skills["name"].tolist() == ["Reason Quantitatively"]


def test_files_of_several_platforms_import_together():
    imported = read("canvas", "illuminate", "zipgrade", "powerteacher")
    assert {"605001", "605002", "605003", "605004"} <= set(imported.roster["student_id"])
    assert [refused["file"] for refused in imported.refused] == ["differentiation_tags_import.csv",
        "group_category_import.csv", "outcome_results_empty.csv"]  # fmt: skip
