"""Statuses of a day as PVOutput counts them, and how many requests it takes."""

import contextlib
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from receiver.outputs.base import OutputError
from receiver.outputs.pvoutput.limits import HourlyLimit
from receiver.outputs.pvoutput.statuses import DayRows, PvStatus, make_statuses
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS
from tests.clocks import StoppedClock
from tests.receiver.outputs.test_pvoutput import BEGIN_MS, BERLIN, at

NO_ROWS = DayRows({}, {}, {}, ())


def test_a_status_is_written_as_the_documentation_has_it():
    status = PvStatus(0, date(2026, 11, 28), "10:00", 812, 1480, 2210, 604, None, 231.9)
    assert status.write() == "20261128,10:00,812,1480,2210,604,,231.9"


@given(
    st.sampled_from([date(2026, 3, 29), date(2026, 6, 10), date(2026, 10, 25)]),
    st.sampled_from([5, 10, 15]),
    st.dictionaries(st.integers(0, 99), st.floats(0, 5000), max_size=100),
)
def test_energy_never_falls_within_a_day_and_no_time_stands_twice(day, interval, energies):
    midnight = at(f"{day}T00:00")
    quarters = {midnight + index * QUARTER_MS: {"production": wh} for index, wh in energies.items()}
    made = make_statuses(
        day, BERLIN, NO_ROWS._replace(quarters=quarters), interval_min=interval, until=midnight + 2 * DAY_MS
    )
    assert all(one.day == day for one in made)
    assert [one.generated for one in made] == sorted(one.generated for one in made)
    assert [one.clock for one in made] == sorted({one.clock for one in made})


def test_the_hour_that_comes_twice_goes_once_and_its_energy_follows():
    midnight = at("2026-10-25T00:00")
    rows = {midnight + index * QUARTER_MS: {"production": 10.0} for index in range(100)}
    made = make_statuses(
        date(2026, 10, 25), BERLIN, NO_ROWS._replace(quarters=rows), interval_min=15, until=midnight + 25 * HOUR_MS
    )
    by_clock = {one.clock: one.generated for one in made}
    assert (by_clock["02:45"], by_clock["03:00"]) == (110, 160)
    assert (len(made), by_clock["23:59"]) == (96, 1000)


def test_a_use_of_which_a_part_is_missing_is_unknown():
    midnight = at("2026-06-10T00:00")
    rows = {midnight: {"production": 1.0}, midnight + QUARTER_MS: {"production": 1.0, "load": 50.0}}
    made = make_statuses(
        date(2026, 6, 10), BERLIN, NO_ROWS._replace(quarters=rows), interval_min=15, until=midnight + HOUR_MS
    )
    assert [(one.generated, one.used) for one in made] == [(1, None), (2, None)]


@given(st.lists(st.tuples(st.integers(0, 600), st.booleans()), max_size=300))
def test_no_hour_has_more_requests_than_the_limit(steps):
    clock = StoppedClock(BEGIN_MS)
    limit, made = HourlyLimit(clock), []
    for seconds, is_old in steps:
        clock.advance(seconds)
        with contextlib.suppress(OutputError):
            limit.take(is_old=is_old)
            made.append(clock.now_ms())
    assert all(sum(begin <= one < begin + HOUR_MS for one in made) <= 60 for begin in made)
