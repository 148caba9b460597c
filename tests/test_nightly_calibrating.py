"""A calibration that does not know a new test is renewed, however small the test's share."""

from __future__ import annotations

import pandas as pd

from analysis.rendering.calibrating import calibrate_where_due
from analysis.rendering.plan import Order
from analysis.settings import Settings
from analysis.store.calibrations import (
    calibration_in_force,
    calibration_knows,
    hold_calibrations,
)
from conftest import WINDOW


def renewed(store) -> bool:
    with hold_calibrations(store):
        return calibrate_where_due(store, Settings(most_changed=1), Order(WINDOW))[WINDOW][
            "renewed"
        ]


def add_answer(store, observation_id: str) -> None:
    row = store.read_evidence(WINDOW).head(1)
    store.save(evidence=row.assign(observation_id=observation_id))
    store.forget_content()


def test_a_new_test_makes_a_new_calibration(own_store):
    renewed(own_store)
    add_answer(own_store, "a new check")
    assert not calibration_knows(own_store, WINDOW, calibration_in_force(own_store, WINDOW))
    assert renewed(own_store)
    assert calibration_knows(own_store, WINDOW, calibration_in_force(own_store, WINDOW))


def test_another_answer_to_a_known_test_does_not(own_store):
    renewed(own_store)
    row = own_store.read_evidence(WINDOW).head(1)
    other = row["points_possible"] - row["points"]
    own_store.save(evidence=row.assign(points=pd.Series(other)))
    own_store.forget_content()
    assert not renewed(own_store)
