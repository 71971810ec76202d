"""`envoy-receiver import`: what another program stored before."""

import asyncio
import sys
from dataclasses import replace
from typing import Annotated

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.cli.import_steps import forget_energies, take_rows
from receiver.errors import ReceiverSettingError
from receiver.imports.formats.enlighten_times import DateOrder
from receiver.imports.orders import ImportFormat, ImportOrder
from receiver.imports.standard_input import STANDARD_INPUT, keep_as_file
from receiver.settings import ReceiverSettings
from receiver.sites.model import list_time_zones
from shared.keys import is_serial
from shared.logs import make_inert

_FORMATS = "envoy-scrape, envoy-logger: their InfluxDB, or line protocol of it. enlighten: a report of energies (CSV)."


def take_past(
    form: Annotated[ImportFormat, typer.Argument(metavar="FORMAT", help=_FORMATS)],
    gateway: Annotated[str, typer.Option(help="Serial of the gateway that the readings are of.")],
    place: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="The exported file, also packed by gzip; - is standard input; or http://HOST:8086."
        ),
    ] = "",
    time_zone: Annotated[
        str | None, typer.Option(metavar="Z", help="Zone of local times, e.g. Europe/Berlin; else the site's.")
    ] = None,
    dates: Annotated[DateOrder | None, typer.Option(help="Order of its dates where the file does not tell.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket, or database, behind an address.")] = None,
    org: Annotated[str | None, typer.Option(help="Organisation behind an address (InfluxDB 2).")] = None,
    source: Annotated[str | None, typer.Option(help="Which of several sources of envoy-logger.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Plain http to another machine is wanted.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove the energies that were imported of this gateway; takes no FILE.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
) -> None:
    """Take in what another program stored, never over what was measured. Stop the receiver first.

    The login behind an address is IMPORT_TOKEN, or a file that IMPORT_TOKEN_FILE names.
    """
    with show_errors_as_sentences():
        chosen = settings.load()
        if not is_serial(gateway):
            raise ReceiverSettingError("--gateway must be a serial number, e.g. 122300001234")
        if time_zone is not None and time_zone not in list_time_zones():
            raise ReceiverSettingError("--time-zone must be an IANA name, e.g. Europe/Berlin or America/New_York")
        if forget:
            _refuse_with_forget(form, place)
            sentences = asyncio.run(forget_energies(chosen, gateway, dry_run=dry_run))
        else:
            order = ImportOrder(
                form=form,
                place=place,
                gateway=gateway,
                time_zone=time_zone,
                dates=dates,
                bucket=bucket,
                org=org,
                source=source,
                insecure=insecure,
                token=settings.load_import().token,
            )
            sentences = _take_in(chosen, order, dry_run=dry_run)
        for sentence in sentences:
            typer.echo(make_inert(sentence))


def _take_in(chosen: ReceiverSettings, order: ImportOrder, *, dry_run: bool) -> list[str]:
    if not order.place:
        raise ReceiverSettingError("FILE is missing: the path of what the other program exported, or its address")
    if order.place == STANDARD_INPUT:
        with keep_as_file(sys.stdin.buffer) as copy:
            return _take_in(chosen, replace(order, place=copy), dry_run=dry_run)
    summary = asyncio.run(take_rows(chosen, order, dry_run=dry_run))
    return [*summary.describe(dry_run=dry_run)]


def _refuse_with_forget(form: ImportFormat, place: str) -> None:
    if form is not ImportFormat.ENLIGHTEN:
        raise ReceiverSettingError(
            "--forget is for enlighten: readings that other formats gave are stored as measured ones, and nothing "
            "tells them apart; a backup from before has none of them"
        )
    if place:
        raise ReceiverSettingError("--forget takes no FILE: it removes all energies that were imported of the gateway")
