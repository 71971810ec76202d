"""The few questions that everything else is made of: readings, series, and when each gateway was last heard."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias, cast

from receiver.stores.base import NO_TAGS, Point, StoreUnavailableError
from receiver.stores.influxdb.client import InfluxClient, QueryTable
from receiver.stores.influxdb.influxql import (
    GATEWAY,
    Key,
    Order,
    Statement,
    TimeSpan,
    newest,
    select,
    series_of,
    show_series,
)
from receiver.stores.influxdb.tags import from_influx
from receiver.stores.influxdb.writer import LIVE_KIND
from receiver.stores.kinds import STORED
from shared.readings import FieldValue

_Rows: TypeAlias = list[tuple[float, *tuple[FieldValue | None, ...]]]
_PlainRows: TypeAlias = list[tuple[float, FieldValue]]

_LOOK = 'SELECT "power" FROM "inverter" WHERE time = 0'
"""Costs nothing and needs the right to read; InfluxDB answers a SHOW with an empty list to who may not see."""


class TwoBucketReader:
    """Asks two buckets, which may be the same. Every method raises StoreUnavailableError.

    Args:
        client: The way to the server.
        bucket: Of every kind but `LIVE_KIND`.
        live_bucket: Of `LIVE_KIND`.
    """

    def __init__(self, client: InfluxClient, bucket: str, live_bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._live_bucket = live_bucket

    async def ready(self) -> str | None:
        """Why the buckets cannot be read, as a sentence for people; None if they can."""
        try:
            for bucket in {self._bucket, self._live_bucket}:
                await self._client.query(_LOOK, {}, bucket)
        except StoreUnavailableError as error:
            return str(error)
        return None

    async def rows(
        self,
        kind: str,
        names: Collection[str],
        span: TimeSpan,
        *,
        gateway: str,
        tags: Mapping[str, str] = NO_TAGS,
        among: Collection[Key] = (),
        order: Order | None = None,
    ) -> dict[Key, list[Point]]:
        """The readings of each series that carry one of the fields `names`; the arguments are those of `select`."""
        of_kind = STORED[kind].tags
        statement = select(
            kind, names, span, gateway=gateway, tags=tags, among=among, group_by=(GATEWAY, *of_kind), order=order
        )
        tables = await self._tables(kind, statement)
        points = await asyncio.to_thread(lambda: list(map(_points, tables)))  # long answers take their time
        keys = (tuple(from_influx(table.tags[name]) for name in of_kind) for table in tables)
        return dict(zip(keys, points, strict=True))

    async def series(self, gateway: str, kind: str, tags: Mapping[str, str] = NO_TAGS) -> set[Key]:
        """The series of a gateway that the index knows."""
        tables = await self._tables(kind, show_series([kind], gateway, tags))
        return {key for _, _, key in _shown(tables)}

    async def all_series(self, kinds: Collection[str], gateway: str | None = None) -> list[tuple[str, str, Key]]:
        """Kind, gateway and key of every series of these kinds that the index knows."""
        asked = (self._tables(group[0], show_series(group, gateway)) for group in self._by_bucket(kinds))
        return [series for tables in await asyncio.gather(*asked) for series in _shown(tables)]

    async def last_timestamps(
        self, kinds: Collection[str], span: TimeSpan, gateway: str | None = None
    ) -> dict[str, int]:
        """When the newest reading of these kinds is, of the gateways that have one in the span."""
        asked = (self._tables(group[0], newest(group, span, gateway)) for group in self._by_bucket(kinds))
        found: dict[str, int] = {}
        for table in (table for tables in await asyncio.gather(*asked) for table in tables):
            name, time = from_influx(table.tags[GATEWAY]), int(cast("_Rows", table.values)[0][0])
            found[name] = max(time, found.get(name, time))
        return found

    def _by_bucket(self, kinds: Collection[str]) -> list[list[str]]:
        """The kinds of each bucket: they can be asked together."""
        live = [kind for kind in kinds if kind == LIVE_KIND]
        rest = [kind for kind in kinds if kind != LIVE_KIND]
        groups = [rest, live] if self._bucket != self._live_bucket else [rest + live]
        return [group for group in groups if group]

    async def page(self, kind: str, start: int | None, limit: int) -> list[int]:
        """The timestamps of the first so many readings of a kind from a time on, of whatever series."""
        statement = select(kind, STORED[kind].fields, TimeSpan(start), order=Order(limit))
        return [point.timestamp for table in await self._tables(kind, statement) for point in _points(table)]

    async def _tables(self, kind: str, statement: Statement) -> list[QueryTable]:
        bucket = self._live_bucket if kind == LIVE_KIND else self._bucket
        return await self._client.query(statement.text, statement.params, bucket)


def _shown(tables: Iterable[QueryTable]) -> list[tuple[str, str, Key]]:
    return [series_of(str(line)) for table in tables for (line,) in table.values]


def _points(table: QueryTable) -> list[Point]:
    names = table.columns[1:]
    rows = cast("_Rows", table.values)  # the first column is the time
    if len(names) == 1:  # the commonest long answer, in half the time
        return [Point(int(time), {names[0]: value}) for time, value in cast("_PlainRows", rows)]
    return [
        Point(int(time), {name: value for name, value in zip(names, values, strict=True) if value is not None})
        for time, *values in rows
    ]
