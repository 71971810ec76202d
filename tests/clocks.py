"""Clocks for tests; they differ in what a sleep does.

| clock | a sleep |
|---|---|
| `StoppedClock` | never ends: what a service does every minute, it does once |
| `SetClock` | ends at once, and no time passes |
| `InstantClock` | ends at once, and its time has passed |
| `EndingClock` | the same until a moment, at which it ends everything |
| `StartingClock` | ends at once, its time has passed, and something was started meanwhile |
| `SteppedClock` | lasts until the test ends it |
| `SimulatedClock` | lasts as long as the simulator's clock says |
| `ShiftedClock` | is a real one |
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.clock import SystemClock
from simulator.clock import DeviceClock

NOW_MS = 1_760_000_000_000
GATEWAY_NOW_S = 1_718_213_328
"""When tests of the gateway client take place, in seconds since 1970."""

DeviceClockT = TypeVar("DeviceClockT", bound=DeviceClock)


@dataclass
class StoppedClock:
    """Stands where a test puts it.

    Attributes:
        ms: Its time, in milliseconds since 1970.
    """

    ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    def advance(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.get_running_loop().create_future()


@dataclass
class SetClock(StoppedClock):
    """Stands where a test puts it, and lets nobody wait.

    Attributes:
        slept: The sleeps that were asked for, in seconds.
    """

    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class InstantClock:
    """Every sleep ends at once, and its time has passed. Wall clock and elapsed time may be moved apart.

    Attributes:
        wall_ms: The wall clock, in milliseconds since 1970.
        elapsed: The monotonic clock, in seconds.
        waits: The sleeps so far, in seconds.
    """

    def __init__(self) -> None:
        self.wall_ms = GATEWAY_NOW_S * 1000
        self.elapsed = 1000.0
        self.waits: list[float] = []

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
        self.wall_ms += round(seconds * 1000)


class EndingClock(InstantClock):
    """Every sleep ends at once until a moment; a sleep beyond it cancels what sleeps.

    Attributes:
        end: That moment of the monotonic clock, in seconds.
    """

    end = 0.0

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.elapsed >= self.end:
            raise asyncio.CancelledError


class StartingClock(StoppedClock):
    """Every sleep ends at once and its time has passed; meanwhile something is started.

    Args:
        start: Called in each sleep.
    """

    def __init__(self, start: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._start = start

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        self._start()


class SteppedClock(StoppedClock):
    """A sleep lasts until the test ends it."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        super().__init__(now_ms)
        self._sleeping: asyncio.Queue[tuple[float, asyncio.Future[None]]] = asyncio.Queue()

    async def sleep(self, seconds: float) -> None:
        wake = asyncio.get_running_loop().create_future()
        self._sleeping.put_nowait((seconds, wake))
        await wake

    async def end_next_sleep(self) -> float:
        """Wait for the next sleep and end it: so much time has passed. Returns its seconds."""
        seconds, wake = await self.await_sleep()
        self.advance(seconds)
        if not wake.done():
            wake.set_result(None)
        return seconds

    async def await_sleep(self) -> tuple[float, "asyncio.Future[None]"]:
        """Wait for the next sleep. Returns its seconds, and what ends it."""
        async with asyncio.timeout(30):
            return await self._sleeping.get()


class SimulatedClock(Generic[DeviceClockT]):
    """The simulator's time, for the scraper and the receiver.

    Args:
        device: The simulator's clock.
        ahead_s: How far this host's wall clock is ahead of it, in seconds.
    """

    def __init__(self, device: DeviceClockT, ahead_s: float = 0.0) -> None:
        self.device = device
        self.ahead_s = ahead_s

    def now_ms(self) -> int:
        return round((self.device.now() + self.ahead_s) * 1000)

    def monotonic(self) -> float:
        return self.device.now()

    async def sleep(self, seconds: float) -> None:
        await self.device.sleep_until(self.device.now() + seconds)


class ShiftedClock(SystemClock):
    """The host's clock, off by some seconds that a test may change."""

    def __init__(self, by_s: float = 0) -> None:
        self.by_s = by_s

    def now_ms(self) -> int:
        return super().now_ms() + round(self.by_s * 1000)

    def monotonic(self) -> float:
        return super().monotonic() + self.by_s
