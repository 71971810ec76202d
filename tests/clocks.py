"""Clocks for tests."""

import asyncio

from tests.scraper.gateway.fake_tokens import NOW_S


class InstantClock:
    """A clock that tests turn; waiting is instant and is remembered."""

    def __init__(self) -> None:
        self.wall_ms = NOW_S * 1000
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
