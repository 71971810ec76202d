"""The scraper's inside on simulated time: real parsing, delta detection, outbox file and uplink; a house as the gateway.

Only two things stand in: the clock, which moves when the test says so, and the transport to the gateway. Documents are
the simulator's, as bytes, and go through the scraper's own parsers.
"""

import contextlib
import json
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

from scraper.collect.health import Health
from scraper.collect.memory import DurableMemory
from scraper.collect.recorder import Recorder
from scraper.collect.samples import Samples
from scraper.delta.tracker import Tracker
from scraper.gateway import queries
from scraper.gateway.login import JUDGE_PATH
from scraper.gateway.parse import json_reply
from scraper.gateway.parse.meter_readings import parse_readings
from scraper.gateway.parse.meters import parse_meters
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.values import Notes
from scraper.gateway.session import GatewayIdentity
from scraper.gateway.stream import Burst
from scraper.outbox.thread import OutboxThread
from scraper.uplink.sender import Sender
from scraper.uplink.signer import HouseholdSecret, Signer
from scraper.uplink.uplink import Uplink
from shared.readings import Reading
from simulator.clock import ManualClock
from simulator.faults import Faults
from simulator.gateway.device import Device
from simulator.gateway.payloads.device_data import describe_device_data
from simulator.gateway.payloads.inverters import list_inverters
from simulator.gateway.payloads.meters import list_meters, list_readings, make_stream_event
from simulator.house import House
from simulator.profiles import PROFILES
from tests.clocks import SimulatedClock
from tests.scraper.scripted import make_identity

COUNTERS_S = 60
INVERTERS_S = 900
BURST = 20
"""Events in one burst of a buffering firmware: one commit for all of them."""


class HouseGateway:
    """What `Samples` asks of a `Gateway`, answered by a simulated device without a network."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.known_meters = parse_meters(_as_sent(list_meters(device)))

    async def look_at_clock(self) -> GatewayIdentity:
        return make_identity(serial=self._device.serial)

    async def read_inverters(self, notes: Notes) -> list[Reading]:
        return await queries.ask_inverters(self._ask, notes)

    async def read_meter_readings(self, notes: Notes) -> list[MeterValues]:
        return parse_readings(_as_sent(list_readings(self._device)), self.known_meters, notes)

    async def _ask(self, path: str) -> object:
        documents = {JUDGE_PATH: list_inverters, queries.DEVICE_DATA: describe_device_data}
        return _as_sent(documents[path](self._device))


class WitnessedOutbox(OutboxThread):
    """Remembers what was committed: outside of the file, after the commit."""

    def __init__(self) -> None:
        super().__init__()
        self.witness: list[Reading] = []

    async def append(self, readings: Sequence[Reading], *, memory: bytes | None = None) -> None:
        await super().append(readings, memory=memory)
        self.witness += readings

    def list_committed_readings(self) -> list[dict[str, Any]]:
        """Everything, as on the wire."""
        return [
            {"kind": one.kind, "tags": one.tags, "timestamp": one.timestamp, "fields": one.fields}
            for one in self.witness
        ]


class TimedScraper:
    """A scraper that streams while the test moves the time. Make one with `run_edge`."""

    def __init__(
        self, house: House, clock: SimulatedClock[ManualClock], outbox: WitnessedOutbox, memory: DurableMemory
    ) -> None:
        self.outbox = outbox
        self.device = Device(PROFILES["firmware-8"], house, clock.device, Faults())
        self._clock = clock
        health = Health(stream_connected=True)
        self._recorder = Recorder(Tracker(), outbox, memory, clock)
        self.samples = Samples(
            cast("Any", HouseGateway(self.device)),
            self._recorder,
            memory,
            health,
            clock,
            poll_meters=True,
        )

    @property
    def serial(self) -> str:
        """Of the gateway."""
        return self.device.serial

    async def stream(self, seconds: int, *, step: int = 1) -> None:
        """Live through a time that begins now: events, counters every minute, inverters every quarter of an hour.

        Args:
            seconds: How long; the clock stands at its end afterwards, which had no event yet.
            step: Seconds between two events. 1: they come in bursts, as from firmware 7.0; else each by itself.
        """
        clock = self._clock
        width = BURST if step == 1 else step
        lines: list[bytes] = []
        for second in range(0, seconds, step):
            lines.append(b"data: " + json.dumps(make_stream_event(self.device), separators=(",", ":")).encode())
            if len(lines) * step >= width or second + step >= seconds:
                await self.samples.record_burst(Burst(clock.now_ms(), lines))
                lines = []
                if second % COUNTERS_S < width:
                    await self.samples.ask_meters()
                if second % INVERTERS_S < width:
                    await self.samples.ask_inverters()
            clock.device.advance(step)

    async def record_live(self) -> list[Reading]:
        """One more event, now, as a snapshot (the way a new connection begins); what was committed of it."""
        await self._recorder.hold()
        before = len(self.outbox.witness)
        line = b"data: " + json.dumps(make_stream_event(self.device)).encode()
        await self.samples.record_burst(Burst(self._clock.now_ms(), [line]))
        return self.outbox.witness[before:]


@contextlib.asynccontextmanager
async def run_edge(folder: Path, house: House, clock: SimulatedClock[ManualClock]) -> AsyncIterator[TimedScraper]:
    """An edge with an outbox file in `folder`."""
    outbox = WitnessedOutbox()
    await outbox.open(folder / "outbox.sqlite", quota_bytes=512 * 1024 * 1024, clock=clock)
    try:
        memory = DurableMemory(outbox)
        await memory.load()
        yield TimedScraper(house, clock, outbox, memory)
    finally:
        await outbox.close()


def make_uplink(edge: TimedScraper, sender: Sender, secret: str, clock: SimulatedClock[ManualClock]) -> Uplink:
    """The real uplink over a real socket."""
    signer = Signer(HouseholdSecret(secret), edge.serial)
    return Uplink(edge.outbox, sender, signer, clock, interval_s=10, rng=random.Random(1))


def _as_sent(document: object) -> object:
    """Through bytes and the scraper's own strict decoding."""
    return json_reply.load(json.dumps(document).encode())
