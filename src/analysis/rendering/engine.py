"""papermill's engine for reports: it runs the cells, and keeps no diary of them.

papermill's own notes of each cell when it began and ended, and checks each output when it
comes. A report keeps none of the notes, and its notebook is checked when it is whole
(:func:`analysis.rendering.execution.execute_notebook`).
"""

from __future__ import annotations

from typing import Any

from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.log import logger

from analysis.rendering.kernel import SECONDS_TO_START
from analysis.rendering.notebooks import NotebookNode, nbformat
from analysis.rendering.page import SHOWN

ENGINE = "coach-report"
KEPT = ("data", "metadata", "execution_count")
"""What a notebook keeps of an output that is shown."""


class ReportEngine(NBClientEngine):  # type: ignore[misc]
    """Runs a report's notebook; takes what papermill's own engine takes, but for logs."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        start_timeout: int = SECONDS_TO_START,
        **asked: Any,
    ) -> None:
        """Run all cells, or up to the first that fails; see papermill's engines."""
        for name in ("input_path", "log_output", "stdout_file", "stderr_file"):
            asked.pop(name, None)
        _Client(
            nb_man, kernel_name=kernel_name, startup_timeout=start_timeout, log=logger, **asked
        ).execute()


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    def papermill_execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            try:
                # A report's kernel does not repeat what it was asked, and which time.
                self.execute_cell(cell, index, execution_count=self.code_cells_executed + 1)
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                break

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str, cell_index: int
    ) -> NotebookNode | None:
        # What is shown comes as a notebook keeps it.
        is_plain = not (
            display_id or any(self.output_hook_stack.values()) or self.clear_before_next_output
        )
        if not is_plain or msg["msg_type"] not in SHOWN:
            checked: NotebookNode | None = super().output(outs, msg, display_id, cell_index)
            return checked
        content = msg["content"]
        shown = {name: content[name] for name in KEPT if name in content}
        output: NotebookNode = nbformat.from_dict(shown | {"output_type": msg["msg_type"]})
        outs.append(output)
        return output


papermill_engines.register(ENGINE, ReportEngine)
