"""The roll-up job: what is dirty is computed again every minute, newest first; a history once, in the background.

- A pass takes the newest piece of every gateway first, then the next newest: live data never waits for a backlog.
- Quarter hours and energies follow within a minute or so; hours and days of panels once a quarter hour.
- The end of a gap may change all that is in the gap, perhaps months: what is far away follows like a backlog.
- A gateway whose site or whose arithmetic has changed, or which the journal does not know, is computed again from the
  newest to the oldest reading. The same happens at the first start over a store that already holds readings.
- The only gateway of a receiver has all of its time, and passes follow at once while more than live data waits.
- Each of several gateways has a share of a pass, and quarter hours beyond what is remembered one by one become a
  history: what one sender scatters over decades costs nobody else's time.
- An error in the data of one gateway is logged and counted, and stops no other gateway; the data is tried again in an
  hour (`attempts`).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from receiver.ingest.arrivals import Arrivals
from receiver.ingest.journal import Journal, JournalError
from receiver.ingest.marking import MarkingStore
from receiver.metrics import Metrics
from receiver.rollups.attempts import Attempts
from receiver.rollups.backfill import Backfill
from receiver.rollups.housekeeping import Expiry, store_deliveries
from receiver.rollups.roll import Roller, Stretch
from receiver.sites.model import Site
from receiver.stores.base import Store, StoreUnavailableError
from shared.clock import Clock
from shared.units import QUARTER_MS

JOURNAL_FILE = "rollups.sqlite"
"""Its name in the state directory."""
PERIOD_S = 60.0
"""How often what is dirty is rolled up."""
SHARE_S = 15.0
"""How much of a pass one of several gateways may take, its rests included, beside its newest piece."""
_LIVE_QUARTERS = 4
"""Live data leaves no more than this waiting: the hours of what came since the last quarter hour."""
_PAUSE_S = 5.0
"""How long a pass ends before the next one begins, at least; and how often it is looked whether a backlog came."""
_log = structlog.get_logger()


class RollupError(Exception):
    """Some quarter hours could not be computed; the log says which and why."""


class Rollups:
    """Keeps the roll-ups of every gateway up to date.

    Readings have to be written through `store` (a `MarkingStore`): other writes are never noticed.

    Args:
        store: Where readings are and roll-ups go.
        site_of: What is known of a gateway's site, by serial.
        prepare: Learns what `site_of` needs from the store, before the first pass; may raise StoreUnavailableError.
        clock: Wall time, intervals, waiting.
        state_dir: Where the journal lies.
        arrivals: What came in, for the kind `delivery`.
        metrics: Progress and failures.
        find_linked: The gateway that a system of the cloud is linked to, by the system; None for none.
    """

    def __init__(
        self,
        store: Store,
        *,
        site_of: Callable[[str], Site],
        clock: Clock,
        prepare: Callable[[], Awaitable[None]] | None = None,
        state_dir: Path,
        arrivals: Arrivals | None = None,
        metrics: Metrics | None = None,
        find_linked: Callable[[str], str | None] | None = None,
    ) -> None:
        self._prepare = prepare
        self._journal = Journal(state_dir / JOURNAL_FILE)
        self.store = MarkingStore(store, self._journal, find_linked=find_linked)
        self._plain_store = store
        self._clock = clock
        self._arrivals = arrivals or Arrivals()
        self._metrics = metrics or Metrics()
        self._attempts = Attempts(self.store, Roller(store, clock, self._rest), site_of, clock, self._metrics)
        self._backfill = Backfill(store, self.store, site_of)
        self._expiry = Expiry(store, self.store.gateways, clock)
        self._metrics.rollup_dirty.set_function(self._count_waiting)
        self._task: asyncio.Task[None] | None = None
        self._hurry = False
        self._hours_rolled_at: dict[str, int] = {}
        self._spent_s: dict[str, float] = {}

    def start(self) -> None:
        """Begin to work, in a task of its own."""
        self._task = asyncio.create_task(self.run(), name="rollups")

    async def stop(self) -> None:
        """End the task. Unfinished work is done after the next start; readings may still be written."""
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
            await self._clock.sleep(_PAUSE_S)
            while not self._has_backlog() and self._clock.monotonic() - started < PERIOD_S:
                await self._clock.sleep(_PAUSE_S)

    async def catch_up(self) -> None:
        """Roll up everything at full speed, and return when nothing is dirty.

        Raises:
            StoreUnavailableError: Some of it is done; call it again.
            JournalError: Some of it is done; call it again.
            RollupError: Everything is done except what could not be computed.
        """
        self._hurry = True
        try:
            await self.run_once()
            while self._backfill.list_waiting() or any(
                marks.fresh or marks.hours_due for marks in self.store.gateways.values()
            ):
                await self.run_once()
        finally:
            self._hurry = False
        failed = sum(len(marks.failed) for marks in self.store.gateways.values())
        if failed:
            raise RollupError(f"{failed} quarter hours could not be rolled up; the log says why")

    async def close(self) -> None:
        """Close the journal. No call may follow."""
        await self._journal.close()

    async def run_once(self, *, seconds: float | None = None) -> None:
        """One pass: the newest of every gateway, and as much of the rest as there is time for.

        Args:
            seconds: After this time no further piece is begun; None: the pass ends when all that was dirty at its start
                is rolled up.

        Raises:
            StoreUnavailableError: Some of it is done; what was not stays dirty.
            JournalError: Some of it is done; what was not stays dirty.
        """
        deadline = None if seconds is None else self._clock.monotonic() + seconds
        await self.store.load()
        if self._prepare is not None:
            await self._prepare()
            self._prepare = None
        await self._backfill.begin_changed()
        self._attempts.retry_failed()
        await self._attempts.bound_waiting()
        self._spent_s.clear()
        try:
            if await self._roll_dirty(deadline):
                await self._roll_histories(deadline)
        except StoreUnavailableError:
            await self._keep_house()  # the store may fail for one gateway alone, and for long
            raise
        await self._keep_house()

    async def _keep_house(self) -> None:
        now = self._clock.now_ms()
        await store_deliveries(self._plain_store, self._arrivals, now)
        await self.store.settle(now)
        await self._expiry.expire()

    async def _roll_dirty(self, deadline: float | None) -> bool:
        """Roll up what is dirty now, and return whether there was time for every gateway's share of it."""
        waiting: set[str] = set()
        quarter = self._clock.now_ms() // QUARTER_MS
        hurries = self._hurry or self._has_backlog()  # hours now: later, each piece would be computed once more
        due = {name for name in self.store.gateways if hurries or self._hours_rolled_at.get(name) != quarter}
        for rank, stretch in self._attempts.list_pieces(due):
            if rank and self._has_passed(deadline):
                return False
            if rank and not self._has_share(stretch.gateway, deadline):
                waiting.add(stretch.gateway)
            else:
                await self._attempt(stretch, hours=stretch.gateway in due, widen=True)
        self._hours_rolled_at.update(dict.fromkeys(due - waiting, quarter))
        return True

    async def _roll_histories(self, deadline: float | None) -> None:
        """Continue the histories, a day of each gateway in turn; at least one day, however little time there is."""
        while waiting := [name for name in self._backfill.list_waiting() if self._has_share(name, deadline)]:
            for gateway in self._attempts.order_gateways(waiting):
                stretch = await self._backfill.find_next(gateway)
                if stretch is not None:
                    has_readings = await self._attempt(stretch, hours=True, widen=False)
                    await self._backfill.note_done(stretch, has_readings=has_readings)
                if self._has_passed(deadline):
                    return

    async def _attempt(self, stretch: Stretch, *, hours: bool, widen: bool) -> bool:
        """As `Attempts.attempt`, on account of the gateway."""
        began = self._clock.monotonic()
        try:
            return await self._attempts.attempt(stretch, hours=hours, widen=widen)
        finally:
            spent = self._clock.monotonic() - began
            self._spent_s[stretch.gateway] = self._spent_s.get(stretch.gateway, 0.0) + spent

    def _has_backlog(self) -> bool:
        """Whether the only gateway waits for more than live data."""
        gateways = self.store.gateways.values()
        return len(gateways) == 1 and any(len(one.fresh | one.hours_due) > _LIVE_QUARTERS for one in gateways)

    def _has_share(self, gateway: str, deadline: float | None) -> bool:
        return deadline is None or len(self.store.gateways) == 1 or self._spent_s.get(gateway, 0.0) < SHARE_S

    def _has_passed(self, deadline: float | None) -> bool:
        return deadline is not None and self._clock.monotonic() >= deadline

    async def _rest(self, seconds: float) -> None:
        """Pause as long as the work took: a history of years must not slow down what comes in."""
        if not self._hurry:
            await self._clock.sleep(seconds)

    def _count_waiting(self) -> float:
        """Called by the thread that is asked for metrics. NaN is unknown: never a 0 while something waits."""
        if not self.store.is_loaded:
            return math.nan
        gateways = list(self.store.gateways.items())
        return sum(len(marks.waiting) + self._backfill.count_left(gateway) for gateway, marks in gateways)
