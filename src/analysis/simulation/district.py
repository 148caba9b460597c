"""The whole demo district, seeded, and its files as a coach would export them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import UsageError
from analysis.simulation.answering import draw_answers, draw_parameters
from analysis.simulation.bank import Bank, read_bank_items, read_skills
from analysis.simulation.learning import draw_truth, tabulate_truth
from analysis.simulation.people import MOST_CLASSROOMS, add_visitor, draw_roster
from analysis.simulation.plan import effects_on, list_planted
from analysis.tables import ROSTER, check_table

WINDOWS = ("2026-BOY", "2026-MOY", "2026-EOY")
"""Beginning, middle and end of the school year that ends in 2026."""
FIRST_DAYS = ("2025-09-08", "2026-01-12", "2026-05-11")
"""A classroom is tested on one of the first five days from these on."""


@dataclass(frozen=True)
class District:
    """A simulated district and everything that was drawn to make it.

    Attributes
    ----------
    roster, skills, items : pandas.DataFrame
        Tables of :mod:`analysis.tables`.
    responses : dict of str to pandas.DataFrame
        A wide table for each window: ``student_id``, ``classroom_id``, ``window``,
        ``observed_on`` (date), then one column an item of the window's test with points
        earned, missing where not given or left blank. Students absent in the window have
        no row.
    truth : pandas.DataFrame
        ``student_id``, ``skill_id``, ``window``, ``has_skill``, for every student.
    planted : pandas.DataFrame
        ``classroom_id``, ``fact``, ``skill_id``, ``student_id``, ``detail``.
    item_parameters : pandas.DataFrame
        ``item_id``, ``slip``, ``guess`` (probabilities).
    """

    roster: pd.DataFrame
    skills: pd.DataFrame
    items: pd.DataFrame
    responses: dict[str, pd.DataFrame]
    truth: pd.DataFrame
    planted: pd.DataFrame
    item_parameters: pd.DataFrame


def simulate_district(n_classrooms: int = 20, *, random_state: int = 2026) -> District:
    """Draw a district of grades 3 to 5 mathematics: 17 to 24 students a classroom.

    Parameters
    ----------
    n_classrooms
        1 to 40,000. A larger district begins with the same classrooms as a smaller one.
    random_state
        Seed; equal seeds give equal districts.

    Returns
    -------
    District

    Raises
    ------
    UsageError
        ``n_classrooms`` is out of range.

    Examples
    --------
    >>> district = simulate_district(3)
    >>> district.roster["classroom_id"].unique().tolist()
    ['demo-3a', 'demo-4a', 'demo-5a']
    >>> list(district.responses)
    ['2026-BOY', '2026-MOY', '2026-EOY']
    """
    if not 1 <= n_classrooms <= MOST_CLASSROOMS:
        raise UsageError(
            f"A demo district of {n_classrooms} classrooms cannot be made.\n"
            f"Ask for 1 to {MOST_CLASSROOMS:,}."
        )
    streams = np.random.default_rng(random_state).spawn(5)
    for_items, for_people, for_truth, for_answers, for_days = streams
    skills, items = read_skills(), read_bank_items()
    bank = Bank(skills, items)
    students = draw_roster(n_classrooms, for_people)
    effects = effects_on(n_classrooms)
    students = _give_planted_years(students, effects)
    parameters = draw_parameters(bank, for_items)
    held = draw_truth(students, effects, bank, len(WINDOWS), for_truth)
    points = draw_answers(held, students, effects, bank, parameters, for_answers)
    roster = check_table(add_visitor(students), ROSTER, "the demo roster")
    return District(
        roster=roster,
        skills=skills,
        items=items,
        responses=_tabulate_answers(points, students, bank.item_ids, for_days),
        truth=tabulate_truth(held, students["student_id"], bank.skill_ids, WINDOWS),
        planted=list_planted(roster),
        item_parameters=parameters,
    )


def write_district(district: District, folder: str | Path) -> list[Path]:
    """Write the district as the CSV files a coach would export; equal bytes for equal seeds.

    Parameters
    ----------
    district
        As drawn by :func:`simulate_district`. Truth and planted facts are not written.
    folder
        Made where it is missing; files of the same names are replaced.

    Returns
    -------
    list of pathlib.Path
        ``roster.csv``, ``skills.csv``, ``items.csv`` and a ``responses-<window>.csv`` for
        each window. UTF-8, lines end with a line feed, missing is empty.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"roster": district.roster, "skills": district.skills, "items": district.items}
    tables |= {f"responses-{window}": wide for window, wide in district.responses.items()}
    paths = []
    for name, table in tables.items():
        paths.append(folder / f"{name}.csv")
        table.to_csv(
            paths[-1], index=False, encoding="utf-8", lineterminator="\n", float_format="%g"
        )
    return paths


def _give_planted_years(students: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    planted = effects["teacher_years"].iloc[pd.factorize(students["classroom_id"])[0]]
    years = planted.reset_index(drop=True).fillna(students["teacher_years"])
    return students.assign(teacher_years=years.astype(int))


def _tabulate_answers(
    points: np.ndarray, students: pd.DataFrame, item_ids: list[str], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    place = pd.factorize(students["classroom_id"])[0]
    days = (rng.random((place[-1] + 1, len(WINDOWS))) * 5).astype(int)[place]
    tables = {}
    for number, window in enumerate(WINDOWS):
        day = pd.Timestamp(FIRST_DAYS[number]) + pd.to_timedelta(days[:, number], unit="D")
        wide = pd.DataFrame(points[number], columns=item_ids).dropna(axis=1, how="all")
        wide.insert(0, "student_id", students["student_id"])
        wide.insert(1, "classroom_id", students["classroom_id"])
        wide.insert(2, "window", pd.Series(window, index=wide.index, dtype="str"))
        wide.insert(3, "observed_on", pd.Series(day).dt.strftime("%Y-%m-%d").astype("str"))
        present = ~np.isnan(points[number]).all(axis=1)
        tables[window] = wide[present].reset_index(drop=True)
    return tables
