"""Which window is reported on where the settings name none."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.nightly.running import newest_window
from analysis.store import Store

DAYS = {"fall": "2026-09-01", "winter": "2027-01-10"}


def store_with(folder, classrooms: dict[str, list[str]]) -> Store:
    students = {one: f"s-{one}" for one in classrooms}
    rows = [(students[one], window) for one, windows in classrooms.items() for window in windows]
    lines = [f"{who},a,{window},{DAYS[window]},1,2" for who, window in rows]
    head = "student_id,skill_id,window,observed_on,points,points_possible"
    (folder / "scores.csv").write_text("\n".join([head, *lines]) + "\n")
    roster = pd.DataFrame({"student_id": students.values(), "classroom_id": students.keys()})
    roster.to_csv(folder / "roster.csv", index=False)
    from analysis.district import import_exports

    store = Store(folder / "store")
    import_exports([folder / "roster.csv", folder / "scores.csv"], store)
    return store


@pytest.mark.parametrize(
    ("winter", "window"), [(["7A"], "fall"), (["7A", "7B"], "winter"), ([], "fall")]
)
def test_a_new_window_is_reported_on_when_half_of_the_classrooms_have_it(tmp_path, winter, window):
    classrooms = {
        one: ["fall", "winter"] if one in winter else ["fall"] for one in ("7A", "7B", "7C", "7D")
    }
    assert newest_window(store_with(tmp_path, classrooms)) == window
