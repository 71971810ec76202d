"""What every store promises. One contract suite checks every implementation.

- A write that returned is durable: it survives SIGKILL and a power cut.
- Identity is (gateway, kind, tags, timestamp). Writing an identity again adds no point: its fields merge, and the last
  write wins per field. So a write may be repeated, late, reordered or doubled, and harms nothing.
- What is stored under one gateway is never seen under another.
- Numbers come back bit for bit (only the sign of zero may be lost), and text as it was.
- A store that cannot do its work now raises `StoreUnavailableError` and mends itself: the next call tries again.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

import msgspec

from shared.fields import MAX_GAP_MS
from shared.problems import Rejection
from shared.readings import FieldValue, Reading, Series

NO_TAGS: Mapping[str, str] = MappingProxyType({})
"""A filter that lets every series of a kind through."""


class StoreUnavailableError(Exception):
    """The store cannot do this now: retry the same call later.

    Nothing, something or all of a failed write may have been stored; writing it again is harmless. The message is a
    sentence for people: what is wrong and what to do.
    """


class StoreDamagedError(StoreUnavailableError):
    """What this call touched is damaged, and no retry mends it. What others ask may still be sound."""


class GatewayReading(msgspec.Struct, frozen=True, gc=False):
    """What a write takes.

    Attributes:
        gateway: Serial of the gateway that the reading belongs to.
        reading: What is to be stored.
        series: The series of a reading that `receiver.ingest.validate` has judged, which leaves nothing to refuse:
            such a reading is looked at once, not twice. None if nobody has, as with all that the receiver computes.
    """

    gateway: str
    reading: Reading
    series: Series | None = None


class Latest(msgspec.Struct, frozen=True):
    """The last known state of one series.

    Attributes:
        tags: Identity tags of the series, without the gateway.
        timestamp: The newest of the series, milliseconds since 1970.
        fields: Last known value of each field. A field absent from the newest reading is looked up in the readings of
            the `MAX_GAP_MS` before it (exception reporting leaves out what did not change).
    """

    tags: dict[str, str]
    timestamp: int
    fields: dict[str, FieldValue]


class GatewaySummary(msgspec.Struct, frozen=True):
    """What the store holds of one gateway.

    Attributes:
        gateway: Its serial.
        first_timestamp: Of its oldest reading of any kind, milliseconds since 1970; None if the store cannot say
            cheaply.
        last_timestamp: Of its newest reading of any kind.
        series: Kind to number of series, for the kinds that scrapers send (`KINDS`).
    """

    gateway: str
    first_timestamp: int | None
    last_timestamp: int
    series: dict[str, int]


class Point(NamedTuple):
    """What is stored of one series at one time: milliseconds since 1970, and the fields that were asked for."""

    timestamp: int
    fields: dict[str, FieldValue]


class SeriesPoints(NamedTuple):
    """The points of one series, ascending in time, no time twice."""

    series: Series
    points: list[Point]


class Writable(Protocol):
    """Whatever takes readings as a store does."""

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """As `Store.write`."""
        ...


class Store(Protocol):
    """A place for readings. Safe for concurrent use by the tasks of one event loop."""

    @property
    def retention_ms(self) -> Mapping[str, int | None]:
        """Per kind, how long readings are kept in milliseconds; None is without limit. Has every kind of `STORED`."""
        ...

    async def open(self) -> None:
        """Get ready to work. An unavailable store is no error here: `check_ready` tells, and later calls try again."""
        ...

    async def close(self) -> None:
        """Finish the write under way and let go of everything. No call may follow."""
        ...

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """Store readings; durable when it returns.

        Rows apply in their order: where two give the same field of one identity, the later one wins. So do writes of
        one gateway that overlap: in the order of their calls.

        Returns:
            Index in `rows` to why that row will never be stored (`UNKNOWN_KIND`; `NO_KNOWN_FIELD` for a row without
            fields; `STORE_REFUSED` for what contradicts the field dictionary). All other rows are stored.

        Raises:
            StoreUnavailableError: Retry the same rows later.
        """
        ...

    async def remove(self, gateway: str, kind: str, *, start: int, stop: int) -> None:
        """Delete what is stored of one kind with `start` <= timestamp < `stop` (milliseconds since 1970).

        For derived kinds: they are computed again when the site they were computed for changes. Raises
        StoreUnavailableError; nothing, something or all may be gone then, and removing it again is harmless.
        """
        ...

    async def expire(self, now_ms: int) -> None:
        """Delete readings that are older than `retention_ms`, if the database does not do it by itself.

        May do only a part of it at once, so that writes never wait long; call it every minute. Raises
        StoreUnavailableError.
        """
        ...

    async def check_ready(self) -> str | None:
        """None if a write would now be tried with hope, or a sentence that says what is wrong and what to do."""
        ...

    async def list_gateways(self) -> list[GatewaySummary]:
        """Every gateway that has readings, by serial. Raises StoreUnavailableError."""
        ...

    async def read_summary(self, gateway: str) -> GatewaySummary | None:
        """The same of one gateway, without a look at the others; None if it has no readings.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        ...

    async def read_latest(self, gateway: str, kind: str) -> list[Latest]:
        """The last known values of every series of a kind, ordered by tags. Empty for what the store does not know.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        ...

    async def read_points(
        self,
        gateway: str,
        kind: str,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        fields: Collection[str] | None = None,
        start: int,
        stop: int,
        neighbours: bool = False,
        most: int | None = None,
    ) -> list[SeriesPoints]:
        """What is stored with `start` <= timestamp < `stop` (milliseconds since 1970), per series, ordered by tags.

        Args:
            gateway: Its serial.
            kind: A key of `STORED`.
            tags: Only series that have these tags with these values.
            fields: Only these fields, and only points that carry one of them; None for all.
            start: First instant that is in.
            stop: First instant that is out.
            neighbours: Add what interpolation at the two ends needs: for each field asked for, the nearest point that
                carries it before `start`, and at or after `stop` (with the fields asked for that it carries). At most
                `find_neighbour_reach_ms(kind)` away; where that is None, at any distance that can be found cheaply.
            most: At most so many points of each series inside, the earliest; neighbours come on top. None for all. A
                series that has as many may have more.

        Returns:
            One entry per series with at least one point. Empty for what the store does not know.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        ...

    async def count(self) -> int:
        """How many readings (identities) of `KINDS` are stored; may take long. Raises StoreUnavailableError."""
        ...


def find_neighbour_reach_ms(kind: str) -> int | None:
    """How far away a neighbour of this kind still says something; None: at any distance.

    What a phase of a meter shows is unknown across longer gaps, and whether it was `measured` is said each minute.
    """
    return MAX_GAP_MS if kind == "meter" else None
