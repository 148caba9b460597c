"""Our own forms: tidy, wide with a Q-matrix, roster, skills, items; nothing gets lost."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError, UsageError
from analysis.exports import Known, read_exports
from analysis.tables import EVIDENCE, check_table

SHARED = Path(__file__).parents[1].parent / "shared"
TIMSS = SHARED / "data" / "assessments" / "timss2011_g4_austria_174x9"

TIDY = """\
student_id,classroom_id,item_id,skill_id,points,points_possible,observed_on
007,7A,i1,3.NF.1,2,2,2026-10-02
007,7A,i2,3.NF.2,0,1,2026-10-02
008,7B,i1,3.NF.1,1,2,2026-10-02
"""
WIDE = """\
student_id,class_id,booklet,female,i1,i2
007,7A,1,1,1,0
008,7B,2,0,,1
"""
Q_MATRIX = "item,add,divide\ni1,1,0\ni2,1,1\n"
ROSTER = "student_id,classroom_id,teacher\n007,7A,Ms. Lee\n008,7B,Mr. Diaz\n"


def write(folder: Path, **files: str) -> list[Path]:
    paths = []
    for name, text in files.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def balance(imported) -> bool:
    said = imported.summary()
    return said["rows_read"] == said["rows_used"] + len(said["rows_set_aside"])


def test_a_tidy_table_keeps_ids_as_text_and_points_as_they_are(tmp_path):
    imported = read_exports(write(tmp_path, unit=TIDY), window="2026-BOY")
    assert imported.evidence["student_id"].tolist() == ["007", "007", "008"]
    assert imported.evidence["points"].tolist() == [2.0, 0.0, 1.0]
    assert imported.evidence["points_possible"].tolist() == [2.0, 1.0, 2.0]
    assert imported.evidence["window"].unique().tolist() == ["2026-BOY"]
    assert imported.evidence["source"].unique().tolist() == ["unit"]
    assert imported.evidence["observed_on"].unique() == pd.Timestamp("2026-10-02")


def test_a_wide_table_gives_one_observation_per_answer_and_skill(tmp_path):
    imported = read_exports(write(tmp_path, answers=WIDE, q=Q_MATRIX), window="W")
    found = imported.evidence[["student_id", "observation_id", "skill_id", "points"]]
    assert sorted(found.itertuples(index=False, name=None)) == [
        ("007", "i1", "add", 1.0),
        ("007", "i2", "add", 0.0),
        ("007", "i2", "divide", 0.0),
        ("008", "i2", "add", 1.0),
        ("008", "i2", "divide", 1.0),
    ]
    assert balance(imported)


def test_a_skill_of_a_q_matrix_may_be_called_id(tmp_path):
    q_matrix = Q_MATRIX.replace("divide", "id")
    imported = read_exports(write(tmp_path, answers=WIDE, q=q_matrix), window="W")
    assert set(imported.evidence["skill_id"]) == {"add", "id"}


def test_columns_that_are_no_items_are_named_and_not_stored(tmp_path):
    imported = read_exports(write(tmp_path, answers=WIDE, q=Q_MATRIX), window="W")
    notes = " ".join(imported.summary()["notes"])
    assert "female" in notes
    assert "booklet" in notes
    assert "female" not in imported.roster.columns


def test_the_order_of_files_does_not_matter(tmp_path):
    paths = write(tmp_path, a=WIDE, roster=ROSTER, z=Q_MATRIX)
    there = read_exports(paths, window="W").evidence
    back = read_exports(paths[::-1], window="W").evidence
    pd.testing.assert_frame_equal(there, back)


def test_a_folder_is_searched_and_a_store_in_it_is_not(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.json").write_text("{}")
    (tmp_path / "store" / "stale.csv").write_text(TIDY)
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", unit=TIDY)
    assert [f.file for f in read_exports([tmp_path], window="W").files] == ["unit.csv"]


def test_a_student_on_no_roster_and_without_classroom_is_set_aside_and_named(tmp_path):
    tidy = "student_id,skill_id,points,points_possible\n007,add,1,1\n999,add,1,1\n"
    imported = read_exports(write(tmp_path, unit=tidy, roster=ROSTER), window="W")
    assert imported.evidence["student_id"].tolist() == ["007"]
    (aside,) = imported.summary()["rows_set_aside"]
    assert (aside["file"], aside["row"]) == ("unit.csv", 3)
    assert "roster" in aside["reason"]
    assert balance(imported)


def test_a_known_roster_places_students_whose_file_names_no_classroom(tmp_path):
    roster = pd.DataFrame({"student_id": ["007"], "classroom_id": ["7A"]})
    tidy = "student_id,skill_id,points,points_possible\n007,add,1,1\n"
    known = Known(roster=roster)
    imported = read_exports(write(tmp_path, unit=tidy), window="W", known=known)
    assert imported.roster["classroom_id"].tolist() == ["7A"]


def test_the_count_of_students_is_that_of_the_files_not_of_the_store(tmp_path):
    roster = pd.DataFrame({"student_id": ["007", "900"], "classroom_id": ["7A", "7A"]})
    known = Known(roster=roster)
    imported = read_exports(write(tmp_path, unit=TIDY), window="W", known=known)
    assert imported.summary()["students"] == 2
    assert set(imported.roster["student_id"]) == {"007", "008", "900"}


def test_a_q_matrix_of_the_store_tells_the_items_of_a_later_file(tmp_path):
    items = pd.DataFrame({"item_id": ["i1"], "skill_id": ["add"], "points_possible": [1.0]})
    imported = read_exports(write(tmp_path, answers=WIDE), window="W", known=Known(items=items))
    assert imported.evidence["skill_id"].tolist() == ["add"]


def test_leading_zeros_that_a_spreadsheet_took_come_back_from_the_roster(tmp_path):
    lost = TIDY.replace("007,", "7,").replace("008,", "8,")
    imported = read_exports(write(tmp_path, unit=lost, roster=ROSTER), window="W")
    assert set(imported.evidence["student_id"]) == {"007", "008"}
    assert "leading zero" in " ".join(imported.summary()["notes"])


@pytest.mark.slow
def test_a_large_file_reads_as_a_small_one(tmp_path):
    body = "".join(
        f"{n:07d},room {n % 40},i{k},3.NF.{k},{(n + k) % 3},2\n"
        for n in range(9000)
        for k in (1, 2)
    )
    text = "student_id,classroom_id,item_id,skill_id,points,points_possible\n" + body
    assert len(text) < 2**20
    small = read_exports(write(tmp_path, unit=text), window="W")
    padded = text.replace("points_possible\n", "points_possible" + " " * 2**19 + "\n", 1)
    padded = padded + "".join(f"x{n},room x,i1,3.NF.1,1,2\n" for n in range(20000))
    large = read_exports(write(tmp_path, unit=padded), window="W")
    same = large.evidence[~large.evidence["student_id"].str.startswith("x")]
    pd.testing.assert_frame_equal(small.evidence, same.reset_index(drop=True))
    check_table(large.evidence, EVIDENCE, "evidence")


def test_the_text_columns_of_a_framework_are_kept(tmp_path):
    skills = "skill_id,name,prerequisites,warm_up\nadd,Add,,Count on\ndivide,Divide,add,Share\n"
    (path,) = write(tmp_path, skills=skills)
    assert read_exports([path]).skills["warm_up"].tolist() == ["Count on", "Share"]


def test_points_above_the_possible_are_refused_with_row_and_column(tmp_path):
    paths = write(tmp_path, unit=TIDY.replace("007,7A,i2,3.NF.2,0,1", "007,7A,i2,3.NF.2,5,1"))
    with pytest.raises(
        DataError, match=r"row 3, column 'points': points 5 are over the 1 possible"
    ):
        read_exports(paths, window="W")


def test_one_bad_file_does_not_lose_the_good_ones(tmp_path):
    paths = write(tmp_path, good=TIDY, bad=TIDY.replace("2,2,", "9,2,"))
    imported = read_exports(paths, window="W")
    assert [refused["file"] for refused in imported.summary()["refused"]] == ["bad.csv"]
    assert len(imported.evidence) == 3


@pytest.mark.parametrize(
    ("rule", "points"), [("latest", [1.0]), ("best", [2.0]), ("all", [2.0, 1.0])]
)
def test_attempts_follow_the_rule_and_the_summary_names_it(tmp_path, rule, points):
    retake = "007,7A,i1,3.NF.1,1,2,2026-10-09\n"
    rows = TIDY.splitlines()[:2]
    (path,) = write(tmp_path, unit="\n".join(rows) + "\n" + retake)
    imported = read_exports([path], window="W", attempts=rule)
    assert imported.evidence["points"].tolist() == points
    assert f"rule “{rule}”" in " ".join(imported.summary()["notes"])
    assert balance(imported)


def test_an_unknown_rule_for_attempts_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no rule; there are latest, best, all"):
        read_exports(write(tmp_path, unit=TIDY), window="W", attempts="first")


def test_without_window_and_dates_the_window_is_asked_for(tmp_path):
    paths = write(tmp_path, answers=WIDE, q=Q_MATRIX)
    with pytest.raises(UsageError, match="--window"):
        read_exports(paths)


@pytest.mark.slow
@pytest.mark.skipif(not TIMSS.exists(), reason="the shared data sets are not here")
def test_real_classes_import_with_nothing_lost():
    paths = [TIMSS / "responses.csv", TIMSS / "q_matrix.csv"]
    imported = read_exports(paths, window="W")
    wide = pd.read_csv(TIMSS / "responses.csv", dtype=str)
    answered = int(wide.iloc[:, 5:].notna().sum().sum())
    assert imported.roster["student_id"].nunique() == 4668
    assert imported.roster["classroom_id"].nunique() == 276
    assert len(imported.evidence) == answered
    assert imported.summary()["rows_set_aside"] == []
