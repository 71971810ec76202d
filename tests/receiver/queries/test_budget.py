"""What is refused before anything is read, and the advice that each refusal gives."""

import pytest

from receiver.calendar.windows import Range
from receiver.errors import RefusedError
from receiver.queries.budget import MAX_POINTS, check_read, check_windows
from receiver.queries.times import parse_step
from receiver.stores.kinds import STORED

YEAR = 365 * 86_400_000


def test_fifty_years_of_seconds_are_refused_with_a_step_that_would_do():
    with pytest.raises(RefusedError) as caught:
        check_windows(parse_step("1s"), Range(0, 50 * YEAR))
    advice = caught.value.detail or ""
    assert advice.startswith(
        "every is too short for this range: an answer has at most 50,000 points. Choose 1d or longer"
    )
    check_windows(parse_step("1d"), Range(0, 50 * YEAR))


@pytest.mark.parametrize("series", [1, 6, 300])
def test_the_advice_is_good(series):
    """Whatever was too much, what is advised is not."""
    asked = Range(0, YEAR)
    with pytest.raises(RefusedError) as caught:
        check_windows(parse_step("5m"), asked, series=series)
    advised = (caught.value.detail or "").partition("Choose ")[2].partition(" or longer")[0]
    check_windows(parse_step(advised), asked, series=series)


def test_as_many_points_as_are_allowed_are_allowed():
    check_windows(parse_step("1s"), Range(0, (MAX_POINTS - 1) * 1000))
    with pytest.raises(RefusedError):
        check_windows(parse_step("1s"), Range(0, MAX_POINTS * 1000))


@pytest.mark.parametrize("kind", STORED)
def test_reading_too_much_says_how_long_the_range_may_be(kind):
    with pytest.raises(RefusedError) as caught:
        check_read(kind, Range(0, 10_000 * YEAR), series=10)
    number, unit = (caught.value.detail or "").partition("at most ")[2].split()[:2]
    hours = int(number) * {"days": 24, "hours": 1}[unit]
    check_read(kind, Range(0, hours * 3_600_000), series=10)
