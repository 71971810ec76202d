"""`envoy-receiver import`: what another program stored before."""

import asyncio
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.errors import ReceiverSettingError
from receiver.imports.energies import EnergyJudge
from receiver.imports.enlighten_file import read_report
from receiver.imports.formats.enlighten_times import DateOrder
from receiver.imports.formats.envoy_scrape import read_line
from receiver.imports.formats.summary import ImportedRow, ImportSummary, Skipped
from receiver.imports.lines_file import read_lines
from receiver.imports.lock import hold_while_importing
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


class ImportFormat(StrEnum):
    """What can be imported."""

    ENVOY_SCRAPE = "envoy-scrape"
    ENLIGHTEN = "enlighten"


_FORMATS = "envoy-scrape: line protocol of its bucket. enlighten: a report of energies (CSV)."


@dataclass(frozen=True, kw_only=True)
class ImportOrder:
    """What is to be imported.

    Attributes:
        form: How it is written.
        file: Where it is.
        gateway: Serial of the gateway that it is of.
        time_zone: IANA name of the zone of its local times; None: the site's.
        dates: The order of its dates; None: the file tells.
    """

    form: ImportFormat
    file: Path
    gateway: str
    time_zone: str | None
    dates: DateOrder | None


def take_past(
    form: Annotated[ImportFormat, typer.Argument(metavar="FORMAT", help=_FORMATS)],
    file: Annotated[Path, typer.Argument(help="The exported file; it may be packed by gzip.")],
    gateway: Annotated[str, typer.Option(help="Serial of the gateway that the readings are of.")],
    time_zone: Annotated[
        str | None, typer.Option(metavar="Z", help="Zone of local times, e.g. Europe/Berlin; else the site's.")
    ] = None,
    dates: Annotated[DateOrder | None, typer.Option(help="Order of its dates where the file does not tell.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
) -> None:
    """Take in what another program stored, never over what was measured. Stop the receiver first."""
    with show_errors_as_sentences():
        chosen = settings.load()
        if not is_serial(gateway):
            raise ReceiverSettingError("--gateway must be a serial number, e.g. 122300001234")
        if time_zone is not None and time_zone not in list_time_zones():
            raise ReceiverSettingError("--time-zone must be an IANA name, e.g. Europe/Berlin or America/New_York")
        order = ImportOrder(form=form, file=file, gateway=gateway, time_zone=time_zone, dates=dates)
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
            return await _take_rows(chosen, order, store, MarkingStore(store, journal))
        finally:
            await journal.close()
            await store.close()


async def _take_rows(
    chosen: ReceiverSettings, order: ImportOrder, store: Store, target: Writable | None
) -> ImportSummary:
    judge = EnergyJudge(order.gateway, store) if order.form is ImportFormat.ENLIGHTEN else None
    importer = Importer(order.gateway, store, target, judge)
    try:
        await importer.take(_read_rows(order, await _find_zone(chosen, order, store)))
    except StoreUnavailableError as error:
        raise ReceiverSettingError(f"{error}; {importer.summary.taken} rows were written before") from error
    return importer.summary


def _read_rows(order: ImportOrder, zone: zoneinfo.ZoneInfo) -> Iterator[ImportedRow]:
    now_ms = SystemClock().now_ms()
    match order.form:
        case ImportFormat.ENVOY_SCRAPE:
            return _read_exported_lines(order, now_ms)
        case ImportFormat.ENLIGHTEN:
            return read_report(order.file, zone=zone, order=order.dates, now_ms=now_ms)


def _read_exported_lines(order: ImportOrder, now_ms: int) -> Iterator[ImportedRow]:
    for number, line in enumerate(read_lines(order.file), start=1):
        row = read_line(line, gateway=order.gateway, now_ms=now_ms)
        if row is not None:
            yield row._replace(line=number) if isinstance(row, Skipped) else row


async def _find_zone(chosen: ReceiverSettings, order: ImportOrder, store: Store) -> zoneinfo.ZoneInfo:
    """The zone of local times: as the command says, else the site's, as the receiver knows it."""
    if order.time_zone is not None:
        return zoneinfo.ZoneInfo(order.time_zone)
    sites = LocatedSites(SitesFile(chosen.sites_file, SystemClock()), store, find_machine_zone())
    await sites.load_gateway(order.gateway)
    return sites.get_site(order.gateway).zone
