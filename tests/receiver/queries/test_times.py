"""Times, zones and steps as people write them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from receiver.errors import RefusedError
from receiver.queries.times import LATEST_MS, Range, Step, edges, instant, step, time_range, zone
from receiver.rollups import calendar
from receiver.sites.model import NO_SITE, Site

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
    "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "Antarctica/Troll", "Asia/Beirut",
]  # fmt: skip
STEPS = ["1s", "45s", "7m", "15m", "90m", "1h", "2h", "5h", "6h", "12h", "1d", "1w", "1mo", "2mo", "3mo", "6mo", "1y"]
HOUR, DAY = 3_600_000, 86_400_000

times_ms = st.integers(946_684_800_000, 1_830_000_000_000)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOW = ms("2025-03-31T12:34:56.789+02:00")


def refusal(call, *args, **kwargs) -> str:
    with pytest.raises(RefusedError) as caught:
        call(*args, **kwargs)
    assert caught.value.detail is not None
    return caught.value.detail


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now", "2025-03-31T12:34:56.789+02:00"),
        (" now ", "2025-03-31T12:34:56.789+02:00"),
        ("today", "2025-03-31T00:00:00+02:00"),
        ("yesterday", "2025-03-30T00:00:00+01:00"),
        ("-30s", "2025-03-31T12:34:26.789+02:00"),
        ("-30m", "2025-03-31T12:04:56.789+02:00"),
        # The clock went forward on the 30th: 48 hours ago it was an hour earlier by the wall, two days ago it was not.
        ("-48h", "2025-03-29T11:34:56.789+01:00"),
        ("-2d", "2025-03-29T12:34:56.789+01:00"),
        ("-1w", "2025-03-24T12:34:56.789+01:00"),
        ("-1mo", "2025-02-28T12:34:56.789+01:00"),
        ("-13mo", "2024-02-29T12:34:56.789+01:00"),
        ("-1y", "2024-03-31T12:34:56.789+02:00"),
        ("2025-03-30", "2025-03-30T00:00:00+01:00"),
        ("2025-07-01T12:00", "2025-07-01T12:00:00+02:00"),
        ("2025-07-01 12:00:00", "2025-07-01T12:00:00+02:00"),
        ("2025-07-01T12:00:00Z", "2025-07-01T12:00:00+00:00"),
        ("2025-07-01T12:00:00-05:00", "2025-07-01T12:00:00-05:00"),
        ("2025-07-01T12:00:00 05:30", "2025-07-01T12:00:00+05:30"),
        ("2025-10-26T02:30", "2025-10-26T02:30:00+02:00"),
        ("1743417296789", "2025-03-31T12:34:56.789+02:00"),
    ],
)
def test_an_instant_may_be_written_in_many_ways(text, wanted):
    """Hours are those of physics, days and months those of the local calendar."""
    assert instant("start", text, BERLIN, NOW) == ms(wanted)


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "24h", "+24h", "-h", "-1.5h", "-24H", "-24 h", "2025-13-01", "2025-02-30", "12:00", "1e12", "-5",
     "\u0662\u0660\u0662\u0665-\u0660\u0661-\u0660\u0661", "-\u0662h", "99999999999999999999", "-999999999y", "-999999999d", "0001-01-01", "9999-12-31T23:59:59-14:00",
     "2025-01-01'; DROP TABLE meter", "{start}", "-24h\x00"],
)  # fmt: skip
def test_what_is_no_instant_is_refused_by_its_parameter(text):
    """The sentence names the parameter and says what would do; nothing of what was sent is in it."""
    told = refusal(instant, "stop", text, BERLIN, NOW)
    assert told in {refusal(instant, "stop", unlike, BERLIN, NOW) for unlike in ("x", "9999999999999999")}


def test_there_is_time_between_start_and_stop():
    assert time_range(None, None, BERLIN, NOW) == (NOW - DAY, NOW)
    assert time_range(None, None, BERLIN, NOW, default="today") == (ms("2025-03-31T00:00+02:00"), NOW)
    assert "later than start" in refusal(time_range, "now", None, BERLIN, NOW)
    assert "later than start" in refusal(time_range, "-1h", "-2h", BERLIN, NOW)


def test_the_zone_is_the_one_asked_for_then_the_sites_then_utc():
    assert zone("Asia/Tokyo", Site(time_zone="Europe/Berlin")).key == "Asia/Tokyo"
    assert zone(None, Site(time_zone="Europe/Berlin")).key == "Europe/Berlin"
    assert zone(None, NO_SITE).key == "UTC"
    for name in ("", "Berlin", "europe/berlin", "../../etc/passwd", "/etc/localtime", "UTC\x00", "+01:00"):
        assert refusal(zone, name, NO_SITE) == "time_zone must be an IANA name such as Europe/Berlin."


@pytest.mark.parametrize("text", STEPS)
def test_a_step_is_read_as_it_is_written(text):
    assert str(step(text)) == text


@pytest.mark.parametrize(
    "text", ["", "h", "0h", "-1h", "1", "1.5h", "01h", "24h", "1440m", "86400s", "99999h", "2d", "2w", "5mo", "12mo",
             "2y", "1 h", "1H", "1min", "\u0661h", "999999s"],
)  # fmt: skip
def test_what_is_no_step_is_refused(text):
    assert refusal(step, text).startswith("every ")


@given(start=times_ms, length=st.integers(1, 40 * DAY), text=st.sampled_from(STEPS), name=st.sampled_from(ZONES))
@example(start=ms("2011-12-29T00:00Z"), length=4 * DAY, text="1d", name="Pacific/Apia")
@example(start=ms("2025-10-26T00:00Z"), length=1, text="6h", name="Europe/Berlin")
def test_windows_cover_the_range_and_nothing_that_it_does_not_touch(start, length, text, name):
    """And none is shorter than was said when the budget was decided, but where the calendar itself cuts one."""
    every = step(text)
    if every.least_ms < 60_000:
        length = min(length, 3 * HOUR)
    found = edges(every, Range(start, start + length), ZoneInfo(name))
    assert found[0] <= start < found[1]
    assert found[-2] < start + length <= found[-1]
    assert all(before < after for before, after in pairwise(found))


@given(start=times_ms, length=st.integers(1, 5 * DAY), name=st.sampled_from(ZONES))
@example(start=ms("2025-03-30T00:00Z"), length=DAY, name="Europe/Berlin")
@example(start=ms("2025-10-26T00:00Z"), length=DAY, name="Europe/Berlin")
@example(start=ms("2025-04-05T12:00Z"), length=DAY, name="Australia/Lord_Howe")
def test_hours_are_those_of_the_stored_energy(start, length, name):
    found = edges(Step(1, "h"), Range(start, start + length), ZoneInfo(name))
    assert found == calendar.windows("energy_1h", start, start + length, Site(time_zone=name))


@given(start=times_ms, text=st.sampled_from(["1s", "45s", "7m", "15m", "90m", "2h", "6h"]), name=st.sampled_from(ZONES))
def test_short_windows_begin_at_multiples_of_the_local_clock(start, text, name):
    """Counted from midnight; where the clock is put on or back, a window may begin beside them."""
    here, every = ZoneInfo(name), step(text)
    for edge in edges(every, Range(start, start + every.least_ms * 3), here):
        local = datetime.fromtimestamp(edge / 1000, UTC).astimezone(here)
        before = (local.astimezone(UTC) - timedelta(seconds=1)).astimezone(here)
        since_midnight = (local.hour * 3600 + local.minute * 60 + local.second) * 1000
        assert since_midnight % every.least_ms == 0 or local.utcoffset() != before.utcoffset()


def hours(day: str, text: str, zone: ZoneInfo = BERLIN) -> list[str]:
    start = instant("start", day, zone, 0)
    found = edges(step(text), Range(start, start + 23 * HOUR), zone)
    return [datetime.fromtimestamp(edge / 1000, zone).strftime("%H:%M") for edge in found]


def test_windows_of_the_days_on_which_the_clock_changes():
    """23 and 25 hours in a day, and longer steps stay where the clock shows them."""
    assert len(hours("2025-03-30", "1h")) == 24
    assert hours("2025-03-30", "6h") == ["00:00", "06:00", "12:00", "18:00", "00:00"]
    assert hours("2025-03-30", "2h")[:4] == ["00:00", "03:00", "04:00", "06:00"]
    assert hours("2025-10-26", "1h")[:5] == ["00:00", "01:00", "02:00", "02:00", "03:00"]
    assert hours("2025-10-26", "6h")[:3] == ["00:00", "06:00", "12:00"]
    assert hours("2025-04-06", "1h", ZoneInfo("Australia/Lord_Howe"))[:5] == [
        "00:00",
        "01:00",
        "01:30",
        "02:00",
        "03:00",
    ]
    assert hours("2025-01-01", "1h", ZoneInfo("Asia/Kolkata"))[:2] == ["00:00", "01:00"]
    assert edges(step("1h"), Range(0, 1), ZoneInfo("Asia/Kolkata")) == [-1_800_000, 1_800_000]
    assert hours("2025-01-01", "7h") == ["00:00", "07:00", "14:00", "21:00", "00:00"]


def test_days_weeks_and_months_are_those_of_the_calendar():
    start, stop = ms("2025-03-30T12:00+02:00"), ms("2025-03-30T12:01+02:00")

    def around(text: str) -> list[str]:
        found = edges(step(text), Range(start, stop), BERLIN)
        return [datetime.fromtimestamp(edge / 1000, BERLIN).strftime("%Y-%m-%d %H") for edge in found]

    assert around("1d") == ["2025-03-30 00", "2025-03-31 00"]
    assert around("1w") == ["2025-03-24 00", "2025-03-31 00"]
    assert around("1mo") == ["2025-03-01 00", "2025-04-01 00"]
    assert around("2mo") == ["2025-03-01 00", "2025-05-01 00"]
    assert around("3mo") == ["2025-01-01 00", "2025-04-01 00"]
    assert around("4mo") == ["2025-01-01 00", "2025-05-01 00"]
    assert around("6mo") == ["2025-01-01 00", "2025-07-01 00"]
    assert around("1y") == ["2025-01-01 00", "2026-01-01 00"]


@pytest.mark.parametrize("text", ["1h", "1d", "1w", "1mo", "6mo", "1y"])
def test_windows_exist_at_both_ends_of_time(text):
    for start in (0, LATEST_MS - 1):
        for name in ZONES:
            found = edges(step(text), Range(start, start + 1), ZoneInfo(name))
            assert found[0] <= start < found[-1]
