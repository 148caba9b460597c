"""Every sentence that the grouping itself says, in one place, marked for translators."""

from __future__ import annotations

from analysis.language import mark

NO_EVIDENCE = mark("There is no evidence for this classroom yet: give the first check to everyone.")
TOO_FEW = mark("With {n_students} students, everyone works as one group.")
NOTHING_NEEDED = mark("No listed skill is a next step for enough students to make a group.")
GROUPS_PAY = mark(
    "Separate groups pay: we expect {with_groups} of the {n_students} assessed students to work "
    "on a skill they need and are ready for; one lesson for all would reach {one_lesson}."
)
ONE_LESSON = mark(
    "The evidence does not support separate skill groups: teach {skill} to the whole class. The "
    "groups are for practice only."
)
ONE_SKILL = mark(
    "Only {skill} is a next step that enough students share. The others need something of their "
    "own."
)
TEACHER_CHOSE = mark(
    "The evidence does not support separate skill groups; these groups follow the teacher's rules."
)

LEARNED = mark("has now shown {former}")
NEEDS_MORE = mark("needs {present} more now than {former}")
ALONE = mark("the former group's next step is not this student's: {present} is")
NO_GROUP = mark("no group shares this student's next step now")
BY_TEACHER = mark("placed by the teacher")
FOR_SIZE = mark("moved to keep groups within their sizes")
NOT_SEEN = mark("is absent or has no evidence in this window")
