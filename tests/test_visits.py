"""The coach's log: a plain file, and a cycle's goal judged by the evidence."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.cli import app
from analysis.errors import DataError, LockedError, UsageError
from analysis.files import locked
from analysis.visits import COLUMNS, Outcome, add_visit, judge_cycle, list_cycles, read_visits

VISIT = {"date": date(2026, 9, 14), "classroom_id": "007", "next_step": "co-teach"}


def test_a_log_that_is_not_there_is_empty(tmp_path):
    log = read_visits(tmp_path / "visits.csv")
    assert log.empty
    assert list(log.columns) == COLUMNS


def test_visits_are_added_and_read_in_the_order_of_days(tmp_path):
    file = tmp_path / "visits.csv"
    add_visit(file, VISIT | {"skill_id": "3.MU.2", "target": 12, "due": date(2026, 10, 12)})
    add_visit(file, VISIT | {"date": date(2026, 9, 7), "classroom_id": "4b"})
    log = read_visits(file)
    assert log["classroom_id"].tolist() == ["4b", "007"]
    assert list_cycles(log)["target"].tolist() == [12]
    assert file.stat().st_mode & 0o077 == 0


def test_a_line_written_by_a_spreadsheet_is_read(tmp_path):
    file = tmp_path / "visits.csv"
    file.write_text("\ufeffDate,Classroom_ID,Goal,mood\n2026-09-14, 4a ,Talk more,good\n", "utf-8")
    assert read_visits(file)[["classroom_id", "goal"]].values.tolist() == [["4a", "Talk more"]]


def test_all_faults_of_a_log_are_named_with_row_and_column(tmp_path):
    file = tmp_path / "visits.csv"
    file.write_text(
        "date,classroom_id,target,due\n14.9.2026,4a,,\n2026-09-14,,-3,\n2026-09-15,4a,1.5,soon\n"
    )
    with pytest.raises(DataError, match=r"row 2, column date: '14.9.2026' is no day") as error:
        read_visits(file)
    for said in ("row 3: there is no classroom_id", "row 3, column target", "row 4, column due"):
        assert said in str(error.value)


def test_a_visit_without_a_day_or_with_an_unknown_column_is_refused(tmp_path):
    with pytest.raises(UsageError, match="unknown: mood, missing: date"):
        add_visit(tmp_path / "visits.csv", {"classroom_id": "4a", "mood": "good"})
    with pytest.raises(DataError, match="column target: 'many' is no number"):
        add_visit(tmp_path / "visits.csv", VISIT | {"target": "many"})
    assert not (tmp_path / "visits.csv").exists()


def test_a_note_is_never_a_formula(tmp_path):
    file = tmp_path / "visits.csv"
    add_visit(file, VISIT | {"goal": '=HYPERLINK("https://example.org")'})
    assert "\"'=HYPERLINK" in file.read_text()
    assert read_visits(file)["goal"].tolist() == ['=HYPERLINK("https://example.org")']


def test_a_visit_is_logged_from_the_command_line(tmp_path):
    log = str(tmp_path / "visits.csv")
    words = ["visit", "demo-4b", "--on", "2026-09-14", "--skill", "3.PV.1", "--target", "15"]
    done = CliRunner().invoke(app, [*words, "--due", "2026-10-12", "--next", "-x", "--log", log])
    assert done.exit_code == 0, done.output
    (cycle,) = list_cycles(read_visits(log)).itertuples()
    assert (cycle.classroom_id, cycle.skill_id, cycle.target) == ("demo-4b", "3.PV.1", 15)
    assert (cycle.date, cycle.due) == (pd.Timestamp("2026-09-14"), pd.Timestamp("2026-10-12"))


def test_two_writers_do_not_write_at_once(tmp_path):
    with locked(tmp_path, "writing"), pytest.raises(LockedError, match="Another run"):
        add_visit(tmp_path / "visits.csv", VISIT)


@pytest.mark.parametrize(
    ("target", "after", "outcome"),
    [
        (10, [0.99] * 12, Outcome.MET),
        (10, [0.99] * 5 + [0.01] * 10, Outcome.NOT_MET),
        (10, [0.99] * 9 + [0.5] * 2, Outcome.OPEN),
        (10, [0.99] * 5, Outcome.NOT_MET),
        (0, [0.01], Outcome.MET),
    ],
)
def test_a_goal_is_met_or_not_only_where_the_evidence_says_so(target, after, outcome):
    judged = judge_cycle(target, None, pd.Series(after), ended=True)
    assert judged["outcome"] == outcome
    assert judged["low"] - 1 <= sum(after) <= judged["high"] + 1


def test_a_cycle_without_a_window_after_it_is_still_running():
    judged = judge_cycle(10, pd.Series([0.5] * 20), None, ended=False)
    assert judged["outcome"] == Outcome.RUNNING
    assert judged["before"] == 10


def test_a_skill_nobody_was_asked_about_cannot_be_judged():
    assert judge_cycle(10, None, None, ended=True)["outcome"] == Outcome.OPEN
