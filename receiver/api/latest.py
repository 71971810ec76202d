"""The latest values of a gateway, and how old they are."""

import asyncio

from receiver.live.watch import Watch
from receiver.queries.together import SharedReads
from receiver.stores.base import Latest, Store


class LatestValues:
    """Reads the latest values of a gateway; its scraper is asked to post at once while somebody looks.

    Args:
        store: Where the values are.
        watch: Notes that somebody looks.
    """

    def __init__(self, *, store: Store, watch: Watch) -> None:
        self._reads = SharedReads[tuple[str, str], list[Latest]](lambda asked: store.read_latest(*asked))
        self._watch = watch

    async def read(self, serial: str, *kinds: str) -> list[list[Latest]]:
        """The latest values of each kind."""
        self._watch.renew(serial)
        return await self.read_unwatched(serial, *kinds)

    async def read_unwatched(self, serial: str, *kinds: str) -> list[list[Latest]]:
        """As `read`, for those who come again and again by themselves: nobody looks."""
        return await asyncio.gather(*(self._reads.ask((serial, kind)) for kind in kinds))


def describe_latest(entry: Latest, now_ms: int, speaks_ms: int) -> dict[str, object]:
    """One series as readers see it: its tags, its fields, its `timestamp`, `age_seconds` and whether it `speaks`.

    Args:
        entry: Its latest values.
        now_ms: UTC milliseconds.
        speaks_ms: How long its values speak of now (milliseconds).
    """
    return {
        **entry.tags,
        **entry.fields,
        "timestamp": entry.timestamp,
        "age_seconds": compute_age_seconds(entry.timestamp, now_ms),
        "speaks": now_ms - entry.timestamp <= speaks_ms,
    }


def compute_age_seconds(timestamp: int, now_ms: int) -> float:
    """The age of a timestamp in seconds; 0 for one of a clock that is ahead. Both are UTC milliseconds."""
    return max(0, now_ms - timestamp) / 1000
