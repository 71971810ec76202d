"""From the gateway's answers to samples with time stamps, handed to the recorder.

Meter values carry no time that could be trusted across firmwares: they are stamped on arrival, from stream and poll
alike, and the stamps of one series strictly increase. Inverters carry their own report dates, corrected only where
the gateway's clock is grossly wrong.
"""

from collections.abc import Mapping

import structlog

from scraper.delta import gateway_clock, stamps
from scraper.delta.stamps import StampClock
from scraper.errors import BadReplyError
from scraper.gaps import Gaps, event
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.stream import parse_event
from scraper.gateway.parse.values import Notes
from scraper.gateway.session import Gateway, Identity
from scraper.gateway.stream import Burst
from scraper.health import Health
from scraper.memory import Memory
from scraper.recorder import Recorder
from shared.clock import Clock
from shared.readings import Reading, Series

log = structlog.get_logger()


class Samples:
    """Reads one gateway's endpoints and records what they say.

    Args:
        gateway: The connection.
        recorder: Where samples go.
        gaps: Closed by the first sample after a gap.
        memory: What must outlive the process: stamps, the clock correction.
        health: Written.
        clock: Time.
        poll_meters: Whether polls may stand in for the stream.
    """

    def __init__(
        self,
        gateway: Gateway,
        recorder: Recorder,
        gaps: Gaps,
        memory: Memory,
        health: Health,
        clock: Clock,
        *,
        poll_meters: bool,
    ) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._gaps = gaps
        self._memory = memory
        self._health = health
        self._clock = clock
        self._poll_meters = poll_meters
        self._stamps = StampClock(memory.stamps)
        self._polled: dict[Series, int] = {}
        self._notes = Notes()
        self._reported: set[str] = set()
        self.last_sample_ms = memory.stamps.newest_ms or clock.now_ms()

    async def identified(self, identity: Identity) -> None:
        """Take note of who answers, and of the gateway's clock."""
        health = self._health
        health.serial, health.firmware, health.role = identity.serial, identity.firmware, identity.role
        health.token_expires_s = identity.token_expires_s
        health.clock_offset_s = identity.clock_offset_s
        if identity.clock_offset_s is None:
            return
        now = self._clock.now_ms()
        gateway_ms = now + round(identity.clock_offset_s * 1000)
        before = self._memory.kept.clock_correction_ms
        correction, step = gateway_clock.measure(before, gateway_ms, now)
        if step is None:
            return
        keep = self._memory.with_clock_correction(correction)
        if await self._recorder.shift_reports(step, before - correction, keep):
            self._memory.kept.clock_correction_ms = correction

    async def inverters(self) -> None:
        """Ask what every inverter reported last."""
        readings = await self._gateway.inverters(self._notes)
        self._health.inverters_known = len(readings)
        await self._recorder.record([self._on_our_clock(reading) for reading in readings])
        await self._drift()

    async def meters(self) -> None:
        """Ask the lifetime counters; and the meters' present values, while no stream gives them."""
        values = await self._gateway.meter_readings(self._notes)
        fresh = [one for one in values if self._moved(one)]
        if not fresh:
            return
        stamp = self._stamp(self._clock.now_ms(), 1)[-1]
        readings = [_reading("meter_energy", one, stamp, one.counters) for one in fresh if one.counters]
        if self._poll_meters and not self._health.stream_connected:
            readings += [_reading("meter", one, stamp, one.values) for one in fresh if one.values]
        await self._record_meters(readings, stamp)
        await self._drift()

    async def production(self) -> None:
        """Ask for the sum of all inverters, where no production meter is enabled."""
        reading = await self._gateway.production(self._notes)
        if reading is not None:
            # the other sources carry no time of the gateway's: they are stamped with ours already
            dated = reading.tags["source"] == "inverters"
            await self._recorder.record([self._on_our_clock(reading) if dated else reading])

    async def burst(self, burst: Burst) -> None:
        """Record events of the meter stream that arrived together."""
        meters = self._gateway.known_meters
        given = self._stamp(burst.arrival_ms, len(burst.lines))
        samples: list[Reading] = []
        for stamp, line in zip(given, burst.lines, strict=True):
            try:
                values = parse_event(line, meters, self._notes)
            except BadReplyError:
                self._notes.refuse("stream.event")
                continue
            samples += [_reading("meter", one, stamp, one.values) for one in values]
            self._health.stream_events += 1
        await self._record_meters(samples, given[-1])

    async def remember(self) -> None:
        """Keep the newest stamp: after a kill it tells the next start when samples ended."""
        await self._memory.remember_stamps(self._stamps.state)

    async def stopped(self, reason: str) -> None:
        """Samples have stopped: store what is held back and open a gap."""
        await self._gaps.open(self.last_sample_ms, reason)

    async def certificate_changed(self) -> None:
        """Leave a mark in the data, once per change."""
        self._health.certificate_changed = True
        await self._recorder.record(
            [event("certificate", self._clock.now_ms(), "the gateway shows a certificate that is not the pinned one")]
        )

    async def _record_meters(self, samples: list[Reading], stamp: int) -> None:
        if step := self._stamps.observe(self._clock.now_ms(), self._clock.monotonic()):
            samples = [step, *samples]
        if not samples:
            return
        self._health.rows_committed += await self._recorder.record(samples)
        self.last_sample_ms = stamp
        if self._gaps.is_open:
            await self._gaps.close(stamp)

    def _stamp(self, arrival_ms: int, count: int) -> list[int]:
        return self._stamps.stamps(arrival_ms, count)

    def _moved(self, values: MeterValues) -> bool:
        """Whether a poll is a new reading: its own timestamp moved."""
        series = Series("meter", (("meter", values.meter), ("phase", values.phase)))
        stamp = values.timestamp_s or 0
        if not stamps.moved(self._polled, series, stamp):
            return False
        self._polled[series] = stamp
        return True

    def _on_our_clock(self, reading: Reading) -> Reading:
        correction = self._memory.kept.clock_correction_ms
        if not correction:
            return reading
        timestamp = gateway_clock.correct(correction, reading.timestamp)
        return Reading(reading.kind, reading.tags, timestamp, reading.fields)

    async def _drift(self) -> None:
        """One event for each name that this firmware no longer gives, newly gives, or gives as nonsense."""
        notes = self._notes
        self._health.refused_fields = notes.refused.total()
        seen = {
            *(f"missing {name}" for name in notes.missing),
            *(f"unknown {name}" for name in notes.unknown),
            *(f"refused {name}" for name in notes.refused),
        }
        fresh = sorted(seen - self._reported)
        if fresh:
            self._reported |= seen
            log.info("the gateway's replies differ from what is known", names=fresh[:20])
            await self._recorder.record([_schema_event(self._clock.now_ms(), fresh)])


def _reading(kind: str, values: MeterValues, stamp: int, fields: Mapping[str, float]) -> Reading:
    return Reading(kind, {"meter": values.meter, "phase": values.phase}, stamp, {**fields})


def _schema_event(now_ms: int, names: list[str]) -> Reading:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return event("schema", now_ms, ", ".join(names[:3]) + more, rows=float(len(names)))
