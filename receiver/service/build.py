"""The parts of a receiver, built from its settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import urlsplit

from receiver.alarms.book import Book
from receiver.alarms.book_file import FILE as ALARMS_FILE
from receiver.alarms.delivery import AlarmDelivery
from receiver.alarms.hours import QuietHours
from receiver.alarms.reading import FactsReader
from receiver.alarms.senders import AlarmSender, make_senders
from receiver.alarms.service import Alarms
from receiver.alarms.watcher import Habits, Watcher
from receiver.auth import keys_file, links, readers
from receiver.auth.gate import TokenGate
from receiver.auth.keys import HS256, READ_KEY_ID, VerificationKey
from receiver.auth.reloading import ReloadingFile
from receiver.auth.witness import ListWitness
from receiver.errors import ReceiverSettingError
from receiver.http.rates import RateLimit
from receiver.ingest.arrivals import Arrivals
from receiver.ingest.group_commit import GroupCommit
from receiver.ingest.limits import Limits
from receiver.live.hub import Hub
from receiver.live.watch import Watch
from receiver.metrics import Metrics
from receiver.outputs.choose import make_outputs
from receiver.outputs.lifetime.energies import LifetimeReader
from receiver.outputs.lifetime.held_file import FILE as LIFETIME_FILE
from receiver.outputs.lifetime.held_file import HeldFile
from receiver.outputs.outputs import Outputs
from receiver.queries.shares import RowBudget, Shares
from receiver.rollups.job import Rollups
from receiver.settings import ContactSettings, OutputSettings, ReceiverSettings
from receiver.sites import LocatedSites, SitesFile, find_machine_zone
from receiver.sites.writing import SitesFileWriter
from receiver.stores.base import Store
from receiver.stores.choose import choose_store, make_store
from shared.clock import Clock
from shared.exposure import find_exposed_directory, find_exposed_list
from shared.files import make_private_directory
from shared.keys import SECRET_KEY_ID
from shared.readings import Reading

_LOCAL = ("127.0.0.1", "::1", "localhost")
"""Hosts of an address that opens nothing on a phone."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The parts of one receiver, for `receiver.service.app.create_app`."""

    store: Store
    commit: GroupCommit
    gate: TokenGate
    watch: Watch
    sites: LocatedSites
    sites_writer: SitesFileWriter
    rollups: Rollups
    clock: Clock
    metrics: Metrics
    arrivals: Arrivals
    hub: Hub
    per_address: RateLimit
    alarms: Alarms
    outputs: Outputs
    lifetime: LifetimeReader
    legacy: tuple[bytes, tuple[str, ...]] | None = None
    """The secret of the old scraper, and the gateways that it is good for."""
    open_live: tuple[IPv4Network | IPv6Network, ...] = ()
    limits: Limits = field(default_factory=Limits)
    shares: Shares = field(default_factory=Shares)
    rows: RowBudget = field(default_factory=RowBudget)

    async def find_problem(self) -> str | None:
        """Why a batch would not be stored now, as a sentence for people; None if it would be."""
        return await self.store.check_ready() or await self.rollups.store.find_journal_problem()

    async def find_remark(self) -> str | None:
        """What does not keep batches out but has to be mended, as a sentence; None if nothing is known."""
        return self.gate.find_closed_lists()


def build(
    settings: ReceiverSettings,
    *,
    clock: Clock,
    limits: Limits | None = None,
    contacts: ContactSettings | None = None,
    outputs: OutputSettings | None = None,
) -> Receiver:
    """The parts as the settings say; without contacts alarms are shown and not sent. Raises ReceiverSettingError."""
    _make_state_directory(settings.state_dir)
    store = make_store(settings)
    file, arrivals, metrics = SitesFile(settings.sites_file, clock), Arrivals(), Metrics()
    sites = LocatedSites(file, store, find_machine_zone())
    rollups = Rollups(
        store,
        site_of=sites.get_site,
        prepare=sites.load,
        clock=clock,
        state_dir=settings.state_dir,
        arrivals=arrivals,
        metrics=metrics,
        find_linked=sites.find_linked,
    )
    watch = Watch(clock)
    hub = Hub(store, watch, clock)
    lifetime = LifetimeReader(store, HeldFile(settings.state_dir / LIFETIME_FILE), sites.get_site, clock)
    given_out = make_outputs(
        outputs or OutputSettings(),
        store=store,
        site_of=sites.get_site,
        list_unsettled=rollups.store.list_unsettled,
        lifetime=lifetime,
        watch=watch,
        state_dir=settings.state_dir,
        clock=clock,
        metrics=metrics,
    )
    rollups.store.reader = given_out
    limits = limits or Limits(gateway_rate=settings.gateway_rate, address_rate=settings.address_rate)

    def tell(gateway: str, readings: Sequence[Reading]) -> None:
        sites.note(gateway, readings)
        hub.deliver(gateway, readings)
        given_out.note(gateway, readings)

    return Receiver(
        store=store,
        commit=GroupCommit(rollups.store, on_stored=tell),
        gate=build_gate(settings, clock),
        watch=watch,
        sites=sites,
        sites_writer=SitesFileWriter(settings.sites_file),
        rollups=rollups,
        clock=clock,
        metrics=metrics,
        arrivals=arrivals,
        hub=hub,
        per_address=RateLimit(rate=limits.address_rate, reason="address-rate", clock=clock),
        alarms=_build_alarms(settings, contacts or ContactSettings(), store, sites, clock, metrics, given_out),
        outputs=given_out,
        lifetime=lifetime,
        legacy=None if settings.legacy_secret is None else (settings.legacy_secret, settings.gateways),
        open_live=settings.open_live,
        limits=limits,
    )


def _build_alarms(
    settings: ReceiverSettings,
    contacts: ContactSettings,
    store: Store,
    sites: LocatedSites,
    clock: Clock,
    metrics: Metrics,
    outputs: Outputs,
) -> Alarms:
    book = Book(settings.state_dir / ALARMS_FILE)
    senders: list[AlarmSender] = make_senders(contacts, clock) if contacts.is_sent_by_receiver else []
    delivery = AlarmDelivery(book, senders, clock, metrics)
    disks = {"state": settings.state_dir}
    if (of_readings := choose_store(settings).disk) is not None:
        disks = {"readings": of_readings} | disks
    habits = Habits(
        quiet=QuietHours(*contacts.alarm_quiet_hours) if contacts.alarm_quiet_hours else None,
        digest=contacts.alarm_digest,
        link=None if urlsplit(settings.public_url).hostname in _LOCAL else settings.public_url,
        disks=disks,
    )
    watcher = Watcher(
        FactsReader(store, sites.get_site),
        book,
        delivery.channels,
        site_of=sites.get_site,
        list_outputs=outputs.list_states,
        habits=habits,
        clock=clock,
        metrics=metrics,
    )
    return Alarms(watcher, delivery, book, clock)


def build_gate(settings: ReceiverSettings, clock: Clock) -> TokenGate:
    """The gate with every key of the settings. Raises ReceiverSettingError."""
    _refuse(find_exposed_list(settings.keys_file), "RECEIVER_KEYS_FILE")
    _refuse(find_exposed_list(settings.state_dir / readers.LIST_FILE), "the list of reader tokens")
    _refuse(find_exposed_list(settings.state_dir / links.LIST_FILE), "the list of links")
    read_secret = settings.read_secret or readers.load_or_make_key(settings.state_dir)
    fixed = {READ_KEY_ID: VerificationKey(HS256, read_secret, "read")}
    if settings.secret is not None:
        fixed[SECRET_KEY_ID] = VerificationKey(HS256, settings.secret, "ingest", frozenset(settings.gateways))
    return TokenGate(
        fixed=fixed,
        keys_file=ReloadingFile(
            settings.keys_file, keys_file.parse_verification_keys, clock, witness=ListWitness(settings.keys_file)
        ),
        revoked=ReloadingFile(
            settings.state_dir / readers.LIST_FILE,
            readers.Revocations(settings.state_dir, read_secret).parse_ids,
            clock,
            parse_again=True,
        ),
        links=links.LinkGate(ReloadingFile(settings.state_dir / links.LIST_FILE, links.parse_links, clock), clock),
        clock=clock,
        name=settings.name,
    )


def _make_state_directory(path: Path) -> None:
    try:
        make_private_directory(path)
    except OSError as error:
        raise ReceiverSettingError(
            f"RECEIVER_STATE_DIR {path} cannot be made ({error.strerror}): choose a directory that this user may write"
        ) from error
    _refuse(find_exposed_directory(path), "RECEIVER_STATE_DIR")


def _refuse(exposed: str | None, what: str) -> None:
    if exposed is not None:
        raise ReceiverSettingError(f"{what}: {exposed}")
