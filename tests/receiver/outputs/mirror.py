"""A durable output over a real store, journal and file, which may crash, with a target that tests command or another."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from receiver.ingest.group_commit import GroupCommit
from receiver.ingest.journal import Journal
from receiver.ingest.marking import MarkingStore
from receiver.metrics import Metrics
from receiver.outputs.base import Delivered, OutputError, Slice, Target
from receiver.outputs.driver import DurableOutput
from receiver.outputs.outputs import Outputs
from receiver.outputs.progress_file import FILE, ProgressFile
from receiver.stores.base import GatewayReading, Store
from receiver.stores.sqlite.store import SqliteStore
from shared.fields import KINDS
from shared.readings import FieldValue, Reading, Series
from shared.units import QUARTER_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.receiver.service import GATEWAY

BEGUN_MS = NOW_MS // QUARTER_MS * QUARTER_MS
"""Where an output begins that is set up at `NOW_MS`: before that, history is sent when somebody asks."""
Content = dict[tuple[str, Series, int], dict[str, FieldValue]]
"""By gateway, series and time."""


class MirrorTarget:
    """Keeps what it is given, as a database of one's own would; `refuses` makes it fail halfway."""

    name = "mirror"
    period_s = 10.0
    hold_ms = 30_000
    slice_ms = 300_000

    def __init__(self, store: Store) -> None:
        self._store = store
        self.content: Content = {}
        self.slices: list[Slice] = []
        self.refuses = False

    def is_wanted(self, gateway: str) -> bool:
        return gateway != "leftout"

    async def deliver(self, part: Slice) -> Delivered:
        self.slices.append(part)
        sent = 0
        for kind in KINDS if part.kinds is None else part.kinds:
            for series, points in await self._store.read_points(part.gateway, kind, start=part.start, stop=part.stop):
                for timestamp, fields in points:
                    self.content[part.gateway, series, timestamp] = fields
                    sent += 1
            if self.refuses:
                raise OutputError("the mirror is away", "unreachable", is_general=True)
        return Delivered(sent)

    def forget(self, gateway: str) -> None: ...

    async def check(self, gateways: Sequence[str]) -> str:
        return f"{len(gateways)} gateways"

    async def close(self) -> None: ...


class MirrorBench:
    """The parts of a receiver that an output rests on. `restart` ends them in order, `crash` without a word."""

    def __init__(self, folder: Path, clock: StoppedClock, make_target: Callable[[Store], Target] | None = None) -> None:
        self.folder = folder
        self.clock = clock
        self.kept: MirrorTarget | None = None
        self._make_target = make_target

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.outputs.stop()
        await self.let_go()

    async def begin(self) -> None:
        self.store = SqliteStore(self.folder / "readings.sqlite")
        await self.store.open()
        self.journal = Journal(self.folder / "rollups.sqlite")
        self.marking = MarkingStore(self.store, self.journal)
        self.file = ProgressFile(self.folder / FILE)
        self.target = MirrorTarget(self.store)
        if self.kept is not None:  # what the database holds outlives us
            self.target.content = self.kept.content
        self.kept = self.target
        target = self.target if self._make_target is None else self._make_target(self.store)
        self.driver = DurableOutput(target, self.file, self.store, self.clock, Metrics())
        self.outputs = Outputs([self.driver], self.file, self.clock)
        self.marking.reader = self.outputs
        self.commit = GroupCommit(self.marking, on_stored=self.outputs.note)
        await self.marking.load()

    async def let_go(self) -> None:
        await self.commit.close()
        await self.journal.close()
        await self.store.close()

    async def restart(self) -> None:
        await self.end()
        await self.begin()

    async def end(self) -> None:
        await self.commit.close()
        assert await self.outputs.stop()
        await self.marking.note_told()
        await self.let_go()

    async def crash(self) -> None:
        await self.file.close()
        await self.driver._target.close()  # the system does it for a process that ends
        await self.let_go()
        await self.begin()

    async def write(self, gateway: str, readings: Sequence[Reading]) -> None:
        assert not await self.commit.write([GatewayReading(gateway, one) for one in readings])

    async def settle(self) -> None:
        """As the roll-ups do after a pass: all is rolled up, and the journal forgets what is old."""
        for marks in self.marking.gateways.values():
            marks.fresh.clear()
        await self.marking.settle(self.clock.now_ms())

    async def catch_up(self) -> None:
        """Rounds until nothing is due."""
        for _ in range(1000):
            if await self.driver.run_once():
                return
        raise AssertionError("it never comes to an end")

    async def read_stored(self, gateway: str, start: int, stop: int) -> Content:
        found: Content = {}
        for kind in KINDS:
            for series, points in await self.store.read_points(gateway, kind, start=start, stop=stop):
                found |= {(gateway, series, timestamp): fields for timestamp, fields in points}
        return found


async def assert_equal(bench, *gateways, since=BEGUN_MS):
    stored: Content = {}
    for gateway in gateways or (GATEWAY,):
        stored |= await bench.read_stored(gateway, since, bench.clock.now_ms() - bench.target.hold_ms)
    given_out = {key: fields for key, fields in bench.target.content.items() if key[2] >= since}
    assert given_out == stored
