"""Parts of a page: a jinja2 template each, every value escaped in this one place."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    select_autoescape,
)
from jinja2.bccache import Bucket

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
CACHE = Path(__file__).parent / "__pycache__"
"""Compiled templates lie with the compiled modules: to compile all takes a quarter of a second,
which a run that makes one page would wait for."""


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


class _CompiledTemplates(FileSystemBytecodeCache):
    """Templates that are compiled once; where none can be kept, they are compiled each time.

    They are no more than the compiled modules beside them: who could change the ones could
    change the others.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        # Whatever is broken about a file, it is as if there were none.
        with suppress(Exception):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            CACHE.mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=None if sys.dont_write_bytecode else _CompiledTemplates(str(CACHE)),
    )
    environment.globals |= {"theme": theme, "policy": CONTENT_POLICY, "stylesheet": stylesheet}
    return environment
