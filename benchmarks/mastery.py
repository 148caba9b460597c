"""How near MasteryModel comes to the Bayes limit, to real hidden answers, and how fast.

    python benchmarks/mastery.py                   every part
    python benchmarks/mastery.py shared real       some parts
    python benchmarks/mastery.py shared --seed 7   other data

Prints each table and writes it to ``benchmarks/results/`` as Markdown and CSV.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from _peers import PEERS, SLOW_PEERS
from _ratings import compare_ratings
from _real import SETS, held_out, load, score
from _speed import in_own_process
from designs import LITERATURE, literature_design, oracle_profiles, shared_design
from sklearn.metrics import adjusted_rand_score

from analysis.mastery import MasteryModel, judge_skills

RESULTS = Path(__file__).parent / "results"
SEED = 20260
SHARED_CELLS = list(product((0.15, 0.3), ("normal", "linear"), (False, True)))
OURS = "MasteryModel"
ORACLE = "oracle (true parameters)"
CHAINED = "MasteryModel, hierarchy given where there is one"


def ours(sim):
    return MasteryModel(sim.q).fit(sim.answers).predict_profiles(sim.answers)


def ours_chained(sim):
    n_skills = sim.q.shape[1]
    linear = (sim.prior > 0).sum() == n_skills + 1
    before = [(k, k + 1) for k in range(n_skills - 1)] if linear else None
    return MasteryModel(sim.q, before).fit(sim.answers).predict_profiles(sim.answers)


def of_peer(peer):
    return lambda sim: peer(sim.answers, sim.q)


def methods(*, slow: bool) -> dict:
    peers = {name: of_peer(peer) for name, peer in (PEERS | (SLOW_PEERS if slow else {})).items()}
    return {ORACLE: oracle_profiles, OURS: ours} | peers


def rates(sim, found) -> tuple[float, float]:
    """Adjusted Rand index of the profiles as groups, share of students all right."""
    places = 2 ** np.arange(sim.truth.shape[1])
    rand = adjusted_rand_score(sim.truth @ places, np.asarray(found) @ places)
    return rand, float((found == sim.truth).all(axis=1).mean())


def run_shared(seed: int, repetitions: int) -> pd.DataFrame:
    """Mean over the eight cells of noise, structure and answers; ARI / PAR."""
    rows = []
    for n_skills, n, (cell, (noise, structure, additive)) in product(
        (3, 5), (25, 100, 400), enumerate(SHARED_CELLS)
    ):
        for repetition in range(repetitions):
            key = [seed, n_skills, n, cell, repetition]
            sim = shared_design(n_skills, noise, structure, additive, n, key)
            for name, method in (methods(slow=False) | {CHAINED: ours_chained}).items():
                rows.append((name, f"K{n_skills} N{n}", *rates(sim, method(sim))))
    return _table(rows, both=True)


def run_pooled(seed: int, repetitions: int) -> pd.DataFrame:
    """Calibrated on 400 students, each classroom of 25 classified by itself."""
    rows = []
    for n_skills, (cell, (noise, structure, additive)) in product((3, 5), enumerate(SHARED_CELLS)):
        for repetition in range(repetitions):
            key = [seed + 1, n_skills, cell, repetition]
            sim = shared_design(n_skills, noise, structure, additive, 400, key)
            model = MasteryModel(sim.q).fit(sim.answers)
            parts = np.split(sim.answers, 16)
            found = np.concatenate([model.predict_profiles(part) for part in parts])
            alone = [MasteryModel(sim.q).fit(part).predict_profiles(part) for part in parts[:2]]
            right = sim.truth[:50] == np.concatenate(alone)
            column = f"K{n_skills}"
            rows.append(("calibrated on 400", column, *rates(sim, found)))
            rows.append(("calibrated on the 25 alone", column, np.nan, right.all(axis=1).mean()))
            rows.append(("oracle", column, *rates(sim, oracle_profiles(sim))))
    return _table(rows)


def run_literature(seed: int, repetitions: int) -> pd.DataFrame:
    """Whole profiles right (PAR) on the designs of the literature.

    Ten times the repetitions at 20 students, three times at 100, once at 500, three data
    sets at 5,000; latent classes on the first three data sets of each up to 500.
    """
    rows = []
    times = {20: 10 * repetitions, 100: 3 * repetitions, 500: repetitions, 5000: 3}
    for name, n in product(LITERATURE, times):
        for repetition in range(times[n]):
            sim = literature_design(name, n, [seed + 2, n, repetition])
            slow = repetition < 3 and n < 5000
            for method_name, method in methods(slow=slow).items():
                rows.append((method_name, f"{name}, N {n}", *rates(sim, method(sim))))
    table = _table(rows).set_index("method").T.rename_axis("design").rename_axis(columns=None)
    share = table[OURS].astype(float) / table[ORACLE].astype(float)
    table.insert(2, "share of the limit", share.map("{:.3f}".format))
    return table.reset_index()


def run_limit(seed: int, repetitions: int) -> pd.DataFrame:
    """Whole profiles right, as a share of the Bayes limit, on many data sets of each design.

    Fifty times the repetitions at 20 students, three times at 100, once at 500. The
    standard error is of the share, over data sets.
    """
    rows = []
    times = {20: 50 * repetitions, 100: 3 * repetitions, 500: repetitions}
    for name, n in product(LITERATURE, times):
        sims = (literature_design(name, n, [seed + 3, n, r]) for r in range(times[n]))
        found = np.array(
            [[rates(sim, how(sim))[1] for how in (oracle_profiles, ours)] for sim in sims]
        )
        limit, mine = found.mean(axis=0)
        share = mine / limit
        error = (found[:, 1] - share * found[:, 0]).std(ddof=1) / limit / np.sqrt(len(found))
        rows.append((name, n, len(found), limit, mine, share, error))
    columns = ["design", "students", "data sets", ORACLE, OURS, "share of the limit", "error"]
    return pd.DataFrame(rows, columns=columns).round(4)


def run_real(seed: int, repetitions: int) -> pd.DataFrame:
    """Five folds of hidden answers on real assessments."""
    found = pd.concat([held_out(name, seed) for name in SETS])
    figures = ["AUC", "log-loss", "Brier", "ECE"]
    return found[["data", "prediction", *figures]].round(dict.fromkeys(figures, 4))


def run_ratings(seed: int, repetitions: int) -> pd.DataFrame:
    """Simulated ratings: who holds what, log-loss / calibration error.

    First students whose level differs by degrees, then skills that are had or not.
    """
    return compare_ratings(seed, repetitions, score)


def run_verdict(seed: int, repetitions: int) -> pd.DataFrame:
    """Do skills predict hidden answers better than one ability?"""
    rows = []
    for name in SETS:
        answers, q, classrooms = load(name)
        verdict = judge_skills(MasteryModel(q), answers, classrooms, seed)
        rows.append({"data": name, **verdict.to_dict()})
    return pd.DataFrame(rows).round(4)


def run_speed(seed: int, repetitions: int) -> pd.DataFrame:
    """60 items, 20 skills, classrooms of 25."""
    sizes = (25, 400, 40_000, 1_000_000)
    return pd.DataFrame([in_own_process(n) for n in sizes]).round(2)


PARTS = {
    "shared": (run_shared, 10),
    "pooled": (run_pooled, 5),
    "literature": (run_literature, 8),
    "limit": (run_limit, 20),
    "real": (run_real, 1),
    "ratings": (run_ratings, 3),
    "verdict": (run_verdict, 1),
    "speed": (run_speed, 1),
}


def _table(rows, *, both=False) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["method", "column", "ARI", "PAR"])
    order = list(dict.fromkeys(frame["method"]))
    columns = list(dict.fromkeys(frame["column"]))
    mean = frame.pivot_table(index="method", columns="column", values=["ARI", "PAR"], dropna=False)
    text = mean["PAR"].map("{:.3f}".format)
    if both:
        text = mean["ARI"].map("{:.3f}".format) + " / " + text
    return text.loc[order, columns].rename_axis(columns=None).reset_index()


def write(name: str, table: pd.DataFrame, about: str, seed: int, repetitions: int) -> None:
    versions = ", ".join(
        f"{package} {importlib.metadata.version(package)}"
        for package in ("numpy", "scipy", "scikit-learn", "pandas", "stepmix")
    )
    text = (
        f"# {about}\n\n{_markdown(table)}\n\n"
        f"`python benchmarks/mastery.py {name} --seed {seed} --repetitions {repetitions}` · "
        f"Python {platform.python_version()}, {versions}\n"
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"mastery-{name}.md").write_text(text, encoding="utf-8")
    table.to_csv(RESULTS / f"mastery-{name}.csv", index=False, lineterminator="\n")
    print(text)


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--repetitions", type=int)
    given = parser.parse_args()
    for name in given.parts or PARTS:
        run, usual = PARTS[name]
        repetitions = given.repetitions or usual
        about = run.__doc__.strip().splitlines()[0].rstrip(".")
        write(name, run(given.seed, repetitions), about, given.seed, repetitions)


if __name__ == "__main__":
    main()
