"""What people ask: plain functions over a connection, each run inside one read transaction.

Names of tables and columns come from the field dictionary alone; everything a caller says is a bound parameter.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import msgspec

from receiver.stores.base import GatewaySummary, Latest, Point, SeriesPoints, find_neighbour_reach_ms
from receiver.stores.gate import bound_timestamp
from receiver.stores.kinds import STORED
from shared.durable_sqlite import DamagedError
from shared.fields import KINDS, MAX_GAP_MS
from shared.readings import FieldValue, Series

_NEIGHBOUR_ROWS = 500
"""How many readings of one series are looked at for a neighbour: a field that is never there must not cost a scan."""


_RECENT_ROWS = 300
"""So many readings of a series are walked back for its last known values: at one a second they reach far enough."""


class PointsQuery(NamedTuple):
    """What `Store.read_points` is asked about time."""

    start: int
    stop: int
    neighbours: bool
    most: int | None = None


def list_gateways(connection: sqlite3.Connection, *, only: str | None = None) -> list[GatewaySummary]:
    """As `Store.list_gateways`; of one gateway, if it has readings, where `only` is given."""
    firsts: dict[str, list[int]] = {}
    lasts: dict[str, list[int]] = {}
    series: dict[str, dict[str, int]] = {}
    whose = "kind = :kind" if only is None else "kind = :kind AND gateway = :only"
    for kind in KINDS:
        per_series = (
            f'SELECT gateway, (SELECT min(timestamp) FROM "{kind}" WHERE series = id) AS first, '  # noqa: S608
            f'(SELECT max(timestamp) FROM "{kind}" WHERE series = id) AS last FROM series WHERE {whose}'
        )
        sql = (
            f"SELECT gateway, count(last), min(first), max(last) FROM ({per_series}) "  # noqa: S608
            "GROUP BY gateway HAVING count(last)"  # all of a series may have expired or been removed
        )
        for gateway, count, first, last in connection.execute(sql, {"kind": kind, "only": only}):
            series.setdefault(gateway, {})[kind] = count
            firsts.setdefault(gateway, []).append(first)
            lasts.setdefault(gateway, []).append(last)
    return [
        GatewaySummary(
            gateway=gateway,
            first_timestamp=min(firsts[gateway]),
            last_timestamp=max(lasts[gateway]),
            series=series[gateway],
        )
        for gateway in sorted(series)
    ]


def read_latest(connection: sqlite3.Connection, gateway: str, kind: str) -> list[Latest]:
    """As `Store.read_latest`."""
    names = _list_columns(kind, None)
    if not names:
        return []
    sql = (
        f'SELECT {_write_columns(kind, names)} FROM "{kind}" WHERE series = :series AND timestamp >= '  # noqa: S608
        f'(SELECT max(timestamp) FROM "{kind}" WHERE series = :series) - :reach ORDER BY timestamp DESC '
        f"LIMIT {_RECENT_ROWS}"
    )
    found: list[Latest] = []
    for series_id, tags in _list_series(connection, gateway, kind, {}):
        recent = list(_run(connection, sql, names, {"series": series_id, "reach": MAX_GAP_MS}))
        if not recent:
            continue
        newest = recent[0].timestamp
        fields: dict[str, FieldValue] = {}
        for point in recent:
            fields = point.fields | fields
        missing = [name for name in names if name not in fields]
        if missing and len(recent) == _RECENT_ROWS:
            span = (newest - MAX_GAP_MS, recent[-1].timestamp)
            fields |= _read_last_known(connection, kind, missing, series_id, span)
        found.append(Latest(tags=tags, timestamp=newest, fields=fields))
    return found


def _read_last_known(
    connection: sqlite3.Connection, kind: str, names: list[str], series_id: int, span: tuple[int, int]
) -> dict[str, FieldValue]:
    """The newest values in a span of time. SQLite looks through it by itself, however dense it is."""
    found: dict[str, FieldValue] = {}
    start, stop = span
    while missing := [name for name in names if name not in found]:
        carries = " OR ".join(f'"{name}" IS NOT NULL' for name in missing)
        sql = (
            f'SELECT {_write_columns(kind, missing)} FROM "{kind}" WHERE series = :series '  # noqa: S608
            f"AND timestamp >= :start AND timestamp < :stop AND ({carries}) ORDER BY timestamp DESC LIMIT 1"
        )
        point = next(_run(connection, sql, missing, {"series": series_id, "start": start, "stop": stop}), None)
        if point is None:
            break
        found |= point.fields
        stop = point.timestamp
    return found


def read_points(
    connection: sqlite3.Connection,
    gateway: str,
    kind: str,
    *,
    tags: Mapping[str, str],
    fields: Collection[str] | None,
    window: PointsQuery,
) -> list[SeriesPoints]:
    """As `Store.read_points`."""
    names = _list_columns(kind, fields)
    if not names:
        return []
    window = window._replace(start=bound_timestamp(window.start), stop=bound_timestamp(window.stop))
    carries = " OR ".join(f'"{name}" IS NOT NULL' for name in names)
    sql = (
        f'SELECT {_write_columns(kind, names)} FROM "{kind}" WHERE series = :series '  # noqa: S608
        f"AND timestamp >= :start AND timestamp < :stop AND ({carries}) ORDER BY timestamp LIMIT :most"
    )
    most = -1 if window.most is None else window.most
    found: list[SeriesPoints] = []
    for series_id, series_tags in _list_series(connection, gateway, kind, tags):
        bounds = {"series": series_id, "start": window.start, "stop": window.stop, "most": most}
        inside = list(_run(connection, sql, names, bounds))
        if window.neighbours:
            before = _find_neighbours(connection, kind, names, series_id, window.start, backwards=True)
            after = _find_neighbours(connection, kind, names, series_id, window.stop, backwards=False)
            inside = [*reversed(before), *inside, *after]
        if inside:
            found.append(SeriesPoints(Series.of(kind, series_tags), inside))
    return found


def count(connection: sqlite3.Connection) -> int:
    """As `Store.count`."""
    sql = "SELECT " + " + ".join(f'(SELECT count(*) FROM "{kind}")' for kind in KINDS)  # noqa: S608
    return int(connection.execute(sql).fetchone()[0])


def _find_neighbours(
    connection: sqlite3.Connection, kind: str, names: list[str], series_id: int, boundary: int, *, backwards: bool
) -> list[Point]:
    """Walks away from a boundary of the window and keeps each point that is the first to carry some field."""
    compare, order = ("<", "DESC") if backwards else (">=", "ASC")
    reach = find_neighbour_reach_ms(kind)
    sql = (
        f'SELECT {_write_columns(kind, names)} FROM "{kind}" WHERE series = :series AND timestamp {compare} :boundary '  # noqa: S608
        f"ORDER BY timestamp {order} LIMIT {_NEIGHBOUR_ROWS if reach is None else -1}"
    )
    missing = set(names)
    found: list[Point] = []
    for point in _run(connection, sql, names, {"series": series_id, "boundary": boundary}):
        if not missing or (reach is not None and abs(point.timestamp - boundary) > reach):
            break
        if not missing.isdisjoint(point.fields):
            found.append(point)
            missing -= point.fields.keys()
    return found


def _run(connection: sqlite3.Connection, sql: str, names: list[str], parameters: Mapping[str, int]) -> Iterator[Point]:
    for timestamp, *values in connection.execute(sql, parameters):
        yield Point(timestamp, {name: value for name, value in zip(names, values, strict=True) if value is not None})


def _list_series(
    connection: sqlite3.Connection, gateway: str, kind: str, tags: Mapping[str, str]
) -> list[tuple[int, dict[str, str]]]:
    """Id and tags of the series of a gateway and kind that have `tags`, ordered by tags."""
    sql = "SELECT id, tags FROM series WHERE gateway = ? AND kind = ?"
    decoded = [(series_id, decode_tags(text)) for series_id, text in connection.execute(sql, (gateway, kind))]
    matching = [row for row in decoded if tags.items() <= row[1].items()]
    return sorted(matching, key=lambda row: sorted(row[1].items()))


def decode_tags(text: str) -> dict[str, str]:
    """The tags of a row of `series`. Raises DamagedError."""
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, TypeError) as error:
        raise DamagedError("a series has tags that were never written") from error


def _list_columns(kind: str, fields: Collection[str] | None) -> list[str]:
    """The fields of the dictionary that were asked for; none for a kind that nobody knows."""
    known = STORED[kind].fields if kind in STORED else {}
    return [name for name in known if fields is None or name in fields]


def _write_columns(kind: str, names: list[str]) -> str:
    """Each with its table's name before it: SQLite takes a plain `"name"` that is no column for a text."""
    return ", ".join(f'"{kind}"."{name}"' for name in ("timestamp", *names))
