"""An executed notebook as one self-contained page: no code, no script, no request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from analysis.audit.findings import Leak
from analysis.audit.markup import read_markup
from analysis.audit.wording import leaks_in_text
from analysis.errors import AnalysisError
from analysis.language import Language, open_language
from analysis.rendering.blocks import CONTENT_POLICY, render_block

if TYPE_CHECKING:  # an index is checked by a run that need not wait for notebooks
    from analysis.rendering.notebooks import NotebookNode

SHOWN = ("execute_result", "display_data")
"""Kinds of output in which a cell shows something, not prints or fails."""

FILLER = "No description has been provided for this image"
"""What nbconvert says of a picture when nobody said anything."""


class UnfitPageError(AnalysisError):
    """A page breaks a rule every page of ours keeps; it is not published."""


def make_page(notebook: NotebookNode, *, title: str, language: Language | None = None) -> str:
    """Return the page of an executed notebook.

    Parameters
    ----------
    notebook
        Executed; its code, logs and warnings stay out of the page.
    title
        Of the page, as plain text.
    language
        The notebook's prose is said in it; English by default.

    Raises
    ------
    UnfitPageError
        The page would make a request, run a script, or show a picture without words.
    """
    language = language or open_language()
    parts = list(_shown(notebook, language))
    page = render_block("page", language, title=title, parts=parts).html
    check_page(page)
    return page


def _shown(notebook: NotebookNode, language: Language) -> Iterator[str]:
    """Give a notebook's prose, in a language, and what its cells show, as HTML."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield _prose_to_html(language.say(cell.source))
        for output in cell.get("outputs", []):
            if output.output_type in SHOWN and "text/html" in output.data:
                yield output.data["text/html"]


def check_page(page: str) -> None:
    """Stop a page that could run, request or hide something, or tells what it should not.

    Paths, tracebacks, logs and the like; and a picture without words. Students who do not
    belong on it are looked for by the one process that knows all of them.

    Raises
    ------
    UnfitPageError
        Naming each fault, and not what it shows.
    """
    seen = read_markup(page)
    # A student may be known by an e-mail address; whose it is, the roster must tell.
    told = [one for one in leaks_in_text(seen.text) if one[0] is not Leak.CONTACT]
    faults = [f"{leak.value}, {where}" for leak, where in seen.leaks + told]
    if seen.policies != [CONTENT_POLICY]:
        faults.append(f"{len(seen.policies)} content policies in place of our one")
    if any(alt in ("", FILLER) for alt in seen.alts):
        faults.append("a picture without words")
    if faults:
        raise UnfitPageError("The page is not fit to publish: " + "; ".join(faults))


@lru_cache
def _prose_to_html(source: str) -> str:
    """Return a Markdown cell as HTML, its headings without links to themselves.

    Once a process: it is the same in all reports of a notebook.
    """
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)
