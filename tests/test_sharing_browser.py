"""Shared files where they are opened: a protected bundle in Chromium, tables in LibreOffice."""

from __future__ import annotations

import csv
import http.server
import io
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from analysis.language import open_language
from analysis.rendering.blocks import CONTENT_POLICY, stylesheet
from analysis.sharing.groups import Seats, desk_cards
from analysis.sharing.protection import seal
from analysis.sharing.spreadsheets import to_csv, to_xlsx
from seen_in_browser import barriers
from test_sharing import FORMULAS, GROUPS

WORDS = "apple-river-stone-lamp-nine-fox-hat"
ATTACK = (
    "<script>document.title='ran'</script><img src=x alt=x onerror=\"document.title='ran'\">"
    '<svg onload="document.title=\'ran\'"></svg><iframe srcdoc="<script>top.document.title='
    "'ran'</script>\"></iframe><a href=\"javascript:document.title='ran'\">run</a>"
    '<img alt=x src="https://example.org/a.png"><link rel=stylesheet href="https://example.org/b">'
)
browser_test = pytest.mark.browser


def report(said: str = "", n: int = 1) -> bytes:
    """A page like ours, of so many printed pages."""
    parts = "".join(
        f'<section style="break-after: page"><h2>Part {i}</h2><p>{said}</p></section>'
        for i in range(n)
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'
        f"<title>Classroom 7A</title><style>{stylesheet()}</style></head><body>"
        f'<main id="report"><h1>Who needs the same next skill?</h1>{parts}'
        f"<p>Ana Ruiz</p></main></body></html>"
    ).encode()


INDEX = (
    b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reports, fall</title>'
    b'</head><body><main><h1>Reports</h1><ul><li><a href="7a.html">Classroom 7A</a></li>'
    b'<li><a href="groups/class-list.csv">Class list</a></li></ul></main></body></html>'
)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    files = {
        "index.html": INDEX, "7a.html": report(n=13), "hostile.html": report(ATTACK),
        "groups/class-list.csv": b"group\r\n1\r\n",
    }  # fmt: skip
    file = folder / "may-tran.html"
    file.write_text(seal(files, WORDS, start="index.html"), encoding="utf-8")
    hostile = seal({"a.html": report(ATTACK)}, WORDS, start="a.html", language=open_language("es"))
    (folder / "hostile.html").write_text(hostile, encoding="utf-8")
    (folder / "cut.html").write_text(file.read_text("utf-8")[:-200], encoding="utf-8")
    return file


def unlock(page, words: str = WORDS) -> None:
    page.fill("#passphrase", words)
    page.keyboard.press("Enter")


@browser_test
def test_a_wrong_passphrase_is_refused_in_plain_words(sealed, opened):
    page = opened(sealed)
    unlock(page, "apple-river-stone")
    page.wait_for_selector("text=does not open these pages. Check each word.")
    assert page.get_attribute("#told", "role") == "alert"
    assert "Ana Ruiz" not in page.content()
    assert page.evaluate("document.activeElement.id") == "passphrase"


@browser_test
def test_the_right_passphrase_shows_the_pages_however_it_is_typed(sealed, opened):
    page = opened(sealed)
    unlock(page, "Apple river  STONE lamp nine fox–hat")
    page.click("text=Classroom 7A")
    page.wait_for_selector("h1:has-text('Who needs')")
    assert page.title() == "Classroom 7A"
    assert "Ana Ruiz" in page.inner_text("main")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"


@browser_test
def test_the_way_back_leads_to_the_list(sealed, opened):
    page = opened(sealed)
    unlock(page)
    page.click("text=Classroom 7A")
    page.click("text=Back to all pages")
    page.wait_for_selector("h1:has-text('Reports')")
    page.go_back()
    page.wait_for_selector("h1:has-text('Who needs')")


@browser_test
def test_a_file_inside_is_offered_to_be_saved(sealed, opened):
    page = opened(sealed)
    unlock(page)
    page.wait_for_selector("text=Class list")
    with page.expect_download() as saved:
        page.click("text=Class list")
    assert saved.value.suggested_filename == "class-list.csv"
    assert Path(saved.value.path()).read_bytes() == b"group\r\n1\r\n"


@browser_test
def test_all_pages_of_a_report_are_printed(sealed, opened):
    page = opened(sealed)
    unlock(page)
    page.click("text=Classroom 7A")
    page.wait_for_selector("h1:has-text('Who needs')")
    pdf = page.pdf(format="Letter", tagged=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 13


@pytest.fixture
def listener():
    """A server that counts who asks; ``asked`` has the paths."""
    asked = []

    class Counting(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    server.asked = asked
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@browser_test
def test_nothing_is_asked_for_nothing_runs_and_nothing_is_kept(opened, listener, tmp_path):
    attack = ATTACK.replace("https://example.org", f"http://127.0.0.1:{listener.server_port}")
    file = tmp_path / "hostile.html"
    file.write_text(seal({"a.html": report(attack)}, WORDS, start="a.html"), encoding="utf-8")
    page = opened(file)
    unlock(page)
    page.wait_for_selector("h1:has-text('Who needs')")
    page.click("text=run")
    page.wait_for_timeout(300)
    assert page.title() == "Classroom 7A"
    assert listener.asked == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


@browser_test
def test_without_the_policies_the_same_attack_does_ask(opened, listener, tmp_path):
    # Else the test above would prove nothing.
    attack = ATTACK.replace("https://example.org", f"http://127.0.0.1:{listener.server_port}")
    (tmp_path / "naive.html").write_bytes(report(attack))
    opened(tmp_path / "naive.html", bypass_csp=True).wait_for_timeout(300)
    assert listener.asked


@browser_test
def test_the_policy_of_the_lock_page_stays_in_force_when_it_is_open(sealed, opened):
    page = opened(sealed)
    unlock(page)
    page.wait_for_selector("h1:has-text('Reports')")
    # This page inside has no policy of its own.
    page.evaluate(
        "() => { const one = document.createElement('script');"
        "one.textContent = \"document.title = 'ran'\"; document.body.append(one) }"
    )
    assert page.title() == "Reports, fall"


@browser_test
def test_a_file_that_was_cut_is_called_incomplete(sealed, opened):
    page = opened(sealed.with_name("cut.html"))
    unlock(page)
    page.wait_for_selector("text=This file is incomplete")


@browser_test
@pytest.mark.parametrize("which", ["may-tran.html", "hostile.html"])
def test_the_lock_page_can_be_used_by_everyone(which, sealed, opened):
    page = opened(sealed.with_name(which), bypass_csp=True)
    assert barriers(page) == []
    unlock(page, "wrong")
    page.wait_for_selector("#told:not(:empty)")
    page.wait_for_selector("#open:enabled")
    assert barriers(page) == []
    assert page.get_attribute("html", "lang") == ("en" if which == "may-tran.html" else "es")


@browser_test
def test_what_is_shown_after_it_can_be_used_by_everyone(sealed, opened):
    page = opened(sealed, bypass_csp=True)
    unlock(page)
    page.click("text=Classroom 7A")
    page.wait_for_selector("h1:has-text('Who needs')")
    assert barriers(page) == []


@browser_test
@pytest.mark.parametrize("language", ["en", "es"])
def test_desk_cards_can_be_used_by_everyone(language, opened, tmp_path):
    names = {"00418": "<b>Zoë</b> Ω", "00417": "김민준", "00500": "x" * 90}
    seats = Seats("7A", "fall", GROUPS, names, {"k1": "a", "k2": "b"}, {"k1": "I can."})
    (tmp_path / "cards.html").write_text(desk_cards(seats, open_language(language)), "utf-8")
    page = opened(tmp_path / "cards.html", bypass_csp=True)
    assert barriers(page) == []
    assert "<b>Zoë</b> Ω" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366


# -- LibreOffice ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    """Open a file in LibreOffice and give what it sees as CSV, formulas as formulas."""
    office = shutil.which("soffice")
    if office is None:
        if os.environ.get("CI"):
            pytest.fail("LibreOffice is missing: apt-get install libreoffice-calc")
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("office")

    def open_and_read(file: Path) -> list[list[str]]:
        # The eleventh token: formulas are written as formulas, not as their values.
        csv_filter = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,true,false,false"
        subprocess.run(
            [office, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
             *(["--infilter=CSV:44,34,76,1"] if file.suffix == ".csv" else []),
             "--convert-to", csv_filter, "--outdir", str(folder / "out"), str(file)],
            capture_output=True, timeout=120, check=True,
        )  # fmt: skip
        text = (folder / "out" / f"{file.stem}.csv").read_text("utf-8")
        return list(csv.reader(io.StringIO(text, newline="")))

    return open_and_read


HOSTILE = [["00417", cell] for cell in FORMULAS] + [["007", "Zoë Ω"], ["1E2", "plain"]]


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_libreoffice_evaluates_nothing(ending, convert, tmp_path):
    made = {
        "xlsx": lambda: to_xlsx(["id", "name"], HOSTILE, sheet="x"),
        "csv": lambda: to_csv(["id", "name"], HOSTILE, bom=True),
    }[ending]
    file = tmp_path / f"list.{ending}"
    file.write_bytes(made())
    seen = [row[1] for row in convert(file)[1:]]
    assert len(seen) == len(HOSTILE)
    # An evaluated cell would show a value: 2, -2, an error, a link's text.
    for (_, given), shown in zip(HOSTILE, seen, strict=True):
        plain = "".join(letter if letter.isprintable() else " " for letter in given)
        assert shown.removeprefix("'").split() == plain.split()


@pytest.mark.slow
def test_libreoffice_does_evaluate_what_is_not_made_safe(convert, tmp_path):
    # Else the test above would prove nothing.
    file = tmp_path / "naive.csv"
    file.write_text("id,name\r\n1,=1+1\r\n")
    assert convert(file)[1][1] == "2"
