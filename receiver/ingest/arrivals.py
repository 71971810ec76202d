"""When each gateway's last batch came, how old its newest reading then was, and what came in each minute.

Lost at a restart, and known again with the next batch.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from shared.units import MINUTE_MS

_MOST_MINUTES = 10_000
"""Minutes that are kept while the store is away: a day of seven gateways."""


class Arrival(NamedTuple):
    """The last batch of a gateway that had readings; both milliseconds since 1970."""

    received: int
    newest: int


@dataclass
class DeliveryMinute:
    """What one gateway delivered in one minute of the receiver's clock.

    Attributes:
        gateway: Its serial.
        start: The minute, milliseconds since 1970.
        readings: Readings that were stored.
        rejected: Readings that were refused for good.
        last: The batch with the newest reading; None if no reading was stored.
    """

    gateway: str
    start: int
    readings: int = 0
    rejected: int = 0
    last: Arrival | None = None

    @property
    def lag_ms(self) -> int | None:
        """How old the newest reading was when it came, milliseconds; below 0 if the scraper's clock is ahead."""
        return None if self.last is None else self.last.received - self.last.newest


class Arrivals:
    """The last arrival of each gateway, and its minutes."""

    def __init__(self) -> None:
        self._last: dict[str, Arrival] = {}
        self._minutes: dict[tuple[str, int], DeliveryMinute] = {}

    def note(self, gateway: str, *, received: int, newest: int | None, readings: int = 0, rejected: int = 0) -> None:
        """Note a batch that was answered. Of a backlog and live readings side by side, the newest reading counts.

        Args:
            gateway: Its serial.
            received: When, milliseconds since 1970.
            newest: The newest timestamp of its readings; None if none was stored.
            readings: How many were stored.
            rejected: How many were refused for good.
        """
        minute = self._get_minute(gateway, received // MINUTE_MS * MINUTE_MS)
        minute.readings += readings
        minute.rejected += rejected
        if newest is None:
            return
        arrival = Arrival(received, newest)
        if minute.last is None or newest >= minute.last.newest:
            minute.last = arrival
        last = self._last.get(gateway)
        if last is None or newest >= last.newest:
            self._last[gateway] = arrival

    def get_last(self, gateway: str) -> Arrival | None:
        """The last arrival since this process started."""
        return self._last.get(gateway)

    def list_minutes(self, *, before: int) -> list[DeliveryMinute]:
        """The minutes with batches that were over at `before` (milliseconds since 1970) and are not forgotten."""
        return [minute for minute in self._minutes.values() if minute.start + MINUTE_MS <= before]

    def forget(self, minutes: Collection[DeliveryMinute]) -> None:
        """Forget these minutes: they are stored."""
        for minute in minutes:
            self._minutes.pop((minute.gateway, minute.start), None)

    def _get_minute(self, gateway: str, start: int) -> DeliveryMinute:
        known = self._minutes.get((gateway, start))
        if known is None:
            if len(self._minutes) >= _MOST_MINUTES:
                del self._minutes[next(iter(self._minutes))]  # the oldest
            known = self._minutes[gateway, start] = DeliveryMinute(gateway, start)
        return known
