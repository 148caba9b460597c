"""Proof that a page is the one that was asked for, made from these rows, and complete."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from html.parser import HTMLParser

from analysis.errors import AnalysisError
from analysis.language import mark, open_language
from analysis.rendering.blocks import render_block

SAID = {
    "classroom": mark(
        "Complete report of classroom {page}, {window}: {students} students, {evidence} rows of "
        "evidence, data {digest}. It holds student records: for the teacher of this classroom "
        "and the coach only."
    ),
    "students": mark(
        "Complete pages of classroom {page}, {window}: {students} students, {evidence} rows of "
        "evidence, data {digest}. Together they are for the teacher; each sheet is for its own "
        "student only."
    ),
    "families": mark(
        "Complete letters of classroom {page}, {window}: {students} students, {evidence} rows of "
        "evidence, data {digest}. Together they are for the teacher; each letter is for its own "
        "family only."
    ),
    "caseload": mark(
        "Complete page of coach {page}, {window}: {students} students, {evidence} rows of "
        "evidence, data {digest}. It holds student records: for this coach only."
    ),
}
"""At the end of a page, by its kind: what it holds, and who may have it."""


_MAY_BE_PROOF = re.compile(r"<[^<>]*data-proof[^<>]*>")
"""Tags to read closely; reading all of a page twice takes longer than making it."""


class WrongPageError(AnalysisError):
    """A page is not the report that was asked for; it is not published."""


@dataclass(frozen=True)
class Proof:
    """What a page says of itself, as its last part: without it a page is not complete.

    Parameters
    ----------
    page_id, window
        Whose page this is (of a classroom's report: the classroom), and of when.
    n_students, n_evidence
        Rows of the roster and of the evidence it was made from.
    digest
        Of those rows.
    language
        Of the page.
    kind
        Of the page; see :mod:`analysis.rendering.kinds`.
    """

    page_id: str
    window: str
    n_students: int
    n_evidence: int
    digest: str
    language: str = "en"
    kind: str = "classroom"

    def _repr_html_(self) -> str:
        language = open_language(self.language)
        said = language.say(
            SAID[self.kind],
            page=self.page_id,
            window=self.window,
            students=language.number(self.n_students),
            evidence=language.number(self.n_evidence),
            digest=self.digest[:12],
        )
        return render_block("proof", language, proof=self, said=said).html


def check_proof(page: str, expected: Proof) -> None:
    """Compare what a page says of itself with what was asked for.

    Raises
    ------
    WrongPageError
        The page has no proof, more than one, or a wrong one.
    """
    reader = _ProofReader()
    reader.feed("".join(_MAY_BE_PROOF.findall(page)))
    if len(reader.found) != 1:
        raise WrongPageError(
            f"The page of {expected.page_id} is not complete: it holds "
            f"{len(reader.found)} proofs in place of one."
        )
    given = {name: str(value) for name, value in asdict(expected).items()}
    given.pop("language")
    wrong = [name for name, value in given.items() if reader.found[0].get(name) != value]
    if wrong:
        raise WrongPageError(
            f"The page made for {expected.page_id} is of other data: "
            f"{', '.join(wrong)} differ. It was not published."
        )


class _ProofReader(HTMLParser):
    """Collects the ``data-`` attributes of each element that has a ``data-proof``."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name.removeprefix("data-").replace("-", "_"): value or "" for name, value in attrs}
        if "proof" in given:
            self.found.append(given)
