"""What each student has shown: probabilities of mastery, from few answers, with their evidence."""

from analysis.mastery.calibration import (
    Answers,
    Calibration,
    calibrate,
    draw_profiles,
    measure_mastery,
    read_answers,
)
from analysis.mastery.model import MasteryModel
from analysis.mastery.observations import add_shares
from analysis.mastery.verdict import Verdict, judge_skills

__all__ = [
    "Answers",
    "Calibration",
    "MasteryModel",
    "Verdict",
    "add_shares",
    "calibrate",
    "draw_profiles",
    "judge_skills",
    "measure_mastery",
    "read_answers",
]
