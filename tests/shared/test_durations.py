"""Lengths of time, ages and ends for people."""

import pytest

from shared.durations import describe_age, describe_duration, describe_expiry
from shared.units import DAY_S, HOUR_S


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (0, "less than a second", "0 s"),
        (1.7, "1 second", "1 s"),
        (42, "42 seconds", "42 s"),
        (119.9, "119 seconds", "119 s"),
        (120, "2 minutes", "2 min"),
        (2 * HOUR_S - 1, "119 minutes", "119 min"),
        (23 * HOUR_S, "23 hours", "23 h"),
        (8760 * HOUR_S, "365 days", "365 days"),
        (104_433_093, "3 years", "3 years"),
        (-2 * DAY_S, "2 days", "2 days"),
    ],
)
def test_a_length_has_its_largest_fitting_unit(seconds, long, short):
    assert (describe_duration(seconds), describe_duration(seconds, short=True)) == (long, short)


def test_what_is_cut_off_is_less_than_a_third():
    units = {"second": 1, "minute": 60, "hour": HOUR_S, "day": DAY_S, "year": 365.25 * DAY_S}
    for seconds in (2**step + 1 for step in range(1, 34)):
        count, unit = describe_duration(seconds).split()
        assert 2 / 3 * seconds < int(count) * units[unit.removesuffix("s")] <= seconds


def test_an_age_is_never_negative():
    ages = [describe_age(seconds) for seconds in (-0.4, 0, 3, 7200, -90)]
    assert ages == ["now", "now", "3 seconds ago", "2 hours ago", "in 90 seconds"]


def test_an_end_lies_ahead_or_is_over():
    ends = [describe_expiry(seconds) for seconds in (8760 * HOUR_S, 5400, 0.2, 0, -0.2, -180)]
    assert ends == [
        "expires in 365 days",
        "expires in 90 minutes",
        "expires in less than a second",
        "expired 1 second ago",
        "expired 1 second ago",
        "expired 3 minutes ago",
    ]
