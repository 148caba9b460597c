"""What a run tells: a digest for the coach, a message, a summary; never a student."""

from __future__ import annotations

import errno
import json
import re
import socketserver
import ssl
import sys
import threading
from base64 import b64decode
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from analysis.errors import DataError, LockedError, StoppedError, UsageError
from analysis.language import open_language
from analysis.nightly.causes import AuditError, Cause, cause_of, reason_of
from analysis.nightly.comparing import Compared, Missing, Moved
from analysis.nightly.digest import MOST_LINES, write_digest
from analysis.nightly.inbox import Look
from analysis.nightly.night import Night, Overdue
from analysis.nightly.notifying import NotifyError, notify
from analysis.nightly.pages import Pages
from analysis.nightly.summary import (
    LONGEST_LOG,
    Status,
    Step,
    folder_of_runs,
    read_last_run,
    write_last_run,
    write_log,
)
from analysis.nightly.taking import Taken
from analysis.settings import NotifySettings, anchor, read_settings

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAMAGED = "x: the file is damaged or was cut.\nExport it again."


def night(**what) -> Night:
    return Night(BEGAN, ended=BEGAN, window="2026-fall", **what)


def failed(step: str, cause: Cause) -> dict:
    return {"steps": [Step(step, Status.FAILED, exit_code=1)], "causes": {step: cause}}


def said(what: Night, language: str = "en", named=lambda name: False, details=None) -> str:
    digest = write_digest(what, open_language(language), names_student=named, details=details)
    return digest.text


# -- the digest ---------------------------------------------------------------------------


def test_a_night_without_news_is_one_line():
    assert said(night(taken=Taken())) == "All is well: nothing new.\n"


def test_a_good_night_begins_with_all_is_well():
    pages = [Pages("classroom", n_made=3, edition="20261124T120000000000Z", is_new=True)]
    text = said(night(taken=Taken(read=["a", "b"], rows_read=40, rows_used=38), pages=pages))
    assert text.startswith("All is well: 3 new pages.\n")
    assert "Read: 2 files, 40 rows. 2 rows were set aside." in text


def test_a_refused_file_is_named_with_its_reason_alone():
    text = said(night(taken=Taken(refused={"7A/x.xlsx": DAMAGED})))
    assert text.startswith("1 thing needs you.\n")
    assert "1. 7A/x.xlsx could not be used: it is damaged or was cut short." in text


def test_what_stands_in_a_refused_file_is_not_said():
    message = "x.csv, row 6: score 'Ana Ruiz' is no number\nthe file is empty"
    text = said(night(taken=Taken(refused={"x.csv": message})))
    assert "something in it cannot be used" in text
    assert "Ana" not in text


def test_a_file_that_is_named_after_a_student_is_not_named():
    what = night(
        taken=Taken(refused={"Ana Ruiz.csv": DAMAGED}, open_rows={"Ana Ruiz.csv": 3}),
        look=Look([], ["Ana Ruiz.csv"], [], []),
    )
    text = said(what, named=lambda name: "Ana" in name)
    assert "Ana" not in text
    assert "A file (.csv) whose name names a student" in text


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (Overdue("7A/*", None), "No file 7A/* has come yet."),
        (Overdue("7A/*", 1), "No new file 7A/* for 1 day."),
        (Overdue("7A/*", 9), "No new file 7A/* for 9 days."),
    ],
)
def test_a_file_that_did_not_come_is_missed(one, sentence):
    assert sentence in said(night(overdue=[one]))


@pytest.mark.parametrize(
    ("step", "cause", "sentence"),
    [
        ("inbox", Cause.SETTINGS, "The inbox could not be looked into: a setting in coach.toml"),
        ("import", Cause.FULL, "The new files could not be read: the disk is full. Make room"),
        ("calibrate", Cause.LOCKED, "another command was at work. The next run does it."),
        ("audit", Cause.LEAK, "The new pages were held back: the audit found"),
        ("publish", Cause.FULL, "The new pages could not be published: the disk is full."),
    ],
)
def test_a_step_that_failed_is_said_with_its_cause(step, cause, sentence):
    text = said(night(**failed(step, cause)))
    assert text.startswith("1 thing needs you.\n")
    assert sentence in text


def test_it_says_which_pages_are_shown_when_no_new_ones_are():
    what = failed("publish", Cause.FULL)
    pages = [Pages("classroom", edition="20261122T120000000000Z")]
    assert "The pages of November 22, 2026 are shown." in said(night(**what, pages=pages))


def test_whose_data_are_missing_is_said_in_counts():
    missing = [Missing("7B", 22, 22), Missing("7A", 3, 24)]
    text = said(night(missing=missing))
    assert "No data in 2026-fall: 7B (22 students)." in text
    assert "Students without data in 2026-fall: 7A (3 of 24)." in text


def test_who_changed_group_is_said_in_counts():
    text = said(night(compared=Compared([Moved("7A", 4, 23)], n_compared=2)))
    assert "Changed group: 7A (4 of 23)." in text


def test_a_run_that_was_cut_off_is_told_by_the_next():
    assert "was cut off before its end; this one has made it good." in said(
        night(killed_before=BEGAN)
    )


def test_a_long_list_is_cut_and_counted():
    refused = {f"{n:02}.csv": DAMAGED for n in range(MOST_LINES + 5)}
    text = said(night(taken=Taken(refused=refused)))
    assert "And 5 more like this." in text
    assert text.count("could not be used") == MOST_LINES


def test_the_digest_speaks_spanish():
    what = night(
        taken=Taken(refused={"x.csv": DAMAGED}, read=["a.csv"], rows_read=1, rows_used=1),
        missing=[Missing("7A", 3, 24)],
        compared=Compared([Moved("7A", 1, 23)], 1),
    )
    text = said(what, "es")
    assert text.startswith("1 asunto requiere su atención.\n")
    assert "No se pudo usar x.csv: está dañado o quedó cortado." in text
    assert "Leído: 1 archivo, 1 fila." in text
    assert "Estudiantes sin datos en 2026-fall: 7A (3 de 24)." in text
    assert "Cambiaron de grupo: 7A (1 de 23)." in text


# -- causes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), Cause.FULL),
        (OSError(errno.EFBIG, "File too large"), Cause.FULL),
        (DataError("published in reports: No space left on device."), Cause.FULL),
        (PermissionError(errno.EACCES, "Permission denied"), Cause.FORBIDDEN),
        (OSError(errno.EIO, "Input/output error"), Cause.DISK),
        (LockedError("Another run"), Cause.LOCKED),
        (StoppedError("Stopped"), Cause.STOPPED),
        (UsageError("No such folder"), Cause.SETTINGS),
        (DataError("7A has no rows"), Cause.DATA),
        (AuditError("2 leaks"), Cause.LEAK),
        (ZeroDivisionError(), Cause.OTHER),
    ],
)
def test_an_error_has_a_cause_in_plain_words(error, cause):
    assert cause_of(error) is cause


def test_a_reason_never_quotes_the_file():
    assert reason_of("x.csv, row 2: no header of a known export was found. Columns found: Ana") == (
        "its columns are not those of a known export"
    )


# -- the summary --------------------------------------------------------------------------


def test_the_summary_is_whole_and_tells_each_step(tmp_path):
    steps = [Step("inbox", Status.DONE, 0.1, {"files": 2}), Step("import", Status.SKIPPED)]
    told = write_last_run(
        tmp_path, started=BEGAN, ended=BEGAN, exit_code=0, steps=steps, window="fall",
        edition=None, digest=tmp_path / "runs" / "d.txt", notified="off",
    )  # fmt: skip
    assert read_last_run(tmp_path) == told
    assert told["digest"] == "runs/d.txt"
    assert [one["status"] for one in told["steps"]] == ["done", "skipped"]
    assert (tmp_path / "last-run.json").stat().st_mode & 0o077 == 0


def test_a_summary_that_was_cut_is_none(tmp_path):
    (tmp_path / "last-run.json").write_text('{"schema": 1, "sta')
    assert read_last_run(tmp_path) is None


def test_the_log_is_begun_anew_when_it_is_long(tmp_path):
    folder = folder_of_runs(tmp_path)
    write_log(tmp_path, BEGAN, "import done")
    (folder / "run.log").write_text("x" * (LONGEST_LOG + 1))
    write_log(tmp_path, BEGAN, "import done")
    assert (folder / "run.log").read_text() == "2026-11-24T12:00:00Z import done\n"
    assert (folder / "run.log.1").stat().st_size == LONGEST_LOG + 1


# -- the message --------------------------------------------------------------------------


class MailServer(socketserver.ThreadingTCPServer):
    """A small mail server: keeps what it is given; says no to whom it is told.

    With ``encrypted`` it takes messages by STARTTLS and from its one account alone.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, refuse: str = "", encrypted: ssl.SSLContext | None = None):
        super().__init__(("127.0.0.1", 0), MailSession)
        self.refuse = refuse
        self.encrypted = encrypted
        self.log: list[str] = []
        self.messages: list[str] = []
        self.recipients: list[str] = []

    def handle_error(self, request, client_address):
        """A client may hang up at a certificate it does not trust."""


class MailSession(socketserver.StreamRequestHandler):
    """RFC 5321, as far as one message needs it."""

    def handle(self):
        self.is_safe, self.is_known = False, self.server.encrypted is None
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split(":")[0].split()[0].upper()
            self.server.log.append(f"{word}{' encrypted' * self.is_safe}")
            if self.server.encrypted and word in ("EHLO", "STARTTLS", "AUTH"):
                getattr(self, word.lower())(line)
            elif not self.is_known and word != "QUIT":
                self.say("530 who are you?")
            elif word == "DATA":
                self.say("354 go on")
                self.server.messages.append(self.read_message())
                self.say("250 kept")
            elif word == "RCPT":
                refused = bool(self.server.refuse) and self.server.refuse in line
                self.server.recipients.append(line)
                self.say("550 nobody of that name" if refused else "250 ok")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def ehlo(self, line: str) -> None:
        self.say("250-here")
        self.say("250 AUTH PLAIN" if self.is_safe else "250 STARTTLS")

    def starttls(self, line: str) -> None:
        self.say("220 go on")
        self.request = self.server.encrypted.wrap_socket(self.request, server_side=True)
        self.is_safe = True
        self.setup()

    def finish(self):
        super().finish()
        self.request.close()

    def auth(self, line: str) -> None:
        account = b64decode(line.split()[2]).decode().split("\0")[1:]
        self.is_known = self.is_safe and account == ["me", "secret"]
        self.say("235 welcome" if self.is_known else "535 no")

    def read_message(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(line.removeprefix(".") if line.startswith("..") else line)
        return "".join(lines)

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def at_work(server: MailServer):
    with server:
        # It looks as often as this whether it is to stop.
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mail():
    with at_work(MailServer()) as server:
        yield server


@pytest.fixture
def safe_mail(tmp_path):
    """A mail server that encrypts, with a certificate of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    with at_work(MailServer(encrypted=context)) as server:
        yield server


def by_account(server: MailServer, monkeypatch, password: str = "secret") -> NotifySettings:
    monkeypatch.setenv("MAIL_PASSWORD", password)
    return by_mail(server, security="starttls", user="me", password_variable="MAIL_PASSWORD")


def by_mail(server: MailServer, **more) -> NotifySettings:
    host, port = server.server_address
    plain = {
        "smtp_host": host, "smtp_port": port, "security": "none", "timeout": 10,
        "sender": "coach@school.org", "to": ["me@school.org"],
    }  # fmt: skip
    return NotifySettings(**plain | more)


def test_the_digest_arrives_by_mail(mail):
    assert notify(by_mail(mail), "Coach's Notebook: ¡hola!", "Todo está bien: nada nuevo.\n")
    message = message_from_string(mail.messages[0], policy=default)
    assert message["Subject"] == "Coach's Notebook: ¡hola!"
    assert message["To"] == "me@school.org"
    assert message.get_content().splitlines() == ["Todo está bien: nada nuevo."]


def test_a_message_does_not_name_this_computer(mail):
    import socket

    notify(by_mail(mail), "s", "t")
    assert re.search(r"^Message-ID: <.*@school.org>", mail.messages[0], re.M | re.I)
    assert socket.gethostname() not in mail.messages[0]


def test_a_recipient_the_server_refuses_is_said(mail):
    mail.refuse = "nobody"
    with pytest.raises(NotifyError, match="refused 1 of the addresses"):
        notify(by_mail(mail, to=["me@school.org", "nobody@school.org"]), "s", "t")


def test_a_server_that_is_not_there_is_said_in_words():
    with MailServer() as server:
        settings = by_mail(server)
    with pytest.raises(NotifyError, match="did not take the message"):
        notify(settings, "s", "t")


def test_a_server_without_encryption_gets_no_password(mail, monkeypatch):
    with pytest.raises(NotifyError, match="did not take the message"):
        notify(by_account(mail, monkeypatch), "s", "t")
    assert mail.messages == []


def test_a_server_that_encrypts_is_told_who_sends_and_takes_the_digest(
    safe_mail, tmp_path, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    assert notify(by_account(safe_mail, monkeypatch), "s", "All is well.\n")
    assert "All is well." in safe_mail.messages[0]
    assert safe_mail.log[:2] == ["EHLO", "STARTTLS"]
    assert all(one.endswith(" encrypted") for one in safe_mail.log[2:])
    assert "AUTH encrypted" in safe_mail.log


def test_a_server_that_does_not_know_the_account_is_said(safe_mail, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with pytest.raises(NotifyError, match="SMTPAuthenticationError"):
        notify(by_account(safe_mail, monkeypatch, "wrong"), "s", "t")
    assert safe_mail.messages == []


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_password(safe_mail, monkeypatch):
    with pytest.raises(NotifyError, match="SSLCertVerificationError"):
        notify(by_account(safe_mail, monkeypatch), "s", "t")
    assert not any(one.startswith("AUTH") for one in safe_mail.log)


def test_a_password_that_is_not_there_is_said(mail, tmp_path):
    settings = by_mail(
        mail, security="starttls", user="me", password_file=tmp_path / "mail-password"
    )
    with pytest.raises(UsageError, match="holds no password"):
        notify(settings, "s", "t")


def test_a_program_reads_the_digest(tmp_path, monkeypatch):
    script = "import os; open('got', 'w').write(os.environ['COACH_SUBJECT'] + input())"
    monkeypatch.chdir(tmp_path)
    notify(NotifySettings(command=[sys.executable, "-c", script]), "s:", "t")
    assert (tmp_path / "got").read_text() == "s:t"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([sys.executable, "-c", "raise SystemExit(3)"], "ended with code 3"),
        (["no-such-program-here"], "could not be run"),
    ],
)
def test_a_program_that_fails_is_said(command, words):
    with pytest.raises(NotifyError, match=words):
        notify(NotifySettings(command=command), "s", "t")


def test_nobody_to_tell_is_no_fault():
    assert not notify(NotifySettings(), "s", "t")


# -- coach.toml ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[notify]\npassword = "x"\n', r"\[notify\], has no setting 'password'"),
        ('[run]\ninbx = "in"\n', r"\[run\], has no setting 'inbx'. Did you mean 'inbox'"),
        ('[[run.expect]]\nfile = "x"\n', r"has no setting 'file'. Did you mean 'files'"),
        ('[notify]\nsmtp_host = "h"\n', "needs sender and to"),
        ('[notify]\nuser = "me"\n', "password_variable or password_file"),
        (
            '[notify]\nuser = "me"\npassword_variable = "P"\nsecurity = "none"\n',
            "must not travel unencrypted",
        ),
        ('[run]\npages = ["classrooms"]\n', "run.pages"),
    ],
)
def test_a_wrong_setting_is_named_in_its_section(tmp_path, text, words):
    (tmp_path / "coach.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        read_settings(tmp_path / "coach.toml")


def test_paths_are_those_of_the_settings_file(tmp_path):
    (tmp_path / "coach.toml").write_text('store = "s"\n[notify]\npassword_file = "/etc/p"\n')
    settings = anchor(read_settings(tmp_path / "coach.toml"), tmp_path)
    assert settings.store == tmp_path / "s"
    assert settings.run.inbox == tmp_path / "data" / "inbox"
    assert settings.run.item_map is None
    assert settings.notify.password_file.as_posix() == "/etc/p"


def test_the_summary_is_plain_json(tmp_path):
    told = write_last_run(
        tmp_path, started=BEGAN, ended=BEGAN, exit_code=3, window=None, edition=None, digest=None,
        steps=[Step("import", Status.FAILED, 1.0, {}, "1 files could not be used", 3)],
        notified="failed",
    )  # fmt: skip
    assert json.loads((tmp_path / "last-run.json").read_text()) == told
