"""Facts about classrooms and subgroups as sentences."""

from __future__ import annotations

from typing import NamedTuple

from analysis.equity import Sorting
from analysis.language import Language, mark
from analysis.priorities import Fact
from analysis.privacy import code_share

SAY = {
    Fact.MISSING: mark("Only {value} of the students have answers."),
    Fact.FEW_ANSWERS: mark("Few answers: {value} a student; {usual} is usual."),
    Fact.LITTLE_GROWTH: mark(
        "Less growth: {value} skills a student; students who started alike gained {usual}."
    ),
    Fact.MUCH_GROWTH: mark(
        "More growth: {value} skills a student; students who started alike gained {usual}. "
        "Ask what worked."
    ),
    Fact.BEHIND: mark("Far below its grade: {value} skills a student; others hold {usual}."),
    Fact.AHEAD: mark("Far above its grade: {value} skills a student; others hold {usual}."),
    Fact.TWO_HALVES: mark(
        "Two classes in one: students stand {value} skills apart; {usual} is usual."
    ),
    Fact.ONE_SKILL: mark(
        "Hardly anybody holds “{skill}”, though the class is ready; {usual} of the grade do."
    ),
    Fact.NEW_TEACHER: mark("The teacher is in the first year."),
    Fact.SHARED_STUDENT: mark("Shares a student with another classroom."),
    Fact.SAME_NAME: mark("Two students have the same name."),
}
SHARES = {Fact.MISSING, Fact.ONE_SKILL}
"""Facts whose numbers are shares; the others count skills, answers or years."""


class Said(NamedTuple):
    """One comparison of a subgroup in words: who, what, and how it stands out."""

    subgroup: str
    measure: str
    own: str
    others: str
    effect: str
    p: str
    stands_out: bool


def say_fact(fact: str, value: float, usual: float, skill: str | None, language: Language) -> str:
    """Return a fact of :func:`analysis.priorities.list_notable` as a sentence.

    Examples
    --------
    >>> from analysis.language import open_language
    >>> say_fact("few answers", 10.0, 41.0, None, open_language("en"))
    'Few answers: 10 a student; 41 is usual.'
    """
    fact = Fact(fact)
    show = language.percent if fact in SHARES else lambda number: language.number(round(number, 1))
    # A missing number is no number to show.
    said_usual = "" if usual != usual else show(usual)
    return language.say(SAY[fact], value=show(value), usual=said_usual, skill=skill or "")


def say_sorting(sorting: Sorting, language: Language, smallest: int) -> Said:
    """Return a comparison in words; one about too few students shows no number."""
    name = f"{sorting.subgroup}: {sorting.value}"
    if sorting.effect is None or sorting.adjusted is None:
        hidden = language.say("fewer than {n}", n=smallest)
        return Said(name, _measure(sorting, language), hidden, hidden, "", "", False)
    return Said(
        name,
        _measure(sorting, language),
        _amount(sorting, sorting.mean, sorting.n, language, smallest),
        _amount(sorting, sorting.mean_others, sorting.n_others, language, smallest),
        language.number(sorting.effect, 2),
        language.number(sorting.adjusted, 3),
        sorting.stands_out,
    )


def _measure(sorting: Sorting, language: Language) -> str:
    said = {
        "beyond": mark("skills gained beyond students who started alike"),
        "earliest": mark("share in the group with the earliest skills"),
    }
    return language.say(said[sorting.measure])


def _amount(
    sorting: Sorting, mean: float | None, n: int | None, language: Language, smallest: int
) -> str:
    if mean is None or n is None:
        return ""
    if sorting.measure != "earliest":
        return language.number(mean, 1)
    coded = code_share(mean * n, n, smallest=smallest)
    end, share = ("", mean) if coded is None else coded
    said = {"under": mark("under {share}"), "over": mark("over {share}"), "": "{share}"}[end]
    return language.say(said, share=language.percent(share))
