r"""A large text file in blocks: whole lines, each block under the file's own header.

Only a table whose rows mean the same wherever they stand may be cut; its reader says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from analysis.errors import DataError
from analysis.exports.findings import Findings
from analysis.exports.header import Recognised, recognise
from analysis.exports.opening import open_source
from analysis.exports.registry import Platform
from analysis.exports.sources import Source, kind_of, refuse_unreadable
from analysis.exports.table import Table

LARGEST_BLOCK = 32 * 2**20
"""Bytes read at once: about 600,000 rows of evidence, 0.3 GB while they are worked on."""
HEAD = 2**16
"""Bytes by which a table is recognised."""


def recognise_large(
    path: Path, platforms: Sequence[Platform], platform: str | None
) -> Platform | None:
    """Return the reader of a file that may be cut; None where it must be read whole.

    Raises
    ------
    DataError
        The file holds no table at all.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    header, _, rest = head.partition(b"\n")
    source = Source(path.name, header + b"\n" + rest.rpartition(b"\n")[0] + b"\n")
    refuse_unreadable(source)
    if kind_of(head) != "text" or header.count(b'"') % 2 or not rest or b"\x00" in head:
        return None
    try:
        known = _recognise(source, Findings(path.name), platforms, platform)
    except DataError:
        return None
    if known is None or known.table.header_row != 1:
        return None
    return known.platform if known.platform.can_be_cut(known.table.names) else None


def read_blocks(
    path: Path, platform: Platform, findings: Findings, size: int = LARGEST_BLOCK
) -> Iterator[Table]:
    """Yield the table of each block; rows keep the numbers they have in the file.

    Raises
    ------
    DataError
        A block is no table of this kind.
    """
    before = 0
    for data in cut_lines(path, size):
        known = _recognise(Source(path.name, data), findings, [platform], platform.key)
        if known is None:
            raise DataError(f"{findings.where}: the file is damaged or cut.\nExport it again.")
        cells = known.table.cells
        yield replace(known.table, cells=cells.set_axis(cells.index + before))
        # The sheet has the header as its first row, in every block.
        before += len(known.table.sheet.cells) - 1


def cut_lines(path: Path, size: int) -> Iterator[bytes]:
    r"""Yield blocks of whole lines of at least ``size`` bytes, the header before each.

    A quoted line break ends no block.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "a.csv"
    >>> _ = path.write_bytes(b'a,b\n1,"x\ny"\n2,z\n')
    >>> list(cut_lines(path, 4))
    [b'a,b\n1,"x\ny"\n', b'a,b\n2,z\n']
    """
    with path.open("rb") as file:
        header = file.readline()
        while data := file.read(size):
            data += file.readline()
            while data.count(b'"') % 2 and (more := file.readline()):
                data += more
            yield header + data


def _recognise(
    source: Source, findings: Findings, platforms: Sequence[Platform], platform: str | None
) -> Recognised | None:
    sheet = next(iter(open_source(source)))
    for said in sheet.findings.notes:
        findings.notes += [] if said in findings.notes else [said]
    sheet.findings = findings
    return recognise(sheet, platforms, platform)
