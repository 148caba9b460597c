"""Every sentence that the grouping itself says, in one place, ready for translation."""

from __future__ import annotations

NO_EVIDENCE = "There is no evidence for this classroom yet: give the first check to everyone."
TOO_FEW = "With {n_students} students, everyone works as one group."
NOTHING_NEEDED = "No listed skill is a next step for enough students to make a group."
GROUPS_PAY = (
    "Separate groups pay: we expect {with_groups:.0%} of the {n_students} assessed students "
    "to work on a skill they need and are ready for; one lesson for all would reach "
    "{one_lesson:.0%}."
)
ONE_LESSON = (
    "The evidence does not support separate skill groups: teach {skill} to the whole "
    "class. The groups are for practice only."
)
ONE_SKILL = (
    "Only {skill} is a next step that enough students share. "
    "The others need something of their own."
)
TEACHER_CHOSE = (
    "The evidence does not support separate skill groups; these groups follow the teacher's rules."
)

LEARNED = "has now shown {former}"
NEEDS_MORE = "needs {present} more now than {former}"
ALONE = "the former group's next step is not this student's: {present} is"
NO_GROUP = "no group shares this student's next step now"
BY_TEACHER = "placed by the teacher"
FOR_SIZE = "moved to keep groups within their sizes"
NOT_SEEN = "is absent or has no evidence in this window"
