"""One page, made in a worker process: run, page, proof, record."""

from __future__ import annotations

from datetime import UTC, datetime

from analysis.files import digest_of, write_whole
from analysis.language import open_language
from analysis.rendering.execution import execute_notebook
from analysis.rendering.page import make_page
from analysis.rendering.proof import check_proof
from analysis.rendering.sheets import keep_sheets
from analysis.rendering.staging import Made, write_record
from analysis.rendering.task import Task


def make_report(task: Task, server: str = "") -> None:
    """Make one page and put it in the staging folder.

    Parameters
    ----------
    task
        What to make.
    server
        Address of a kernel server; empty: an ordinary kernel.

    Raises
    ------
    AnalysisError
        The notebook failed, or the page is unfit or another one's.
    """
    keep_page(task, render_page(task, server))


def render_page(task: Task, server: str = "") -> str:
    """Run one page's notebook; return the page, proven to be the right one.

    Raises
    ------
    AnalysisError
        As in :func:`make_report`.
    """
    asked = task.parameters
    executed = execute_notebook(
        task.notebook, asked.model_dump(), task.executed, limits=task.limits, server=server
    )
    page = make_page(executed, title=task.title, language=open_language(asked.language))
    check_proof(page, task.expected)
    return page


def keep_page(task: Task, page: str) -> None:
    """Put a page in the staging folder, then the record of what it was made from.

    Where its notebook shows sheets, each is put there as a page of its own too.

    Raises
    ------
    AnalysisError
        A sheet is unfit, or is not one student's.
    """
    write_whole(task.page, page)
    if task.sheet_title:
        language = open_language(task.parameters.language)
        keep_sheets(task.executed, task.page, title=task.sheet_title, language=language)
    write_record(task.page, _record(task, page))


def _record(task: Task, page: str) -> Made:
    return Made(
        page_id=task.page_id,
        file=task.page.name,
        made_on=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        key=task.key,
        digest=digest_of(page.encode()),
    )
