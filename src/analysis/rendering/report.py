"""One classroom's report, made in a worker process: run, page, proof, record."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from analysis.files import write_whole
from analysis.language import open_language
from analysis.rendering.execution import Limits, execute_notebook
from analysis.rendering.page import make_page
from analysis.rendering.proof import Proof, check_proof
from analysis.settings import ReportParameters


@dataclass(frozen=True)
class Task:
    """One report to make.

    Parameters
    ----------
    notebook
        What to run.
    parameters
        What to run it with.
    expected
        What the page must say of itself.
    executed
        Where the executed notebook is kept.
    page
        Where the page goes.
    limits
        What the notebook may take.
    """

    notebook: Path
    parameters: ReportParameters
    expected: Proof
    executed: Path
    page: Path
    limits: Limits = field(default_factory=Limits)


def make_report(task: Task, server: str = "") -> None:
    """Run one classroom's notebook, prove the page, put it in the staging folder.

    Parameters
    ----------
    task
        What to make.
    server
        Address of a kernel server; empty: an ordinary kernel.

    Raises
    ------
    AnalysisError
        The notebook failed, or the page is unfit or another classroom's.
    """
    parameters = task.parameters.model_dump()
    executed = execute_notebook(
        task.notebook, parameters, task.executed, limits=task.limits, server=server
    )
    language = open_language(task.parameters.language)
    title = language.say(
        "Classroom {classroom}, {window}: student groups",
        classroom=task.parameters.classroom_id,
        window=task.parameters.window,
    )
    page = make_page(executed, title=title, language=language)
    check_proof(page, task.expected)
    write_whole(task.page, page)
