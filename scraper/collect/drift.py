"""What the gateway's replies lack, or say beyond what is known: one event for each name."""

import asyncio

import structlog

from scraper.collect.health import Health
from scraper.collect.recorder import Recorder
from scraper.events import make_event, name_some
from scraper.gateway.parse.values import Notes
from shared.clock import Clock

log = structlog.get_logger()


class SchemaDrift:
    """How the replies of one gateway differ from what is known of other firmware.

    Args:
        recorder: Where events go.
        health: Told of the values that were refused.
        clock: Time.

    Attributes:
        notes: For the parsers, which add to them.
    """

    def __init__(self, recorder: Recorder, health: Health, clock: Clock) -> None:
        self.notes = Notes()
        self._recorder = recorder
        self._health = health
        self._clock = clock
        self._reported: set[str] = set()
        self._reporting = asyncio.Lock()

    async def report(self) -> None:
        """One event for each name that this firmware no longer gives, newly gives, or gives as nonsense."""
        async with self._reporting:  # meters and batteries are asked by turns, and by tasks of their own
            await self._report()

    async def _report(self) -> None:
        notes = self.notes
        self._health.refused_fields = notes.refused.total()
        seen = {
            *(f"missing {name}" for name in notes.missing),
            *(f"unknown {name}" for name in notes.unknown),
            *(f"refused {name}" for name in notes.refused),
            *(f"odd {name}" for name in notes.odd),
        }
        fresh = sorted(seen - self._reported)
        if not fresh:
            return
        mark = make_event("schema", self._clock.now_ms(), name_some(fresh), rows=len(fresh))
        if await self._recorder.record([mark]):
            self._reported |= seen
            log.info("the gateway's replies differ from what is known", names=fresh[:20])
