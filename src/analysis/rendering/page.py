"""An executed notebook as one self-contained page: no code, no script, no request."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from html.parser import HTMLParser

from analysis.errors import AnalysisError
from analysis.language import Language, open_language
from analysis.rendering.blocks import CONTENT_POLICY, TEMPLATES, stylesheet
from analysis.rendering.notebooks import NotebookNode


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
    page, _ = _exporter().from_notebook_node(say_prose(notebook, language), resources=resources)
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
    """Stop a page that could run, request, or that shows a picture without words.

    Raises
    ------
    UnfitPageError
        Naming each fault.
    """
    reader = _FaultReader()
    reader.feed(page)
    if reader.policies != 1:
        reader.faults.append(f"{reader.policies} content policies in place of one")
    if reader.faults:
        raise UnfitPageError("The page is not fit to publish: " + "; ".join(reader.faults))


@cache
def _exporter():
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


class _FaultReader(HTMLParser):
    """Collects what a page of ours may not hold."""

    FORBIDDEN = frozenset(
        {"script", "iframe", "object", "embed", "form", "link", "base", "audio", "video"}
    )
    FILLER = "No description has been provided for this image"

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.policies = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in self.FORBIDDEN:
            self.faults.append(f"a <{tag}>")
        if tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.policies += given.get("content") == CONTENT_POLICY
        if tag == "img" and given.get("alt", "").strip() in ("", self.FILLER):
            self.faults.append("a picture without words")
        for name, value in attrs:
            self._check_attribute(tag, name, (value or "").strip().lower())

    def _check_attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on"):
            self.faults.append(f"an {name} on <{tag}>")
        if name in {"src", "srcset", "poster", "data"} and not value.startswith("data:image/"):
            self.faults.append(f"a {name} on <{tag}> that is not in the page")
        if name in {"href", "xlink:href"} and value.startswith(("javascript:", "data:")):
            self.faults.append(f"a link on <{tag}> that would run")
