"""What the roll-up job does beside roll-ups: it stores deliveries, and lets readings expire."""

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

import structlog

from receiver.ingest.arrivals import Arrivals, DeliveryMinute
from receiver.ingest.journal import RollupState
from receiver.ingest.marks import GatewayMarks
from receiver.rollups.expired_minutes import count_expired_days
from receiver.stores.base import GatewayReading, Store
from shared.clock import Clock
from shared.fields import KINDS
from shared.readings import FieldValue, Reading
from shared.units import DAY_S, HOUR_MS, HOUR_S

PATIENCE_S = float(DAY_S)
"""So long without progress a gateway's roll-ups keep readings from expiring."""
_log = structlog.get_logger(__name__)


async def store_deliveries(store: Store, arrivals: Arrivals, now_ms: int) -> None:
    """Store the minutes that are over, as kind `delivery`. Raises StoreUnavailableError; they are kept then."""
    minutes = arrivals.list_minutes(before=now_ms)
    if minutes:
        await store.write([_make_delivery(minute) for minute in minutes])
        arrivals.forget(minutes)


class Expiry:
    """Lets readings expire, but none that a roll-up still needs: of a gateway whose roll-ups move on, it waits for all.

    A gateway whose history, or whose oldest quarter hour, has not moved for a day is waited for no longer: what is
    never mended, as a damaged page in its readings, must not fill the disk. Nor do quarter hours that could not be
    computed hold anything back.

    Databases that expire readings by themselves cannot be held back: there, readings that expire before they are rolled
    up are lost to the roll-ups.

    Args:
        store: Where readings expire.
        gateways: What is to be rolled up, by serial.
        clock: Time.
    """

    def __init__(self, store: Store, gateways: Mapping[str, GatewayMarks], clock: Clock) -> None:
        self._store = store
        self._gateways = gateways
        self._clock = clock
        self._progress: dict[str, _RollupProgress] = {}
        self._told_s = -inf
        self._told_days = 0

    async def expire(self) -> None:
        """Let go what is due. Raises StoreUnavailableError."""
        moving = [marks for gateway, marks in self._gateways.items() if self._is_moving(gateway, marks)]
        if any(marks.has_history for marks in moving):
            return
        bound = self._clock.now_ms()
        limits = self._store.retention_ms.items()
        kept = [kept_ms for kind, kept_ms in limits if kept_ms is not None and kind in KINDS]
        waiting = [quarter for marks in moving if (quarter := _find_oldest(marks)) is not None]
        if kept and waiting:
            bound = min(bound, min(waiting) - HOUR_MS + min(kept))
        await self._store.expire(bound)
        await self._tell_expired_minutes()

    async def _tell_expired_minutes(self) -> None:
        """Say once an hour how many days of minutes wait for their deletion, and once that none do any more."""
        now_s = self._clock.monotonic()
        if now_s - self._told_s < HOUR_S:
            return
        self._told_s = now_s
        days = await count_expired_days(self._store, list(self._gateways), self._clock.now_ms())
        if days:
            _log.info("minutes that are older than RECEIVER_MINUTE_DAYS are being deleted", days_to_go=days)
        elif self._told_days:
            _log.info("all minutes that are older than RECEIVER_MINUTE_DAYS are deleted")
        self._told_days = days

    def _is_moving(self, gateway: str, marks: GatewayMarks) -> bool:
        now_s = self._clock.monotonic()
        last = self._progress.get(gateway)
        if last is None or (last.state, last.oldest) != (marks.state, _find_oldest(marks)):
            last = self._progress[gateway] = _RollupProgress(marks.state, _find_oldest(marks), now_s)
        return now_s - last.since_s < PATIENCE_S


class _RollupProgress(NamedTuple):
    """How far the roll-ups of a gateway are, and since when (seconds of the monotonic clock)."""

    state: RollupState | None
    oldest: int | None
    since_s: float


def _find_oldest(marks: GatewayMarks) -> int | None:
    """The oldest quarter hour that waits."""
    return min(marks.fresh | marks.hours_due, default=None)


def _make_delivery(minute: DeliveryMinute) -> GatewayReading:
    fields: dict[str, FieldValue] = {"readings": float(minute.readings), "rejected": float(minute.rejected)}
    if minute.lag_ms is not None:
        fields["lag"] = minute.lag_ms / 1000
    return GatewayReading(minute.gateway, Reading("delivery", {}, minute.start, fields))
