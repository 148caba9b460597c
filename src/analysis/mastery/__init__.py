"""What each student has shown: probabilities of mastery, from few answers, with their evidence."""

from analysis.mastery.calibration import (
    Calibration,
    calibrate,
    draw_profiles,
    measure_mastery,
)
from analysis.mastery.model import MasteryModel
from analysis.mastery.observations import add_shares
from analysis.mastery.verdict import Verdict, judge_skills

__all__ = [
    "Calibration",
    "MasteryModel",
    "Verdict",
    "add_shares",
    "calibrate",
    "draw_profiles",
    "judge_skills",
    "measure_mastery",
]
