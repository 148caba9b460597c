"""The leak scan finds what is planted, says where and never what, and suspects nothing clean."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib

import pytest

from analysis.audit.auditing import Auditor
from analysis.audit.cells import small_cells
from analysis.audit.findings import Leak
from analysis.audit.markup import forbids_enough
from analysis.audit.people import NOBODY, Audience, People
from analysis.errors import UsageError
from conftest import table

ROSTER = table("""
    | student_id | classroom_id | display_name       | teacher   | coach_id |
    | 00417      | 7A           | Ana Ruiz           | May Tran  | c1       |
    | 00418      | 7A           | Noor O'Brien-Smith | May Tran  | c1       |
    | 00419      | 7B           | Bo Li              | Cy Poe    | c1       |
    | 00420      | 7B           | May Tran           | Cy Poe    | c1       |
    | 00421      | 7B           | May                | Cy Poe    | c1       |
    | 12         | 7B           | Ana Ruiz           | Cy Poe    | c1       |
    | 00422      | 7B           | Zoë Nguyễn         | Cy Poe    | c1       |
    | 00418      | 7B           | Noor O'Brien-Smith | Cy Poe    | c1       |
""")

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
PROOF = '<p data-proof="1" data-kind="classroom" data-page-id="7A" data-digest="ab">Complete.</p>'
FOREIGN = "Zoë Nguyễn"


def page(body: str = "", head: str = "", proof: str = PROOF, policy: str = POLICY) -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">{head}'
        f"<title>Classroom 7A</title><style>p {{ margin: 0 }}</style></head>"
        f"<body><main><h1>Groups</h1><p>Ana Ruiz: 3 of 4 points and/or more</p>{body}{proof}"
        "</main></body></html>"
    ).encode()


def data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    whole = [(b"IHDR", bytes(13)), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in whole)


def picture(kind: str, content: bytes, more: str = "") -> bytes:
    return page(f'<img alt="x" {more} src="{data(kind, content)}">')


def notebook(metadata: dict | None = None, cell: dict | None = None) -> bytes:
    cells = [] if cell is None else [{"cell_type": "code", "source": "", "metadata": {}} | cell]
    return json.dumps({"cells": cells, "metadata": metadata or {}}).encode()


def packed(**members: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        for name, content in members.items():
            package.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return written.getvalue()


def workbook(sheet: str = "", **more: bytes) -> bytes:
    return packed(
        **{
            "[Content_Types]_dot_xml": b"<Types/>",
            "xl__worksheets__sheet1_dot_xml": f"<sheetData>{sheet}</sheetData>".encode(),
            **more,
        }
    )


PLANTED = {
    "a foreign name": ("p.html", page(f"<li>{FOREIGN}</li>"), Leak.STRANGER),
    "a foreign id": ("p.html", page("<li>00422</li>"), Leak.STRANGER),
    "a foreign name in entities": ("p.html", page("Zo&euml; Nguy&#7877;n"), Leak.STRANGER),
    "a foreign name in words for a picture": (
        "p.html",
        picture("image/png", png(), f'title="{FOREIGN}"'),
        Leak.STRANGER,
    ),
    "a foreign name in a vector picture": (
        "p.html",
        picture("image/svg+xml", f"<svg><text>{FOREIGN}</text></svg>".encode()),
        Leak.STRANGER,
    ),
    "a foreign name in a picture's text chunk": (
        "p.html",
        picture("image/png", png((b"tEXt", b"Title\0Bo Li 00419"))),
        Leak.STRANGER,
    ),
    "a foreign name in a packed text chunk": (
        "p.html",
        picture("image/png", png((b"zTXt", b"T\0\0" + zlib.compress(b"00419")))),
        Leak.STRANGER,
    ),
    "a foreign name in a comment": ("p.html", page(f"<!-- {FOREIGN} -->"), Leak.STRANGER),
    "a foreign name inside a ZIP": ("a.zip", packed(p_dot_html=page(FOREIGN)), Leak.STRANGER),
    "a foreign name in a workbook": (
        "l.xlsx",
        workbook(f"<c t='inlineStr'><is><t>{FOREIGN}</t></is></c>"),
        Leak.STRANGER,
    ),
    "a foreign name in a CSV": ("l.csv", f"group,name\r\n1,{FOREIGN}\r\n".encode(), Leak.STRANGER),
    "a foreign name escaped in JSON": (
        "m.json",
        json.dumps({"who": FOREIGN}).encode(),
        Leak.STRANGER,
    ),
    "anybody on a page that is nobody's": ("p.html", page(proof=""), Leak.STRANGER),
    "a student in a file name": ("zoë-nguyễn.html", page(), Leak.FILE_NAME),
    "an id in a file name": ("report-00422.html", page(), Leak.FILE_NAME),
    "a path of a home": ("p.html", page("from /home/mtran/data"), Leak.PATH),
    "a path of Windows": ("p.html", page(r"C:\Users\mtran\data.csv"), Leak.PATH),
    "a share on a server": ("p.html", page(r"\\school-srv\staff$\x"), Leak.PATH),
    "a link to a file": ("p.html", page('<a href="file:///x">x</a>'), Leak.PATH),
    "the name of an account": ("p.html", page("Made by mtran42."), Leak.ACCOUNT),
    "a traceback": (
        "p.html",
        page("<pre>Traceback (most recent call last):</pre>"),
        Leak.TRACEBACK,
    ),
    "a traceback of a notebook": (
        "p.html",
        page("<pre>\n----> 1 frame.astype(float)</pre>"),
        Leak.TRACEBACK,
    ),
    "a warning": ("p.html", page("<pre>x.py:3: UserWarning: y</pre>"), Leak.LOG),
    "a log": ("run.log", b"INFO: read 20 rows", Leak.LOG),
    "metadata of papermill": ("n.ipynb", notebook({"papermill": {"x": 1}}), Leak.NOTEBOOK),
    "parameters": (
        "n.ipynb",
        notebook(cell={"metadata": {"tags": ["injected-parameters"]}}),
        Leak.NOTEBOOK,
    ),
    "state of widgets": ("n.ipynb", notebook({"widgets": {"s": 1}}), Leak.WIDGET),
    "an error in a notebook": (
        "n.ipynb",
        notebook(cell={"outputs": [{"output_type": "error"}]}),
        Leak.TRACEBACK,
    ),
    "stderr in a notebook": (
        "n.ipynb",
        notebook(cell={"outputs": [{"name": "stderr", "text": "x"}]}),
        Leak.LOG,
    ),
    "code in a notebook": ("n.ipynb", notebook(cell={"source": "x = 1"}), Leak.CODE),
    "a widget in a page": (
        "p.html",
        page('<script type="application/vnd.jupyter.widget-state+json">{"a": 1}</script>'),
        Leak.WIDGET,
    ),
    "a list to choose from": (
        "p.html",
        page("<select><option>Ana Ruiz</option></select>"),
        Leak.HIDDEN,
    ),
    "a hidden part": ("p.html", page('<div style="display: none">Ana</div>'), Leak.HIDDEN),
    "a hidden sheet": (
        "l.xlsx",
        workbook(xl__workbook_dot_xml=b'<sheet name="x" state="hidden"/>'),
        Leak.HIDDEN,
    ),
    "a script": ("p.html", page("<script>1</script>"), Leak.SCRIPT),
    "a script from elsewhere": (
        "p.html",
        page('<script src="//x.org/a.js"></script>'),
        Leak.SCRIPT,
    ),
    "a handler": (
        "p.html",
        page('<img alt="x" src="data:image/png;base64," onerror="x()">'),
        Leak.SCRIPT,
    ),
    "a link that runs": ("p.html", page('<a href=" java&#10;script:x()">x</a>'), Leak.SCRIPT),
    "a macro": ("l.xlsx", workbook(xl__vbaProject_dot_bin=b"x"), Leak.SCRIPT),
    "a picture from elsewhere": (
        "p.html",
        page('<img alt="x" src="https://x.org/a.png">'),
        Leak.REQUEST,
    ),
    "a style from elsewhere": (
        "p.html",
        page(head='<link rel="stylesheet" href="a.css">'),
        Leak.REQUEST,
    ),
    "a font from elsewhere": ("p.html", page(head="<style>@import 'x';</style>"), Leak.REQUEST),
    "a page that leads elsewhere": (
        "p.html",
        page(head='<meta http-equiv="refresh" content="0; url=https://x.org">'),
        Leak.REQUEST,
    ),
    "a link out of a workbook": (
        "l.xlsx",
        workbook(xl__r_dot_rels=b'<Relationship TargetMode="External"/>'),
        Leak.REQUEST,
    ),
    "a frame": ("p.html", page('<iframe srcdoc="x"></iframe>'), Leak.FORM),
    "a form": ("p.html", page('<form action="x"></form>'), Leak.FORM),
    "no policy": ("p.html", page(policy="default-src *"), Leak.NO_POLICY),
    "a formula in a CSV": ("l.csv", b'group,name\r\n1,"=HYPERLINK(""x"")"\r\n', Leak.FORMULA),
    "a formula in a workbook": ("l.xlsx", workbook("<c r='A1'><f>1+1</f></c>"), Leak.FORMULA),
    "an address": ("p.html", page("ask ruiz.family@example.org"), Leak.CONTACT),
    "a social security number": ("p.html", page("219-09-9999"), Leak.CONTACT),
    "a telephone number": ("p.html", page("call (803) 555-0142"), Leak.CONTACT),
    "a key": ("p.html", page('api_key="sk-12345678"'), Leak.SECRET),
    "a table nobody can look into": ("t.parquet", b"PAR1" + bytes(20), Leak.UNREADABLE),
    "a foreign name in a PDF's title": (
        "p.pdf",
        b"%PDF-1.4\n1 0 obj <</Title <FEFF" + FOREIGN.encode("utf-16-be").hex().encode() + b">>>",
        Leak.STRANGER,
    ),
    "a path in a PDF's links": ("p.pdf", b"%PDF-1.4\n(file:///home/x/index.html)", Leak.PATH),
    "a file that is none": ("l.xlsx", b"PK\x03\x04 cut", Leak.UNREADABLE),
}


@pytest.fixture(scope="module")
def auditor() -> Auditor:
    return Auditor(People(ROSTER), accounts=("root", "mtran42"))


def test_there_are_more_than_thirty_leaks_of_every_kind_a_file_can_have():
    assert len(PLANTED) >= 30
    elsewhere = {Leak.SMALL_CELL, Leak.SOLVABLE_CELL, Leak.OPEN_FILE, Leak.CHANGED}
    assert {leak for _, _, leak in PLANTED.values()} == set(Leak) - elsewhere


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_leak_is_found(what, auditor):
    name, content, leak = PLANTED[what]
    found = auditor.audit_bytes(name, content)
    assert leak in {one.leak for one in found}
    assert not any(secret in str(one) for one in found for secret in ("Zoë", "Nguy", "mtran42"))


CLEAN = {
    "a page": ("p.html", page()),
    "a page with a picture": ("p.html", picture("image/png", png((b"tEXt", b"a")))),
    "a teacher of a student's name": ("p.html", page("<p>Teacher: May Tran</p>")),
    "a word that is a name": ("p.html", page("<p>May 12, 2026, 3/4, 10:30</p>")),
    "a coach's page": (
        "p.html",
        page(FOREIGN, proof=PROOF.replace("classroom", "caseload").replace("7A", "c1")),
    ),
    "a student's sheet": ("p.html", page('<article data-student-id="00417"></article>', proof="")),
    "a PDF": ("p.pdf", b"%PDF-1.4\n<</Title (Groups)>> stream\n\0\1\nendstream"),
    "a safe table": ("l.csv", b"group,name\r\n1,'=x\r\n-3,ok\r\n"),
    "a workbook": ("l.xlsx", workbook("<c t='inlineStr'><is><t>Group</t></is></c>")),
    "a notebook without anything": ("n.ipynb", notebook({"kernelspec": {"name": "python3"}})),
}


@pytest.mark.parametrize("what", CLEAN)
def test_what_is_clean_is_not_suspected(what, auditor):
    assert auditor.audit_bytes(*CLEAN[what]) == []


def test_an_address_that_is_a_students_own_id_belongs_on_the_classs_page():
    roster = ROSTER.assign(student_id=ROSTER["student_id"] + "@school.org")
    shown = page("<li>00417@school.org</li>")
    assert Auditor(People(roster)).audit_bytes("p.html", shown) == []
    other = page("<li>somebody@school.org</li>")
    found = Auditor(People(roster)).audit_bytes("p.html", other)
    assert [one.leak for one in found] == [Leak.CONTACT]


def test_a_file_others_can_read_is_found(auditor, tmp_path):
    file = tmp_path / "p.html"
    file.write_bytes(page())
    file.chmod(0o644)
    assert [one.leak for one in auditor.audit_path(tmp_path)] == [Leak.OPEN_FILE]
    file.chmod(0o600)
    assert auditor.audit_path(tmp_path) == []


def test_a_file_that_is_not_there_is_said(auditor, tmp_path):
    with pytest.raises(UsageError, match="is not there"):
        auditor.audit_path(tmp_path / "nothing")


def bundle(folder, **files: bytes):
    about = {name: {"sha256": "", "classrooms": ["7A"]} for name in files}
    manifest = {"made_by": "coach share", "files": about}
    for name, content in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)


def test_a_bundle_with_another_classrooms_page_is_found(auditor, tmp_path):
    # The page says truly that it is 7B's; the bundle is not 7B's.
    bundle(tmp_path, **{"p.html": page(FOREIGN, proof=PROOF.replace("7A", "7B"))})
    assert Leak.STRANGER in {one.leak for one in auditor.audit_path(tmp_path)}


def test_a_file_changed_or_added_after_sharing_is_found(auditor, tmp_path):
    bundle(tmp_path, **{"p.html": page()})
    (tmp_path / "more.txt").write_text("hello")
    (tmp_path / "more.txt").chmod(0o600)
    found = [(one.file, one.leak) for one in auditor.audit_path(tmp_path)]
    assert found == [("more.txt", Leak.CHANGED), ("p.html", Leak.CHANGED)]


def counts(*rows: str, head: str = "<th>School</th><th>Students</th>") -> str:
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


@pytest.mark.parametrize(("n", "small"), [(0, False), (1, True), (9, True), (10, False)])
def test_a_small_cell_is_from_one_to_nine(n, small):
    assert bool(small_cells(counts(f"<th>North</th><td>{n}</td>"))) is small


@pytest.mark.parametrize("head", ["<th>School</th><th>Grade</th>", "<th>School</th><th>Share</th>"])
def test_a_number_that_counts_nobody_is_no_small_cell(head):
    assert small_cells(counts("<th>North</th><td>4</td>", head=head)) == []


def test_one_hidden_cell_beside_its_total_is_as_good_as_shown():
    rows = ["<th>North</th><td>&lt;10</td>", "<th>South</th><td>30</td>"]
    alone = small_cells(counts(*rows, "<th>Total</th><td>37</td>"))
    assert [leak for leak, _ in alone] == [Leak.SOLVABLE_CELL]
    both = small_cells(counts(rows[0], rows[0], rows[1], "<th>Total</th><td>44</td>"))
    assert both == []


def test_small_cells_are_looked_for_on_pages_about_nobody(auditor):
    shown = page(counts("<th>North</th><td>4</td>"), proof="").replace(b"Ana Ruiz", b"x")
    assert auditor.audit_bytes("p.html", shown) == []
    strict = Auditor(People(ROSTER), aggregate=True).audit_bytes("p.html", shown)
    assert [one.leak for one in strict] == [Leak.SMALL_CELL]


@pytest.mark.parametrize(
    ("policy", "enough"),
    [
        (POLICY, True),
        ("img-src data:", False),
        ("default-src 'none'; script-src 'self'", False),
        ("default-src 'none'; connect-src https:", False),
        ("default-src 'none'; script-src 'sha256-abc='", False),
    ],
)
def test_a_policy_that_lets_anything_run_or_ask_is_none(policy, enough):
    assert forbids_enough(policy) is enough


def test_a_script_of_ours_is_known_by_its_hash():
    assert forbids_enough("default-src 'none'; script-src 'sha256-abc='", ["sha256-abc="])


@pytest.mark.parametrize(
    ("text", "audience", "found"),
    [
        ("Bo Li", Audience.of(classrooms=["7A"]), ["00419"]),
        ("Bo Lita, 1004192", Audience.of(classrooms=["7A"]), []),
        ("Ana Ruiz", Audience.of(classrooms=["7A"]), []),
        ("Ana Ruiz and Noor O'Brien-Smith", Audience.of(students=["00417"]), ["00418"]),
        ("Noor O'Brien-Smith", Audience.of(classrooms=["7B"]), []),
        ("Noor O'Brien-Smith", NOBODY, ["00418"]),
    ],
)
def test_only_those_who_do_not_belong_are_strangers(text, audience, found):
    assert People(ROSTER).strangers_in(text, audience) == found
