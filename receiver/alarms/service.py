"""The alarms as the rest of the receiver sees them: two tasks, and what stands where."""

import asyncio
from collections.abc import Mapping

import structlog

from receiver.alarms.book import Book
from receiver.alarms.book_file import BookError
from receiver.alarms.definitions import DEFINITIONS
from receiver.alarms.delivery import AlarmDelivery
from receiver.alarms.states import AlarmKey, AlarmState, Phase
from receiver.alarms.watcher import Watcher
from receiver.stores.base import StoreUnavailableError
from shared.clock import Clock
from shared.units import MINUTE_S

PERIOD_S = float(MINUTE_S)
"""Everything is judged once in so many seconds, first as long after the start: scrapers come back before."""
_ORDER = {Phase.FIRING: 0, Phase.PENDING: 1, Phase.ENDED: 2}
_RANKS = {name: rank for rank, name in enumerate(DEFINITIONS)}
_log = structlog.get_logger()


class Alarms:
    """Watches and tells.

    Args:
        watcher: Judges.
        delivery: Sends.
        book: What both keep.
        clock: When it is time.
    """

    def __init__(self, watcher: Watcher, delivery: AlarmDelivery, book: Book, clock: Clock) -> None:
        self._watcher = watcher
        self._delivery = delivery
        self._book = book
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what stands, and begin to watch and to tell."""
        try:
            await self._watcher.load()
        except BookError as error:
            _log.error("alarms wait", reason=str(error))
        self._delivery.start()
        self._task = asyncio.create_task(self._run(), name="alarms")

    async def stop(self) -> None:
        """End both; what is unfinished goes on after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._delivery.stop()
        await self._book.close()

    async def run_once(self) -> None:
        """Judge everything once, and let messages go. Raises BookError."""
        if await self._watcher.run_once():
            self._delivery.notice_messages()
        await self._delivery.forget_old()

    def list_of_gateway(self, gateway: str) -> list[tuple[AlarmKey, AlarmState]]:
        """Its alarms and those of the receiver itself: what fires first, then what is pending, then what ended.

        Raises:
            StoreUnavailableError: The book could not be read yet, so nobody knows.
        """
        found = [(key, state) for key, state in self._get_states().items() if key.gateway in (gateway, "")]
        return sort_alarms(found)

    def _get_states(self) -> Mapping[AlarmKey, AlarmState]:
        if self._watcher.states is None:
            raise StoreUnavailableError("the file of the alarms cannot be read; the log says why")
        return self._watcher.states

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(PERIOD_S)
            try:
                await self.run_once()
            except BookError as error:
                _log.error("alarms wait", reason=str(error))
            except Exception:  # noqa: BLE001 (the next pass may succeed)
                _log.exception("a pass of the alarms failed")


def sort_alarms(alarms: list[tuple[AlarmKey, AlarmState]]) -> list[tuple[AlarmKey, AlarmState]]:
    """What fires first, then what is pending, then what ended; in the order of the definitions."""
    return sorted(alarms, key=lambda one: (_ORDER[one[1].phase], _RANKS.get(one[0].alarm, len(_RANKS)), one[0]))
