"""Batteries, main relay and generator: from answers to recorded readings, and outages of the grid as events."""

import structlog
from msgspec import UNSET, UnsetType

from scraper.collect.drift import SchemaDrift
from scraper.collect.host_time import HostTime
from scraper.collect.memory import DurableMemory, MemoryChange
from scraper.collect.recorder import Recorder
from scraper.events import make_event
from scraper.gateway.ensemble import EnsembleReader
from scraper.gateway.parse.ensemble import (
    CONNECTED,
    GENERATOR,
    EnsembleReplies,
    describe_ensemble,
    sum_powers,
)
from scraper.gateway.session import GatewayIdentity, GatewaySession
from shared.clock import Clock
from shared.fields import MAX_GAP_MS
from shared.readings import FieldValue, Reading

log = structlog.get_logger()

STORAGE = "storage"
_COUNTERS = frozenset({"discharged", "charged"})
"""Lifetime energies of AC Batteries."""


class EnsembleSamples:
    """Reads what one gateway says of batteries and grid, and records it.

    Args:
        gateway: The connection.
        recorder: Where samples go.
        memory: Keeps since when the grid is away.
        clock: Time.
        host_time: Puts a step of the clock on record before anything is stamped by the new time.
        drift: Told how the replies differ from what is known; None: nobody is.
    """

    def __init__(
        self,
        gateway: GatewaySession,
        recorder: Recorder,
        memory: DurableMemory,
        clock: Clock,
        host_time: HostTime,
        drift: SchemaDrift | None = None,
    ) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._memory = memory
        self._clock = clock
        self._host_time = host_time
        self._drift = drift
        self._reader = EnsembleReader(gateway.get_json, clock, drift.notes if drift else None)
        self._seen: GatewayIdentity | None = None
        self._last: EnsembleReplies | None = None
        self._last_ms = 0
        self._said: set[str] = set()
        self._reported: dict[str, FieldValue] = {}

    @property
    def polls_power(self) -> bool:
        """Whether the batteries' power should come as often as that of meters: no meter gives it."""
        meters = self._gateway.known_meters or ()
        has_meter = any(meter.enabled and meter.measurement == STORAGE for meter in meters)
        return bool(self._last and self._last.powers) and not has_meter

    async def poll_states(self) -> None:
        """Ask everything, once a minute. Raises as `GatewaySession.get_json`."""
        self._notice_login()
        replies = await self._reader.read()
        self._say_refused()
        if replies is None:
            self._last = None
            return
        await self._host_time.notice_step()
        now = self._clock.now_ms()
        self._last, self._last_ms = replies, now
        batteries = self._reader.batteries
        readings = describe_ensemble(replies, batteries.serials, now, is_whole=batteries.is_whole)
        events, outage = self._follow_grid(readings, now)
        fresh = [self._leave_out_counted(reading) for reading in readings]
        if await self._recorder.record([*fresh, *events], MemoryChange(outage_start_ms=outage)):
            self._note_reports(readings)
        if self._drift is not None:
            await self._drift.report()

    async def poll_power(self) -> None:
        """Ask the batteries' power alone, between two rounds. Raises as `GatewaySession.get_json`."""
        if not self.polls_power or self._last is None:
            return
        powers = await self._reader.read_power()
        await self._host_time.notice_step()
        now, last = self._clock.now_ms(), self._last
        if now - self._last_ms > MAX_GAP_MS:  # how full they are is not known of now
            last = EnsembleReplies(ac_batteries=last.ac_batteries)
        ac_batteries, batteries = len(last.ac_batteries or {}), self._reader.batteries
        sums = sum_powers(last.inventory, powers, batteries.serials, ac_batteries, is_whole=batteries.is_whole)
        await self._recorder.record([Reading("storage", {}, now, {**(last.control or {}), **sums})])

    def note_outage(self) -> None:
        """The gateway was away: what it has is looked for soon, as after a login."""
        self._reader.note_outage()

    def _leave_out_counted(self, reading: Reading) -> Reading:
        """A battery without the counters of a report that went out already.

        They move with its reports. So a point of a counter stands where its report was seen first, and the energy of
        a report that came late is that of all the time since the one before it.
        """
        date = reading.fields.get("last_report")
        if reading.kind != "battery" or date is None or self._reported.get(reading.tags["battery"]) != date:
            return reading
        fields = {name: value for name, value in reading.fields.items() if name not in _COUNTERS}
        return Reading(reading.kind, reading.tags, reading.timestamp, fields)

    def _note_reports(self, readings: list[Reading]) -> None:
        for reading in readings:
            if reading.kind == "battery" and "last_report" in reading.fields:
                self._reported[reading.tags["battery"]] = reading.fields["last_report"]

    def _notice_login(self) -> None:
        """Another firmware or role may give other things."""
        identity, seen = self._gateway.identity, self._seen
        if identity is None:
            return
        self._seen = identity
        if seen is not None and (identity.serial, identity.firmware, identity.role) != (
            seen.serial,
            seen.firmware,
            seen.role,
        ):
            self._reader.forget()

    def _say_refused(self) -> None:
        """A missing right is said once; `check` says it too."""
        fresh = sorted(self._reader.refused.keys() - self._said)
        if fresh:
            self._said |= set(fresh)
            log.info("this login may not read what the gateway knows of batteries and grid", paths=fresh)

    def _follow_grid(self, readings: list[Reading], now: int) -> tuple[list[Reading], int | UnsetType | None]:
        """The event of an outage that begins or ends, and what the memory keeps of it."""
        mode = next((reading.fields["mode"] for reading in readings if reading.kind == "grid"), None)
        start = self._memory.state.outage_start_ms
        if mode is not None and mode != CONNECTED and start is None:
            on_generator = mode == GENERATOR
            reason = "the main relay is open" + ("; a generator feeds the house" if on_generator else "")
            return [make_event("outage", now, reason)], now
        if mode == CONNECTED and start is not None:
            return [make_event("outage", start, end_ms=now)], None
        return [], UNSET
