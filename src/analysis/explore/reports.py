"""Making one classroom's report from a panel: the same call as ``coach report``."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from analysis.classroom import Classroom
from analysis.errors import AnalysisError, UsageError
from analysis.rendering.blocks import Block, render_block
from analysis.settings import Settings, read_settings
from analysis.store import StoreIndex

ROOT = "COACH_LAB_ROOT"
"""Set by ``coach lab``: the folder that JupyterLab shows."""


def make_report(classroom: Classroom) -> Block:
    """Make a classroom's report and return where it is.

    Parameters
    ----------
    classroom
        Whose plan on disk the report follows.

    Raises
    ------
    AnalysisError
        The report failed, in the words of the run.
    """
    from analysis.rendering.plan import Order
    from analysis.rendering.runner import render_reports

    settings = _settings_for(classroom)
    order = Order(classroom.window, [classroom.classroom_id])
    summary = render_reports(StoreIndex(classroom.store.folder), settings, order)
    for failure in summary.failed:
        raise AnalysisError(f"The report could not be made: {failure['problem']}")
    file = _page_of(classroom, settings)
    return render_block(
        "report_made",
        classroom.language,
        file=file.name,
        folder=str(settings.out),
        address=_address_of(file),
        anew=bool(summary.rendered),
    )


def _settings_for(classroom: Classroom) -> Settings:
    """Return the project's settings, its folders found from the notebooks' one as well."""
    project = _project()
    config = project / "coach.toml"
    settings = read_settings(config if config.is_file() else None, language=classroom.language.code)
    return settings.model_copy(
        update={
            "store": classroom.store.folder,
            "out": project / settings.out,
            "notebooks": project / settings.notebooks,
            "workers": 1,
        }
    )


def _project() -> Path:
    here = Path.cwd()
    return next((one for one in (here, here.parent) if (one / "notebooks").is_dir()), here)


def _page_of(classroom: Classroom, settings: Settings) -> Path:
    from analysis.rendering.edition import current_folder, read_edition

    pages = current_folder(settings.out)
    edition = read_edition(pages)
    file = edition.entries[classroom.classroom_id].file if edition is not None else None
    if pages is None or file is None:
        raise UsageError(f"{settings.out} shows no page of {classroom.classroom_id}.")
    return pages / file


def _address_of(file: Path) -> str | None:
    """Return the page's address in JupyterLab, if it is in the folder that is shown there."""
    root = Path(os.environ.get(ROOT, _project())).resolve()
    file = file.resolve()
    if not file.is_relative_to(root):
        return None
    base = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    return f"{base}files/{quote(file.relative_to(root).as_posix())}"
