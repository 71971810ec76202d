"""A cloud that answers from a truth that the tests know, and the job that reads it into a real outbox."""

import contextlib
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scraper.cloud.errors import CloudRefusedError
from scraper.cloud.kept import KeptCloud
from scraper.cloud.poll import CloudPoller
from scraper.cloud.questions import TYPES
from scraper.cloud.readers import IntervalReader
from scraper.cloud.type_progress import WantedSource
from scraper.collect.health import Health
from scraper.collect.memory import DurableMemory
from scraper.collect.recorder import Recorder
from scraper.delta.tracker import Tracker
from scraper.outbox.thread import OutboxThread
from shared.readings import Reading
from shared.units import DAY_S
from shared.wire import decode_reading
from tests.clocks import InstantClock

SYSTEM = 4711023
BEGIN_S = 1_778_536_800
"""Midnight of 2026-05-12 in Amsterdam."""
LAG_S = 10_800.0


def compute_truth(end_s: int, step_s: int) -> int:
    """Whole watt hours of an interval: a day of sun, and a little that tells intervals apart."""
    place = (end_s - BEGIN_S) % DAY_S / DAY_S
    sun = max(0.0, math.sin((place - 0.25) * 2 * math.pi))
    return round(sun * 250 * step_s / 300) + (end_s // step_s % 7 if sun else 0)


@dataclass
class PretendCloud:
    """Answers as the API does. What the tests set may change at any time.

    Attributes:
        clock: Its time; none of its replies is later.
        delay_s: Type to how far its data are behind.
        lagging: Ends of inverter intervals that only 9 of 12 inverters have reported so far; they miss a quarter.
        holes: Type to ends that are not there.
        revised: Type and end to another energy.
        one_day: Whether a week is answered with one day.
        no_meter: Whether there is none.
        failures: Raised, one at each question, before anything is answered.
        asked: Path and parameters of every question.
        first_s: It refuses what begins long before.
        moves_start: Whether it answers that of inverters from there on instead.
        clock_offset_s: How far its own clock is ahead, as far as it has told.
        ahead_s: How far it is, which each answer tells.
    """

    clock: InstantClock
    delay_s: dict[str, int] = field(default_factory=dict)
    lagging: set[int] = field(default_factory=set)
    holes: dict[str, set[int]] = field(default_factory=dict)
    revised: dict[tuple[str, int], int] = field(default_factory=dict)
    one_day: bool = False
    no_meter: bool = False
    failures: list[Exception | None] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    first_s: int = 0
    moves_start: bool = False
    clock_offset_s: float | None = None
    ahead_s: int = 0

    async def fetch(
        self, path: str, parameters: Mapping[str, str | int] | None = None, *, from_reserve: bool = False
    ) -> object:
        self.asked.append((path.rpartition("/")[2], dict(parameters or {})))
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        if self.ahead_s:
            self.clock_offset_s = self.ahead_s
        if path == f"systems/{SYSTEM}":
            return {"system_id": SYSTEM, "timezone": "Europe/Amsterdam", "name": "Roof"}
        start = int((parameters or {})["start_at"])
        if self.moves_start and path.endswith("production_micro"):
            start = max(start, self.first_s)
        elif start < self.first_s - 900:
            details = f"Requested date range is invalid for this system. {{:first_interval=>{self.first_s}}}"
            raise CloudRefusedError("out of range", 422, 422, details)
        if path.endswith("production_micro"):
            return self._answer_micros(start, str((parameters or {})["granularity"]))
        return self._answer_meters(start, int((parameters or {})["end_at"]))

    def count_questions(self, name: str) -> int:
        """How often one endpoint was asked."""
        return sum(path == name for path, _ in self.asked)

    def list_ends(self, name: str, start_s: int, end_s: int) -> list[int]:
        """The intervals that the cloud has, exclusive of the start."""
        step = TYPES[name].step_s
        last = min(end_s, self._find_last(name))
        gone = self.holes.get(name, set())
        return [end for end in range(start_s - start_s % step + step, last + 1, step) if end not in gone]

    def tell(self, name: str, end_s: int) -> int:
        """The energy that the cloud says now."""
        energy = self.revised.get((name, end_s), compute_truth(end_s, TYPES[name].step_s))
        return energy * 3 // 4 if name == "inv" and end_s in self.lagging else energy

    def _find_last(self, name: str) -> int:
        known_s = self.clock.now_ms() // 1000 + self.ahead_s - self.delay_s.get(name, 0)
        return known_s - known_s % TYPES[name].step_s

    def _answer_micros(self, start: int, granularity: str) -> dict[str, Any]:
        span = {"15mins": 900, "day": DAY_S, "week": DAY_S if self.one_day else 7 * DAY_S}[granularity]
        intervals = [
            {"end_at": end, "devices_reporting": 9 if end in self.lagging else 12, "enwh": energy, "powr": 12 * energy}
            for end in self.list_ends("inv", start, start + span)
            for energy in (self.tell("inv", end),)
        ]
        return {"total_devices": 12, "start_at": start, "intervals": intervals, "meta": self._make_meta("inv")}

    def _answer_meters(self, start: int, end: int) -> dict[str, Any]:
        if end > self.clock.now_ms() // 1000 + (self.clock_offset_s or 0):
            raise CloudRefusedError("the future", 422, 422, "Requested date is in the future")
        if self.no_meter:
            return {"total_devices": 0, "intervals": [], "meter_intervals": [], "meta": self._make_meta("met")}
        ends = self.list_ends("met", start, min(end, start + 7 * DAY_S))
        totals = [(one, self.tell("met", one)) for one in ends]
        channels = [
            {"channel": number, "end_at": one, "wh_del": float((total + number - 1) // 3), "curr_w": 4 * total // 3}
            for number in (1, 2, 3)
            for one, total in totals
        ]
        return {
            "total_devices": 1,
            "intervals": [{"end_at": one, "devices_reporting": 1, "wh_del": total} for one, total in totals],
            "meter_intervals": [{"intervals": channels}],
            "meta": self._make_meta("met"),
        }

    def _make_meta(self, name: str) -> dict[str, Any]:
        return {"last_report_at": self.clock.now_ms() // 1000 + self.ahead_s, "last_energy_at": self._find_last(name)}


@dataclass
class PretendBudget:
    """A pause that the test sets (seconds)."""

    pause_s: float = 5760.0

    def compute_pause_s(self, calls: int) -> float:
        return self.pause_s


@dataclass
class CloudScraper:
    """The job over a real outbox, and what it committed."""

    cloud: PretendCloud
    clock: InstantClock
    outbox: OutboxThread
    kept: KeptCloud
    readers: Sequence[IntervalReader]
    poller: CloudPoller
    health: Health
    budget: PretendBudget

    async def pass_until(self, end_s: int) -> None:
        """Make every pass that is due until then; the clock stands there afterwards."""
        while (due_s := self.poller.find_due_s()) < end_s:
            self.move_to(max(due_s, self.clock.now_ms() / 1000))
            await self.poller.make_pass()
        self.move_to(end_s)

    def move_to(self, moment_s: float) -> None:
        self.clock.advance(moment_s - self.clock.now_ms() / 1000)

    async def list_rows(self) -> list[Reading]:
        """Everything that was committed, the oldest first."""
        return [decode_reading(row.payload) for row in await self.outbox.read_oldest(10**6, 10**9)]

    async def list_seen(self, source: str, phase: str = "total") -> dict[int, float]:
        """What readers see: end in seconds to the energy of the highest revision."""
        found: dict[int, tuple[int, float]] = {}
        for row in await self.list_rows():
            if row.kind == "interval" and (row.tags["source"], row.tags["phase"]) == (source, phase):
                energy, end = row.fields["energy"], row.timestamp // 1000
                assert isinstance(energy, float)
                found[end] = max(found.get(end, (-1, 0.0)), (int(row.tags["revision"]), energy))
        return {end: energy for end, (_, energy) in sorted(found.items())}

    async def list_events(self, name: str) -> list[Reading]:
        return [row for row in await self.list_rows() if row.tags.get("type") == name]


@contextlib.asynccontextmanager
async def run_cloud_scraper(
    folder: Path, cloud: PretendCloud, names: Sequence[str] = ("inv", "met")
) -> AsyncIterator[CloudScraper]:
    """The job over the outbox in a folder, which the next one finds again."""
    clock = cloud.clock
    outbox = OutboxThread()
    await outbox.open(folder / "outbox.sqlite", quota_bytes=2**30, clock=clock)
    try:
        memory = DurableMemory(outbox)
        await memory.load()
        recorder = Recorder(Tracker(), outbox, memory, clock)
        kept, health, budget = (
            KeptCloud(memory, recorder, {name: TYPES[name].step_s for name in TYPES}),
            Health(),
            PretendBudget(),
        )
        readers = [
            IntervalReader(
                cloud,
                kept,
                clock,
                system_id=SYSTEM,
                wanted=WantedSource(TYPES[name], name),
                position=position,
                max_lag_s=LAG_S,
            )
            for position, name in enumerate(names)
        ]
        poller = CloudPoller(cloud, budget, kept, readers, health, clock, system_id=SYSTEM)
        yield CloudScraper(cloud, clock, outbox, kept, readers, poller, health, budget)
    finally:
        await outbox.close()


def make_cloud(now_s: int = BEGIN_S + DAY_S, **changes: Any) -> PretendCloud:
    """A cloud at a time."""
    clock = InstantClock()
    clock.wall_ms = now_s * 1000
    return PretendCloud(clock, **changes)
