"""From the gateway's answers to samples with time stamps, handed to the recorder.

Meter values carry no time that could be trusted across firmwares: they are stamped on arrival, from stream and poll
alike, and the stamps of one series strictly increase. Inverters carry their own report dates, corrected only where
the gateway's clock is grossly wrong.
"""

import math
from collections.abc import Sequence

from scraper.collect.clock_look import ClockLook
from scraper.collect.drift import SchemaDrift
from scraper.collect.health import Health
from scraper.collect.host_time import HostTime
from scraper.collect.memory import DurableMemory, MemoryChange
from scraper.collect.recorder import HeardSpan, Recorder
from scraper.collect.stand_ins import StandIn, StandIns
from scraper.delta import gateway_clock, stamps
from scraper.errors import BadReplyError, WrongGatewayError
from scraper.events import make_event
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.stream import parse_event
from scraper.gateway.session import GatewayIdentity, GatewaySession
from scraper.gateway.stream import Burst
from shared.clock import Clock
from shared.fields import BREATH_MS, MAX_GAP_MS
from shared.readings import Reading, Series
from shared.units import HOUR_MS, MINUTE_MS

SOON_MS = MINUTE_MS
"""A report that is dated later than this from now is dated by another clock than the one that was measured."""
OLD_MS = 20 * MINUTE_MS
"""Reports that come after a step of the gateway's clock were made at most this long before it."""
SILENCE_MS = MAX_GAP_MS
"""Without a sample of inverters for this long a gap opens, whatever the connections say (milliseconds)."""


class Samples:
    """Reads one gateway's endpoints and records what they say.

    Args:
        gateway: The connection.
        recorder: Where samples go.
        memory: What must outlive the process: stamps, the clock correction.
        health: Written.
        clock: Time.
        poll_meters: Whether polls may stand in for the stream.
        meters_wanted: Whether meters are read at all.
        stall_ms: A pause of the meters' samples that is longer than this is a gap (milliseconds).

    Attributes:
        host_time: By which samples are stamped.
        drift: How the replies differ from what is known.
    """

    def __init__(
        self,
        gateway: GatewaySession,
        recorder: Recorder,
        memory: DurableMemory,
        health: Health,
        clock: Clock,
        *,
        poll_meters: bool,
        meters_wanted: bool = True,
        stall_ms: int = BREATH_MS,
    ) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._memory = memory
        self._health = health
        self._clock = clock
        self._poll_meters = poll_meters
        self._meters_wanted = meters_wanted
        self._stall_ms = stall_ms
        self.host_time = HostTime(recorder, memory, clock)
        self._clock_look = ClockLook(gateway, clock)
        self._stepped_ms: int | None = None
        self._polled: dict[Series, int] = {}
        self._metered_at = -math.inf
        self._streamed: set[str] = set()
        self._stand_ins = StandIns()
        self.drift = SchemaDrift(recorder, health, clock)

    async def note_identity(self, identity: GatewayIdentity) -> None:
        """Take note of who answers, and of the gateway's clock.

        Raises:
            WrongGatewayError: The outbox holds another gateway's readings. They name none, so they must never mix.
        """
        owner = self._memory.state.serial
        if owner and owner != identity.serial:
            raise WrongGatewayError(
                f"gateway {identity.serial} answers, but this scraper delivers for gateway {owner}: restart it"
            )
        health = self._health
        health.serial, health.firmware, health.role = identity.serial, identity.firmware, identity.role
        health.token_expires_s = identity.token_expires_s
        health.clock_offset_s = identity.clock_offset_s
        if identity.clock_offset_s is None:
            return
        await self.host_time.notice_step()
        now = self._clock.now_ms()
        gateway_ms = now + round(identity.clock_offset_s * 1000)
        before = self._memory.state.clock_correction_ms
        correction, step = gateway_clock.measure(before, gateway_ms, now)
        if step is not None:
            self._stepped_ms = now
            await self._recorder.shift_reports(step, before - correction, MemoryChange(clock_correction_ms=correction))

    async def ask_inverters(self) -> None:
        """Ask what every inverter reported last, by a clock that is measured each time."""
        await self._look_at_clock()
        readings = await self._gateway.read_inverters(self.drift.notes)
        await self.host_time.notice_step()
        samples = [self._correct_date(reading) for reading in readings]
        if any(reading.timestamp > self._clock.now_ms() + SOON_MS for reading in samples):
            # Nothing reports from the future: the clock was set between the two questions.
            await self._look_at_clock()
            samples = [self._correct_date(reading) for reading in readings]
        self._health.inverters_known = len(readings)
        samples = [reading for reading in samples if not self._is_of_another_clock(reading)]
        if self._has_meters:
            await self._recorder.record(samples)
        else:
            now = self._clock.now_ms()
            # An empty list is no data: the gateway has just started.
            await self._record(samples, self._make_heard(now, now) if readings else None)
        await self.drift.report()

    async def _look_at_clock(self) -> None:
        """Measure the gateway's clock; where `/info` is missing or empty, as after a boot, what was known stays."""
        identity = await self._clock_look.look()
        if identity is not None:
            await self.note_identity(identity)

    async def ask_meters(self) -> None:
        """Ask the lifetime counters; and the present values of meters that no stream gives."""
        values = await self._gateway.read_meter_readings(self.drift.notes)
        fresh = self._select_fresh(values)
        if not fresh:
            return
        now_ms, stands_in = self._clock.now_ms(), self._poll_meters and not self._health.stream_connected
        # Events of this time may still come: what is polled beside the stream takes no stamp from them.
        (stamp,) = await (self.host_time.make_stamps(now_ms, 1) if stands_in else self.host_time.make_beside(now_ms))
        samples = [one.make_energy_reading(stamp) for one in fresh if one.counters]
        if not stands_in and self._is_silent:
            self._stand_ins.add(self._clock.monotonic(), [one for one in fresh if one.meter in self._streamed])
        polled = fresh if stands_in else [one for one in fresh if one.meter in self._unstreamed]
        samples += [one.make_reading(stamp) for one in polled]
        if stands_in:
            self._metered_at = self._clock.monotonic()
        if await self._record(samples, self._make_heard(stamp, stamp) if stands_in else None):
            self._polled |= {one.series: one.timestamp_s or 0 for one in fresh}
        await self.drift.report()

    async def ask_production(self) -> None:
        """Ask for the sum of all inverters, where no production meter is enabled."""
        reading = await self._gateway.read_production(self.drift.notes)
        if reading is not None:
            # the other sources carry no time of the gateway's: they are stamped with ours already
            dated = reading.tags["source"] == "inverters"
            await self.host_time.notice_step()
            await self._recorder.record([self._correct_date(reading) if dated else reading])

    async def ask_stand_in(self) -> None:
        """Ask for the sums of the meters where the gateway refuses the meters themselves for good."""
        if fresh := self._select_fresh(await self._gateway.read_eim(self.drift.notes)):
            (stamp,) = await self.host_time.make_stamps(self._clock.now_ms(), 1)
            if await self._record([one.make_reading(stamp) for one in fresh], None):
                self._polled |= {one.series: one.timestamp_s or 0 for one in fresh}

    def _select_fresh(self, values: Sequence[MeterValues]) -> list[MeterValues]:
        return [one for one in values if stamps.has_moved(self._polled, one.series, one.timestamp_s or 0)]

    async def record_burst(self, burst: Burst) -> bool:
        """Record events of the meter stream that arrived together; False if none of them could be read."""
        meters = self._gateway.known_meters
        await self._store(self._stand_ins.take_uncovered(self._clock.monotonic(), len(burst.lines)))
        given = await self.host_time.make_stamps(burst.arrival_ms, len(burst.lines))
        samples: list[Reading] = []
        events = 0
        for stamp, line in zip(given, burst.lines, strict=True):
            try:
                values = parse_event(line, meters, self.drift.notes)
            except BadReplyError:
                self.drift.notes.refuse("stream.event")
                continue
            events += bool(values)
            self._streamed.update(one.meter for one in values)
            samples += [one.make_reading(stamp) for one in values]
        self._health.stream_events += events
        if events:
            self._metered_at = self._clock.monotonic()
        await self._record(samples, self._make_heard(given[0], given[-1]) if events else None)
        return events > 0

    async def tick(self) -> None:
        """Once a minute, whatever the gateway does: look whether the host's clock stepped, or samples stay away."""
        await self.host_time.notice_step()
        heard_ms = self._recorder.last_sample_ms
        if not self._has_meters and self._memory.state.last_poll_ms != heard_ms:
            # most polls of inverters bring nothing new
            await self._recorder.keep(MemoryChange(last_poll_ms=heard_ms))
        if not self._recorder.gap_is_open:
            if self._clock.now_ms() - heard_ms > self._silence_ms:  # no stream holds events back for so long
                await self._store(self._stand_ins.take_all())
            await self._recorder.open_gap("no sample came", silent_ms=self._silence_ms)

    async def note_stop(self, reason: str) -> None:
        """Samples have stopped: store what is held back and open a gap."""
        await self._store(self._stand_ins.take_all())
        await self._recorder.open_gap(reason)

    async def _store(self, stand_ins: Sequence[StandIn]) -> None:
        """Polls of a time of which the stream has sent nothing, with the time at which they came."""
        for one in stand_ins:
            arrival_ms = self._clock.now_ms() - round((self._clock.monotonic() - one.at_s) * 1000)
            (stamp,) = await self.host_time.make_stamps(arrival_ms, 1)
            samples = [values.make_reading(stamp) for values in one.values]
            await self._record(samples, self._make_heard(stamp, stamp) if samples else None)

    async def record_certificate_change(self) -> None:
        """Leave a mark in the data, once per change."""
        self._health.certificate_changed = True
        reason = "the gateway shows a certificate that is not the pinned one"
        await self._recorder.record([make_event("certificate", self._clock.now_ms(), reason)])

    @property
    def polls_values(self) -> bool:
        """Whether polls give present values of meters now, and so should come often."""
        if not self._health.stream_connected:
            return self._poll_meters
        return bool(self._unstreamed) or self._is_silent

    @property
    def _is_silent(self) -> bool:
        """Whether a stream that is connected has been silent, so that polls may have to stand in for it."""
        silent = self._health.stream_connected and self._stand_ins.is_silent(self._clock.monotonic())
        return silent and self._poll_meters

    @property
    def _unstreamed(self) -> set[str]:
        """Enabled meters that the connected stream does not carry, as storage: polls are all there is of them.

        Unknown, and so nothing, until the stream has said which it carries.
        """
        if not self._health.stream_connected or not self._streamed:
            return set()
        return {meter.measurement for meter in self._gateway.known_meters or () if meter.enabled} - self._streamed

    @property
    def _has_meters(self) -> bool:
        """Whether meters give finer data than inverters; supposed until the gateway has said.

        Meters that vanish leave a gap first: their values would be bridged if they came back soon.
        """
        known = self._gateway.known_meters
        were_here = self._clock.monotonic() - self._metered_at <= MAX_GAP_MS / 1000
        if not self._meters_wanted or were_here:
            return self._meters_wanted
        return not self._gateway.meters_are_gone and (known is None or any(meter.enabled for meter in known))

    @property
    def _silence_ms(self) -> int:
        """How long samples may stay away."""
        return self._stall_ms if self._has_meters else SILENCE_MS

    def _make_heard(self, first_ms: int, last_ms: int) -> HeardSpan:
        return HeardSpan(first_ms, last_ms, self._silence_ms)

    async def _record(self, samples: list[Reading], heard: HeardSpan | None) -> bool:
        epoch, newest_ms = self.host_time.state
        return await self._recorder.record(samples, MemoryChange(epoch=epoch, newest_stamp_ms=newest_ms), heard=heard)

    def _correct_date(self, reading: Reading) -> Reading:
        correction = self._memory.state.clock_correction_ms
        if not correction:
            return reading
        timestamp = gateway_clock.correct(correction, reading.timestamp)
        return Reading(reading.kind, reading.tags, timestamp, reading.fields)

    def _is_of_another_clock(self, reading: Reading) -> bool:
        """Whether a report is dated by the clock that the gateway had before a step of the last hour.

        Reports of before the step are known by then, so that nothing is lost with those that seem to be old.
        """
        stepped_ms = self._stepped_ms
        if stepped_ms is None or self._clock.now_ms() - stepped_ms > HOUR_MS:
            return False
        return reading.timestamp < stepped_ms - OLD_MS
