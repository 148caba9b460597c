"""Bytes to lines of text cells: encoding, separator, quotes, ragged rows.

Nothing is guessed twice: a byte-order mark, then strict UTF-8, then the pattern of
UTF-16, then Windows-1252 with a note that shows what changed. (Statistical guessers get
four of five short lists of names wrong.)
"""

from __future__ import annotations

import codecs
import csv
import io
import re

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from analysis.errors import DataError
from analysis.exports.findings import Findings, name_rows, name_some

SEPARATORS = [",", ";", "\t", "|"]
LONGEST_CELL = 1 << 20
"""Characters of one cell; longer means that a quote was opened and never closed."""

FAST_FROM = 1 << 20
"""Bytes from which the columnar parser reads the body; below it, its start-up costs more."""

HEAD_LINES = 60
"""Lines that are looked at one by one: titles, header, and what stands below it."""

_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_TEXT = pd.StringDtype(na_value=float("nan"))


def decode(data: bytes, findings: Findings) -> str:
    """Return the text of a file; what is not plain UTF-8 is noted."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _decode_marked(data, mark, encoding, findings)
            break
    else:
        text = _decode_unmarked(data, findings)
    return _clean_lines(text, findings)


def split_lines(text: str, findings: Findings) -> tuple[pd.DataFrame, str]:
    """Return the cells of delimited text, indexed by row number from 1, and the separator.

    Rows are numbered as a spreadsheet shows them: a quoted line break does not start a
    new row. Short rows are filled with missing, so that a reader can tell them.
    """
    separator, text, skipped = _find_separator(text)
    return _frame(_split_exactly(text, separator, findings, skipped), skipped), separator


def split_regular(data: bytes) -> tuple[pd.DataFrame, str] | None:
    """Return the cells of a large regular file and its separator, or None.

    Regular is plain UTF-8 in which each line has as many fields as the first; anything
    else needs the exact way. The columns are categorical: what follows looks at each
    different text once.
    """
    if len(data) < FAST_FROM or b"\r" in data or b"\x00" in data or data[-1:] == b"\x1a":
        return None
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        head = data[start : start + LONGEST_CELL].decode("utf-8", errors="ignore")
        separator, _, skipped = _find_separator(head)
        width = len(next(csv.reader(io.StringIO(head), delimiter=separator)))
        if skipped or not head[:1].strip():
            return None
        table = _read_regular(data, start, separator, width)
    except (pa.ArrowInvalid, csv.Error, StopIteration):
        return None
    coded = [_coded(column) for column in table.unify_dictionaries().columns]
    frame = pd.DataFrame(dict(enumerate(coded)), copy=False)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame, separator


def _read_regular(data: bytes, start: int, separator: str, width: int) -> pa.Table:
    names = [str(n) for n in range(width)]
    coded = pa.dictionary(pa.int32(), pa.string())
    quoted = b'"' in data
    if quoted and data.count(b'"') % 2:
        raise pa.ArrowInvalid("a quotation mark is not closed")
    return pa_csv.read_csv(
        pa.BufferReader(pa.py_buffer(data).slice(start)),
        read_options=pa_csv.ReadOptions(column_names=names, block_size=1 << 22),
        parse_options=pa_csv.ParseOptions(
            delimiter=separator, newlines_in_values=quoted, ignore_empty_lines=False
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, coded), strings_can_be_null=False
        ),
    )


def _coded(column: pa.ChunkedArray) -> pd.Categorical:
    texts = column.combine_chunks()
    unique = pd.Index(texts.dictionary.to_pandas(), dtype="str")
    return pd.Categorical.from_codes(texts.indices.to_numpy(), unique, validate=False)


def _decode_marked(data: bytes, mark: bytes, encoding: str, findings: Findings) -> str:
    try:
        body = data[len(mark) :] if encoding == "utf-8" else data
        return body.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8":
            return _decode_with_bad_bytes(data[len(mark) :], findings)
        raise DataError(
            f"{findings.where}: the file says it is {encoding.upper()} and is cut or damaged.\n"
            "Export it again."
        ) from None


def _decode_unmarked(data: bytes, findings: Findings) -> str:
    head = data[:4096]
    if len(head) >= 4 and (head[1::2].count(0) / len(head[1::2])) > 0.3:
        return data.decode("utf-16-le", errors="replace")
    if len(head) >= 4 and (head[0::2].count(0) / len(head[0::2])) > 0.3:
        return data.decode("utf-16-be", errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if re.search(rb"[\xc3-\xf4][\x80-\xbf]", data):
        return _decode_with_bad_bytes(data, findings)
    text = data.decode("cp1252", errors="replace")
    changed = sorted(set(re.findall(r"\w*[^\x00-\x7f](?:\w|[^\x00-\x7f])*", text)))
    findings.note(
        "the encoding is not UTF-8; it was read as Windows-1252. Check how these read: "
        f"{name_some(changed)}. If they are wrong, save the file as “CSV UTF-8”."
    )
    return text


def _decode_with_bad_bytes(data: bytes, findings: Findings) -> str:
    text = data.decode("utf-8", errors="replace")
    rows = [n for n, line in enumerate(text.splitlines(), 1) if "\ufffd" in line]
    findings.note(
        f"the encoding is UTF-8 but {name_rows(rows)} has bytes that are not; they are shown "
        "as �. Correct them at the source and export again."
    )
    return text


def _clean_lines(text: str, findings: Findings) -> str:
    text = text.lstrip("\ufeff").rstrip("\x1a\x00")
    if "\x00" in text:
        rows = [n for n, line in enumerate(text.split("\n"), 1) if "\x00" in line]
        raise DataError(
            f"{findings.where}, {name_rows(rows)}: holds zero bytes (NUL); the file is damaged "
            "or is not text.\nExport it again."
        )
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _find_separator(text: str) -> tuple[str, str, int]:
    """Return the separator, the text, and how many lines a ``sep=`` line took."""
    told = re.match(r"\"?sep=(.)\"?\n", text)
    if told:
        return told.group(1), text[told.end() :], 1
    lines = [line for line in text[:200_000].split("\n")[:HEAD_LINES] if line.strip()]
    unquoted = [re.sub(r'"[^"]*"', "", line) for line in lines]

    def agreement(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in unquoted]
        most = max(set(counts), key=lambda n: (counts.count(n) * (n > 0), n), default=0)
        return (counts.count(most) if most else 0, most)

    return max(SEPARATORS, key=agreement), text, 0


def _split_exactly(text: str, separator: str, findings: Findings, skipped: int) -> list[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[list[str]] = []
    try:
        for line in reader:
            if any(cell.count("\n") > 3 and cell.count(separator) > 6 for cell in line):
                raise csv.Error("unexpected end of data")
            lines.append(line)
    except csv.Error as error:
        closed = "expected after" in str(error)
        what = (
            "text follows a closing quotation mark"
            if closed
            else "a quotation mark is opened and never closed, so the rest of the file is one cell"
        )
        raise DataError(
            f"{findings.where}, row {len(lines) + 1 + skipped}: {what}.\n"
            "Correct the quotation marks in that row, or export again."
        ) from None
    return lines


def _frame(lines: list[list[str]], skipped: int) -> pd.DataFrame:
    width = max((len(line) for line in lines), default=0)
    filled = [line + [None] * (width - len(line)) for line in lines]
    frame = pd.DataFrame(filled, columns=range(width), dtype=_TEXT)
    frame.index = pd.RangeIndex(1 + skipped, len(frame) + 1 + skipped)
    return frame
