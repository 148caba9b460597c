"""``coach share``: the right pages to the right people."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.app import ConfigOption, JsonOption, StoreOption, app, out, print_json
from analysis.errors import UsageError
from analysis.settings import Settings, read_settings
from analysis.sharing.circles import Circle

if TYPE_CHECKING:
    from analysis.sharing.bundle import Protection
    from analysis.sharing.share import Shipment
    from analysis.store import Store


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
    from analysis.sharing.planning import plan_recipients
    from analysis.sharing.share import Shipment

    settings = read_settings(config, store=store, out=reports, language=language)
    _check_choices(to, password=password, pseudonyms=pseudonyms, packed=packed)
    protection = _protection(password=password, pseudonyms=pseudonyms)
    recipients, published = plan_recipients(settings, to, classroom_ids or [])
    shipment = Shipment(
        recipients,
        window=published.window,
        edition=published.name,
        out=out_dir,
        protection=protection,
        packed=packed,
        language=_language(settings),
    )
    if dry_run:
        _tell(shipment, {}, {}, as_json=as_json)
        return
    kept = {}
    if password:
        kept["passphrases"] = passphrases or out_dir.with_name(f"{out_dir.name}-passphrases.csv")
    if pseudonyms:
        kept["key"] = key or settings.store.parent / "pseudonyms.key"
        kept["who is who"] = out_dir.with_name(f"{out_dir.name}-pseudonyms.csv")
    written = _write(settings, shipment, to, kept, with_groups=with_groups)
    _tell(shipment, written, kept, as_json=as_json)


def _check_choices(to: Circle, *, password: bool, pseudonyms: bool, packed: bool) -> None:
    if password and packed:
        raise UsageError("--password makes one page for each recipient; leave out --zip.")
    if pseudonyms and to is Circle.FAMILIES:
        raise UsageError("A family's page is about the own child; leave out --pseudonyms.")


def _write(
    settings: Settings,
    shipment: Shipment,
    to: Circle,
    kept: Mapping[str, Path],
    *,
    with_groups: bool,
) -> dict[str, str]:
    """Write the bundles; under pseudonyms, their pages are made anew first."""
    from analysis.sharing.share import check_folder, check_outside, share

    store = _open_store(settings)
    auditor = _auditor(store)
    for what, file in kept.items():
        check_outside(file, shipment.out, f"The {what}")
    check_folder(shipment.out)
    if "key" not in kept:
        if with_groups:
            _check_fresh(settings, shipment)
        groups_of = _groups_of(settings, store, shipment.window)
        given = groups_of if with_groups else _no_groups
        return share(shipment, auditor, given, passphrases=kept.get("passphrases"))
    with tempfile.TemporaryDirectory() as folder:
        own = _under_pseudonyms(settings, shipment, to, kept, store, Path(folder))
        # Tools that import groups need real ids, which stay at home.
        return share(own, auditor, _no_groups, passphrases=kept.get("passphrases"))


def _under_pseudonyms(
    settings: Settings,
    shipment: Shipment,
    to: Circle,
    kept: Mapping[str, Path],
    store: Store,
    folder: Path,
) -> Shipment:
    """Return the same shipment with pages that were made under pseudonyms."""
    from analysis.files import write_whole
    from analysis.sharing.planning import plan_recipients
    from analysis.sharing.pseudonyms import pseudonym_list, read_key, render_under_pseudonyms
    from analysis.sharing.spreadsheets import to_csv

    key = read_key(kept["key"])
    wanted = sorted({
        page.page_id for one in shipment.recipients for page in one.pages
        if page.kind == "classroom"
    })  # fmt: skip
    own = render_under_pseudonyms(settings, shipment.window, wanted, key, folder)
    recipients, _ = plan_recipients(own, to, wanted)
    columns = ["pseudonym", "classroom_id", "student_id", "display_name"]
    listed = to_csv(columns, pseudonym_list(store.read_roster(), key), bom=True)
    write_whole(kept["who is who"], listed)
    return replace(shipment, recipients=recipients)


def _check_fresh(settings: Settings, shipment: Shipment) -> None:
    from analysis.sharing.planning import check_fresh

    for one in shipment.recipients:
        for page in one.pages:
            if page.kind == "classroom":
                check_fresh(settings, page, shipment.window)


def _no_groups(classroom_id: str) -> Mapping[str, bytes]:
    return {}


def _protection(*, password: bool, pseudonyms: bool) -> Protection:
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


def _tell(
    shipment: Shipment, written: dict[str, str], kept: Mapping[str, Path], *, as_json: bool
) -> None:
    told = {
        "window": shipment.window,
        "edition": shipment.edition,
        "protection": shipment.protection.value,
        "out": str(shipment.out),
        "written": bool(written),
        "kept_apart": {what: str(file) for what, file in kept.items()},
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
    for what, file in kept.items():
        out.print(f"Kept apart: {what}: {file}", markup=False)
    if "passphrases" in kept:
        out.print("Hand each passphrase over another way than its file.")
