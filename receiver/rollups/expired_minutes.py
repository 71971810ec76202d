"""How many days of minutes are older than they are kept: after an upgrade or a shorter setting they go bit by bit."""

from collections.abc import Iterable

from receiver.stores.base import Store
from receiver.stores.kinds import HOURS_OF
from shared.units import DAY_MS

_BEGINNING = 0


async def count_expired_days(store: Store, gateways: Iterable[str], now_ms: int) -> int:
    """Days from the oldest stored minute of these gateways to the oldest that is kept; 0 within a day of it.

    Args:
        store: Where minutes are.
        gateways: Their serials.
        now_ms: UTC milliseconds.

    Raises:
        StoreUnavailableError: Ask again later.
    """
    days = 0
    for kind in HOURS_OF:
        kept_ms = store.retention_ms[kind]
        if kept_ms is None:
            continue
        for gateway in gateways:
            found = await store.read_points(
                gateway, kind, fields=("coverage",), start=_BEGINNING, stop=_BEGINNING, neighbours=True
            )
            times = [series.points[0].timestamp for series in found]
            days = max([days, *((now_ms - kept_ms - time) // DAY_MS for time in times)])
    return days
