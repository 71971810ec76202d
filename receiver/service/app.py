"""Puts the receiver together and runs it: the one place that knows every part."""

import asyncio
import contextlib
import functools
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.routing import Route

from receiver.api.access import Access
from receiver.api.alarms import AlarmRoutes
from receiver.api.energy import EnergyRoutes
from receiver.api.gateways import GatewayRoutes
from receiver.api.houses import HouseRoutes
from receiver.api.inverters import InverterRoutes
from receiver.api.known_gateways import KnownGateways
from receiver.api.latest import LatestValues
from receiver.api.lifetime import LifetimeRoutes
from receiver.api.live import LiveRoutes
from receiver.api.meters import MeterRoutes
from receiver.api.panel_places import PanelPlaceRoutes
from receiver.api.questions import Entrance
from receiver.api.series import SeriesRoutes
from receiver.api.session import SessionRoutes
from receiver.api.solar_metrics import SolarMetricsRoutes
from receiver.errors import ReceiverSettingError
from receiver.http import probes as health
from receiver.http.documentation import DocumentationRoutes
from receiver.http.leaving import LeavingLayer
from receiver.http.listener import HttpListener
from receiver.http.outermost import OutermostLayer
from receiver.http.page import PageRoutes
from receiver.http.problems import PROBE_REFUSALS, READER_REFUSALS, Problems
from receiver.http.rates import RateLimit
from receiver.imports.lock import hold_while_running
from receiver.ingest.journal import JournalError
from receiver.ingest.legacy import PATH as LEGACY_PATH
from receiver.ingest.legacy import LegacyRoute
from receiver.ingest.limits import PostLimit, SeriesLimit
from receiver.ingest.route import IngestRoute
from receiver.queries.series import SeriesReader
from receiver.service.build import Receiver, build
from receiver.service.process import give_memory_back, tune_process
from receiver.settings import ContactSettings, OutputSettings, ReceiverSettings
from receiver.stores.base import StoreUnavailableError
from shared.clock import Clock, SystemClock
from shared.status_server import StatusServer

_log = structlog.get_logger()
_READY_S = 5.0


def create_app(receiver: Receiver, *, docs: bool = False) -> FastAPI:
    """The application; it neither opens nor closes the store."""
    limits, clock = receiver.limits, receiver.clock
    rate_limit = functools.partial(RateLimit, clock=clock)
    app = FastAPI(
        title="envoy-receiver",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
        redirect_slashes=False,  # a redirect would repeat the sender's Host header
    )
    problems = Problems(receiver.metrics, clock)
    problems.install(app)
    per_gateway, posts = rate_limit(rate=limits.gateway_rate, reason="gateway-rate"), PostLimit(limits.posts)
    ingest = IngestRoute(
        gate=receiver.gate,
        per_gateway=per_gateway,
        series=SeriesLimit(receiver.store, most=limits.series),
        posts=posts,
        store=receiver.store,
        commit=receiver.commit,
        watch=receiver.watch,
        arrivals=receiver.arrivals,
        metrics=receiver.metrics,
        clock=clock,
        body_seconds=limits.body_seconds,
    )
    access = Access(receiver.gate, rate_limit(rate=limits.gateway_rate, reason="reader-rate"))
    known = KnownGateways(receiver.store)
    entrance = Entrance(
        access=access,
        gateways=known,
        sites=receiver.sites,
        clock=clock,
        open_live=receiver.open_live,
        shares=receiver.shares,
        rows=receiver.rows,
    )
    entrance.install(app)
    latest = LatestValues(store=receiver.store, watch=receiver.watch)
    routes_of_readers = (
        SessionRoutes(access=access),
        GatewayRoutes(
            store=receiver.store, gateways=known, latest=latest, arrivals=receiver.arrivals, sites=receiver.sites
        ),
        MeterRoutes(latest=latest),
        AlarmRoutes(alarms=receiver.alarms),
        InverterRoutes(store=receiver.store, gateways=known, latest=latest),
        PanelPlaceRoutes(sites=receiver.sites, writer=receiver.sites_writer, body_seconds=limits.body_seconds),
        EnergyRoutes(store=receiver.store),
        LifetimeRoutes(reader=receiver.lifetime),
        SolarMetricsRoutes(latest=latest, lifetime=receiver.lifetime, gateways=known, sites=receiver.sites),
        HouseRoutes(store=receiver.store, latest=latest, sites=receiver.sites, entrance=entrance),
        SeriesRoutes(reader=SeriesReader(receiver.store, receiver.rollups.store.list_unsettled)),
        LiveRoutes(hub=receiver.hub, store=receiver.store, access=access, sites=receiver.sites, clock=clock),
    )
    # A plain Starlette route: the body is read as bytes after the token is verified, and no model is built of it.
    app.router.routes.append(Route("/api/v1/gateways/{serial}/batches", ingest.post_batch, methods=["POST"]))
    if receiver.legacy is not None:
        secret, gateways = receiver.legacy
        legacy = LegacyRoute(
            secret=secret,
            gateways=gateways,
            ingest=ingest,
            rate=per_gateway,
            posts=posts,
            metrics=receiver.metrics,
            clock=clock,
            body_seconds=limits.body_seconds,
        )
        app.router.routes.append(Route(LEGACY_PATH, legacy.post_inverters, methods=["POST"]))
    for routes in routes_of_readers:
        app.include_router(routes.make_router(), responses=READER_REFUSALS)
    app.include_router(health.make_router(receiver.find_problem), responses=PROBE_REFUSALS)
    app.router.routes.extend(PageRoutes().make_routes())
    if docs:
        app.router.routes.extend(DocumentationRoutes().make_routes())
    app.add_middleware(LeavingLayer)
    app.add_middleware(OutermostLayer, problems=problems, per_address=receiver.per_address)
    return app


@contextlib.asynccontextmanager
async def run_receiver(
    receiver: Receiver, *, host: str, port: int, docs: bool = False, trusted_proxies: tuple[str, ...] = ()
) -> AsyncIterator[HttpListener]:
    """The receiver at work: store open, port listening, roll-ups under way. At the end, what came in is answered."""
    await receiver.store.open()
    with contextlib.suppress(StoreUnavailableError):  # the roll-ups try it again
        await receiver.sites.load()
    receiver.rollups.start()
    await receiver.alarms.start()
    receiver.outputs.start()
    try:
        listener = HttpListener(
            create_app(receiver, docs=docs),
            host=host,
            port=port,
            trusted_proxies=trusted_proxies,
            most=receiver.limits.connections,
            most_of_one_address=receiver.limits.address_connections,
            per_address=receiver.per_address,
        )
        await listener.start()
        try:
            yield listener
        finally:
            receiver.hub.close()  # views have no end of their own
            await listener.stop()
    finally:
        await receiver.alarms.stop()
        await receiver.rollups.stop()
        await receiver.commit.close()
        if await receiver.outputs.stop():
            with contextlib.suppress(JournalError):  # then the outputs repeat what they sent
                await receiver.rollups.store.note_told()
        await receiver.lifetime.close()
        await receiver.rollups.close()
        await receiver.store.close()


async def serve(
    settings: ReceiverSettings,
    *,
    contacts: ContactSettings | None = None,
    outputs: OutputSettings | None = None,
    clock: Clock | None = None,
    stop: asyncio.Event | None = None,
    started: Callable[[int, int], None] | None = None,
) -> None:
    """Run until stopped.

    Args:
        settings: From `receiver.settings.load`.
        contacts: From `receiver.settings.load_contacts`; without them alarms are shown and not sent.
        outputs: From `receiver.settings.load_outputs`; without them nothing goes anywhere.
        clock: The host's, unless given.
        stop: Ends the service when set; without it, SIGINT and SIGTERM do.
        started: Called with the main and the status port once both listen.

    Raises:
        ReceiverSettingError: The service cannot start like this.
    """
    tune_process()
    receiver = build(settings, clock=clock or SystemClock(), contacts=contacts, outputs=outputs)
    stop = stop or _stop_on_signals()
    with hold_while_running(settings.state_dir):
        async with (
            give_memory_back(),
            run_receiver(
                receiver,
                host=settings.host,
                port=settings.port,
                docs=settings.docs,
                trusted_proxies=settings.trusted_proxies,
            ) as listener,
        ):
            status = _start_status(settings, receiver)
            try:
                _log.info("receiving", host=listener.host, port=listener.port, status_port=status.port)
                if started is not None:
                    started(listener.port, status.port)
                waits = {asyncio.create_task(stop.wait()), asyncio.create_task(listener.wait())}
                _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
            finally:
                status.stop()
    _log.info("stopped")


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _start_status(settings: ReceiverSettings, receiver: Receiver) -> StatusServer:
    loop = asyncio.get_running_loop()

    def ask(find: Callable[[], Coroutine[Any, Any, str | None]]) -> str | None:
        """Called on the status thread: the store and the lists belong to the event loop."""
        try:
            return asyncio.run_coroutine_threadsafe(find(), loop).result(_READY_S)
        except TimeoutError:
            return "the store does not answer"

    status = StatusServer(
        settings.status_host,
        settings.status_port,
        registry=receiver.metrics.registry,
        ready=functools.partial(ask, receiver.find_problem),
        remark=functools.partial(ask, receiver.find_remark),
    )
    try:
        status.start()
    except OSError as error:
        raise ReceiverSettingError(
            f"cannot listen on {settings.status_host} port {settings.status_port} ({error.strerror}): stop what uses "
            "it, or set RECEIVER_STATUS_HOST and RECEIVER_STATUS_PORT"
        ) from error
    return status
