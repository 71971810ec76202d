"""InfluxQL statements. Pure.

Names of measurements, tags and fields come from the field dictionary alone; every value of a caller is a bound
parameter, so the shape of a statement never depends on it.
"""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeAlias

from receiver.stores.base import NO_TAGS
from receiver.stores.gate import MAX_TIMESTAMP_MS
from receiver.stores.influxdb.tags import from_influx, to_influx
from receiver.stores.kinds import STORED

GATEWAY = "gateway"
LIVE_KIND = "meter"
"""The kind of the live bucket: the raw meter stream, which is most of all data and is kept for a limited time."""
Key: TypeAlias = tuple[str, ...]
"""A series within its gateway and kind: the values of the kind's tags, in the order of the dictionary."""

_NS_PER_MS = 1_000_000
_LATEST_NS = 2**63 - 2  # the last instant that InfluxQL knows
_MOST_NAMED = 50  # series in one condition; for more of them it is quicker to ask for all
_ESCAPED = re.compile(r"\\([,= ])")
_SEPARATOR = re.compile(r"(?<!\\),")  # no tag is stored with a backslash at its end (`tags`)


class Statement(NamedTuple):
    """A statement, and the values of its parameters."""

    text: str
    params: dict[str, str | int]


class TimeSpan(NamedTuple):
    """A stretch of time.

    Attributes:
        start: First instant that is in (milliseconds since 1970); None for the beginning of time.
        stop: First instant that is out; None for the end of time.
        newest_ms: Instead of a start: so many milliseconds before the server's own clock. Only to look there first.
    """

    start: int | None = None
    stop: int | None = None
    newest_ms: int | None = None


class Order(NamedTuple):
    """Limits the readings of each series to the first `limit` in one direction of time."""

    limit: int
    backwards: bool = False


def select(
    kind: str,
    names: Collection[str],
    span: TimeSpan,
    *,
    gateway: str | None = None,
    tags: Mapping[str, str] = NO_TAGS,
    among: Collection[Key] = (),
    group_by: Collection[str] = (),
    order: Order | None = None,
) -> Statement:
    """Readings of a kind that have one of the fields `names`, a table for each value of the tags `group_by`.

    Args:
        kind: A key of `STORED`.
        names: Fields of that kind.
        span: Only readings in this time.
        gateway: Of one gateway only.
        tags: Only series with these tags of the kind.
        among: Only these series, or those and others where they are many. Empty: all.
        group_by: Tags of the kind, or `GATEWAY`.
        order: The nearest readings of each table instead of all; in the order of time otherwise.
    """
    params: dict[str, str | int] = {}
    conditions = _make_time_conditions(span, params)
    if gateway is not None:
        conditions.append(_match_tag(GATEWAY, gateway, params))
    conditions += [_match_tag(name, value, params) for name, value in tags.items()]
    if among and len(among) <= _MOST_NAMED and STORED[kind].tags:
        conditions.append(_match_any(STORED[kind].tags, among, params))
    words = ["SELECT", _list_names(names), "FROM", _quote(kind)]
    if conditions:
        words += ["WHERE", " AND ".join(conditions)]
    if group_by:
        words += ["GROUP BY", _list_names(group_by)]
    if order is not None:
        words.append(f"ORDER BY time {'DESC' if order.backwards else 'ASC'} LIMIT {order.limit}")
    return Statement(" ".join(words), params)


def select_last(
    kind: str, names: Collection[str], span: TimeSpan, *, gateway: str, tags: Mapping[str, str]
) -> Statement:
    """The last value of each of the fields `names` that readings with these tags have in a span, as one row."""
    params: dict[str, str | int] = {}
    conditions = _make_time_conditions(span, params)
    conditions += [_match_tag(name, value, params) for name, value in {GATEWAY: gateway, **tags}.items()]
    columns = ", ".join(f"last({_quote(name)})" for name in names)
    return Statement(" ".join(["SELECT", columns, "FROM", _quote(kind), "WHERE", " AND ".join(conditions)]), params)


def select_newest(kinds: Collection[str], span: TimeSpan, gateway: str | None = None) -> Statement:
    """The newest reading of each gateway and kind, a table for each, with the columns of all the kinds."""
    params: dict[str, str | int] = {}
    conditions = _make_time_conditions(span, params)
    if gateway is not None:
        conditions.append(_match_tag(GATEWAY, gateway, params))
    names = dict.fromkeys(name for kind in kinds for name in STORED[kind].fields)
    words = ["SELECT", _list_names(names), "FROM", _list_names(kinds)]
    if conditions:
        words += ["WHERE", " AND ".join(conditions)]
    words += ["GROUP BY", _quote(GATEWAY), "ORDER BY time DESC LIMIT 1"]
    return Statement(" ".join(words), params)


def show_series(kinds: Collection[str], gateway: str | None = None, tags: Mapping[str, str] = NO_TAGS) -> Statement:
    """The series of some kinds as the index knows them: for `parse_series`."""
    params: dict[str, str | int] = {}
    conditions = [] if gateway is None else [_match_tag(GATEWAY, gateway, params)]
    conditions += [_match_tag(name, value, params) for name, value in tags.items()]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return Statement(f"SHOW SERIES FROM {_list_names(kinds)}{where}", params)


def parse_series(shown: str) -> tuple[str, str, Key]:
    """Kind, gateway and key of one line that SHOW SERIES answers, e.g. `inverter,gateway=1222,inverter=4821`."""
    kind, *pairs = _SEPARATOR.split(shown)
    tags = dict(map(_parse_tag, pairs))
    return kind, tags.get(GATEWAY, ""), tuple(tags.get(name, "") for name in STORED[kind].tags)


def _parse_tag(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")  # the names are the dictionary's: no `=` in them
    return name, from_influx(_ESCAPED.sub(r"\1", value))


def _make_time_conditions(span: TimeSpan, params: dict[str, str | int]) -> list[str]:
    conditions = []
    if span.newest_ms is not None:
        conditions.append(f"time >= now() - {span.newest_ms}ms")
    if span.start is not None:
        conditions.append(f"time >= {_bind(_to_ns(span.start), params)}")
    if span.stop is not None:
        conditions.append(f"time < {_bind(_to_ns(span.stop), params)}")
    return conditions


def _to_ns(ms: int) -> int:
    """Nanoseconds, within the years that the gate lets in."""
    if ms > MAX_TIMESTAMP_MS:
        return _LATEST_NS
    return max(ms, -MAX_TIMESTAMP_MS) * _NS_PER_MS


def _match_any(names: tuple[str, ...], keys: Collection[Key], params: dict[str, str | int]) -> str:
    each = [
        " AND ".join(_match_tag(name, value, params) for name, value in zip(names, key, strict=True)) for key in keys
    ]
    return f"({' OR '.join(f'({condition})' for condition in each)})"


def _match_tag(name: str, value: str, params: dict[str, str | int]) -> str:
    return f"{_quote(name)} = {_bind(to_influx(value), params)}"


def _bind(value: str | int, params: dict[str, str | int]) -> str:
    name = f"p{len(params)}"
    params[name] = value
    return f"${name}"


def _list_names(names: Collection[str]) -> str:
    return ", ".join(map(_quote, names))


def _quote(name: str) -> str:
    return f'"{name}"'
