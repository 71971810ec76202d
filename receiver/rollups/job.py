"""The roll-up job: what is dirty is computed anew every minute, the newest first; a history once, in the background.

- A pass takes the newest piece of every gateway first, then the next newest: live data never waits for a backlog.
- Quarter hours and energies follow within a minute or so; hours and days of panels once a quarter hour.
- The end of a gap may change all that is in the gap, months perhaps: what is far away follows like a backlog.
- A gateway whose site or whose arithmetic has changed, or which the journal does not know, is computed anew from the
  newest to the oldest reading. The same happens at the first start over a store that already holds readings.
- A fault in the data of one gateway is logged and counted, and stops nobody else; it is tried again in an hour.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from receiver.ingest.arrivals import Arrivals
from receiver.ingest.journal import Journal, JournalError
from receiver.ingest.marking import MarkingStore, runs
from receiver.metrics import Metrics
from receiver.rollups.backfill import Backfill
from receiver.rollups.housekeeping import expire, store_deliveries
from receiver.rollups.roll import Roller, Stretch
from receiver.sites.model import Site
from receiver.stores.base import Store, StoreUnavailableError
from shared.clock import Clock
from shared.units import DAY_MS, HOUR_MS, HOUR_S, QUARTER_MS

JOURNAL_FILE = "rollups.sqlite"
"""Its name in the state directory."""
PERIOD_S = 60.0
"""How often what is dirty is rolled up."""
_PIECE_MS = 3 * HOUR_MS
"""What of a backlog is rolled up at once, before somebody else has a turn."""
_NEAR_MS = DAY_MS
"""What a piece changes within this is rolled up with it: the nights of inverters, which end every morning."""
_RETRY_S = HOUR_S
_log = structlog.get_logger()


class RollupError(Exception):
    """Some quarter hours could not be computed; the log says which and why."""


class Rollups:
    """Keeps the roll-ups of every gateway up to date.

    Readings have to be written through `store` (a `MarkingStore`), or this never hears of them.

    Args:
        store: Where readings are and roll-ups go.
        site_of: What the owner says of a gateway, by serial.
        clock: Wall time, intervals, waiting.
        state_dir: Where the journal lies.
        arrivals: What came in, for the kind `delivery`.
        metrics: Told how it goes.
    """

    def __init__(
        self,
        store: Store,
        *,
        site_of: Callable[[str], Site],
        clock: Clock,
        state_dir: Path,
        arrivals: Arrivals | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._journal = Journal(state_dir / JOURNAL_FILE)
        self.store = MarkingStore(store, self._journal)
        self._plain_store = store
        self._site_of = site_of
        self._clock = clock
        self._arrivals = arrivals or Arrivals()
        self._metrics = metrics or Metrics()
        self._roller = Roller(store, clock, self._rest)
        self._backfill = Backfill(store, self.store, self._roller, site_of)
        self._task: asyncio.Task[None] | None = None
        self._hurry = False
        self._unlucky = ""
        self._slow_done: dict[str, int] = {}
        self._retry_at = clock.monotonic() + _RETRY_S

    def start(self) -> None:
        """Begin to work, in a task of its own."""
        self._task = asyncio.create_task(self.run(), name="rollups")

    async def stop(self) -> None:
        """End that. What was not finished is done after the next start; readings may still be written."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            started = self._clock.monotonic()
            try:
                await self.run_once(seconds=PERIOD_S)
            except (StoreUnavailableError, JournalError) as error:
                _log.warning("roll-ups wait", reason=str(error))
            except Exception:  # noqa: BLE001 (the next pass may succeed)
                self._metrics.rollup_failures.labels("").inc()
                _log.exception("a pass of the roll-ups failed")
            took = self._clock.monotonic() - started
            self._metrics.rollup_seconds.set(took)
            await self._clock.sleep(max(PERIOD_S - took, 1.0))

    async def catch_up(self) -> None:
        """Roll up all there is, at full speed, and return when nothing is dirty.

        Raises:
            StoreUnavailableError: Some of it is done; call it again.
            JournalError: Some of it is done; call it again.
            RollupError: All is done but what could not be computed.
        """
        self._hurry = True
        try:
            await self.run_once()
            while self._backfill.waiting() or any(
                marks.fresh or marks.hours_due for marks in self.store.gateways.values()
            ):
                await self.run_once()
        finally:
            self._hurry = False
        failed = sum(len(marks.failed) for marks in self.store.gateways.values())
        if failed:
            raise RollupError(f"{failed} quarter hours could not be rolled up; the log says why")

    async def close(self) -> None:
        """Let go of the journal. No call may follow."""
        await self._journal.close()

    async def run_once(self, *, seconds: float | None = None) -> None:
        """One pass: the newest of every gateway, and as much of the rest as there is time for.

        Args:
            seconds: When to begin nothing more, from now; None: when nothing is left of what was dirty at the start.

        Raises:
            StoreUnavailableError: Some of it is done; what was not stays dirty.
            JournalError: Some of it is done; what was not stays dirty.
        """
        deadline = None if seconds is None else self._clock.monotonic() + seconds
        await self.store.load()
        await self._backfill.look()
        self._retry_failed()
        self._count()
        try:
            if await self._roll_dirty(deadline):
                await self._roll_histories(deadline)
        except StoreUnavailableError:
            await self._keep_house()  # it may be one gateway alone, for long
            raise
        await self._keep_house()

    async def _keep_house(self) -> None:
        now = self._clock.now_ms()
        await store_deliveries(self._plain_store, self._arrivals, now)
        await self.store.settle(now)
        if not self._backfill.waiting():
            await expire(self._plain_store, self.store.gateways.values(), now)
        self._count()

    async def _roll_dirty(self, deadline: float | None) -> bool:
        """Roll up what is dirty now. Whether there was time for all of it."""
        quarter = self._clock.now_ms() // QUARTER_MS
        due = {name for name in self.store.gateways if self._hurry or self._slow_done.get(name) != quarter}
        for rank, stretch in self._pieces(due):
            if rank and self._is_over(deadline):
                return False
            await self._attempt(stretch, hours=stretch.gateway in due, widen=True)
        self._slow_done.update(dict.fromkeys(due, quarter))
        return True

    def _pieces(self, due: set[str]) -> list[tuple[int, Stretch]]:
        """What is dirty, with its rank: the newest piece of each gateway, then the second newest of each, ..."""
        pieces = []
        for name, marks in sorted(self.store.gateways.items()):
            dirty, grain = (marks.fresh | marks.hours_due, HOUR_MS) if name in due else (marks.fresh, QUARTER_MS)
            times = runs(dirty, grain=grain, most=_PIECE_MS)
            pieces += [(rank, Stretch(name, start, stop)) for rank, (start, stop) in enumerate(times)]
        return sorted(pieces, key=lambda piece: (piece[0], piece[1].gateway == self._unlucky))

    async def _roll_histories(self, deadline: float | None) -> None:
        """Go on with histories, a day of each gateway in turn. At least one day, however little time there is."""
        waiting = self._backfill.waiting()
        while waiting:
            for gateway in sorted(waiting, key=lambda name: name == self._unlucky):
                stretch = await self._backfill.next(gateway)
                if stretch is not None:
                    await self._attempt(stretch, hours=True, widen=False)
                    await self._backfill.done(stretch)
                if self._is_over(deadline):
                    return
            waiting = self._backfill.waiting()

    async def _attempt(self, stretch: Stretch, *, hours: bool, widen: bool) -> None:
        """Roll up one piece. A fault in its data sets it aside; anything else leaves it dirty and is raised.

        Args:
            stretch: The piece.
            hours: Whether hours and days of panels are wanted, too.
            widen: Whether new readings in it are to be counted as seen, with all that they change around it.
        """
        marks = self.store.of(stretch.gateway)
        taken = marks.fresh & set(_quarters(stretch)) if widen else set()
        marks.fresh -= taken  # what comes in from here on makes it dirty again
        try:
            wide = await self._roller.widened(stretch) if taken else stretch
            if hours:
                wide = wide.whole_hours()
            near = wide._replace(
                start=max(wide.start, stretch.start - _NEAR_MS), stop=min(wide.stop, stretch.stop + _NEAR_MS)
            )
            await self._roller.roll(near, self._site_of(stretch.gateway), hours=hours)
        except (StoreUnavailableError, asyncio.CancelledError):
            marks.fresh |= taken
            self._unlucky = stretch.gateway  # it may be this gateway alone: next time it comes last
            raise
        except Exception:  # noqa: BLE001 (whatever is wrong with this data, the rest is to go on)
            self._metrics.rollup_failures.labels(stretch.gateway).inc()
            _log.exception("roll-ups failed", gateway=stretch.gateway, start=stretch.start, stop=stretch.stop)
            await self.store.fail(stretch.gateway, _quarters(stretch))
        else:
            marks.hours_due.update(_quarters(wide))
            if hours:
                marks.hours_due.difference_update(_quarters(near))

    def _retry_failed(self) -> None:
        now = self._clock.monotonic()
        if now >= self._retry_at:
            self._retry_at = now + _RETRY_S
            for marks in self.store.gateways.values():
                marks.fresh |= marks.failed
                marks.failed.clear()

    def _is_over(self, deadline: float | None) -> bool:
        return deadline is not None and self._clock.monotonic() >= deadline

    async def _rest(self, seconds: float) -> None:
        """Never more than half of the time: a history of years must not slow down what comes in."""
        if not self._hurry:
            await self._clock.sleep(seconds)

    def _count(self) -> None:
        self._metrics.rollup_dirty.set(sum(len(marks.waiting) for marks in self.store.gateways.values()))


async def catch_up(store: Store, *, site_of: Callable[[str], Site], clock: Clock, state_dir: Path) -> None:
    """Roll up everything in a store, for tools that fill one and wait. See `Rollups.catch_up`.

    The journal in `state_dir` is left as a receiver wants to find it. What was written without the journal's knowledge
    is only seen if the journal is new: use an empty directory, or write through `Rollups.store`.
    """
    rollups = Rollups(store, site_of=site_of, clock=clock, state_dir=state_dir)
    try:
        await rollups.catch_up()
    finally:
        await rollups.close()


def _quarters(stretch: Stretch) -> range:
    return range(stretch.start, stretch.stop, QUARTER_MS)
