"""The verdict on skills, and figures that other software published for real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.mastery import MasteryModel, items, judge_skills, profile
from analysis.mastery.verdict import log_loss

ECPE = Path(__file__).parents[1].parent / "shared/data/assessments/ecpe_english_28x3"
Q = np.repeat(np.eye(3, dtype=int), 5, axis=0)


def draw(n, *, skills: bool, seed=0):
    rng = np.random.default_rng(seed)
    if skills:
        chance = np.where((rng.random((n, 3)) < 0.5) @ Q.T, 0.9, 0.2)
    else:
        chance = expit(1.5 * rng.normal(size=(n, 1)) + np.linspace(-1, 1, len(Q)))
    return (rng.random((n, len(Q))) < chance).astype(float)


def test_skills_that_are_there_support_groups():
    verdict = judge_skills(MasteryModel(Q), draw(300, skills=True))
    assert verdict
    assert verdict.gain > 0.05
    assert verdict.n_hidden == 300 * 15


def test_one_ability_behind_all_answers_supports_none():
    verdict = judge_skills(MasteryModel(Q), draw(300, skills=False))
    assert not verdict
    assert verdict.gain == pytest.approx(0, abs=0.002)


def test_the_blend_follows_what_is_there():
    with_skills, without = (
        MasteryModel(Q).fit(draw(300, skills=skills)).skill_share_ for skills in (True, False)
    )
    assert with_skills > 0.9
    assert without < 0.4


def test_too_few_answers_give_no_verdict():
    verdict = judge_skills(MasteryModel(Q), draw(1, skills=True))
    assert not verdict
    assert verdict.gain is None


def test_knowing_the_classrooms_does_not_spoil_predictions():
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(30), 20)
    ability = rng.normal(size=30)[labels] * 0.7 + rng.normal(size=600)
    chance = expit(ability[:, None] + np.linspace(-1, 1, len(Q)))
    answers = (rng.random(chance.shape) < chance).astype(float)
    hidden = rng.random(answers.shape) < 0.5
    shown = np.where(hidden, np.nan, answers)

    def loss(classrooms):
        model = MasteryModel(Q).fit(shown, classrooms=classrooms)
        predicted = model.predict_responses(shown, classrooms)
        return log_loss(answers[hidden], predicted[hidden]).mean()

    assert loss(labels) < loss(None) - 0.002


@pytest.mark.slow
@pytest.mark.skipif(not ECPE.is_dir(), reason="the shared assessments are not here")
def test_without_shrinkage_it_finds_the_published_profiles_of_ecpe(monkeypatch):
    # The saturated model (LCDM) by other software: the R package measr (Stan, weak priors),
    # article "Examination for the Certificate of Proficiency in English", structural
    # parameters, each with a posterior standard deviation of .006 to .020; skills in the order
    # morphosyntactic, cohesive, lexical. The article compares its items with those of
    # Templin & Hoffman (2013), doi:10.1111/emip.12010.
    published = {
        (0, 0, 0): 0.297, (0, 0, 1): 0.128, (0, 1, 0): 0.017, (0, 1, 1): 0.173,
        (1, 0, 0): 0.012, (1, 0, 1): 0.018, (1, 1, 0): 0.009, (1, 1, 1): 0.346,
    }  # fmt: skip
    monkeypatch.setattr(items, "OWN_WEIGHT", 1.0)
    monkeypatch.setattr(profile, "PRIOR_WEIGHT", 1.0)
    q = pd.read_csv(ECPE / "q_matrix.csv", index_col="item")
    answers = pd.read_csv(ECPE / "responses.csv")[q.index]
    fitted = MasteryModel(q, tol=1e-5, max_iter=500).fit(answers).skill_model_
    share = fitted.prior(np.zeros(1))[0]
    for bits, found in zip(fitted.profiles.astype(int).tolist(), share, strict=True):
        assert found == pytest.approx(published[tuple(bits)], abs=0.015)
