"""Brings a durable output up to date: slice by slice, each as often as its target wants, and what came late after it.

- The oldest that is missing goes first; late minutes follow, one quarter hour in each round, so that they never hold
  up what is new.
- While a target itself fails, one gateway after the other tries it, so that many cost it and us no more than one.
- A cursor moves after the target's yes. It is kept once a minute, before the roll-ups forget a quarter hour that has
  late readings, and at the end: after a crash at most a minute is delivered twice.
- After a crash the late minutes of quarter hours that the roll-ups have not settled are unknown: all of those quarter
  hours are late. After an orderly end nothing is unknown, and nothing is delivered twice.
"""

import random
from collections.abc import Collection, Sequence

import structlog

from receiver.metrics import Metrics
from receiver.outputs.base import OutputError, OutputState, Slice, Target
from receiver.outputs.progress import ALL_KINDS, OutputProgress
from receiver.outputs.progress_file import ProgressError, ProgressFile
from receiver.stores.base import Store, StoreUnavailableError
from shared.backoff import Backoff
from shared.clock import Clock
from shared.readings import Reading
from shared.units import DAY_MS, MINUTE_MS, MINUTE_S, QUARTER_MS

_log = structlog.get_logger()
_FIRST_S = 5.0
_LONGEST_S = 5.0 * MINUTE_S
_KEEP_S = float(MINUTE_S)
_SLICES_A_ROUND = 50
_TARGET = "*"
"""In the place of a gateway: the target itself fails."""


class DurableOutput:
    """One output with a memory, as `receiver.outputs.base.Output`.

    Args:
        target: Where to.
        file: The memory.
        store: Which gateways there are.
        clock: What is due.
        metrics: What is counted.
    """

    def __init__(self, target: Target, file: ProgressFile, store: Store, clock: Clock, metrics: Metrics) -> None:
        self.name = target.name
        self._target = target
        self._file = file
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._known: dict[str, OutputProgress] | None = None
        self._early: dict[str, set[int]] = {}  # quarter hours of late readings that came before the file was read
        self._first_noted: dict[str, int] = {}  # the oldest that was stored of gateways that did not begin yet
        self._backoffs: dict[str, Backoff] = {}
        self._paused_until: dict[str, float] = {}
        self._problems: dict[str, str] = {}
        self._tried_last = ""
        self._kept_at = -_KEEP_S

    def note(self, gateway: str, readings: Sequence[Reading]) -> None:
        """As `Output.note`."""
        if self._known is None:
            self.mark_quarters(gateway, {reading.timestamp // QUARTER_MS * QUARTER_MS for reading in readings})
        elif (progress := self._known.get(gateway)) is not None:
            progress.note(readings)
        elif self._target.is_wanted(gateway):
            times = [reading.timestamp for reading in readings]
            earlier = self._first_noted.get(gateway, self._clock.now_ms())
            self._first_noted[gateway] = min([earlier, *times])

    def mark_quarters(self, gateway: str, quarters: Collection[int]) -> None:
        """Let whole quarter hours (their starts) be delivered again, as far as they were delivered."""
        if self._known is None:
            self._early.setdefault(gateway, set()).update(quarters)
            return
        if (progress := self._known.get(gateway)) is None:
            return
        for quarter in quarters:
            for minute in range(quarter, min(quarter + QUARTER_MS, progress.sent_until), MINUTE_MS):
                progress.mark(minute, ALL_KINDS)

    async def run(self) -> None:
        """As `Output.run`."""
        while True:
            await self._clock.sleep(await self.run_once())

    async def run_once(self) -> float:
        """One round over all gateways.

        Returns:
            Seconds until the next one.
        """
        try:
            known = await self._load()
            await self._apply_wishes(known)
            delays = [await self._serve(known, gateway) for gateway in await self._list_gateways()]
            await self._keep_now_and_then()
        except (StoreUnavailableError, ProgressError) as error:
            delays = [self._fail("", error)]
        else:
            self._problems.pop("", None)
            self._get_backoff("").succeed()
        self._show()
        return min(delays, default=self._target.period_s)

    def list_states(self, now_ms: int) -> list[OutputState]:
        """As `Output.list_states`."""
        return [
            OutputState(self.name, gateway, one.find_behind(now_ms, self._target.hold_ms), self._find_problem(gateway))
            for gateway, one in sorted((self._known or {}).items())
            if self._target.is_wanted(gateway)
        ]

    async def keep_before(self, forgotten: Collection[tuple[str, int]]) -> None:
        """Keep what is late in quarter hours (gateway, start) that the roll-ups forget next. Raises ProgressError."""
        known = await self._load()
        if any(
            known[gateway].is_late_within(quarter, quarter + QUARTER_MS)
            for gateway, quarter in forgotten
            if gateway in known
        ):
            await self._keep(known)

    async def close(self) -> None:
        """As `Output.close`. Raises ProgressError if what is still to be delivered could not be kept."""
        try:
            await self._keep(await self._load())
        finally:
            await self._target.close()

    async def _load(self) -> dict[str, OutputProgress]:
        if self._known is None:
            known = await self._file.load(self.name)
            if self._known is None:
                self._known = known
                for gateway, quarters in self._early.items():
                    self.mark_quarters(gateway, quarters)
                self._early.clear()
        return self._known

    async def _apply_wishes(self, known: dict[str, OutputProgress]) -> None:
        wishes = await self._file.read_wishes(self.name)
        for wish in wishes.values():
            for gateway in [wish.gateway] if wish.gateway else list(known):
                if wish.since is not None:
                    (await self._begin(known, gateway)).go_back(wish.since)
                    self._target.forget(gateway)
                    _log.info("an output sends again", output=self.name, gateway=gateway, since=wish.since)
        if wishes:
            await self._file.keep(self.name, list(known.values()), granted=wishes)  # a crash must not lose a wish

    async def _list_gateways(self) -> list[str]:
        """Those that go there; while the target fails, the one after the one that tried it last is the first."""
        found = [one.gateway for one in await self._store.list_gateways() if self._target.is_wanted(one.gateway)]
        return sorted(found, key=lambda gateway: (gateway <= self._tried_last, gateway))

    async def _begin(self, known: dict[str, OutputProgress], gateway: str) -> OutputProgress:
        if gateway not in known:  # what was stored before somebody named the output is sent when it is asked for
            now = self._clock.now_ms()
            began = min(now - (DAY_MS if self._file.was_damaged else 0), self._first_noted.pop(gateway, now))
            known[gateway] = OutputProgress(gateway, began // QUARTER_MS * QUARTER_MS)
            await self._keep(known)  # a crash must not begin it later
        return known[gateway]

    async def _serve(self, known: dict[str, OutputProgress], gateway: str) -> float:
        """Deliver what is due of one gateway, unless it failed just now; return the seconds until its next turn."""
        paused_until = max(self._paused_until.get(one, 0.0) for one in (gateway, _TARGET))
        pause_s = paused_until - self._clock.monotonic()
        if pause_s > 0:
            return pause_s
        try:
            is_behind = await self._advance(await self._begin(known, gateway))
        except OutputError as error:
            failed = _TARGET if error.is_general else gateway
            self._tried_last = gateway
            delay_s = self._fail(failed, error)
            self._paused_until[failed] = self._clock.monotonic() + delay_s
            return delay_s
        self._problems.pop(gateway, None)
        self._get_backoff(gateway).succeed()
        return 0.0 if is_behind else self._target.period_s

    async def _advance(self, progress: OutputProgress) -> bool:
        """Deliver some of what is due, and return whether there is more of it."""
        until = self._clock.now_ms() - self._target.hold_ms
        is_behind = True
        for _ in range(_SLICES_A_ROUND):
            part = progress.take_next(until, self._target.slice_ms)
            if part is None or not await self._deliver(progress, part):
                is_behind = False
                break
        late = progress.take_late()
        if late is not None and not await self._deliver(progress, late):
            return is_behind
        return is_behind or progress.has_late

    async def _deliver(self, progress: OutputProgress, part: Slice) -> bool:
        """Deliver a slice, and return whether all of it was complete."""
        try:
            taken = await self._target.deliver(part)
        except BaseException:
            progress.put_back(part)
            raise
        if taken.sent or taken.put_aside:  # it was asked, and answered
            self._problems.pop(_TARGET, None)
            self._get_backoff(_TARGET).succeed()
        self._metrics.output_sent.labels(self.name).inc(taken.sent)
        self._metrics.output_put_aside.labels(self.name).inc(taken.put_aside)
        return progress.finish(part, self._clock.now_ms(), taken)

    async def _keep_now_and_then(self) -> None:
        if self._known is not None and self._clock.monotonic() - self._kept_at >= _KEEP_S:
            await self._keep(self._known)

    async def _keep(self, known: dict[str, OutputProgress]) -> None:
        await self._file.keep(self.name, list(known.values()))
        self._kept_at = self._clock.monotonic()

    def _fail(self, gateway: str, error: OutputError | StoreUnavailableError | ProgressError) -> float:
        reason = error.reason if isinstance(error, OutputError) else "here"
        delay_s = self._get_backoff(gateway).draw_delay(error.retry_after_s if isinstance(error, OutputError) else None)
        if self._problems.get(gateway) != str(error):
            _log.warning(
                "an output waits", output=self.name, gateway=gateway, reason=str(error), again_in_s=round(delay_s)
            )
        self._problems[gateway] = str(error)
        self._metrics.output_failed.labels(self.name, reason).inc()
        return delay_s

    def _get_backoff(self, gateway: str) -> Backoff:
        if gateway not in self._backoffs:
            self._backoffs[gateway] = Backoff(
                random.Random(), first_s=_FIRST_S, longest_s=_LONGEST_S, shortest_share=0.5
            )
        return self._backoffs[gateway]

    def _find_problem(self, gateway: str) -> str | None:
        return self._problems.get(gateway) or self._problems.get(_TARGET) or self._problems.get("")

    def _show(self) -> None:
        for state in self.list_states(self._clock.now_ms()):
            self._metrics.output_behind.labels(self.name, state.gateway).set(state.behind_ms / 1000)
