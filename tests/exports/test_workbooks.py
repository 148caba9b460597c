"""Workbooks as spreadsheets write them, and as attackers do."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from analysis.errors import DataError
from analysis.exports import read_exports

HEAD = ["Student ID", "Classroom", "3.NF.1"]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/><xf numFmtId="9"/></cellXfs>'
    "</styleSheet>"
)
ZEROS, DATE, PERCENT = 1, 2, 3


def cell(value) -> str:
    """Return a cell's XML: text, number, (number, style), or raw XML."""
    if isinstance(value, tuple):
        return f'<c s="{value[1]}"><v>{value[0]}</v></c>'
    if isinstance(value, str) and value.startswith("<c"):
        return value
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return "<c/>" if value is None else f"<c><v>{value}</v></c>"


def sheet(rows, before: str = "", after: str = "", hidden_row: int | None = None) -> str:
    lines = "".join(
        f'<row r="{n}" hidden="{int(n == hidden_row)}">'
        + "".join(map(cell, row)) + "</row>"
        for n, row in enumerate(rows, 1)
    )  # fmt: skip
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{lines}</sheetData>{after}</worksheet>'


def workbook(path: Path, sheets: dict[str, str], hidden: tuple[str, ...] = ()) -> Path:
    states = {name: "hidden" if name in hidden else "visible" for name in sheets}
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}" state="{states[name]}"/>'
        for n, name in enumerate(sheets, 1)
    )
    targets = "".join(
        f'<Relationship Id="r{n}" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{targets}</Relationships>")
        archive.writestr("xl/styles.xml", STYLES)
        for n, xml in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", xml)
    return path


def read(path: Path):
    return read_exports([path], window="W")


def notes(imported) -> str:
    return " ".join(imported.summary()["notes"])


def test_numbers_are_read_as_the_spreadsheet_shows_them(tmp_path):
    rows = [HEAD, [(7, ZEROS), "7A", (0.85, PERCENT)], [(12, ZEROS), "7A", (0.4, PERCENT)]]
    imported = read(workbook(tmp_path / "b.xlsx", {"S": sheet(rows)}))
    assert imported.evidence["student_id"].tolist() == ["00007", "00012"]
    assert imported.evidence["points"].tolist() == [85.0, 40.0]
    assert "A2, A3 are numbers shown with a leading zero" in notes(imported)


def test_a_merged_classroom_holds_for_each_of_its_rows(tmp_path):
    rows = [HEAD, ["s1", "7A", 80], ["s2", None, 70], ["s3", "7B", 60]]
    merged = '<mergeCells><mergeCell ref="B2:B3"/></mergeCells>'
    imported = read(workbook(tmp_path / "b.xlsx", {"S": sheet(rows, after=merged)}))
    assert imported.roster["classroom_id"].tolist() == ["7A", "7A", "7B"]
    assert "merged cells" in notes(imported)


def test_hidden_sheets_are_not_read_and_hidden_rows_and_columns_are_named(tmp_path):
    rows = [[*HEAD, "SSN"], ["s1", "7A", 80, "123-45-6789"], ["s2", "7A", 70, "123-45-6780"]]
    columns = '<cols><col min="4" max="4" hidden="1"/></cols>'
    path = workbook(
        tmp_path / "b.xlsx",
        {"Now": sheet(rows, before=columns, hidden_row=3), "Old": sheet(rows)},
        hidden=("Old",),
    )
    imported = read(path)
    assert [f.sheet for f in imported.files] == [None]
    said = notes(imported)
    assert "hidden sheets were not read: Old" in said
    assert "row 3" in said
    assert "SSN" in said
    assert "123-45" not in str(imported.summary()) + imported.evidence.to_csv()


def test_sheets_without_a_classroom_column_are_classrooms(tmp_path):
    head = ["Student ID", "3.NF.1", "3.NF.2"]
    path = workbook(
        tmp_path / "b.xlsx",
        {"7A": sheet([head, ["s1", 80, 70]]), "7B": sheet([head, ["s2", 60, 50]])},
    )
    imported = read(path)
    rooms = imported.roster.set_index("student_id")["classroom_id"]
    assert rooms.to_dict() == {"s1": "7A", "s2": "7B"}


def test_a_formula_that_was_never_calculated_is_refused_by_its_cell(tmp_path):
    rows = [HEAD, ["s1", "7A", 80], ["s2", "7A", '<c r="C3"><f>40+7</f></c>']]
    with pytest.raises(DataError, match="cells C3 hold a formula that was never calculated"):
        read(workbook(tmp_path / "b.xlsx", {"S": sheet(rows)}))


def test_a_score_that_became_a_date_is_refused_by_its_row(tmp_path):
    rows = [HEAD, ["s1", "7A", 80], ["s2", "7A", (46024, DATE)], ["s3", "7A", 70]]
    with pytest.raises(DataError, match=r"row 3, column '3.NF.1': 2026-01-02 is a date"):
        read(workbook(tmp_path / "b.xlsx", {"S": sheet(rows)}))


def test_a_cell_in_the_last_corner_takes_no_memory(tmp_path):
    rows = [HEAD, ["s1", "7A", 80], ["s2", "7A", 70]]
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t> </t></is></c></row></sheetData>'
    xml = sheet(rows).replace("</sheetData>", far)
    start = time.perf_counter()
    imported = read(workbook(tmp_path / "b.xlsx", {"S": xml}))
    assert time.perf_counter() - start < 5
    assert len(imported.evidence) == 2
    assert "1048576" in notes(imported)


@pytest.mark.parametrize(
    "entities",
    [
        '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    ],
)
def test_entities_are_refused_before_anything_is_expanded(tmp_path, entities):
    xml = entities + sheet([HEAD, ["s1", "7A", 80]])
    with pytest.raises(DataError, match="damaged"):
        read(workbook(tmp_path / "b.xlsx", {"S": xml}))


def test_a_workbook_that_unpacks_to_a_giant_is_refused_unopened(tmp_path):
    path = workbook(tmp_path / "b.xlsx", {"S": sheet([HEAD]) + " " * 2**25})
    with pytest.raises(DataError, match="no honest export"):
        read(path)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.99])
def test_a_cut_workbook_is_refused_in_words(tmp_path, cut):
    path = workbook(tmp_path / "b.xlsx", {"S": sheet([HEAD, ["s1", "7A", 80]])})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(DataError, match=r"b\.xlsx: .*(damaged|cut)"):
        read(path)


def test_an_old_workbook_that_is_garbage_is_refused_in_words(tmp_path):
    path = tmp_path / "b.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)
    with pytest.raises(DataError, match=r"b\.xls: the workbook is damaged"):
        read(path)


def test_an_open_document_sheet_is_read_by_the_process_apart(tmp_path):
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )

    def ods_cell(value) -> str:
        kind = f'"float" office:value="{value}"' if isinstance(value, int) else '"string"'
        text = f"<text:p>{value}</text:p>"
        return f"<table:table-cell office:value-type={kind}>{text}</table:table-cell>"

    rows = "".join(
        f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>"
        for row in [HEAD, ["007", "7A", 80], ["008", "7A", 60]]
    )
    path = tmp_path / "book.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{manifest}"/>')
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="Scores">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    imported = read(path)
    assert imported.evidence["student_id"].tolist() == ["007", "008"]
    assert imported.evidence["points"].tolist() == [80.0, 60.0]
