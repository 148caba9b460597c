"""What a coach and a teacher talk about: a goal for the cycle, and questions that open.

The goal has the shape coaches ask for: what students will show, where they are today,
what is within reach, and the day to look again. The questions start from what the page
shows and leave the answer to the teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from analysis.grouping import Grouping
from analysis.language import Language
from analysis.profiles import GroupProfile

CYCLE_WEEKS = 4
"""Weeks until the groups are formed anew. Programmes in use regroup every 2 to 8 weeks."""

REACHABLE = 0.6
"""Share of the students on target in a well-aimed group who can be expected to show the
skill within a cycle. A convention to aim by, not a forecast; the coach may change it."""

CHECK = "please check"


@dataclass(frozen=True)
class Goal:
    """A goal for one coaching cycle.

    Parameters
    ----------
    n_students
        Students in groups.
    baseline
        Of these, how many have shown their group's skill today (count).
    target
        How many are to show it at the end (count), within reach.
    regroup_on
        The day to look again; ``None`` where the answers carry no date.
    """

    n_students: int
    baseline: int
    target: int
    regroup_on: date | None


def suggest_goal(
    grouping: Grouping, last_day: date | None, *, weeks: int = CYCLE_WEEKS
) -> Goal | None:
    """Return a goal from the groups, or ``None`` where there are no groups.

    Parameters
    ----------
    grouping
        Its expected students on target bound what is within reach.
    last_day
        Of the answers the groups rest on.
    weeks
        Length of the cycle.

    Returns
    -------
    Goal or None
    """
    placed = grouping.groups.dropna(subset=["group"])
    if placed.empty:
        return None
    baseline = round(float((1 - placed["need"]).clip(0, 1).sum()))
    on_target = float(grouping.focus["value"].sum())
    target = min(len(placed), baseline + max(1, round(REACHABLE * on_target)))
    regroup_on = None if last_day is None else last_day + timedelta(weeks=weeks)
    return Goal(len(placed), baseline, target, regroup_on)


def coach_questions(
    profiles: Sequence[GroupProfile],
    grouping: Grouping,
    goal: Goal | None,
    language: Language,
    *,
    whole_class: Sequence[str] = (),
) -> list[str]:
    """Return questions a coach may ask about these groups, the most useful first.

    Parameters
    ----------
    profiles, grouping, goal
        Of one classroom.
    language
        To ask in.
    whole_class
        Names of the skills to teach everyone.

    Returns
    -------
    list of str
        Between one and six questions; each leaves the answer to the teacher.
    """
    say = language.say
    to_check = [m for group in profiles for m in group.members if m.certainty == CHECK]
    asked = []
    if profiles:
        first = profiles[0]
        asked.append(
            say(
                "What have you seen in class that fits, or does not fit, group {group} working "
                "on “{skill}”?",
                group=first.group,
                skill=first.focus_name,
            )
        )
    if to_check:
        asked.append(
            language.say_n(
                "{n} student is marked to check first. What would you ask to find out?",
                "{n} students are marked to check first. Whom will you ask today, and what?",
                len(to_check),
            )
        )
    if whole_class:
        asked.append(
            say(
                "Nearly everyone needs “{skill}”. How will your next lesson for all open?",
                skill=whole_class[0],
            )
        )
    if len(grouping.extension):
        asked.append(
            language.say_n(
                "{n} student is ready to go further. What is the next thing to explore?",
                "{n} students are ready to go further. What is the next thing to explore?",
                len(grouping.extension),
            )
        )
    if len(profiles) > 1:
        asked.append(say("While you sit with one group, what do the others work on?"))
    if goal is not None and goal.regroup_on is not None:
        asked.append(
            say(
                "What will you look at on {day} to know that a student can move on?",
                day=language.day(goal.regroup_on),
            )
        )
    return asked or [say("What would you like to find out about this class first?")]


def last_day_of(evidence: pd.DataFrame) -> date | None:
    """Return the day of the last answer, or ``None`` where no answer carries a date."""
    days = evidence["observed_on"].dropna()
    return None if days.empty else days.max().date()
