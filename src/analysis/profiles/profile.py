"""What is told of a group and of a class."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SkillCount:
    """A skill, and how many of the students with evidence it is true for."""

    skill_id: str
    name: str
    n_students: int
    n_assessed: int


@dataclass(frozen=True)
class WarmUp:
    """A prerequisite of the focus: how many have shown it, and how to warm it up."""

    skill_id: str
    name: str
    text: str
    n_students: int
    n_assessed: int


@dataclass(frozen=True)
class Question:
    """A first question to ask, its answer and what to look for (empty: not given)."""

    question: str
    answer: str
    look_for: str


@dataclass(frozen=True)
class Member:
    """A student of a group: how sure the place is, and why it is this one.

    ``certainty`` is a word; ``share`` the share of posterior draws behind it (0 to 1,
    missing without evidence); ``shown`` the evidence on the focus in a few words; ``why``
    the reason in a sentence; ``note`` what is unusual, empty for most;
    ``alternative_group`` is ``None`` where no other group fits.
    """

    student_id: str
    display_name: str
    certainty: str
    share: float
    shown: str
    why: str
    note: str
    alternative_group: int | None


@dataclass(frozen=True)
class GroupProfile:
    """One group in words and numbers."""

    group: int
    size: int
    focus_skill_id: str
    focus_name: str
    i_can: str
    summary: str
    expected_on_target: float
    certainty: str
    members: list[Member]
    shared_needs: list[SkillCount]
    already_have: list[SkillCount]
    warm_up: list[WarmUp]
    questions: list[Question]


@dataclass(frozen=True)
class ClassProfile:
    """The whole class: verdict, counts, what to teach everyone, what most have shown."""

    n_students: int
    counts: str
    verdict: str
    whole_class: list[str]
    needs: list[SkillCount]
    has: list[SkillCount]
