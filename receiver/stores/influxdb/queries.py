"""The answers of `Store`.

A query without bounds in time opens every shard of the history, so none begins with one: the newest readings are looked
for since the newest that is known, or in the last hour first, and neighbours in the day next to the window. Which
series exist is remembered; one that was not found nearby is looked for further away, by itself. So the answers are
exact.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from receiver.stores.base import Latest, Point, SeriesPoints, find_neighbour_reach_ms
from receiver.stores.influxdb.influxql import Key, Order, TimeSpan
from receiver.stores.influxdb.known_series import KnownSeries
from receiver.stores.influxdb.selection import (
    group_by_time,
    is_complete,
    is_dense,
    keep_nearest,
    merge_last_known,
    pick_carriers,
)
from receiver.stores.influxdb.two_bucket_reader import TwoBucketReader
from receiver.stores.kinds import STORED
from shared.fields import KINDS, MAX_GAP_MS
from shared.readings import Series
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS

LOOK_BACK = (TimeSpan(newest_ms=HOUR_MS), TimeSpan(newest_ms=32 * DAY_MS), TimeSpan())
"""Where the newest readings are looked for, one after the other."""
_NEWEST = Order(1, backwards=True)
_RECENT = Order(150, backwards=True)
"""At a reading a second so many reach `MAX_GAP_MS` back: mostly one query is enough for the last known values."""
_TOGETHER_MS = 10 * MINUTE_MS
"""One query asks for the earlier readings of all series whose newest readings are so near to each other."""
_PAGE_ROWS = 20_000
_MOST_TOGETHER = 3_000
"""Readings of one series within `_TOGETHER_MS` and `MAX_GAP_MS`, if it is not dense."""


class PointsWindow(NamedTuple):
    """What `Store.read_points` is asked about time."""

    start: int
    stop: int
    neighbours: bool
    most: int | None


async def count(reader: TwoBucketReader, *, page_rows: int = _PAGE_ROWS) -> int:
    """As `Store.count`: InfluxQL counts values, not readings, so all of them come here, page by page."""
    return sum([await _count(reader, kind, page_rows) for kind in KINDS])


async def _count(reader: TwoBucketReader, kind: str, limit: int) -> int:
    total, start = 0, None
    while len(times := await reader.read_page_of_timestamps(kind, start, limit)) == limit:
        before = sum(time < times[-1] for time in times)  # those at the last time may go on in the next page
        if before:
            total, start = total + before, times[-1]
        else:
            limit *= 2
    return total + len(times)


async def read_latest(reader: TwoBucketReader, known: KnownSeries, gateway: str, kind: str) -> list[Latest]:
    """As `Store.read_latest`."""
    names = _select_fields(kind, None)
    series = await known.list_series(gateway, kind) if names else {}
    if not series:
        return []
    found, whole = await _read_newest(reader, gateway, kind, names, series)
    for span in LOOK_BACK[1:]:
        if missing := series.keys() - found.keys():
            older = await reader.read_rows(kind, names, span, gateway=gateway, among=missing, order=_NEWEST)
            found |= {key: older[key] for key in missing & older.keys()}
    known.note_newest(gateway, kind, {key: rows[0].timestamp for key, rows in found.items()})
    lacking = {key: rows for key, rows in found.items() if not (key in whole or is_complete(rows, names))}
    dense = [key for key, rows in lacking.items() if is_dense(rows)]
    added = [_add_last_known(reader, gateway, kind, names, found[key], key) for key in dense]
    found |= dict(zip(dense, await asyncio.gather(*added), strict=True))
    partly = {key: rows[0].timestamp for key, rows in lacking.items() if key not in dense}
    groups = group_by_time(partly, _TOGETHER_MS)
    for earlier in await asyncio.gather(*(_read_before(reader, gateway, kind, group, partly) for group in groups)):
        for key in earlier.keys() & partly.keys():
            found[key] = [found[key][0], *(point for point in earlier[key] if point.timestamp < partly[key])]
    return [
        Latest(tags=dict(series.tags), timestamp=found[key][0].timestamp, fields=merge_last_known(found[key]))
        for series, key in _sort_by_tags(kind, found)
    ]


async def _read_newest(
    reader: TwoBucketReader, gateway: str, kind: str, names: Sequence[str], series: Mapping[Key, int | None]
) -> tuple[dict[Key, list[Point]], set[Key]]:
    """The readings of each series since the newest that is known and what is before it; else those of the last hour.

    Returns:
        Of each series that was found its readings, newest first, and the series of which all are there that
        `merge_last_known` looks at.
    """
    newest = {key: time for key, time in series.items() if time is not None}
    groups = group_by_time(newest, HOUR_MS)
    spans = [TimeSpan(newest[group[0]] - MAX_GAP_MS) for group in groups]
    if len(newest) < len(series):
        spans.append(LOOK_BACK[0])
        groups.append([key for key, time in series.items() if time is None])
    answers = await asyncio.gather(
        *(
            reader.read_rows(
                kind, names, span, gateway=gateway, among=() if len(group) == len(series) else group, order=_RECENT
            )
            for span, group in zip(spans, groups, strict=True)
        )
    )
    found: dict[Key, list[Point]] = {}
    for answer in answers:  # from long ago to now: what began further back has more
        found = answer | found
    whole = {key for key in found.keys() & newest.keys() if len(found[key]) < _RECENT.limit}
    return found, whole


async def _read_before(
    reader: TwoBucketReader, gateway: str, kind: str, group: Sequence[Key], newest: Mapping[Key, int]
) -> dict[Key, list[Point]]:
    """The readings before the newest ones of some series, newest first; the series are in the order of those times."""
    span = TimeSpan(newest[group[0]] - MAX_GAP_MS, newest[group[-1]])
    order = Order(_MOST_TOGETHER, backwards=True)
    found = await reader.read_rows(kind, _select_fields(kind, None), span, gateway=gateway, among=group, order=order)
    return {key: rows for key, rows in found.items() if key in group}


async def _add_last_known(
    reader: TwoBucketReader, gateway: str, kind: str, names: Sequence[str], rows: list[Point], key: Key
) -> list[Point]:
    """The newest readings of a dense series, the newest first, and what they lack of its last known values."""
    missing = [name for name in names if name not in merge_last_known(rows)]
    span = TimeSpan(rows[0].timestamp - MAX_GAP_MS, rows[-1].timestamp)
    fields = await reader.read_last_known(kind, missing, span, gateway=gateway, key=key)
    return [*rows, Point(rows[-1].timestamp - 1, fields)]


async def read_points(
    reader: TwoBucketReader,
    known: KnownSeries,
    gateway: str,
    kind: str,
    *,
    tags: Mapping[str, str],
    fields: Collection[str] | None,
    window: PointsWindow,
) -> list[SeriesPoints]:
    """As `Store.read_points`."""
    start, stop, neighbours, most = window
    names = _select_fields(kind, fields)
    if not names or not tags.keys() <= set(STORED[kind].tags):
        return []
    series = await known.list_series(gateway, kind, tags)
    if not series:
        return []
    reach = find_neighbour_reach_ms(kind)
    order = None if most is None else Order(most)
    inside = partial(reader.read_rows, kind, names, TimeSpan(start, stop), gateway=gateway, tags=tags, order=order)
    around = (
        None if reach is None or not neighbours else await _widen(reader, gateway, kind, names, tags, window, reach)
    )
    if not neighbours:
        found = await inside()
    elif around is not None:
        found = around
    else:
        earlier, found, later = await asyncio.gather(
            _find_neighbours(reader, gateway, kind, names, series, start, backwards=True),
            inside(),
            _find_neighbours(reader, gateway, kind, names, series, stop, backwards=False),
        )
        for key in earlier.keys() | later.keys():
            found[key] = [*reversed(earlier.get(key, ())), *found.get(key, ()), *later.get(key, ())]
    return [SeriesPoints(series, found[key]) for series, key in _sort_by_tags(kind, found) if found[key]]


async def _widen(
    reader: TwoBucketReader,
    gateway: str,
    kind: str,
    names: Sequence[str],
    tags: Mapping[str, str],
    window: PointsWindow,
    reach: int,
) -> dict[Key, list[Point]] | None:
    """The readings of a window with their neighbours in one query; None where one series has too many for that."""
    start, stop, _, most = window
    span = TimeSpan(start - reach, stop + reach + 1)
    order = None if most is None else Order(most)
    found = await reader.read_rows(kind, names, span, gateway=gateway, tags=tags, order=order)
    if any(len(rows) == most for rows in found.values()):
        return None
    return {key: keep_nearest(rows, names, start, stop) for key, rows in found.items()}


async def _find_neighbours(
    reader: TwoBucketReader,
    gateway: str,
    kind: str,
    names: Sequence[str],
    series: Collection[Key],
    boundary: int,
    *,
    backwards: bool,
) -> dict[Key, list[Point]]:
    """Of each series the readings that are the first to carry some field, walking away from a boundary of the window.

    Mostly the nearest reading carries all that was asked for. What it lacks is looked for field by field: to read on
    until a field appears that is never there would be to read everything.
    """
    nearest = partial(_find_nearest, reader, gateway, kind, boundary=boundary, backwards=backwards)
    found = {key: [point] for key, point in (await nearest(names, series)).items()}
    lacking = {name: {key for key, (point,) in found.items() if name not in point.fields} for name in names}
    others = await asyncio.gather(*(nearest([name], keys) for name, keys in lacking.items() if keys))
    at: dict[int, set[Key]] = {}
    for key, point in (item for other in others for item in other.items()):
        at.setdefault(point.timestamp, set()).add(key)
    whole = await asyncio.gather(
        *(
            reader.read_rows(kind, names, TimeSpan(time, time + 1), gateway=gateway, among=keys)
            for time, keys in at.items()
        )
    )
    for rows, keys in zip(whole, at.values(), strict=True):
        for key in keys & rows.keys():
            found[key] += rows[key]
    for points in found.values():
        points.sort(key=lambda point: point.timestamp, reverse=backwards)
    return {key: pick_carriers(points, names) for key, points in found.items()}


async def _find_nearest(
    reader: TwoBucketReader,
    gateway: str,
    kind: str,
    names: Sequence[str],
    keys: Collection[Key],
    *,
    boundary: int,
    backwards: bool,
) -> dict[Key, Point]:
    """Of each series the reading nearest to a boundary that carries one of the fields, however far away it is."""
    missing = set(keys)
    found: dict[Key, Point] = {}
    reach = find_neighbour_reach_ms(kind)
    for distance in (DAY_MS, 32 * DAY_MS, None) if reach is None else (reach,):
        if missing:
            far = None if distance is None else boundary - distance if backwards else boundary + distance + 1
            span = TimeSpan(far, boundary) if backwards else TimeSpan(boundary, far)
            rows = await reader.read_rows(kind, names, span, gateway=gateway, among=missing, order=Order(1, backwards))
            found |= {key: rows[key][0] for key in missing & rows.keys()}
            missing -= rows.keys()
    return found


def _select_fields(kind: str, fields: Collection[str] | None) -> list[str]:
    """The fields of the dictionary that were asked for; none for an unknown kind."""
    known = STORED[kind].fields if kind in STORED else {}
    return [name for name in known if fields is None or name in fields]


def _sort_by_tags(kind: str, keys: Iterable[Key]) -> list[tuple[Series, Key]]:
    """The series that keys stand for, in the order that the contract asks for."""
    names = STORED[kind].tags
    return sorted((Series.of(kind, dict(zip(names, key, strict=True))), key) for key in keys)
