"""`envoy-receiver import`: what another program stored before."""

import asyncio
import zoneinfo
from typing import Annotated

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.errors import ReceiverSettingError
from receiver.imports.energies import EnergyJudge
from receiver.imports.formats.enlighten_times import DateOrder
from receiver.imports.formats.summary import ImportSummary
from receiver.imports.lock import hold_while_importing
from receiver.imports.orders import ImportFormat, ImportOrder, read_rows
from receiver.imports.work import Importer
from receiver.ingest.journal import Journal
from receiver.ingest.marking import MarkingStore
from receiver.rollups.job import JOURNAL_FILE
from receiver.settings import ReceiverSettings
from receiver.sites import LocatedSites, SitesFile, find_machine_zone
from receiver.sites.model import list_time_zones
from receiver.stores.base import Store, StoreUnavailableError, Writable
from receiver.stores.choose import choose_store
from shared.clock import SystemClock
from shared.files import make_private_directory
from shared.keys import is_serial
from shared.logs import make_inert

_FORMATS = "envoy-scrape, envoy-logger: their InfluxDB, or line protocol of it. enlighten: a report of energies (CSV)."


def take_past(
    form: Annotated[ImportFormat, typer.Argument(metavar="FORMAT", help=_FORMATS)],
    place: Annotated[
        str, typer.Argument(metavar="FILE", help="The exported file, also packed by gzip; or http://HOST:8086.")
    ],
    gateway: Annotated[str, typer.Option(help="Serial of the gateway that the readings are of.")],
    time_zone: Annotated[
        str | None, typer.Option(metavar="Z", help="Zone of local times, e.g. Europe/Berlin; else the site's.")
    ] = None,
    dates: Annotated[DateOrder | None, typer.Option(help="Order of its dates where the file does not tell.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket, or database, behind an address.")] = None,
    org: Annotated[str | None, typer.Option(help="Organisation behind an address (InfluxDB 2).")] = None,
    source: Annotated[str | None, typer.Option(help="Which of several sources of envoy-logger.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Plain http to another machine is wanted.")] = False,
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
        summary = asyncio.run(_look_ahead(chosen, order) if dry_run else _take_in(chosen, order))
        for sentence in summary.describe(dry_run=dry_run):
            typer.echo(make_inert(sentence))


async def _look_ahead(chosen: ReceiverSettings, order: ImportOrder) -> ImportSummary:
    """Only reads, so that a receiver may run beside it."""
    choice = choose_store(chosen)
    if choice.is_missing:
        raise ReceiverSettingError(
            f"nothing is stored in {chosen.store.description} yet, so all that is sound would be written"
        )
    store = choice.make()
    try:
        return await _take_rows(chosen, order, store, None)
    finally:
        await store.close()


async def _take_in(chosen: ReceiverSettings, order: ImportOrder) -> ImportSummary:
    make_private_directory(chosen.state_dir)
    with hold_while_importing(chosen.state_dir):
        store = choose_store(chosen).make()
        journal = Journal(chosen.state_dir / JOURNAL_FILE)
        try:
            await store.open()
            return await _take_rows(chosen, order, store, MarkingStore(store, journal, is_import=True))
        finally:
            await journal.close()
            await store.close()


async def _take_rows(
    chosen: ReceiverSettings, order: ImportOrder, store: Store, target: Writable | None
) -> ImportSummary:
    judge = EnergyJudge(order.gateway, store) if order.form is ImportFormat.ENLIGHTEN else None
    importer = Importer(order.gateway, store, target, judge)
    try:
        zone = await _find_zone(chosen, order, store)
        rows = read_rows(order, zone, kept_ms=store.retention_ms["meter"], now_ms=SystemClock().now_ms())
        await importer.take(rows)
    except StoreUnavailableError as error:
        raise ReceiverSettingError(f"{error}; {importer.summary.taken} rows were written before") from error
    return importer.summary


async def _find_zone(chosen: ReceiverSettings, order: ImportOrder, store: Store) -> zoneinfo.ZoneInfo:
    """The zone of local times: as the command says, else the site's, as the receiver knows it."""
    if order.time_zone is not None:
        return zoneinfo.ZoneInfo(order.time_zone)
    sites = LocatedSites(SitesFile(chosen.sites_file, SystemClock()), store, find_machine_zone())
    await sites.load_gateway(order.gateway)
    return sites.get_site(order.gateway).zone
