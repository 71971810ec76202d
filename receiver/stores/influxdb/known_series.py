"""Which series there are, remembered: to ask InfluxDB's index at every question cost more than most answers did.

What this store writes is known at once. The index is asked again when its answer is older than `FRESH_S`, for buckets
drop series that have expired and other processes may write; and whenever it is not sure what became of a write, or
something was removed.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from receiver.stores.base import NO_TAGS
from receiver.stores.influxdb.influxql import Key
from receiver.stores.influxdb.two_bucket_reader import TwoBucketReader
from receiver.stores.kinds import STORED
from shared.clock import Clock
from shared.fields import KINDS

FRESH_S = 60.0
"""For so long an answer of the index stands (seconds): what another process adds is seen by then."""

StoredSeries: TypeAlias = tuple[str, str, Key]
"""Gateway, kind and key of a series."""


class _Remembered:
    """What is known of one gateway.

    Attributes:
        asked_at: When the index was asked (seconds of the clock).
        series: By kind; for each a time at or after which it has a reading, where one is known (UTC milliseconds).
        last: When it was asked for the newest reading of any raw kind, and the time of that.
    """

    def __init__(self, asked_at: float) -> None:
        self.asked_at = asked_at
        self.series: dict[str, dict[Key, int | None]] = {}
        self.last: tuple[float, int] | None = None


class KnownSeries:
    """Remembers the series of each gateway. For the tasks of one event loop.

    Args:
        reader: Asks the index.
        clock: How old an answer of the index is.
    """

    def __init__(self, reader: TwoBucketReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._gateways: dict[str, _Remembered] = {}
        self._all_asked_at: float | None = None
        self._asking: dict[str | None, tuple[asyncio.Task[None], list[StoredSeries]]] = {}

    async def list_series(self, gateway: str, kind: str, tags: Mapping[str, str] = NO_TAGS) -> dict[Key, int | None]:
        """The series of a gateway and kind with these tags, each with a time at or after which it has a reading.

        That time is None where none is known. Raises StoreUnavailableError.
        """
        while not self._is_fresh(gateway):
            await self._ask(gateway)
        found = self._gateways[gateway].series.get(kind, {})
        wanted = [(STORED[kind].tags.index(name), value) for name, value in tags.items()]
        return {key: newest for key, newest in found.items() if all(key[place] == value for place, value in wanted)}

    async def list_gateways(self) -> dict[str, Mapping[str, Collection[Key]]]:
        """The series of every gateway by kind. Raises StoreUnavailableError."""
        while not self._is_young(self._all_asked_at):
            await self._ask(None)
        return {gateway: remembered.series for gateway, remembered in self._gateways.items() if remembered.series}

    async def list_kinds(self, gateway: str) -> Mapping[str, Collection[Key]]:
        """The series of one gateway by kind. Raises StoreUnavailableError."""
        while not self._is_fresh(gateway):
            await self._ask(gateway)
        return self._gateways[gateway].series

    def find_last(self, gateway: str) -> int | None:
        """The time of the newest reading of any kind of `KINDS` (UTC milliseconds); None: ask, and note the answer."""
        remembered = self._gateways.get(gateway)
        if remembered is None or remembered.last is None or not self._is_young(remembered.last[0]):
            return None
        kinds = (known.values() for kind, known in remembered.series.items() if kind in KINDS)
        since = (newest for known in kinds for newest in known if newest is not None)
        return max(remembered.last[1], max(since, default=remembered.last[1]))

    def note_last(self, gateway: str, last: int) -> None:
        """The newest reading of any kind of `KINDS` has this time (UTC milliseconds)."""
        if gateway in self._gateways:
            self._gateways[gateway].last = self._clock.monotonic(), last

    def note_written(self, written: Mapping[StoredSeries, int]) -> None:
        """These have a reading at this time now (UTC milliseconds)."""
        for _, noted in self._asking.values():
            noted.extend(written)
        self._add(written)
        for (gateway, kind, key), time in written.items():
            self.note_newest(gateway, kind, {key: time})

    def note_newest(self, gateway: str, kind: str, newest: Mapping[Key, int]) -> None:
        """Each of these series has a reading at this time (UTC milliseconds)."""
        known = self._gateways[gateway].series.get(kind, {}) if gateway in self._gateways else {}
        for key, time in newest.items():
            if key in known:
                before = known[key]
                known[key] = time if before is None else max(time, before)

    def forget(self, gateways: Iterable[str]) -> None:
        """Nobody knows what became of a write of these, or something of them was removed: the index is asked again."""
        for gateway in gateways:
            self._gateways.pop(gateway, None)
        self._all_asked_at = None
        self._asking.clear()  # what those answer may be of before

    def _is_fresh(self, gateway: str) -> bool:
        return gateway in self._gateways and self._is_young(self._gateways[gateway].asked_at)

    def _is_young(self, asked_at: float | None) -> bool:
        return asked_at is not None and self._clock.monotonic() - asked_at < FRESH_S

    async def _ask(self, gateway: str | None) -> None:
        """Ask the index about one gateway, or (None) about all; who comes while that is under way waits for it, too."""
        if gateway not in self._asking:
            meanwhile: list[StoredSeries] = []
            task = asyncio.create_task(self._remember(gateway, meanwhile))
            self._asking[gateway] = task, meanwhile
            task.add_done_callback(lambda done: self._note_asked(gateway, done))
        await asyncio.shield(self._asking[gateway][0])

    def _note_asked(self, gateway: str | None, done: asyncio.Task[None]) -> None:
        if gateway in self._asking and self._asking[gateway][0] is done:
            del self._asking[gateway]
        if not done.cancelled():
            done.exception()  # those who asked have it; where all have left, nobody wants it

    async def _remember(self, gateway: str | None, meanwhile: list[StoredSeries]) -> None:
        asked_at = self._clock.monotonic()
        found = await self._reader.list_all_series(STORED, gateway)
        if gateway not in self._asking or self._asking[gateway][1] is not meanwhile:
            return  # it was made doubtful, and is asked again
        before = dict(self._gateways)
        if gateway is None:
            self._gateways.clear()
            self._all_asked_at = asked_at
        elif not found:
            self._gateways = {name: known for name, known in before.items() if known.series}  # no gateway, no memory
        for name in {series[1] for series in found} if gateway is None else (gateway,):
            self._gateways[name] = _Remembered(asked_at)
        self._add((name, kind, key) for kind, name, key in found)
        self._add(meanwhile)
        for name, remembered in before.items():
            if name in self._gateways:
                self._gateways[name].last = remembered.last
            for kind, known in remembered.series.items():
                self.note_newest(name, kind, {key: newest for key, newest in known.items() if newest is not None})

    def _add(self, added: Iterable[StoredSeries]) -> None:
        for gateway, kind, key in added:
            if gateway not in self._gateways and self._all_asked_at is not None:
                self._gateways[gateway] = _Remembered(self._all_asked_at)  # the index knew nothing of it
            if gateway in self._gateways:
                self._gateways[gateway].series.setdefault(kind, {}).setdefault(key, None)
