"""Telling somebody of a run: by a program that reads the digest, or by e-mail."""

from __future__ import annotations

import os
import smtplib
import ssl
import subprocess
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from analysis.errors import AnalysisError, UsageError
from analysis.settings import NotifySettings


class NotifyError(AnalysisError):
    """Nobody could be told."""


def notify(settings: NotifySettings, subject: str, text: str) -> bool:
    """Tell whom the settings name; return whether there was anybody to tell.

    Parameters
    ----------
    settings
        Who is told, and how. A program gets the text to read (standard input) and the
        subject in the variable ``COACH_SUBJECT``.
    subject
        One line.
    text
        The digest.

    Raises
    ------
    NotifyError
        The program failed, or the mail server did not take the message.
    UsageError
        The password is not where the settings say.
    """
    if settings.command:
        _tell_by_command(settings, subject, text)
    if settings.smtp_host:
        _tell_by_mail(settings, settings.smtp_host, subject, text)
    return bool(settings.command or settings.smtp_host)


def make_message(settings: NotifySettings, subject: str, text: str) -> EmailMessage:
    """Return the e-mail.

    Examples
    --------
    >>> settings = NotifySettings(smtp_host="h", sender="a@b.org", to=["c@d.org"])
    >>> make_message(settings, "All is well", "Nothing new.")["To"]
    'c@d.org'
    """
    sender = settings.sender or ""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(settings.to)
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=True)
    # The name of this computer is nobody's business.
    message["Message-ID"] = make_msgid(domain=sender.rsplit("@", 1)[-1])
    message["Auto-Submitted"] = "auto-generated"
    # Not every server takes signs beyond ASCII as they are.
    message.set_content(text, cte="quoted-printable")
    return message


def read_password(settings: NotifySettings) -> str:
    """Return the password from its variable or its file.

    Raises
    ------
    UsageError
        It is not there.
    """
    if settings.password_variable:
        password = os.environ.get(settings.password_variable, "")
        where = f"The variable {settings.password_variable}"
    else:
        file = settings.password_file or Path()
        where = f"The file {file}"
        try:
            password = file.read_text(encoding="utf-8").strip()
        except OSError:
            password = ""
    if not password:
        raise UsageError(
            f"{where} holds no password for the mail server.\n"
            "Put it there, or correct [notify] in coach.toml."
        )
    return password


def _tell_by_command(settings: NotifySettings, subject: str, text: str) -> None:
    try:
        done = subprocess.run(
            settings.command,
            input=text.encode(),
            env=os.environ | {"COACH_SUBJECT": subject},
            timeout=settings.timeout,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotifyError(
            f"{settings.command[0]} could not be run ({type(error).__name__}).\n"
            "Correct command under [notify] in coach.toml."
        ) from None
    if done.returncode:
        raise NotifyError(
            f"{settings.command[0]} ended with code {done.returncode}.\n"
            "Try it by hand, then correct command under [notify] in coach.toml."
        )


def _tell_by_mail(settings: NotifySettings, host: str, subject: str, text: str) -> None:
    password = read_password(settings) if settings.user else ""
    message = make_message(settings, subject, text)
    trusted = ssl.create_default_context()
    try:
        server: smtplib.SMTP
        if settings.security == "tls":
            server = smtplib.SMTP_SSL(
                host, settings.smtp_port, timeout=settings.timeout, context=trusted
            )
        else:
            server = smtplib.SMTP(host, settings.smtp_port, timeout=settings.timeout)
        with server:
            if settings.security == "starttls":
                server.starttls(context=trusted)
            if settings.user:
                server.login(settings.user, password)
            refused = server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        # What the server answered may quote addresses and the account.
        raise NotifyError(
            f"{host} did not take the message ({type(error).__name__}).\n"
            "Check the mail server, the account and security under [notify] in coach.toml."
        ) from None
    if refused:
        raise NotifyError(f"{host} refused {len(refused)} of the addresses.")
