"""What the routes of latest values have in common: who looks at which gateway, and how old things are."""

import asyncio

from fastapi import Request

from receiver.api.access import Access
from receiver.api.answers import Value
from receiver.errors import RefusedError
from receiver.live.watch import Watch
from receiver.stores.base import GatewaySummary, Latest, Store
from shared.clock import Clock
from shared.problems import Problem

Entry = dict[str, Value]
"""One series: its tags, its fields, `timestamp` (ms since 1970) and `age_seconds`."""


class LatestValues:
    """Latest values of one gateway for a reader who may see it; whoever looks makes the scraper post at once.

    Args:
        access: Who is reading.
        store: Where the values are.
        watch: Told that somebody looks.
        clock: What age is measured against.
    """

    def __init__(self, *, access: Access, store: Store, watch: Watch, clock: Clock) -> None:
        self._access = access
        self._store = store
        self._watch = watch
        self._clock = clock
        self._known: set[str] = set()

    async def of(self, request: Request, serial: str, *kinds: str) -> list[list[Latest]]:
        """The latest values of each kind. Raises RefusedError, not-found for a gateway without any reading."""
        self._access.reader(request, serial)
        found = await asyncio.gather(*(self._store.latest(serial, kind) for kind in kinds))
        if not any(found):
            await self.exists(serial)
        self._watch.look(serial)
        return found

    async def exists(self, serial: str) -> None:
        """Raises RefusedError (not-found) as `summary` does. Who has readings keeps them, so it is asked once."""
        if serial not in self._known:
            await self.summary(serial)

    async def summary(self, serial: str) -> GatewaySummary:
        """Raises RefusedError (not-found) for a gateway without readings, also for who may see every gateway."""
        summary = await self._store.summary(serial)
        if summary is None:
            raise RefusedError(Problem.NOT_FOUND, "gateway-unknown")
        self._known.add(serial)
        return summary

    def shown(self, entry: Latest) -> Entry:
        """One series as readers see it."""
        return {**entry.tags, **entry.fields, "timestamp": entry.timestamp, "age_seconds": self.age(entry.timestamp)}

    def age(self, timestamp: int) -> float:
        """In seconds; 0 for what comes from a clock that is ahead."""
        return max(0, self._clock.now_ms() - timestamp) / 1000
