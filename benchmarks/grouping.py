"""Would these groups have been right? Form them on half of the items, judge on the rest.

    python benchmarks/grouping.py simulated --repetitions 3
    python benchmarks/grouping.py simulated --shape web --repetitions 2
    python benchmarks/grouping.py real --repetitions 5
    python benchmarks/grouping.py certainty --repetitions 5
    python benchmarks/grouping.py stability --repetitions 5
    python benchmarks/grouping.py speed
    python benchmarks/grouping.py precise --skills 10 --repetitions 16

Simulated districts are judged on the truth: a student is on target who lacks the focus of
the group and holds its prerequisites. Real sets are judged on the other half of the items:
the mean share of points missed there on the focus skill. Every student of a class counts;
sizes = share of groups of 3 to 6. The Bayes limit is what the true posterior of the same
answers would reach (see grouping_limit). "precise" takes few ways on many districts, to say
with which error a figure is known. Tables are written to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from grouping_data import REAL, District, halve_items, read_real, share_correct, simulate
from grouping_limit import MOST_SKILLS, limit_value
from grouping_peers import (
    bands,
    cut_value,
    dina,
    gaussian_mixture,
    greedy,
    k_means,
    k_means_constrained,
    raw_value,
    with_best_focus,
)
from sklearn.metrics import adjusted_rand_score

from analysis.grouping import GroupRules, SkillNeedGroups
from analysis.grouping.certainty import share_of_draws
from analysis.grouping.evidence import need_of_anyone
from analysis.grouping.planning import LEAST_LESSON, choose_lesson
from analysis.grouping.sampling import drawn_together, trust_in_means
from analysis.grouping.tasks import left_to_gain, worth_of_seats
from analysis.grouping.value import on_target, value_of_teaching
from analysis.mastery import MasteryModel, judge_skills
from analysis.mastery.level_fitting import fit_levels
from analysis.mastery.levels import weight_of_levels
from analysis.mastery.measuring import DRAWS_OF_ANYONE

RESULTS = Path(__file__).parent / "results"
LEAST_CLASS = 12
MOST_CLASSES = 60
KINDS = ("binary", "continuous", "rubric")
WHAT = ("simulated", "precise", "real", "certainty", "stability", "speed")
LEAST_GAIN = GroupRules().least_gain
OURS = "OURS: both readings and tasks, exact, or one lesson"
ALONE = "OURS, levels learnt from the class alone"
"""What everybody's answers are worth: all other ways learn from the whole district."""
CEILING, LIMIT = "ceiling: exact on the truth", "Bayes limit: exact on the true posterior"
K_MEANS = "k-means, best raw focus"
PRECISE = [CEILING, LIMIT, OURS, ALONE, "mastery model only, exact", K_MEANS]
SIMPLE = [
    "raw teacher's list (product)",
    "raw teacher's list (cut at 70 %)",
    "one ability, greedy",
    "score bands, best raw focus",
    "score bands, weakest skill",
    K_MEANS,
    "k-means of bounded size, best raw focus",
    "Gaussian mixture, best raw focus",
    "whole class, one raw skill",
    "DINA profiles, list",
]
"""Ways that take none of ours: neither the mastery model, nor levels, nor the exact program."""


def estimate(
    district: District,
    forms: np.ndarray,
    random_state: int,
    *,
    verdict: bool = True,
    peers: bool = True,
) -> dict:
    """Return what is known of every student from one half of the items, by each estimator.

    ``verdict``, ``peers``: whether the verdict on the assessment and what only the peers
    need are wanted; the folds of the one take longer than all the rest.
    """
    answers, q = district.answers[:, forms], district.q[forms]
    classrooms, before = district.classrooms, district.before
    pairs = [tuple(int(k) for k in pair) for pair in np.argwhere(before)]
    model = MasteryModel(q, pairs).fit(answers, classrooms=classrooms)
    held, ready = model.transform(answers, classrooms), model.ready(answers, classrooms)
    draws = model.sample_profiles(answers, 200, random_state, classrooms)
    by_model = value_of_teaching(held, before, ready=ready, draws=draws)
    level_model = fit_levels(answers, q, classrooms)
    level_draws, by_level, left = _by_levels(
        level_model, answers, classrooms, held, before, random_state
    )
    share = share_correct(answers, q)
    by_dina = dina(answers, q) if peers else None
    weights = q / np.maximum(q.sum(axis=0), 1)
    weight = weight_of_levels(answers)
    n_levels = round(200 * weight)
    supports = verdict and bool(
        judge_skills(MasteryModel(q, pairs), answers, classrooms, random_state)
    )
    return {
        "share": share,
        "draws": np.concatenate([draws[n_levels:], level_draws[:n_levels]]),
        "features": np.where(np.isnan(share), np.nanmean(share, axis=0), share),
        "total": np.nanmean(answers, axis=1),
        "raw": raw_value(share, before),
        "cut": cut_value(share, before),
        "supports": supports,
        "dina": None if by_dina is None else raw_value(by_dina.round(), before),
        "ability": raw_value(model.predict_by_ability(answers, classrooms) @ weights, before),
        "answers": answers,
        "held": held,
        "q": q,
        "before": before,
        **_both(by_model, by_level, left, level_model, before, weight),
    }


def _by_levels(level_model, answers, classrooms, held, before, random_state: int):
    """Return draws of the level reading, the value of teaching by it, and what is left to gain."""
    levels, draws, expected = level_model.read(
        answers, classrooms, n_draws=200, random_state=random_state
    )
    levels = np.where(np.isnan(levels), held, levels)
    left = left_to_gain(expected, level_model.q)
    return draws, value_of_teaching(levels, before, draws=draws), left


def _both(by_model, by_level, left, level_model, before, weight: float) -> dict:
    """Return what both readings together say groups should be formed by."""
    anyone = level_model.draw_anyone(n_draws=DRAWS_OF_ANYONE, random_state=0)
    blend = (1 - weight) * by_model + weight * by_level
    return {
        "model": by_model,
        "levels": by_level,
        "blend": blend,
        "worth": worth_of_seats(blend, left),
        "lesson": by_level * left,
        "weight": weight,
        "trust": trust_in_means(level_model.usual, level_model.q),
        "usual": need_of_anyone(anyone, level_model.mean, level_model.q, before),
    }


def alone(seen: dict, random_state: int) -> dict:
    """Return what is known of one class whose levels are learnt from its own answers only."""
    answers, q, before = seen["answers"], seen["q"], seen["before"]
    level_model = fit_levels(answers, q)
    _, by_level, left = _by_levels(level_model, answers, None, seen["held"], before, random_state)
    weight = weight_of_levels(answers)
    return seen | _both(seen["model"], by_level, left, level_model, before, weight)


def exact(value: np.ndarray):
    """Return the exact groups for given values of teaching, everyone placed."""
    groups = SkillNeedGroups(group_gain=0).fit(1 - np.clip(value, 0, 1))
    return groups.labels_, groups.focus_


def one_lesson(value: np.ndarray):
    return everyone_on(int(value.sum(axis=0).argmax()), len(value))


def everyone_on(skill: int, n_students: int):
    return np.zeros(n_students, dtype=int), np.array([skill])


def ours(seen: dict):
    """Return what form_groups decides, with everyone placed: groups, or one lesson.

    Separate groups where the assessment tells skills apart (the mastery model's verdict, which
    says nothing of graded ratings) and either no lesson is a next step for most of the class,
    or both readings say that groups reach more.
    """
    labels, focus = exact(seen["worth"])
    taught = np.arange(len(labels)), focus[labels]
    share, one = seen["blend"][taught].mean(), seen["blend"].mean(axis=0).max()
    readings = ("model", "levels") if seen["weight"] < 1 else ("levels",)
    drawn = [drawn_together(seen[way], seen["trust"]) for way in readings]
    gains = [value[taught].mean() - value.mean(axis=0).max() for value in drawn]
    pay = one < min(LEAST_LESSON, share) or min(gains) >= LEAST_GAIN
    told_apart = seen["supports"] or seen["weight"] == 1
    if told_apart and pay:
        return labels, focus
    lesson = choose_lesson(seen["lesson"].mean(axis=0), seen["usual"], LEAST_GAIN)
    return everyone_on(lesson, len(labels))


def ways(seen: dict, seed: int) -> dict:
    """Return every way to group one class, by name: a function without arguments."""
    features, raw = seen["features"], seen["raw"]
    found = {
        OURS: lambda: ours(seen),
        ALONE: lambda: ours(alone(seen, seed)),
        "both readings and tasks, exact": lambda: exact(seen["worth"]),
        "both readings, exact": lambda: exact(seen["blend"]),
        "mastery model only, exact": lambda: exact(seen["model"]),
        "levels only, exact": lambda: exact(seen["levels"]),
        "both readings, greedy": lambda: greedy(seen["blend"]),
        "percent correct, exact": lambda: exact(raw),
        "raw teacher's list (product)": lambda: greedy(raw),
        "raw teacher's list (cut at 70 %)": lambda: greedy(seen["cut"]),
        "one ability, greedy": lambda: greedy(seen["ability"]),
        "score bands, best focus by model": lambda: with_best_focus(
            bands(seen["total"]), seen["model"]
        ),
        "score bands, best raw focus": lambda: with_best_focus(bands(seen["total"]), raw),
        "score bands, weakest skill": lambda: with_best_focus(bands(seen["total"]), 1 - features),
        K_MEANS: lambda: with_best_focus(k_means(features, 5, seed), raw),
        "k-means of bounded size, best raw focus": lambda: with_best_focus(
            k_means_constrained(features, 5, seed), raw
        ),
        "Gaussian mixture, best raw focus": lambda: with_best_focus(
            gaussian_mixture(features, 5, seed), raw
        ),
        "whole class, one skill by levels": lambda: one_lesson(seen["levels"]),
        "whole class, one raw skill": lambda: one_lesson(raw),
    }
    if seen["dina"] is not None:
        found["DINA profiles, list"] = lambda: greedy(seen["dina"])
    return found


def of_class(estimates: dict, here: np.ndarray) -> dict:
    whole = {name: estimates[name] for name in ("q", "before", "trust", "usual")}
    parts = {name: part for name, part in estimates.items() if name not in ("draws", *whole)}
    return whole | {
        name: part[here] if isinstance(part, np.ndarray) else part for name, part in parts.items()
    }


def judge(labels, focus, right: np.ndarray) -> tuple[np.ndarray, float]:
    """Return who is on target (missing where unknown) and the share of groups of 3-6."""
    skill = focus[labels]
    of_each = np.where(labels >= 0, right[np.arange(len(labels)), skill], 0.0)
    sizes = np.bincount(labels[labels >= 0])
    return of_each, float(((sizes >= 3) & (sizes <= 6)).mean())


def compare(district: District, seed: int, only: Sequence[str] = ()) -> list[dict]:
    """Form groups of every class on one half of the items in every way, and judge them.

    ``only``: the ways wanted; none: all.
    """
    forms = halve_items(district.q, seed)
    estimates = estimate(district, forms, seed, peers=not only)
    right = _right(district, forms)
    limit = _limit(district, forms, seed)
    rows = []
    for here in _rooms(district):
        found = ways(of_class(estimates, here), seed)
        if district.truth is not None:
            found[CEILING] = lambda here=here: exact(right[here])
        if limit is not None:
            found[LIMIT] = lambda here=here: exact(limit[here])
        for way in [way for way in found if not only or way in only]:
            of_each, sizes = judge(*found[way](), right[here])
            row = {"data": district.name, "seed": seed, "way": way, "sizes": sizes}
            row |= {"on_target": np.nanmean(of_each), "each": of_each}
            rows.append(row | {"students": np.flatnonzero(here)})
    return rows


def simulated(repetitions: int, shape: str) -> pd.DataFrame:
    rows = []
    for kind in KINDS:
        for n_skills in (10, 20, 40):
            for seed in range(repetitions):
                rows += compare(simulate(kind, n_skills, seed, shape=shape), seed)
            _say(f"{kind} K={n_skills}")
    return pd.DataFrame(rows)


def precise(repetitions: int, n_skills: int, shape: str) -> pd.DataFrame:
    """Return few ways on many binary districts: mean, and its standard error over districts.

    ``to the limit``: by how much a way is over or under the Bayes limit of the same district.
    """
    rows = []
    for seed in range(repetitions):
        district = simulate("binary", n_skills, seed, shape=shape)
        rows += compare(district, seed, PRECISE)
        _say(f"{district.name} {seed}")
    wide = pd.DataFrame(rows).pivot_table(index="seed", columns="way", values="on_target")
    table = pd.DataFrame({"on target": wide.mean(), "standard error": wide.sem()})
    if LIMIT in wide:
        apart = wide.sub(wide[LIMIT], axis=0)
        table = table.assign(**{"to the limit": apart.mean(), "its standard error": apart.sem()})
    return table.sort_values("on target", ascending=False)


def real(repetitions: int) -> pd.DataFrame:
    rows = []
    for name in REAL:
        for seed in range(repetitions):
            rows += compare(read_real(name, seed), seed)
        _say(name)
    return pd.DataFrame(rows)


def against_the_best(rows: pd.DataFrame) -> pd.DataFrame:
    """Return by how much ours differs from the best simple way of each data set.

    The best in hindsight, of the data it is compared on; over the students whose need is
    known on the focus that either way gave them, in each repetition. The interval holds 95 %
    of what other students and other halves of the items (or other districts) would have given:
    2,000 bootstrap samples, in which students and repetitions are each drawn anew.
    """
    found = []
    for name, part in rows.groupby("data", sort=False):
        cells = part.explode(["each", "students"]).astype({"each": float, "students": int})
        wide = cells.pivot(index=["students", "seed"], columns="way", values="each")
        best = wide[wide.columns.intersection(SIMPLE)].mean().idxmax()
        both = wide[[OURS, best]].dropna()
        apart = (both[OURS] - both[best]).unstack("seed")
        low, high = np.quantile(_drawn_anew(apart.to_numpy(), 2_000), [0.025, 0.975])
        found.append(
            {"data": name, "best simple way": best, "simple": both[best].mean()}
            | {"ours": both[OURS].mean(), "difference": np.nanmean(apart), "low": low, "high": high}
        )
    return pd.DataFrame(found).set_index("data")


def _drawn_anew(apart: np.ndarray, n_samples: int) -> np.ndarray:
    """Return means over bootstrap samples of the rows and of the columns."""
    rng = np.random.default_rng(0)
    rows, columns = (
        rng.multinomial(n, np.full(n, 1 / n), size=n_samples).astype(float) for n in apart.shape
    )
    total, n_known = (
        ((rows @ part) * columns).sum(axis=1) for part in (np.nan_to_num(apart), ~np.isnan(apart))
    )
    return total / n_known


def certainty(repetitions: int) -> pd.DataFrame:
    """Compare the certainty said of each placement with how often it is right.

    Real sets: right is the share of points missed on the focus in the other half. A slip, a
    guess or a task of several skills keeps that from being the same number as said, so it
    is compared with ``expected``: the share that the same evidence says will be missed there.
    """
    named = [(kind, lambda seed, kind=kind: simulate(kind, 20, 100 + seed)) for kind in KINDS]
    named += [(name, lambda seed, name=name: read_real(name, seed)) for name in REAL]
    rows = []
    for name, make in named:
        for seed in range(repetitions):
            rows += [{"data": name, **row} for row in _said_and_right(make(seed), seed)]
        _say(f"certainty {name}")
    return pd.DataFrame(rows)


def _said_and_right(district: District, seed: int) -> list[dict]:
    forms = halve_items(district.q, seed)
    estimates = estimate(district, forms, seed, verdict=False, peers=False)
    right, expected = _right(district, forms), _expected(district, forms)
    rows = []
    for here in _rooms(district):
        value = estimates["blend"][here]
        labels, focus = exact(estimates["worth"][here])
        skills, groups_of = np.unique(focus, return_counts=True)
        target = on_target(estimates["draws"][:, here], district.before)[:, :, skills]
        seat = np.searchsorted(skills, focus[labels])
        said = share_of_draws(target, value[:, skills], seat, groups_of * 6)
        seats = np.arange(len(value)), focus[labels]
        found = pd.DataFrame({"said": said, "right": right[here][seats]})
        found["expected"] = said if expected is None else expected[here][seats]
        rows += found.dropna().to_dict("records")
    return rows


def _expected(district: District, forms: np.ndarray) -> np.ndarray | None:
    """Return the share of points that the forming half says each student misses in the other.

    By the mastery model, whose slips and guesses are those of all items; the answers to the
    other half are hidden from it. None where the truth is known.
    """
    if district.truth is not None:
        return None
    model = MasteryModel(district.q).fit(district.answers, classrooms=district.classrooms)
    seen = np.where(forms, district.answers, np.nan)
    predicted = model.predict_responses(seen, district.classrooms)
    asked = np.where(np.isnan(district.answers), np.nan, predicted)
    return 1 - share_correct(asked[:, ~forms], district.q[~forms])


def _rooms(district: District) -> list[np.ndarray]:
    """Return who is in each class of at least 12, evenly spread where there are many."""
    rooms = [district.classrooms == room for room in np.unique(district.classrooms)]
    rooms = [here for here in rooms if here.sum() >= LEAST_CLASS]
    return rooms[:: -(-len(rooms) // MOST_CLASSES)]


def _limit(district: District, forms: np.ndarray, seed: int) -> np.ndarray | None:
    if district.truth is None or district.q.shape[1] > MOST_SKILLS:
        return None
    return limit_value(district, forms, seed)


def _right(district: District, forms: np.ndarray) -> np.ndarray:
    """Return the truth, or the share of points missed in the other half."""
    if district.truth is None:
        return 1 - share_correct(district.answers[:, ~forms], district.q[~forms])
    return on_target(district.truth, district.before).astype(float)


def stability(repetitions: int) -> pd.DataFrame:
    """Form groups on either half of the items: how alike are they (adjusted Rand index)?"""
    rows = []
    for name in REAL:
        for seed in range(repetitions):
            district = read_real(name, seed)
            forms = halve_items(district.q, seed)
            halves = [estimate(district, half, seed, peers=False) for half in (forms, ~forms)]
            for here in _rooms(district):
                parts = [of_class(half, here) for half in halves]
                rows += [{"data": name, **row} for row in _alike(parts, seed)]
        _say(f"stability {name}")
    return pd.DataFrame(rows)


def _alike(parts: list[dict], seed: int) -> list[dict]:
    def focus_of(labels, focus):
        return focus[labels]

    ways = {
        "both readings, exact: focus": lambda seen: focus_of(*exact(seen["blend"])),
        "OURS: focus": lambda seen: focus_of(*ours(seen)),
        "k-means, 4 groups": lambda seen: k_means(seen["features"], 4, seed),
        "score quartiles": lambda seen: bands(seen["total"], 4),
    }
    return [
        {"way": way, "ari": adjusted_rand_score(*(form(seen) for seen in parts))}
        for way, form in ways.items()
    ]


def speed() -> pd.DataFrame:
    """Return seconds of processor time to the proof, 40 skills, with and without pairs."""
    rows = []
    for seed in range(10):
        district = simulate("binary", 40, seed)
        value = estimate(district, halve_items(district.q, seed), seed)["blend"]
        ids = np.random.default_rng(seed).permutation(25)
        pairs = {"together": [ids[:2]], "apart": [ids[2:4], ids[4:6]]}
        for n_students in (25, 35, 100, 400) if seed < 3 else (25, 35, 100):
            for rules in ({}, pairs):
                started = time.process_time()
                groups = SkillNeedGroups(time_limit=60, **rules).fit(1 - value[:n_students])
                rows.append(
                    {
                        "n_students": n_students,
                        "rules": "pairs" if rules else "sizes",
                        "seconds": time.process_time() - started,
                        "proven": groups.status_ == "optimal",
                    }
                )
    return pd.DataFrame(rows)


def as_table(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return ways by data sets: mean over classes and repetitions."""
    table = rows.pivot_table(index="way", columns="data", values=value, sort=False)
    return table.loc[table.mean(axis=1).sort_values(ascending=False).index]


def write(name: str, text: str, rows: pd.DataFrame) -> None:
    RESULTS.mkdir(exist_ok=True)
    command = "python benchmarks/grouping.py " + " ".join(sys.argv[1:])
    heading = f"# {name}\n\nCommand: `{command}`; seeds 0, 1, … up to the repetitions.\n\n"
    (RESULTS / f"{name}.md").write_text(heading + text + "\n")
    rows.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.4f")
    print(text)


def markdown(table: pd.DataFrame, digits: int = 3) -> str:
    shown = table.reset_index()
    cells = shown.map(lambda x: f"{x:.{digits}f}" if isinstance(x, float) else str(x))
    lines = [shown.columns.astype(str), ["---"] * shown.shape[1], *cells.to_numpy()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--shape", choices=["strands", "web"], default="strands")
    parser.add_argument("--skills", type=int, default=10, help="of the districts of 'precise'")
    asked = parser.parse_args()
    name = f"grouping_{asked.what}" + ("_web" if asked.shape == "web" else "")
    if asked.what == "speed":
        rows = speed()
        table = rows.groupby(["n_students", "rules"], sort=False).agg(
            median=("seconds", "median"), worst=("seconds", "max"), proven=("proven", "mean")
        )
        write(name, markdown(table), table.reset_index())
    elif asked.what == "precise":
        table = precise(asked.repetitions, asked.skills, asked.shape)
        write(f"{name}_{asked.skills}", markdown(table), table.reset_index())
    elif asked.what == "certainty":
        rows = certainty(asked.repetitions)
        rows["band"] = np.minimum((rows["said"] * 5).astype(int), 4) / 5
        rows["band"] = rows["band"].map("{:.1f}".format)
        table = rows.groupby(["data", "band"], sort=False).agg(
            said=("said", "mean"),
            expected=("expected", "mean"),
            right=("right", "mean"),
            n=("right", "count"),
        )
        gaps = (table["expected"] - table["right"]).abs() * table["n"]
        error = gaps.groupby("data", sort=False).sum() / table["n"].groupby("data").sum()
        error = error.rename("mean gap between expected and right")
        table = table.sort_index()
        write(name, markdown(table) + "\n\n" + markdown(error.to_frame()), table.reset_index())
    elif asked.what == "stability":
        table = as_table(stability(asked.repetitions), "ari")
        write(name, markdown(table), table.reset_index())
    else:
        is_real = asked.what == "real"
        rows = real(asked.repetitions) if is_real else simulated(asked.repetitions, asked.shape)
        share, sizes = as_table(rows, "on_target"), as_table(rows, "sizes")
        sizes = sizes.loc[share.index].mean(axis=1).rename("sizes")
        table = share.assign(mean=share.mean(axis=1), sizes=sizes)
        apart = markdown(against_the_best(rows))
        write(name, f"{markdown(table)}\n\n{apart}", table.reset_index())


def _say(done: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {done}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
