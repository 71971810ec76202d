"""A house answers the same for the same seed, loses nothing between its wires, and behaves like one."""

import subprocess
import sys
from itertools import pairwise
from math import copysign
from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.house import NET, PRODUCTION, PROFILES, STORAGE, THREE_PHASE, TOTAL, House

MIDSUMMER = 1_782_000_000.0  # 2026-06-21T00:00Z
HOUSES = {name: House(profile, 7, start=MIDSUMMER) for name, profile in PROFILES.items()}
ANY_TIME = st.floats(MIDSUMMER - 200 * 86_400.0, MIDSUMMER + 200 * 86_400.0)
THESE_DAYS = st.floats(MIDSUMMER - 10 * 86_400.0, MIDSUMMER + 10 * 86_400.0)
"""A battery's week costs about two seconds when it is first asked for: houses with one are asked about three."""


def find_solar_noon(house, day=0):
    return MIDSUMMER + day * 86_400.0 + 43_200.0 - house.profile.longitude_deg * 240.0


def choose_times(house):
    return THESE_DAYS if house.profile.battery else ANY_TIME


every_house = pytest.mark.parametrize("house", HOUSES.values(), ids=HOUSES)


@every_house
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_watt_is_lost_on_any_phase(house, data):
    """Load is production + net + storage; the total meter is production + net; so with reactive power.

    Currents are added with the sign of their power, as gateways do.
    """
    state = house.compute_state(data.draw(choose_times(house)))
    for phase in range(house.profile.phase_count):
        reading = {meter: phases[phase] for meter, phases in state.meters.items()}
        both = reading[PRODUCTION].active_power_w + reading[NET].active_power_w
        assert reading[TOTAL].active_power_w == pytest.approx(both, abs=1e-9)
        stored = reading[STORAGE].active_power_w if STORAGE in reading else 0.0
        assert state.load_w[phase] == pytest.approx(both + stored, abs=1e-9)
        assert reading[TOTAL].reactive_power_var == pytest.approx(
            reading[NET].reactive_power_var - reading[PRODUCTION].reactive_power_var
        )
        signed = [copysign(reading[meter].current_a, reading[meter].active_power_w) for meter in (NET, PRODUCTION)]
        assert reading[TOTAL].current_a == pytest.approx(sum(signed))


@every_house
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_quantities_of_a_reading_fit_together(house, data):
    """Apparent power is voltage times current and at least the active power; the power factor is their ratio.

    But not of the total, which a gateway adds up from parts.
    """
    for meter, phases in house.compute_state(data.draw(choose_times(house))).meters.items():
        if meter == TOTAL:
            continue
        assert len(phases) == house.profile.phase_count, meter
        for reading in phases:
            assert reading.apparent_power_va == pytest.approx(reading.voltage_v * reading.current_a)
            assert abs(reading.active_power_w) <= reading.apparent_power_va + 1e-9
            assert reading.power_factor == pytest.approx(reading.active_power_w / reading.apparent_power_va)
            assert reading.voltage_v == pytest.approx(house.profile.nominal_voltage_v, rel=0.06)
            assert abs(reading.frequency_hz - house.profile.nominal_frequency_hz) <= 0.07


@every_house
def test_the_order_of_questions_does_not_matter(house):
    """A house that is asked backwards, with nothing remembered, gives what the first one gave forwards."""
    # Hours and days apart, so that nothing of one answer is left over for the next.
    times = [MIDSUMMER + 86_400.0 * day + 5000.5 * day * day for day in range(-8, 9, 2)]
    forwards = [house.compute_state(t) for t in times]
    other = House(house.profile, house.seed)
    assert [other.compute_state(t) for t in reversed(times)] == forwards[::-1]


def test_every_process_gives_the_same_answers():
    """Another process with another hash seed says the same, to the last digit."""
    program = (
        "from simulator.house import House, PROFILES\n"
        "for profile in PROFILES.values():\n"
        f"    house = House(profile, 7, start={MIDSUMMER})\n"
        f"    print(house.compute_state({MIDSUMMER} + 40_000), house.list_reports({MIDSUMMER} + 40_000, 900))"
    )
    there = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "1"}
    )
    t = MIDSUMMER + 40_000
    assert there.stdout.splitlines() == [
        f"{house.compute_state(t)} {house.list_reports(t, 900)}" for house in HOUSES.values()
    ]


def test_another_seed_is_another_house():
    noon = find_solar_noon(HOUSES["three-phase"])
    assert House(THREE_PHASE, 8).compute_state(noon) != HOUSES["three-phase"].compute_state(noon)


@every_house
def test_a_sample_lasts_its_second(house):
    noon = float(int(find_solar_noon(house)))
    assert house.compute_state(noon) == house.compute_state(noon + 0.999)
    assert house.compute_state(noon) != house.compute_state(noon + 1.0)


@every_house
def test_panels_make_what_the_production_meter_shows(house):
    """By day the sum of the panels is the production, but for the meter's noise."""
    noon = float(int(find_solar_noon(house)))
    for hour in range(-5, 6):
        for second in range(0, 60, 7):
            t = noon + hour * 3600.0 + second
            shown = sum(phase.active_power_w for phase in house.compute_state(t).meters[PRODUCTION])
            assert shown == pytest.approx(sum(house.compute_panel_power(t)), abs=8.0, rel=0.004)


@every_house
def test_at_night_the_inverters_draw_a_few_watts_and_reactive_power(house):
    """Mean production is -1 to -5 W, and some 180 VA idle for 24 inverters, as real meters show."""
    midnight = find_solar_noon(house) + 43_200.0
    states = [house.compute_state(midnight + second) for second in range(0, 600, 5)]
    active = fmean(sum(phase.active_power_w for phase in state.meters[PRODUCTION]) for state in states)
    idle = fmean(sum(phase.apparent_power_va for phase in state.meters[PRODUCTION]) for state in states)
    assert -5.0 < active < -1.0
    assert idle == pytest.approx(180.0 * len(house.profile.panels) / 24, rel=0.1)
    assert not any(house.compute_panel_power(midnight))


@every_house
def test_a_clear_noon_fills_the_roof(house):
    """The best noon of a fortnight gives most of what the inverters can."""
    best = max(sum(house.compute_panel_power(find_solar_noon(house, day))) for day in range(14))
    # Adelaide's June is winter, with the sun at 32 degrees.
    assert best > 0.55 * sum(panel.inverter_w for panel in house.profile.panels)


def test_some_days_are_dull_and_some_are_bright():
    house = HOUSES["three-phase"]
    days = [
        sum(house.compute_interval_energy_wh(0, noon + h * 3600.0, noon + (h + 1) * 3600.0) for h in range(-8, 8))
        for noon in (find_solar_noon(house, day) for day in range(30))
    ]
    assert max(days) > 2.5 * min(days)


def test_a_quiet_house_shows_a_meter_s_texture_only():
    """From second to second a night's load moves by about a watt, voltage by hundredths of a volt."""
    house = HOUSES["single-phase"]
    night = find_solar_noon(house) + 13.5 * 3600.0
    readings = [house.compute_state(night + second).meters[NET][0] for second in range(60)]
    steps = [b.active_power_w - a.active_power_w for a, b in pairwise(readings)]
    quiet = [step for step in steps if abs(step) < 20.0]
    assert len(quiet) > 55
    assert 0.3 < pstdev(quiet) < 3.0
    assert max(abs(b.voltage_v - a.voltage_v) for a, b in pairwise(readings)) < 0.5


def test_voltage_rises_with_export_and_falls_with_import():
    house = HOUSES["single-phase"]
    days = [find_solar_noon(house, day) for day in range(20)]
    exporting = [house.compute_state(t).meters[NET][0] for t in days]
    strong = [reading.voltage_v for reading in exporting if reading.active_power_w < -2000.0]
    night = [house.compute_state(t + 43_200.0).meters[NET][0].voltage_v for t in days]
    assert fmean(strong) > fmean(night) + 1.0


def test_frequency_comes_in_the_meter_s_coarse_steps():
    house = HOUSES["three-phase"]
    seen = {house.compute_state(MIDSUMMER + 10 * step).meters[NET][0].frequency_hz for step in range(3000)}
    assert {50.0} < seen <= {49.94, 50.0, 50.06}


@every_house
def test_meters_are_those_of_the_house(house):
    expected = (PRODUCTION, NET, TOTAL, STORAGE) if house.profile.battery else (PRODUCTION, NET, TOTAL)
    assert house.meters == expected
    assert set(house.compute_state(MIDSUMMER).meters) == set(expected)
