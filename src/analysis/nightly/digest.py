"""The digest of a run, as a coach reads it on a phone in the morning.

The first line says whether all is well. It names files, classrooms and counts, never a
student: it may travel as an e-mail. What may quote a file is in ``details.txt``, at home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from analysis.language import Language, mark
from analysis.nightly.causes import Cause, reason_of
from analysis.nightly.night import Night, Overdue

MOST_LINES = 8
"""Lines of one kind; the others are counted."""

WHAT_FAILED = {
    "inbox": mark("The inbox could not be looked into"),
    "import": mark("The new files could not be read"),
    "calibrate": mark("The answers of all classrooms could not be weighed"),
    "report": mark("The pages could not be made"),
    "audit": mark("The new pages were held back"),
    "publish": mark("The new pages could not be published"),
    "share": mark("The bundles could not be made"),
    "compare": mark("It could not be counted who changed group and whose data are missing"),
}


@dataclass(frozen=True)
class Digest:
    """What a run has to say.

    Parameters
    ----------
    subject
        One line, the digest's first.
    text
        All of it.
    needs
        How many things somebody must see to.
    """

    subject: str
    text: str
    needs: int


def write_digest(
    night: Night,
    language: Language,
    *,
    names_student: Callable[[str], bool],
    details: str | None,
) -> Digest:
    """Return the digest of a run.

    Parameters
    ----------
    night
        What it did.
    language
        To say it in.
    names_student
        Whether a file's name names somebody on the rosters; then it is not said.
    details
        Where the details are; ``None``: there are none.
    """
    writer = _Writer(night, language, names_student)
    needs = writer.needs()
    first = writer.first_line(len(needs))
    parts = [first]
    if needs:
        parts.append("\n".join(f"{n}. {said}" for n, said in enumerate(needs, 1)))
        if shown := writer.still_shown():
            parts.append(shown)
    parts += writer.facts()
    if details:
        parts.append(language.say("Details, not to be passed on: {file}", file=details))
    return Digest(first, "\n\n".join(parts) + "\n", len(needs))


class _Writer:
    """Says one run."""

    def __init__(self, night: Night, language: Language, names_student: Callable[[str], bool]):
        self.night = night
        self.say, self.say_n = language.say, language.say_n
        self.language = language
        self.names_student = names_student

    def first_line(self, n_needs: int) -> str:
        """Say whether all is well."""
        if n_needs:
            return self.say_n("{n} thing needs you.", "{n} things need you.", n_needs)
        n_new = sum(one.n_made for one in self.night.pages if one.is_new)
        if n_new:
            said = self.say_n("{n} new page", "{n} new pages", n_new)
            return self.say("All is well: {what}.", what=said)
        return self.say("All is well: nothing new.")

    # -- what somebody must see to ------------------------------------------------------

    def needs(self) -> list[str]:
        """Return what somebody must see to, the gravest first."""
        refused = self.night.taken.refused if self.night.taken else {}
        return [
            *self._steps(),
            *self._some(self._refused(name, refused[name]) for name in sorted(refused)),
            *self._some(self._overdue(one) for one in self.night.overdue),
            *self._some(self._pages()),
        ]

    def _steps(self) -> list[str]:
        said = []
        for step in self.night.failed_steps:
            cause = self.night.causes.get(step.step)
            if cause is None:
                continue
            what = self.say(WHAT_FAILED[step.step])
            said.append(self.say("{what}: {cause}.", what=what, cause=self.say(cause)))
            if hint := self._hint(step.step, cause):
                said[-1] += " " + hint
        return said

    def _hint(self, step: str, cause: Cause) -> str:
        if step == "inbox":
            return self.say("Is the folder there, and its drive connected?")
        return {
            Cause.FULL: self.say("Make room; the next run goes on by itself."),
            Cause.LOCKED: self.say("The next run does it."),
            Cause.STOPPED: self.say("The next run goes on by itself."),
            Cause.LEAK: self.say("Ask those who run this to look before anything is shared."),
        }.get(cause, "")

    def _refused(self, name: str, message: str) -> str:
        return self.say(
            "{file} could not be used: {reason}. It stays in the inbox; put a better one in its "
            "place.",
            file=self._named(name),
            reason=self.say(reason_of(message)),
        )

    def _overdue(self, one: Overdue) -> str:
        if one.days is None:
            return self.say("No file {files} has come yet.", files=one.files)
        return self.say_n(
            "No new file {files} for {n} day.", "No new file {files} for {n} days.", one.days,
            files=one.files,
        )  # fmt: skip

    def _pages(self) -> Iterable[str]:
        for pages in self.night.pages:
            for page_id in pages.failed:
                what = {
                    "classroom": self.say("The page of {page}", page=page_id),
                    "caseload": self.say("The page of coach {page}", page=page_id),
                    "students": self.say("The students' pages of {page}", page=page_id),
                    "families": self.say("The letters of {page}", page=page_id),
                }[pages.kind]
                yield self.say(
                    "{what} could not be made; the last good one, if any, is still shown.",
                    what=what,
                )

    def still_shown(self) -> str:
        """Say which edition is shown, where a new one was to be made and was not."""
        published = next((s for s in self.night.steps if s.step == "publish"), None)
        edition = self.night.edition
        if published is None or edition is None or self.night.is_new():
            return ""
        return self.say("The pages of {day} are shown.", day=self._day(_moment(edition)))

    # -- what happened ------------------------------------------------------------------

    def facts(self) -> list[str]:
        """Return what was done and what is worth knowing, a paragraph each."""
        found = [
            self._killed(),
            self._lost(),
            self._read(),
            self._waiting(),
            self._open(),
            self._made(),
            self._missing(),
            self._moved(),
            self._shared(),
        ]
        return [one for one in found if one]

    def _killed(self) -> str:
        if self.night.killed_before is None:
            return ""
        when = self._when(self.night.killed_before)
        if self.night.exit_code:
            return self.say("The run of {when} was cut off before its end.", when=when)
        return self.say(
            "The run of {when} was cut off before its end; this one has made it good.", when=when
        )

    def _lost(self) -> str:
        lost = self.night.message_lost
        return self.say("The message of the run before could not be sent.") if lost else ""

    def _read(self) -> str:
        taken = self.night.taken
        if taken is None:
            return ""
        said = []
        if taken.read:
            files = self.say_n("{n} file", "{n} files", len(taken.read))
            rows = self.say_n("{n} row", "{n} rows", taken.rows_read)
            said.append(self.say("Read: {files}, {rows}.", files=files, rows=rows))
            if taken.rows_set_aside:
                said.append(
                    self.say_n(
                        "{n} row was set aside.", "{n} rows were set aside.", taken.rows_set_aside
                    )
                )
        if taken.copies:
            said.append(
                self.say_n(
                    "{n} file had been read before under another name.",
                    "{n} files had been read before under another name.",
                    len(taken.copies),
                )
            )
        return " ".join(said)

    def _waiting(self) -> str:
        waiting = self.night.look.waiting if self.night.look else []
        return "\n".join(
            self._some(
                self.say("{file} is still being copied; it is read next time.",
                         file=self._named(name))
                for name in waiting
            )
        )  # fmt: skip

    def _open(self) -> str:
        rows = self.night.taken.open_rows if self.night.taken else {}
        return "\n".join(
            self._some(
                self.say_n(
                    "{n} row of {file} waits for a roster or items that know it.",
                    "{n} rows of {file} wait for a roster or items that know them.",
                    rows[name], file=self._named(name),
                )
                for name in sorted(rows)
            )
        )  # fmt: skip

    def _made(self) -> str:
        n = {one.kind: one.n_made for one in self.night.pages if one.is_new and one.n_made}
        say_n = self.say_n
        said = {
            "classroom": lambda n: say_n("{n} classroom", "{n} classrooms", n),
            "caseload": lambda n: say_n("{n} coach's page", "{n} coaches' pages", n),
            "students": lambda n: say_n(
                "students' pages of {n} classroom", "students' pages of {n} classrooms", n
            ),
            "families": lambda n: say_n("letters of {n} classroom", "letters of {n} classrooms", n),
        }
        if not n:
            return ""
        what = self.language.all_of(said[kind](count) for kind, count in n.items())
        return self.say("New pages: {what}.", what=what)

    def _missing(self) -> str:
        missing = self.night.missing or []
        everybody = [one for one in missing if one.is_all]
        some = [one for one in missing if not one.is_all]
        said = []
        if everybody:
            named = self._list([
                self.say_n("{classroom} ({n} student)", "{classroom} ({n} students)",
                           one.n_students, classroom=one.classroom_id)
                for one in everybody
            ])  # fmt: skip
            said.append(self.say("No data in {window}: {list}.", window=self.night.window,
                                 list=named))  # fmt: skip
        if some:
            named = self._list([self._of(one.classroom_id, one.n_missing, one.n_students)
                                for one in some])  # fmt: skip
            said.append(self.say("Students without data in {window}: {list}.",
                                 window=self.night.window, list=named))  # fmt: skip
        return "\n".join(said)

    def _moved(self) -> str:
        compared = self.night.compared
        if compared is None or not compared.moved:
            return ""
        named = [self._of(one.classroom_id, one.n_moved, one.n_students) for one in compared.moved]
        said = self.say("Changed group: {list}.", list=self._list(named))
        if not compared.is_whole:
            said += " " + self.say("Not all classrooms were compared.")
        return said

    def _shared(self) -> str:
        say_n = self.say_n
        said = {
            "teachers": lambda n: say_n("{n} bundle for teachers", "{n} bundles for teachers", n),
            "coach": lambda n: say_n("{n} bundle for coaches", "{n} bundles for coaches", n),
            "families": lambda n: say_n("{n} bundle for families", "{n} bundles for families", n),
        }
        made = [said[name](n) for name, n in self.night.shared.items()]
        return self.say("Ready to hand out: {what}.", what=self.language.all_of(made)) if made \
            else ""  # fmt: skip

    # -- how things are said ------------------------------------------------------------

    def _of(self, classroom_id: str, n: int, n_all: int) -> str:
        return self.say("{classroom} ({n} of {all})", classroom=classroom_id, n=n, all=n_all)

    def _list(self, named: Sequence[str]) -> str:
        more = len(named) - MOST_LINES
        shown = list(named[:MOST_LINES])
        if more > 0:
            shown.append(self.say_n("{n} more", "{n} more", more))
        return self.language.all_of(shown)

    def _some(self, lines: Iterable[str]) -> list[str]:
        lines = list(lines)
        more = len(lines) - MOST_LINES
        rest = [self.say_n("And {n} more like this.", "And {n} more like this.", more)]
        return lines[:MOST_LINES] + (rest if more > 0 else [])

    def _named(self, name: str) -> str:
        """Return a file's name, unless it names a student."""
        if not self.names_student(name):
            return name
        ending = PurePosixPath(name).suffix
        return self.say("A file ({ending}) whose name names a student", ending=ending)

    def _day(self, moment: datetime) -> str:
        return self.language.day(moment.astimezone().date())

    def _when(self, moment: datetime) -> str:
        local = moment.astimezone()
        return self.say("{day}, {time}", day=self.language.day(local.date()),
                        time=f"{local:%H:%M}")  # fmt: skip


def _moment(edition: str) -> datetime:
    """Return when an edition's making began, by its name."""
    return datetime.strptime(edition, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
