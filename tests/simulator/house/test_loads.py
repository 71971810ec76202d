"""The household lives by local time, and what it switches on it switches off again."""

from dataclasses import replace
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from simulator.house import PROFILES, SINGLE_PHASE, THREE_PHASE
from simulator.house.appliances import APPLIANCES, ApplianceDay, use_kettle
from simulator.house.loads import Loads
from simulator.house.weather import Weather


def make_loads(profile, seed=1):
    return Loads(profile, seed, Weather(profile, seed))


def find_minute(zone, text):
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) // 60


def compute_mean_w(household, first, minutes):
    watts = [household.compute_minute(first + minute)[0] for minute in range(minutes)]
    return sum(sum(map(sum, phases)) for phases in watts) / (60 * minutes)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_phase_always_draws_something_and_never_gives(profile):
    household = make_loads(profile)
    first = find_minute(profile.time_zone, "2026-01-17T00:00")
    for minute in range(1440):
        watts, var = household.compute_minute(first + minute)
        assert len(watts) == len(var) == profile.phase_count
        assert all(len(phase) == 60 for phase in watts)
        assert min(map(min, watts)) > 0.5 * profile.base_load_w / profile.phase_count


def test_evenings_draw_more_than_nights():
    household = make_loads(SINGLE_PHASE)
    days = [find_minute("Europe/London", f"2026-02-{day:02d}T00:00") for day in range(2, 16)]
    night = sum(compute_mean_w(household, day + 2 * 60, 120) for day in days)
    evening = sum(compute_mean_w(household, day + 18 * 60, 180) for day in days)
    assert evening > 1.5 * night


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_days_of_23_and_25_hours_have_no_seam(day, hours):
    """Every minute of a day on which clocks change has its load, and midnight is where the zone has it."""
    household = make_loads(THREE_PHASE)
    first = find_minute("Europe/Berlin", f"{day}T00:00")
    assert compute_mean_w(household, first, hours * 60) > THREE_PHASE.base_load_w * 0.7


def test_midnight_switches_nothing_off():
    """In winter the heat pump often runs into the next day; load hardly ever steps in the second of midnight."""
    household = make_loads(THREE_PHASE)
    steps, running = 0, 0
    for day in range(60):
        midnight = find_minute("Europe/Berlin", "2026-01-01T00:00") + day * 1440
        before = sum(phase[59] for phase in household.compute_minute(midnight - 1)[0])
        after = sum(phase[0] for phase in household.compute_minute(midnight)[0])
        steps += abs(after - before) > 30.0
        running += before > 1500.0
    assert running > 10
    assert steps < 4


def test_without_car_and_heat_pump_nothing_draws_like_one():
    plain = make_loads(replace(THREE_PHASE, ev_w=0.0, heat_pump_w=0.0))
    first = find_minute("Europe/Berlin", "2026-01-05T00:00")
    peak = max(sum(phase[0] for phase in plain.compute_minute(first + minute)[0]) for minute in range(7 * 1440))
    assert 2000.0 < peak < 9500.0


def test_a_cold_day_costs_more_heat_than_a_mild_one():
    household = make_loads(replace(THREE_PHASE, ev_w=0.0))
    winter = sum(
        compute_mean_w(household, find_minute("Europe/Berlin", f"2026-01-{day:02d}T00:00"), 1440)
        for day in range(5, 15)
    )
    summer = sum(
        compute_mean_w(household, find_minute("Europe/Berlin", f"2026-06-{day:02d}T00:00"), 1440)
        for day in range(5, 15)
    )
    assert winter > 1.5 * summer


@pytest.mark.parametrize("appliance", APPLIANCES, ids=lambda appliance: appliance.__name__)
def test_every_appliance_runs_for_real(appliance):
    """Within a month each appliance runs, forwards in time, with a power and a power factor that exist."""
    uses = []
    for number in range(30):
        day = ApplianceDay(Random(number), number % 7 > 4, 2.0, 17 * 3600, 2400.0, 11_000.0)
        uses.extend(appliance(day))
    assert uses
    for use in uses:
        assert 0 <= use.start_s < 30 * 3600
        assert use.seconds > 0
        assert 10.0 < use.watts < 12_000.0
        assert 0.5 < use.power_factor <= 1.0


def test_a_kettle_boils_around_breakfast():
    day = ApplianceDay(Random(1), False, 10.0, 20 * 3600, 0.0, 0.0)
    assert any(5.0 < use.start_s / 3600 < 9.0 for use in use_kettle(day))
