"""The scraper's inner parts over a real outbox file, with a gateway that says what the test wants."""

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from scraper.collect.health import Health
from scraper.collect.memory import DurableMemory
from scraper.collect.recorder import Recorder
from scraper.collect.samples import Samples
from scraper.delta.tracker import Tracker
from scraper.errors import OutboxUnavailableError
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.values import Notes
from scraper.gateway.session import GatewayIdentity, GatewaySession
from scraper.gateway.stream import Burst
from scraper.outbox.thread import OutboxThread
from shared.readings import Reading
from shared.wire import decode_reading
from tests.clocks import GATEWAY_NOW_S, InstantClock

SERIAL = "122012345678"
NOW_MS = GATEWAY_NOW_S * 1000


def make_meter(measurement: str = "production", *, enabled: bool = True) -> ConfiguredMeter:
    return ConfiguredMeter(1, measurement, enabled, 1, "", ())


def make_identity(**changes: Any) -> GatewayIdentity:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "serial": SERIAL,
        "firmware": "D8.2.4286",
        "version": (8, 2, 4286),
        "role": "installer",
        "token_expires_s": None,
        "scheme": "https",
        "clock_offset_s": 0.0,
    }
    return GatewayIdentity(**{**values, **changes})


def make_values(power: float = 100.0, *, at_s: int = GATEWAY_NOW_S, delivered: float = 1000.0) -> MeterValues:
    return MeterValues("production", "a", at_s, {"power": power}, {"delivered": delivered, "received": 0.0})


def make_line(power: float) -> bytes:
    phase = {"p": power, "q": 0.0, "s": power, "v": 230.0, "i": power / 230, "pf": 1.0, "f": 50.0}
    return b"data: " + json.dumps({"production": {"ph-a": phase}}).encode()


@dataclass
class ScriptedGateway:
    """Answers from lists; the last answer repeats. An exception in a list is raised.

    Attributes:
        asked: What was asked, in order.
        most_at_once: Largest number of questions that were open at one time.
    """

    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    identity: GatewayIdentity | None = field(default_factory=make_identity)
    known_meters: list[ConfiguredMeter] | None = field(default_factory=lambda: [make_meter()])
    meters_are_gone: bool = False
    streams: list[Sequence[Burst | Exception]] = field(default_factory=list)
    most_at_once: int = 0
    _open: int = 0

    async def connect(self) -> GatewayIdentity:
        answer = await self._answer("connect", self.identity)
        self.identity = answer
        return cast("GatewayIdentity", answer)

    async def look_at_clock(self) -> GatewayIdentity:
        return cast("GatewayIdentity", await self._answer("clock", self.identity))

    async def read_inverters(self, _notes: Notes) -> list[Reading]:
        return cast("list[Reading]", await self._answer("inverters", []))

    async def read_meter_readings(self, _notes: Notes) -> list[MeterValues]:
        return cast("list[MeterValues]", await self._answer("meters", []))

    async def read_eim(self, _notes: Notes) -> list[MeterValues]:
        return cast("list[MeterValues]", await self._answer("meter sums", []))

    async def read_production(self, _notes: Notes) -> Reading | None:
        return cast("Reading | None", await self._answer("production", None))

    def may_ask(self, _path: str) -> bool:
        return False

    async def stream_bursts(self) -> AsyncGenerator[Burst, None]:
        self.asked.append("stream")
        for item in self.streams.pop(0):
            if isinstance(item, Exception):
                raise item
            yield item

    async def _answer(self, what: str, default: Any) -> Any:
        self.asked.append(what)
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            script = self.answers.get(what, [])
            answer = (script.pop(0) if len(script) > 1 else script[0]) if script else default
            if isinstance(answer, Exception):
                raise answer
            return answer
        finally:
            self._open -= 1


class FlakyOutbox(OutboxThread):
    """Real, but the disk is full while the test says so."""

    full = False

    async def append(self, readings: Sequence[Reading], *, memory: bytes | None = None) -> None:
        if self.full:
            raise OutboxUnavailableError("the disk is full: free some space")
        await super().append(readings, memory=memory)


@dataclass
class ScriptedScraper:
    """Everything between gateway and outbox."""

    gateway: ScriptedGateway
    outbox: FlakyOutbox
    memory: DurableMemory
    recorder: Recorder
    health: Health
    samples: Samples
    clock: InstantClock

    async def list_rows(self, kind: str | None = None) -> list[Reading]:
        """Everything committed, or one kind of it."""
        found = [decode_reading(row.payload) for row in await self.outbox.read_oldest(500, 1 << 20)]
        return [reading for reading in found if kind in (None, reading.kind)]

    async def list_events(self, kind: str) -> list[Reading]:
        return [reading for reading in await self.list_rows("event") if reading.tags["type"] == kind]

    async def record_burst(self, *powers: float) -> bool:
        return await self.samples.record_burst(Burst(self.clock.now_ms(), [make_line(power) for power in powers]))


@contextlib.asynccontextmanager
async def run_scripted_scraper(
    folder: Path, *, poll_meters: bool = True, clock: InstantClock | None = None
) -> AsyncIterator[ScriptedScraper]:
    """A scripted scraper over the outbox in `folder`, which may have been used before."""
    clock = clock or InstantClock()
    outbox = FlakyOutbox()
    await outbox.open(folder / "outbox.sqlite", quota_bytes=64 * 1024 * 1024, clock=clock)
    try:
        memory = DurableMemory(outbox)
        await memory.load()
        recorder = Recorder(Tracker(), outbox, memory, clock)
        health, gateway = Health(), ScriptedGateway()
        samples = Samples(cast("GatewaySession", gateway), recorder, memory, health, clock, poll_meters=poll_meters)
        yield ScriptedScraper(gateway, outbox, memory, recorder, health, samples, clock)
    finally:
        await outbox.close()
