"""Time as an argument: wall time for stamps, monotonic time for intervals, and waiting.

Nothing outside this module calls `time.time`, `time.monotonic` or `asyncio.sleep` for its logic, so that tests and
the simulator's fast clock can drive everything without patching.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now_ms(self) -> int:
        """UTC wall time in milliseconds since 1970. May step."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable, so that shutdown interrupts every wait."""
        ...


class SystemClock:
    """The host's clock."""

    def now_ms(self) -> int:
        """UTC wall time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await asyncio.sleep(seconds)
