"""The time that a range is compared with."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from receiver.calendar.boundaries import list_windows
from receiver.calendar.shifts import Earlier, find_earlier
from receiver.calendar.windows import Range
from tests.receiver.instants import to_ms

BERLIN = ZoneInfo("Europe/Berlin")


def find_dates(start: str, stop: str, which: Earlier, *, unit: str = "d", first_day: int = 1) -> tuple[str, str]:
    whole = Range(to_ms(start, BERLIN.key), to_ms(stop, BERLIN.key))
    found = find_earlier(whole, BERLIN, which, unit=unit, first_day=first_day)
    moments = [datetime.fromtimestamp(end / 1000, UTC).astimezone(BERLIN) for end in found]
    start, stop = (f"{one:%Y-%m-%d}" if f"{one:%H%M%S}" == "000000" else f"{one:%Y-%m-%dT%H:%M}" for one in moments)
    return start, stop


@pytest.mark.parametrize(
    ("start", "stop", "before"),
    [
        ("2026-06-01", "2026-07-01", ("2026-05-01", "2026-06-01")),
        ("2026-03-01", "2026-04-01", ("2026-02-01", "2026-03-01")),
        ("2026-01-01", "2026-04-01", ("2025-10-01", "2026-01-01")),
        ("2025-01-01", "2026-01-01", ("2024-01-01", "2025-01-01")),
        ("2026-06-08", "2026-06-15", ("2026-06-01", "2026-06-08")),
        ("2026-03-30", "2026-03-31", ("2026-03-29", "2026-03-30")),  # a day of 23 hours before one of 24
        ("2026-06-01", "2026-06-15", ("2026-05-18", "2026-06-01")),
        ("2026-06-01T06:00", "2026-06-01T09:00", ("2026-06-01T03:00", "2026-06-01T06:00")),
    ],
)
def test_before_are_as_many_months_or_days_or_hours(start, stop, before):
    assert find_dates(start, stop, Earlier.BEFORE) == before


def test_months_of_a_bill_begin_with_its_day():
    before = find_dates("2026-03-15", "2026-04-15", Earlier.BEFORE, first_day=15)
    assert before == ("2026-02-15", "2026-03-15")


@pytest.mark.parametrize(
    ("start", "stop", "a_year_ago"),
    [
        ("2026-06-01", "2026-07-01", ("2025-06-01", "2025-07-01")),
        ("2024-02-01", "2024-03-01", ("2023-02-01", "2023-03-01")),
        ("2024-02-29", "2024-03-01", ("2023-02-28", "2023-03-01")),
        ("2024-02-01", "2024-02-29", ("2023-02-01", "2023-03-01")),
        ("2026-03-30T12:00", "2026-03-30T13:00", ("2025-03-30T12:00", "2025-03-30T13:00")),
    ],
)
def test_a_year_ago_are_the_same_dates(start, stop, a_year_ago):
    assert find_dates(start, stop, Earlier.YEAR) == a_year_ago


def test_weeks_of_a_year_ago_are_weeks():
    assert find_dates("2026-06-08", "2026-06-15", Earlier.YEAR, unit="w") == ("2025-06-09", "2025-06-16")


@pytest.mark.parametrize("which", Earlier)
@pytest.mark.parametrize("every", ["1h", "1d", "1w", "1mo", "1y"])
def test_an_earlier_range_begins_and_ends_with_windows(every, which):
    """Whatever changes of the clock and leap days lie in between."""
    windows = list_windows(every, to_ms("2024-02-26"), to_ms("2024-04-02"), BERLIN)
    for start, stop in list(pairwise(windows))[:: 97 if every == "1h" else 1]:
        found = find_earlier(Range(start, stop), BERLIN, which, unit=every.lstrip("1"))
        inside = list_windows(every, *found, BERLIN)
        assert (inside[0], inside[-1]) == found, (every, start)
