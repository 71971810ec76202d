"""What `envoy-receiver import` does over the store that the settings name. A composition root of that command."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

from receiver.auth import keys_file
from receiver.errors import ReceiverSettingError
from receiver.imports.energies import EnergyJudge
from receiver.imports.enlighten_file import LocalZone
from receiver.imports.forgetting import EnergyForgetter
from receiver.imports.formats.summary import ImportSummary, format_time
from receiver.imports.lock import hold_while_importing
from receiver.imports.orders import ImportFormat, ImportOrder, read_rows
from receiver.imports.work import Importer
from receiver.ingest.journal import Journal
from receiver.ingest.marking import MarkingStore
from receiver.rollups.job import JOURNAL_FILE
from receiver.settings import ReceiverSettings, Sqlite
from receiver.sites import LocatedSites, SitesFile, find_machine_zone
from receiver.stores.base import Store, StoreUnavailableError
from receiver.stores.choose import choose_store
from shared.clock import SystemClock
from shared.files import make_private_directory


async def take_rows(chosen: ReceiverSettings, order: ImportOrder, *, dry_run: bool) -> ImportSummary:
    """Take in what was ordered, or say what would become of it. Raises ReceiverSettingError."""
    async with _open_store(chosen, dry_run=dry_run) as (store, journal):
        target = None if journal is None else MarkingStore(store, journal, is_import=True)
        judge = EnergyJudge(order.gateway, store) if order.form is ImportFormat.ENLIGHTEN else None
        importer = Importer(order.gateway, store, target, judge)
        try:
            await _refuse_unknown(chosen, order.gateway, store)
            zone = await _find_zone(chosen, order, store)
            found = read_rows(order, zone, kept_ms=store.retention_ms["meter"], now_ms=SystemClock().now_ms())
            importer.summary.times = found.times
            await importer.take(found.rows)
        except StoreUnavailableError as error:
            raise ReceiverSettingError(f"{error}; {importer.summary.taken} rows were written before") from error
    return importer.summary


async def forget_energies(chosen: ReceiverSettings, gateway: str, *, dry_run: bool) -> list[str]:
    """Remove all imported energies of a gateway; what was done, for people. Raises ReceiverSettingError."""
    async with _open_store(chosen, dry_run=dry_run) as (store, journal):
        try:
            site = (await _load_sites(chosen, gateway, store)).get_site(gateway)
            forgetter = EnergyForgetter(gateway, site, store, journal)
            await forgetter.forget()
        except StoreUnavailableError as error:
            raise ReceiverSettingError(f"{error}; run the same command again, which goes on with the rest") from error
    done = forgetter.forgotten
    if done.first is None or done.last is None:
        return [f"no energies were imported of gateway {gateway}"]
    verb = "would be removed" if dry_run else "removed"
    return [
        f"{done.count} imported energies of gateway {gateway} {verb}",
        f"they began from {format_time(done.first)} to {format_time(done.last)}",
        *([] if dry_run else ["start the receiver now"]),
    ]


@contextlib.asynccontextmanager
async def _open_store(chosen: ReceiverSettings, *, dry_run: bool) -> AsyncIterator[tuple[Store, Journal | None]]:
    """The store to write, with the journal of the roll-ups, beside which no receiver runs; or only to look at it."""
    if dry_run:
        async with _look_at(chosen) as store:
            yield store, None
        return
    make_private_directory(chosen.state_dir)
    with hold_while_importing(chosen.state_dir):
        store, journal = choose_store(chosen).make(), Journal(chosen.state_dir / JOURNAL_FILE)
        try:
            await store.open()
            yield store, journal
        finally:
            await journal.close()
            await store.close()


@contextlib.asynccontextmanager
async def _look_at(chosen: ReceiverSettings) -> AsyncIterator[Store]:
    """The store, only to read it, beside a receiver or not; an empty one where nothing was ever stored."""
    choice = choose_store(chosen)
    with contextlib.ExitStack() as stack:
        is_missing = choice.is_missing
        if is_missing:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            choice = choose_store(chosen.model_copy(update={"store": Sqlite(directory / "readings.sqlite")}))
        store = choice.make()
        try:
            if is_missing:
                await store.open()
            yield store
        finally:
            await store.close()


async def _refuse_unknown(chosen: ReceiverSettings, gateway: str, store: Store) -> None:
    """A mistyped serial would be a gateway of its own. Raises ReceiverSettingError and StoreUnavailableError."""
    if gateway in chosen.gateways or gateway in SitesFile(chosen.sites_file, SystemClock()).get():
        return
    if any(gateway in entry.gateways for entry in keys_file.load(chosen.keys_file)):
        return
    if await store.read_summary(gateway) is None:
        raise ReceiverSettingError(
            f"no gateway {gateway} is known here: check --gateway; if it is right, add the serial to the sites file "
            "or to RECEIVER_GATEWAYS, or its scraper's key by `envoy-receiver keys add`"
        )


async def _find_zone(chosen: ReceiverSettings, order: ImportOrder, store: Store) -> LocalZone | None:
    """The zone of local times: as the command says, else the site's; None where only this machine's is left."""
    if order.time_zone is not None:
        return LocalZone(ZoneInfo(order.time_zone), "--time-zone")
    sites = await _load_sites(chosen, order.gateway, store)
    said_by = {"sites-file": "the sites file", "gateway": "as the gateway says", "receiver": None}
    whence = said_by[sites.find_zone_source(order.gateway)]
    return None if whence is None else LocalZone(sites.get_site(order.gateway).zone, whence)


async def _load_sites(chosen: ReceiverSettings, gateway: str, store: Store) -> LocatedSites:
    sites = LocatedSites(SitesFile(chosen.sites_file, SystemClock()), store, find_machine_zone())
    await sites.load_gateway(gateway)
    return sites
