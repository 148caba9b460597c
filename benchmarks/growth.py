"""Is a change that is said true? Growth on simulated districts whose truth is known.

Run: ``python benchmarks/growth.py [--seeds N]``. Each seed is a district of 20 classrooms in
three windows, read through the exports as a coach's would be. The seeds from 100 on were not
looked at when the weights of ``analysis.growth.changes`` were chosen.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from _real import DATA

from analysis.exports import read_exports
from analysis.growth import (
    compare_with_alike,
    find_not_growing,
    growth_by_skill,
    growth_by_student,
    mean_growth,
    measure_changes,
    said_changes,
    summarise_classrooms,
)
from analysis.mastery import MasteryModel, calibrate, measure_mastery
from analysis.mastery.observations import read_scales, share_of
from analysis.simulation import WINDOWS, simulate_district, write_district
from analysis.skills import SkillFramework

RESULTS = Path(__file__).parent / "results" / "growth.md"
FIRST_SEED = 100
PAIRS = list(itertools.combinations(WINDOWS, 2))
KEY = ["student_id", "skill_id"]


@dataclass(frozen=True)
class Seen:
    """A district as the method sees it, and its truth."""

    mastery: dict[str, pd.DataFrame]
    shares: dict[str, pd.Series]
    truth: pd.DataFrame
    roster: pd.DataFrame
    planted: pd.DataFrame


def see_district(seed: int) -> Seen:
    """Simulate a district, read its files, measure every window by itself."""
    district = simulate_district(random_state=seed)
    with tempfile.TemporaryDirectory() as folder:
        write_district(district, folder)
        imported = read_exports([Path(folder)])
    edges = list(SkillFramework(imported.skills).graph.edges)
    mastery, shares = {}, {}
    for window in WINDOWS:
        evidence = imported.evidence[imported.evidence["window"] == window]
        known = calibrate(evidence, imported.roster, prerequisites=edges, window=window)
        mastery[window] = measure_mastery(evidence, imported.roster, known)
        share = share_of(evidence, read_scales(None), "the evidence")
        shares[window] = evidence.assign(share=share).groupby(KEY)["share"].mean()
    truth = district.truth.pivot(index=KEY, columns="window", values="has_skill")
    return Seen(mastery, shares, truth, imported.roster, district.planted)


def judge_said(seen: Seen) -> pd.DataFrame:
    """Return every student and skill asked in both windows, what was said, and the truth."""
    parts = []
    for before, now in PAIRS:
        changes = measure_changes(seen.mastery[before], seen.mastery[now])
        said = said_changes(changes)["change"].reindex(changes.index).fillna("")
        held = seen.truth.reindex(pd.MultiIndex.from_frame(changes[KEY]))
        first, then = (seen.shares[w].reindex(held.index).to_numpy() for w in (before, now))
        raw = np.select([(first <= 0.5) & (then >= 0.8), (first >= 0.8) & (then <= 0.5)],
                        ["gained", "slipped"], "")  # fmt: skip
        part = changes.assign(
            pair=f"{before} to {now}",
            said=said,
            raw=raw,
            true_gain=(~held[before] & held[now]).to_numpy(),
            true_loss=(held[before] & ~held[now]).to_numpy(),
        )
        parts.append(part[part["asked"]])
    return pd.concat(parts, ignore_index=True)


def judge_amounts(seen: Seen) -> list[dict]:
    """Return for each classroom and pair whether the intervals hold the truth."""
    homes = seen.roster.drop_duplicates("student_id").set_index("student_id")["classroom_id"]
    rows = []
    for before, now in PAIRS:
        changes = measure_changes(seen.mastery[before], seen.mastery[now])
        held = seen.truth.reindex(pd.MultiIndex.from_frame(changes[KEY])).astype(int)
        changes["truth"] = (held[now] - held[before]).to_numpy()
        for classroom_id, part in changes.groupby(changes["student_id"].map(homes)):
            skills = growth_by_skill(part)
            true = part[part["asked"]].groupby("skill_id")["truth"].sum()
            true = true.reindex(skills["skill_id"]).to_numpy()
            mean = mean_growth(growth_by_student(part)["growth"])
            own = part[part["asked"]].groupby("student_id")["truth"].sum().mean()
            rows.append(
                {
                    "classroom_id": classroom_id,
                    "n_skills": len(skills),
                    "n_covered": int(((skills["low"] <= true) & (true <= skills["high"])).sum()),
                    "error": mean.mean - own,
                    "covered": mean.low <= own <= mean.high,
                }
            )
    return rows


def judge_classrooms(seen: Seen) -> dict:
    """Return whether the planted growth is named, and what else is, over the whole year."""
    changes = measure_changes(seen.mastery[WINDOWS[0]], seen.mastery[WINDOWS[-1]])
    named = summarise_classrooms(compare_with_alike(growth_by_student(changes), seen.roster))
    named = named.set_index("classroom_id")["verdict"]
    planted = seen.planted.set_index("fact")["classroom_id"]
    steps = [
        growth_by_student(measure_changes(seen.mastery[a], seen.mastery[b]))
        for a, b in itertools.pairwise(WINDOWS)
    ]
    still = find_not_growing(steps)["student_id"]
    n_held = seen.truth.groupby("student_id").sum()
    gained = (n_held[WINDOWS[-1]] - n_held[WINDOWS[0]]).reindex(still)
    usual = (n_held[WINDOWS[-1]] - n_held[WINDOWS[0]]).mean()
    return {
        "little": named[planted["little growth"]] == "less",
        "strong": named[planted["strong growth"]] == "more",
        "others": int(named.drop(planted[["little growth", "strong growth"]]).ne("alike").sum()),
        "not_growing": len(still),
        "gained_none": int((gained <= 0).sum()),
        "gained_one": int((gained <= 1).sum()),
        "usual": usual,
    }


def judge_real() -> pd.DataFrame:
    """Return growth on the real pre/post set: 504 people, 12 problems before and after."""
    folder = DATA / "probability_prepost_12x4"
    responses = pd.read_csv(folder / "responses.csv", dtype={"student_id": "str"})
    q = pd.read_csv(folder / "q_matrix.csv").set_index("item")
    tables = {}
    for time, part in responses.groupby("time"):
        held = MasteryModel(q).fit_transform(part[q.index].to_numpy(float))
        known = pd.DataFrame(held, index=part["student_id"], columns=q.columns)
        tables[time] = known.melt(ignore_index=False, var_name="skill_id", value_name="mastery")
        tables[time] = tables[time].reset_index().assign(n_items=1)
    changes = measure_changes(tables["pre"], tables["post"])
    skills = growth_by_skill(changes)
    total = mean_growth(growth_by_student(changes)["growth"])
    every = pd.DataFrame([{"skill_id": "skills a person", "n_students": total.n, "before":
        changes["before"].sum() / total.n, "now": changes["now"].sum() / total.n,
        "change": total.mean, "low": total.low, "high": total.high}])  # fmt: skip
    return pd.concat([skills, every], ignore_index=True)


def describe_said(cells: pd.DataFrame) -> list[str]:
    lines = [
        "| windows | rule | gains said | true | gains found | unchanged, yet a change is said |",
        "|---|---|---|---|---|---|",
    ]
    unchanged = ~cells["true_gain"] & ~cells["true_loss"]
    parts = [("all", cells.index), *cells.groupby("pair").groups.items()]
    for (name, rows), rule in itertools.product(parts, ("said", "raw")):
        here = cells.loc[rows]
        gained = here[rule] == "gained"
        wrong = here.loc[unchanged[rows], rule].ne("").mean()
        label = "ours" if rule == "said" else "points: half or less, then 80 % or more"
        lines.append(
            f"| {name} | {label} | {gained.sum():,} | {here.loc[gained, 'true_gain'].mean():.1%} | "
            f"{gained[here['true_gain']].mean():.1%} | {wrong:.2%} |"
        )
    slipped, raw = cells["said"] == "slipped", cells["raw"] == "slipped"
    lost = cells["true_loss"]
    lines += [
        "",
        f"*Look again* was said of {slipped.sum():,} skills; {lost[slipped].mean():.0%} of them "
        f"were lost ({lost.sum():,} of {len(cells):,} were lost at all). After points alone: "
        f"{raw.sum():,}, {lost[raw].mean():.0%} of them lost.",
    ]
    return lines


def describe_amounts(amounts: pd.DataFrame) -> list[str]:
    covered = amounts["n_covered"].sum() / amounts["n_skills"].sum()
    error = amounts["error"]
    return [
        f"- Interval (90 %) of how many students of a classroom hold a skill more: holds the truth "
        f"in {covered:.1%} of {amounts['n_skills'].sum():,} classrooms, skills and pairs.",
        f"- Interval (90 %) of a classroom's mean growth: holds the truth in "
        f"{amounts['covered'].mean():.1%} of {len(amounts):,}; the estimate is off by "
        f"{error.abs().mean():.2f} skills on average, by {error.mean():+.2f} in one direction.",
    ]


def describe_classrooms(rooms: pd.DataFrame) -> list[str]:
    n = len(rooms)
    return [
        f"- The classroom planted with little growth is said to grow less than students who "
        f"started alike in {rooms['little'].sum()} of {n} districts; the one with strong growth, "
        f"more, in {rooms['strong'].sum()} of {n}. Of the 18 others {rooms['others'].mean():.1f} "
        "are named a district (they differ too, by chance and by teacher).",
        f"- Students listed as not growing for two windows: {rooms['not_growing'].mean():.0f} a "
        f"district; {rooms['gained_none'].sum() / rooms['not_growing'].sum():.0%} gained no skill "
        f"all year, {rooms['gained_one'].sum() / rooms['not_growing'].sum():.0%} at most one "
        f"(on average students gained {rooms['usual'].mean():.1f}).",
    ]


def describe_real(skills: pd.DataFrame) -> list[str]:
    lines = ["| skill | n | before | after | change | 90 % interval |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row.skill_id} | {row.n_students} | {row.before:.1f} | {row.now:.1f} | "
        f"{row.change:+.1f} | {row.low:.1f} to {row.high:.1f} |".replace(".0 to", " to")
        for row in skills.itertuples()
    ]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    n_seeds = parser.parse_args().seeds
    cells, amounts, rooms = [], [], []
    for seed in range(FIRST_SEED, FIRST_SEED + n_seeds):
        seen = see_district(seed)
        cells.append(judge_said(seen))
        amounts += judge_amounts(seen)
        rooms.append(judge_classrooms(seen))
    text = "\n".join(
        [
            "# Growth: is a change that is said true?",
            "",
            f"{n_seeds} simulated districts of 20 classrooms (seeds from {FIRST_SEED}), three "
            "windows; a student's skills count where they were asked for in both windows.",
            "Wanted: gains said are true in at least 95 %; of unchanged skills a change is said "
            "in at most 5 %.",
            "",
            *describe_said(pd.concat(cells, ignore_index=True)),
            "",
            *describe_amounts(pd.DataFrame(amounts)),
            *describe_classrooms(pd.DataFrame(rooms)),
            "",
            "## Real answers before and after a lesson",
            "",
            "504 people, 12 problems of elementary probability before and 12 parallel ones after "
            "(Heller & Wickelmaier 2013). People who hold each skill:",
            "",
            *(describe_real(judge_real()) if DATA.is_dir() else ["The data set is not here."]),
        ]
    )
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
