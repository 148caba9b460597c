"""The kinds of pages: which notebook makes them, of which data, where they are published.

The run, the plan, the workers and the editions know no kind: they ask it. A new kind of
page is a class here, its notebook, and its parameters in :mod:`analysis.settings`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from analysis.errors import UnknownError
from analysis.files import digest_of
from analysis.language import Language, mark
from analysis.settings import (
    CaseloadParameters,
    PageParameters,
    ReportParameters,
    Settings,
    StudentParameters,
    check_parameters,
)
from analysis.store.index import StoreIndex

if TYPE_CHECKING:  # a page's parts take long to import; a run that makes none need not wait
    from analysis.rendering.proof import Proof


class PageKind(ABC):
    """One kind of pages; a page of it is named by a ``page_id``."""

    name: ClassVar[str]
    """In proofs and on the command line."""

    notebook: ClassVar[str]
    """File name in the folder of notebooks."""

    parameters: ClassVar[type[PageParameters]]
    """What the notebook declares."""

    folder: ClassVar[str] = ""
    """Where editions are published, below the settings' ``out``; pages for other readers
    never lie beside each other."""

    @abstractmethod
    def page_ids(self, index: StoreIndex) -> list[str]:
        """Return the ids of all pages a store has data for, in natural order."""

    @abstractmethod
    def classroom_ids(self, index: StoreIndex, page_id: str) -> list[str]:
        """Return the classrooms whose rows the page is made from."""

    @abstractmethod
    def given(self, page_id: str, settings: Settings) -> dict[str, Any]:
        """Return the parameters of a page, but for those that all kinds have."""

    @abstractmethod
    def title(self, page_id: str, window: str, language: Language) -> str:
        """Return the title of a page."""

    def sheet_title(self, language: Language) -> str:
        """Return the title of one sheet's page; empty where the notebook shows no sheets."""
        return ""

    def about(self, index: StoreIndex, page_id: str) -> dict[str, str | None]:
        """Return what the index of an edition shows beside the page's id."""
        return {}

    def published_in(self, settings: Settings) -> Path:
        """Return the folder of this kind's editions."""
        return settings.out / self.folder

    def check(self, index: StoreIndex, page_id: str) -> None:
        """Stop when the store knows no such page.

        Raises
        ------
        UnknownError
            Naming the one that may have been meant.
        """
        known = self.page_ids(index)
        if page_id not in known:
            raise UnknownError.of(self.name, page_id, known, str(index.folder))

    def rows_of(self, index: StoreIndex, window: str, page_id: str) -> tuple[int, int]:
        """Return the rows of the roster and of the window's evidence a page is made from."""
        classrooms = self.classroom_ids(index, page_id)
        evidence = [index.evidence_part(one, window) for one in classrooms]
        students = sum(index.roster_part(one).rows for one in classrooms)
        return students, sum(part.rows for part in evidence if part is not None)

    def data_digest(self, index: StoreIndex, page_id: str, parameters: PageParameters) -> str:
        """Return a digest of the rows a page is made from."""
        return index.digest(parameters.window, self.classroom_ids(index, page_id))

    def parameters_of(
        self, index: StoreIndex, window: str, page_id: str, settings: Settings
    ) -> PageParameters:
        """Return the checked parameters of a page.

        Raises
        ------
        UsageError
            A setting is out of range.
        """
        common = {
            "window": window,
            "data_dir": str(index.folder.resolve()),
            "language": settings.language,
        }
        return check_parameters(common | self.given(page_id, settings), model=self.parameters)

    def expected(self, index: StoreIndex, page_id: str, parameters: PageParameters) -> Proof:
        """Return what a page must say of itself."""
        from analysis.rendering.proof import Proof

        window = parameters.window
        n_students, n_evidence = self.rows_of(index, window, page_id)
        return Proof(
            page_id=page_id,
            window=window,
            n_students=n_students,
            n_evidence=n_evidence,
            digest=self.data_digest(index, page_id, parameters),
            language=parameters.language,
            kind=self.name,
        )


class ClassroomPages(PageKind):
    """A classroom's report, for its teacher."""

    name = "classroom"
    notebook = "classroom_report.ipynb"
    parameters = ReportParameters

    def page_ids(self, index: StoreIndex) -> list[str]:
        """Return all classrooms."""
        return index.classroom_ids

    def classroom_ids(self, index: StoreIndex, page_id: str) -> list[str]:
        """Return the classroom alone."""
        return [page_id]

    def given(self, page_id: str, settings: Settings) -> dict[str, Any]:
        """Return the classroom and the rules of its groups."""
        names = {"min_size", "max_size", "n_groups", "use_wishes", "cycle_weeks"}
        sizes = settings.model_dump(include=names)
        return {"classroom_id": page_id, **sizes}

    def title(self, page_id: str, window: str, language: Language) -> str:
        """Return what the page shows, of whom and when."""
        said = mark("Classroom {classroom}, {window}: student groups")
        return language.say(said, classroom=page_id, window=window)

    def about(self, index: StoreIndex, page_id: str) -> dict[str, str | None]:
        """Return the classroom's teacher, school and grade."""
        return index.about(page_id)


class StudentPages(ClassroomPages):
    """The students' own pages: one page of a classroom's sheets, and one page a student."""

    name = "students"
    notebook = "student_page.ipynb"
    parameters = StudentParameters
    folder = "students"
    reader: ClassVar[str] = "student"

    def given(self, page_id: str, settings: Settings) -> dict[str, Any]:
        """Return what its report is made from, and who reads the pages."""
        return super().given(page_id, settings) | {"reader": self.reader}

    def title(self, page_id: str, window: str, language: Language) -> str:
        """Return what the page shows, of whom and when."""
        said = mark("Classroom {classroom}, {window}: a page for each student")
        return language.say(said, classroom=page_id, window=window)

    def sheet_title(self, language: Language) -> str:
        """Return the title of one student's page, which names nobody."""
        return language.say(mark("My own page"))


class FamilyPages(StudentPages):
    """The same as letters to the students' families."""

    name = "families"
    folder = "families"
    reader = "family"

    def title(self, page_id: str, window: str, language: Language) -> str:
        """Return what the page shows, of whom and when."""
        said = mark("Classroom {classroom}, {window}: a letter to each family")
        return language.say(said, classroom=page_id, window=window)

    def sheet_title(self, language: Language) -> str:
        """Return the title of one family's letter, which names nobody."""
        return language.say(mark("A letter to the family"))


class CaseloadPages(PageKind):
    """A coach's page over all classrooms, for the coach alone."""

    name = "caseload"
    notebook = "caseload_report.ipynb"
    parameters = CaseloadParameters
    folder = "caseload"

    def page_ids(self, index: StoreIndex) -> list[str]:
        """Return all coaches."""
        return index.coach_ids

    def classroom_ids(self, index: StoreIndex, page_id: str) -> list[str]:
        """Return the coach's classrooms."""
        return index.classrooms_of(page_id)

    def given(self, page_id: str, settings: Settings) -> dict[str, Any]:
        """Return the coach, the log of visits, and how groups and figures are made."""
        names = {"min_size", "max_size", "cycle_weeks", "smallest_cell"}
        visits = str(settings.visits.resolve())
        return {"coach_id": page_id, "visits": visits, **settings.model_dump(include=names)}

    def title(self, page_id: str, window: str, language: Language) -> str:
        """Return what the page shows, of whom and when."""
        return language.say(mark("Caseload of {coach}, {window}"), coach=page_id, window=window)

    def data_digest(self, index: StoreIndex, page_id: str, parameters: PageParameters) -> str:
        """Return a digest of the classrooms' rows, of what is kept for the coach, and the log."""
        visits = Path(parameters.model_dump()["visits"])
        log = visits.read_bytes() if visits.is_file() else b""
        rows = super().data_digest(index, page_id, parameters)
        return digest_of(rows.encode(), index.coach_only_digest().encode(), log)


CLASSROOMS = ClassroomPages()
STUDENTS = StudentPages()
FAMILIES = FamilyPages()
CASELOADS = CaseloadPages()


def kind_named(name: str) -> PageKind:
    """Return the kind of pages of a name.

    Raises
    ------
    UnknownError
        There is no such kind.

    Examples
    --------
    >>> kind_named("classroom").notebook
    'classroom_report.ipynb'
    """
    kinds = {kind.name: kind for kind in (CLASSROOMS, STUDENTS, FAMILIES, CASELOADS)}
    if name not in kinds:
        raise UnknownError.of("kind of pages", name, list(kinds), "This version")
    return kinds[name]
