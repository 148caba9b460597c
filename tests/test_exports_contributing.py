"""The worked example of the guide to a platform runs, word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.errors import DataError, UsageError
from analysis.exports import read_exports
from analysis.exports.column_map import propose_map
from conftest import PROJECT

GUIDE = (PROJECT / "docs" / "developers" / "add-a-platform.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return next(text for text in found if containing in text)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_declared_platform_reads_its_sample(tmp_path):
    export = write(tmp_path, "acme.csv", block("csv", "Acme Reads"))
    declared = write(tmp_path, "acme.toml", block("toml", "[platform]"))
    imported = read_exports([export], column_map=declared)
    assert imported.summary()["platform"] == "Acme Reads"
    evidence = imported.evidence[["student_id", "skill_id", "level", "window"]]
    assert sorted(evidence.itertuples(index=False, name=None)) == [
        ("01001", "Decoding", "Below Benchmark", "2026-2027 BOY"),
        ("01001", "Fluency", "At Benchmark", "2026-2027 BOY"),
        ("01002", "Decoding", "Above Benchmark", "2026-2027 BOY"),
    ]
    assert imported.roster["classroom_id"].tolist() == ["2B", "2B"]


def test_the_column_map_renames_and_ignores(tmp_path):
    export = write(
        tmp_path, "tracker.csv", "Kid No.,Homerm,Frac 1,Remarks\n007,7A,85,moved\n008,7A,40,\n"
    )
    saved = write(tmp_path, "my-tracker.toml", block("toml", "[columns]"))
    imported = read_exports([export], window="W", column_map=saved)
    assert imported.evidence["skill_id"].unique().tolist() == ["3.NF.A.1"]
    assert imported.evidence["points"].tolist() == [85.0, 40.0]
    assert "Remarks" in " ".join(imported.summary()["notes"])


def test_an_unknown_header_proposes_a_map_and_uses_nothing(tmp_path):
    export = write(tmp_path, "tracker.csv", "Studnt ID,Clasroom,3.NF.1\n007,7A,85\n008,7A,40\n")
    with pytest.raises(DataError, match="“Studnt ID” may be student_id"):
        read_exports([export], window="W")


def test_a_map_is_proposed_for_the_one_file_of_a_folder(tmp_path):
    write(tmp_path, "tracker.csv", "Studnt ID,Clasroom,3.NF.1\n007,7A,85\n")
    assert '"Studnt ID" = "student_id"' in propose_map([tmp_path])


def test_no_map_is_proposed_for_several_files_at_once(tmp_path):
    for name in ("fall.csv", "winter.csv"):
        write(tmp_path, name, "Studnt ID,Clasroom,3.NF.1\n007,7A,85\n")
    with pytest.raises(UsageError, match="one file; there are 2"):
        propose_map([tmp_path])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[columns]\n"A" = "pupil"\n', "is no role"),
        ("[columns\n", "is no TOML file"),
        ("", "neither"),
        ('[platform]\nname = "x"\nneeds = ["("]\nwide = []\n', "is no pattern"),
    ],
)
def test_a_wrong_map_is_refused_by_name(tmp_path, text, said):
    export = write(tmp_path, "tracker.csv", "A,B\n1,2\n")
    saved = write(tmp_path, "map.toml", text)
    with pytest.raises(DataError, match=f"map.toml.*{said}"):
        read_exports([export], window="W", column_map=saved)
