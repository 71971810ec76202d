"""What the roll-up job does beside roll-ups: it stores deliveries, and lets readings expire."""

from collections.abc import Iterable

from receiver.ingest.arrivals import Arrivals, DeliveryMinute
from receiver.ingest.marking import GatewayMarks
from receiver.stores.base import GatewayReading, Store
from shared.readings import FieldValue, Reading
from shared.units import HOUR_MS


async def store_deliveries(store: Store, arrivals: Arrivals, now_ms: int) -> None:
    """Store the minutes that are over, as kind `delivery`. Raises StoreUnavailableError; they are kept then."""
    minutes = arrivals.list_minutes(before=now_ms)
    if minutes:
        await store.write([_make_delivery(minute) for minute in minutes])
        arrivals.forget(minutes)


async def expire(store: Store, gateways: Iterable[GatewayMarks], now_ms: int) -> None:
    """Let readings expire, but none that a roll-up still needs. Raises StoreUnavailableError.

    Quarter hours that could not be computed hold nothing back: an error that is never mended must not fill the disk.

    Databases that expire readings by themselves cannot be held back: there, readings that expire before they are rolled
    up are lost to the roll-ups.
    """
    bound = now_ms
    kept = [kept_ms for kept_ms in store.retention_ms.values() if kept_ms is not None]
    waiting = [min(marks.fresh | marks.hours_due) for marks in gateways if marks.fresh or marks.hours_due]
    if kept and waiting:
        bound = min(now_ms, min(waiting) - HOUR_MS + min(kept))
    await store.expire(bound)


def _make_delivery(minute: DeliveryMinute) -> GatewayReading:
    fields: dict[str, FieldValue] = {"readings": float(minute.readings), "rejected": float(minute.rejected)}
    if minute.lag_ms is not None:
        fields["lag"] = minute.lag_ms / 1000
    return GatewayReading(minute.gateway, Reading("delivery", {}, minute.start, fields))
