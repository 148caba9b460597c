"""What each student has shown: probabilities of mastery, from few answers, with their evidence."""

from analysis.mastery.calibration import Calibration, calibrate, calibrate_gathered
from analysis.mastery.gathering import Gathered, gather
from analysis.mastery.measuring import (
    Answers,
    draw_profiles,
    measure_mastery,
    read_answers,
    read_levels,
)
from analysis.mastery.model import MasteryModel
from analysis.mastery.verdict import Verdict, judge_skills

__all__ = [
    "Answers",
    "Calibration",
    "Gathered",
    "MasteryModel",
    "Verdict",
    "calibrate",
    "calibrate_gathered",
    "draw_profiles",
    "gather",
    "judge_skills",
    "measure_mastery",
    "read_answers",
    "read_levels",
]
