"""``coach share``: the right pages to the right people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, StoreOption, app, out, print_json
from analysis.errors import UnknownError, UsageError
from analysis.settings import Settings, read_settings
from analysis.sharing.recipients import Circle

if TYPE_CHECKING:
    from analysis.sharing.recipients import Recipient
    from analysis.sharing.share import Shipment
    from analysis.store import Store

MAKES = {
    "classroom": "coach report --window WINDOW",
    "caseload": "coach caseload --window WINDOW",
    "student": "coach students --window WINDOW",
}
"""The command that makes each kind of pages."""


@app.command("share")
def share_command(
    to: Annotated[Circle, typer.Option("--to", help="Whom: teachers, coach or families.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder to write the bundles to.")],
    classroom_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLASSROOM]...", help="Classrooms; default: all."),
    ] = None,
    password: Annotated[
        bool, typer.Option("--password", help="One page each, opened with a passphrase.")
    ] = False,
    passphrases: Annotated[
        Path | None,
        typer.Option("--passphrases", help="File for the passphrases.", show_default=False),
    ] = None,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="Students under other names.")
    ] = False,
    key: Annotated[
        Path | None, typer.Option("--key", help="Key of the pseudonyms.", show_default=False)
    ] = None,
    packed: Annotated[bool, typer.Option("--zip", help="One ZIP each.")] = False,
    with_groups: Annotated[
        bool, typer.Option("--groups/--no-groups", help="Class lists, Canvas files, desk cards.")
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say who would get what, and write nothing.")
    ] = False,
    reports: Annotated[
        Path | None,
        typer.Option("--reports", help="Folder the reports are published in.", show_default=False),
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="en or es.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a bundle for each recipient: their own pages, an index, a manifest."""
    from analysis.sharing.share import Shipment, share

    settings = read_settings(config, store=store, out=reports, language=language)
    if password and packed:
        raise UsageError("--password makes one page for each recipient; leave out --zip.")
    recipients, window, edition = _plan(settings, to, classroom_ids or [])
    shipment = Shipment(
        recipients,
        window=window,
        edition=edition,
        out=out_dir,
        protection=_protection(password=password, pseudonyms=pseudonyms),
        packed=packed,
        language=_language(settings),
    )
    if dry_run:
        _tell(shipment, {}, None, as_json=as_json)
        return
    kept = passphrases or out_dir.with_name(f"{out_dir.name}-passphrases.csv")
    open_store = _open_store(settings)
    groups_of = _groups_of(settings, open_store, window) if with_groups else lambda page: {}
    written = share(shipment, _auditor(open_store), groups_of, passphrases=kept)
    _tell(shipment, written, kept if password else None, as_json=as_json)


def _plan(
    settings: Settings, to: Circle, classroom_ids: list[str]
) -> tuple[list[Recipient], str, str]:
    """Return who gets what, and of which window and edition."""
    from analysis.sharing import recipients as who

    roster = _open_store(settings).read_roster()
    known = sorted(set(roster["classroom_id"]))
    for one in classroom_ids:
        if one not in known:
            raise UnknownError.of("classroom", one, known, str(settings.store))
    if to is Circle.FAMILIES:
        students = _published(settings, "student")
        homes = dict(zip(roster["student_id"], roster["classroom_id"], strict=True))
        wanted = roster[roster["classroom_id"].isin(classroom_ids or known)]["student_id"]
        pages = {one: page for one, page in students.pages.items() if one in set(wanted)}
        return _some(who.find_families(pages, homes)), students.window, students.name
    classrooms = _published(settings, "classroom")
    if to is Circle.TEACHERS:
        found = who.find_teachers(roster, classrooms.pages)
    else:
        digests = _published(settings, "caseload", must_be=False)
        same = digests is not None and digests.window == classrooms.window
        found = who.find_coaches(roster, classrooms.pages, digests.pages if same else {})
    return _some(who.only(found, classroom_ids)), classrooms.window, classrooms.name


def _some(found: list[Recipient]) -> list[Recipient]:
    if not found:
        raise UsageError("None of these has a page to share.\nMake the reports first.")
    return found


def _published(settings: Settings, kind: str, *, must_be: bool = True):
    from analysis.rendering.kinds import kind_named
    from analysis.sharing.pages import read_published

    try:
        return read_published(kind_named(kind).published_in(settings), kind, MAKES[kind])
    except (UnknownError, UsageError):
        if must_be:
            raise
        return None


def _protection(*, password: bool, pseudonyms: bool):
    from analysis.sharing.bundle import Protection

    if password and pseudonyms:
        return Protection.BOTH
    if password:
        return Protection.PASSPHRASE
    return Protection.PSEUDONYMS if pseudonyms else Protection.PLAIN


def _groups_of(
    settings: Settings, store: Store, window: str
) -> Callable[[str], Mapping[str, bytes]]:
    """Return what makes the files of a classroom's groups: those the report shows."""
    from analysis.classroom import open_classroom
    from analysis.sharing.groups import Seats, group_files

    def make(classroom_id: str) -> Mapping[str, bytes]:
        classroom = open_classroom(
            classroom_id,
            window=window,
            data_dir=settings.store,
            min_size=settings.min_size,
            max_size=settings.max_size,
            n_groups=settings.n_groups,
            language=settings.language,
        )
        focus = classroom.grouping.focus["focus_skill_id"]
        seats = Seats(
            classroom_id,
            window,
            groups=classroom.grouping.groups,
            names={one: classroom.name_of(one) for one in classroom.roster["student_id"]},
            skills={one: classroom.framework.name_of(one) for one in focus},
            i_can={one: classroom.framework.i_can(one) for one in focus},
        )
        return group_files(seats, classroom.language)

    return make


def _auditor(store: Store):
    from analysis.audit.auditing import Auditor, accounts_here
    from analysis.audit.people import People

    return Auditor(People(store.read_roster()), accounts_here())


def _open_store(settings: Settings) -> Store:
    from analysis.store import Store

    return Store(settings.store)


def _language(settings: Settings):
    from analysis.language import open_language

    return open_language(settings.language)


def _tell(shipment: Shipment, written: dict[str, str], kept: Path | None, *, as_json: bool) -> None:
    told = {
        "window": shipment.window,
        "edition": shipment.edition,
        "protection": shipment.protection.value,
        "out": str(shipment.out),
        "written": bool(written),
        "passphrases": str(kept) if kept else None,
        "recipients": [
            {
                "recipient": one.name,
                "file": shipment.file_of(one),
                "classrooms": list(one.classroom_ids),
                "pages": len(one.pages),
                "notes": list(one.notes),
            }
            for one in shipment.recipients
        ],
    }
    if as_json:
        print_json(told)
        return
    for one in told["recipients"]:
        whose = ", ".join(one["classrooms"]) or "the own student"
        out.print(f"{one['recipient']}: {whose} -> {one['file']}", markup=False)
        for note in one["notes"]:
            out.print(f"  note: {note}", markup=False)
    n = len(shipment.recipients)
    if not written:
        out.print(f"{n} bundles would be written to {shipment.out}. Nothing was.", markup=False)
        return
    out.print(f"{n} bundles in {shipment.out}, each audited: 0 leaks found.", markup=False)
    if kept:
        out.print(
            f"Passphrases: {kept}. Hand each one over another way than its file.", markup=False
        )
