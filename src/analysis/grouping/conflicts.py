"""When no seating follows all rules: the smallest set that disagrees, and what to relax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from analysis.errors import UsageError
from analysis.grouping.rules import Kind, Rule

RELAX = {
    Kind.MIN_SIZE: "allow smaller groups",
    Kind.MAX_SIZE: "allow larger groups",
    Kind.N_GROUPS: "ask for another number of groups, or leave the number open",
    Kind.MIN_FIT: "lower min_fit, so that students who fit a focus less well may join",
    Kind.LEAST_SHARE: "lower least_share, so that fewer of a group need be on target",
    Kind.TOGETHER: "let one of these students sit elsewhere",
    Kind.APART: "let two of these students sit together",
    Kind.FIXED: "let this student be placed by need",
    Kind.WANTED: "do not ask for this focus",
    Kind.EXCLUDED: "allow this focus",
}


def smallest_conflict(rules: Sequence[Rule], feasible: Callable[[list[Rule]], bool]) -> list[Rule]:
    """Return rules that cannot all be followed though any one fewer could.

    A deletion filter (Chinneck & Dravnieks 1991, ORSA Journal on Computing 3(2)): drop each
    rule in turn and keep it only if the others then agree.

    Parameters
    ----------
    rules
        Rules that disagree.
    feasible
        Whether a list of rules can be followed.

    Examples
    --------
    >>> rules = [Rule(Kind.MIN_SIZE, number=3), Rule(Kind.MAX_SIZE, number=6)]
    >>> [rule.kind.value for rule in smallest_conflict(rules, lambda kept: rules[0] not in kept)]
    ['min_size']
    """
    kept = list(rules)
    for rule in rules:
        without = [other for other in kept if other is not rule]
        if not feasible(without):
            kept = without
    return kept


def conflict_error(
    conflict: Sequence[Rule], students: Sequence[Any], skills: Sequence[Any]
) -> UsageError:
    """Return the error that names the rules in conflict and what to relax.

    Parameters
    ----------
    conflict
        The smallest set of rules that disagree.
    students, skills
        Their ids, by position.
    """
    said = "\n".join(f"- {describe_rule(rule, students, skills)}" for rule in conflict)
    ways = dict.fromkeys(RELAX[rule.kind] for rule in conflict)
    return UsageError(
        f"No grouping of {len(students)} students follows all of these rules together:\n{said}\n"
        f"Relax one of them: {'; or '.join(ways)}."
    )


def describe_rule(rule: Rule, students: Sequence[Any], skills: Sequence[Any]) -> str:
    """Return a rule in words, with the ids it is about.

    Examples
    --------
    >>> describe_rule(Rule(Kind.APART, students=(0, 1)), ["s1", "s2"], [])
    'apart: s1, s2'
    """
    if rule.number is not None:
        return f"{rule.kind} = {rule.number:g}"
    named = [str(students[student]) for student in rule.students]
    if rule.skill is not None:
        named.append(f"focus {skills[rule.skill]}")
    return f"{rule.kind}: {', '.join(named)}"
