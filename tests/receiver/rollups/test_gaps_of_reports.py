"""Recorded gaps and the counters that are asked beside the meters: they know how much flowed, but not when."""

import pytest

from receiver.energy.gaps import GapWalk
from receiver.rollups.compute import RawSeries, make_quarter_rows
from receiver.sites.model import NO_SITE
from receiver.stores.base import Point, SeriesPoints
from shared.readings import Series
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS, SECOND_MS
from tests.receiver.rollups.random_house import START
from tests.receiver.rollups.test_storage import make_series

LENGTHS_S = (31, 90, 119, 121, 700)
"""Below and above two minutes, over which meters are never bridged."""


def make_gap(begin, length_s):
    """A recorded gap, and the times of a poll each minute that it interrupts."""
    end = begin + length_s * SECOND_MS
    event = SeriesPoints(Series.of("event", {"type": "gap"}), [Point(START + begin, {"end": float(START + end)})])
    times = [*range(begin - HOUR_MS, begin + 1, MINUTE_MS), *range(end, 2 * HOUR_MS, MINUTE_MS)]
    return [event], times


def count(times, watts):
    return [(START + at, 1e6 + watts * at / HOUR_MS) for at in times]


def make_energies(raw):
    rows = make_quarter_rows(raw, NO_SITE, START, START + 2 * QUARTER_MS)
    return [row.fields for row in rows if row.kind == "energy_15m"]


@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_a_total_knows_how_much_was_made_in_a_gap_but_not_when(length_s):
    event, times = make_gap(2 * MINUTE_MS, length_s)
    total = [Point(time, {"energy_lifetime": wh, "power": 3600.0}) for time, wh in count(times, 3600.0)]
    raw = RawSeries([], [], [], [SeriesPoints(Series.of("production", {"source": "api"}), total)], event=event)
    first, second = make_energies(raw)
    assert (first["production"], second["production"]) == (pytest.approx(900.0), pytest.approx(900.0))
    assert first["production_coverage"] == pytest.approx(1 - length_s / 900)
    assert second["production_coverage"] == 1.0


@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_what_was_made_in_a_gap_over_a_boundary_is_in_no_quarter_hour(length_s):
    begin = QUARTER_MS - 20 * SECOND_MS
    event, times = make_gap(begin, length_s)
    total = [Point(time, {"energy_lifetime": wh, "power": 3600.0}) for time, wh in count(times, 3600.0)]
    raw = RawSeries([], [], [], [SeriesPoints(Series.of("production", {"source": "api"}), total)], event=event)
    first, second = make_energies(raw)
    assert first["production"] == pytest.approx(880.0)
    assert second["production"] == pytest.approx(900.0 - (length_s - 20))
    assert second["production_unallocated"] == pytest.approx(length_s)
    assert second["unallocated_since"] == START + begin


@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_the_counters_of_an_ac_battery_do_not_bridge_a_gap_either(length_s):
    event, times = make_gap(2 * MINUTE_MS, length_s)
    points = [Point(time, {"discharged": wh, "charged": 5e5}) for time, wh in count(times, 180.0)]
    listed = make_series("storage", {time: {"batteries": 1.0, "measured": 0.0} for time in times})
    battery = SeriesPoints(Series.of("battery", {"battery": "121917000001"}), points)
    first, second = make_energies(RawSeries([], [], [], [], listed, event=event, battery=[battery]))
    assert (first["discharged"], second["discharged"]) == (pytest.approx(45.0), pytest.approx(45.0))
    assert first["discharged_coverage"] == pytest.approx(1 - length_s / 900)
    assert (first["charged"], first["charged_coverage"]) == (0.0, 1.0)  # a counter that stood still knows when, too


def test_a_counter_that_was_read_inside_a_gap_of_the_meters_is_no_worse_for_it():
    """Meters are refused for ten minutes and inverters answer: the gap stays open, and the total goes on."""
    event, _ = make_gap(2 * MINUTE_MS, 600)
    total = [
        Point(time, {"energy_lifetime": wh, "power": 3600.0})
        for time, wh in count(range(-HOUR_MS, 2 * HOUR_MS, MINUTE_MS), 3600.0)
    ]
    raw = RawSeries([], [], [], [SeriesPoints(Series.of("production", {"source": "api"}), total)], event=event)
    assert [(row["production"], row["production_coverage"]) for row in make_energies(raw)] == [
        (pytest.approx(900.0), 1.0)
    ] * 2


def test_only_the_step_that_has_most_of_a_gap_is_over_it():
    walk = GapWalk([(100, 200), (300, 340)])
    steps = [(0, 140), (140, 210), (210, 310), (310, 400), (400, 500)]
    assert [walk.is_mostly_between(*step) for step in steps] == [False, True, False, True, False]


def test_a_total_that_was_read_now_and_then_hides_none_that_speaks():
    """The gateway once gave its wrapped sum of the inverters: hours before and hours after the quarter hour."""
    told = [Point(time, {"energy_lifetime": wh}) for time, wh in count(range(-HOUR_MS, HOUR_MS, MINUTE_MS), 3600.0)]
    stray = [Point(START + at, {"energy_lifetime": 351_236.0}) for at in (-5 * HOUR_MS, 5 * HOUR_MS)]
    totals = [
        SeriesPoints(Series.of("production", {"source": "api"}), told),
        SeriesPoints(Series.of("production", {"source": "inverters"}), stray),
    ]
    first, second = make_energies(RawSeries([], [], [], totals))
    assert (first["production"], second["production"]) == (pytest.approx(900.0), pytest.approx(900.0))
