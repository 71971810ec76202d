"""Reads the intervals of a system that is read through the cloud, as `receiver.rollups.intervals` needs them."""

from receiver.rollups.intervals import FIELDS, KIND, LONGEST_MS, find_quarter, list_intervals, list_long
from receiver.stores.base import SeriesPoints, Store
from shared.cloud_identity import is_cloud_system


async def read_intervals(store: Store, gateway: str, start: int, stop: int) -> list[SeriesPoints]:
    """The intervals that end in [start, stop] (UTC milliseconds), and all inside those of them that are long.

    Both ends: a timestamp is an end, so what is stored as of `stop` is of the quarter hour before it.

    Raises:
        StoreUnavailableError: Ask again later.
    """
    if not is_cloud_system(gateway):
        return []
    found = await store.read_points(gateway, KIND, fields=FIELDS, start=start, stop=stop + 1)
    long = [interval for each in list_intervals(found).values() for interval in list_long(each)]
    if not long:
        return found
    first = min(interval.start for interval in long)
    return await store.read_points(gateway, KIND, fields=FIELDS, start=first, stop=stop + 1)


async def find_long_ends(store: Store, gateway: str, start: int, stop: int) -> frozenset[int]:
    """The quarter hours after [start, stop) (UTC milliseconds) in which long intervals end that reach into it.

    Whether their energy counts is judged by what is known of the quarter hours in them.

    Raises:
        StoreUnavailableError: Ask again later.
    """
    found = await store.read_points(gateway, KIND, fields=FIELDS, start=stop, stop=stop + LONGEST_MS)
    long = (interval for each in list_intervals(found).values() for interval in list_long(each))
    return frozenset(find_quarter(each.stop) for each in long if each.start < stop and each.stop > start)
