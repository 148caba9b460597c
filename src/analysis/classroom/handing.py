"""The groups a classroom's page shows, for those who ask after the page was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analysis.classroom.looks import Classroom
from analysis.classroom.opening import open_classroom
from analysis.settings import Settings
from analysis.sharing.groups import Seats, group_files


def open_as_published(settings: Settings, classroom_id: str, window: str) -> Classroom:
    """Open a classroom as the settings have its page made."""
    return open_classroom(
        classroom_id,
        window=window,
        data_dir=settings.store,
        min_size=settings.min_size,
        max_size=settings.max_size,
        n_groups=settings.n_groups,
        use_wishes=settings.use_wishes,
        language=settings.language,
        cycle_weeks=settings.cycle_weeks,
    )


def groups_to_share(settings: Settings, window: str) -> Callable[[str], Mapping[str, bytes]]:
    """Return what makes the files of a classroom's groups: those its page shows."""

    def make(classroom_id: str) -> Mapping[str, bytes]:
        classroom = open_as_published(settings, classroom_id, window)
        focus = classroom.grouping.focus["focus_skill_id"]
        seats = Seats(
            classroom_id,
            window,
            groups=classroom.grouping.groups,
            names={one: classroom.name_of(one) for one in classroom.roster["student_id"]},
            skills={one: classroom.framework.name_of(one) for one in focus},
            i_can={one: classroom.framework.i_can(one) for one in focus},
        )
        return group_files(seats, classroom.language)

    return make
