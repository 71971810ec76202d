"""Counters and truth are the integral of what the meters show: this is what other tests measure the product with."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.house import (
    DEFAULT_START,
    NET,
    PRODUCTION,
    PROFILES,
    STORAGE,
    THREE_PHASE,
    TOTAL,
    House,
    choose_counters_start,
)

START = DEFAULT_START + 0.0
HOUSES = {name: House(profile, 3) for name, profile in PROFILES.items()}
every_house = pytest.mark.parametrize("house", HOUSES.values(), ids=HOUSES)
NEAR = st.floats(START - 20_000.0, START + 40_000.0)


@every_house
def test_truth_is_the_sum_of_the_samples(house):
    """Second by second over an odd span: import and export apart, on every meter and phase."""
    start, stop = START + 30_000.25, START + 33_777.75
    truth = house.compute_truth_wh(start, stop)
    states = [house.compute_state(second) for second in range(int(start) + 1, int(stop) + 1)]
    for meter in house.meters:
        for phase, energy in enumerate(truth[meter]):
            watts = [state.meters[meter][phase].active_power_w for state in states]
            assert energy.delivered_wh * 3600.0 == pytest.approx(sum(w for w in watts if w > 0), abs=1e-3)
            assert energy.received_wh * 3600.0 == pytest.approx(-sum(w for w in watts if w < 0), abs=1e-3)
            assert energy.net_wh * 3600.0 == pytest.approx(sum(watts), abs=1e-3)


@every_house
@given(a=NEAR, b=NEAR)
@settings(max_examples=25, deadline=None)
def test_counters_rise_by_the_truth(house, a, b):
    """Between any two moments, before or after the start, every counter rises by the truth of the span."""
    a, b = float(int(min(a, b))), float(int(max(a, b)))
    before, after, truth = house.compute_counters(a), house.compute_counters(b), house.compute_truth_wh(a, b)
    for meter, phases in truth.items():
        for phase, energy in enumerate(phases):
            first, last = before.meters[meter][phase], after.meters[meter][phase]
            assert last.delivered_wh - first.delivered_wh == pytest.approx(energy.delivered_wh, abs=1e-5)
            assert last.received_wh - first.received_wh == pytest.approx(energy.received_wh, abs=1e-5)
            assert last.delivered_wh >= first.delivered_wh >= 0.0
            assert last.received_wh >= first.received_wh >= 0.0
    assert all(y >= x > 0.0 for x, y in zip(before.panels_wh, after.panels_wh, strict=True))


@every_house
def test_a_day_of_panels_is_a_day_of_production(house):
    """Over a whole day the panels' counters and the production meter agree within 0.05 % and the night's own use."""
    panels = sum(
        b - a
        for a, b in zip(
            house.compute_counters(START).panels_wh, house.compute_counters(START + 86_400.0).panels_wh, strict=True
        )
    )
    delivered = sum(phase.delivered_wh for phase in house.compute_truth_wh(START, START + 86_400.0)[PRODUCTION])
    own_use_wh = 0.12 * len(house.profile.panels)
    assert delivered == pytest.approx(panels, rel=0.0005, abs=own_use_wh)


@every_house
def test_a_day_balances(house):
    """Production, import and export of a day make up what the appliances used."""
    truth = house.compute_truth_wh(START, START + 86_400.0)
    used = sum(sum(house.compute_state(START + second).load_w) for second in range(0, 86_400, 20)) * 20 / 3600.0
    sources = [meter for meter in house.meters if meter != TOTAL]
    supplied = sum(energy.net_wh for meter in sources for energy in truth[meter])
    assert supplied == pytest.approx(used, rel=0.01)


def test_only_a_battery_house_has_storage_energy():
    assert [name for name, house in HOUSES.items() if STORAGE in house.compute_counters(START).meters] == ["battery"]


def test_an_empty_span_has_no_energy():
    house = HOUSES["three-phase"]
    empty = house.compute_truth_wh(START + 7.0, START + 7.0)
    assert all(energy == (0.0, 0.0) for phases in empty.values() for energy in phases)


def test_import_and_export_of_one_minute_are_kept_apart():
    """Somewhere in a sunny day the net meter changes sign within a minute: both counters move."""
    house = HOUSES["single-phase"]
    mixed = 0
    for minute in range(1440):
        (energy,) = house.compute_truth_wh(START + minute * 60, START + minute * 60 + 60)[NET]
        mixed += energy.delivered_wh > 0.01 and energy.received_wh > 0.01
    assert mixed > 0


def test_two_houses_of_one_start_agree_and_other_starts_differ_by_a_constant():
    later = House(THREE_PHASE, 3, start=START + 3600.0)
    house = HOUSES["three-phase"]
    a, b = START + 7200.0, START + 10_800.0
    assert House(THREE_PHASE, 3).compute_counters(b) == house.compute_counters(b)
    rise = house.compute_counters(b).panels_wh[0] - house.compute_counters(a).panels_wh[0]
    assert later.compute_counters(b).panels_wh[0] - later.compute_counters(a).panels_wh[0] == pytest.approx(
        rise, abs=1e-5
    )


def test_counters_far_from_the_start_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"200 days from this house's start .*counters_start"):
        HOUSES["three-phase"].compute_counters(START + 200 * 86_400.0)


@given(t=st.floats(0.0, 4e9))
def test_counters_start_on_a_monday_one_to_two_weeks_before(t):
    start = choose_counters_start(t)
    assert 8 * 86_400.0 <= t - start < 15 * 86_400.0
    assert time.gmtime(start)[3:7] == (0, 0, 0, 0)
    assert choose_counters_start(start + 8 * 86_400.0) == start


def test_a_house_without_sun_counts_load_only():
    """In the polar night of a northern house nothing is delivered, and the load is imported."""
    polar = House(replace(THREE_PHASE, latitude_deg=78.0, longitude_deg=15.0), 3)
    december = 1_797_811_200.0
    truth = polar.compute_truth_wh(december, december + 3600.0)
    # The meter's noise now and then crosses zero: a fraction of a watt.
    assert sum(energy.delivered_wh for energy in truth[PRODUCTION]) < 0.05
    assert all(energy.delivered_wh > 20.0 for energy in truth[NET])
    assert polar.compute_panel_power(december + 43_200.0) == [0.0] * 24
