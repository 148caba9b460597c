"""Each learner's own page: right, easy to read, and about one student alone."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from analysis.errors import UnknownError, UsageError
from analysis.rendering.edition import sheet_file, sheet_folder
from analysis.rendering.kinds import FAMILIES, STUDENTS
from analysis.rendering.plan import Order
from analysis.rendering.proof import WrongPageError
from analysis.rendering.runner import render_reports
from analysis.rendering.sheets import check_sheets, list_sheets
from analysis.rendering.strangers import Strangers
from analysis.settings import read_settings
from analysis.simulation import simulate_district
from analysis.store import Store, StoreIndex
from analysis.students import open_students
from conftest import PROJECT, WINDOW
from reading_level import fernandez_huerta, flesch_kincaid_grade, text_of_page
from seen_in_browser import barriers, n_printed

CLASSROOMS = ["demo-3a", "demo-4b"]
"""The first has two students of one name; the second students far below their grade."""


def settings_for(store: Store, out: Path, **given):
    return read_settings(
        store=store.folder, out=out, notebooks=PROJECT / "notebooks", workers=2, **given
    )


def make(store: Store, out: Path, *classrooms: str, kind=STUDENTS, force=False, **given):
    settings = settings_for(store, out, **given)
    order = Order(WINDOW, list(classrooms) or CLASSROOMS, force=force, kind=kind)
    return render_reports(StoreIndex(store.folder), settings, order)


def published(out: Path, kind=STUDENTS) -> dict[str, Path]:
    """The page of all sheets of each classroom."""
    pages = sorted((out / kind.folder / "current").glob("demo-*.html"))
    return {page.name[:7]: page for page in pages}


@pytest.fixture(scope="module")
def made(demo_store, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("made")
    assert make(demo_store, out).failed == []
    return out


@pytest.fixture(scope="module")
def letters(demo_store, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("letters")
    done = make(demo_store, out, kind=FAMILIES, language="es")
    assert done.failed == []
    return out


class Everybody:
    """All students of the district, ready to be looked for by id and by whole name."""

    def __init__(self, store: Store):
        people = store.read_roster()
        self.by_word = {one: {one} for one in people["student_id"]}
        self.name_of = dict(zip(people["student_id"], people["display_name"], strict=True))
        self.teachers = set(people["teacher"])
        for row in people.dropna(subset="display_name").itertuples():
            self.by_word.setdefault(row.display_name, set()).add(row.student_id)
        longest_first = sorted(self.by_word, key=len, reverse=True)
        self.pattern = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(?!\w)")

    def others_in(self, text: str, student_id: str) -> set[str]:
        """Ids of other students in a text; a namesake's and a teacher's name are no other's."""
        said = {match.group(1) for match in self.pattern.finditer(unescape(text))}
        said -= {student_id, self.name_of[student_id], *self.teachers}
        return set().union(*(self.by_word[word] for word in said))


# -- what is published ----------------------------------------------------------------------


def test_there_is_a_file_a_classroom_to_print_and_one_a_student_to_share(made, demo_store):
    for classroom_id, page in published(made).items():
        wanted = {
            sheet_file(page, one) for one in demo_store.read_roster(classroom_id)["student_id"]
        }
        assert {*sheet_folder(page).iterdir()} == wanted
    assert list(published(made)) == CLASSROOMS


def test_no_page_shows_the_id_or_the_name_of_another_student(made, letters, demo_store):
    everybody, foreign, n_pages = Everybody(demo_store), {}, 0
    for out, kind in ((made, STUDENTS), (letters, FAMILIES)):
        for classroom_id, page in published(out, kind).items():
            for student_id in demo_store.read_roster(classroom_id)["student_id"]:
                text = sheet_file(page, student_id).read_text("utf-8")
                others = everybody.others_in(text, student_id)
                foreign |= {(kind.name, student_id): others} if others else {}
                n_pages += student_id in text
    assert foreign == {}
    assert n_pages == 2 * sum(len(demo_store.read_roster(one)) for one in CLASSROOMS)


def test_student_pages_never_lie_beside_the_teachers_pages(made, letters):
    assert {path.name for path in made.iterdir()} == {"students"}
    assert {path.name for path in letters.iterdir()} == {"families"}


def test_pages_are_their_owners_only(made):
    files = [path for path in (made / "students").rglob("*") if path.is_file()]
    assert [str(f) for f in files if f.stat().st_mode & 0o077 and f.name != ".lock"] == []


def test_a_page_has_no_code_and_asks_for_nothing(made):
    for page in published(made).values():
        for file in [page, *sheet_folder(page).iterdir()]:
            text = file.read_text("utf-8")
            assert not re.search(r"<script|https?://(?!www\.w3\.org)|\bon\w+=|<link", text)


def test_what_is_unchanged_is_not_made_again_and_its_sheets_are_carried_over(made, demo_store,
                                                                             tmp_path):  # fmt: skip
    shutil.copytree(made, tmp_path / "out", symlinks=True)
    assert make(demo_store, tmp_path / "out").unchanged == CLASSROOMS
    done = make(demo_store, tmp_path / "out", "demo-4b", force=True)
    assert done.rendered == ["demo-4b"]
    sheets = {room: {f.name: f.read_bytes() for f in sheet_folder(page).iterdir()}
              for room, page in published(tmp_path / "out").items()}  # fmt: skip
    before = {room: {f.name: f.read_bytes() for f in sheet_folder(page).iterdir()}
              for room, page in published(made).items()}  # fmt: skip
    assert sheets == before


def with_student_cell(folder: Path, source: str) -> Path:
    """Return a folder with the notebook whose cell that shows the sheets is another."""
    notebook = nbformat.read(PROJECT / "notebooks" / STUDENTS.notebook, as_version=4)
    (cell,) = [cell for cell in notebook.cells if "display(" in cell.source]
    cell.source = source
    folder.mkdir()
    nbformat.write(notebook, folder / STUDENTS.notebook)
    return folder


SHOWS_A_CLASSMATE = """
from dataclasses import replace
names = [students.classroom.name_of(sheet.student_id) for sheet in students]
for sheet in students:
    display(replace(sheet, html=sheet.html + names[3]))
"""


def test_nothing_is_published_where_a_page_shows_a_classmate(demo_store, tmp_path):
    notebooks = with_student_cell(tmp_path / "notebooks", SHOWS_A_CLASSMATE)
    settings = read_settings(
        store=demo_store.folder, out=tmp_path / "out", notebooks=notebooks, workers=1
    )
    order = Order(WINDOW, ["demo-4b"], kind=STUDENTS)
    (failed,) = render_reports(StoreIndex(demo_store.folder), settings, order).failed
    assert "22 students' own pages show another student" in failed["problem"]
    assert not Everybody(demo_store).pattern.search(failed["problem"])
    assert published(tmp_path / "out") == {}
    assert not list((tmp_path / "out" / "students" / "editions").rglob("0*.html"))


def test_a_student_with_two_sheets_is_a_fault():
    sheet = nbformat.v4.new_output(
        "display_data", {"text/html": "x"}, metadata={"text/html": {"student_id": "s1"}}
    )
    cell = nbformat.v4.new_code_cell(outputs=[sheet, sheet])
    with pytest.raises(WrongPageError, match="more than one sheet"):
        list_sheets(nbformat.v4.new_notebook(cells=[cell]))


def test_a_page_with_other_sheets_than_asked_for_is_stopped():
    page = '<article class="sheet" data-student-id="s2"></article>'
    with pytest.raises(WrongPageError, match="1 sheets where 1 others"):
        check_sheets(page, ["s1"])


def test_a_namesake_is_no_stranger_but_any_other_classmate_is(tmp_path):
    people = pd.DataFrame(
        {
            "student_id": ["00001", "00002", "00003"],
            "classroom_id": "7A",
            "display_name": ["Ana Ruiz", "Ana Ruiz", "Bo Li"],
            "teacher": "Do Choi",
        }
    )
    page = tmp_path / "7a.html"
    sheet_folder(page).mkdir()
    for student_id, name in zip(people["student_id"], people["display_name"], strict=True):
        sheet_file(page, student_id).write_text(f"<h1>{name}</h1> Do Choi")
    Strangers(people).check_sheets(page, ["7A"])
    sheet_file(page, "00001").write_text("<h1>Ana Ruiz</h1> with Bo Li")
    with pytest.raises(WrongPageError, match="1 students' own pages"):
        Strangers(people).check_sheets(page, ["7A"])
    sheet_file(page, "00001").unlink()
    with pytest.raises(WrongPageError, match="not one page for each student"):
        Strangers(people).check_sheets(page, ["7A"])


# -- what is said ---------------------------------------------------------------------------


def sheets(store: Store, classroom_id: str, **given) -> list:
    return [*open_students(classroom_id, window=WINDOW, data_dir=store.folder, **given)]


@pytest.mark.parametrize("reader", ["student", "family"])
@pytest.mark.parametrize("classroom_id", CLASSROOMS)
def test_english_pages_read_at_grade_six_or_easier(demo_store, classroom_id, reader):
    pages = sheets(demo_store, classroom_id, reader=reader)
    levels = [flesch_kincaid_grade(text_of_page(sheet.html)) for sheet in pages]
    assert max(levels) <= 6


@pytest.mark.parametrize("reader", ["student", "family"])
@pytest.mark.parametrize("classroom_id", CLASSROOMS)
def test_spanish_pages_read_at_grade_six_or_easier(demo_store, classroom_id, reader):
    # 70 and over: grade 6 or easier.
    pages = sheets(demo_store, classroom_id, reader=reader, language="es")
    levels = [fernandez_huerta(text_of_page(sheet.html)) for sheet in pages]
    assert min(levels) >= 70


def test_nothing_is_said_of_rank_group_grade_or_others(demo_store):
    skills = demo_store.read_skills()
    own = [text for name in ("i_can", "name", "check_question") for text in skills[name].dropna()]
    labels = r"\b(group|grade|rank|average|class|below|behind|low|weak|tier|percent|others?)\b"
    for reader in ("student", "family"):
        for sheet in sheets(demo_store, "demo-4b", reader=reader):
            text = re.sub(r"<[^>]+>", " ", unescape(sheet.html))
            for said in own:
                text = text.replace(said, " ")
            assert re.findall(labels, text, re.IGNORECASE) == []


@pytest.fixture(scope="module")
def told(demo_store) -> pd.DataFrame:
    """Every claim and next step of three classrooms, and whether it is true."""
    district = simulate_district(6)
    truth = district.truth.query("window == @WINDOW").set_index(["student_id", "skill_id"])
    holds = truth["has_skill"]
    before = district.skills.set_index("skill_id")["prerequisites"].fillna("")
    rows = []
    for classroom_id in ("demo-3a", "demo-4b", "demo-5a"):
        pages = open_students(classroom_id, window=WINDOW, data_dir=demo_store.folder)
        for learner in pages.learners:
            one = learner.student_id
            rows += [("can", holds[one, claim.skill_id]) for claim in learner.can]
            rows += [("grown", holds[one, claim.skill_id]) for claim in learner.grown]
            if step := learner.next_step:
                needed = [k for k in before[step.skill_id].split(";") if k]
                ready = all(holds[one, k] for k in needed)
                rows.append(("next", not holds[one, step.skill_id] and ready))
    return pd.DataFrame(rows, columns=["what", "true"])


@pytest.mark.parametrize(("what", "share"), [("can", 0.97), ("grown", 0.95), ("next", 0.75)])
def test_pages_are_right_against_the_simulated_truth(told, what, share):
    said = told[told["what"] == what]
    assert len(said) >= 60
    assert said["true"].mean() >= share


def test_a_letter_tells_the_same_as_the_page(demo_store):
    page = open_students("demo-4b", window=WINDOW, data_dir=demo_store.folder)
    letter = open_students("demo-4b", window=WINDOW, data_dir=demo_store.folder, reader="family")
    assert page.learners == letter.learners
    assert "Dear family," in next(iter(letter)).html


def test_students_without_answers_get_a_page_that_calls_them_nothing(demo_store, tmp_path):
    shutil.copytree(demo_store.folder, tmp_path / "store")
    store = Store(tmp_path / "store")
    new = store.read_roster("demo-4b").head(1).assign(student_id="99999999", display_name="Zed New")
    store.save(roster=new)
    (sheet,) = sheets(store, "demo-4b", student_id="99999999")
    assert "I have no answers here yet." in sheet.html
    assert "My next step" not in sheet.html


NAMES = ["<script>alert(1)</script>", "مُحَمَّد بن سلمان", "👩🏽‍🚀 Zoë Ω", "$x_{", "None"]


def test_own_words_and_odd_names_are_shown_as_they_are(demo_store, tmp_path):
    shutil.copytree(demo_store.folder, tmp_path / "store")
    store = Store(tmp_path / "store")
    roster = store.read_roster("demo-4b").head(len(NAMES)).assign(display_name=NAMES)
    goals = ["<b>fly</b> 🦅", "beat Zoë", "vuelo", "beat 👩🏽‍🚀 Zoë Ω", "rest"]
    said = pd.DataFrame({"student_id": roster["student_id"], "topic": "goal", "answer": goals})
    store.save(roster=roster, voice=said)
    pages = {s.student_id: s.html for s in sheets(store, "demo-4b")}
    for student_id, name in zip(roster["student_id"], NAMES, strict=True):
        assert name in unescape(pages[student_id])
        assert "<script>" not in pages[student_id]
    shown = ["I said:" in pages[one] for one in roster["student_id"]]
    # Words that name a classmate, by the whole name or the first, stay off the page.
    assert shown == [True, False, True, False, True]
    assert "&lt;b&gt;fly&lt;/b&gt; 🦅" in pages[roster["student_id"].iloc[0]]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"student_id": "00000000"}, UnknownError, "has no student '00000000'"),
        ({"reader": "boss"}, UsageError, "Choose one of: student, family"),
    ],
)
def test_what_is_asked_wrongly_is_named(demo_store, given, error, said):
    with pytest.raises(error, match=said):
        sheets(demo_store, "demo-4b", **given)


# -- in a browser ---------------------------------------------------------------------------


def all_files(out: Path, kind) -> list[Path]:
    return [*published(out, kind).values()]


def first_sheet(page: Path) -> Path:
    return sorted(sheet_folder(page).iterdir())[0]


@pytest.mark.browser
@pytest.mark.parametrize("paper", ["Letter", "A4"])
@pytest.mark.parametrize(("which", "kind"), [("made", STUDENTS), ("letters", FAMILIES)])
def test_each_student_prints_on_one_sheet(which, kind, paper, opened, request, demo_store):
    for classroom_id, file in published(request.getfixturevalue(which), kind).items():
        n_students = len(demo_store.read_roster(classroom_id))
        assert n_printed(opened(file), paper) == n_students


@pytest.mark.browser
@pytest.mark.parametrize(("which", "kind"), [("made", STUDENTS), ("letters", FAMILIES)])
def test_everyone_can_use_the_pages(which, kind, opened, request):
    for file in all_files(request.getfixturevalue(which), kind)[:1]:
        for one in (file, first_sheet(file)):
            assert barriers(opened(one, bypass_csp=True)) == []


@pytest.mark.browser
def test_a_page_asks_for_nothing_and_fits_a_phone(made, opened):
    file = first_sheet(all_files(made, STUDENTS)[0])
    page = opened(file, width=320)
    assert page.heard == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert len(page.query_selector_all("h1")) == 1
