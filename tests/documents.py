"""The documents and their blocks of code, as the tests of documents read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from conftest import PROJECT

FENCE = re.compile(r"^```(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w-]+\.(?:csv|toml))`")


def documents() -> list[Path]:
    """Return every document of the project, in a fixed order."""
    of_folders = [PROJECT / folder / "README.md" for folder in ("data", "reports")]
    below = [*PROJECT.glob("docs/**/*.md"), *PROJECT.glob(".github/**/*.md")]
    measured = PROJECT.glob("benchmarks/results/*.md")
    return sorted({*PROJECT.glob("*.md"), *of_folders, *below, *measured})


def short(file: Path) -> str:
    """Return a file's name from the project's folder."""
    return file.relative_to(PROJECT).as_posix()


@dataclass(frozen=True)
class Block:
    """A block of code of a document.

    Attributes
    ----------
    where
        File and line, for a message.
    language
        The word behind the fence; empty where there is none.
    text
        What is inside.
    name
        The file that the text before the block says it is, empty where it names none.
    """

    where: str
    language: str
    text: str
    name: str = ""

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, without comments."""
        lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in self.text.splitlines())
        return [line for line in lines if line]


def blocks_of(file: Path) -> list[Block]:
    """Return the blocks of a document, in their order."""
    text = file.read_text("utf-8")
    found = []
    end = 0
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 1
        paragraph = text[end : fence.start()].rsplit("\n\n", 2)[-2:]
        named = NAMED.findall(" ".join(paragraph))
        name = named[-1] if named and named[-1].endswith(fence["language"]) else ""
        found.append(Block(f"{short(file)}:{line}", fence["language"], fence["text"], name))
        end = fence.end()
    return found
