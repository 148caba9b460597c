"""Six nights, each fault once: nothing is lost, nothing half is shown, each digest is true."""

from __future__ import annotations

import sys

import pytest

from conftest import PROJECT

PLAN = [[], ["late", "half"], ["corrupt", "full"], ["killed"], ["overlap", "again"],
        ["missing", "clock", "corrected"]]  # fmt: skip


@pytest.mark.slow
def test_nights_in_which_things_go_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(PROJECT / "benchmarks"), *sys.path])
    from _nights import own_disk
    from nights import MEGABYTES, live_through

    folder = tmp_path / "district"
    with own_disk(folder, MEGABYTES) as has_disk:
        outcomes, lost = live_through(folder, PLAN, 1, has_disk=has_disk)
    assert [(one.night, one.planted, one.wrong) for one in outcomes if one.wrong] == []
    assert lost == []
