"""Windows that roll-ups keep follow the calendar of the site."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.calendar.windows import find_finer_kind
from receiver.sites import Site
from receiver.stores.kinds import ENERGY_KINDS
from tests.receiver.instants import to_ms, to_text

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


@settings(deadline=None)
@given(
    st.sampled_from([*ENERGY_KINDS, "panel_1d"]), moments, st.integers(1, 3 * DAY), st.sampled_from(ZONES), st.data()
)
def test_windows_touch_the_time_and_are_made_of_whole_finer_ones(kind, start, length, zone, data):
    site = Site(time_zone=zone, billing_day=data.draw(st.integers(1, 28)))
    stop = start + length
    boundaries = site.list_windows(kind, start, stop)
    assert boundaries[0] <= start < boundaries[1]
    assert boundaries[-2] < stop <= boundaries[-1]
    assert all(before < after for before, after in pairwise(boundaries))
    assert all(boundary % QUARTER == 0 for boundary in boundaries)
    if kind != "energy_15m" and length < HOUR:
        assert set(boundaries) <= set(
            site.list_windows(find_finer_kind(kind).replace("panel", "energy"), boundaries[0], boundaries[-1])
        )
    inner = data.draw(st.integers(start, stop - 1))
    window = site.list_windows(kind, inner, inner + 1)
    assert len(window) == 2
    assert set(window) <= set(boundaries)


def test_days_of_23_and_25_hours():
    berlin = Site(time_zone="Europe/Berlin")
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-21", 24)):
        noon = to_ms(f"{day}T12:00", "Europe/Berlin")
        start, stop = berlin.list_windows("energy_1d", noon, noon + 1)
        assert (start, (stop - start) // HOUR) == (to_ms(f"{day}T00:00", "Europe/Berlin"), hours)
        assert len(berlin.list_windows("energy_1h", start, stop)) == hours + 1


def test_hours_of_a_clock_that_is_put_back_by_half_an_hour():
    howe = Site(time_zone="Australia/Lord_Howe")
    boundaries = howe.list_windows("energy_1h", to_ms("2026-04-04T13:30"), to_ms("2026-04-04T16:30"))
    assert [to_text(boundary)[11:] for boundary in boundaries] == ["13:00", "14:00", "15:00", "15:30", "16:30"]


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
    time = to_ms("2026-11-18T12:40")
    assert [to_text(boundary) for boundary in site.list_windows(kind, time, time + 1)] == [start, stop]


def test_a_day_that_was_left_out_of_the_calendar_is_no_window():
    samoa = Site(time_zone="Pacific/Apia")
    boundaries = samoa.list_windows("energy_1d", to_ms("2011-12-29T12:00"), to_ms("2011-12-31T09:00"))
    assert [to_text(boundary) for boundary in boundaries] == [
        "2011-12-29 10:00",
        "2011-12-30 10:00",
        "2011-12-31 10:00",
    ]


def test_what_has_no_windows_is_refused():
    with pytest.raises(ValueError, match="no time"):
        Site().list_windows("energy_1d", 5, 5)
    with pytest.raises(ValueError, match="meter_1m has no windows"):
        Site().list_windows("meter_1m", 5, 6)
