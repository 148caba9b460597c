"""One plain sentence for what a coach can cause in a notebook; an IPython extension.

Our own errors say themselves plainly. A cell that was run before those above it, a quote
that was lost and a run that was stopped are said plainly here. Anything else is our bug
and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Say a coach's errors plainly in this kernel."""
    shell.set_custom_exc(tuple(SENTENCES), show_plainly)


def show_plainly(
    shell: InteractiveShell,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> list[str]:
    """Show an error of a cell in one sentence; as a custom handler of IPython."""
    said = [say_plainly(error)] if _is_the_coachs(error, trace) else None
    if said is None:
        said = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
    shell._showtraceback(kind, error, said)
    return said


def say_plainly(error: BaseException) -> str:
    """Return the sentence for an error.

    Examples
    --------
    >>> say_plainly(NameError("name 'classroom' is not defined", name="classroom"))
    "'classroom' is not there yet. Choose Run > Run All Cells; a word you typed needs quotes."
    """
    return next(say(error) for kind, say in SENTENCES.items() if isinstance(error, kind))


def _of_name(error: Any) -> str:
    return (
        f"{error.name!r} is not there yet. Choose Run > Run All Cells; "
        "a word you typed needs quotes."
    )


def _of_syntax(error: Any) -> str:
    return (
        f"Line {error.lineno} of this cell cannot be read. A word needs quotes around it, "
        'like "demo-4b"; Ctrl+Z takes back what you typed.'
    )


SENTENCES: dict[type[BaseException], Callable[[Any], str]] = {
    NameError: _of_name,
    SyntaxError: _of_syntax,
    KeyboardInterrupt: lambda error: "Stopped. Choose Run > Run All Cells to begin again.",
}


def _is_the_coachs(error: BaseException, trace: TracebackType | None) -> bool:
    """Say whether an error comes from the cell itself and not from code it called."""
    if not isinstance(error, NameError):
        return True
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or "ipykernel" in trace.tb_frame.f_code.co_filename
