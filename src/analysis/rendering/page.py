"""An executed notebook as one self-contained page: no code, no script, no request."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING

from analysis.audit.findings import Leak
from analysis.audit.markup import read_markup
from analysis.audit.wording import leaks_in_text
from analysis.errors import AnalysisError
from analysis.language import Language, open_language
from analysis.rendering.blocks import CONTENT_POLICY, TEMPLATES, stylesheet

if TYPE_CHECKING:  # an index is checked by a run that need not wait for notebooks
    from nbconvert.exporters import TemplateExporter

    from analysis.rendering.notebooks import NotebookNode

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
    resources = {
        "title": title,
        "language": language.code,
        "skip": language.say("Skip to the report"),
        "policy": CONTENT_POLICY,
        "style": stylesheet(),
    }
    said = say_prose(notebook, language)
    page: str = _exporter().from_notebook_node(said, resources=resources)[0]
    check_page(page)
    return page


def say_prose(notebook: NotebookNode, language: Language) -> NotebookNode:
    """Return the notebook with its Markdown cells in another language."""
    said = deepcopy(notebook)
    for cell in said.cells:
        if cell.cell_type == "markdown":
            cell.source = language.say(cell.source)
    return said


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


@cache
def _exporter() -> TemplateExporter:
    """Make the exporter once; it takes longer than a page.

    Not nbconvert's HTML exporter: that one parses the finished page again to write a
    filler where a picture has no words, which is what ours refuses to publish.
    """
    from nbconvert.exporters import TemplateExporter
    from traitlets.config import Config

    config = Config()
    config.TemplateExporter.template_name = "coach"
    config.TemplateExporter.template_file = "index.html.j2"
    config.TemplateExporter.extra_template_basedirs = [str(TEMPLATES)]
    # Ours changes no notebook on the way; the usual steps would check it after each.
    config.TemplateExporter.default_preprocessors = []
    exporter = TemplateExporter(config=config)
    exporter.register_filter("prose", _prose_to_html)
    return exporter


def _prose_to_html(source: str) -> str:
    """Return a Markdown cell as HTML, its headings without links to themselves."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)
