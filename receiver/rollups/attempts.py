"""Rolling up one dirty piece at a time, and what a failure means for the gateway that the piece belongs to."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from receiver.ingest.marking import MarkingStore
from receiver.ingest.marks import list_stretches
from receiver.metrics import Metrics
from receiver.rollups.roll import Roller, Stretch
from receiver.sites.model import Site
from receiver.stores.base import StoreUnavailableError
from shared.clock import Clock
from shared.units import DAY_MS, HOUR_MS, HOUR_S, QUARTER_MS

_PIECE_MS = 3 * HOUR_MS
"""What of a backlog is rolled up at once, before another gateway has its turn."""
_NEAR_MS = DAY_MS
"""What a piece changes within this is rolled up with it: the nights of inverters, which end every morning."""
MOST_WAITING = 10_000
"""Quarter hours of one gateway, some hundred days, that are remembered one by one."""
_RETRY_S = HOUR_S
_log = structlog.get_logger()


class Attempts:
    """Rolls up pieces of what is dirty.

    Args:
        marking: Knows what is dirty.
        roller: Computes and stores.
        site_of: What the owner says of a gateway, by serial.
        clock: When failed quarter hours are due again.
        metrics: Counts failures.
    """

    def __init__(
        self, marking: MarkingStore, roller: Roller, site_of: Callable[[str], Site], clock: Clock, metrics: Metrics
    ) -> None:
        self._marking = marking
        self._roller = roller
        self._site_of = site_of
        self._clock = clock
        self._metrics = metrics
        self._interrupted_gateway = ""
        self._retry_at = clock.monotonic() + _RETRY_S

    def list_pieces(self, hours_for: set[str]) -> list[tuple[int, Stretch]]:
        """The dirty pieces with their ranks: the newest piece of each gateway, then the second newest of each, ...

        Args:
            hours_for: Gateways whose hours and days of panels are wanted, too; their pieces are whole hours.
        """
        pieces = []
        for name, marks in sorted(self._marking.gateways.items()):
            dirty, unit_ms = (
                (marks.fresh | marks.hours_due, HOUR_MS) if name in hours_for else (marks.fresh, QUARTER_MS)
            )
            times = list_stretches(dirty, unit_ms=unit_ms, most_ms=_PIECE_MS)
            pieces += [(rank, Stretch(name, start, stop)) for rank, (start, stop) in enumerate(times)]
        return sorted(pieces, key=lambda piece: (piece[0], piece[1].gateway == self._interrupted_gateway))

    def order_gateways(self, gateways: Iterable[str]) -> list[str]:
        """Gateways in their turn: the one at which the store failed comes last, for it may be this one alone."""
        return sorted(gateways, key=lambda name: name == self._interrupted_gateway)

    async def attempt(self, stretch: Stretch, *, hours: bool, widen: bool) -> bool:
        """Roll up one piece. An error in its data sets it aside; anything else leaves it dirty and is raised.

        Returns:
            Whether there may be readings in it.

        Args:
            stretch: The piece.
            hours: Whether hours and days of panels are wanted, too.
            widen: Whether new readings in it count as seen afterwards, with all that they change around it.

        Raises:
            StoreUnavailableError: The piece stays dirty.
            JournalError: A piece that could not be computed could not be set aside.
        """
        marks = self._marking.get_marks(stretch.gateway)
        taken = marks.fresh & set(_list_quarters(stretch)) if widen else set()
        marks.fresh -= taken  # what comes in from here on makes it dirty again
        try:
            wide, far = await self._roller.widen(stretch) if taken else (stretch, frozenset[int]())
            if hours:
                wide = wide.widen_to_hours()
            near = wide._replace(
                start=max(wide.start, stretch.start - _NEAR_MS), stop=min(wide.stop, stretch.stop + _NEAR_MS)
            )
            has_readings = await self._roller.roll(near, self._site_of(stretch.gateway), hours=hours)
        except (StoreUnavailableError, asyncio.CancelledError):
            marks.fresh |= taken
            self._interrupted_gateway = stretch.gateway
            raise
        except Exception:  # noqa: BLE001 (whatever is wrong with this data, the rest is to go on)
            self._metrics.rollup_failures.labels(stretch.gateway).inc()
            _log.exception("roll-ups failed", gateway=stretch.gateway, start=stretch.start, stop=stretch.stop)
            await self._marking.fail(stretch.gateway, _list_quarters(stretch))
            return True
        quarters = _list_quarters(wide)
        if len(quarters) > MOST_WAITING:
            await self._marking.take_as_history(stretch.gateway, self._clock.now_ms())
            return has_readings
        marks.hours_due |= far.union(quarters)
        if hours:
            marks.hours_due.difference_update(_list_quarters(near))
        return has_readings

    async def bound_waiting(self) -> None:
        """Take what waits of a gateway as one history where it is more than `MOST_WAITING`. Raises JournalError."""
        for gateway, marks in list(self._marking.gateways.items()):
            waiting = len(marks.fresh | marks.hours_due)
            if waiting > MOST_WAITING and marks.state is not None:
                _log.warning("a gateway's history is rolled up again as a whole", gateway=gateway, quarters=waiting)
                await self._marking.take_as_history(gateway, self._clock.now_ms())

    def retry_failed(self) -> None:
        """Make quarter hours that could not be computed dirty again, once an hour."""
        now = self._clock.monotonic()
        if now >= self._retry_at:
            self._retry_at = now + _RETRY_S
            for marks in self._marking.gateways.values():
                marks.fresh |= marks.failed
                marks.failed.clear()


def _list_quarters(stretch: Stretch) -> range:
    return range(stretch.start, stretch.stop, QUARTER_MS)
