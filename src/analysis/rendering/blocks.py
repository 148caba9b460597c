"""Parts of a page: a jinja2 template each, every value escaped in this one place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from analysis import theme
from analysis.language import Language, open_language

CONTENT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
"""What a browser may do with a page: show it. Scripts and requests are not allowed, so
that a name which slipped through as code still cannot run."""

SAID_BY = ["say", "say_n", "all_of", "day", "month", "number", "percent"]
"""What a template says things with; see :class:`analysis.language.Language`."""

TEMPLATES = Path(__file__).parent / "template"


@dataclass(frozen=True, repr=False)
class Block:
    """A part of the page, as HTML whose values are escaped.

    Parameters
    ----------
    html
        The rendered part.
    """

    html: str

    def __repr__(self) -> str:
        # A notebook keeps this beside the HTML, which it need not hold twice.
        return f"<{type(self).__name__}: {len(self.html):,} characters>"

    def _repr_html_(self) -> str | tuple[str, dict[str, object]]:
        return self.html


def render_block(name: str, language: Language | None = None, **values: object) -> Block:
    """Render ``template/blocks/<name>.html.j2``.

    Parameters
    ----------
    name
        Of the template, without its ending.
    language
        To say its sentences in; English by default.
    **values
        What the template asks for; a missing one is an error, not an empty place.

    Examples
    --------
    >>> facts = {"caption": "<Files>", "columns": ["File"], "rows": [], "empty": ""}
    >>> render_block("table", **facts).html.count("&lt;Files&gt;")
    2
    """
    language = language or open_language()
    words = {name: getattr(language, name) for name in SAID_BY}
    template = _environment().get_template(f"blocks/{name}.html.j2")
    return Block(template.render(words | {"language": language} | values))


def compile_blocks() -> None:
    """Compile the templates of all blocks; this process then keeps them."""
    for name in _environment().list_templates(filter_func=lambda name: name.startswith("blocks/")):
        _environment().get_template(name)


@cache
def stylesheet() -> str:
    """Return the one stylesheet of all pages."""
    return _environment().get_template("style.css.j2").render()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"theme": theme, "policy": CONTENT_POLICY, "stylesheet": stylesheet}
    return environment
