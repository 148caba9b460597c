"""Hidden answers on real assessments: which prediction comes nearest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from analysis.mastery import MasteryModel

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "assessments"
SETS = {
    "fractions 20x8": ("fraction_subtraction_20x8", None),
    "ECPE 28x3": ("ecpe_english_28x3", None),
    "TIMSS 2007 US 25x15": ("timss2007_g4_us_25x15", None),
    "TIMSS 2011 Austria 174x9": ("timss2011_g4_austria_174x9", None),
    "probability pre 12x4": ("probability_prepost_12x4", "pre"),
}
N_FOLDS = 5


def load(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return answers, Q-matrix, and classrooms where the data has them."""
    folder, time = SETS[name]
    responses = pd.read_csv(DATA / folder / "responses.csv", dtype={"class_id": str})
    q = pd.read_csv(DATA / folder / "q_matrix.csv", dtype={0: str}).set_index("item")
    if time:
        responses = responses[responses["time"] == time]
    classrooms = responses["class_id"].to_numpy() if "class_id" in responses else None
    return responses[q.index].to_numpy(float), q.to_numpy(int), classrooms


def item_mean(shown, q):
    right, asked = np.nansum(shown, axis=0), (~np.isnan(shown)).sum(axis=0)
    return np.tile((right + 1) / (asked + 2), (len(shown), 1))


def rasch(shown, q, steps=60):
    """Rasch's model by marginal maximum likelihood, the ability summed out."""
    nodes = np.linspace(-5, 5, 41)
    seen = ~np.isnan(shown)
    right = np.where(seen, shown, 0.0)
    easiness, spread = np.zeros(shown.shape[1]), 1.0
    for _ in range(steps):
        p = np.clip(expit(spread * nodes + easiness[:, None]), 1e-9, 1 - 1e-9)
        logs = right @ np.log(p) + (seen - right) @ np.log1p(-p) - nodes**2 / 2
        posterior = np.exp(logs - logs.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
        asked, got = seen.T @ posterior, right.T @ posterior
        error, weight = got - asked * p, asked * p * (1 - p)
        easiness = easiness + error.sum(axis=1) / (weight.sum(axis=1) + 1e-3)
        spread += (error @ nodes).sum() / ((weight @ nodes**2).sum() + 1e-3)
    return posterior @ expit(spread * nodes + easiness[:, None]).T


def skill_percent(shown, q):
    """Percent correct on the item's skills plus the item's difficulty, by logistic regression."""
    seen = ~np.isnan(shown)
    right = np.where(seen, shown, 0.0)
    difficulty = item_mean(shown, q)[0]
    logit = np.log(difficulty / (1 - difficulty))
    rows, items = np.nonzero(seen)
    overall = (right.sum(axis=1) + 3 * np.nanmean(shown)) / (seen.sum(axis=1) + 3)

    def features(rows, items, leave_out):
        asked = seen[rows] - 0.0
        got = right[rows].copy()
        if leave_out:
            asked[np.arange(len(rows)), items] = 0
            got[np.arange(len(rows)), items] = 0
        own = q[items]
        percent = ((got @ q + 3 * overall[rows, None]) / (asked @ q + 3) * own).sum(axis=1)
        return np.column_stack([percent / own.sum(axis=1), logit[items]])

    chosen = np.random.default_rng(0).permutation(len(rows))[:20_000]
    x = features(rows[chosen], items[chosen], leave_out=True)
    fit = LogisticRegression(C=100).fit(x, shown[rows[chosen], items[chosen]] > 0.5)
    every = np.arange(shown.shape[1])
    return np.array(
        [
            fit.predict_proba(features(np.full(len(every), row), every, False))[:, 1]
            for row in range(len(shown))
        ]
    )


def beta_binomial(shown, q):
    """Each skill's share right by student, with a beta prior fitted by moments."""
    seen = ~np.isnan(shown)
    right = np.where(seen, shown, 0.0) @ q
    asked = seen @ q
    found = np.zeros(right.shape)
    for k in range(q.shape[1]):
        some = asked[:, k] > 0
        share = right[some, k] / asked[some, k]
        mean = np.clip(right[:, k].sum() / asked[:, k].sum(), 0.02, 0.98)
        noise = (mean * (1 - mean) / asked[some, k]).mean()
        between = np.clip(share.var() - noise, 1e-3, mean * (1 - mean) * 0.9)
        weight = mean * (1 - mean) / between - 1
        found[:, k] = (right[:, k] + weight * mean) / (asked[:, k] + weight)
    return found @ q.T / q.sum(axis=1)


PEERS = {
    "item mean": item_mean,
    "Rasch": rasch,
    "skill percent + difficulty": skill_percent,
    "beta-binomial by skill": beta_binomial,
}


def predict_all(shown, q, classrooms):
    found = {name: peer(shown, q) for name, peer in PEERS.items()}
    model = MasteryModel(q).fit(shown)
    found["one ability (ours)"] = model.predict_by_ability(shown)
    found["MasteryModel"] = model.predict_responses(shown)
    if classrooms is not None:
        model = MasteryModel(q).fit(shown, classrooms)
        found["MasteryModel, classrooms known"] = model.predict_responses(shown, classrooms)
    return found


def expected_calibration_error(answer, predicted, n_bins=10) -> float:
    """Mean distance of prediction and truth over ten equal bins, weighed by answers."""
    place = np.minimum((predicted * n_bins).astype(int), n_bins - 1)
    total = sum(abs((answer - predicted)[place == bin_].sum()) for bin_ in range(n_bins))
    return total / len(answer)


def score(answer, predicted) -> dict[str, float]:
    p = np.clip(predicted, 1e-4, 1 - 1e-4)
    return {
        "AUC": roc_auc_score(answer, p),
        "log-loss": -np.mean(answer * np.log(p) + (1 - answer) * np.log1p(-p)),
        "Brier": np.mean((answer - p) ** 2),
        "ECE": expected_calibration_error(answer, p),
    }


def held_out(name: str, seed: int) -> pd.DataFrame:
    """Hide every answer once, in five folds of cells, and score its predictions."""
    answers, q, classrooms = load(name)
    fold = np.random.default_rng(seed).integers(N_FOLDS, size=answers.shape)
    found: dict[str, np.ndarray] = {}
    for number in range(N_FOLDS):
        hidden = (fold == number) & ~np.isnan(answers)
        shown = np.where(hidden, np.nan, answers)
        for peer, predicted in predict_all(shown, q, classrooms).items():
            found.setdefault(peer, np.full(answers.shape, np.nan))[hidden] = predicted[hidden]
    known = ~np.isnan(answers)
    rows = {peer: score(answers[known], p[known]) for peer, p in found.items()}
    return pd.DataFrame(rows).T.rename_axis("prediction").reset_index().assign(data=name)
