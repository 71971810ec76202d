"""What Grafana does with a query before the database sees it: time filter, interval, variables.

As in Grafana's InfluxDB data source: `pkg/tsdb/influxdb/models/query.go` (`Build`, `renderTimeFilter`) for the macros,
`TemplateSrv` and the formats of `formatRegistry` for variables, `rangeutil` for ranges and intervals.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

Value = str | tuple[str, ...]
_ROUND_MS = (
    1000, 2000, 5000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_200_000, 1_800_000,
    3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000,
)  # fmt: skip
_UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_VARIABLE = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\$(?P<plain>\w+)|\[\[(?P<square>\w+)\]\]")


class DashboardRange(NamedTuple):
    """A time range in milliseconds since 1970."""

    start: int
    stop: int


def replace_macros(text: str, span: DashboardRange, interval_ms: int) -> str:
    """Replace Grafana's macros as its backend does, in its order."""
    choose_interval = format_duration(interval_ms)
    return (
        text.replace("$timeFilter", f"time >= {span.start}ms and time <= {span.stop}ms")
        .replace("$__interval_ms", str(interval_ms))
        .replace("$__interval", choose_interval)
    )


def replace_variables(text: str, values: Mapping[str, Value]) -> str:
    """Replace variables that are known; others stay, as in Grafana (where `$tag_x` of an alias has to survive)."""

    def replace(found: re.Match[str]) -> str:
        name = found["braced"] or found["plain"] or found["square"]
        if name not in values:
            return found[0]
        return _format(values[name], found["format"])

    return _VARIABLE.sub(replace, text)


def _format(value: Value, form: str | None) -> str:
    if form == "regex":
        if isinstance(value, str):
            return _escape(value)
        return f"({'|'.join(map(_escape, value))})" if len(value) > 1 else _escape(value[0])
    if isinstance(value, str) and form in {None, "raw"}:
        return value
    raise AssertionError(f"a query must say how a variable of several values is written; {form!r} is not known here")


def _escape(value: str) -> str:
    return re.sub(r"[\\^$*+?.()|[\]{}/]", r"\\\g<0>", value)


def format_duration(parse_duration_ms: int) -> str:
    """As `gtime.FormatInterval`: the largest unit that is reached, rounded down."""
    for unit, size in _UNITS:
        if parse_duration_ms >= size:
            return f"{parse_duration_ms // size}{unit}"
    return "1ms"


def parse_duration_ms(text: str) -> int:
    """`1m`, `30s`, `2h`: a duration."""
    amount, unit = re.fullmatch(r"(\d+)(\w+)", text).groups()  # type: ignore[union-attr]
    return int(amount) * dict(_UNITS)[unit]


def choose_interval(span: DashboardRange, least_ms: int, points: int) -> int:
    """What `$__interval` is: the range by the points, rounded to a pleasant length, at least `least_ms`."""
    exact = (span.stop - span.start) / points
    return max(least_ms, min(_ROUND_MS, key=lambda round_ms: abs(round_ms - exact)))


def parse_time(text: str, now: datetime, *, end: bool = False) -> datetime:
    """A relative time: `now`, `now-24h`, `now/d`, `now-29d/d`, in the time zone of `now`."""
    parts = re.fullmatch(r"now(?:-(\d+)([smhdwMy]))?(?:/([dwMy]))?", text)
    assert parts, f"{text} is not a relative time"
    amount, unit, whole = parts.groups()
    if amount:
        days, seconds = {"d": 1, "w": 7, "M": 30, "y": 365}, {"s": 1, "m": 60, "h": 3600}
        # days are days of the calendar, of whatever length; hours are hours
        now -= timedelta(days=int(amount) * days.get(unit, 0))
        now = (now.astimezone(UTC) - timedelta(seconds=int(amount) * seconds.get(unit, 0))).astimezone(now.tzinfo)
    if not whole:
        return now
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start -= timedelta(
        days={"d": 0, "w": start.weekday(), "M": start.day - 1, "y": start.timetuple().tm_yday - 1}[whole]
    )
    return start + timedelta(days={"d": 1, "w": 7, "M": 31, "y": 366}[whole]) if end else start
