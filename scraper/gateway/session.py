"""`GatewaySession`: find it, know it, log in, ask. What the rest of the scraper uses.

Promises: nothing secret is sent before serial and certificate are checked; one request at a time plus one stream;
logins stop when a person is needed, for five minutes or until a setting, a file or the pin changes; connection
errors never cause a login, only a fresh look at `/info` before the next question.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

import structlog

from scraper.errors import (
    EndpointUnavailableError,
    GatewayBusyError,
    GatewayError,
    GatewayUnreachableError,
    PersonNeededError,
    ScraperSettingError,
    SessionExpiredError,
)
from scraper.gateway import queries
from scraper.gateway.connector import Connector, Link
from scraper.gateway.endpoints import Endpoints
from scraper.gateway.login import REFUSED
from scraper.gateway.meter_list import MeterList
from scraper.gateway.options import GatewayIdentity, GatewayOptions, GatewayState
from scraper.gateway.parse.home import parse_time_zone
from scraper.gateway.parse.meter_readings import parse_readings
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.values import Notes
from scraper.gateway.probe import measure_clock
from scraper.gateway.stream import PATH as STREAM_PATH
from scraper.gateway.stream import Burst, read_bursts
from shared.clock import Clock
from shared.readings import Reading
from shared.units import HOUR_S

__all__ = ["Burst", "GatewayIdentity", "GatewayOptions", "GatewaySession", "GatewayState"]

IDENTIFY_S = 4 * HOUR_S
"""Firmware is pushed without notice: the gateway is identified again this often (seconds)."""
IDENTIFY_AGAIN_S = 60.0
"""So soon again where `/info` alone was out of order (seconds)."""
TOKEN_CHECK_S = 600.0
"""How often the token's age is looked at (seconds)."""

_log = structlog.get_logger(__name__)


class GatewaySession:
    """One gateway.

    Args:
        options: Where it is and how to log in.
        clock: Dates and intervals.
    """

    def __init__(self, options: GatewayOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._connector = Connector(options, clock)
        self._connecting = asyncio.Lock()
        self._look_due = True
        self._looked_at = 0.0
        self._was_lost = False
        self._meters = MeterList(clock)
        self._is_streaming = False

    @property
    def identity(self) -> GatewayIdentity | None:
        """The gateway that is connected, as of the last look; None while none is."""
        return self._connector.link.identity if self._connector.link else None

    @property
    def state(self) -> GatewayState:
        """For status, metrics and `check`."""
        return self._connector.state

    @property
    def known_meters(self) -> list[ConfiguredMeter] | None:
        """The meters as of the last answer; None before the first one."""
        return self._meters.known

    @property
    def meters_are_gone(self) -> bool:
        """Whether the gateway has refused its meters for minutes, and no stream gives them either."""
        return not self._is_streaming and any(map(self._is_refused_for_good, (queries.METERS, queries.METER_READINGS)))

    async def connect(self) -> GatewayIdentity:
        """Look who is there and log in unless the login still holds. For the start, every four hours and after errors.

        Raises:
            PersonNeededError: Wrong gateway, changed certificate or rejected login. Stays so for five minutes, or
                until a setting, its file or the pin changes.
            GatewayUnreachableError, BadReplyError, LoginPostponedError: Try again later.
            ScraperSettingError: A setting or the pin file cannot be used.
        """
        async with self._connecting:
            return (await self._connect()).identity

    async def _connect(self) -> Link:
        now, known = self._clock.monotonic(), None if self._look_due else self._connector.link
        self._look_due = True
        try:
            link = await self._connector.connect(forget_refused=self._was_lost)
        except GatewayUnreachableError as error:
            if known is not None and isinstance(error, GatewayBusyError):  # nothing else speaks against the login
                self._look_due, self._looked_at = False, now - IDENTIFY_S + IDENTIFY_AGAIN_S
                return known
            self._was_lost = True
            raise
        self._was_lost = self._look_due = False
        self._looked_at = now
        return link

    async def _ensure_link(self) -> Link:
        """The link to ask over, made or looked at again where that is due."""
        if (link := self._find_ready_link()) is not None:
            return link
        async with self._connecting:
            return self._find_ready_link() or await self._connect()

    def _find_ready_link(self) -> Link | None:
        if self._look_due or self._clock.monotonic() - self._looked_at >= IDENTIFY_S:
            return None
        return self._connector.link

    @contextmanager
    def _watch(self, endpoints: Endpoints) -> Iterator[None]:
        """Draw the consequences of what requests run into."""
        try:
            yield
            if endpoints.renewed:
                endpoints.renewed = False
                self._look_due = True
        except GatewayUnreachableError:
            self._look_due = True  # after an outage another gateway or firmware may answer
            raise
        except SessionExpiredError:
            self._look_due = True
            self._connector.drop_login()
            raise
        except PersonNeededError as error:
            self._look_due = True
            self._connector.block(error)
            raise

    async def get_json(self, path: str) -> object:
        """One endpoint's reply, decoded.

        Raises:
            EndpointUnavailableError: This login or firmware does not have it for now; asked less and less often.
            SessionExpiredError: The login is gone; the next call makes a new one.
            BadReplyError: Not JSON. After minutes of that the path counts as one that is not there.
            Besides, everything that `connect` raises.
        """
        link = await self._ensure_link()
        with self._watch(link.endpoints):
            return await link.endpoints.get_json(path)

    async def look_at_clock(self) -> GatewayIdentity:
        """Measure the gateway's clock, which costs next to nothing: it may be set right (or wrong) at any time.

        Raises everything that `get_json` raises.
        """
        link = await self._ensure_link()
        with self._watch(link.endpoints):
            offset_s = await measure_clock(link.endpoints.transport, link.endpoints.scheme, self._clock)
        self._connector.note_clock(offset_s)
        return (self._connector.link or link).identity

    async def read_inverters(self, notes: Notes | None = None) -> list[Reading]:
        """The last report of every inverter, kind `inverter`, dated by the gateway's clock."""
        return await queries.ask_inverters(self.get_json, notes or Notes())

    async def read_meters(self, notes: Notes | None = None) -> list[ConfiguredMeter]:
        """Which meters there are; asked every five minutes, and sooner where they should be there and are not."""
        if (fresh := self._meters.find_fresh()) is not None:
            return fresh
        try:
            meters = await queries.ask_meters(self.get_json, notes or Notes())
        except EndpointUnavailableError:
            gone = not self._is_streaming and self._is_refused_for_good(queries.METERS)
            return self._meters.note_refusal(gone=gone, metered=self._is_metered)
        return self._meters.note_answer(meters, metered=self._is_metered)

    @property
    def misses_meters(self) -> bool:
        """Whether the gateway says that it has meters, and lists none."""
        return self._meters.misses

    @property
    def _is_metered(self) -> bool | None:
        link = self._connector.link
        return link.found.info.metered if link else None

    def _is_refused_for_good(self, path: str) -> bool:
        link = self._connector.link
        return link is not None and link.endpoints.memory.is_refused_for_good(path)

    def find_meter_refusal(self) -> int | None:
        """The status by which the gateway refuses its list of meters or their readings; None where it gives both."""
        link = self._connector.link
        memory = link.endpoints.memory if link else None
        found = [memory.find_refusal(path) for path in (queries.METERS, queries.METER_READINGS)] if memory else []
        return next((refusal.status for refusal in found if refusal is not None), None)

    def may_ask(self, path: str) -> bool:
        """Whether a path that was refused may be asked again, or was not refused."""
        link = self._connector.link
        return link is None or link.endpoints.memory.may_ask(path)

    async def read_meter_readings(self, notes: Notes | None = None) -> list[MeterValues]:
        """Values and lifetime counters of every metered phase, with the gateway's own stamps."""
        meters = await self.read_meters(notes)
        if not any(meter.enabled for meter in meters):
            return []
        reply = await queries.ask_list(self.get_json, queries.METER_READINGS)
        if not reply:  # nothing is there now: are there meters at all?
            self._meters.expire()
        values = parse_readings(reply, meters, notes)
        self._meters.note_values(values)
        return values

    async def read_production(self, notes: Notes | None = None) -> Reading | None:
        """The sum of all inverters, for gateways without a production meter; None where one measures it."""
        meters = [] if self.meters_are_gone else await self.read_meters(notes)
        if any(meter.enabled and meter.measurement == "production" for meter in meters):
            return None
        link = await self._ensure_link()
        info, is_absent = link.found.info, link.endpoints.memory.is_absent
        return await queries.ask_production(self.get_json, info, meters, self._clock, notes or Notes(), is_absent)

    async def read_eim(self, notes: Notes | None = None, *, at_once: bool = False) -> list[MeterValues]:
        """The power of the meters as `/production.json` sums it, once the gateway refuses the meters for good.

        `at_once`: whatever the gateway refuses.
        """
        if not (at_once or self.meters_are_gone):
            return []
        link = await self._ensure_link()
        return await queries.ask_eim(self.get_json, link.found.info, notes or Notes())

    async def read_time_zone(self) -> str | None:
        """The IANA name of the site's time zone, as the gateway says; None where it says none. Slow: ask it once."""
        return parse_time_zone(await self.get_json(queries.HOME))

    async def stream_bursts(self) -> AsyncGenerator[Burst, None]:
        """The meter stream until it ends; wrap it in `contextlib.aclosing`. Open one at a time.

        Raises:
            EndpointUnavailableError: No stream for this login (an owner token) or gateway: poll instead.
            GatewayUnreachableError: Stalled or cut; open it again after a while.
            Besides, everything that `get_json` raises.
        """
        link = await self._ensure_link()
        endpoints = link.endpoints
        endpoints.memory.check(STREAM_PATH)
        with self._watch(endpoints):
            for last in (False, True):
                async with endpoints.stream(STREAM_PATH) as (status, chunks):
                    if status not in REFUSED:
                        endpoints.judge_status(STREAM_PATH, status)
                        endpoints.memory.mark_present(STREAM_PATH)
                        async with aclosing(read_bursts(chunks, self._clock, self._options.watchdog)) as bursts:
                            self._is_streaming = True
                            try:
                                async for burst in bursts:
                                    yield burst
                            finally:
                                self._is_streaming = False
                        return
                if last:
                    await endpoints.give_up(STREAM_PATH, status)
                await endpoints.settle_refusal(STREAM_PATH, status)

    async def maintain(self) -> None:
        """Renew the token before it expires, for as long as the process runs. A task of its own.

        The old token stays in use until the gateway has accepted the new one.
        """
        while True:
            await self._clock.sleep(TOKEN_CHECK_S)
            async with self._connecting:
                link = self._connector.link
                if link is None:
                    continue
                try:
                    with self._watch(link.endpoints):
                        await self._connector.renew_token(link)
                except (GatewayError, ScraperSettingError) as error:
                    _log.info("gateway token renewal put off", reason=str(error))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connector.aclose()
