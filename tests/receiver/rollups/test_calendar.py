"""Windows follow the calendar of the site, and coarser energies are sums of finer ones."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.rollups.calendar import FINER, energy_rows, fingerprint, windows
from receiver.sites import Site
from receiver.sites.load import parse
from receiver.stores.base import Point
from receiver.stores.kinds import DERIVED, ENERGY_KINDS

QUARTER = 900_000
HOUR = 4 * QUARTER
DAY = 24 * HOUR
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # the clock is put on at midnight, and back to it
    "Asia/Kathmandu",  # 5:45
    "Australia/Lord_Howe",  # 10:30, and summer is half an hour
    "Africa/Cairo",
    "Pacific/Apia",
    "America/St_Johns",
]
moments = st.integers(1_262_304_000_000, 1_893_456_000_000)


def ms(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def utc(time: int) -> str:
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M}"


@settings(deadline=None)
@given(
    st.sampled_from([*ENERGY_KINDS, "panel_1d"]), moments, st.integers(1, 3 * DAY), st.sampled_from(ZONES), st.data()
)
def test_windows_touch_the_time_and_are_made_of_whole_finer_ones(kind, start, length, zone, data):
    site = Site(time_zone=zone, billing_day=data.draw(st.integers(1, 28)))
    stop = start + length
    edges = windows(kind, start, stop, site)
    assert edges[0] <= start < edges[1]
    assert edges[-2] < stop <= edges[-1]
    assert all(before < after for before, after in pairwise(edges))
    assert all(edge % QUARTER == 0 for edge in edges)
    if kind in FINER and length < HOUR:
        assert set(edges) <= set(windows(FINER[kind].replace("panel", "energy"), edges[0], edges[-1], site))
    inner = data.draw(st.integers(start, stop - 1))
    window = windows(kind, inner, inner + 1, site)
    assert len(window) == 2
    assert set(window) <= set(edges)


def test_days_of_23_and_25_hours():
    berlin = Site(time_zone="Europe/Berlin")
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-21", 24)):
        noon = ms(f"{day}T12:00", "Europe/Berlin")
        start, stop = windows("energy_1d", noon, noon + 1, berlin)
        assert (start, (stop - start) // HOUR) == (ms(f"{day}T00:00", "Europe/Berlin"), hours)
        assert len(windows("energy_1h", start, stop, berlin)) == hours + 1


def test_hours_of_a_clock_that_is_put_back_by_half_an_hour():
    howe = Site(time_zone="Australia/Lord_Howe")
    edges = windows("energy_1h", ms("2026-04-04T13:30"), ms("2026-04-04T16:30"), howe)
    assert [utc(edge)[11:] for edge in edges] == ["13:00", "14:00", "15:00", "15:30", "16:30"]


@pytest.mark.parametrize(
    ("kind", "billing_day", "start", "stop"),
    [
        ("energy_15m", 1, "2026-11-18 12:30", "2026-11-18 12:45"),
        ("energy_1h", 1, "2026-11-18 12:15", "2026-11-18 13:15"),
        ("energy_1d", 1, "2026-11-17 18:15", "2026-11-18 18:15"),
        ("panel_1d", 1, "2026-11-17 18:15", "2026-11-18 18:15"),
        ("energy_1w", 1, "2026-11-15 18:15", "2026-11-22 18:15"),
        ("energy_1mo", 1, "2026-10-31 18:15", "2026-11-30 18:15"),
        ("energy_1y", 1, "2025-12-31 18:15", "2026-12-31 18:15"),
        ("energy_billing", 1, "2026-10-31 18:15", "2026-11-30 18:15"),
        ("energy_billing", 18, "2026-11-17 18:15", "2026-12-17 18:15"),
        ("energy_billing", 19, "2026-10-18 18:15", "2026-11-18 18:15"),
    ],
)
def test_every_window_of_a_wednesday_in_kathmandu(kind, billing_day, start, stop):
    site = Site(time_zone="Asia/Kathmandu", billing_day=billing_day)
    time = ms("2026-11-18T12:40")
    assert [utc(edge) for edge in windows(kind, time, time + 1, site)] == [start, stop]


def test_a_day_that_was_left_out_of_the_calendar_is_no_window():
    samoa = Site(time_zone="Pacific/Apia")
    edges = windows("energy_1d", ms("2011-12-29T12:00"), ms("2011-12-31T09:00"), samoa)
    assert [utc(edge) for edge in edges] == ["2011-12-29 10:00", "2011-12-30 10:00", "2011-12-31 10:00"]


def test_what_has_no_windows_is_refused():
    with pytest.raises(ValueError, match="no time"):
        windows("energy_1d", 5, 5, Site())
    with pytest.raises(ValueError, match="meter_1m has no windows"):
        windows("meter_1m", 5, 6, Site())


def _quarter(time: int, **fields: float) -> Point:
    return Point(time, {"duration": 900.0, "resets": 0.0, **fields})


def test_a_day_is_the_sum_of_its_quarter_hours():
    site = Site(time_zone="Europe/Berlin")
    start = ms("2026-11-16T00:00", "Europe/Berlin")
    finer = [
        _quarter(start, load=50.0, load_coverage=1.0, cost=0.25, production_unallocated=7.0, unallocated_since=float(start - 1)),
        _quarter(start + 4 * HOUR, load=30.0, load_coverage=1.0, cost=0.5, resets=1.0),
        _quarter(start + 5 * HOUR, load=1.0, load_coverage=0.5, production=9.0, production_coverage=1.0),
        _quarter(start + 6 * HOUR, load=10.0, load_coverage=1.0, production=11.0, production_coverage=1.0,
                 exported=5.0, exported_coverage=1.0, imported=0.0, imported_coverage=1.0),
        _quarter(start + DAY, load=1000.0, load_coverage=1.0),
    ]  # fmt: skip
    (row,) = energy_rows("energy_1d", finer, site, windows("energy_1d", start, start + DAY, site))
    assert (row.kind, row.tags, row.timestamp) == ("energy_1d", {}, start)
    assert row.fields == {
        "duration": 86_400.0,
        "resets": 1.0,
        "load": 91.0,
        "load_coverage": pytest.approx(3.5 / 96),
        "production": 20.0,
        "production_coverage": pytest.approx(2 / 96),
        "production_unallocated": 7.0,
        "unallocated_since": float(start - 1),
        "imported": 0.0,
        "imported_coverage": pytest.approx(1 / 96),
        "exported": 5.0,
        "exported_coverage": pytest.approx(1 / 96),
        "self_consumption": 0.75,
        "self_sufficiency": 1.0,
        "cost": 0.75,
        "base_load": 120.0,
        "week": "2026-W47",
        "weekday": "1 Mon",
    }


def test_an_outage_over_midnight_counts_in_the_month():
    """Its start is known: the day that it ends in leaves it unallocated, the month that holds it does not."""
    start = ms("2026-11-01T00:00")
    day = Point(start + DAY, {"duration": 86_400.0, "load": 5.0, "load_coverage": 0.5, "load_unallocated": 3.0,
                              "unallocated_since": float(start + DAY - 1)})  # fmt: skip
    (month,) = energy_rows("energy_1mo", [day], Site(), windows("energy_1mo", start, start + 1, Site()))
    assert (month.fields["load"], month.fields["year"], month.fields["month"]) == (8.0, "2026", "11")
    assert not month.fields.keys() & {"load_unallocated", "unallocated_since"}
    (week,) = energy_rows("energy_1w", [day], Site(), windows("energy_1w", start + DAY, start + DAY + 1, Site()))
    assert (week.fields["load"], week.fields["load_unallocated"]) == (5.0, 3.0)


def test_what_nothing_is_known_of_has_no_row():
    site = Site()
    assert energy_rows("energy_1d", [], site, windows("energy_1d", 0, 3 * DAY, site)) == []
    assert energy_rows("energy_1d", [_quarter(0)], site, [0, DAY]) == []


@pytest.mark.parametrize("kind", [kind for kind in FINER if kind.startswith("energy")])
def test_rows_hold_only_fields_of_their_kind(kind):
    point = _quarter(
        0, **dict.fromkeys(["load", "production", "imported", "exported"], 5.0), load_coverage=1.0, cost=1.0
    )
    (row,) = energy_rows(kind, [point], Site(), windows(kind, 0, 1, Site()))
    described = DERIVED[kind].fields
    assert all(isinstance(value, described[name].type) for name, value in row.fields.items())


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ("{time_zone: Europe/Rome}", True),
        ("{netting: phases}", True),
        ("{billing_day: 2}", True),
        ("{meters: {storage: {role: ignore}}}", True),
        ("{meters: {storage: {reversed: [a]}}}", True),
        ("{panels: {5: {}}}", True),
        ("{panels: {4: {name: East}}}", True),
        ("{panels: {4: {array: East}}}", True),
        ("{tariffs: [{valid_from: 2026-01-01, rates: 0.3}]}", True),
        ("{name: Home}", False),
        ("{location: {latitude: 1, longitude: 2}}", False),
        ("{panels: {4: {tilt: 30, rated_watts: 400}}}", False),
    ],
)
def test_a_fingerprint_changes_with_what_matters(changed, matters):
    plain = parse(b"1: {panels: {4: {}}}")["1"]
    site = parse(f"1: {changed}".encode())["1"]
    site = site if site.panels else site.model_copy(update={"panels": plain.panels})
    assert (fingerprint(site) != fingerprint(plain)) is matters


def test_a_fingerprint_is_the_same_in_every_process():
    """Sets have no order of their own."""
    site = parse(b"1: {meters: {storage: {reversed: [c, a, b]}}}")["1"]
    assert fingerprint(site) == fingerprint(parse(b"1: {meters: {storage: {reversed: [b, c, a]}}}")["1"])
