"""A page holds no code, makes no request, proves whose it is; a notebook gets what it declares."""

from __future__ import annotations

import sys

import nbformat
import pytest
from jinja2 import Environment
from jinja2.exceptions import UndefinedError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.errors import UnknownError, UsageError
from analysis.language import open_language
from analysis.rendering import blocks
from analysis.rendering.blocks import render_block
from analysis.rendering.execution import NotebookFailedError, execute_notebook
from analysis.rendering.page import UnfitPageError, check_page, make_page
from analysis.rendering.parameters import check_declared, declared_parameters
from analysis.rendering.proof import Proof, WrongPageError, check_proof
from analysis.rendering.task import Limits

pytestmark = pytest.mark.slow

PROOF = Proof("7A", "2026-BOY", n_students=24, n_evidence=800, digest="0f" * 32)


def shown(html: str):
    return new_output("execute_result", {"text/html": html, "text/plain": "repr"})


def notebook(*cells):
    language = {"language_info": {"name": "python"}}
    return new_notebook(cells=list(cells), metadata=language)


def with_parameters(source: str):
    return notebook(new_code_cell(source, metadata={"tags": ["parameters"]}))


# -- templates ----------------------------------------------------------------------------


@pytest.fixture
def fresh_templates(tmp_path, monkeypatch):
    """Return how to have templates as a new process has them, kept in a folder of their own."""
    monkeypatch.setattr(blocks, "CACHE", tmp_path / "compiled")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    compiled = []
    compile_template = Environment.compile
    monkeypatch.setattr(
        Environment, "compile", lambda *a, **k: compiled.append(1) or compile_template(*a, **k)
    )

    def render() -> tuple[str, int]:
        blocks._environment.cache_clear()
        compiled.clear()
        facts = {"caption": "Files", "columns": ["File"], "rows": [], "empty": "none"}
        return render_block("table", **facts).html, len(compiled)

    yield render
    blocks._environment.cache_clear()


def test_a_template_is_compiled_once_and_not_by_each_process(fresh_templates):
    first, again = fresh_templates(), fresh_templates()
    assert first[1] > 0
    assert again == (first[0], 0)


def test_a_compiled_template_that_is_broken_is_compiled_anew(fresh_templates):
    html, n_compiled = fresh_templates()
    for file in blocks.CACHE.iterdir():
        file.write_bytes(file.read_bytes()[:20])
    assert fresh_templates() == (html, n_compiled)
    for file in blocks.CACHE.iterdir():
        file.write_bytes(b"")
    assert fresh_templates() == (html, n_compiled)


def test_where_nothing_can_be_kept_templates_are_compiled_each_time(fresh_templates, tmp_path):
    (tmp_path / "compiled").write_text("a file, so that no folder can be there")
    assert fresh_templates() == fresh_templates()
    assert fresh_templates()[1] > 0


# -- pages --------------------------------------------------------------------------------


def test_a_page_holds_prose_and_results_but_no_code_and_no_log():
    cell = new_code_cell(
        "secret_code = 1",
        outputs=[
            new_output("stream", name="stderr", text="/home/ana/x.py: UserWarning"),
            new_output("stream", name="stdout", text="printed"),
            shown("<p>seen</p>"),
        ],
    )
    page = make_page(notebook(new_markdown_cell("# Why?"), cell), title="T")
    assert "<p>seen</p>" in page
    assert ">Why?" in page
    for hidden in ("secret_code", "UserWarning", "printed", "repr"):
        assert hidden not in page


def test_a_title_is_text_whatever_it_holds():
    page = make_page(notebook(), title="</title><script>alert(1)</script>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_page_says_its_language_and_title():
    page = make_page(notebook(), title="Salón 7A", language=open_language("es"))
    assert '<html lang="es">' in page
    assert "<title>Salón 7A</title>" in page


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<script>1</script>", "<script>"),
        ("<IMG SRC=x onerror=alert(1) alt=a>", "onerror"),
        ('<img src="https://example.org/a.png" alt="a">', "a request to somewhere else"),
        ('<img src="data:image/png;base64,AA" alt="">', "without words"),
        (
            '<img src="data:image/png;base64,AA" alt="No description has been provided for this '
            'image">',
            "without words",
        ),
        ('<a href=" javascript:alert(1)">x</a>', "a script, line"),
        ("<p>made in /home/jsmith/reports</p>", "a path of a computer"),
        ("<pre>Traceback (most recent call last):</pre>", "a traceback"),
        ('<p style="display:none">Ana</p>', "something hidden"),
        ('<link rel="stylesheet" href="a.css">', "<link>"),
        ('<iframe srcdoc="x"></iframe>', "<iframe>"),
        ('<form action="x"></form>', "<form>"),
    ],
)
def test_an_unfit_page_is_stopped(html, fault):
    with pytest.raises(UnfitPageError, match=fault):
        make_page(notebook(new_code_cell("", outputs=[shown(html)])), title="T")


def test_a_page_without_the_content_policy_is_stopped():
    page = make_page(notebook(), title="T")
    with pytest.raises(UnfitPageError, match="0 content policies"):
        check_page(page.replace("Content-Security-Policy", "X"))


# -- blocks -------------------------------------------------------------------------------


def test_every_value_of_a_block_is_escaped():
    attack = '"><img src=x onerror=alert(1)>'
    table = {"caption": attack, "columns": [attack], "rows": [(attack,)], "empty": ""}
    html = render_block("table", **table).html
    assert html.count("&gt;&lt;img") == 4
    assert "<img" not in html


def test_a_block_without_a_value_it_shows_is_an_error():
    with pytest.raises(UndefinedError, match="columns"):
        render_block("table", caption="Files")


# -- proof --------------------------------------------------------------------------------


def test_the_right_page_passes():
    check_proof(f"<main>{PROOF._repr_html_()}</main>", PROOF)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (Proof("7B", "2026-BOY", 24, 800, "0f" * 32), "page_id"),
        (Proof("7A", "2026-MOY", 24, 800, "0f" * 32), "window"),
        (Proof("7A", "2026-BOY", 23, 800, "0f" * 32), "n_students"),
        (Proof("7A", "2026-BOY", 24, 799, "0f" * 32), "n_evidence"),
        (Proof("7A", "2026-BOY", 24, 800, "1f" * 32), "digest"),
    ],
)
def test_a_page_of_other_data_is_refused(other, named):
    with pytest.raises(WrongPageError, match=named):
        check_proof(other._repr_html_(), PROOF)


@pytest.mark.parametrize("times", [0, 2])
def test_a_page_without_exactly_one_proof_is_not_complete(times):
    with pytest.raises(WrongPageError, match="not complete"):
        check_proof(PROOF._repr_html_() * times, PROOF)


# -- parameters ---------------------------------------------------------------------------


def test_every_way_to_declare_a_parameter_is_seen():
    cell = "a = '='  # why = ?\nb: int | None = None\nc = d = 1"
    assert declared_parameters(with_parameters(cell), "n.ipynb") == ["a", "b", "c", "d"]


def test_a_misspelt_parameter_stops_before_anything_runs():
    with pytest.raises(UnknownError, match=r"'clasroom_id'\. Did you mean 'classroom_id'"):
        check_declared(with_parameters("classroom_id = ''"), {"clasroom_id": "7A"}, "n.ipynb")


def test_a_notebook_without_a_parameters_cell_is_refused():
    with pytest.raises(UsageError, match="0 cells tagged"):
        declared_parameters(notebook(new_code_cell("a = 1")), "n.ipynb")


# -- execution ----------------------------------------------------------------------------


def run(tmp_path, source: str, parameters: dict | None = None, **how):
    file = tmp_path / "n.ipynb"
    cells = with_parameters("given = None"), notebook(new_code_cell(source))
    nbformat.write(notebook(*[cell for part in cells for cell in part.cells]), file)
    return execute_notebook(file, parameters or {}, tmp_path / "runs" / "out.ipynb", **how)


def test_parameters_arrive_as_they_are(tmp_path):
    hostile = "7E2'\"\\\n\u2028{x}%magic"
    executed = run(tmp_path, f"assert given == {hostile!r}", {"given": hostile})
    assert executed.cells[-1].outputs == []


def test_an_executed_notebook_is_its_owners_only(tmp_path):
    run(tmp_path, "1")
    assert (tmp_path / "runs" / "out.ipynb").stat().st_mode & 0o077 == 0


def test_a_failing_cell_is_named_without_its_data(tmp_path):
    with pytest.raises(NotebookFailedError, match="cell 2 stopped with ValueError") as caught:
        run(tmp_path, "float('Ana Lopez')")
    assert "Ana" not in str(caught.value)


def test_a_cell_that_takes_too_long_is_stopped(tmp_path):
    with pytest.raises(NotebookFailedError, match="more than 2 seconds"):
        run(tmp_path, "import time; time.sleep(60)", limits=Limits(cell_timeout=2))


def test_a_kernel_that_dies_is_a_failed_report(tmp_path):
    with pytest.raises(NotebookFailedError, match="died"):
        run(tmp_path, "import os; os._exit(1)")
