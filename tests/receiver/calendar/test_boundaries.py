"""Windows of any length, whatever the clocks of a zone do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from receiver.calendar.boundaries import list_boundaries
from receiver.calendar.windows import Range
from receiver.queries.times import LATEST_MS, parse_instant, parse_step
from tests.receiver.instants import STEPS, to_ms

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
    "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "Antarctica/Troll", "Asia/Beirut",
]  # fmt: skip
HOUR, DAY = 3_600_000, 86_400_000

times_ms = st.integers(946_684_800_000, 1_830_000_000_000)


@given(start=times_ms, length=st.integers(1, 40 * DAY), text=st.sampled_from(STEPS), name=st.sampled_from(ZONES))
@example(start=to_ms("2011-12-29T00:00Z"), length=4 * DAY, text="1d", name="Pacific/Apia")
@example(start=to_ms("2025-10-26T00:00Z"), length=1, text="6h", name="Europe/Berlin")
def test_windows_cover_the_range_and_nothing_that_it_does_not_touch(start, length, text, name):
    """And none is shorter than was said when the budget was decided, but where the calendar itself cuts one."""
    every = parse_step(text)
    if every.least_ms < 60_000:
        length = min(length, 3 * HOUR)
    found = list_boundaries(every, Range(start, start + length), ZoneInfo(name))
    assert found[0] <= start < found[1]
    assert found[-2] < start + length <= found[-1]
    assert all(before < after for before, after in pairwise(found))


@given(start=times_ms, text=st.sampled_from(["1s", "45s", "7m", "15m", "90m", "2h", "6h"]), name=st.sampled_from(ZONES))
def test_short_windows_begin_at_multiples_of_the_local_clock(start, text, name):
    """Counted from midnight; where the clock is put on or back, a window may begin beside them."""
    here, every = ZoneInfo(name), parse_step(text)
    for boundary in list_boundaries(every, Range(start, start + every.least_ms * 3), here):
        local = datetime.fromtimestamp(boundary / 1000, UTC).astimezone(here)
        before = (local.astimezone(UTC) - timedelta(seconds=1)).astimezone(here)
        since_midnight = (local.hour * 3600 + local.minute * 60 + local.second) * 1000
        assert since_midnight % every.least_ms == 0 or local.utcoffset() != before.utcoffset()


def list_hours(day: str, text: str, zone: ZoneInfo = BERLIN) -> list[str]:
    start = parse_instant("start", day, zone, 0)
    found = list_boundaries(parse_step(text), Range(start, start + 23 * HOUR), zone)
    return [datetime.fromtimestamp(boundary / 1000, zone).strftime("%H:%M") for boundary in found]


def test_windows_of_the_days_on_which_the_clock_changes():
    """23 and 25 hours in a day, and longer steps stay where the clock shows them."""
    assert len(list_hours("2025-03-30", "1h")) == 24
    assert list_hours("2025-03-30", "6h") == ["00:00", "06:00", "12:00", "18:00", "00:00"]
    assert list_hours("2025-03-30", "2h")[:4] == ["00:00", "03:00", "04:00", "06:00"]
    assert list_hours("2025-10-26", "1h")[:5] == ["00:00", "01:00", "02:00", "02:00", "03:00"]
    assert list_hours("2025-10-26", "6h")[:3] == ["00:00", "06:00", "12:00"]
    assert list_hours("2025-04-06", "1h", ZoneInfo("Australia/Lord_Howe"))[:5] == [
        "00:00",
        "01:00",
        "01:30",
        "02:00",
        "03:00",
    ]
    assert list_hours("2025-01-01", "1h", ZoneInfo("Asia/Kolkata"))[:2] == ["00:00", "01:00"]
    assert list_boundaries(parse_step("1h"), Range(0, 1), ZoneInfo("Asia/Kolkata")) == [-1_800_000, 1_800_000]
    assert list_hours("2025-01-01", "7h") == ["00:00", "07:00", "14:00", "21:00", "00:00"]


def test_days_weeks_and_months_are_those_of_the_calendar():
    start, stop = to_ms("2025-03-30T12:00+02:00"), to_ms("2025-03-30T12:01+02:00")

    def list_around(text: str) -> list[str]:
        found = list_boundaries(parse_step(text), Range(start, stop), BERLIN)
        return [datetime.fromtimestamp(boundary / 1000, BERLIN).strftime("%Y-%m-%d %H") for boundary in found]

    assert list_around("1d") == ["2025-03-30 00", "2025-03-31 00"]
    assert list_around("1w") == ["2025-03-24 00", "2025-03-31 00"]
    assert list_around("1mo") == ["2025-03-01 00", "2025-04-01 00"]
    assert list_around("2mo") == ["2025-03-01 00", "2025-05-01 00"]
    assert list_around("3mo") == ["2025-01-01 00", "2025-04-01 00"]
    assert list_around("4mo") == ["2025-01-01 00", "2025-05-01 00"]
    assert list_around("6mo") == ["2025-01-01 00", "2025-07-01 00"]
    assert list_around("1y") == ["2025-01-01 00", "2026-01-01 00"]


@pytest.mark.parametrize("text", ["1h", "1d", "1w", "1mo", "6mo", "1y"])
def test_windows_exist_at_both_ends_of_time(text):
    for start in (0, LATEST_MS - 1):
        for name in ZONES:
            found = list_boundaries(parse_step(text), Range(start, start + 1), ZoneInfo(name))
            assert found[0] <= start < found[-1]
