"""The simulator's time: a wall clock that can be shifted and can run faster than the real one."""

import asyncio
import time
from typing import Protocol


class DeviceClock(Protocol):
    """The time of the simulated device. Tests may pass a clock of their own."""

    def now(self) -> float:
        """Simulated seconds since 1970."""
        ...

    async def sleep_until(self, moment: float) -> None:
        """Wait until `now()` has reached `moment`; return at once when it has passed."""
        ...


class SimClock:
    """Real time from the start on, shifted by an offset and multiplied by a speed.

    Args:
        speed: simulated seconds per real second; 1 is real time.
        offset_s: seconds added to the real time at the start.
    """

    def __init__(self, speed: float = 1.0, offset_s: float = 0.0) -> None:
        if not speed > 0:
            raise ValueError(f"the clock's speed must be above 0, not {speed}")
        self.speed = speed
        self._epoch = time.time() + offset_s
        # Elapsed time is monotonic, so that a stepping host clock does not bend the simulated day.
        self._started = time.monotonic()

    def now(self) -> float:
        """Simulated seconds since 1970."""
        return self._epoch + (time.monotonic() - self._started) * self.speed

    async def sleep_until(self, moment: float) -> None:
        """Wait until `now()` has reached `moment`; yields to others even when it has passed."""
        await asyncio.sleep(max(0.0, (moment - self.now()) / self.speed))


class ManualClock:
    """Time that moves only by `advance`, for tests whose result must not depend on their speed.

    Args:
        now: simulated seconds since 1970 at first.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Simulated seconds since 1970."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on, and wake every waiter whose moment has come."""
        self._now += seconds
        for moment, future in self._waiting:
            if moment <= self._now and not future.done():
                future.set_result(None)
        self._waiting = [(moment, future) for moment, future in self._waiting if not future.done()]

    async def sleep_until(self, moment: float) -> None:
        """Wait until `advance` has moved the clock to `moment`."""
        if moment <= self._now:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((moment, future))
        await future


def read_real_ms() -> int:
    """The host's wall time in milliseconds: what a reader on this host stamps arrivals with."""
    return time.time_ns() // 1_000_000
