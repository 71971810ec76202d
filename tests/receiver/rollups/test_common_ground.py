"""Shares and savings compare two energies over the same time; netted import over a gap comes from the counters."""

import pytest

from receiver.rollups.compute import RawSeries, make_quarter_rows
from receiver.rollups.energy_windows import make_energy_rows
from receiver.sites.model import NO_SITE, Site
from receiver.stores.base import Point, SeriesPoints
from shared.readings import Series
from shared.units import HOUR_MS, MINUTE_MS
from tests.receiver.energy.reference import approximate

START = 1_743_292_800_000
"""A midnight in UTC."""
DAY = range(START, START + 24 * HOUR_MS + 1, MINUTE_MS)
GAP = range(START + 10 * HOUR_MS + 7 * MINUTE_MS, START + 12 * HOUR_MS + 7 * MINUTE_MS)


def make_meter(name, phase, watts, times):
    """Power and counters of one phase, each minute."""
    tags = (("meter", name), ("phase", phase))
    power = [Point(time, {"power": watts}) for time in times]
    counters = [
        Point(
            time,
            {
                "delivered": 1e6 + max(watts, 0.0) * (time - START) / HOUR_MS,
                "received": 1e6 + max(-watts, 0.0) * (time - START) / HOUR_MS,
            },
        )
        for time in times
    ]
    return SeriesPoints(Series("meter", tags), power), SeriesPoints(Series("meter_energy", tags), counters)


def make_day(*meters, production=(), site: Site = NO_SITE):
    """The row of the day, through its quarter hours and hours as the job makes them."""
    raw = RawSeries([power for power, _ in meters], [energy for _, energy in meters], [], production)
    rows = make_quarter_rows(raw, site, START, START + 24 * HOUR_MS)
    quarters = [Point(row.timestamp, dict(row.fields)) for row in rows if row.kind == "energy_15m"]
    hours = make_energy_rows("energy_1h", quarters, site, range(START, START + 24 * HOUR_MS + 1, HOUR_MS))
    points = [Point(row.timestamp, dict(row.fields)) for row in hours]
    (day,) = make_energy_rows("energy_1d", points, site, [START, START + 24 * HOUR_MS])
    return day.fields


def make_total(watts, times=DAY):
    """The gateway's own total of all inverters."""
    points = [Point(time, {"energy_lifetime": 1e6 + watts * (time - START) / HOUR_MS}) for time in times]
    return [SeriesPoints(Series("production", (("source", "pdm"),)), points)]


def test_on_the_first_day_the_share_is_that_of_the_time_with_a_meter():
    """Inverters are known since midnight, the meter since 13:00: 98 % were sold since then, so 2 % were used, not 55 %."""
    since = range(START + 13 * HOUR_MS, DAY.stop, MINUTE_MS)
    day = make_day(make_meter("net-consumption", "a", -1960.0, since), production=make_total(2000.0))
    assert day["production"] == approximate(48_000.0)
    assert day["exported"] == approximate(11 * 1960.0)
    assert round(1 - 11 * 1960.0 / 48_000.0, 2) == 0.55, "what the whole day's energies would give"
    assert day["self_consumption"] == pytest.approx(0.02)


def test_after_an_outage_a_house_without_sun_bought_everything_whatever_is_netted():
    """Load and import of the outage are both known, or neither is compared: the share is 0, not 0.084."""
    times = [time for time in DAY if time not in GAP]
    powers = {"a": 500.0, "b": 700.0, "c": 200.0}
    meters = [make_meter("net-consumption", phase, watts, times) for phase, watts in powers.items()]
    day = make_day(*meters, make_meter("production", "a", 0.0, times))
    assert day["load"] == approximate(24 * 1400.0)
    integrated_h = 24 - 2 - 1 / 60  # a line ends at the last reading before the gap
    assert round(1 - integrated_h / 24, 3) == 0.084, "what the integral of the netted power would give"
    assert day["self_sufficiency"] == approximate(0.0)
    assert day["imported"] == approximate(24 * 1400.0), "no phase sold anything, so the counters know the netted import"
    assert day["exported"] == approximate(0.0)


def test_netted_import_over_a_gap_stays_unknown_where_a_phase_sold():
    """One phase sells, two buy: how much of it was netted in the gap nobody knows. The share leaves the gap out."""
    times = [time for time in DAY if time not in GAP]
    powers = {"a": -300.0, "b": 700.0, "c": 200.0}
    meters = [make_meter("net-consumption", phase, watts, times) for phase, watts in powers.items()]
    day = make_day(*meters, make_meter("production", "a", 0.0, times))
    assert day["load"] == approximate(24 * 600.0)
    assert day["imported"] == pytest.approx((22 - 1 / 60) * 600.0)
    assert day["imported_coverage"] < 0.92
    assert day["self_sufficiency"] == approximate(0.0)


def test_counters_that_were_silent_while_the_power_went_on_add_nothing():
    meters = [
        (power, energy._replace(points=[point for point in energy.points if point.timestamp not in GAP]))
        for power, energy in (make_meter("net-consumption", phase, 500.0, DAY) for phase in "ab")
    ]
    assert make_day(*meters)["imported"] == approximate(24 * 1000.0)


def test_savings_are_of_the_time_in_which_both_are_known_and_absent_without_it():
    site = Site.model_validate({"tariffs": [{"valid_from": "2020-01-01", "rates": 0.5}]})
    since = range(START + 13 * HOUR_MS, DAY.stop, MINUTE_MS)
    day = make_day(make_meter("net-consumption", "a", -1500.0, since), production=make_total(2000.0), site=site)
    assert day["savings"] == pytest.approx(11 * 500.0 / 1000 * 0.5, rel=1e-6)
    assert "savings" not in make_day(production=make_total(2000.0), site=site)
    assert "self_consumption" not in make_day(production=make_total(2000.0))
