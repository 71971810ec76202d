"""The few questions that everything else is made of: readings, series, and when each gateway was last heard."""

import asyncio
from collections.abc import Collection, Mapping
from typing import TypeAlias, cast

from receiver.stores.base import NO_TAGS, Point, StoreUnavailableError
from receiver.stores.influxdb.client import InfluxClient, QueryTable
from receiver.stores.influxdb.influxql import GATEWAY, Key, Order, Span, Statement, select, series_of, show_series
from receiver.stores.influxdb.tags import from_influx
from receiver.stores.influxdb.writer import LIVE_KIND
from receiver.stores.kinds import STORED
from shared.readings import FieldValue

_Rows: TypeAlias = list[tuple[float, *tuple[FieldValue | None, ...]]]
_PlainRows: TypeAlias = list[tuple[float, FieldValue]]

_LOOK = 'SELECT "power" FROM "inverter" WHERE time = 0'
"""Costs nothing and needs the right to read; InfluxDB answers a SHOW with an empty list to who may not see."""


class Reading:
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
        span: Span,
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
        return {key for _, key in await self.all_series(kind, gateway, tags)}

    async def all_series(
        self, kind: str, gateway: str | None = None, tags: Mapping[str, str] = NO_TAGS
    ) -> list[tuple[str, Key]]:
        """Gateway and key of every series that the index knows."""
        tables = await self._tables(kind, show_series(kind, gateway, tags))
        return [series_of(kind, str(line)) for table in tables for (line,) in table.values]

    async def last_timestamps(self, kind: str, span: Span, gateway: str | None = None) -> dict[str, int]:
        """When the newest reading of each gateway is, of those that have one in the span."""
        newest = Order(1, backwards=True)
        statement = select(kind, STORED[kind].fields, span, gateway=gateway, group_by=(GATEWAY,), order=newest)
        tables = await self._tables(kind, statement)
        return {from_influx(table.tags[GATEWAY]): _points(table)[0].timestamp for table in tables}

    async def page(self, kind: str, start: int | None, limit: int) -> list[int]:
        """The timestamps of the first so many readings of a kind from a time on, of whatever series."""
        statement = select(kind, STORED[kind].fields, Span(start), order=Order(limit))
        return [point.timestamp for table in await self._tables(kind, statement) for point in _points(table)]

    async def _tables(self, kind: str, statement: Statement) -> list[QueryTable]:
        bucket = self._live_bucket if kind == LIVE_KIND else self._bucket
        return await self._client.query(statement.text, statement.params, bucket)


def _points(table: QueryTable) -> list[Point]:
    names = table.columns[1:]
    rows = cast("_Rows", table.values)  # the first column is the time
    if len(names) == 1:  # the commonest long answer, in half the time
        return [Point(int(time), {names[0]: value}) for time, value in cast("_PlainRows", rows)]
    return [
        Point(int(time), {name: value for name, value in zip(names, values, strict=True) if value is not None})
        for time, *values in rows
    ]
