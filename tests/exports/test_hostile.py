"""Broken input: accepted, accepted with a note, or refused with file, row, column and mend."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from analysis.errors import DataError
from analysis.exports import read_exports

CORPUS = Path(__file__).parents[2].parent / "shared" / "data" / "hostile"


def cases() -> list:
    if not (CORPUS / "expectations.csv").exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason="the corpus is not here"))]
    with (CORPUS / "expectations.csv").open(encoding="utf-8") as file:
        return [pytest.param(row, id=row["file"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("case", cases())
def test_the_corpus_behaves_as_expected_and_no_row_is_lost(case):
    path = CORPUS / case["file"]
    named = [part for part in case["message_must_name"].split(";") if part]
    if case["expectation"] == "error":
        with pytest.raises(DataError, match=path.name) as refusal:
            read_exports([path], window="W")
        said = str(refusal.value)
    else:
        summary = read_exports([path], window="W").summary()
        said = str(summary["notes"]) + str(summary["rows_set_aside"])
        assert summary["rows_read"] == summary["rows_used"] + len(summary["rows_set_aside"])
        if case["rows_expected"]:
            assert summary["rows_used"] == int(case["rows_expected"])
    for part in named:
        assert part.casefold() in said.casefold()


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_sensitive_values_appear_nowhere():
    imported = read_exports([CORPUS / "head_sensitive.csv"], window="W")
    said = str(imported.summary()) + imported.evidence.to_csv() + imported.roster.to_csv()
    assert "123-45-6789" not in said
    assert "2014-05-06" not in said


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_names_that_look_like_missing_values_stay_names():
    roster = read_exports([CORPUS / "name_na_words.csv"], window="W").roster
    assert roster["display_name"].head(6).tolist() == ["None", "Null", "NA", "NaN", "nan", "N/A"]


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_windows_letters_come_out_right():
    roster = read_exports([CORPUS / "enc_cp1252.csv"], window="W").roster
    assert "Gus Nuñez" in set(roster["display_name"])


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_a_student_in_two_classrooms_keeps_each_classrooms_scores():
    evidence = read_exports([CORPUS / "rows_two_classrooms.csv"], window="W").evidence
    both = evidence[(evidence["student_id"] == "01003") & (evidence["skill_id"] == "3.NF.1")]
    assert dict(zip(both["classroom_id"], both["points"], strict=True)) == {"7A": 54.0, "7B": 50.0}
