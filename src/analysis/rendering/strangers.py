"""No other classroom's student on a page: looked for by id and by name before publishing."""

from __future__ import annotations

from collections.abc import Collection
from html import unescape

from analysis.audit.markup import pictures_in
from analysis.audit.people import Audience, People
from analysis.audit.pictures import texts_in_picture
from analysis.rendering.proof import WrongPageError


class Strangers(People):
    """Everybody on the rosters, ready to be looked for in a page that is not theirs.

    Parameters
    ----------
    roster
        Of all classrooms (:data:`analysis.tables.ROSTER`).
    """

    def found_in(self, text: str, classroom_ids: Collection[str]) -> list[str]:
        """Return the ids of other classrooms' students whose id or name is in a page.

        Also inside its pictures, where a drawing or a text chunk may hold a name. A name
        that also is, or is part of, a name said in these classrooms is no stranger's.
        """
        inside = [said for picture in pictures_in(text) for said in texts_in_picture(picture)]
        audience = Audience.of(classrooms=classroom_ids)
        return self.strangers_in("\n".join([unescape(text), *inside]), audience)

    def check(self, text: str, page_id: str, classroom_ids: Collection[str]) -> None:
        """Stop a page that shows another classroom's student.

        Raises
        ------
        WrongPageError
            With the count; the ids stay out of messages and logs.
        """
        if found := self.found_in(text, classroom_ids):
            raise WrongPageError(
                f"The page made for {page_id} shows {len(found)} students of "
                "other classrooms. It was not published."
            )
