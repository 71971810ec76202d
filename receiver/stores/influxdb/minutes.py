"""Deleting the minutes that are older than they are kept.

They share a bucket with what is kept without limit: a bucket of their own would be a third one for every older store,
dashboard and token. InfluxDB rewrites the shards of the deleted days when it compacts them.
"""

from receiver.stores.influxdb.two_bucket_reader import TwoBucketReader
from receiver.stores.influxdb.writer import InfluxWriter
from shared.units import DAY_MS

_AT_ONCE_MS = 7 * DAY_MS
"""What one call deletes: a shard of a bucket that is kept without limit has seven days."""


class MinuteExpiry:
    """Deletes the expired minutes of one kind, of all gateways together: days, because each deletion rewrites a shard.

    Args:
        reader: Finds the oldest minute.
        writer: Deletes.
        kind: A key of `HOURS_OF`.
        kept_ms: How long its rows are kept, in milliseconds.
    """

    def __init__(self, reader: TwoBucketReader, writer: InfluxWriter, kind: str, kept_ms: int) -> None:
        self._reader = reader
        self._writer = writer
        self._kind = kind
        self._kept_ms = kept_ms
        self._done_until: int | None = None

    async def expire(self, now_ms: int) -> None:
        """Delete a week of what is due, or nothing until a day is over. Raises StoreUnavailableError."""
        until = (now_ms - self._kept_ms) // DAY_MS * DAY_MS
        if self._done_until is None or self._done_until < until:
            start = await self._find_oldest()
            stop = until if start is None else min(start + _AT_ONCE_MS, until)
            if start is not None and start < stop:
                await self._writer.remove_of_all(self._kind, start, stop)
            self._done_until = stop

    async def _find_oldest(self) -> int | None:
        """The start of the day of the oldest minute of any gateway."""
        times = await self._reader.read_page_of_timestamps(self._kind, None, 1)
        return times[0] // DAY_MS * DAY_MS if times else None
