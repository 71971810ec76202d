"""Single points of several series in the order of time, and where a page of them ends: never inside a moment. Pure."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TypeAlias

from receiver.stores.base import Point
from shared.readings import Tags

PagePoint: TypeAlias = tuple[int, Tags, Point]
"""Its timestamp, its series and what it is."""


def order_by_time(
    read: Mapping[Tags, Sequence[Point]], field: str, stop: int, most: int
) -> tuple[int, list[PagePoint]]:
    """Points in the order of time, and the instant before which they are all that there are.

    Args:
        read: By series; one with `most` points may have more, which are later.
        field: Only points that carry it: a correction may have needed another field, too.
        stop: End of the time that was read (UTC milliseconds).
        most: Points of each series that were read at most.
    """
    stop = min([stop, *(points[-1].timestamp + 1 for points in read.values() if len(points) >= most)])
    inside = (
        (point.timestamp, tags, point)
        for tags, points in read.items()
        for point in points
        if point.timestamp < stop and field in point.fields
    )
    return stop, sorted(inside, key=itemgetter(0, 1))


def find_end_of_moment(found: Sequence[PagePoint], limit: int) -> int:
    """How many points a page has: `limit`, and those of the same moment as its last one."""
    cut = min(limit, len(found))
    while 0 < cut < len(found) and found[cut][0] == found[cut - 1][0]:
        cut += 1
    return cut
