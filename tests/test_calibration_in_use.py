"""Opening a calibration while another run is at work with it."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest

from analysis import district
from analysis.district import open_calibration
from analysis.errors import LockedError
from analysis.store.calibrations import hold_calibrations

WINDOW = "2026-EOY"


def no_wait(seconds: float) -> None:
    pytest.fail("there was nothing to wait for")


def test_the_one_in_force_is_used_while_reports_are_made_with_it(own_store, monkeypatch):
    monkeypatch.setattr(district.time, "sleep", no_wait)
    with hold_calibrations(own_store):
        assert open_calibration(own_store, WINDOW).window == WINDOW


@pytest.mark.parametrize("there_is", ["none", "one of another version"])
def test_one_that_is_being_made_is_waited_for(own_store, monkeypatch, there_is):
    [record] = [
        file for file in (own_store.folder / "calibration").glob("*.json") if "." not in file.stem
    ]
    if there_is == "none":
        record.unlink()
    else:
        record.write_text(json.dumps(json.loads(record.read_text()) | {"method": "another"}))
    with ExitStack() as other_run:
        other_run.enter_context(hold_calibrations(own_store))
        monkeypatch.setattr(district.time, "sleep", lambda seconds: other_run.close())
        assert open_calibration(own_store, WINDOW).window == WINDOW


def test_who_waits_too_long_is_told_so(own_store, monkeypatch):
    for file in (own_store.folder / "calibration").glob("*.json"):
        file.unlink()
    monkeypatch.setattr(district, "SECONDS_TO_CALIBRATE", -1)
    monkeypatch.setattr(district.time, "sleep", no_wait)
    with hold_calibrations(own_store), pytest.raises(LockedError, match="Another run is at work"):
        open_calibration(own_store, WINDOW)
