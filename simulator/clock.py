"""The simulator's time: a wall clock that can be shifted and can run faster than the real one."""

import asyncio
import time
from typing import Protocol


class DeviceClock(Protocol):
    """What the simulated device knows of time. Tests may pass one of their own."""

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


def real_ms() -> int:
    """The host's wall time in milliseconds: what a reader on this host stamps arrivals with."""
    return time.time_ns() // 1_000_000
