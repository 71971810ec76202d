"""The few things that Grafana does with a query, done as its sources do them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.grafana.substitution import (
    DashboardRange,
    Value,
    choose_interval,
    format_duration,
    parse_duration_ms,
    parse_time,
    replace_macros,
    replace_variables,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 29, 11, 30, tzinfo=BERLIN)  # clocks went forward this night


def test_the_time_filter_and_the_interval_are_those_of_the_backend():
    text = "WHERE $timeFilter GROUP BY time($__interval), 1 / $__interval_ms"
    assert (
        replace_macros(text, DashboardRange(1, 2), 300_000)
        == "WHERE time >= 1ms and time <= 2ms GROUP BY time(5m), 1 / 300000"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=~ /^${gateway:regex}$/", "=~ /^1\\.2$/"),
        ("=~ /^${phase:regex}$/", "=~ /^(a|b)$/"),
        ('FROM "${kind:raw}"', 'FROM "meter_1m"'),
        ("${datasource}", "uid"),
        ("$kind [[kind]]", "meter_1m meter_1m"),
        ("$tag_phase $timeFilter", "$tag_phase $timeFilter"),
    ],
)
def test_variables_are_written_in_the_format_that_the_query_asks_for(text, expected):
    values: dict[str, Value] = {"gateway": "1.2", "phase": ("a", "b"), "kind": "meter_1m", "datasource": "uid"}
    assert replace_variables(text, values) == expected


def test_several_values_without_a_format_are_a_mistake():
    """What Grafana would write then depends on the data source and its version."""
    with pytest.raises(AssertionError, match="how a variable of several values"):
        replace_variables("$phase", {"phase": ("a", "b")})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("now-24h", datetime(2026, 3, 28, 10, 30, tzinfo=BERLIN)),
        ("now/d", datetime(2026, 3, 29, tzinfo=BERLIN)),
        ("now-29d/d", datetime(2026, 2, 28, tzinfo=BERLIN)),
        ("now/w", datetime(2026, 3, 23, tzinfo=BERLIN)),
        ("now/M", datetime(2026, 3, 1, tzinfo=BERLIN)),
        ("now/y", datetime(2026, 1, 1, tzinfo=BERLIN)),
    ],
)
def test_relative_times_are_those_of_the_time_zone(text, expected):
    assert parse_time(text, NOW) == expected


def test_a_rounded_end_is_the_end_of_its_day():
    assert parse_time("now/d", NOW, end=True) == datetime(2026, 3, 30, tzinfo=BERLIN)


@pytest.mark.parametrize(("hours", "least", "expected"), [(1, "1s", "5s"), (24, "1m", "1m"), (720, "1m", "30m")])
def test_the_interval_follows_the_range_but_not_below_the_panels_own(hours, least, expected):
    """A thousand points: an hour gives 3.6 s, a day 86 s, thirty days 43 minutes, each to the nearest that Grafana has."""
    assert (
        format_duration(choose_interval(DashboardRange(0, hours * 3_600_000), parse_duration_ms(least), 1000))
        == expected
    )
