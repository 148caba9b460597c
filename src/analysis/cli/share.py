"""``coach share``: the right pages to the right people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli.app import ConfigOption, JsonOption, StoreOption, app, out, print_json
from analysis.errors import UsageError
from analysis.settings import Settings, read_settings
from analysis.sharing.circles import Circle

if TYPE_CHECKING:
    from analysis.language import Language
    from analysis.sharing.bundle import Protection
    from analysis.sharing.share import Shipment


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
    from analysis.classroom.handing import groups_to_share
    from analysis.sharing.planning import plan_recipients
    from analysis.sharing.sending import send
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
    groups_of = groups_to_share(settings, published.window) if with_groups else None
    written = send(settings, shipment, to, kept, groups_of)
    _tell(shipment, written, kept, as_json=as_json)


def _check_choices(to: Circle, *, password: bool, pseudonyms: bool, packed: bool) -> None:
    if password and packed:
        raise UsageError("--password makes one page for each recipient; leave out --zip.")
    if pseudonyms and to is Circle.FAMILIES:
        raise UsageError("A family's page is about the own child; leave out --pseudonyms.")


def _protection(*, password: bool, pseudonyms: bool) -> Protection:
    from analysis.sharing.bundle import Protection

    if password and pseudonyms:
        return Protection.BOTH
    if password:
        return Protection.PASSPHRASE
    return Protection.PSEUDONYMS if pseudonyms else Protection.PLAIN


def _language(settings: Settings) -> Language:
    from analysis.language import open_language

    return open_language(settings.language)


def _tell(
    shipment: Shipment, written: dict[str, str], kept: Mapping[str, Path], *, as_json: bool
) -> None:
    told: dict[str, Any] = {
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
