"""The sentences of profiles, with named places for what changes, so that they translate."""

from __future__ import annotations

from analysis.language import Language, mark

SURE, FAIRLY_SURE = 0.8, 0.6
"""Share of posterior draws from which a placement is called sure, or fairly sure."""

SAY = {
    "sure": mark("sure"),
    "fairly sure": mark("fairly sure"),
    "check": mark("please check"),
    "not yet": mark("Has not yet shown “{skill}” ({shown})."),
    "maybe not yet": mark("May not yet have “{skill}” ({shown})."),
    "seems to have": mark("Seems to have “{skill}” ({shown}); please check."),
    "no evidence": mark("No evidence on “{skill}” yet; placed by the teacher."),
    "comes first": mark("Has what comes first: {skills}."),
    "warm up first": mark("Warm up {skills} first."),
    "seems to have it": mark("Seems to have it."),
    "points": mark("{points} of {possible} points"),
    "not asked": mark("not asked; estimated"),
    "group": mark("We expect {n_right} of {n_students} to need this and to be ready for it."),
    "groups pay": mark(
        "With these groups we expect {with_groups} of the assessed students to work on a skill "
        "they need and are ready for; one lesson for all would reach {one_lesson}."
    ),
    "no groups": mark(
        "The evidence does not support separate skill groups: teach “{skill}” to the whole "
        "class. The groups are for practice."
    ),
    "nothing needed": mark("No listed skill is a next step for enough students to make a group."),
    "no evidence yet": mark(
        "There is no evidence for this classroom yet: give the first check to everyone."
    ),
    "one skill": mark(
        "Only “{skill}” is a next step that enough students share. The others need something "
        "of their own."
    ),
    "too few": mark("With so few students, everyone works as one group."),
    "teacher chose": mark(
        "The evidence does not support separate skill groups; these follow the teacher's rules."
    ),
    "whole class": mark(
        "{share} of the class need “{skill}” and are ready for it: teach it to everyone."
    ),
}
"""Every sentence and word said here."""


def said(language: Language, sentence: str, **values: object) -> str:
    """Return a sentence of :data:`SAY` in a language, its named places filled."""
    return language.say(SAY[sentence], **values)


def certainty_word(share: float) -> str:
    """Return how sure a placement is, from the share of draws that agree with it."""
    word = "sure" if share >= SURE else "fairly sure" if share >= FAIRLY_SURE else "check"
    return SAY[word]
